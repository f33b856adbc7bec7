import { randomUUID } from 'node:crypto';
import type { PlacementApp } from '../app/app.ts';

/** What a fixture makes: providers in the store, and names for them in `$ENVIRON`. */
export class Builder {
  readonly environ: Record<string, string> = {};
  readonly #app: PlacementApp;
  readonly #ids = new Map<string, string>();

  constructor(app: PlacementApp) {
    this.#app = app;
    for (const name of [
      'RP_UUID',
      'RP_NAME',
      'RP_UUID1',
      'RP_NAME1',
      'RP_UUID2',
      'RP_NAME2',
      'PROJECT_ID',
      'ADMIN_PROJECT_ID',
      'SERVICE_PROJECT_ID',
      'USER_ID',
      'PROJECT_ID_ALT',
      'USER_ID_ALT',
    ])
      this.environ[name] = randomUUID();
    for (const name of ['INSTANCE_UUID', 'MIGRATION_UUID', 'CONSUMER_UUID', 'PARENT_PROVIDER_UUID', 'ALT_PARENT_PROVIDER_UUID'])
      this.environ[name] = randomUUID();
    Object.assign(this.environ, { CUSTOM_RES_CLASS: 'CUSTOM_IRON_NFV', CUSTOM_RES_CLASS1: 'CUSTOM_IRON_NFV1', CUSTOM_RES_CLASS2: 'CUSTOM_IRON_NFV2' });
  }

  /** Sets an environment variable to a new UUID, or the given text. */
  name(variable: string, value: string = randomUUID()): string {
    this.environ[variable] = value;
    return value;
  }

  /** A provider with what it has; returns its id. `variable` names it in the environment. */
  async provider(name: string, is: ProviderFacts = {}): Promise<string> {
    const { id } = await this.#app.providers.create({ name, ...(is.id && { id: is.id }), parentId: is.parent ?? null });
    this.#ids.set(name, id);
    if (is.variable) this.environ[is.variable] = id;
    if (is.aggregates?.length) await this.#app.providers.setAggregates(id, is.aggregates, undefined);
    for (const [resourceClass, inventory] of Object.entries(is.inventories ?? {})) {
      if (resourceClass.startsWith('CUSTOM_')) await this.#app.resourceClasses.ensure(resourceClass);
      const input = typeof inventory === 'number' ? { total: inventory } : inventory;
      await this.#app.inventories.add(id, resourceClass, { max_unit: input.total, ...input }, true);
    }
    for (const trait of is.traits ?? []) if (trait.startsWith('CUSTOM_')) await this.#app.traits.ensure(trait);
    if (is.traits?.length) await this.#app.traits.setOfProvider(id, is.traits);
    return id;
  }

  /** Allocations of a new consumer; returns its id. */
  async consumer(
    providerId: string,
    resources: Readonly<Record<string, number>>,
    owner: { readonly projectId?: string; readonly userId?: string } = {},
  ): Promise<string> {
    const consumerId = randomUUID();
    await this.#app.allocations.set([{ consumerId, ...owner, generation: undefined, allocations: { [providerId]: resources } }], '');
    return consumerId;
  }

  resourceClass(name: string): Promise<boolean> {
    return this.#app.resourceClasses.ensure(name);
  }
}

interface InventoryNumbers {
  readonly total: number;
  readonly reserved?: number;
  readonly min_unit?: number;
  readonly max_unit?: number;
  readonly step_size?: number;
  readonly allocation_ratio?: number;
}

interface ProviderFacts {
  readonly id?: string;
  readonly variable?: string;
  readonly parent?: string;
  readonly aggregates?: readonly string[];
  readonly inventories?: Readonly<Record<string, number | InventoryNumbers>>;
  readonly traits?: readonly string[];
}

export type Fixture = (build: Builder) => Promise<void>;
const SHARES = 'MISC_SHARES_VIA_AGGREGATE';

