import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { rankOf } from '@cairn/kit/http/microversion';
import { type Answer, TestCloud } from '../support/cloud.ts';

/*
 * What cinder answers at which microversion. Upstream has no schemas of answers, so its views (cinder/api/views, cinder/api/v3/views, and what the controllers
 * add) stand here as names and the microversion of each: an answer has those of its microversion and no others, on both sides of every change.
 */
const MAX = '3.71';
let cloud: TestCloud;
const ids = new Map<string, string>();
const id = (name: string): string => {
  const found = ids.get(name);
  assert.ok(found, `there is no ${name}`);
  return found;
};
const call = (method: string, path: string, body?: unknown, version = MAX): Promise<Answer> =>
  cloud.call(method, `/volume/v3${path}`, body, { headers: { 'openstack-api-version': `volume ${version}` } });
const ok = async (...given: Parameters<typeof call>): Promise<Answer['body']> => {
  const answer = await call(...given);
  assert.ok(answer.status < 300, `${given[0]} ${given[1]} at ${given[3] ?? MAX}: ${answer.status} ${JSON.stringify(answer.body)}`);
  return answer.body;
};
const settled = (path: string, kind: string, ...wanted: readonly string[]): Promise<void> =>
  cloud.until(
    `${path}: ${wanted.join()}`,
    async () => {
      const { status } = (await ok('GET', path))[kind];
      assert.ok(status !== 'error' || wanted.includes('error'), `${path} is in error`);
      return wanted.includes(status);
    },
    120_000,
  );
const SERVER = '11111111-1111-4111-8111-111111111111';

before(async () => {
  cloud = await TestCloud.start();
  const { projects } = await cloud.ok('GET', '/identity/v3/auth/projects');
  ids.set('project', projects[0].id);
  const [image] = (await cloud.ok('GET', '/image/v2/images')).images;
  const make = async (name: string, path: string, kind: string, body: object, ...wanted: readonly string[]): Promise<void> => {
    const made = (await ok('POST', path, body))[kind];
    ids.set(name, made.id);
    if (wanted.length > 0) await settled(`${path}/${made.id}`, kind, ...wanted);
  };
  await make('type', '/types', 'volume_type', { volume_type: { name: 't' } });
  await make('private', '/types', 'volume_type', { volume_type: { name: 'p', 'os-volume-type-access:is_public': false } });
  await make('impossible', '/types', 'volume_type', { volume_type: { name: 'i', extra_specs: { volume_backend_name: 'nowhere' } } });
  await ok('POST', `/types/${id('private')}/action`, { addProjectAccess: { project: id('project') } });
  await ok('POST', `/types/${id('private')}/encryption`, {
    encryption: { provider: 'luks', control_location: 'front-end', cipher: 'aes-xts-plain64', key_size: 256 },
  });
  await ok('PUT', `/default-types/${id('project')}`, { default_type: { volume_type: 't' } });
  await make('qos', '/qos-specs', 'qos_specs', { qos_specs: { name: 'q', consumer: 'back-end', k: 'v' } });
  await ok('GET', `/qos-specs/${id('qos')}/associate?vol_type_id=${id('type')}`);
  await make('group type', '/group_types', 'group_type', { group_type: { name: 'gt' } });
  await make('group', '/groups', 'group', { group: { name: 'g', group_type: id('group type'), volume_types: [id('type')] } }, 'available');
  await make('volume', '/volumes', 'volume', { volume: { size: 1, name: 'v', metadata: { k: 'v' }, imageRef: image.id, volume_type: 't' } }, 'available');
  await make('member', '/volumes', 'volume', { volume: { size: 1, group_id: id('group'), volume_type: 't' } }, 'available');
  await make('given', '/volumes', 'volume', { volume: { size: 1 } }, 'available');
  await make('lost', '/volumes', 'volume', { volume: { size: 1, volume_type: 'i' } }, 'error');
  await make('snapshot', '/snapshots', 'snapshot', { snapshot: { volume_id: id('volume'), metadata: { k: 'v' } } }, 'available');
  await make('group snapshot', '/group_snapshots', 'group_snapshot', { group_snapshot: { group_id: id('group'), name: 's' } }, 'available');
  await make('backup', '/backups', 'backup', { backup: { volume_id: id('volume'), name: 'b' } }, 'available');
  await make('transfer', '/volume-transfers', 'transfer', { transfer: { volume_id: id('given'), name: 't' } });
  await make('attachment', '/attachments', 'attachment', { attachment: { volume_uuid: id('volume'), instance_uuid: SERVER, connector: { host: 'h' } } });
  await ok('POST', `/attachments/${id('attachment')}/action`, { 'os-complete': {} });
  ids.set('message', (await ok('GET', '/messages')).messages[0].id);
});
after(() => cloud.stop());

