import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createFace } from '@cairn/placement/app/face';
import { systemClock } from '@cairn/kit/clock/clock';
import { defaultNovaOptions, type NovaOptions } from '../options.ts';
import { admin, IMAGE, member, TestCloud } from '../testing/cloud.ts';
import { matchesSpec } from './extra-spec-match.ts';

const small = { vcpus: 8, memoryMb: 4_608, diskGb: 100 };
const placement = createFace(systemClock);

async function withCloud(work: (cloud: TestCloud) => Promise<void>, scheduler: Partial<NovaOptions['scheduler']> = {}): Promise<void> {
  const cloud = await TestCloud.open({
    hosts: ['h1', 'h2', 'h3'].map((name) => ({ name, size: { ...small } })),
    options: { quotaDefaults: {}, scheduler: { ...defaultNovaOptions.scheduler, ...scheduler } },
  });
  try {
    await work(cloud);
  } finally {
    await cloud.close();
  }
}

const serverOf = async (cloud: TestCloud, id: string) => (await cloud.ok(admin(), 'GET', `/servers/${id}`)).server;
const hostOf = async (cloud: TestCloud, id: string): Promise<string> => (await serverOf(cloud, id))['OS-EXT-SRV-ATTR:host'];
const aggregate = async (cloud: TestCloud, host: string, metadata: Record<string, string>): Promise<number> => {
  const made = (await cloud.ok(admin(), 'POST', '/os-aggregates', { aggregate: { name: `a${host}${Object.keys(metadata)[0]}` } })).aggregate;
  await cloud.ok(admin(), 'POST', `/os-aggregates/${made.id}/action`, { set_metadata: { metadata } });
  await cloud.ok(admin(), 'POST', `/os-aggregates/${made.id}/action`, { add_host: { host } });
  return made.id;
};
const flavor = async (cloud: TestCloud, id: string, extraSpecs: Record<string, string>): Promise<string> => {
  await cloud.ok(admin(), 'POST', '/flavors', { flavor: { id, name: `f.${id}`, ram: 256, vcpus: 1, disk: 1 } });
  await cloud.ok(admin(), 'POST', `/flavors/${id}/os-extra_specs`, { extra_specs: extraSpecs });
  return id;
};
/** Where three servers went, so that chance does not decide. */
const placesOf = async (cloud: TestCloud, server: object): Promise<string[]> => {
  const ids = [];
  for (let i = 0; i < 3; i += 1) ids.push(await cloud.create(member(), { networks: 'none', ...server }));
  return Promise.all(ids.map((id) => hostOf(cloud, id)));
};
const provider = async (cloud: TestCloud, host: string) => {
  const [found] = await placement.candidates(cloud.store.read, {
    resources: { VCPU: 1 },
    inTree: (await cloud.ok(admin(), 'GET', '/os-hypervisors')).hypervisors.find((one: Record<string, string>) => one['hypervisor_hostname'] === host).id,
    limit: 1,
  });
  return found;
};

