import { type Body, flag, inside, plain, type Rule } from './command-rules.ts';
import type { ServiceName } from './services.ts';

/** Calls of the pages for volumes, their copies, images and server groups. */

const ID = '([^/?]+)';
const rule = (service: ServiceName, method: string, path: string, command: Rule['command'], action?: string): Rule => ({
  service,
  method,
  path: new RegExp(`^${path}$`),
  command,
  ...(action !== undefined && { action }),
});
const volume = (method: string, path: string, command: Rule['command'], action?: string): Rule =>
  rule('volume', method, String.raw`/v3/${path}`, command, action);
const image = (method: string, path: string, command: Rule['command']): Rule => rule('image', method, String.raw`/v2/images${path}`, command);
/** One action of a volume. */
const act = (action: string, words: (id: string | undefined, asked: Body) => readonly (string | undefined)[]): Rule =>
  volume('POST', `volumes/${ID}/action`, ([, id], body) => words(id, inside(body, action)), action);

const when = (option: string, is: unknown): readonly string[] => (is === true ? [option] : []);
const named = (body: Body): readonly string[] => [...flag('--name', body['name']), ...flag('--description', body['description'])];
const properties = (values: unknown): readonly string[] =>
  Object.entries((values ?? {}) as Body).flatMap(([key, value]) => ['--property', `${key}=${String(value)}`]);

/** The changes of an image, as `image set` and `image unset` have them: one command where all are of one kind, or else what is set. */
function imageWords(changes: unknown, id: string | undefined): readonly (string | undefined)[] {
  const list = Array.isArray(changes) ? (changes as readonly { readonly op: string; readonly path: string; readonly value?: unknown }[]) : [];
  const nameOf = (path: string): string => path.slice(1).replaceAll('~1', '/').replaceAll('~0', '~');
  const set = list.filter(({ op }) => op !== 'remove');
  if (set.length === 0) return ['image', 'unset', ...list.flatMap(({ path }) => ['--property', nameOf(path)]), id];
  return [
    ...['image', 'set'],
    ...set.flatMap(({ path, value }) => {
      const name = nameOf(path);
      if (name === 'tags') return (value as readonly string[]).flatMap((tag) => ['--tag', tag]);
      if (name === 'protected') return [value === true ? '--protected' : '--unprotected'];
      if (name === 'os_hidden') return [value === true ? '--hidden' : '--unhidden'];
      if (name === 'visibility') return [`--${String(value)}`];
      if (name === 'name') return ['--name', String(value)];
      if (name === 'min_disk' || name === 'min_ram') return [`--${name.replace('_', '-')}`, String(value)];
      return ['--property', `${name}=${String(value)}`];
    }),
    id,
  ];
}

