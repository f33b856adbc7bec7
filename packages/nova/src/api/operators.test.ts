import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { MAX_MICROVERSION } from '../microversions.ts';
import { refuses } from '../testing/assertions.ts';
import { admin, member, TestCloud } from '../testing/cloud.ts';

let cloud: TestCloud;
before(async () => {
  cloud = await TestCloud.open({ hosts: [{ name: 'h1' }, { name: 'h2' }, { name: 'rack-h3' }] });
  cloud.version = MAX_MICROVERSION;
});
after(() => cloud.close());

const get = (path: string, version?: string) => cloud.ok(admin(), 'GET', path, undefined, version);
const names = (body: { hypervisors: { hypervisor_hostname: string }[] }): string[] => body.hypervisors.map((each) => each.hypervisor_hostname);
const idOf = async (host: string, version?: string): Promise<string | number> =>
  (await get('/os-hypervisors', version)).hypervisors.find((each: { hypervisor_hostname: string }) => each.hypervisor_hostname === host).id;

test('hypervisors are shown as their microversion has them', async () => {
  const id = await idOf('h1');
  assert.match(String(id), /^[0-9a-f-]{36}$/);
  const { hypervisor: newest } = await get(`/os-hypervisors/${id}`);
  assert.deepEqual(Object.keys(newest).toSorted(), [
    'host_ip',
    'hypervisor_hostname',
    'hypervisor_type',
    'hypervisor_version',
    'id',
    'service',
    'state',
    'status',
    'uptime',
  ]);
  assert.match(newest.uptime, / up /);
  assert.deepEqual([newest.state, newest.status, newest.service.host, newest.service.disabled_reason], ['up', 'enabled', 'h1', null]);
  const { hypervisor: middle } = await get(`/os-hypervisors/${id}`, '2.87');
  assert.equal(middle.uptime, undefined);
  assert.equal(typeof middle.cpu_info.topology.cores, 'number');
  assert.equal(middle.free_ram_mb, middle.memory_mb - middle.memory_mb_used);
  const number = await idOf('h1', '2.52');
  assert.equal(typeof number, 'number');
  const { hypervisor: oldest } = await get(`/os-hypervisors/${number}`, '2.27');
  assert.deepEqual([oldest.id, typeof oldest.cpu_info, typeof oldest.service.id], [number, 'string', 'number']);
  await refuses(cloud, admin(), ['GET', `/os-hypervisors/${number}`], 400, `Invalid uuid ${number}`);
  await refuses(cloud, admin(), ['GET', `/os-hypervisors/${id}`, undefined, '2.52'], 404, `Hypervisor with ID '${id}' could not be found.`);
  await refuses(cloud, admin(), ['GET', '/os-hypervisors/99999999-9999-4999-8999-999999999999'], 404);
  await refuses(cloud, member(), ['GET', '/os-hypervisors'], 403);
});

test('hypervisors are listed in pages, or by a part of their name', async () => {
  // in the order in which the hosts came, which is theirs to choose
  const order = names(await get('/os-hypervisors'));
  assert.deepEqual(order.toSorted(), ['h1', 'h2', 'rack-h3']);
  const page = await get('/os-hypervisors/detail?limit=2');
  const last = await idOf(order[1] as string);
  assert.deepEqual(
    [names(page), page.hypervisors_links],
    [order.slice(0, 2), [{ rel: 'next', href: `/compute/v2.1/os-hypervisors/detail?limit=2&marker=${last}` }]],
  );
  assert.deepEqual(names(await get(`/os-hypervisors?marker=${last}`)), order.slice(2));
  assert.deepEqual(names(await get(`/os-hypervisors?marker=${await idOf(order[1] as string, '2.33')}`, '2.33')), order.slice(2));
  assert.deepEqual(names(await get('/os-hypervisors?limit=1', '2.32')), order);
  assert.deepEqual(names(await get('/os-hypervisors?hypervisor_hostname_pattern=RACK')), ['rack-h3']);
  assert.deepEqual(names(await get('/os-hypervisors/h/search', '2.52')), order);
  await refuses(cloud, admin(), ['GET', '/os-hypervisors/h/search'], 404);
  await refuses(cloud, admin(), ['GET', '/os-hypervisors/_/search', undefined, '2.52'], 404, "No hypervisor matching '_' could be found.");
  await refuses(cloud, admin(), ['GET', '/os-hypervisors?hypervisor_hostname_pattern=zz'], 404, "No hypervisor matching 'zz' could be found.");
  await refuses(cloud, admin(), ['GET', '/os-hypervisors?hypervisor_hostname_pattern=h&limit=1'], 400, /Paging over hypervisors/);
  await refuses(cloud, admin(), ['GET', '/os-hypervisors?marker=zz'], 400, 'marker [zz] not found');
  await refuses(cloud, admin(), ['GET', '/os-hypervisors?with_servers=perhaps'], 400);
  await refuses(cloud, admin(), ['GET', '/os-hypervisors?with_servers=1&with_servers=1'], 400);
  await refuses(cloud, admin(), ['GET', '/os-hypervisors?x=1'], 400);
});

