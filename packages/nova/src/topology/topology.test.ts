import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import type { HostNumaCell } from '@cairn/host/interface/agent';
import { createFace } from '@cairn/placement/app/face';
import { systemClock } from '@cairn/kit/clock/clock';
import { on } from '@cairn/kit/store/store';
import { sql } from 'kysely';
import type { NovaTables } from '../store/tables.ts';
import { admin, IMAGE, member, NETWORK, TestCloud } from '../testing/cloud.ts';

const placement = createFace(systemClock);
const range = (from: number, count: number): number[] => Array.from({ length: count }, (_, at) => from + at);

/** Two nodes of 8 processors with two threads a core: 2 shared and 6 dedicated, 8 GiB, a quarter of them in large pages. */
const cell = (id: number): HostNumaCell => ({
  id,
  sharedCpus: range(id * 8, 2),
  dedicatedCpus: range(id * 8 + 2, 6),
  siblings: range(0, 4).map((core) => [id * 8 + core * 2, id * 8 + core * 2 + 1]),
  memoryMb: 8_192,
  pages: [
    { sizeKb: 4, total: (6_144 * 1_024) / 4 },
    { sizeKb: 2_048, total: 1_024 },
  ],
});
const size = { vcpus: 16, memoryMb: 16_384, diskGb: 400, numa: [cell(0), cell(1)] };

async function withCloud(hosts: readonly string[], work: (cloud: TestCloud) => Promise<void>): Promise<void> {
  const cloud = await TestCloud.open({ hosts: hosts.map((name) => ({ name, size })), options: { quotaDefaults: {}, reservedHostMemoryMb: 0 } });
  try {
    await work(cloud);
  } finally {
    await cloud.close();
  }
}

let flavors = 100;
async function flavor(cloud: TestCloud, vcpus: number, ram: number, extraSpecs: Record<string, string>): Promise<string> {
  const id = String((flavors += 1));
  await cloud.ok(admin(), 'POST', '/flavors', { flavor: { id, name: `n.${id}`, ram, vcpus, disk: 1 } });
  await cloud.ok(admin(), 'POST', `/flavors/${id}/os-extra_specs`, { extra_specs: extraSpecs });
  return id;
}
const show = async (cloud: TestCloud, id: string) => (await cloud.ok(admin(), 'GET', `/servers/${id}`)).server;
const topology = (cloud: TestCloud, id: string, ctx = admin()) => cloud.ok(ctx, 'GET', `/servers/${id}/topology`);
const make = (cloud: TestCloud, flavorRef: string, more: object = {}) => cloud.create(member(), { flavorRef, networks: 'none', ...more });
const refusal = async (cloud: TestCloud, flavorRef: string, imageRef = IMAGE): Promise<readonly [number, string]> => {
  const answer = await cloud.request(member(), 'POST', '/servers', { server: { name: 'x', imageRef, flavorRef, networks: 'none' } });
  return [answer.status, answer.body.badRequest?.message ?? ''];
};
const pinsOf = (shown: { nodes: { cpu_pinning: Record<string, number> }[] }): number[] =>
  shown.nodes.flatMap((node) => Object.values(node.cpu_pinning)).sort((a, b) => a - b);
const usage = async (cloud: TestCloud, host: string) => {
  const { hypervisors } = await cloud.ok(admin(), 'GET', '/os-hypervisors');
  return placement.usageOf(cloud.store.read, hypervisors.find((one: Record<string, string>) => one['hypervisor_hostname'] === host).id);
};

