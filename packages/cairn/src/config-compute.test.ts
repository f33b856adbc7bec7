import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { admin, IMAGE, member, TestCloud } from '@cairn/nova/testing/cloud';
import { defaultNovaOptions } from '@cairn/nova/options';
import { simulatedSize } from './cloud/simulated-size.ts';
import { configOf } from './config.ts';
import { computeOptions, cpuSetsOf } from './config-compute.ts';

/** The configuration of a file with this text. */
function fromFile(text: string) {
  const folder = mkdtempSync(join(tmpdir(), 'cairn-config-'));
  try {
    writeFileSync(join(folder, 'cairn.yaml'), text);
    return configOf({ config: join(folder, 'cairn.yaml') });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('without a word of the operator nova has its own defaults, but for sparse disks', () => {
  assert.deepEqual(computeOptions(configOf({})), { ...defaultNovaOptions, diskAllocationRatio: 4 });
});

test('what the operator says reaches nova', () => {
  const options = computeOptions(
    fromFile(`
hypervisor: { cpuRatio: 2, ramRatio: 1.5, diskRatio: 1, reservedMemoryMb: 2048, reservedDiskMb: 10240, reservedPages: [{ node: 1, sizeKb: 2048, count: 64 }] }
compute:
  defaultZone: here
  internalZone: inside
  scheduleZone: there
  reclaimSeconds: 1
  shelvedOffloadSeconds: -1
  consoleTokenSeconds: 2
  resizeConfirmSeconds: 3
  resizeToSameHost: false
  shutdownSeconds: 4
  livePostCopy: true
  serviceDownSeconds: 50
  dhcpDomain: example.org
  maxLimit: 7
  imageSignatures: { verify: true, validate: true, trusted: [c1] }
  quotas: { instances: 3, cores: -1 }
  scheduler:
    filters: [ComputeFilter, NUMATopologyFilter]
    isolateAggregates: true
    routedNetworks: false
    isolatedHosts: [h1]
    isolatedImages: [i1]
    restrictIsolatedHosts: false
    maxIoOperations: 8
    maxServers: 9
    weights: { ram: -1, cpu: 0.5, disk: 0, ioOps: -1, servers: 1, softAffinity: 2, softAntiAffinity: 3, buildFailures: 4, hypervisorVersion: 5, volumeHosts: 6 }
`),
  );
  assert.deepEqual(options, {
    ...defaultNovaOptions,
    cpuAllocationRatio: 2,
    ramAllocationRatio: 1.5,
    diskAllocationRatio: 1,
    reservedHostMemoryMb: 2_048,
    reservedHostDiskMb: 10_240,
    reservedPages: [{ node: 1, sizeKb: 2_048, count: 64 }],
    defaultAvailabilityZone: 'here',
    internalAvailabilityZone: 'inside',
    defaultScheduleZone: 'there',
    reclaimServerMs: 1_000,
    shelvedOffloadMs: -1,
    consoleTokenMs: 2_000,
    imageSignatures: { verify: true, validate: true, trusted: ['c1'] },
    resizeConfirmMs: 3_000,
    resizeToSameHost: false,
    shutdownGraceMs: 4_000,
    livePostCopy: true,
    serviceDownMs: 50_000,
    dhcpDomain: 'example.org',
    maxLimit: 7,
    quotaDefaults: { ...defaultNovaOptions.quotaDefaults, instances: 3, cores: -1 },
    scheduler: {
      filters: ['ComputeFilter', 'NUMATopologyFilter'],
      isolateAggregates: true,
      routedNetworks: false,
      isolatedHosts: ['h1'],
      isolatedImages: ['i1'],
      restrictIsolatedHosts: false,
      maxIoOperations: 8,
      maxServers: 9,
      weights: {
        ...{ ram: -1, cpu: 0.5, disk: 0, ioOps: -1, servers: 1, softAffinity: 2, softAntiAffinity: 3, buildFailures: 4 },
        ...{ hypervisorVersion: 5, volumeHosts: 6 },
      },
    },
  });
});

test('what cannot be is refused, and named', () => {
  assert.throws(() => fromFile('compute: { scheduler: { filters: [JsonFilter] } }'), /compute\.scheduler\.filters/);
  assert.throws(() => fromFile('compute: { scheduler: { weights: { metrics: 1 } } }'), /compute\.scheduler\.weights\.metrics/);
  assert.throws(() => fromFile('compute: { dhcpDomain: "a\\nb" }'), /compute\.dhcpDomain/);
  assert.throws(() => computeOptions(fromFile('compute: { quotas: { servers: 1 } }')), /compute\.quotas: there is no quota of servers/);
  const sets = (text: string) => () => cpuSetsOf(fromFile(`hypervisor: { ${text} }`).hypervisor);
  assert.throws(sets('dedicatedCpus: 3-1'), /hypervisor\.dedicatedCpus: Invalid range/);
  assert.throws(sets('dedicatedCpus: 0-3, sharedCpus: 3-5'), /hypervisor\.sharedCpus: 3 is dedicated/);
  assert.throws(sets('dedicatedCpus: "1", hosts: 2'), /for a machine that is one host/);
  const size = (text: string) => () => simulatedSize(fromFile(`hypervisor: { type: simulated, ${text} }`).hypervisor);
  assert.throws(size('dedicatedCpus: "60-64"'), /processors 0 to 63, and no 64/);
  assert.throws(size('simulated: { cpus: 10, numaNodes: 4 }'), /not shared evenly/);
  assert.throws(size('simulated: { memoryMb: 1024, pages: [{ sizeKb: 2048, count: 600 }] }'), /they are 1200 MB, and a NUMA node has 1024/);
});

test('a simulated host tells of nodes where it has something to choose from', () => {
  const size = (text: string) => simulatedSize(fromFile(`hypervisor: { type: simulated, ${text} }`).hypervisor);
  assert.deepEqual(size(''), { vcpus: 64, memoryMb: 262_144, diskGb: 4_000 });
  assert.deepEqual(
    size(
      'sharedCpus: 0-1, dedicatedCpus: "2-7,^6", simulated: { cpus: 8, memoryMb: 4096, diskGb: 9, numaNodes: 2, threadsPerCore: 2, pages: [{ sizeKb: 2048, count: 256 }] }',
    ),
    {
      vcpus: 8,
      memoryMb: 4_096,
      diskGb: 9,
      numa: [
        {
          id: 0,
          sharedCpus: [0, 1],
          dedicatedCpus: [2, 3],
          siblings: [
            [0, 1],
            [2, 3],
          ],
          memoryMb: 2_048,
          pages: [
            { sizeKb: 4, total: 393_216 },
            { sizeKb: 2_048, total: 256 },
          ],
        },
        {
          id: 1,
          sharedCpus: [],
          dedicatedCpus: [4, 5, 7],
          siblings: [
            [4, 5],
            [6, 7],
          ],
          memoryMb: 2_048,
          pages: [
            { sizeKb: 4, total: 393_216 },
            { sizeKb: 2_048, total: 256 },
          ],
        },
      ],
    },
  );
});

test('a cloud of such hosts places servers on what is left of them', async () => {
  const config = fromFile(`
hypervisor:
  type: simulated
  dedicatedCpus: 2-3,5-7
  reservedMemoryMb: 0
  reservedPages: [{ node: 0, sizeKb: 2048, count: 256 }, { node: 1, sizeKb: 2048, count: 1 }]
  simulated: { cpus: 8, memoryMb: 4096, diskGb: 100, numaNodes: 2, pages: [{ sizeKb: 2048, count: 256 }] }
compute: { scheduler: { filters: [ComputeFilter, NUMATopologyFilter] } }
`);
  const cloud = await TestCloud.open({ hosts: [{ name: 'h1', size: simulatedSize(config.hypervisor) }], options: computeOptions(config) });
  try {
    const flavor = async (id: string, ram: number, extraSpecs: object): Promise<string> => {
      await cloud.ok(admin(), 'POST', '/flavors', { flavor: { id, name: `f${id}`, ram, vcpus: 2, disk: 1 } });
      await cloud.ok(admin(), 'POST', `/flavors/${id}/os-extra_specs`, { extra_specs: extraSpecs });
      return id;
    };
    const status = async (flavorRef: string, hints: object = {}): Promise<string> => {
      const id = await cloud.create(member(), { flavorRef, imageRef: IMAGE, networks: 'none' }, { 'os:scheduler_hints': hints });
      return (await cloud.ok(admin(), 'GET', `/servers/${id}`)).server.status;
    };
    const pinned = await flavor('70', 64, { 'hw:cpu_policy': 'dedicated' });
    assert.deepEqual(
      [await status(pinned), await status(pinned), await status(pinned)],
      ['ACTIVE', 'ACTIVE', 'ERROR'],
      'two and three of the nodes are dedicated',
    );
    // 255 large pages of node 1 are left, and none of node 0
    const large = await flavor('71', 256, { 'hw:mem_page_size': '2MB' });
    assert.deepEqual([await status(large), await status(large)], ['ACTIVE', 'ERROR'], 'each takes 128');
    assert.equal(await status('1', { build_near_host_ip: '10.9.8.7', cidr: '/24' }), 'ACTIVE', 'SimpleCIDRAffinityFilter is not asked');
  } finally {
    await cloud.close();
  }
});
