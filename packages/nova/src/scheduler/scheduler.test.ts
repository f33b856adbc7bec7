import assert from 'node:assert/strict';
import { test } from 'node:test';
import { on } from '@cairn/kit/store/store';
import type { NovaTables } from '../store/tables.ts';
import { admin, context, member, TestCloud } from '../testing/cloud.ts';
import { FILTER_NAMES } from '../options.ts';
import { noValidHost } from './explain.ts';
import { FILTERS } from './filters.ts';

const small = { vcpus: 8, memoryMb: 4_608, diskGb: 100 };
const hosts = [
  { name: 'h1', size: small },
  { name: 'h2', size: small },
  { name: 'h3', size: small },
];
const hostOf = async (cloud: TestCloud, id: string): Promise<string | null> =>
  (await cloud.ok(admin(), 'GET', `/servers/${id}`)).server['OS-EXT-SRV-ATTR:host'];
const faultOf = async (cloud: TestCloud, id: string): Promise<string> => (await cloud.ok(admin(), 'GET', `/servers/${id}`)).server.fault?.message ?? '';
const group = async (cloud: TestCloud, policy: string, rules: object = {}): Promise<string> => {
  const id = crypto.randomUUID();
  await cloud.store.write((tx) =>
    on<NovaTables>(tx)
      .insertInto('nova_server_group')
      .values({ id, project_id: 'p1', user_id: 'u1', name: 'g', policy, rules_json: JSON.stringify(rules), created_at_ms: 0 })
      .execute(),
  );
  return id;
};
const zone = async (cloud: TestCloud, name: string, host: string): Promise<void> => {
  const { aggregate } = await cloud.ok(admin(), 'POST', '/os-aggregates', { aggregate: { name: `a-${name}-${host}`, availability_zone: name } });
  await cloud.ok(admin(), 'POST', `/os-aggregates/${aggregate.id}/action`, { add_host: { host } });
};

const withCloud = (name: string, work: (cloud: TestCloud) => Promise<void>): void => {
  test(name, async () => {
    const cloud = await TestCloud.open({ hosts, options: { quotaDefaults: {} } });
    try {
      await work(cloud);
    } finally {
      await cloud.close();
    }
  });
};

withCloud('servers spread over hosts, also in one burst', async (cloud) => {
  await cloud.ok(member(), 'POST', '/servers', {
    server: { name: 's', imageRef: '11111111-1111-4111-8111-111111111111', flavorRef: '1', networks: 'none', min_count: 9 },
  });
  await cloud.settle();
  const { servers } = await cloud.ok(admin(), 'GET', '/servers/detail?all_tenants=1');
  const count = Map.groupBy(servers as Record<string, string>[], (server) => server['OS-EXT-SRV-ATTR:host']);
  // servers of one burst do not see each other's claims at once: one more or less is fine, a heap on one host is not
  const lengths = [...count.values()].map((list) => list.length);
  assert.ok(lengths.length === 3 && Math.max(...lengths) <= 4, `${lengths}`);
});

withCloud('capacity is never exceeded, and the server that does not fit names the nearest miss', async (cloud) => {
  // 4 GiB a host beside the reserve: two servers of 2 GiB each
  const ids = await Promise.all(Array.from({ length: 7 }, () => cloud.create(member(), { flavorRef: '2', networks: 'none' })));
  await cloud.settle();
  const states = await Promise.all(ids.map(async (id) => (await cloud.ok(admin(), 'GET', `/servers/${id}`)).server));
  assert.deepEqual(states.map((server) => server.status).sort(), ['ACTIVE', 'ACTIVE', 'ACTIVE', 'ACTIVE', 'ACTIVE', 'ACTIVE', 'ERROR']);
  const fault = states.find((server) => server.status === 'ERROR').fault.message;
  assert.match(fault, /needs 2048 MB of RAM, best host has 0 MB free/);
});

withCloud('anti-affinity keeps members apart, in one burst too, and says so when it cannot', async (cloud) => {
  const id = await group(cloud, 'anti-affinity');
  const made = await Promise.all(Array.from({ length: 4 }, () => cloud.create(member(), { networks: 'none' }, { 'os:scheduler_hints': { group: id } })));
  await cloud.settle();
  const places = await Promise.all(made.map((server) => hostOf(cloud, server)));
  assert.deepEqual(places.filter((host) => host !== null).sort(), ['h1', 'h2', 'h3']);
  const failed = made[places.indexOf(null)] as string;
  assert.match(await faultOf(cloud, failed), /0 left after ServerGroupAntiAffinityFilter/);
  const shown = (await cloud.ok(member(), 'GET', `/servers/${made[0]}`)).server;
  assert.deepEqual(shown.server_groups, [id]);
});

withCloud('affinity keeps members together', async (cloud) => {
  const id = await group(cloud, 'affinity');
  const made = await Promise.all(Array.from({ length: 3 }, () => cloud.create(member(), { networks: 'none' }, { 'os:scheduler_hints': { group: id } })));
  await cloud.settle();
  assert.equal(new Set(await Promise.all(made.map((server) => hostOf(cloud, server)))).size, 1);
});

withCloud('max_server_per_host and group quota hold', async (cloud) => {
  const id = await group(cloud, 'anti-affinity', { max_server_per_host: 2 });
  const made: string[] = [];
  for (let i = 0; i < 6; i += 1) made.push(await cloud.create(member(), { networks: 'none' }, { 'os:scheduler_hints': { group: id } }));
  const places = Map.groupBy(await Promise.all(made.map((server) => hostOf(cloud, server))), (host) => host);
  assert.deepEqual([...places.values()].map((list) => list.length).sort(), [2, 2, 2]);
});