const allocation: Fixture = async (build) => {
  const owner = { projectId: build.environ['PROJECT_ID'] as string, userId: build.environ['USER_ID'] as string };
  const altUser = build.name('ALT_USER_ID');
  const rp = await build.provider(build.environ['RP_NAME'] as string, {
    id: build.environ['RP_UUID'] as string,
    inventories: { DISK_GB: { total: 2_048, step_size: 10, min_unit: 10, max_unit: 1_000 }, VCPU: 10 },
  });
  build.name('CONSUMER_0', await build.consumer(rp, { DISK_GB: 1_000 }, owner));
  build.name('CONSUMER_ID', await build.consumer(rp, { VCPU: 6 }, owner));
  build.name('ALT_CONSUMER_ID', await build.consumer(rp, { DISK_GB: 20, VCPU: 1 }, { ...owner, userId: altUser }));
  build.name('ALT_RP_UUID');
  build.name('ALT_RP_NAME');
};

const sharedStorage: Fixture = async (build) => {
  const aggregates = [build.name('AGG_UUID')];
  const compute = { VCPU: { total: 24, allocation_ratio: 16 }, MEMORY_MB: { total: 128 * 1_024, allocation_ratio: 1.5 } };
  const disk = { total: 2_000, reserved: 100 };
  const roots = [
    await build.provider('cn1', { variable: 'CN1_UUID', aggregates, inventories: compute, traits: ['HW_CPU_X86_SSE', 'HW_CPU_X86_SSE2'] }),
    await build.provider('cn2', { variable: 'CN2_UUID', aggregates, inventories: { ...compute, DISK_GB: disk } }),
  ];
  await build.provider('ss', { variable: 'SS_UUID', aggregates, inventories: { DISK_GB: disk }, traits: [SHARES] });
  await build.provider('ss2', { variable: 'SS2_UUID', aggregates, inventories: { DISK_GB: disk }, traits: [SHARES] });
  for (const [i, root] of roots.entries()) {
    for (const j of [1, 2]) {
      const numa = await build.provider(`numa${i + 1}_${j}`, { variable: `NUMA${i + 1}_${j}_UUID`, parent: root });
      await build.provider(`pf${i + 1}_${j}`, { variable: `PF${i + 1}_${j}_UUID`, parent: numa, inventories: { SRIOV_NET_VF: 8 } });
    }
  }
};

const numaAggregate: Fixture = async (build) => {
  const [a, b, c] = [build.name('AGGA_UUID'), build.name('AGGB_UUID'), build.name('AGGC_UUID')];
  const disk = { total: 2_000, reserved: 100 };
  const cn1 = await build.provider('cn1', { variable: 'CN1_UUID', aggregates: [a] });
  const cn2 = await build.provider('cn2', { variable: 'CN2_UUID', aggregates: [a, b] });
  await build.provider('ss1', { variable: 'SS1_UUID', aggregates: [a], inventories: { DISK_GB: disk }, traits: [SHARES] });
  await build.provider('ss2', { variable: 'SS2_UUID', aggregates: [c], inventories: { DISK_GB: disk }, traits: [SHARES] });
  for (const [name, parent] of [
    ['1_1', cn1],
    ['1_2', cn1],
    ['2_1', cn2],
    ['2_2', cn2],
  ] as const) {
    await build.provider(`numa${name}`, {
      variable: `NUMA${name}_UUID`,
      parent,
      inventories: { VCPU: { total: 24, allocation_ratio: 16 } },
      ...(name === '1_1' && { aggregates: [c] }),
    });
  }
};