test('hypervisors tell their servers and sums', async () => {
  const id = await cloud.create(member(), { networks: 'none' });
  const host = (await cloud.ok(admin(), 'GET', `/servers/${id}`)).server['OS-EXT-SRV-ATTR:host'];
  const of = (body: { hypervisors: { hypervisor_hostname: string; servers?: object[] }[] }, name: string) =>
    body.hypervisors.find((each) => each.hypervisor_hostname === name);
  const other = ['h1', 'h2', 'rack-h3'].find((each) => each !== host) as string;
  const newest = await get('/os-hypervisors?with_servers=True');
  assert.deepEqual([of(newest, host)?.servers, of(newest, other)?.servers], [[{ name: 'one', uuid: id }], []]);
  assert.equal(of(await get('/os-hypervisors?with_servers=1', '2.74'), other)?.servers, undefined);
  assert.equal(of(await get('/os-hypervisors'), host)?.servers, undefined);
  assert.deepEqual(of(await get('/os-hypervisors/h/servers', '2.52'), host)?.servers, [{ name: 'one', uuid: id }]);
  const { hypervisor_statistics: sums } = await get('/os-hypervisors/statistics', '2.87');
  assert.deepEqual([sums.count, sums.running_vms, sums.vcpus_used, sums.memory_mb_used], [3, 1, 1, 512]);
  assert.equal(sums.free_ram_mb, sums.memory_mb - 512);
  await refuses(cloud, admin(), ['GET', '/os-hypervisors/statistics'], 404);
  const { hypervisor } = await get(`/os-hypervisors/${await idOf('h1')}/uptime`, '2.87');
  assert.deepEqual(Object.keys(hypervisor).toSorted(), ['hypervisor_hostname', 'id', 'state', 'status', 'uptime']);
  await cloud.ok(member(), 'DELETE', `/servers/${id}`);
  await cloud.settle();
});