withCloud('hints place a server beside or apart from others', async (cloud) => {
  const first = await cloud.create(member(), { networks: 'none' });
  const host = await hostOf(cloud, first);
  const beside = await cloud.create(member(), { networks: 'none' }, { 'os:scheduler_hints': { same_host: [first] } });
  assert.equal(await hostOf(cloud, beside), host);
  const apart = await cloud.create(member(), { networks: 'none' }, { 'OS-SCH-HNT:scheduler_hints': { different_host: first } });
  assert.notEqual(await hostOf(cloud, apart), host);
});

withCloud('zones and forced hosts are kept', async (cloud) => {
  await zone(cloud, 'east', 'h2');
  const east = await cloud.create(member(), { networks: 'none', availability_zone: 'east' });
  assert.equal(await hostOf(cloud, east), 'h2');
  const shown = (await cloud.ok(member(), 'GET', `/servers/${east}`)).server;
  assert.deepEqual([shown['OS-EXT-AZ:availability_zone'], shown.pinned_availability_zone], ['east', 'east']);
  const plain = (await cloud.ok(member(), 'GET', `/servers/${await cloud.create(member(), { networks: 'none', availability_zone: 'nova' })}`)).server;
  assert.equal(plain['OS-EXT-AZ:availability_zone'], 'nova');
  const boss = context({ roles: ['admin', 'member', 'reader'] });
  assert.equal(await hostOf(cloud, await cloud.create(boss, { networks: 'none', availability_zone: 'nova:h3' })), 'h3');
  assert.equal(await hostOf(cloud, await cloud.create(boss, { networks: 'none', host: 'h1' })), 'h1');
  assert.equal(
    (
      await cloud.request(boss, 'POST', '/servers', {
        server: { name: 'x', imageRef: '11111111-1111-4111-8111-111111111111', flavorRef: '1', networks: 'none', host: 'h9' },
      })
    ).status,
    400,
  );
  const missing = await cloud.create(boss, { networks: 'none', availability_zone: 'nova:h9' });
  assert.match(await faultOf(cloud, missing), /RequestedDestination: only the requested host would do/);
});

withCloud('a host of a disabled service gets no servers', async (cloud) => {
  await cloud.store.write((tx) => on<NovaTables>(tx).updateTable('nova_service').set({ disabled: 1 }).where('host', 'in', ['h1', 'h2']).execute());
  const places = await Promise.all(Array.from({ length: 3 }, async () => await hostOf(cloud, await cloud.create(member(), { networks: 'none' }))));
  assert.deepEqual(places, ['h3', 'h3', 'h3']);
});

withCloud('a server goes to the host that keeps its volume, where that has room; volumes of other hosts are attached to it', async (cloud) => {
  const volume = { id: '88888888-8888-4888-8888-888888888888', host: 'h2', bootable: true };
  await cloud.cinder.addVolume(volume);
  const id = await cloud.create(member(), {
    imageRef: '',
    networks: 'none',
    block_device_mapping_v2: [{ source_type: 'volume', destination_type: 'volume', uuid: volume.id, boot_index: 0 }],
  });
  assert.equal(await hostOf(cloud, id), 'h2');
  await cloud.cinder.addVolume({ id: '99999999-8888-4888-8888-888888888888', host: 'h3' });
  await cloud.ok(member(), 'POST', `/servers/${id}/os-volume_attachments`, { volumeAttachment: { volumeId: '99999999-8888-4888-8888-888888888888' } });
  await cloud.settle();
  const served = await cloud.agent('h3').disks.served();
  assert.deepEqual(
    served.map(({ diskId }) => diskId),
    ['99999999-8888-4888-8888-888888888888'],
  );
});

withCloud('an image for another architecture is placed nowhere', async (cloud) => {
  await cloud.glance.addImage({ id: '66666666-6666-4666-8666-666666666666', properties: { hw_architecture: 'aarch64' } });
  const id = await cloud.create(member(), { imageRef: '66666666-6666-4666-8666-666666666666', networks: 'none' });
  assert.match(await faultOf(cloud, id), /0 left after ImagePropertiesFilter/);
});

test('the filters that an operator may choose among are all but those that carry out what was asked', () => {
  const always = ['RequestedDestination', 'IgnoreHosts', 'AvailabilityZoneFilter', 'PhysicalNetworks'];
  assert.deepEqual(
    FILTERS.map(({ name }) => name).filter((name) => !always.includes(name)),
    FILTER_NAMES,
  );
});

test('the explanation names numbers, no hosts', () => {
  const error = noValidHost(
    {
      providersTotal: 2,
      filters: [
        { name: 'VCPU 1', left: 2 },
        { name: 'MEMORY_MB 8192', left: 0 },
      ],
      nearest: [{ resourceClass: 'MEMORY_MB', needed: 8_192, bestFree: 6_144, bestProvider: 'secret-host', reason: 'free' }],
    },
    [],
  );
  assert.equal(
    error.message,
    'No valid host was found. There are not enough hosts available. Nearest miss: needs 8192 MB of RAM, best host has 6144 MB free. Of 2 hosts: 2 left after VCPU 1, 0 left after MEMORY_MB 8192.',
  );
  assert.equal(
    noValidHost({ providersTotal: 0, filters: [], nearest: [] }, []).message,
    'No valid host was found. There are not enough hosts available. The cloud has no compute host.',
  );
});