/** `deep` puts a parent and a common grandparent above the two compute nodes. */
const numaNetwork =
  (deep: boolean): Fixture =>
  async (build) => {
    const aggregates = [build.name('AGGA_UUID')];
    const grandparent = deep ? await build.provider('gp1') : undefined;
    const above = async (name: string) => (grandparent === undefined ? {} : { parent: await build.provider(name, { parent: grandparent }) });
    await build.provider('ss1', { variable: 'SS1_UUID', aggregates, inventories: { DISK_GB: 2_000 }, traits: [SHARES] });
    const cn1 = await build.provider('cn1', { variable: 'CN1_UUID', aggregates, traits: ['COMPUTE_VOLUME_MULTI_ATTACH'], ...(await above('p1')) });
    const numa0 = await build.provider('numa0', {
      variable: 'NUMA0_UUID',
      parent: cn1,
      traits: ['HW_NUMA_ROOT'],
      inventories: { VCPU: 4, MEMORY_MB: { total: 2_048, min_unit: 512, step_size: 256 } },
    });
    const numa1 = await build.provider('numa1', {
      variable: 'NUMA1_UUID',
      parent: cn1,
      traits: ['HW_NUMA_ROOT', 'CUSTOM_FOO'],
      inventories: { VCPU: 4, MEMORY_MB: { total: 2_048, min_unit: 256, max_unit: 1_024 } },
    });
    await build.consumer(numa0, { VCPU: 2 });
    await build.provider('fpga0', { variable: 'FPGA0_UUID', parent: numa0, inventories: { FPGA: 1 } });
    await build.provider('pgpu0', { variable: 'PGPU0_UUID', parent: numa0, inventories: { VGPU: 8 } });
    for (const i of [0, 1]) await build.provider(`fpga1_${i}`, { variable: `FPGA1_${i}_UUID`, parent: numa1, inventories: { FPGA: 1 } });
    const sriov = await build.provider('sriov_agent', { variable: 'SRIOV_AGENT_UUID', parent: cn1, traits: ['CUSTOM_VNIC_TYPE_DIRECT'] });
    for (const i of [1, 2])
      await build.provider(`esn${i}`, {
        variable: `ESN${i}_UUID`,
        parent: sriov,
        traits: [`CUSTOM_PHYSNET${i}`],
        inventories: { NET_BW_EGR_KILOBIT_PER_SEC: 10_000 * i },
      });
    const ovs = await build.provider('ovs_agent', { variable: 'OVS_AGENT_UUID', parent: cn1, traits: ['CUSTOM_VNIC_TYPE_NORMAL'] });
    await build.provider('br_int', { variable: 'BR_INT_UUID', parent: ovs, traits: ['CUSTOM_PHYSNET0'], inventories: { NET_BW_EGR_KILOBIT_PER_SEC: 1_000 } });
    const cn2 = await build.provider('cn2', {
      variable: 'CN2_UUID',
      aggregates,
      traits: ['CUSTOM_FOO'],
      inventories: { VCPU: 8, MEMORY_MB: { total: 2_048, min_unit: 1_024, step_size: 128 }, DISK_GB: 1_000 },
      ...(await above('p2')),
    });
    await build.consumer(cn2, { VCPU: 3 });
    const functions = [
      [
        ['1_1', 1, 4],
        ['1_2', 2, 4],
      ],
      [
        ['2_1', 1, 2],
        ['2_2', 2, 2],
        ['2_3', 1, 2],
        ['2_4', 2, 2],
      ],
      [['3_1', 1, 8]],
    ] as const;
    for (const [i, cards] of functions.entries()) {
      const nic = await build.provider(`nic${i + 1}`, { variable: `NIC${i + 1}_UUID`, parent: cn2, traits: ['CUSTOM_HW_NIC_ROOT'] });
      for (const [name, net, total] of cards)
        await build.provider(`pf${name}`, { variable: `PF${name}_UUID`, parent: nic, traits: [`CUSTOM_PHYSNET${net}`], inventories: { CUSTOM_VF: total } });
    }
  };

const nonSharedStorage: Fixture = async (build) => {
  for (const variable of ['AGGA_UUID', 'AGGB_UUID', 'AGGC_UUID']) build.name(variable);
  for (const i of [1, 2, 3]) await build.provider(`cn${i}`, { variable: `CN${i}_UUID`, inventories: { VCPU: 24, MEMORY_MB: 128 * 1_024, DISK_GB: 2_000 } });
};