test('services are listed, disabled, enabled and forced down', async () => {
  const service = async (host: string, version?: string) => (await get(`/os-services?host=${host}&binary=nova-compute`, version)).services[0];
  const before = await service('h1');
  assert.deepEqual(
    { ...before, id: 0, updated_at: 0 },
    { id: 0, binary: 'nova-compute', host: 'h1', zone: 'nova', status: 'enabled', state: 'up', updated_at: 0, disabled_reason: null, forced_down: false },
  );
  assert.match(before.updated_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}$/);
  assert.equal((await service('h1', '2.10')).forced_down, undefined);
  assert.ok(
    (await get('/os-services')).services.some((each: { binary: string; zone: string }) => each.binary === 'nova-scheduler' && each.zone === 'internal'),
  );
  const put = (body: object, id = before.id) => ['PUT', `/os-services/${id}`, body] as const;
  const { service: disabled } = await cloud.ok(admin(), ...put({ status: 'disabled', disabled_reason: 'mending', forced_down: true }));
  assert.deepEqual([disabled.status, disabled.disabled_reason, disabled.state, disabled.forced_down], ['disabled', 'mending', 'down', true]);
  const { hypervisor } = await get(`/os-hypervisors/${await idOf('h1')}`);
  assert.deepEqual([hypervisor.state, hypervisor.status, hypervisor.service.disabled_reason, hypervisor.uptime], ['down', 'disabled', 'mending', null]);
  await refuses(
    cloud,
    admin(),
    ['GET', `/os-hypervisors/${await idOf('h1')}/uptime`, undefined, '2.87'],
    400,
    'Compute service of h1 is unavailable at this time.',
  );
  const { service: enabled } = await cloud.ok(admin(), ...put({ status: 'enabled', forced_down: 'false' }));
  assert.deepEqual([enabled.status, enabled.disabled_reason, enabled.forced_down], ['enabled', null, false]);
  await refuses(cloud, admin(), put({ status: 'enabled', disabled_reason: 'x' }), 400, "Specifying 'disabled_reason' with status 'enabled' is invalid.");
  await refuses(cloud, admin(), put({}), 400, "No updates were requested. Fields 'status' or 'forced_down' should be specified.");
  await refuses(cloud, admin(), put({ status: 'odd' }), 400);
  await refuses(cloud, admin(), put({ status: 'disabled' }, 'enable'), 400, 'Invalid uuid enable');
  await refuses(
    cloud,
    admin(),
    put({ status: 'disabled' }, '99999999-9999-4999-8999-999999999999'),
    404,
    'Service 99999999-9999-4999-8999-999999999999 could not be found.',
  );
  const scheduler = (await get('/os-services?binary=nova-scheduler')).services[0];
  await refuses(
    cloud,
    admin(),
    put({ status: 'disabled' }, scheduler.id),
    400,
    'Updating a nova-scheduler service is not supported. Only nova-compute services can be updated.',
  );
  await refuses(cloud, member(), put({ status: 'disabled' }), 403);
  await refuses(cloud, admin(), ['GET', '/os-services?x=1'], 400);
});

test('until 2.52 services are changed by name', async () => {
  const named = { host: 'h2', binary: 'nova-compute' };
  const put = (action: string, body: object, version = '2.52') => ['PUT', `/os-services/${action}`, body, version] as const;
  assert.deepEqual(await cloud.ok(admin(), ...put('disable', named)), { service: { ...named, status: 'disabled' } });
  assert.deepEqual(await cloud.ok(admin(), ...put('disable-log-reason', { ...named, disabled_reason: 'r' })), {
    service: { ...named, status: 'disabled', disabled_reason: 'r' },
  });
  assert.equal((await get('/os-services?host=h2')).services[0].disabled_reason, 'r');
  assert.deepEqual(await cloud.ok(admin(), ...put('enable', named)), { service: { ...named, status: 'enabled' } });
  assert.deepEqual(await cloud.ok(admin(), ...put('force-down', { ...named, forced_down: 'true' })), { service: { ...named, forced_down: true } });
  assert.deepEqual(await cloud.ok(admin(), ...put('force-down', { ...named, forced_down: false })), { service: { ...named, forced_down: false } });
  await refuses(cloud, admin(), put('force-down', named), 400, 'Missing forced_down field');
  await refuses(cloud, admin(), put('disable-log-reason', named), 400, 'Missing disabled reason field');
  await refuses(cloud, admin(), put('force-down', named, '2.10'), 404, 'Unknown action');
  await refuses(cloud, admin(), put('jump', named), 404, 'Unknown action');
  await refuses(cloud, admin(), put('disable', { ...named, host: 'h9' }), 404, 'Could not find binary nova-compute on host h9.');
  await refuses(cloud, admin(), put('disable', { ...named, binary: 'nova-scheduler' }), 400, /Only nova-compute services/);
});

