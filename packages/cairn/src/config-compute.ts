import { defaultNovaOptions, FILTER_NAMES, type NovaOptions, WEIGHER_NAMES, type WeigherName } from '@cairn/nova/options';
import { parseCpuSet } from '@cairn/nova/topology/cpu-set';
import Type, { type Static } from 'typebox';

const closed = { additionalProperties: false };
const { scheduler, quotaDefaults } = defaultNovaOptions;

const seconds = (defaultMs: number, description: string, minimum = 0) =>
  Type.Integer({ default: defaultMs / 1_000, minimum, maximum: 31_536_000, description });
const ratio = (value: number, maximum: number, description: string) => Type.Number({ default: value, minimum: 0.1, maximum, description });
const count = (value: number, description: string, minimum = 0) => Type.Integer({ default: value, minimum, maximum: 1_000_000_000, description });
const cpuSet = (description: string) => Type.String({ default: '', pattern: '^[0-9^, -]*$', maxLength: 4_096, description });
const zone = (value: string, description: string) => Type.String({ default: value, maxLength: 255, pattern: '^[^:\\p{Cc}]*$', description });

/** What an operator says about hosts. */
export const HypervisorSchema = Type.Object(
  {
    type: Type.Enum(['qemu', 'simulated'], { default: 'qemu', description: 'Real QEMU guests, or hosts in memory (neither root nor QEMU needed)' }),
    hosts: Type.Integer({
      default: 1,
      minimum: 1,
      maximum: 10_000,
      description: 'Number of hosts: simulated ones, or real ones that share this machine, each in namespaces and directories of its own',
    }),
    host: Type.String({ default: '', description: 'Name of this machine as a compute host; its host name when empty. Several hosts get -1, -2 ... after it' }),
    cpuRatio: ratio(4, 64, 'Virtual CPUs offered per real one'),
    ramRatio: ratio(1, 8, 'Memory offered per real one'),
    diskRatio: ratio(4, 64, 'Disk offered per real one (disks are sparse)'),
    dedicatedCpus: cpuSet('Processors of a host that are given to one guest each, like `4-15,^8` (`cpu_dedicated_set`)'),
    sharedCpus: cpuSet('Processors that guests float over (`cpu_shared_set`); all that are not dedicated when empty'),
    reservedMemoryMb: count(defaultNovaOptions.reservedHostMemoryMb, 'Memory of a host that no server gets (`reserved_host_memory_mb`)'),
    reservedDiskMb: count(defaultNovaOptions.reservedHostDiskMb, 'Disk of a host that no server gets (`reserved_host_disk_mb`)'),
    reservedPages: Type.Array(
      Type.Object({ node: Type.Integer({ minimum: 0 }), sizeKb: Type.Integer({ minimum: 4 }), count: Type.Integer({ minimum: 0 }) }, closed),
      { default: [], description: 'Pages of a NUMA node that no server gets: node, sizeKb, count (`reserved_huge_pages`); in the file alone' },
    ),
    simulated: Type.Object(
      {
        cpus: count(64, 'Processors of a simulated host', 1),
        memoryMb: count(262_144, 'Its memory', 1),
        diskGb: count(4_000, 'Its disk', 1),
        numaNodes: Type.Integer({ default: 1, minimum: 1, maximum: 64, description: 'Its NUMA nodes, which share processors and memory evenly' }),
        threadsPerCore: Type.Integer({ default: 1, minimum: 1, maximum: 8, description: 'Threads of each of its cores' }),
        pages: Type.Array(Type.Object({ sizeKb: Type.Integer({ minimum: 8 }), count: Type.Integer({ minimum: 1 }) }, closed), {
          default: [],
          description: 'Large pages of each of its NUMA nodes: sizeKb, count; in the file alone',
        }),
      },
      closed,
    ),
  },
  closed,
);