const granular: Fixture = async (build) => {
  await build.resourceClass('CUSTOM_NET_MBPS');
  const [a, b, c] = [build.name('AGGA'), build.name('AGGB'), build.name('AGGC')];
  const base = { VCPU: 8, MEMORY_MB: 4_096 };
  const net = { SRIOV_NET_VF: 8, CUSTOM_NET_MBPS: 4_000 };
  await build.provider('cn_left', {
    variable: 'CN_LEFT',
    aggregates: [a],
    inventories: { ...base, DISK_GB: 500, VGPU: 8, ...net },
    traits: ['HW_CPU_X86_AVX', 'HW_CPU_X86_AVX2', 'HW_GPU_API_DXVA', 'HW_NIC_DCB_PFC', 'CUSTOM_FOO'],
  });
  await build.provider('cn_middle', {
    variable: 'CN_MIDDLE',
    aggregates: [a, b],
    inventories: { ...base, ...net },
    traits: ['HW_CPU_X86_AVX', 'HW_CPU_X86_AVX2', 'HW_CPU_X86_SSE', 'HW_NIC_ACCEL_TLS'],
  });
  await build.provider('cn_right', {
    variable: 'CN_RIGHT',
    aggregates: [b, c],
    inventories: { ...base, DISK_GB: 500, VGPU: { total: 8, max_unit: 2 } },
    traits: ['HW_CPU_X86_MMX', 'HW_GPU_API_DXVA', 'CUSTOM_DISK_SSD'],
  });
  await build.provider('shr_disk_1', { variable: 'SHR_DISK_1', aggregates: [a], inventories: { DISK_GB: 1_000 }, traits: [SHARES, 'CUSTOM_DISK_SSD'] });
  await build.provider('shr_disk_2', { variable: 'SHR_DISK_2', aggregates: [a, b], inventories: { DISK_GB: 1_000 }, traits: [SHARES] });
  await build.provider('shr_net', { variable: 'SHR_NET', aggregates: [c], inventories: { SRIOV_NET_VF: 16, CUSTOM_NET_MBPS: 40_000 }, traits: [SHARES] });
};

/** Compute trees with network agents, bridges and cards; each card or bridge is on a physical network. */
const neutronQos: Fixture = async (build) => {
  const direct = ['CUSTOM_VNIC_TYPE_DIRECT', 'CUSTOM_VNIC_TYPE_DIRECT_PHYSICAL', 'CUSTOM_VNIC_TYPE_MACVTAP'];
  const normal = ['CUSTOM_VNIC_TYPE_NORMAL'];
  const nets = [['CUSTOM_PHYSNET_OTHER'], ['CUSTOM_PHYSNET_MSN_S1'], ['CUSTOM_PHYSNET_MSN_S2'], ['CUSTOM_PHYSNET_MSN_S1', 'CUSTOM_PHYSNET_MSN_S2']];
  for (const [i, connected] of nets.entries()) {
    const width = (kilobits: number) => ({ NET_BW_EGR_KILOBIT_PER_SEC: i === 3 ? 1_000 : kilobits, NET_BW_IGR_KILOBIT_PER_SEC: i === 3 ? 1_000 : kilobits });
    const name = `compute${i}`;
    const parent = await build.provider(name, { variable: name, inventories: { VCPU: 8, MEMORY_MB: 4_096, DISK_GB: 500 } });
    const ovs = await build.provider(`${name}:Open vSwitch agent`, {
      variable: `${name}:ovs_agent`,
      parent,
      inventories: { NET_PACKET_RATE_KILOPACKET_PER_SEC: 1_000 },
      traits: normal,
    });
    const sriov = await build.provider(`${name}:NIC Switch agent`, { variable: `${name}:sriov_agent`, parent, traits: direct });
    for (const [j, net] of connected.entries()) {
      await build.provider(`${name}:Open vSwitch agent:br-ex${j || ''}`, {
        variable: `${name}:br_ex${j === 0 ? '' : j + 1}`,
        parent: ovs,
        inventories: width(5_000),
        traits: [...normal, net],
      });
      await build.provider(`${name}:NIC Switch agent:enp129s0f${j}`, {
        variable: `${name}:pf${j}`,
        parent: sriov,
        inventories: width(10_000),
        traits: [...direct, net],
      });
    }
  }
};

/** Equivalents of upstream's fixtures, by their names (placement/tests/functional/fixtures/gabbits.py); the environment of all of them is Builder's. */
export const FIXTURES: Readonly<Record<string, Fixture>> = {
  APIFixture: async () => {},
  OpenPolicyFixture: async () => {},
  LegacyRBACPolicyFixture: async () => {},
  SecureRBACPolicyFixture: async () => {},
  CORSFixture: async () => {},
  AllocationFixture: allocation,
  SharedStorageFixture: sharedStorage,
  NUMAAggregateFixture: numaAggregate,
  NUMANetworkFixture: numaNetwork(false),
  DeepNUMANetworkFixture: numaNetwork(true),
  NonSharedStorageFixture: nonSharedStorage,
  GranularFixture: granular,
  NeutronQoSMultiSegmentFixture: neutronQos,
};
