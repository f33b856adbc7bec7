import { type Body, flag, inside, plain, type Rule } from './command-rules.ts';

/** Calls of the pages for identity, for administrators and for access keys. */

const V3 = String.raw`/v3`;
const ID = '([^/?]+)';

const identity = (method: string, path: string, command: Rule['command']): Rule => ({
  service: 'identity',
  method,
  path: new RegExp(`^${V3}${path}$`),
  command,
});
const compute = (method: string, path: string, command: Rule['command'], action?: string): Rule => ({
  service: 'compute',
  method,
  path: new RegExp(String.raw`^/v2\.1${path}$`),
  command,
  ...(action !== undefined && { action }),
});

/** `--enable` or `--disable` for what the body says of `enabled`. */
const enabled = (body: Body): readonly string[] => (body['enabled'] === undefined ? [] : [body['enabled'] === true ? '--enable' : '--disable']);
/** An option without a value. */
const when = (name: string, value: unknown): readonly string[] => (value === true ? [name] : []);
/** `--property key=value` for each. */
const properties = (values: unknown): readonly string[] =>
  Object.entries((values ?? {}) as Record<string, unknown>).flatMap(([key, value]) => ['--property', `${key}=${String(value)}`]);

/** Making and changing one kind of identity's: `openstack project create`. */
const kept = (path: string, key: string, words: (body: Body) => readonly string[]): readonly Rule[] => [
  identity('POST', `/${path}`, (_match, body) => [key, 'create', ...words(inside(body, key)), String(inside(body, key)['name'])]),
  identity('PATCH', `/${path}/${ID}`, ([, id], body) => [key, 'set', ...flag('--name', inside(body, key)['name']), ...words(inside(body, key)), id]),
];

/** `role add`, `role remove`, whoever gets it where. */
const grants: readonly Rule[] = (['PUT', 'DELETE'] as const).flatMap((method) =>
  (['projects', 'domains', 'system'] as const).map((where) =>
    identity(method, where === 'system' ? `/system/(users|groups)/${ID}/roles/${ID}` : `/${where}/${ID}/(users|groups)/${ID}/roles/${ID}`, (match) => {
      const [target, kind, actor, role] = where === 'system' ? ['all', match[1], match[2], match[3]] : [match[1], match[2], match[3], match[4]];
      return ['role', method === 'PUT' ? 'add' : 'remove', `--${where.replace(/s$/, '')}`, target, kind === 'users' ? '--user' : '--group', actor, role];
    }),
  ),
);

const quotaWords = (body: Body, key: string): readonly string[] =>
  Object.entries(inside(body, key)).flatMap(([name, value]) => [`--${QUOTA_NAMES[name] ?? name.replaceAll('_', '-')}`, String(value)]);
/** Names of quotas that the command spells in another way. */
const QUOTA_NAMES: Readonly<Record<string, string>> = {
  metadata_items: 'properties',
  key_pairs: 'key-pairs',
  floatingip: 'floating-ips',
  security_group: 'secgroups',
  security_group_rule: 'secgroup-rules',
  network: 'networks',
  subnet: 'subnets',
  port: 'ports',
  router: 'routers',
  backup_gigabytes: 'backup-gigabytes',
};