const WEIGHS: Readonly<Record<WeigherName, string>> = {
  ram: 'free memory (`ram_weight_multiplier`); negative fills one host after the other',
  cpu: 'free processors (`cpu_weight_multiplier`)',
  disk: 'free disk (`disk_weight_multiplier`)',
  ioOps: 'servers in the making (`io_ops_weight_multiplier`)',
  servers: 'the number of servers (`num_instances_weight_multiplier`)',
  softAffinity: 'members of a soft-affinity group (`soft_affinity_weight_multiplier`)',
  softAntiAffinity: 'the absence of members of a soft-anti-affinity group (`soft_anti_affinity_weight_multiplier`)',
  buildFailures: 'the absence of builds in a row that came to nothing (`build_failure_weight_multiplier`)',
  hypervisorVersion: 'a newer hypervisor (`hypervisor_version_weight_multiplier`)',
  volumeHosts: 'volumes of the server that are kept there',
};
const weights = Object.fromEntries(
  WEIGHER_NAMES.map((name) => [
    name,
    Type.Number({ default: scheduler.weights[name], minimum: -1e9, maximum: 1e9, description: `How much counts for a host: ${WEIGHS[name]}` }),
  ]),
) as Record<WeigherName, ReturnType<typeof Type.Number>>;

/** What an operator says about servers. */
export const ComputeSchema = Type.Object(
  {
    defaultZone: zone(defaultNovaOptions.defaultAvailabilityZone, 'Zone of hosts that no aggregate puts elsewhere'),
    internalZone: zone(defaultNovaOptions.internalAvailabilityZone, 'Zone of services that are no hosts'),
    scheduleZone: zone('', 'Zone of servers that ask for none; any zone will do when empty'),
    reclaimSeconds: seconds(0, 'How long a deleted server can be restored; 0: it is gone at once'),
    shelvedOffloadSeconds: seconds(0, 'How long a shelved server stays on its host; 0: not at all, -1: for ever', -1),
    consoleTokenSeconds: Type.Integer({ default: 600, minimum: 1, maximum: 86_400, description: "How long the link to a server's console can be opened" }),
    resizeConfirmSeconds: seconds(defaultNovaOptions.resizeConfirmMs, 'How long a resize waits to be confirmed before it confirms itself; 0: for ever'),
    resizeToSameHost: Type.Boolean({ default: defaultNovaOptions.resizeToSameHost, description: 'A resize may stay on its host' }),
    shutdownSeconds: seconds(defaultNovaOptions.shutdownGraceMs, 'How long a guest is waited for that is asked to shut down'),
    livePostCopy: Type.Boolean({
      default: defaultNovaOptions.livePostCopy,
      description:
        'A live migration that is made to complete goes on by post-copy (`live_migration_permit_post_copy`), where the kernel of the host that it goes to allows it (docs/hosts.md); else the guest stands still until it is over',
    }),
    serviceDownSeconds: seconds(defaultNovaOptions.serviceDownMs, 'A host without a sign of life for so long is down', 15),
    dhcpDomain: Type.String({
      default: defaultNovaOptions.dhcpDomain,
      pattern: '^([A-Za-z0-9_-]+(\\.[A-Za-z0-9_-]+)*)?$',
      maxLength: 253,
      description: "Domain behind servers' host names in their metadata",
    }),
    maxLimit: count(defaultNovaOptions.maxLimit, 'The most items in one page of a list', 1),
    quotas: Type.Record(Type.String(), Type.Integer({ minimum: -1 }), {
      default: {},
      description: `Limits of projects without their own, where they are others than usual: ${Object.keys(quotaDefaults).join(', ')}; -1 for none; in the file alone`,
    }),
    imageSignatures: Type.Object(
      {
        verify: Type.Boolean({ default: false, description: 'Servers are made of signed images alone (`verify_glance_signatures`)' }),
        validate: Type.Boolean({
          default: false,
          description: 'The certificate of an image must be vouched for by one that the server trusts (`enable_certificate_validation`); only with verify',
        }),
        trusted: Type.Array(Type.String({ minLength: 1 }), {
          default: [],
          maxItems: 50,
          description: 'Ids of certificates that servers trust which name none (`default_trusted_certificate_ids`)',
        }),
      },
      closed,
    ),
    scheduler: Type.Object(
      {
        filters: Type.Array(Type.Enum([...FILTER_NAMES]), {
          default: [...FILTER_NAMES],
          description: 'Conditions that hosts must pass (`enabled_filters`)',
        }),
        isolateAggregates: Type.Boolean({
          default: scheduler.isolateAggregates,
          description: 'Hosts of aggregates with `trait:X=required` are kept for servers that require X (`enable_isolated_aggregate_filtering`)',
        }),
        routedNetworks: Type.Boolean({
          default: scheduler.routedNetworks,
          description: 'Servers on routed networks go to hosts in the aggregates of their segments (`query_placement_for_routed_network_aggregates`)',
        }),
        isolatedHosts: Type.Array(Type.String({ minLength: 1 }), { default: [], description: 'Hosts for isolated images' }),
        isolatedImages: Type.Array(Type.String({ minLength: 1 }), { default: [], description: 'Images, by id, that go to isolated hosts alone' }),
        restrictIsolatedHosts: Type.Boolean({ default: scheduler.restrictIsolatedHosts, description: 'Isolated hosts take isolated images alone' }),
        maxIoOperations: count(scheduler.maxIoOperations, 'The most servers that a host makes at once (`max_io_ops_per_host`); 0 for no limit'),
        maxServers: count(scheduler.maxServers, 'The most servers of a host (`max_instances_per_host`); 0 for no limit'),
        weights: Type.Object(weights, closed),
      },
      closed,
    ),
  },
  closed,
);

