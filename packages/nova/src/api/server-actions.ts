import { Reply } from '@cairn/kit/http/operation';
import type { PowerName } from '../app/server-actions.ts';
import { ConsoleOutput, MadeImage } from './answers/servers.ts';
import { op } from './op.ts';
import { actionBody, json, metadata, name, object } from './schemas/types.ts';

const PATH = '/v2.1/servers/{server_id}/action';

/** An action that takes nothing and answers 202 without a body. */
const power = (id: string, action: string, summary: string, policy: string, change: PowerName) =>
  op({
    id: `nova.server.${id}`,
    method: 'POST',
    path: PATH,
    action,
    summary,
    policy: `os_compute_api:${policy}`,
    answer: 'none',
    success: 202,
    body: actionBody(action, {}),
    handle: (app, request) => app.serverActions.power(request, request.params['server_id'] as string, change),
  });

const lines = { type: ['integer', 'string', 'null'], pattern: '^-?[0-9]+$', minimum: -1 };
const groupName = json({ type: 'object', properties: { name: { type: 'string', minLength: 1 } }, required: ['name'], additionalProperties: false });
const groupBody = (action: string) => json({ type: 'object', properties: { [action]: groupName }, required: [action], additionalProperties: true });

const securityGroup = (action: 'addSecurityGroup' | 'removeSecurityGroup', change: 'add' | 'remove') =>
  op({
    id: `nova.server.${change}_security_group`,
    method: 'POST',
    path: PATH,
    action,
    summary: change === 'add' ? 'Add a security group to a server' : 'Take a security group from a server',
    policy: `os_compute_api:os-security-groups:${change}`,
    answer: 'none',
    success: 202,
    body: groupBody(action),
    handle: (app, request) =>
      app.serverGuest.changeSecurityGroup(
        request,
        request.params['server_id'] as string,
        (request.body as Record<string, { readonly name: string }>)[action]?.name as string,
        change,
      ),
  });

/** Control characters besides tab and line feed, which console logs are given without. */
const CONTROL = /[\x00-\x08\x0B-\x1F]/g;