export const ADMIN_RULES: readonly Rule[] = [
  ...(['domains', 'projects', 'users', 'groups', 'roles', 'regions', 'services', 'endpoints'] as const).flatMap((path) =>
    plain('identity', `${V3}/${path}`, [path.replace(/s$/, '')]),
  ),
  ...kept('domains', 'domain', (body) => [...flag('--description', body['description']), ...enabled(body)]),
  ...kept('projects', 'project', (body) => [...flag('--domain', body['domain_id']), ...flag('--description', body['description']), ...enabled(body)]),
  ...kept('users', 'user', (body) => [
    ...flag('--domain', body['domain_id']),
    ...flag('--email', body['email']),
    ...flag('--description', body['description']),
    ...when('--password-prompt', body['password'] !== undefined),
    ...enabled(body),
  ]),
  identity('POST', `/users/${ID}/password`, () => ['user', 'password', 'set']),
  ...kept('groups', 'group', (body) => [...flag('--domain', body['domain_id']), ...flag('--description', body['description'])]),
  ...kept('roles', 'role', (body) => [...flag('--domain', body['domain_id']), ...flag('--description', body['description'])]),
  identity('GET', `/groups/${ID}/users`, ([, id]) => ['user', 'list', '--group', id]),
  identity('PUT', `/groups/${ID}/users/${ID}`, ([, group, user]) => ['group', 'add', 'user', group, user]),
  identity('DELETE', `/groups/${ID}/users/${ID}`, ([, group, user]) => ['group', 'remove', 'user', group, user]),
  identity('GET', String.raw`/role_assignments(?:\?(.*))?`, ([, query]) => assignmentWords(query ?? '')),
  ...grants,
  identity('GET', '/auth/catalog', () => ['catalog', 'list']),
  identity('GET', `/users/${ID}/application_credentials`, () => ['application', 'credential', 'list']),
  identity('DELETE', `/users/${ID}/application_credentials/${ID}`, ([, , id]) => ['application', 'credential', 'delete', id]),
  identity('POST', `/users/${ID}/application_credentials`, (_match, body) => {
    const wanted = inside(body, 'application_credential');
    return [
      ...['application', 'credential', 'create'],
      ...((wanted['roles'] ?? []) as readonly { name: string }[]).flatMap(({ name }) => ['--role', name]),
      ...flag('--expiration', wanted['expires_at']),
      ...flag('--description', wanted['description']),
      ...when('--unrestricted', wanted['unrestricted']),
      ...flag('--access-rules', wanted['access_rules'] === undefined ? undefined : JSON.stringify(wanted['access_rules'])),
      String(wanted['name']),
    ];
  }),
  identity('GET', `/users/${ID}/credentials/OS-EC2`, () => ['ec2', 'credentials', 'list']),
  identity('POST', `/users/${ID}/credentials/OS-EC2`, (_match, body) => ['ec2', 'credentials', 'create', ...flag('--project', body['tenant_id'])]),
  identity('DELETE', `/users/${ID}/credentials/OS-EC2/${ID}`, ([, , access]) => ['ec2', 'credentials', 'delete', access]),

  compute('GET', String.raw`/limits(\?.*)?`, () => ['limits', 'show', '--absolute']),
  { service: 'volume', method: 'GET', path: /^\/v3\/limits$/, command: () => ['limits', 'show', '--absolute'] },
  { service: 'network', method: 'GET', path: /^\/v2\.0\/quotas\/([^/]+)\/details\.json$/, command: ([, id]) => ['quota', 'show', '--network', '--usage', id] },
  compute('GET', `/os-quota-sets/${ID}`, ([, id]) => ['quota', 'show', '--compute', id]),
  { service: 'volume', method: 'GET', path: /^\/v3\/os-quota-sets\/([^/?]+)$/, command: ([, id]) => ['quota', 'show', '--volume', id] },
  { service: 'network', method: 'GET', path: /^\/v2\.0\/quotas\/([^/?]+)$/, command: ([, id]) => ['quota', 'show', '--network', id] },
  compute('PUT', `/os-quota-sets/${ID}`, ([, id], body) => ['quota', 'set', ...quotaWords(body, 'quota_set'), id]),
  {
    service: 'volume',
    method: 'PUT',
    path: /^\/v3\/os-quota-sets\/([^/?]+)$/,
    command: ([, id], body) => ['quota', 'set', ...quotaWords(body, 'quota_set'), id],
  },
  {
    service: 'network',
    method: 'PUT',
    path: /^\/v2\.0\/quotas\/([^/?]+)$/,
    command: ([, id], body) => ['quota', 'set', ...quotaWords(body, 'quota'), id],
  },

  compute('POST', '/flavors', (_match, body) => {
    const flavor = inside(body, 'flavor');
    return [
      ...['flavor', 'create', '--vcpus', String(flavor['vcpus']), '--ram', String(flavor['ram']), '--disk', String(flavor['disk'])],
      ...flag('--ephemeral', flavor['OS-FLV-EXT-DATA:ephemeral']),
      ...flag('--swap', flavor['swap']),
      ...(flavor['os-flavor-access:is_public'] === false ? ['--private'] : []),
      ...flag('--description', flavor['description']),
      String(flavor['name']),
    ];
  }),
  compute('POST', `/flavors/${ID}/os-extra_specs`, ([, id], body) => ['flavor', 'set', ...properties(body['extra_specs']), id]),
  compute('DELETE', `/flavors/${ID}/os-extra_specs/${ID}`, ([, id, key]) => ['flavor', 'unset', '--property', key, id]),
  compute('GET', `/flavors/${ID}/os-flavor-access`, ([, id]) => ['flavor', 'show', id]),
  compute(
    'POST',
    `/flavors/${ID}/action`,
    ([, id], body) => ['flavor', 'set', '--project', String(inside(body, 'addTenantAccess')['tenant']), id],
    'addTenantAccess',
  ),
  compute(
    'POST',
    `/flavors/${ID}/action`,
    ([, id], body) => ['flavor', 'unset', '--project', String(inside(body, 'removeTenantAccess')['tenant']), id],
    'removeTenantAccess',
  ),
  ...plain('compute', String.raw`/v2\.1/os-aggregates`, ['aggregate']),
  compute('PUT', `/os-aggregates/${ID}`, ([, id], body) => {
    const aggregate = inside(body, 'aggregate');
    return ['aggregate', 'set', ...flag('--name', aggregate['name']), ...flag('--zone', aggregate['availability_zone']), id];
  }),
  compute('POST', '/os-aggregates', (_match, body) => {
    const aggregate = inside(body, 'aggregate');
    return ['aggregate', 'create', ...flag('--zone', aggregate['availability_zone']), String(aggregate['name'])];
  }),
  compute('POST', `/os-aggregates/${ID}/action`, ([, id], body) => ['aggregate', 'add', 'host', id, String(inside(body, 'add_host')['host'])], 'add_host'),
  compute(
    'POST',
    `/os-aggregates/${ID}/action`,
    ([, id], body) => ['aggregate', 'remove', 'host', id, String(inside(body, 'remove_host')['host'])],
    'remove_host',
  ),
  compute(
    'POST',
    `/os-aggregates/${ID}/action`,
    ([, id], body) => ['aggregate', 'set', ...properties(inside(body, 'set_metadata')['metadata']), id],
    'set_metadata',
  ),
  compute('GET', String.raw`/os-availability-zone(/detail)?`, () => ['availability', 'zone', 'list']),
  compute('GET', String.raw`/os-hypervisors/detail(\?.*)?`, () => ['hypervisor', 'list', '--long']),
  compute('GET', `/os-hypervisors/${ID}`, ([, id]) => ['hypervisor', 'show', id]),
  compute('GET', String.raw`/os-services(\?.*)?`, () => ['compute', 'service', 'list']),
  compute('PUT', `/os-services/${ID}`, (_match, body) => [
    ...['compute', 'service', 'set', body['status'] === 'disabled' ? '--disable' : '--enable'],
    ...flag('--disable-reason', body['disabled_reason']),
    'HOST',
    'nova-compute',
  ]),
  compute('GET', String.raw`/os-migrations(\?.*)?`, () => ['server', 'migration', 'list']),
  compute('POST', `/servers/${ID}/action`, ([, id]) => ['server', 'migrate', '--live-migration', id], 'os-migrateLive'),
  compute('POST', `/servers/${ID}/action`, ([, id]) => ['server', 'migrate', id], 'migrate'),
  { service: 'volume', method: 'GET', path: /^\/v3\/os-services$/, command: () => ['volume', 'service', 'list'] },
  { service: 'network', method: 'GET', path: /^\/v2\.0\/agents$/, command: () => ['network', 'agent', 'list'] },
  ...plain('volume', String.raw`/v3/types`, ['volume', 'type']),
  {
    service: 'volume',
    method: 'POST',
    path: /^\/v3\/types$/,
    command: (_match, body) => {
      const type = inside(body, 'volume_type');
      return [
        ...['volume', 'type', 'create', type['os-volume-type-access:is_public'] === false ? '--private' : '--public'],
        ...flag('--description', type['description']),
        ...properties(type['extra_specs']),
        String(type['name']),
      ];
    },
  },
  ...plain('volume', String.raw`/v3/qos-specs`, ['volume', 'qos']),
  {
    service: 'volume',
    method: 'POST',
    path: /^\/v3\/qos-specs$/,
    command: (_match, body) => {
      const { name, consumer, ...specs } = inside(body, 'qos_specs');
      return ['volume', 'qos', 'create', ...flag('--consumer', consumer), ...properties(specs), String(name)];
    },
  },
  {
    service: 'volume',
    method: 'GET',
    path: /^\/v3\/qos-specs\/([^/]+)\/(associate|disassociate)\?vol_type_id=(.+)$/,
    command: ([, id, verb, type]) => ['volume', 'qos', verb, id, type],
  },
  { service: 'image', method: 'GET', path: /^\/v2\/metadefs\/namespaces(\?.*)?$/, command: () => ['image', 'metadef', 'namespace', 'list'] },
];

function assignmentWords(query: string): readonly string[] {
  const asked = new URLSearchParams(query);
  const option = (name: string, key: string): readonly string[] => flag(`--${name}`, asked.get(key));
  return [
    ...['role', 'assignment', 'list', '--names'],
    ...option('user', 'user.id'),
    ...option('group', 'group.id'),
    ...option('role', 'role.id'),
    ...option('project', 'scope.project.id'),
    ...option('domain', 'scope.domain.id'),
    ...option('system', 'scope.system'),
  ];
}
