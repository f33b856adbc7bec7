import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Context } from '@cairn/kit/context/context';
import { type Answered, context, IMAGE, member, NETWORK, TestCloud } from '../testing/cloud.ts';

/**
 * The answers of upstream's API reference, by microversion, against ours: the same fields, of the same types. They are read where they are, and are no
 * part of this project: without that folder there is nothing to compare.
 */
const FOLDER = process.env['CAIRN_API_SAMPLES'] ?? join(import.meta.dirname, '..', '..', '..', '..', '..', 'shared', 'api-samples');
const ROOT = join(FOLDER, 'compute');
const skip = existsSync(ROOT) ? false : 'the samples of the API reference are not here (CAIRN_API_SAMPLES names their folder)';

/** Objects whose keys are names that users chose, or that depend on the host. */
const FREE = new Set(['addresses', 'metadata', 'extra_specs', 'scheduler_hints', 'properties', 'cpu_info', 'meta', 'hosts', 'log']);
const PERIOD = 'start=2000-01-01T00:00:00&end=2100-01-01T00:00:00';
const VOLUME = '77777777-7777-4777-8777-777777777771';
const OTHER = '77777777-7777-4777-8777-777777777772';

/** Where two answers differ in fields and types. Null stands for any value, and an empty list for any other. */
function differences(sample: unknown, ours: unknown, at = ''): readonly string[] {
  if (sample === null || ours === null) return [];
  if (Array.isArray(sample) && Array.isArray(ours)) return sample.length === 0 || ours.length === 0 ? [] : differences(sample[0], ours[0], `${at}[]`);
  if (Array.isArray(sample) || Array.isArray(ours) || typeof sample !== typeof ours) return [`${at}: ${kindOf(sample)} upstream, ${kindOf(ours)} here`];
  if (typeof sample !== 'object') return [];
  const [theirs, mine] = [sample as Record<string, unknown>, ours as Record<string, unknown>];
  // links to further pages are there where there are any
  const keys = [...new Set([...Object.keys(theirs), ...Object.keys(mine)])].filter((key) => at !== '' || !key.endsWith('_links'));
  return keys.flatMap((key) => {
    const path = at === '' ? key : `${at}.${key}`;
    if (!Object.hasOwn(mine, key)) return [`${path}: missing here`];
    if (!Object.hasOwn(theirs, key)) return [`${path}: here alone`];
    return FREE.has(key) ? [] : differences(theirs[key], mine[key], path);
  });
}
const kindOf = (value: unknown): string => (Array.isArray(value) ? 'list' : typeof value);

/** The microversions that have a sample of this name. */
const versionsOf = (folder: string, file: string): readonly string[] => [
  ...(existsSync(join(ROOT, folder, file)) ? ['2.1'] : []),
  ...readdirSync(join(ROOT, folder))
    .filter((name) => /^v2\.\d+$/.test(name) && existsSync(join(ROOT, folder, name, file)))
    .map((name) => name.slice(1)),
];
/** Samples of cells that do not answer: a cloud here is one cell. */
const isOfLostCell = (folder: string, version: string): boolean => version === '2.69' && ['servers', 'os-services'].includes(folder);
const sampleOf = (folder: string, file: string, version: string): unknown =>
  JSON.parse(readFileSync(join(ROOT, folder, ...(version === '2.1' ? [] : [`v${version}`]), file), 'utf8'));

let cloud: TestCloud;
let server = '';
let volumeServer = '';
let group = '';
let aggregate = '';
let requestId = '';
const hypervisors = new Map<boolean, string>();
let service = '';
const boss: Context = context({ userId: 'u1', projectId: 'p1', roles: ['admin', 'manager', 'member', 'reader'] });

