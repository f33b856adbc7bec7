import { ADMIN_RULES } from './commands-admin.ts';
import { SERVER_RULES } from './commands-servers.ts';
import { STORAGE_RULES } from './commands-storage.ts';
import { type Body, flag, inside, plain, type Rule } from './command-rules.ts';
import { NETWORK_COMMANDS } from './network-commands.ts';
import { addressOf, regionNow } from './region.ts';
import type { ServiceName } from './services.ts';

export interface CommandCall {
  readonly service: ServiceName;
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A word of a POSIX shell, quoted where it has to be, whatever is in it. */
export const quoted = (word: string): string => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`);

/** Fields that never go into a command that people copy. */
const SECRET = /^(admin_?pass|(original_)?password|passcode|secret|private_key)$/i;

const hidden = (value: unknown): unknown =>
  Array.isArray(value)
    ? value.map(hidden)
    : value !== null && typeof value === 'object'
      ? Object.fromEntries(Object.entries(value).map(([key, child]) => [key, SECRET.test(key) && typeof child === 'string' ? '***' : hidden(child)]))
      : value;

/** The call as curl makes it, with the token in a variable of the shell. */
export function curlOf(call: CommandCall, origin: string): string {
  const { 'content-type': type, 'openstack-api-version': version } = call.headers ?? {};
  return [
    'curl -sS',
    ...(call.method === 'GET' ? [] : [`-X ${call.method}`]),
    '-H "X-Auth-Token: $OS_TOKEN"',
    ...(version === undefined ? [] : [`-H ${quoted(`OpenStack-API-Version: ${version}`)}`]),
    ...(type === undefined ? [] : [`-H ${quoted(`Content-Type: ${type}`)}`]),
    ...(call.body === undefined ? [] : [`-d ${quoted(JSON.stringify(hidden(call.body)))}`]),
    quoted(addressOf(call.service, origin) + call.path),
  ].join(' ');
}

const SERVER = String.raw`/v2\.1/servers/([^/?]+)`;
const serverAction = (action: string, words: readonly string[]): Rule => ({
  service: 'compute',
  method: 'POST',
  path: new RegExp(`^${SERVER}/action$`),
  action,
  command: ([, id]) => [...words, id],
});
const RULES: readonly Rule[] = [
  ...ADMIN_RULES,
  ...NETWORK_COMMANDS,
  ...SERVER_RULES,
  ...STORAGE_RULES,
  ...plain('compute', String.raw`/v2\.1/servers`, ['server'], String.raw`/v2\.1/servers/detail`),
  ...plain('compute', String.raw`/v2\.1/flavors`, ['flavor'], String.raw`/v2\.1/flavors/detail`),
  ...plain('compute', String.raw`/v2\.1/os-keypairs`, ['keypair']),
  ...plain('volume', String.raw`/v3/volumes`, ['volume'], String.raw`/v3/volumes/detail`),
  ...plain('volume', String.raw`/v3/snapshots`, ['volume', 'snapshot'], String.raw`/v3/snapshots/detail`),
  ...plain('image', String.raw`/v2/images`, ['image']),
  serverAction('os-start', ['server', 'start']),
  serverAction('os-stop', ['server', 'stop']),
  serverAction('pause', ['server', 'pause']),
  serverAction('unpause', ['server', 'unpause']),
  serverAction('suspend', ['server', 'suspend']),
  serverAction('resume', ['server', 'resume']),
  serverAction('unlock', ['server', 'unlock']),
  serverAction('shelve', ['server', 'shelve']),
  serverAction('shelveOffload', ['server', 'shelve', '--offload']),
  serverAction('restore', ['server', 'restore']),
  serverAction('trigger_crash_dump', ['server', 'dump', 'create']),
  serverAction('unshelve', ['server', 'unshelve']),
  serverAction('unrescue', ['server', 'unrescue']),
  serverAction('confirmResize', ['server', 'resize', 'confirm']),
  serverAction('revertResize', ['server', 'resize', 'revert']),
  {
    service: 'compute',
    method: 'POST',
    path: new RegExp(`^${SERVER}/action$`),
    action: 'reboot',
    command: ([, id], body) => ['server', 'reboot', inside(body, 'reboot')['type'] === 'HARD' ? '--hard' : '--soft', id],
  },
  {
    service: 'compute',
    method: 'POST',
    path: new RegExp(`^${SERVER}/action$`),
    action: 'createImage',
    command: ([, id], body) => ['server', 'image', 'create', ...flag('--name', inside(body, 'createImage')['name']), id],
  },
  {
    service: 'compute',
    method: 'POST',
    path: new RegExp(`^${SERVER}/action$`),
    action: 'os-getConsoleOutput',
    command: ([, id], body) => ['console', 'log', 'show', ...flag('--lines', inside(body, 'os-getConsoleOutput')['length']), id],
  },
  { service: 'compute', method: 'GET', path: new RegExp(`^${SERVER}/os-instance-actions(\\?.*)?$`), command: ([, id]) => ['server', 'event', 'list', id] },
  {
    service: 'compute',
    method: 'GET',
    path: new RegExp(`^${SERVER}/os-instance-actions/([^/?]+)$`),
    command: ([, id, req]) => ['server', 'event', 'show', id, req],
  },
  {
    service: 'compute',
    method: 'POST',
    path: new RegExp(`^${SERVER}/remote-consoles$`),
    command: ([, id], body) => ['console', 'url', 'show', inside(body, 'remote_console')['protocol'] === 'serial' ? '--serial' : '--novnc', id],
  },
  { service: 'compute', method: 'POST', path: /^\/v2\.1\/servers$/, command: (_match, body) => serverCreateWords(body) },
  {
    service: 'compute',
    method: 'POST',
    path: /^\/v2\.1\/os-keypairs$/,
    command: (_match, body) => {
      const { name, public_key } = inside(body, 'keypair');
      return ['keypair', 'create', ...(public_key === undefined ? [] : ['--public-key', 'KEY.pub']), String(name)];
    },
  },
  {
    service: 'volume',
    method: 'POST',
    path: /^\/v3\/volumes$/,
    command: (_match, body) => {
      const volume = inside(body, 'volume');
      return [
        'volume',
        'create',
        ...flag('--size', volume['size']),
        ...flag('--image', volume['imageRef']),
        ...flag('--description', volume['description']),
        String(volume['name']),
      ];
    },
  },
];

/** The words after `openstack` for the body of POST /servers. */
function serverCreateWords(body: Body): readonly string[] {
  const server = inside(body, 'server');
  const networks = server['networks'];
  const disk = ((server['block_device_mapping_v2'] ?? []) as readonly Body[]).find(({ boot_index }) => boot_index === 0);
  const uuidOf = (type: string): unknown => (disk?.['source_type'] === type ? disk['uuid'] : undefined);
  const words = [
    'server',
    'create',
    ...flag('--image', server['imageRef'] ?? uuidOf('image')),
    ...flag('--snapshot', uuidOf('snapshot')),
    ...flag('--volume', uuidOf('volume')),
    ...flag('--flavor', server['flavorRef']),
  ];
  if (Array.isArray(networks))
    for (const { uuid, port } of networks as readonly { uuid?: string; port?: string }[]) words.push(...flag('--network', uuid), ...flag('--port', port));
  else if (typeof networks === 'string') words.push('--nic', networks);
  for (const { name } of (server['security_groups'] ?? []) as readonly { name: string }[]) words.push('--security-group', name);
  words.push(...flag('--key-name', server['key_name']));
  if (server['user_data'] !== undefined) words.push('--user-data', 'user-data.txt');
  words.push(...flag('--boot-from-volume', disk?.['volume_size']));
  for (const [key, value] of Object.entries((server['metadata'] ?? {}) as Body)) words.push('--property', `${key}=${String(value)}`);
  for (const tag of (server['tags'] ?? []) as readonly string[]) words.push('--tag', tag);
  words.push(...flag('--availability-zone', server['availability_zone']));
  const group = inside(body, 'os:scheduler_hints')['group'];
  if (group !== undefined) words.push('--hint', `group=${String(group)}`);
  const count = Number(server['max_count'] ?? 1);
  if (count > 1) words.push('--min', String(server['min_count'] ?? count), '--max', String(count));
  return [...words, String(server['name'] ?? '')];
}

/** The call as the openstack client makes it; undefined where no command stands for it. */
export function cliOf(call: CommandCall): string | undefined {
  const body = (call.body ?? {}) as Body;
  for (const rule of RULES) {
    if (rule.service !== call.service || rule.method !== call.method) continue;
    if (rule.action !== undefined && !(rule.action in body)) continue;
    const match = rule.path.exec(call.path);
    const words = match && rule.command(match, body);
    if (words) return ['openstack', ...flag('--os-region-name', regionNow()), ...words].map((word) => quoted(decode(String(word ?? '')))).join(' ');
  }
  return undefined;
}

const decode = (word: string): string => {
  try {
    return decodeURIComponent(word);
  } catch {
    return word;
  }
};