describe('NUMA nodes, pinned processors and large pages', () => {
  test('pinned processors are claimed one by one, given to nobody else, and free again after deletion', () =>
    withCloud(['h1'], async (cloud) => {
      const id = await flavor(cloud, 4, 1_024, { 'hw:cpu_policy': 'dedicated' });
      const [one, two] = [await make(cloud, id), await make(cloud, id)];
      const [first, second] = [await topology(cloud, one), await topology(cloud, two)];
      assert.equal(first.nodes.length, 1);
      assert.deepEqual(first.nodes[0].vcpu_set, [0, 1, 2, 3]);
      assert.notEqual(first.nodes[0].host_node, second.nodes[0].host_node, 'a node has six: each takes another');
      const pins = [...pinsOf(first), ...pinsOf(second)];
      assert.equal(new Set(pins).size, 8);
      assert.ok(
        pins.every((cpu) => cpu % 8 >= 2),
        'shared processors are nobody’s own',
      );
      assert.deepEqual(await usage(cloud, 'h1'), { DISK_GB: 2, MEMORY_MB: 2_048, PCPU: 8, VCPU: 0 });
      // four are left, two on each node: placement has room, the nodes have not
      const third = await show(cloud, await make(cloud, id));
      assert.match(third.fault.message, /0 left after NUMATopologyFilter/);
      const split = await flavor(cloud, 4, 1_024, { 'hw:cpu_policy': 'dedicated', 'hw:numa_nodes': '2' });
      const over = await make(cloud, split);
      assert.deepEqual((await topology(cloud, over)).nodes.map((node: { host_node: number; vcpu_set: number[] }) => [node.host_node, node.vcpu_set]).sort(), [
        [0, [0, 1]],
        [1, [2, 3]],
      ]);
      const fourth = await show(cloud, await make(cloud, id));
      assert.match(fourth.fault.message, /needs 4 dedicated CPUs, best host has 0 free/);
      await cloud.ok(member(), 'DELETE', `/servers/${one}`);
      await cloud.settle();
      assert.equal((await show(cloud, await make(cloud, id))).status, 'ACTIVE');
      // what the guest is started from says the same
      const guest = cloud.agent('h1').machine.guests.get(two);
      assert.deepEqual(
        Object.values(guest?.spec.hardware?.numa?.cells[0]?.pins ?? {}).sort((a, b) => a - b),
        pinsOf(second),
      );
    }));

  test('threads: whole cores where required, other threads idle where isolated, and mixed processors', () =>
    withCloud(['h1'], async (cloud) => {
      const required = await make(cloud, await flavor(cloud, 4, 512, { 'hw:cpu_policy': 'dedicated', 'hw:cpu_thread_policy': 'require' }));
      const shown = await topology(cloud, required);
      assert.equal(shown.nodes[0].siblings.length, 2);
      const isolated = await flavor(cloud, 3, 512, { 'hw:cpu_policy': 'dedicated', 'hw:cpu_thread_policy': 'isolate' });
      const apart = await topology(cloud, await make(cloud, isolated));
      const cores = pinsOf(apart).map((cpu) => Math.floor(cpu / 2));
      assert.equal(new Set(cores).size, 3);
      assert.deepEqual(apart.nodes[0].siblings, []);
      // three cores of that node are taken, though three threads of them are idle; two processors are left on the other
      assert.equal((await show(cloud, await make(cloud, await flavor(cloud, 3, 512, { 'hw:cpu_policy': 'dedicated' })))).status, 'ERROR');
      const mixed = await make(cloud, await flavor(cloud, 3, 512, { 'hw:cpu_policy': 'mixed', 'hw:cpu_dedicated_mask': '^0' }));
      const both = await topology(cloud, mixed);
      assert.deepEqual(
        [both.nodes[0].vcpu_set, Object.keys(both.nodes[0].cpu_pinning)],
        [
          [0, 1, 2],
          ['1', '2'],
        ],
      );
      assert.equal((await usage(cloud, 'h1'))['VCPU'], 1);
    }));

  test('a processor of its own for what emulates the machine', () =>
    withCloud(['h1'], async (cloud) => {
      const id = await flavor(cloud, 5, 512, { 'hw:cpu_policy': 'dedicated', 'hw:emulator_threads_policy': 'isolate' });
      const server = await make(cloud, id);
      assert.equal((await usage(cloud, 'h1'))['PCPU'], 6);
      const numa = cloud.agent('h1').machine.guests.get(server)?.spec.hardware?.numa;
      assert.equal(numa?.emulatorCpus.length, 1);
      assert.ok(!Object.values(numa?.cells[0]?.pins ?? {}).includes(numa?.emulatorCpus[0] as number));
    }));

  test('large pages come from one node, and run out', () =>
    withCloud(['h1'], async (cloud) => {
      const id = await flavor(cloud, 1, 1_536, { 'hw:mem_page_size': 'large' });
      const servers = [await make(cloud, id), await make(cloud, id)];
      const shown = await Promise.all(servers.map((server) => topology(cloud, server)));
      assert.deepEqual(
        shown.map(({ pagesize_kb }) => pagesize_kb),
        [2_048, 2_048],
      );
      assert.notEqual(shown[0].nodes[0].host_node, shown[1].nodes[0].host_node);
      assert.match((await show(cloud, await make(cloud, id))).fault.message, /NUMATopologyFilter/);
      const any = await make(cloud, await flavor(cloud, 1, 1_536, { 'hw:mem_page_size': 'any' }));
      assert.equal((await topology(cloud, any)).pagesize_kb, 4, 'any takes what is left');
      assert.equal((await topology(cloud, await make(cloud, await flavor(cloud, 1, 512, { 'hw:mem_page_size': '2MB' })))).pagesize_kb, 2_048);
      assert.match((await show(cloud, await make(cloud, await flavor(cloud, 1, 512, { 'hw:mem_page_size': '1GB' })))).fault.message, /NUMATopologyFilter/);
    }));

  test('a burst of servers never shares a processor', () =>
    withCloud(['h1', 'h2'], async (cloud) => {
      const id = await flavor(cloud, 3, 256, { 'hw:cpu_policy': 'dedicated' });
      const made = await Promise.all(
        range(0, 12).map(
          async () => (await cloud.ok(member(), 'POST', '/servers', { server: { name: 'b', imageRef: IMAGE, flavorRef: id, networks: 'none' } })).server.id,
        ),
      );
      await cloud.settle();
      const shown = await Promise.all(made.map(async (server) => ({ server: await show(cloud, server), topology: await topology(cloud, server) })));
      const active = shown.filter(({ server }) => server.status === 'ACTIVE');
      assert.equal(active.length, 8, 'two on each of four nodes');
      const taken = active.flatMap(({ server, topology: { nodes } }) =>
        Object.values(nodes[0].cpu_pinning).map((cpu) => `${server['OS-EXT-SRV-ATTR:host']} ${cpu}`),
      );
      assert.equal(new Set(taken).size, 24);
    }));

  test('a resize holds both places until it is confirmed or taken back', () =>
    withCloud(['h1'], async (cloud) => {
      const [small, large] = [
        await flavor(cloud, 2, 256, { 'hw:cpu_policy': 'dedicated' }),
        await flavor(cloud, 4, 512, { 'hw:cpu_policy': 'dedicated', 'hw:numa_nodes': '2' }),
      ];
      const server = await make(cloud, small);
      const before = await topology(cloud, server);
      const resize = async () => {
        await cloud.ok(member(), 'POST', `/servers/${server}/action`, { resize: { flavorRef: large } });
        await cloud.settle();
      };
      await resize();
      assert.equal((await show(cloud, server)).status, 'VERIFY_RESIZE');
      const after = await topology(cloud, server);
      assert.equal(after.nodes.length, 2);
      assert.ok(!pinsOf(after).some((cpu) => pinsOf(before).includes(cpu)));
      assert.equal((await usage(cloud, 'h1'))['PCPU'], 6);
      await cloud.ok(member(), 'POST', `/servers/${server}/action`, { revertResize: null });
      await cloud.settle();
      assert.deepEqual(await topology(cloud, server), before);
      assert.deepEqual(Object.values(cloud.agent('h1').machine.guests.get(server)?.spec.hardware?.numa?.cells[0]?.pins ?? {}).sort(), pinsOf(before));
      await resize();
      await cloud.ok(member(), 'POST', `/servers/${server}/action`, { confirmResize: null });
      await cloud.settle();
      assert.equal((await topology(cloud, server)).nodes.length, 2);
      assert.equal((await usage(cloud, 'h1'))['PCPU'], 4);
    }));

  test('a live migration takes processors on the other host', () =>
    withCloud(['h1', 'h2'], async (cloud) => {
      const server = await make(cloud, await flavor(cloud, 4, 256, { 'hw:cpu_policy': 'dedicated' }));
      const from = (await show(cloud, server))['OS-EXT-SRV-ATTR:host'];
      const to = from === 'h1' ? 'h2' : 'h1';
      // the other host's processors of that place are taken, so the pins must differ
      await cloud.ok(admin(), 'POST', `/servers/${server}/action`, { 'os-migrateLive': { host: null, block_migration: 'auto' } });
      await cloud.settle();
      assert.equal((await show(cloud, server))['OS-EXT-SRV-ATTR:host'], to);
      const pins = pinsOf(await topology(cloud, server));
      assert.deepEqual(
        Object.values(cloud.agent(to).machine.guests.get(server)?.spec.hardware?.numa?.cells[0]?.pins ?? {}).sort((a, b) => a - b),
        pins,
      );
      assert.deepEqual([(await usage(cloud, from))['PCPU'], (await usage(cloud, to))['PCPU']], [0, 4]);
    }));

  test('who may not see the host sees the guest alone; a server that does not care has no nodes', () =>
    withCloud(['h1'], async (cloud) => {
      const server = await make(cloud, await flavor(cloud, 2, 256, { 'hw:numa_nodes': '1' }));
      assert.deepEqual(await topology(cloud, server, member()), {
        nodes: [{ vcpu_set: [0, 1], siblings: [], memory_mb: 256 }],
        pagesize_kb: null,
      });
      assert.deepEqual(await topology(cloud, await make(cloud, '1')), { nodes: [], pagesize_kb: null });
    }));
});