export const STORAGE_RULES: readonly Rule[] = [
  act('os-extend', (id, { new_size }) => ['volume', 'set', ...flag('--size', new_size), id]),
  act('os-retype', (id, { new_type, migration_policy }) => [
    ...['volume', 'set', ...flag('--type', new_type)],
    ...flag('--retype-policy', migration_policy),
    id,
  ]),
  act('os-set_bootable', (id, { bootable }) => ['volume', 'set', bootable === true ? '--bootable' : '--non-bootable', id]),
  act('os-update_readonly_flag', (id, { readonly }) => ['volume', 'set', readonly === true ? '--read-only' : '--read-write', id]),
  act('revert', (_id, { snapshot_id }) => ['volume', 'revert', String(snapshot_id)]),
  act('os-volume_upload_image', (id, { image_name, disk_format, force }) => [
    ...['image', 'create', '--volume', id],
    ...flag('--disk-format', disk_format),
    ...when('--force', force),
    String(image_name),
  ]),
  volume('PUT', `volumes/${ID}`, ([, id], body) => ['volume', 'set', ...named(inside(body, 'volume')), id]),
  volume('PUT', `volumes/${ID}/metadata`, ([, id], body) => ['volume', 'set', '--no-property', ...properties(inside(body, 'metadata')), id]),

  volume('POST', 'snapshots', (_match, body) => {
    const { volume_id, name, description, force, metadata } = inside(body, 'snapshot');
    return [
      ...['volume', 'snapshot', 'create', ...flag('--volume', volume_id)],
      ...flag('--description', description),
      ...when('--force', force),
      ...properties(metadata),
      String(name),
    ];
  }),
  volume('PUT', `snapshots/${ID}`, ([, id], body) => ['volume', 'snapshot', 'set', ...named(inside(body, 'snapshot')), id]),
  volume('PUT', `snapshots/${ID}/metadata`, ([, id], body) => ['volume', 'snapshot', 'set', '--no-property', ...properties(inside(body, 'metadata')), id]),

  ...plain('volume', String.raw`/v3/backups`, ['volume', 'backup'], String.raw`/v3/backups/detail`),
  volume('POST', 'backups', (_match, body) => {
    const backup = inside(body, 'backup');
    return [
      ...['volume', 'backup', 'create', ...named(backup)],
      ...when('--incremental', backup['incremental']),
      ...when('--force', backup['force']),
      ...flag('--snapshot', backup['snapshot_id']),
      String(backup['volume_id']),
    ];
  }),
  volume('PUT', `backups/${ID}`, ([, id], body) => ['volume', 'backup', 'set', ...named(inside(body, 'backup')), id]),
  volume('POST', `backups/${ID}/restore`, ([, id], body) => {
    const { volume_id, name } = inside(body, 'restore');
    return ['volume', 'backup', 'restore', id, ...(volume_id === undefined && name === undefined ? [] : [String(volume_id ?? name)])];
  }),

  ...plain('volume', String.raw`/v3/volume-transfers`, ['volume', 'transfer', 'request'], String.raw`/v3/volume-transfers/detail`),
  volume('POST', 'volume-transfers', (_match, body) => {
    const { name, volume_id } = inside(body, 'transfer');
    return ['volume', 'transfer', 'request', 'create', ...flag('--name', name), String(volume_id)];
  }),
  // the key is whoever accepts's own to keep
  volume('POST', `volume-transfers/${ID}/accept`, ([, id]) => ['volume', 'transfer', 'request', 'accept', '--auth-key', 'KEY', id]),

  ...plain('volume', String.raw`/v3/groups`, ['volume', 'group'], String.raw`/v3/groups/detail`),
  volume('POST', 'groups', (_match, body) => {
    const group = inside(body, 'group');
    return [
      ...['volume', 'group', 'create', ...flag('--volume-group-type', group['group_type'])],
      ...((group['volume_types'] ?? []) as readonly string[]).flatMap((type) => ['--volume-type', type]),
      ...flag('--description', group['description']),
      ...flag('--name', group['name']),
    ];
  }),
  volume('PUT', `groups/${ID}`, ([, id], body) => {
    const group = inside(body, 'group');
    // which volumes are in it, no command of this client says
    return group['add_volumes'] || group['remove_volumes'] ? undefined : ['volume', 'group', 'set', ...named(group), id];
  }),
  volume(
    'POST',
    `groups/${ID}/action`,
    ([, id], body) => ['volume', 'group', 'delete', ...when('--force', inside(body, 'delete')['delete-volumes']), id],
    'delete',
  ),
  ...plain('volume', String.raw`/v3/group_types`, ['volume', 'group', 'type']),
  volume('POST', 'group_types', (_match, body) => {
    const { name, description, group_specs } = inside(body, 'group_type');
    // the client sets properties of a type that is there
    return group_specs === undefined ? ['volume', 'group', 'type', 'create', ...flag('--description', description), String(name)] : undefined;
  }),

  image('POST', '', (_match, body) => [
    ...['image', 'create'],
    ...flag('--disk-format', body['disk_format']),
    ...flag('--container-format', body['container_format']),
    ...(body['visibility'] === undefined ? [] : [`--${String(body['visibility'])}`]),
    ...when('--protected', body['protected']),
    String(body['name']),
  ]),
  image('PATCH', `/${ID}`, ([, id], body) => imageWords(body, id)),
  image('GET', `/${ID}/file`, ([, id]) => ['image', 'save', '--file', 'FILE', id]),
  image('POST', `/${ID}/import`, ([, id], body) => {
    const { name, uri } = inside(body, 'method');
    return ['image', 'import', ...flag('--method', name), ...flag('--uri', uri), id];
  }),
  image('POST', `/${ID}/actions/(de|re)activate`, ([, id, way]) => ['image', 'set', way === 'de' ? '--deactivate' : '--activate', id]),
  image('GET', `/${ID}/tasks`, ([, id]) => ['image', 'task', 'list', '--image', id]),
  image('GET', `/${ID}/members`, ([, id]) => ['image', 'member', 'list', id]),
  image('POST', `/${ID}/members`, ([, id], body) => ['image', 'add', 'project', id, String(body['member'])]),
  image('DELETE', `/${ID}/members/${ID}`, ([, id, project]) => ['image', 'remove', 'project', id, project]),
  image('PUT', `/${ID}/members/${ID}`, ([, id, project], body) => [
    ...['image', 'set', body['status'] === 'accepted' ? '--accept' : '--reject'],
    ...['--project', project],
    id,
  ]),

  ...plain('compute', String.raw`/v2\.1/os-server-groups`, ['server', 'group']),
  rule('compute', 'POST', String.raw`/v2\.1/os-server-groups`, (_match, body) => {
    const { name, policy, rules } = inside(body, 'server_group');
    const most = ((rules ?? {}) as Body)['max_server_per_host'];
    return [
      ...['server', 'group', 'create', ...flag('--policy', policy)],
      ...(most === undefined ? [] : ['--rule', `max_server_per_host=${String(most)}`]),
      String(name),
    ];
  }),
];
