import { Reply, type Request } from '@cairn/kit/http/operation';
import type { BackupBody } from '../app/server-images.ts';
import type { RebuildBody } from '../app/server-rebuild.ts';
import type { RescueBody } from '../app/server-rescue.ts';
import { AdminPassword, MadeImage, RebuiltServer } from './answers/servers.ts';
import { op } from './op.ts';
import { rebuildServer } from './schemas/rebuild.ts';
import { actionBody, metadata, name, nonNegativeInteger, object } from './schemas/types.ts';
import { selfHref } from './views/links.ts';
import { serverView } from './views/server.ts';

const PATH = '/v2.1/servers/{server_id}/action';
const serverId = (request: Request): string => request.params['server_id'] as string;
const adminPass = { type: 'string' };
const unshelveWish = (properties: Readonly<Record<string, object>>, required: readonly string[] = []) =>
  actionBody('unshelve', { type: ['object', 'null'], properties, required, additionalProperties: false });
/** Anything at all. */
const free = {};

export const serverLifeCycleOperations = [
  op({
    id: 'nova.server.rebuild',
    method: 'POST',
    path: PATH,
    action: 'rebuild',
    summary: 'Rebuild a server from an image',
    policy: 'os_compute_api:servers:rebuild',
    answer: RebuiltServer,
    success: 202,
    body: rebuildServer,
    async handle(app, request) {
      const { rebuild } = request.body as { readonly rebuild: RebuildBody };
      const password = await app.serverRebuild.rebuild(request, serverId(request), rebuild, request.version);
      const row = await app.servers.get(request, serverId(request));
      const { version } = request;
      const all = version.atLeast('2.75');
      const [details] = await app.servers.details([row], { hostStatus: all, groups: version.atLeast('2.71') });
      // user data stands by its short name alone here
      const { 'OS-EXT-SRV-ATTR:user_data': _data, ...view } = serverView(request, details as NonNullable<typeof details>, { all, groups: true }) as Record<
        string,
        unknown
      >;
      const server = {
        ...view,
        ...(version.atLeast('2.54') ? { key_name: row.key_name } : {}),
        adminPass: password,
        ...(version.atLeast('2.57') ? { user_data: row.user_data } : {}),
      };
      return new Reply({ server }, { headers: { location: selfHref(request, 'servers', row.id) } });
    },
  }),
  op({
    id: 'nova.server.rescue',
    method: 'POST',
    path: PATH,
    action: 'rescue',
    summary: 'Start a server from a rescue image',
    policy: 'os_compute_api:os-rescue',
    answer: AdminPassword,
    body: actionBody('rescue', {
      type: ['object', 'null'],
      properties: { adminPass, rescue_image_ref: { type: 'string', format: 'uuid' } },
      additionalProperties: false,
    }),
    async handle(app, request) {
      const body = (request.body as { readonly rescue: RescueBody | null }).rescue ?? {};
      return { adminPass: await app.serverRescue.rescue(request, serverId(request), body, request.version) };
    },
  }),
  op({
    id: 'nova.server.unrescue',
    method: 'POST',
    path: PATH,
    action: 'unrescue',
    summary: "End a server's rescue",
    policy: 'os_compute_api:os-unrescue',
    answer: 'none',
    success: 202,
    body: actionBody('unrescue', free),
    handle: (app, request) => app.serverRescue.unrescue(request, serverId(request)),
  }),
  op({
    id: 'nova.server.shelve',
    method: 'POST',
    path: PATH,
    action: 'shelve',
    summary: 'Shelve a server',
    policy: 'os_compute_api:os-shelve:shelve',
    answer: 'none',
    success: 202,
    body: actionBody('shelve', free),
    handle: (app, request) => app.serverShelve.shelve(request, serverId(request)),
  }),
  op({
    id: 'nova.server.shelve_offload',
    method: 'POST',
    path: PATH,
    action: 'shelveOffload',
    summary: 'Take a shelved server off its host',
    policy: 'os_compute_api:os-shelve:shelve_offload',
    answer: 'none',
    success: 202,
    body: actionBody('shelveOffload', free),
    handle: (app, request) => app.serverShelve.offload(request, serverId(request)),
  }),
  op({
    id: 'nova.server.unshelve',
    method: 'POST',
    path: PATH,
    action: 'unshelve',
    summary: 'Bring a shelved server back',
    policy: 'os_compute_api:os-shelve:unshelve',
    answer: 'none',
    success: 202,
    body: [
      { from: '2.1', schema: actionBody('unshelve', free) },
      { from: '2.77', schema: unshelveWish({ availability_zone: name }, ['availability_zone']) },
      { from: '2.91', schema: unshelveWish({ availability_zone: { type: ['string', 'null'] }, host: { type: 'string' } }) },
    ],
    async handle(app, request) {
      const wish = (request.body as { readonly unshelve: { readonly availability_zone?: string | null; readonly host?: string } | null }).unshelve;
      await app.serverShelve.unshelve(request, serverId(request), {
        ...(request.version.atLeast('2.77') && wish?.availability_zone !== undefined ? { zone: wish.availability_zone } : {}),
        ...(request.version.atLeast('2.91') && wish?.host !== undefined ? { host: wish.host } : {}),
      });
    },
  }),
  op({
    id: 'nova.server.create_backup',
    method: 'POST',
    path: PATH,
    action: 'createBackup',
    summary: 'Back a server up',
    policy: 'os_compute_api:os-create-backup',
    answer: MadeImage,
    success: 202,
    body: actionBody(
      'createBackup',
      object({ name, backup_type: { type: 'string' }, rotation: nonNegativeInteger, metadata }, ['name', 'backup_type', 'rotation']),
    ),
    async handle(app, request) {
      const { createBackup } = request.body as { readonly createBackup: BackupBody };
      const imageId = await app.serverImages.backup(request, serverId(request), createBackup, request.version);
      if (request.version.atLeast('2.45')) return { image_id: imageId };
      if (Number(createBackup.rotation) === 0) return new Reply(undefined);
      return new Reply(undefined, { headers: { location: `${request.baseUrl.replace(/\/compute$/, '')}/image/images/${imageId}` } });
    },
  }),
  op({
    id: 'nova.server.change_password',
    method: 'POST',
    path: PATH,
    action: 'changePassword',
    summary: "Change a server's administrator password",
    policy: 'os_compute_api:os-admin-password',
    answer: 'none',
    success: 202,
    body: actionBody('changePassword', object({ adminPass }, ['adminPass'])),
    handle: (app, request) =>
      app.serverPassword.change(
        request,
        serverId(request),
        (request.body as { readonly changePassword: { readonly adminPass: string } }).changePassword.adminPass,
      ),
  }),
  op({
    id: 'nova.server.restore',
    method: 'POST',
    path: PATH,
    action: 'restore',
    summary: 'Restore a soft-deleted server',
    policy: 'os_compute_api:os-deferred-delete:restore',
    answer: 'none',
    success: 202,
    body: actionBody('restore', free),
    handle: (app, request) => app.serverSoftDelete.restore(request, serverId(request)),
  }),
];