/** Names of an object by the microversion that brought them. */
type Names = Readonly<Record<string, readonly string[]>>;
const names = (base: string, more: Readonly<Record<string, string>> = {}): Names => ({
  '3.0': base.split(' '),
  ...Object.fromEntries(Object.entries(more).map(([since, text]) => [since, text.split(' ')])),
});

const VOLUME = names(
  `id status size availability_zone created_at updated_at name description volume_type snapshot_id source_volid metadata links user_id bootable encrypted
   replication_status consistencygroup_id multiattach attachments migration_status`.replace(/\s+/g, ' '),
  {
    '3.13': 'group_id',
    '3.21': 'provider_id',
    '3.48': 'shared_targets service_uuid',
    '3.61': 'cluster_name',
    '3.63': 'volume_type_id',
    '3.65': 'consumes_quota',
  },
);
const SHOWN_VOLUME: Names = {
  ...VOLUME,
  '3.0': [
    ...(VOLUME['3.0'] ?? []),
    'volume_image_metadata',
    'os-vol-host-attr:host',
    'os-vol-tenant-attr:tenant_id',
    'os-vol-mig-status-attr:migstat',
    'os-vol-mig-status-attr:name_id',
  ],
};
const BRIEF_SNAPSHOT = names('id created_at updated_at name description volume_id status size metadata');
const MADE_SNAPSHOT: Names = { ...BRIEF_SNAPSHOT, '3.14': ['group_snapshot_id'], '3.41': ['user_id'], '3.65': ['consumes_quota'] };
const SNAPSHOT: Names = {
  ...MADE_SNAPSHOT,
  '3.0': [...(BRIEF_SNAPSHOT['3.0'] ?? []), 'os-extended-snapshot-attributes:project_id', 'os-extended-snapshot-attributes:progress'],
};
const BACKUP = names(
  `id status size object_count availability_zone container created_at updated_at name description fail_reason volume_id links is_incremental
   has_dependent_backups snapshot_id data_timestamp`.replace(/\s+/g, ' '),
  { '3.18': 'os-backup-project-attr:project_id', '3.43': 'metadata', '3.56': 'user_id' },
);
const GROUP = names('id status availability_zone created_at name description group_type volume_types', {
  '3.14': 'group_snapshot_id source_group_id',
  '3.38': 'replication_status',
  '3.58': 'project_id',
});
const GROUP_SNAPSHOT = names('id group_id group_type_id status created_at name description', { '3.58': 'project_id' });
const ATTACHMENT = names('id status instance volume_id');
const SHOWN_ATTACHMENT = names('id status instance volume_id attached_at detached_at attach_mode connection_info');
const TRANSFER = names('id created_at name volume_id links');
const MODERN = { '3.55': ['no_snapshots'], '3.57': ['destination_project_id', 'source_project_id', 'accepted'] };
const MESSAGE = names('id event_id user_message message_level created_at guaranteed_until request_id links resource_type resource_uuid');
const TYPE = names('id name is_public description extra_specs qos_specs_id os-volume-type-access:is_public');
/** What makes and changes types knows less of them (cinder/api/contrib/types_manage.py). */
const CHANGED_TYPE = names('id name is_public description extra_specs');
const MADE_TYPE = names('id name is_public description extra_specs os-volume-type-access:is_public');
const GROUP_TYPE = names('id name description is_public group_specs');
const SERVICE = names('binary host zone status state updated_at disabled_reason', { '3.7': 'cluster' });
const VOLUME_SERVICE: Names = {
  ...SERVICE,
  '3.0': [...(SERVICE['3.0'] ?? []), 'replication_status', 'active_backend_id', 'frozen'],
  '3.49': ['backend_state'],
};
const QUOTAS = 'volumes snapshots gigabytes per_volume_gigabytes backups backup_gigabytes groups'.split(' ');