describe('aggregates and extra specs choose hosts', () => {
  test("flavors go to aggregates that say what the flavor's extra specs ask for", () =>
    withCloud(async (cloud) => {
      await aggregate(cloud, 'h2', { ssd: 'true', generation: '4' });
      await flavor(cloud, '50', { 'aggregate_instance_extra_specs:ssd': 'true', 'aggregate_instance_extra_specs:generation': '>= 3' });
      assert.deepEqual(await placesOf(cloud, { flavorRef: '50' }), ['h2', 'h2', 'h2']);
      await flavor(cloud, '51', { ssd: 'true' });
      assert.deepEqual(await placesOf(cloud, { flavorRef: '51' }), ['h2', 'h2', 'h2'], 'a name without scope that an aggregate knows');
      await flavor(cloud, '52', { 'aggregate_instance_extra_specs:generation': '>= 5' });
      const failed = await serverOf(cloud, await cloud.create(member(), { flavorRef: '52', networks: 'none' }));
      assert.match(failed.fault.message, /0 left after AggregateInstanceExtraSpecsFilter/);
    }));

  test('capabilities of hosts are compared, and names of nothing are nobody’s business', () =>
    withCloud(async (cloud) => {
      await flavor(cloud, '53', { 'capabilities:hypervisor_hostname': 's== h3', 'capabilities:vcpus_total': '>= 8', unknown: 'x' });
      assert.deepEqual(await placesOf(cloud, { flavorRef: '53' }), ['h3', 'h3', 'h3']);
      await flavor(cloud, '54', { 'capabilities:cpu_info:vendor': 'Cairn', 'capabilities:cpu_info:topology:threads': '<= 0' });
      assert.equal((await serverOf(cloud, await cloud.create(member(), { flavorRef: '54', networks: 'none' }))).status, 'ERROR');
    }));

  test("images, flavors and projects that an aggregate is kept for keep others' servers away", () =>
    withCloud(async (cloud) => {
      await aggregate(cloud, 'h1', { os_distro: 'windows' });
      await aggregate(cloud, 'h2', { instance_type: 'm1.more' });
      assert.deepEqual(await placesOf(cloud, {}), ['h3', 'h3', 'h3']);
      await aggregate(cloud, 'h3', { filter_tenant_id: 'p2' });
      assert.equal((await serverOf(cloud, await cloud.create(member(), { networks: 'none' }))).status, 'ERROR');
    }));

  test('limits of servers per host hold, the cloud’s and an aggregate’s', () =>
    withCloud(
      async (cloud) => {
        await aggregate(cloud, 'h1', { max_instances_per_host: '2' });
        const places: string[] = [];
        for (let i = 0; i < 5; i += 1) places.push(await hostOf(cloud, await cloud.create(member(), { networks: 'none' })));
        assert.deepEqual(places.filter((host) => host !== null).sort(), ['h1', 'h1', 'h2', 'h3']);
      },
      { maxServers: 1 },
    ));

  test('hosts for certain images take those alone', () =>
    withCloud(async (cloud) => assert.deepEqual(await placesOf(cloud, {}), ['h2', 'h2', 'h2']), {
      isolatedHosts: ['h2'],
      isolatedImages: [IMAGE],
    }));

  test('a server is put near an address', () =>
    withCloud(async (cloud) => {
      const hint = (ip: string, cidr: string) => ({ 'os:scheduler_hints': { build_near_host_ip: ip, cidr } });
      const near = await cloud.create(member(), { networks: 'none' }, hint('127.0.0.9', '/24'));
      assert.equal((await serverOf(cloud, near)).status, 'ACTIVE');
      const far = await cloud.create(member(), { networks: 'none' }, hint('127.0.1.9', '/24'));
      assert.match((await serverOf(cloud, far)).fault.message, /0 left after SimpleCIDRAffinityFilter/);
    }));

  test('weights are turned round by options and by aggregates', async () => {
    const weights = { ...defaultNovaOptions.scheduler.weights, ram: -1, cpu: -1, disk: -1 };
    await withCloud(async (cloud) => assert.equal(new Set(await placesOf(cloud, {})).size, 1, 'stacked'), { weights });
    await withCloud(async (cloud) => {
      // hosts with much memory come first, but where their aggregate turns that round
      for (const host of ['h1', 'h2']) {
        Object.assign(cloud.agent(host).machine.size, { memoryMb: 9_000 });
        await aggregate(cloud, host, { ram_weight_multiplier: '-1' });
      }
      await cloud.nova.registry.beat();
      assert.equal((await placesOf(cloud, {}))[0], 'h3');
    });
  });

  test('a host where builds fail is chosen last, until one goes well', async () => {
    let broken = true;
    const cloud = await TestCloud.open({
      hosts: [
        { name: 'roomy', size: { vcpus: 64, memoryMb: 40_000, diskGb: 900 } },
        { name: 'h2', size: small },
      ],
      fault: ({ host, method, when }) => {
        if (broken && host === 'roomy' && method === 'guests.start' && when === 'before') throw new Error('no guest starts here');
      },
    });
    try {
      const first = await serverOf(cloud, await cloud.create(member(), { networks: 'none' }));
      assert.equal(first.status, 'ERROR');
      assert.deepEqual(await placesOf(cloud, {}), ['h2', 'h2', 'h2']);
      broken = false;
      const boss = { ...admin(), projectId: 'p1' };
      assert.equal(await hostOf(cloud, await cloud.create(boss, { networks: 'none', host: 'roomy' })), 'roomy');
      assert.deepEqual(await placesOf(cloud, {}), ['roomy', 'roomy', 'roomy']);
    } finally {
      await cloud.close();
    }
  });
});