export type HypervisorConfig = Static<typeof HypervisorSchema>;
export type ComputeConfig = Static<typeof ComputeSchema>;

/** The processors of a host, by number; `shared` undefined: all that are not dedicated. */
export interface CpuSets {
  readonly dedicated: readonly number[];
  readonly shared: readonly number[] | undefined;
}

/** The operator's sets, checked. Throws an Error that names the option. */
export function cpuSetsOf(config: HypervisorConfig): CpuSets {
  const read = (option: 'dedicatedCpus' | 'sharedCpus'): readonly number[] => {
    try {
      return parseCpuSet(config[option]);
    } catch (error) {
      throw new Error(`hypervisor.${option}: ${(error as Error).message}`, { cause: error });
    }
  };
  const [dedicated, shared] = [read('dedicatedCpus'), config.sharedCpus.trim() === '' ? undefined : read('sharedCpus')];
  const twice = shared?.filter((cpu) => dedicated.includes(cpu)) ?? [];
  if (twice.length > 0) throw new Error(`hypervisor.sharedCpus: ${twice.join(', ')} is dedicated as well; a processor is one or the other`);
  if (config.type === 'qemu' && config.hosts > 1 && (dedicated.length > 0 || shared !== undefined))
    throw new Error('hypervisor.dedicatedCpus and sharedCpus are for a machine that is one host: several would give the same processors to their guests');
  return { dedicated, shared };
}

/** The operator's words about hosts and servers as nova's options. Throws an Error that names the option. */
export function computeOptions({ hypervisor, compute }: { readonly hypervisor: HypervisorConfig; readonly compute: ComputeConfig }): NovaOptions {
  const unknown = Object.keys(compute.quotas).filter((name) => !Object.hasOwn(quotaDefaults, name));
  if (unknown.length > 0) throw new Error(`compute.quotas: there is no quota of ${unknown.join(', ')}; there are ${Object.keys(quotaDefaults).join(', ')}`);
  return {
    ...defaultNovaOptions,
    defaultAvailabilityZone: compute.defaultZone || defaultNovaOptions.defaultAvailabilityZone,
    internalAvailabilityZone: compute.internalZone || defaultNovaOptions.internalAvailabilityZone,
    defaultScheduleZone: compute.scheduleZone || undefined,
    quotaDefaults: { ...quotaDefaults, ...compute.quotas },
    cpuAllocationRatio: hypervisor.cpuRatio,
    ramAllocationRatio: hypervisor.ramRatio,
    diskAllocationRatio: hypervisor.diskRatio,
    reservedHostMemoryMb: hypervisor.reservedMemoryMb,
    reservedHostDiskMb: hypervisor.reservedDiskMb,
    reservedPages: hypervisor.reservedPages,
    reclaimServerMs: compute.reclaimSeconds * 1_000,
    shelvedOffloadMs: compute.shelvedOffloadSeconds < 0 ? -1 : compute.shelvedOffloadSeconds * 1_000,
    consoleTokenMs: compute.consoleTokenSeconds * 1_000,
    resizeConfirmMs: compute.resizeConfirmSeconds * 1_000,
    resizeToSameHost: compute.resizeToSameHost,
    shutdownGraceMs: compute.shutdownSeconds * 1_000,
    livePostCopy: compute.livePostCopy,
    serviceDownMs: compute.serviceDownSeconds * 1_000,
    dhcpDomain: compute.dhcpDomain,
    maxLimit: compute.maxLimit,
    imageSignatures: compute.imageSignatures,
    scheduler: { ...compute.scheduler, weights: compute.scheduler.weights as NovaOptions['scheduler']['weights'] },
  };
}