interface Read {
  readonly path: () => string;
  readonly since?: string;
  /** The first microversion that is looked at, where the call is older. */
  readonly from?: string;
  /** The object whose names count, within the answer. */
  pick(body: Answer['body']): unknown;
  readonly has: Names;
  /** Further names that depend on what the cloud has. */
  readonly free?: RegExp;
}
const at =
  (path: string): (() => string) =>
  () =>
    path;
const of =
  (path: string, name: string): (() => string) =>
  () =>
    `${path}/${id(name)}`;
const whole = (body: unknown): unknown => body;
const own =
  (field: string, name: string) =>
  (body: Answer['body']): unknown =>
    body[field].find((one: { id: string }) => one.id === id(name));

const READS: readonly Read[] = [
  { path: at('/volumes'), pick: own('volumes', 'volume'), has: names('id name links') },
  { path: at('/volumes/detail'), pick: own('volumes', 'volume'), has: SHOWN_VOLUME },
  { path: of('/volumes', 'volume'), pick: (body) => body.volume, has: SHOWN_VOLUME },
  {
    path: of('/volumes', 'volume'),
    pick: (body) => body.volume.attachments[0],
    has: names('id attachment_id volume_id server_id host_name device attached_at'),
  },
  { path: at('/volumes?limit=1'), pick: whole, has: names('volumes volumes_links') },
  { path: at('/volumes?limit=1&with_count=true'), from: '3.45', pick: whole, has: names('volumes volumes_links count') },
  { path: at('/volumes/detail?limit=1'), pick: whole, has: names('volumes volumes_links') },
  { path: at('/volumes/detail?limit=1&with_count=true'), from: '3.45', pick: whole, has: names('volumes volumes_links count') },
  { path: at('/volumes/summary'), since: '3.12', pick: (body) => body['volume-summary'], has: names('total_count total_size', { '3.36': 'metadata' }) },
  { path: () => `/volumes/${id('volume')}/metadata`, pick: whole, has: names('metadata') },
  { path: () => `/volumes/${id('volume')}/encryption`, pick: whole, has: names('encryption_key_id') },
  { path: at('/snapshots'), pick: own('snapshots', 'snapshot'), has: BRIEF_SNAPSHOT },
  { path: at('/snapshots/detail'), pick: own('snapshots', 'snapshot'), has: SNAPSHOT },
  { path: of('/snapshots', 'snapshot'), pick: (body) => body.snapshot, has: SNAPSHOT },
  { path: at('/snapshots?limit=1'), pick: whole, has: names('snapshots snapshots_links') },
  { path: at('/snapshots?limit=1&with_count=true'), from: '3.45', pick: whole, has: names('snapshots snapshots_links count') },
  { path: at('/backups'), pick: own('backups', 'backup'), has: names('id name links') },
  { path: at('/backups/detail'), pick: own('backups', 'backup'), has: BACKUP },
  { path: of('/backups', 'backup'), pick: (body) => body.backup, has: BACKUP },
  { path: at('/backups?with_count=true'), pick: whole, has: names('backups', { '3.45': 'count' }) },
  { path: () => `/backups/${id('backup')}/export_record`, pick: (body) => body['backup-record'], has: names('backup_service backup_url') },
  { path: at('/groups'), since: '3.13', pick: own('groups', 'group'), has: names('id name') },
  { path: at('/groups/detail'), since: '3.13', pick: own('groups', 'group'), has: GROUP },
  { path: of('/groups', 'group'), since: '3.13', pick: (body) => body.group, has: GROUP },
  { path: () => `/groups/${id('group')}?list_volume=true`, since: '3.13', pick: (body) => body.group, has: { ...GROUP, '3.25': ['volumes'] } },
  { path: at('/group_snapshots'), since: '3.14', pick: own('group_snapshots', 'group snapshot'), has: names('id name') },
  { path: at('/group_snapshots/detail'), since: '3.14', pick: own('group_snapshots', 'group snapshot'), has: GROUP_SNAPSHOT },
  { path: of('/group_snapshots', 'group snapshot'), since: '3.14', pick: (body) => body.group_snapshot, has: GROUP_SNAPSHOT },
  { path: at('/group_types'), since: '3.11', pick: own('group_types', 'group type'), has: GROUP_TYPE },
  { path: of('/group_types', 'group type'), since: '3.11', pick: (body) => body.group_type, has: GROUP_TYPE },
  { path: at('/attachments'), since: '3.27', pick: own('attachments', 'attachment'), has: ATTACHMENT },
  { path: at('/attachments/detail'), since: '3.27', pick: own('attachments', 'attachment'), has: SHOWN_ATTACHMENT },
  { path: of('/attachments', 'attachment'), since: '3.27', pick: (body) => body.attachment, has: SHOWN_ATTACHMENT },
  { path: at('/volume-transfers'), pick: own('transfers', 'transfer'), has: names('id volume_id name links') },
  { path: at('/volume-transfers/detail'), pick: own('transfers', 'transfer'), has: { ...TRANSFER, ...MODERN } },
  { path: of('/volume-transfers', 'transfer'), pick: (body) => body.transfer, has: { ...TRANSFER, ...MODERN } },
  { path: at('/os-volume-transfer'), pick: own('transfers', 'transfer'), has: names('id volume_id name links') },
  { path: of('/os-volume-transfer', 'transfer'), pick: (body) => body.transfer, has: { ...TRANSFER, ...MODERN } },
  { path: at('/messages'), since: '3.3', pick: own('messages', 'message'), has: MESSAGE },
  { path: of('/messages', 'message'), since: '3.3', pick: (body) => body.message, has: MESSAGE },
  { path: at('/types'), pick: own('volume_types', 'type'), has: TYPE },
  { path: of('/types', 'type'), pick: (body) => body.volume_type, has: TYPE },
  { path: () => `/types/${id('type')}/extra_specs`, pick: whole, has: names('extra_specs') },
  { path: () => `/types/${id('private')}/os-volume-type-access`, pick: (body) => body.volume_type_access[0], has: names('volume_type_id project_id') },
  {
    path: () => `/types/${id('private')}/encryption`,
    pick: whole,
    has: names('volume_type_id control_location created_at updated_at deleted deleted_at encryption_id key_size provider cipher'),
  },
  { path: at('/default-types'), since: '3.62', pick: (body) => body.default_types[0], has: names('project_id volume_type_id') },
  { path: of('/default-types', 'project'), since: '3.62', pick: (body) => body.default_type, has: names('project_id volume_type_id') },
  { path: at('/qos-specs'), pick: own('qos_specs', 'qos'), has: names('id name consumer specs') },
  { path: of('/qos-specs', 'qos'), pick: whole, has: names('qos_specs links') },
  { path: () => `/qos-specs/${id('qos')}/associations`, pick: (body) => body.qos_associations[0], has: names('association_type name id') },
  { path: at('/os-services?binary=cinder-scheduler'), pick: (body) => body.services[0], has: SERVICE },
  { path: at('/os-services?binary=cinder-volume'), pick: (body) => body.services[0], has: VOLUME_SERVICE },
  { path: at('/os-availability-zone'), pick: (body) => body.availabilityZoneInfo[0], has: names('zoneName zoneState') },
  { path: at('/limits'), pick: (body) => body.limits, has: names('rate absolute') },
  {
    path: at('/limits'),
    pick: (body) => body.limits.absolute,
    has: names(
      'totalSnapshotsUsed maxTotalBackups maxTotalVolumeGigabytes maxTotalSnapshots maxTotalBackupGigabytes totalBackupGigabytesUsed maxTotalVolumes totalVolumesUsed totalBackupsUsed totalGigabytesUsed',
    ),
  },
  { path: of('/os-quota-sets', 'project'), pick: (body) => body.quota_set, has: { '3.0': [...QUOTAS, 'id'] }, free: /^(volumes|gigabytes|snapshots)_/ },
  {
    path: () => `/os-quota-sets/${id('project')}/defaults`,
    pick: (body) => body.quota_set,
    has: { '3.0': [...QUOTAS, 'id'] },
    free: /^(volumes|gigabytes|snapshots)_/,
  },
  { path: () => `/os-quota-sets/${id('project')}?usage=true`, pick: (body) => body.quota_set.volumes, has: names('limit in_use reserved') },
  {
    path: at('/os-quota-class-sets/default'),
    pick: (body) => body.quota_class_set,
    has: { '3.0': [...QUOTAS, 'id'] },
    free: /^(volumes|gigabytes|snapshots)_/,
  },
  { path: at('/scheduler-stats/get_pools'), pick: (body) => body.pools[0], has: names('name') },
  { path: at('/scheduler-stats/get_pools?detail=true'), pick: (body) => body.pools[0], has: names('name capabilities') },
  { path: at('/resource_filters'), since: '3.33', pick: (body) => body.resource_filters[0], has: names('filters resource') },
  { path: at('/clusters'), since: '3.7', pick: whole, has: names('clusters') },
  { path: at('/os-hosts'), pick: (body) => body.hosts[0], has: names('service-status service zone service-state host_name last-update') },
  { path: at('/extensions'), pick: (body) => body.extensions[0], has: names('updated name links alias description') },
];