before(async () => {
  if (skip) return;
  cloud = await TestCloud.open({ hosts: [{ name: 'h1' }, { name: 'h2' }], options: { quotaDefaults: {}, resizeToSameHost: false } });
  for (const id of [VOLUME, OTHER]) await cloud.cinder.addVolume({ id, host: 'h1' });
  server = await cloud.create(
    boss,
    { networks: [{ uuid: NETWORK }], metadata: { k: 'v' }, tags: ['t'], key_name: 'mine' },
    { 'os:scheduler_hints': { same_host: [] } },
  );
  volumeServer = await cloud.create(boss, { networks: [{ uuid: NETWORK }] });
  await cloud.ok(boss, 'POST', `/servers/${volumeServer}/os-volume_attachments`, { volumeAttachment: { volumeId: VOLUME, tag: 'foo' } });
  await cloud.settle();
  const moved = await cloud.create(boss, { networks: [{ uuid: NETWORK }] });
  await cloud.ok(boss, 'POST', `/servers/${moved}/action`, { 'os-migrateLive': { host: null, block_migration: 'auto' } });
  await cloud.settle();
  group = (await cloud.ok(boss, 'POST', '/os-server-groups', { server_group: { name: 'g', policy: 'anti-affinity', rules: { max_server_per_host: 3 } } }))
    .server_group.id;
  aggregate = String((await cloud.ok(boss, 'POST', '/os-aggregates', { aggregate: { name: 'a', availability_zone: 'london' } }, '2.81')).aggregate.id);
  await cloud.ok(boss, 'POST', '/flavors', { flavor: { id: 'private', name: 'private', ram: 64, vcpus: 1, disk: 1, 'os-flavor-access:is_public': false } });
  await cloud.ok(boss, 'POST', '/flavors/private/action', { addTenantAccess: { tenant: 'p1' } });
  [{ request_id: requestId }] = (await cloud.ok(boss, 'GET', `/servers/${server}/os-instance-actions`)).instanceActions;
  for (const old of [true, false])
    hypervisors.set(old, String((await cloud.ok(boss, 'GET', '/os-hypervisors', undefined, old ? '2.1' : '2.96')).hypervisors[0].id));
  service = (await cloud.ok(boss, 'GET', '/os-services?binary=nova-compute', undefined, '2.96')).services[0].id;
});
after(async () => {
  if (!skip) await cloud.close();
});

type Call = readonly [who: Context, method: string, path: string, body?: unknown];
interface Case {
  readonly folder: string;
  readonly file: string;
  call(version: string): Call;
  /** After the answer, so that the next one finds what it needs. */
  afterwards?(answer: Answered): Promise<unknown>;
  /** What is known to differ, and why. */
  readonly except?: RegExp;
}
const minor = (version: string): number => Number(version.split('.')[1]);
const get = (folder: string, file: string, path: string | ((version: string) => string), who: Context = boss): Case => ({
  folder,
  file,
  call: (version) => [who, 'GET', typeof path === 'string' ? path : path(version)],
});
const post = (
  folder: string,
  file: string,
  path: string | (() => string),
  body: (version: string) => unknown,
  afterwards?: Case['afterwards'],
  who: Context = boss,
): Case => ({
  folder,
  file,
  call: (version) => [who, 'POST', typeof path === 'string' ? path : path(), body(version)],
  ...(afterwards && { afterwards }),
});
const put = (folder: string, file: string, path: () => string, body: (version: string) => unknown): Case => ({
  folder,
  file,
  call: (version) => [boss, 'PUT', path(), body(version)],
});
const settle = async (): Promise<void> => cloud.settle();
let names = 0;
const name = (): string => `n${(names += 1)}`;
const create = (version: string, more: object = {}) => ({
  server: { name: name(), imageRef: IMAGE, flavorRef: '1', ...(minor(version) >= 37 ? { networks: 'none' } : {}), ...more },
});
const hypervisor = (version: string): string => hypervisors.get(minor(version) < 53) as string;