describe('what contradicts itself is refused at once', () => {
  const cases: readonly (readonly [Record<string, string>, Record<string, string>, RegExp])[] = [
    [{ 'hw:cpu_policy': 'shared' }, { hw_cpu_policy: 'dedicated' }, /'hw_cpu_policy' is not permitted to override CPU pinning policy/],
    [{ 'hw:cpu_policy': 'wild' }, {}, /CPU policy requested from 'flavor extra specs' is invalid, given: 'wild'/],
    [{ 'hw:cpu_thread_policy': 'isolate' }, {}, /Cannot set cpu thread pinning policy in a non dedicated cpu pinning policy/],
    [{ 'hw:emulator_threads_policy': 'isolate' }, {}, /An isolated CPU emulator threads option requires a dedicated CPU policy option/],
    [{ 'hw:cpu_policy': 'mixed' }, {}, /Dedicated CPU set can be specified from either/],
    [{ 'hw:cpu_policy': 'mixed', 'hw:cpu_dedicated_mask': '0-3' }, {}, /Mixed instance must have at least 1 pinned vCPU and 1 unpinned/],
    [{ 'hw:cpu_dedicated_mask': '0' }, {}, /Cannot specify 'hw:cpu_dedicated_mask' without the 'mixed' policy/],
    [{ 'resources:PCPU': '3' }, {}, /mismatch between the number of PCPUs requested/],
    [{ 'hw:cpu_policy': 'dedicated', 'resources:VCPU': '4' }, {}, /It is not possible to use the 'resources:VCPU'/],
    [{ 'hw:numa_nodes': '3' }, {}, /cannot be evenly distributed across instance NUMA nodes/],
    [{ 'hw:numa_nodes': '2' }, { hw_numa_nodes: '2' }, /'hw_numa_nodes' is not permitted to override NUMA configuration/],
    [{ 'hw:numa_nodes': '2', 'hw:numa_cpus.0': '0-3' }, {}, /CPU and memory allocation must be provided for all NUMA nodes/],
    [
      { 'hw:numa_nodes': '2', 'hw:numa_cpus.0': '0-2', 'hw:numa_cpus.1': '2,3', 'hw:numa_mem.0': '256', 'hw:numa_mem.1': '256' },
      {},
      /CPU number 2 is assigned to two nodes/,
    ],
    [{ 'hw:numa_nodes': '1', 'hw:numa_cpus.0': '0-2', 'hw:numa_mem.0': '512' }, {}, /CPU number \{3\} is not assigned to any node/],
    [{ 'hw:numa_nodes': '1', 'hw:numa_cpus.0': '0-3', 'hw:numa_mem.0': '500' }, {}, /500 MB of memory assigned, but expected 512 MB/],
    [{ 'hw:mem_page_size': 'huge' }, {}, /Invalid memory page size 'huge'/],
    [{}, { hw_mem_page_size: '2MB' }, /Page size 2MB forbidden against '<empty>'/],
    [{ 'hw:mem_page_size': 'small' }, { hw_mem_page_size: '2MB' }, /Page size 2MB forbidden against 'small'/],
    [{ 'hw:locked_memory': 'true' }, {}, /locked_memory value in image or flavor is forbidden when mem_page_size is not set/],
    [{ 'hw:cpu_max_sockets': '2' }, { hw_cpu_max_sockets: '4' }, /Image vCPU topology limits .* exceeds the limits of the flavor/],
    [{ 'hw:cpu_max_sockets': '1', 'hw:cpu_max_cores': '1', 'hw:cpu_max_threads': '1' }, {}, /are impossible to satisfy for vcpus count 4/],
    [{ 'hw:tpm_version': '2.0' }, { hw_tpm_version: '1.2' }, /Conflicting values for tpm_version found in the flavor \(2\.0\) and the image \(1\.2\)/],
    [{ 'hw:tpm_version': '1.2', 'hw:tpm_model': 'tpm-crb' }, {}, /TPM model CRB is only valid with TPM version 2\.0/],
    [{ 'os:secure_boot': 'maybe' }, {}, /Invalid secure boot policy 'maybe'/],
    [{ 'hw:pmu': 'true' }, { hw_pmu: 'false' }, /pmu/],
    [{ 'hw:serial_port_count': '1' }, { hw_serial_port_count: '2' }, /Forbidden to exceed flavor value of number of serial ports/],
    [{ 'hw_video:ram_max_mb': '8' }, { hw_video_ram: '16' }, /video memory 16 is higher than the maximum allowed by flavor 8/],
  ];
  test('by upstream’s words', () =>
    withCloud(['h1'], async (cloud) => {
      for (const [extraSpecs, properties, words] of cases) {
        // older versions take any extra spec
        const id = String((flavors += 1));
        await cloud.ok(admin(), 'POST', '/flavors', { flavor: { id, name: `n.${id}`, ram: 512, vcpus: 4, disk: 1 } });
        if (Object.keys(extraSpecs).length > 0) await cloud.ok(admin(), 'POST', `/flavors/${id}/os-extra_specs`, { extra_specs: extraSpecs }, '2.61');
        const imageId = crypto.randomUUID();
        await cloud.glance.addImage({ id: imageId, properties });
        const [status, message] = await refusal(cloud, id, imageId);
        assert.equal(status, 400, JSON.stringify(extraSpecs));
        assert.match(message, words);
      }
      assert.equal((await cloud.ok(admin(), 'GET', '/servers?all_tenants=1')).servers.length, 0);
    }));

  test('a rebuild may not change the topology, a resize not to nonsense', () =>
    withCloud(['h1'], async (cloud) => {
      const server = await make(cloud, await flavor(cloud, 4, 512, { 'hw:numa_nodes': '1', 'hw:mem_page_size': 'any' }));
      const other = crypto.randomUUID();
      await cloud.glance.addImage({ id: other, properties: { hw_mem_page_size: '2MB' } });
      const rebuilt = await cloud.request(member(), 'POST', `/servers/${server}/action`, { rebuild: { imageRef: other } });
      assert.deepEqual([rebuilt.status, /NUMA topology cannot be changed as part of a rebuild/.test(rebuilt.body.badRequest.message)], [400, true]);
      const nonsense = await flavor(cloud, 4, 512, { 'hw:numa_nodes': '3' });
      const resized = await cloud.request(member(), 'POST', `/servers/${server}/action`, { resize: { flavorRef: nonsense } });
      assert.equal(resized.status, 400);
    }));
});