let fresh = 0;
interface Make extends Read {
  readonly body: (version: string) => unknown;
  afterwards?(body: Answer['body']): Promise<unknown>;
}
const name = (): string => `n${(fresh += 1)}`;
const MAKES: readonly Make[] = [
  { path: at('/volumes'), body: () => ({ volume: { size: 1, name: name(), volume_type: 't' } }), pick: (body) => body.volume, has: VOLUME },
  { path: of('/volumes', 'volume'), body: () => ({ volume: { name: 'v' } }), pick: (body) => body.volume, has: VOLUME },
  { path: at('/snapshots'), body: () => ({ snapshot: { volume_id: id('volume'), force: true } }), pick: (body) => body.snapshot, has: MADE_SNAPSHOT },
  { path: of('/snapshots', 'snapshot'), body: () => ({ snapshot: { name: 's' } }), pick: (body) => body.snapshot, has: MADE_SNAPSHOT },
  {
    path: at('/groups'),
    since: '3.13',
    body: () => ({ group: { name: name(), group_type: id('group type'), volume_types: [id('type')] } }),
    pick: (body) => body.group,
    has: names('id name'),
  },
  { path: of('/backups', 'backup'), since: '3.9', body: () => ({ backup: { name: 'b' } }), pick: (body) => body.backup, has: names('id name links') },
  { path: at('/types'), body: () => ({ volume_type: { name: name() } }), pick: (body) => body.volume_type, has: MADE_TYPE },
  { path: of('/types', 'private'), body: () => ({ volume_type: { description: 'd' } }), pick: (body) => body.volume_type, has: CHANGED_TYPE },
  {
    path: of('/group_types', 'group type'),
    since: '3.11',
    body: () => ({ group_type: { description: 'd' } }),
    pick: (body) => body.group_type,
    has: GROUP_TYPE,
  },
  {
    path: at('/backups'),
    body: () => ({ backup: { volume_id: id('volume'), name: name(), force: true } }),
    pick: (body) => body.backup,
    has: names('id name links'),
    afterwards: ({ backup }) => settled(`/backups/${backup.id}`, 'backup', 'available'),
  },
  {
    path: at('/group_snapshots'),
    since: '3.14',
    body: () => ({ group_snapshot: { group_id: id('group') } }),
    pick: (body) => body.group_snapshot,
    has: names('id name group_type_id'),
  },
  { path: at('/group_types'), since: '3.11', body: () => ({ group_type: { name: name() } }), pick: (body) => body.group_type, has: GROUP_TYPE },
  {
    path: at('/volume-transfers'),
    body: () => ({ transfer: { volume_id: id('member') } }),
    pick: (body) => body.transfer,
    has: { '3.0': [...(TRANSFER['3.0'] ?? []), 'auth_key'], ...MODERN },
    afterwards: ({ transfer }) => ok('DELETE', `/volume-transfers/${transfer.id}`),
  },
  {
    path: at('/attachments'),
    since: '3.27',
    body: () => ({ attachment: { volume_uuid: id('member'), instance_uuid: SERVER } }),
    pick: (body) => body.attachment,
    has: SHOWN_ATTACHMENT,
    afterwards: ({ attachment }) => ok('DELETE', `/attachments/${attachment.id}`),
  },
  {
    path: of('/os-quota-sets', 'project'),
    body: () => ({ quota_set: { volumes: -1 } }),
    pick: (body) => body.quota_set,
    has: { '3.0': QUOTAS },
    free: /^(volumes|gigabytes|snapshots)_/,
  },
];
const PUTS = new Set(['volume', 'snapshot', 'backup', 'quota_set', 'volume_type', 'group_type']);