const CASES: readonly Case[] = [
  get('servers', 'server-get-resp.json', () => `/servers/${server}`, member()),
  get('servers', 'servers-details-resp.json', '/servers/detail', member()),
  get('servers', 'servers-list-resp.json', '/servers', member()),
  post('servers', 'server-create-resp.json', '/servers', create, settle, member()),
  post(
    'servers',
    'server-action-rebuild-resp.json',
    () => `/servers/${server}/action`,
    () => ({ rebuild: { imageRef: IMAGE } }),
    settle,
    member(),
  ),
  {
    ...put(
      'servers',
      'server-update-resp.json',
      () => `/servers/${server}`,
      () => ({ server: { name: 'renamed' } }),
    ),
    call: () => [member(), 'PUT', `/servers/${server}`, { server: { name: 'renamed' } }],
  },
  get('flavors', 'flavor-get-resp.json', '/flavors/1'),
  get('flavors', 'flavors-detail-resp.json', '/flavors/detail'),
  get('flavors', 'flavors-list-resp.json', '/flavors'),
  post('flavor-manage', 'flavor-create-post-resp.json', '/flavors', () => ({ flavor: { name: name(), ram: 64, vcpus: 1, disk: 1 } })),
  put(
    'flavor-manage',
    'flavor-update-resp.json',
    () => '/flavors/1',
    () => ({ flavor: { description: 'tiny' } }),
  ),
  get('flavor-access', 'flavor-access-list-resp.json', '/flavors/private/os-flavor-access'),
  get('flavor-extra-specs', 'flavor-extra-specs-list-resp.json', '/flavors/1/os-extra_specs'),
  get('os-hypervisors', 'hypervisors-detail-resp.json', '/os-hypervisors/detail'),
  get('os-hypervisors', 'hypervisors-list-resp.json', '/os-hypervisors'),
  get('os-hypervisors', 'hypervisors-show-resp.json', (version) => `/os-hypervisors/${hypervisor(version)}`),
  get('os-hypervisors', 'hypervisors-show-with-servers-resp.json', (version) => `/os-hypervisors/${hypervisor(version)}?with_servers=1`),
  get('os-hypervisors', 'hypervisors-detail-with-servers-resp.json', '/os-hypervisors/detail?with_servers=1'),
  get('os-hypervisors', 'hypervisors-statistics-resp.json', '/os-hypervisors/statistics'),
  get('os-hypervisors', 'hypervisors-uptime-resp.json', (version) => `/os-hypervisors/${hypervisor(version)}/uptime`),
  get('os-hypervisors', 'hypervisors-search-resp.json', (version) =>
    minor(version) < 53 ? '/os-hypervisors/h1/search' : '/os-hypervisors?hypervisor_hostname_pattern=h1',
  ),
  get('os-hypervisors', 'hypervisors-with-servers-resp.json', (version) =>
    minor(version) < 53 ? '/os-hypervisors/h1/servers' : '/os-hypervisors?with_servers=1',
  ),
  get('os-services', 'services-list-get-resp.json', '/os-services'),
  {
    folder: 'os-services',
    file: 'service-disable-log-put-resp.json',
    call: (version) =>
      minor(version) < 53
        ? [boss, 'PUT', '/os-services/disable-log-reason', { host: 'h1', binary: 'nova-compute', disabled_reason: 'r' }]
        : [boss, 'PUT', `/os-services/${service}`, { status: 'disabled', disabled_reason: 'r' }],
  },
  {
    folder: 'os-services',
    file: 'service-disable-put-resp.json',
    call: (version) =>
      minor(version) < 53
        ? [boss, 'PUT', '/os-services/disable', { host: 'h1', binary: 'nova-compute' }]
        : [boss, 'PUT', `/os-services/${service}`, { status: 'disabled' }],
  },
  {
    folder: 'os-services',
    file: 'service-force-down-put-resp.json',
    call: (version) =>
      minor(version) < 53
        ? [boss, 'PUT', '/os-services/force-down', { host: 'h1', binary: 'nova-compute', forced_down: false }]
        : [boss, 'PUT', `/os-services/${service}`, { forced_down: false }],
  },
  {
    folder: 'os-services',
    file: 'service-enable-put-resp.json',
    call: (version) =>
      minor(version) < 53
        ? [boss, 'PUT', '/os-services/enable', { host: 'h1', binary: 'nova-compute' }]
        : [boss, 'PUT', `/os-services/${service}`, { status: 'enabled' }],
  },
  // those that run have links, and this one is over
  { ...get('os-migrations', 'migrations-get.json', '/os-migrations'), except: /^migrations\[\]\.links: missing/ },
  get('os-server-groups', 'server-groups-get-resp.json', () => `/os-server-groups/${group}`),
  get('os-server-groups', 'server-groups-list-resp.json', '/os-server-groups'),
  post('os-server-groups', 'server-groups-post-resp.json', '/os-server-groups', (version) => ({
    server_group: minor(version) < 64 ? { name: name(), policies: ['affinity'] } : { name: name(), policy: 'anti-affinity', rules: { max_server_per_host: 3 } },
  })),
  get('os-keypairs', 'keypairs-get-resp.json', '/os-keypairs/mine'),
  get('os-keypairs', 'keypairs-list-resp.json', '/os-keypairs'),
  post('os-keypairs', 'keypairs-import-post-resp.json', '/os-keypairs', (version) => ({
    keypair: {
      name: name(),
      public_key: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJLTxLpnJN5Lzp4EFPKH2fNZbFzJ1sCQF9Z1Y1sWHGtI me',
      ...(minor(version) >= 2 && { type: 'ssh' }),
      ...(minor(version) >= 10 && { user_id: 'u1' }),
    },
  })),
  post('os-keypairs', 'keypairs-post-resp.json', '/os-keypairs', (version) => ({
    keypair: { name: name(), ...(minor(version) >= 2 && { type: 'ssh' }), ...(minor(version) >= 10 && { user_id: 'u1' }) },
  })),
  get('os-aggregates', 'aggregates-list-get-resp.json', '/os-aggregates'),
  get('os-aggregates', 'aggregates-get-resp.json', () => `/os-aggregates/${aggregate}`),
  post('os-aggregates', 'aggregate-post-resp.json', '/os-aggregates', () => ({ aggregate: { name: name(), availability_zone: 'london' } })),
  put(
    'os-aggregates',
    'aggregate-update-post-resp.json',
    () => `/os-aggregates/${aggregate}`,
    () => ({ aggregate: { name: name() } }),
  ),
  post(
    'os-aggregates',
    'aggregates-metadata-post-resp.json',
    () => `/os-aggregates/${aggregate}/action`,
    () => ({ set_metadata: { metadata: { key: 'value' } } }),
  ),
  get('os-quota-sets', 'quotas-show-get-resp.json', '/os-quota-sets/p1'),
  get('os-quota-sets', 'quotas-show-defaults-get-resp.json', '/os-quota-sets/p1/defaults'),
  get('os-quota-sets', 'quotas-show-detail-get-resp.json', '/os-quota-sets/p1/detail'),
  get('os-quota-sets', 'user-quotas-show-get-resp.json', '/os-quota-sets/p1?user_id=u1'),
  put(
    'os-quota-sets',
    'quotas-update-post-resp.json',
    () => '/os-quota-sets/p2',
    () => ({ quota_set: { cores: 45 } }),
  ),
  put(
    'os-quota-sets',
    'user-quotas-update-post-resp.json',
    () => '/os-quota-sets/p2?user_id=u2',
    () => ({ quota_set: { force: true, instances: 9 } }),
  ),
  get('os-quota-class-sets', 'quota-classes-show-get-resp.json', '/os-quota-class-sets/default'),
  put(
    'os-quota-class-sets',
    'quota-classes-update-post-resp.json',
    () => '/os-quota-class-sets/default',
    () => ({ quota_class_set: { cores: 50 } }),
  ),
  get('limits', 'limit-get-resp.json', '/limits'),
  get('os-volume_attachments', 'list-volume-attachments-resp.json', () => `/servers/${volumeServer}/os-volume_attachments`),
  get('os-volume_attachments', 'volume-attachment-detail-resp.json', () => `/servers/${volumeServer}/os-volume_attachments/${VOLUME}`),
  post(
    'os-volume_attachments',
    'attach-volume-to-server-resp.json',
    () => `/servers/${volumeServer}/os-volume_attachments`,
    () => ({ volumeAttachment: { volumeId: OTHER } }),
    async () => {
      await cloud.settle();
      await cloud.ok(boss, 'DELETE', `/servers/${volumeServer}/os-volume_attachments/${OTHER}`);
      await cloud.settle();
    },
  ),
  get('os-attach-interfaces', 'attach-interfaces-list-resp.json', () => `/servers/${server}/os-interface`),
  get('os-instance-actions', 'instance-actions-list-resp.json', () => `/servers/${server}/os-instance-actions`),
  get('os-instance-actions', 'instance-action-get-resp.json', () => `/servers/${server}/os-instance-actions/${requestId}`),
  get('os-instance-actions', 'instance-action-get-non-admin-resp.json', () => `/servers/${server}/os-instance-actions/${requestId}`, member()),
  get('os-availability-zone', 'availability-zone-list-resp.json', '/os-availability-zone', member()),
  get('os-availability-zone', 'availability-zone-detail-resp.json', '/os-availability-zone/detail'),
  get('os-server-tags', 'server-tags-index-resp.json', () => `/servers/${server}/tags`),
  get('server-ips', 'server-ips-resp.json', () => `/servers/${server}/ips`),
  get('server-metadata', 'server-metadata-all-resp.json', () => `/servers/${server}/metadata`),
  get('os-simple-tenant-usage', 'simple-tenant-usage-get.json', `/os-simple-tenant-usage?${PERIOD}`),
  get('os-simple-tenant-usage', 'simple-tenant-usage-get-detail.json', `/os-simple-tenant-usage?detailed=1&${PERIOD}`),
  get('os-simple-tenant-usage', 'simple-tenant-usage-get-specific.json', `/os-simple-tenant-usage/p1?${PERIOD}`),
  // until 2.48 its fields are the hypervisor's own
  { ...get('os-server-diagnostics', 'server-diagnostics-get-resp.json', () => `/servers/${server}/diagnostics`), except: /^(vnet\d+_|memory-)/ },
  post(
    'os-console-output',
    'console-output-post-resp.json',
    () => `/servers/${server}/action`,
    () => ({ 'os-getConsoleOutput': { length: 5 } }),
  ),
  post(
    'os-remote-consoles',
    'get-vnc-console-post-resp.json',
    () => `/servers/${server}/action`,
    () => ({ 'os-getVNCConsole': { type: 'novnc' } }),
  ),
  post(
    'os-remote-consoles',
    'create-vnc-console-resp.json',
    () => `/servers/${server}/remote-consoles`,
    () => ({ remote_console: { protocol: 'vnc', type: 'novnc' } }),
  ),
  post(
    'os-multiple-create',
    'multiple-create-post-resp.json',
    '/servers',
    (version) => create(version, { min_count: 1, max_count: 2, return_reservation_id: true }),
    settle,
    member(),
  ),
  post(
    'os-multiple-create',
    'multiple-create-no-resv-post-resp.json',
    '/servers',
    (version) => create(version, { min_count: 1, max_count: 2 }),
    settle,
    member(),
  ),
  get('os-instance-usage-audit-log', 'inst-usage-audit-log-index-get-resp.json', '/os-instance_usage_audit_log'),
  get('os-server-topology', 'servers-topology-resp.json', () => `/servers/${server}/topology`),
  get('os-hosts', 'hosts-list-resp.json', '/os-hosts'),
  get('os-hosts', 'host-get-resp.json', '/os-hosts/h1'),
];

