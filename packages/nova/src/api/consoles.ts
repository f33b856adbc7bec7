import { gone, invalidInput, notFound } from '@cairn/kit/errors/errors';
import { ANYONE, AUTHENTICATED, Reply, type Request } from '@cairn/kit/http/operation';
import type { NovaApp } from '../app/app.ts';
import type { ConsoleProtocol } from '../app/consoles.ts';
import { novncFile, PAGE_HEADERS, VIEWER_PAGE, VIEWER_SCRIPT } from '../console/page.ts';
import { ConsoleFacts, OldConsole, RemoteConsole } from './answers/servers.ts';
import { op } from './op.ts';
import { actionBody, anyQuery, object } from './schemas/types.ts';

const POLICY = 'os_compute_api:os-remote-consoles';
const ACTION = '/v2.1/servers/{server_id}/action';

/** Where a pass leads: a page for a display, the stream itself for a serial line. */
async function urlOf(app: NovaApp, request: Request, protocol: ConsoleProtocol, type: string): Promise<string> {
  const token = await app.consoles.pass(request, request.params['server_id'] as string, protocol, type);
  const base = new URL(`${request.baseUrl}/`, app.deps.options.publicUrl ?? 'http://localhost');
  if (protocol === 'serial') {
    base.protocol = base.protocol === 'https:' ? 'wss:' : 'ws:';
    return `${base.href}console/serial?token=${token}`;
  }
  return `${base.href}console/vnc_auto.html?path=${encodeURIComponent(`${base.pathname.slice(1)}console/websockify?token=${token}`)}`;
}

/** The actions of before 2.6, one for each protocol. */
const oldConsole = (id: string, action: string, protocol: ConsoleProtocol, types: readonly string[], summary: string) =>
  op({
    id: `nova.server.${id}`,
    method: 'POST',
    path: ACTION,
    action,
    until: '2.5',
    summary,
    policy: POLICY,
    answer: OldConsole,
    body: actionBody(action, object({ type: { type: 'string', enum: types } }, ['type'])),
    async handle(app, request) {
      const { type } = (request.body as Readonly<Record<string, { readonly type: string }>>)[action] as { readonly type: string };
      return { console: { type, url: await urlOf(app, request, protocol, type) } };
    },
  });

const form = (protocols: readonly string[], types: readonly string[]) =>
  object({ remote_console: object({ protocol: { type: 'string', enum: protocols }, type: { type: 'string', enum: types } }, ['protocol', 'type']) }, [
    'remote_console',
  ]);
const PROTOCOLS = ['vnc', 'spice', 'serial', 'rdp'];
const TYPES = ['novnc', 'xvpvnc', 'spice-html5', 'serial', 'rdp-html5'];

const file = (type: string, text: string | undefined): Reply => {
  if (text === undefined) throw notFound('The resource could not be found.');
  return new Reply(text, { headers: { 'content-type': `${type}; charset=utf-8`, ...PAGE_HEADERS } });
};

export const consoleOperations = [
  oldConsole('vnc_console', 'os-getVNCConsole', 'vnc', ['novnc', 'xvpvnc'], "Open a server's display"),
  oldConsole('spice_console', 'os-getSPICEConsole', 'spice', ['spice-html5'], "Open a server's display by SPICE"),
  oldConsole('serial_console', 'os-getSerialConsole', 'serial', ['serial'], "Open a server's serial line"),
  op({
    id: 'nova.server.rdp_console',
    method: 'POST',
    path: ACTION,
    action: 'os-getRDPConsole',
    until: '2.5',
    summary: 'Removed: answers 410',
    policy: AUTHENTICATED,
    answer: 'none',
    handle: () => {
      throw gone('This resource is no longer available. No forwarding address is given.');
    },
  }),
  op({
    id: 'nova.remote_console.create',
    method: 'POST',
    path: '/v2.1/servers/{server_id}/remote-consoles',
    since: '2.6',
    summary: "Open a server's console",
    policy: POLICY,
    answer: RemoteConsole,
    body: [
      { from: '2.6', schema: form(PROTOCOLS, TYPES) },
      { from: '2.8', schema: form([...PROTOCOLS, 'mks'], [...TYPES, 'webmks']) },
      { from: '2.99', schema: form([...PROTOCOLS, 'mks'], [...TYPES, 'webmks', 'spice-direct']) },
    ],
    async handle(app, request) {
      const { protocol, type } = (request.body as { readonly remote_console: { readonly protocol: ConsoleProtocol; readonly type: string } }).remote_console;
      return { remote_console: { protocol, type, url: await urlOf(app, request, protocol, type) } };
    },
  }),
  op({
    id: 'nova.console_auth_token.show',
    method: 'GET',
    path: '/v2.1/os-console-auth-tokens/{token}',
    hidesPath: true,
    summary: 'Show what a console token opens',
    policy: 'os_compute_api:os-console-auth-tokens',
    answer: ConsoleFacts,
    query: [
      { from: '2.1', schema: anyQuery },
      { from: '2.99', schema: object({}) },
    ],
    async handle(app, request) {
      if (request.version.before('2.31'))
        throw invalidInput('The server could not comply with the request since it is either malformed or otherwise incorrect.');
      const { serverId, host } = await app.consoles.facts(request.params['token'] as string);
      // consoles are unix sockets of their hosts, and have no ports
      return { console: { instance_uuid: serverId, host, port: 0, internal_access_path: null } };
    },
  }),
  op({
    id: 'nova.console.page',
    method: 'GET',
    path: '/console/vnc_auto.html',
    summary: "The page that shows a server's display",
    policy: ANYONE,
    answer: 'stream',
    query: anyQuery,
    handle: () => file('text/html', VIEWER_PAGE),
  }),
  op({
    id: 'nova.console.script',
    method: 'GET',
    path: '/console/viewer.js',
    summary: "The script of a display's page",
    policy: ANYONE,
    answer: 'stream',
    query: anyQuery,
    handle: () => file('text/javascript', VIEWER_SCRIPT),
  }),
  op({
    id: 'nova.console.novnc',
    method: 'GET',
    path: '/console/novnc/{file*}',
    summary: 'The scripts of noVNC',
    policy: ANYONE,
    answer: 'stream',
    query: anyQuery,
    handle: async (_app, request) => file('text/javascript', await novncFile(request.params['file'] as string)),
  }),
];