const before1 = (version: string): string => {
  const [major, minor] = version.split('.').map(Number) as [number, number];
  return `${major}.${minor - 1}`;
};
/** Both sides of each change, from the first microversion of the call on. */
function versionsOf({ since = '3.0', from = since, has }: Read): readonly string[] {
  const changes = Object.keys(has).filter((version) => rankOf(version) > rankOf(from));
  return [...new Set([from, ...changes.flatMap((version) => [before1(version), version]), MAX])].toSorted((a, b) => rankOf(a) - rankOf(b));
}

function differences({ has, free, pick }: Read, body: Answer['body'], version: string): readonly string[] {
  let picked: unknown;
  try {
    picked = pick(body);
  } catch {
    picked = undefined;
  }
  if (picked === undefined || picked === null) return [`nothing to look at in ${JSON.stringify(body).slice(0, 200)}`];
  const wanted = new Set(Object.entries(has).flatMap(([since, some]) => (rankOf(since) <= rankOf(version) ? some : [])));
  const there = Object.keys(picked).filter((one) => free?.test(one) !== true);
  return [
    ...[...wanted].filter((one) => !there.includes(one)).map((one) => `${one} is missing here`),
    ...there.filter((one) => !wanted.has(one)).map((one) => `${one} is here alone`),
  ];
}

