import { type Body, flag, inside, type Rule } from './command-rules.ts';

const SERVER = String.raw`/v2\.1/servers/([^/?]+)`;
type Words = (id: string, asked: Body, body: Body) => readonly (string | undefined)[];

const action = (name: string, words: Words): Rule => ({
  service: 'compute',
  method: 'POST',
  path: new RegExp(`^${SERVER}/action$`),
  action: name,
  command: ([, id = ''], body) => words(id, inside(body, name), body),
});
const call = (method: string, rest: string, command: Rule['command']): Rule => ({
  service: 'compute',
  method,
  path: new RegExp(`^${SERVER}${rest}$`),
  command,
});

/** What is done to one server and takes words of its own. */
export const SERVER_RULES: readonly Rule[] = [
  action('resize', (id, { flavorRef }) => ['server', 'resize', ...flag('--flavor', flavorRef), id]),
  action('rebuild', (id, { imageRef, key_name }) => [
    ...['server', 'rebuild', ...flag('--image', imageRef), ...flag('--key-name', key_name)],
    ...(key_name === null ? ['--no-key-name'] : []),
    id,
  ]),
  action('rescue', (id, { rescue_image_ref }) => ['server', 'rescue', ...flag('--image', rescue_image_ref), id]),
  action('createBackup', (id, { name, backup_type, rotation }) => [
    ...['server', 'backup', 'create', ...flag('--name', name), ...flag('--type', backup_type), ...flag('--rotate', rotation)],
    id,
  ]),
  action('lock', (id, { locked_reason }) => ['server', 'lock', ...flag('--reason', locked_reason), id]),
  action('migrate', (id, { host }) => ['server', 'migrate', ...flag('--host', host), id]),
  action('os-migrateLive', (id, { host }) => ['server', 'migrate', '--live-migration', ...flag('--host', host), id]),
  action('evacuate', (id, { host }) => ['server', 'evacuate', ...flag('--host', host), id]),
  action('os-resetState', (id, { state }) => ['server', 'set', ...flag('--state', state), id]),
  action('changePassword', (id) => ['server', 'set', '--password', '***', id]),
  action('addSecurityGroup', (id, { name }) => ['server', 'add', 'security', 'group', id, String(name)]),
  action('removeSecurityGroup', (id, { name }) => ['server', 'remove', 'security', 'group', id, String(name)]),
  call('PUT', '', ([, id], body) => {
    const { name, description } = inside(body, 'server');
    return ['server', 'set', ...flag('--name', name), ...flag('--description', description), id];
  }),
  call('PUT', '/metadata', ([, id], body) => [
    ...['server', 'set', ...Object.entries(inside(body, 'metadata')).flatMap(([key, value]) => ['--property', `${key}=${String(value)}`])],
    id,
  ]),
  call('PUT', '/tags', ([, id], body) => ['server', 'set', ...((body['tags'] ?? []) as readonly string[]).flatMap((tag) => ['--tag', tag]), id]),
  call('GET', '/os-volume_attachments', ([, id]) => ['server', 'volume', 'list', id]),
  call('POST', '/os-volume_attachments', ([, id], body) => {
    const { volumeId, delete_on_termination } = inside(body, 'volumeAttachment');
    return ['server', 'add', 'volume', ...(delete_on_termination === true ? ['--enable-delete-on-termination'] : []), id, String(volumeId)];
  }),
  call('DELETE', '/os-volume_attachments/([^/?]+)', ([, id, volume]) => ['server', 'remove', 'volume', id, volume]),
  call('GET', '/os-interface', ([, id]) => ['port', 'list', '--server', id]),
  call('POST', '/os-interface', ([, id], body) => {
    const { net_id, port_id, fixed_ips } = inside(body, 'interfaceAttachment');
    if (port_id !== undefined) return ['server', 'add', 'port', id, String(port_id)];
    const [fixed] = (fixed_ips ?? []) as readonly { readonly ip_address: string }[];
    return fixed === undefined
      ? ['server', 'add', 'network', id, String(net_id)]
      : ['server', 'add', 'fixed', 'ip', '--fixed-ip-address', fixed.ip_address, id, String(net_id)];
  }),
  call('DELETE', '/os-interface/([^/?]+)', ([, id, port]) => ['server', 'remove', 'port', id, port]),
  call('GET', '/migrations', ([, id]) => ['server', 'migration', 'list', '--server', id]),
  call('DELETE', '/migrations/([^/?]+)', ([, id, migration]) => ['server', 'migration', 'abort', id, migration]),
  call('GET', '/diagnostics', ([, id]) => ['server', 'show', '--diagnostics', id]),
];