describe('aggregates are mirrored in placement', () => {
  test('membership, disabled services, and what operators add there', () =>
    withCloud(async (cloud) => {
      const id = await aggregate(cloud, 'h1', { availability_zone: 'east' });
      const { aggregate: shown } = await cloud.ok(admin(), 'GET', `/os-aggregates/${id}`);
      const among = async () =>
        (await placement.candidates(cloud.store.read, { resources: { VCPU: 1 }, memberOf: [[shown.uuid]], limit: 9 })).map(({ providerName }) => providerName);
      assert.deepEqual(await among(), ['h1']);
      await cloud.ok(admin(), 'POST', `/os-aggregates/${id}/action`, { add_host: { host: 'h3' } });
      await cloud.ok(admin(), 'POST', `/os-aggregates/${id}/action`, { remove_host: { host: 'h1' } });
      assert.deepEqual(await among(), ['h3']);

      const { services } = await cloud.ok(admin(), 'GET', '/os-services?host=h3&binary=nova-compute');
      const inService = async () =>
        (await placement.candidates(cloud.store.read, { resources: { VCPU: 1 }, forbiddenTraits: ['COMPUTE_STATUS_DISABLED'], limit: 9 })).map(
          ({ providerName }) => providerName,
        );
      await cloud.ok(admin(), 'PUT', `/os-services/${services[0].id}`, { status: 'disabled' });
      assert.deepEqual((await inService()).sort(), ['h1', 'h2']);
      const id3 = (await provider(cloud, 'h3'))?.providerId as string;
      await cloud.store.write((tx) => placement.setTrait(tx, id3, 'CUSTOM_GOLD', true));
      // the host says something new of itself: what nova does not speak for stays, as do its memberships and its being disabled
      Object.assign(cloud.agent('h3').machine.size, { memoryMb: 8_000 });
      await cloud.nova.registry.beat();
      const gold = await placement.candidates(cloud.store.read, {
        resources: { VCPU: 1 },
        requiredTraits: ['CUSTOM_GOLD', 'COMPUTE_STATUS_DISABLED'],
        limit: 9,
      });
      assert.deepEqual(
        gold.map(({ providerName }) => providerName),
        ['h3'],
      );
      assert.deepEqual(await among(), ['h3']);
      await cloud.ok(admin(), 'PUT', `/os-services/${services[0].id}`, { status: 'enabled' });
      assert.deepEqual((await inService()).sort(), ['h1', 'h2', 'h3']);
    }));

  test('aggregates with required traits are kept for servers that require them', () =>
    withCloud(
      async (cloud) => {
        await aggregate(cloud, 'h1', { 'trait:CUSTOM_GOLD': 'required' });
        const id1 = (await provider(cloud, 'h1'))?.providerId as string;
        await cloud.store.write((tx) => placement.setTrait(tx, id1, 'CUSTOM_GOLD', true));
        assert.ok(!(await placesOf(cloud, {})).includes('h1'));
        await flavor(cloud, '60', { 'trait:CUSTOM_GOLD': 'required' });
        assert.deepEqual(await placesOf(cloud, { flavorRef: '60' }), ['h1', 'h1', 'h1']);
      },
      { isolateAggregates: true },
    ));
});

test('operators of extra specs mean what they mean upstream', () => {
  const holds: readonly (readonly [string, string, boolean])[] = [
    ['123', '= 123', true],
    ['124', '= 123', true],
    ['34', '= 234', false],
    ['34', '=', false],
    ['123', '== 123', true],
    ['4', '>= 3.5', true],
    ['abc', '>= 3', false],
    ['12311321', '<in> 11', true],
    ['12310321', '<in> 11', false],
    ['aes mmx aux', '<all-in> aes mmx', true],
    ['aes mmx aux', '<all-in> mmx txt', false],
    ['12', '<or> 11 <or> 12', true],
    ['13', '<or> 11 <or> 12', false],
    ['<or>', '<or> 11 <or> 12', false],
    ['a', 's!= b', true],
    ['2', 's< 10', false],
    ['same', 'same', true],
    ['x', 'X', false],
  ];
  for (const [value, wanted, expected] of holds) assert.equal(matchesSpec(value, wanted), expected, `${value} ${wanted}`);
});