test('what is read has what upstream has at each microversion, and is there from its own on', async (t) => {
  const wrong: string[] = [];
  let pairs = 0;
  for (const read of READS) {
    for (const version of versionsOf(read)) {
      pairs += 1;
      const { status, body } = await call('GET', read.path(), undefined, version);
      const found = status === 200 ? differences(read, body, version) : [`${status} ${JSON.stringify(body)}`];
      wrong.push(...found.map((one) => `GET ${read.path()} at ${version}: ${one}`));
    }
    if (read.since === undefined) continue;
    pairs += 1;
    const { status } = await call('GET', read.path(), undefined, before1(read.since));
    if (status !== 404) wrong.push(`GET ${read.path()} at ${before1(read.since)}: ${status}, and not 404`);
  }
  t.diagnostic(`${pairs} pairs of operation and microversion`);
  assert.deepEqual(wrong, []);
  assert.ok(pairs > 200, String(pairs));
});

test('who is no administrator sees what upstream shows at each microversion', async () => {
  const { project } = await cloud.ok('POST', '/identity/v3/projects', { project: { name: 'alice' } });
  const { user } = await cloud.ok('POST', '/identity/v3/users', { user: { name: 'alice', password: 'secret-1' } });
  const { roles } = await cloud.ok('GET', '/identity/v3/roles?name=member');
  await cloud.ok('PUT', `/identity/v3/projects/${project.id}/users/${user.id}/roles/${roles[0].id}`);
  const token = await cloud.login('alice', 'secret-1', 'alice');
  const ask = (method: string, path: string, version: string, body?: object): Promise<Answer['body']> =>
    cloud.ok(method, `/volume/v3${path}`, body, { token, headers: { 'openstack-api-version': `volume ${version}` } });
  const make = async (path: string, kind: string, body: object): Promise<string> => {
    const made = (await ask('POST', path, MAX, { [kind]: body }))[kind];
    await cloud.until(made.id, async () => (await ask('GET', `${path}/${made.id}`, MAX))[kind].status === 'available', 120_000);
    return made.id;
  };
  const volume = await make('/volumes', 'volume', { size: 1 });
  const snapshot = await make('/snapshots', 'snapshot', { volume_id: volume });
  const backup = await make('/backups', 'backup', { volume_id: volume });
  const without = (all: Names, hidden: RegExp): Names =>
    Object.fromEntries(Object.entries(all).map(([since, some]) => [since, some.filter((one) => !hidden.test(one))]));
  const reads: readonly Read[] = [
    {
      path: at(`/volumes/${volume}`),
      pick: (body) => body.volume,
      has: without(SHOWN_VOLUME, /^(migration_status|provider_id|cluster_name|volume_image_metadata|os-vol-(host|mig-status)-attr:.*)$/),
    },
    { path: at(`/snapshots/${snapshot}`), pick: (body) => body.snapshot, has: SNAPSHOT },
    { path: at(`/backups/${backup}`), pick: (body) => body.backup, has: without(BACKUP, /^(os-backup-project-attr:project_id|user_id)$/) },
    { path: of('/types', 'type'), pick: (body) => body.volume_type, has: without(TYPE, /^qos_specs_id$/) },
  ];
  const wrong: string[] = [];
  for (const read of reads)
    for (const version of versionsOf(read))
      wrong.push(...differences(read, await ask('GET', read.path(), version), version).map((one) => `GET ${read.path()} at ${version}: ${one}`));
  assert.deepEqual(wrong, []);
});