test('there are cases for what there are samples of', { skip }, () => {
  for (const { folder, file } of CASES) assert.ok(versionsOf(folder, file).length > 0, `${folder}/${file} is no sample`);
});

if (!skip)
  for (const one of CASES)
    for (const version of versionsOf(one.folder, one.file).filter((known) => !isOfLostCell(one.folder, known)))
      test(`${one.folder}/${one.file} at ${version}`, async () => {
        const sample = sampleOf(one.folder, one.file, version);
        const [caller, method, path, body] = one.call(version);
        // some samples are what an administrator is told
        const who = JSON.stringify(sample).includes('"OS-EXT-SRV-ATTR:host"') ? boss : caller;
        const answer = await cloud.request(who, method, path, body, version);
        assert.ok(answer.status < 300, `${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
        try {
          assert.deepEqual(
            differences(sample, answer.body).filter((line) => one.except?.test(line) !== true),
            [],
          );
        } finally {
          await one.afterwards?.(answer);
        }
      });

/** Folders whose bodies are actions of servers, but for answers. */
const ACTIONS = [
  ...['servers', 'os-lock-server', 'os-admin-actions', 'os-evacuate', 'os-migrate-server', 'os-pause-server', 'os-suspend-server', 'os-shelve', 'os-rescue'],
  ...['os-create-backup', 'os-deferred-delete', 'os-admin-password', 'os-console-output', 'os-server-password', 'server-migrations', 'os-security-groups'],
];
/** Answers, bodies of other calls, and what upstream has removed. */
const NO_ACTION = /resp|get|index|list|changes-before|server-put-req|server-groups|^server-rescue|^force_complete|^security-group-|reset-network/;
const NOBODY = '00000000-0000-4000-8000-000000000000';

test('the bodies of the reference are well-formed here: an action of a server that is not there is 404, and never 400', { skip }, async () => {
  const wrong: string[] = [];
  let count = 0;
  for (const folder of ACTIONS)
    for (const name of readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })) {
      const file = name.split('/').at(-1) ?? '';
      const version = /^v(2\.\d+)\//.exec(name)?.[1] ?? '2.1';
      if (!file.endsWith('.json') || NO_ACTION.test(file)) continue;
      const body = sampleOf(folder, file, version) as Record<string, unknown>;
      if (Object.keys(body).length !== 1) continue;
      const isCreate = file.startsWith('server-create-req');
      const isUpdate = file.startsWith('server-update-req');
      // a name with a microversion: the body that holds until that one
      const until = /-v2(\d+)\.json$/.exec(file)?.[1];
      const at = until === undefined ? version : `2.${Number(until) - 1}`;
      const [method, path] = isCreate ? ['POST', '/servers'] : isUpdate ? ['PUT', `/servers/${NOBODY}`] : ['POST', `/servers/${NOBODY}/action`];
      const { status, body: answer } = await cloud.request(boss, method, path, body, at);
      const words = JSON.stringify(answer ?? '');
      count += 1;
      // what is created names images and networks of another cloud
      if (isCreate ? status >= 500 || /Invalid input for field|Additional properties/.test(words) : status !== 404)
        wrong.push(`${folder}/${name} at ${at}: ${status} ${words.slice(0, 200)}`);
    }
  assert.deepEqual(wrong, []);
  assert.ok(count > 50, String(count));
});