/** The secret is not in the database: in no row, and not in its files. */
async function closed(cloud: TestCloud, secret: string): Promise<void> {
  const [row] = await on<NovaTables>(cloud.store.read).selectFrom('nova_tpm').selectAll().execute();
  assert.ok(row && row.secret.length > secret.length / 2 && !row.secret.includes(secret));
  if (cloud.store.engine !== 'sqlite') return;
  const { rows } = await sql<{ file: string }>`PRAGMA database_list`.execute(on<NovaTables>(cloud.store.read));
  const file = rows.find((one) => one.file !== '')?.file;
  assert.ok(file);
  const texts = ['', '-wal'].flatMap((suffix) => (existsSync(file + suffix) ? [readFileSync(file + suffix)] : []));
  assert.ok(
    texts.some((text) => text.includes(row.secret)),
    'this is where rows are',
  );
  assert.ok(texts.every((text) => !text.includes(secret)));
}

describe('virtual TPMs', () => {
  test('remember over reboots, resizes to another host and back; what would part them from their state is refused', () =>
    withCloud(['h1', 'h2'], async (cloud) => {
      const [one, two] = [
        await flavor(cloud, 1, 256, { 'hw:tpm_version': '2.0' }),
        await flavor(cloud, 1, 512, { 'hw:tpm_version': '2.0', 'hw:tpm_model': 'tpm-crb' }),
      ];
      const server = await make(cloud, one, { networks: [{ uuid: NETWORK }] });
      const hostOf = async (): Promise<string> => (await show(cloud, server))['OS-EXT-SRV-ATTR:host'];
      const guest = async () => cloud.agent(await hostOf()).machine.guests.get(server);
      const secret = (await guest())?.spec.hardware?.tpm?.secret;
      assert.match(secret ?? '', /^[0-9a-f]{64}$/);
      assert.ok(secret);
      await closed(cloud, secret);
      const remembered = (await guest())?.tpm;
      const act = async (body: object, ctx = member()) => {
        await cloud.ok(ctx, 'POST', `/servers/${server}/action`, body);
        await cloud.settle();
      };
      await act({ reboot: { type: 'HARD' } });
      assert.equal((await guest())?.tpm, remembered);
      const first = await hostOf();
      await act({ migrate: null }, admin());
      assert.notEqual(await hostOf(), first);
      assert.equal((await guest())?.tpm, remembered);
      await act({ revertResize: null });
      assert.equal((await guest())?.tpm, remembered);
      await act({ resize: { flavorRef: two } });
      await act({ confirmResize: null });
      assert.deepEqual(
        [(await guest())?.tpm, (await guest())?.spec.hardware?.tpm?.model, (await guest())?.spec.hardware?.tpm?.secret],
        [remembered, 'tpm-crb', secret],
      );
      await closed(cloud, secret);
      assert.equal(await cloud.nova.resealKeys(), 1);
      await act({ reboot: { type: 'HARD' } });
      assert.equal((await guest())?.spec.hardware?.tpm?.secret, secret, 'sealed anew, it is the same');
      for (const [body, operation] of [
        [{ rebuild: { imageRef: IMAGE } }, 'rebuild'],
        [{ shelve: null }, 'shelve'],
        [{ rescue: null }, 'rescue'],
        [{ 'os-migrateLive': { host: null, block_migration: 'auto' } }, 'live-migration'],
      ] as const) {
        const answer = await cloud.request(admin(), 'POST', `/servers/${server}/action`, body);
        assert.deepEqual(
          [answer.status, answer.body.conflictingRequest?.message],
          [409, `Operation '${operation}' not supported for vTPM-enabled instance (${server}).`],
        );
      }
      await cloud.ok(member(), 'DELETE', `/servers/${server}`);
      await cloud.settle();
      assert.doesNotMatch(JSON.stringify(await show(cloud, server).catch(() => ({}))), new RegExp(secret ?? 'x'));
    }));
});