export const serverActionOperations = [
  power('start', 'os-start', 'Start a server', 'servers:start', 'start'),
  power('stop', 'os-stop', 'Stop a server', 'servers:stop', 'stop'),
  power('pause', 'pause', 'Pause a server', 'os-pause-server:pause', 'pause'),
  power('unpause', 'unpause', 'Let a paused server go on', 'os-pause-server:unpause', 'unpause'),
  power('suspend', 'suspend', 'Suspend a server', 'os-suspend-server:suspend', 'suspend'),
  power('resume', 'resume', 'Resume a suspended server', 'os-suspend-server:resume', 'resume'),
  op({
    id: 'nova.server.reboot',
    method: 'POST',
    path: PATH,
    action: 'reboot',
    summary: 'Reboot a server',
    policy: 'os_compute_api:servers:reboot',
    answer: 'none',
    success: 202,
    body: actionBody('reboot', object({ type: { type: 'string', enum: ['HARD', 'Hard', 'hard', 'SOFT', 'Soft', 'soft'] } }, ['type'])),
    async handle(app, request) {
      const { type } = (request.body as { readonly reboot: { readonly type: string } }).reboot;
      await app.serverActions.power(request, request.params['server_id'] as string, type.toUpperCase() === 'SOFT' ? 'softReboot' : 'hardReboot');
    },
  }),
  op({
    id: 'nova.server.trigger_crash_dump',
    method: 'POST',
    path: PATH,
    action: 'trigger_crash_dump',
    since: '2.17',
    summary: 'Make a server dump its memory',
    policy: 'os_compute_api:servers:trigger_crash_dump',
    answer: 'none',
    success: 202,
    body: actionBody('trigger_crash_dump', { type: 'null' }),
    handle: (app, request) => app.serverActions.crashDump(request, request.params['server_id'] as string),
  }),
  op({
    id: 'nova.server.lock',
    method: 'POST',
    path: PATH,
    action: 'lock',
    summary: 'Lock a server',
    policy: 'os_compute_api:os-lock-server:lock',
    answer: 'none',
    success: 202,
    body: [
      { from: '2.1', schema: actionBody('lock', {}) },
      {
        from: '2.73',
        schema: actionBody('lock', {
          type: ['object', 'null'],
          properties: { locked_reason: { type: 'string', minLength: 1, maxLength: 255 } },
          additionalProperties: false,
        }),
      },
    ],
    async handle(app, request) {
      const reason = request.version.atLeast('2.73')
        ? (request.body as { readonly lock: { readonly locked_reason?: string } | null }).lock?.locked_reason
        : undefined;
      await app.serverActions.lock(request, request.params['server_id'] as string, reason);
    },
  }),
  op({
    id: 'nova.server.unlock',
    method: 'POST',
    path: PATH,
    action: 'unlock',
    summary: 'Unlock a server',
    policy: 'os_compute_api:os-lock-server:unlock',
    answer: 'none',
    success: 202,
    body: actionBody('unlock', {}),
    handle: (app, request) => app.serverActions.unlock(request, request.params['server_id'] as string),
  }),
  op({
    id: 'nova.server.reset_state',
    method: 'POST',
    path: PATH,
    action: 'os-resetState',
    summary: 'Reset the state of a server',
    policy: 'os_compute_api:os-admin-actions:reset_state',
    answer: 'none',
    success: 202,
    body: actionBody('os-resetState', object({ state: { type: 'string', enum: ['active', 'error'] } }, ['state'])),
    handle: (app, request) =>
      app.serverActions.resetState(
        request,
        request.params['server_id'] as string,
        (request.body as { readonly 'os-resetState': { readonly state: 'active' | 'error' } })['os-resetState'].state,
      ),
  }),
  op({
    id: 'nova.server.force_delete',
    method: 'POST',
    path: PATH,
    action: 'forceDelete',
    summary: 'Delete a server at once',
    policy: 'os_compute_api:os-deferred-delete:force',
    answer: 'none',
    success: 202,
    body: actionBody('forceDelete', {}),
    handle: (app, request) => app.serverActions.remove(request, request.params['server_id'] as string, true),
  }),
  op({
    id: 'nova.server.create_image',
    method: 'POST',
    path: PATH,
    action: 'createImage',
    summary: 'Make an image of a server',
    policy: 'os_compute_api:servers:create_image',
    answer: MadeImage,
    success: 202,
    body: actionBody('createImage', object({ name, metadata }, ['name'])),
    async handle(app, request) {
      const { createImage } = request.body as { readonly createImage: { readonly name: string; readonly metadata?: Readonly<Record<string, string>> } };
      const imageId = await app.serverImages.create(request, request.params['server_id'] as string, createImage, request.version);
      if (request.version.atLeast('2.45')) return { image_id: imageId };
      // the image's place is in the image service, on the same front
      return new Reply(undefined, { headers: { location: `${request.baseUrl.replace(/\/compute$/, '')}/image/images/${imageId}` } });
    },
  }),
  op({
    id: 'nova.server.console_output',
    method: 'POST',
    path: PATH,
    action: 'os-getConsoleOutput',
    summary: "Show a server's console log",
    policy: 'os_compute_api:os-console-output',
    answer: ConsoleOutput,
    body: actionBody('os-getConsoleOutput', object({ length: lines })),
    async handle(app, request) {
      const { length } = (request.body as { readonly 'os-getConsoleOutput': { readonly length?: number | string | null } })['os-getConsoleOutput'];
      const wanted = length === undefined || length === null ? -1 : Number(length);
      const output = wanted === 0 ? '' : await app.serverGuest.consoleOutput(request, request.params['server_id'] as string, wanted < 0 ? undefined : wanted);
      return { output: output.replace(CONTROL, '') };
    },
  }),
  securityGroup('addSecurityGroup', 'add'),
  securityGroup('removeSecurityGroup', 'remove'),
];