test('a service is forgotten with its host, unless it has servers or is connected', async () => {
  const id = await cloud.create(member(), { networks: 'none' });
  const host = (await cloud.ok(admin(), 'GET', `/servers/${id}`)).server['OS-EXT-SRV-ATTR:host'];
  const service = async (name: string, version?: string) => (await get(`/os-services?host=${name}&binary=nova-compute`, version)).services[0].id;
  await refuses(
    cloud,
    admin(),
    ['DELETE', `/os-services/${await service(host)}`],
    409,
    'Unable to delete compute service that is hosting instances. Migrate or delete the instances first.',
  );
  await cloud.ok(member(), 'DELETE', `/servers/${id}`);
  await cloud.settle();
  await refuses(cloud, admin(), ['DELETE', `/os-services/${await service(host)}`], 409, /is connected/);
  await refuses(cloud, admin(), ['DELETE', '/os-services/zz'], 400, 'Invalid uuid zz');
  await refuses(cloud, admin(), ['DELETE', '/os-services/zz', undefined, '2.52'], 400);
  await refuses(cloud, admin(), ['DELETE', '/os-services/999', undefined, '2.52'], 404);
});

test('availability zones are told, with hosts to administrators', async () => {
  assert.deepEqual(await cloud.ok(member(), 'GET', '/os-availability-zone'), {
    availabilityZoneInfo: [{ zoneName: 'nova', zoneState: { available: true }, hosts: null }],
  });
  await refuses(cloud, member(), ['GET', '/os-availability-zone/detail'], 403);
  const { availabilityZoneInfo: zones } = await get('/os-availability-zone/detail');
  assert.deepEqual(
    zones.map((zone: { zoneName: string }) => zone.zoneName),
    ['internal', 'nova'],
  );
  assert.deepEqual(Object.keys(zones[1].hosts).toSorted(), ['h1', 'h2', 'rack-h3']);
  const { updated_at: updatedAt, ...state } = zones[1].hosts.h1['nova-compute'];
  assert.deepEqual([state, typeof updatedAt], [{ available: true, active: true }, 'string']);
});

test('until 2.42 hosts are listed and show their size and use', async () => {
  const { hosts } = await get('/os-hosts?zone=nova', '2.42');
  assert.equal(hosts.length, 3);
  assert.deepEqual(
    hosts.find((each: { host_name: string }) => each.host_name === 'h1'),
    { host_name: 'h1', service: 'compute', zone: 'nova' },
  );
  const id = await cloud.create(member(), { networks: 'none' });
  const host = (await cloud.ok(admin(), 'GET', `/servers/${id}`)).server['OS-EXT-SRV-ATTR:host'];
  const { host: resources } = await get(`/os-hosts/${host}`, '2.1');
  assert.deepEqual(
    resources.slice(1).map(({ resource }: { resource: object }) => resource),
    [
      { host, project: '(used_now)', cpu: 1, memory_mb: 512, disk_gb: 1 },
      { host, project: '(used_max)', cpu: 1, memory_mb: 512, disk_gb: 1 },
      { host, project: 'p1', cpu: 1, memory_mb: 512, disk_gb: 1 },
    ],
  );
  assert.equal(resources[0].resource.project, '(total)');
  await cloud.ok(member(), 'DELETE', `/servers/${id}`);
  await cloud.settle();
  await refuses(cloud, admin(), ['GET', '/os-hosts/h9', undefined, '2.42'], 404, 'Compute host h9 could not be found.');
  await refuses(cloud, admin(), ['GET', '/os-hosts/h1/reboot', undefined, '2.42'], 501);
  await refuses(cloud, admin(), ['PUT', '/os-hosts/h1', { status: 'enable' }, '2.42'], 501);
  await refuses(cloud, admin(), ['PUT', '/os-hosts/h1', { status: 'odd' }, '2.42'], 400);
  await refuses(cloud, member(), ['GET', '/os-hosts', undefined, '2.42'], 403);
  await refuses(cloud, admin(), ['GET', '/os-hosts'], 404);
});

test("the extension list is upstream's", async () => {
  const { extensions } = await cloud.ok(member(), 'GET', '/extensions');
  assert.equal(extensions.length, 99);
  const one = {
    alias: 'os-keypairs',
    description: 'Keypair Support.',
    links: [],
    name: 'Keypairs',
    namespace: 'http://docs.openstack.org/compute/ext/fake_xml',
    updated: '2014-12-03T00:00:00Z',
  };
  assert.deepEqual(await cloud.ok(member(), 'GET', '/extensions/os-keypairs'), { extension: one });
  await refuses(cloud, member(), ['GET', '/extensions/none'], 404);
});