test('what is made and changed is answered as upstream does at each microversion', async (t) => {
  const wrong: string[] = [];
  let pairs = 0;
  await ok('PUT', `/os-quota-sets/${id('project')}`, { quota_set: { volumes: -1, snapshots: -1, gigabytes: -1, groups: -1 } });
  for (const make of MAKES)
    for (const version of versionsOf(make)) {
      pairs += 1;
      const sent = make.body(version) as object;
      const method = make.path().split('/').length > 2 && PUTS.has(Object.keys(sent)[0] ?? '') ? 'PUT' : 'POST';
      const { status, body } = await call(method, make.path(), sent, version);
      const found = status < 300 ? differences(make, body, version) : [`${status} ${JSON.stringify(body)}`];
      wrong.push(...found.map((one) => `${method} ${make.path()} at ${version}: ${one}`));
      if (status < 300) await make.afterwards?.(body);
    }
  t.diagnostic(`${pairs} pairs of operation and microversion`);
  assert.deepEqual(wrong, []);
});

test('the microversion is asked for by a header and answered', async () => {
  const ask = (version?: string): Promise<Answer> =>
    cloud.call('GET', '/volume/v3/types', undefined, version === undefined ? {} : { headers: { 'openstack-api-version': version } });
  const told = ({ status, headers }: Answer): readonly unknown[] => [status, headers.get('openstack-api-version'), headers.get('vary')];
  const answered = (version: string): readonly unknown[] => [200, `volume ${version}`, 'OpenStack-API-Version'];
  assert.deepEqual(told(await ask()), answered('3.0'));
  assert.deepEqual(told(await ask('volume 3.60')), answered('3.60'));
  assert.deepEqual(told(await ask('volume latest')), answered(MAX));
  assert.deepEqual(told(await ask('compute 2.50')), answered('3.0'));
  assert.deepEqual(told(await ask('compute 2.50, volume 3.61')), answered('3.61'));
  for (const [version, status] of [
    ['3.72', 406],
    ['2.0', 406],
    ['4.0', 406],
    ['3.x', 400],
    ['3', 400],
  ] as const)
    assert.equal((await ask(`volume ${version}`)).status, status, version);
});
