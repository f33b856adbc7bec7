/** Conditions on hosts that an operator may leave out, by upstream's names, in the order in which they are asked. */
export const FILTER_NAMES = [
  'ComputeFilter',
  'AggregateMultiTenancyIsolation',
  'AggregateInstanceExtraSpecsFilter',
  'AggregateImagePropertiesIsolation',
  'AggregateTypeAffinityFilter',
  'IoOpsFilter',
  'NumInstancesFilter',
  'ComputeCapabilitiesFilter',
  'IsolatedHostsFilter',
  'SimpleCIDRAffinityFilter',
  'NUMATopologyFilter',
  'ImagePropertiesFilter',
  'SameHostFilter',
  'DifferentHostFilter',
  'ServerGroupAntiAffinityFilter',
  'ServerGroupAffinityFilter',
] as const;
export type FilterName = (typeof FILTER_NAMES)[number];

/** What an operator may set for the choice of hosts. */
export interface SchedulerOptions {
  /** The conditions that are asked (`enabled_filters`). Zone, wished host and hosts to avoid are asked always. */
  readonly filters: readonly FilterName[];
  /** Hosts of aggregates with `trait:X=required` are kept for servers that require X (`enable_isolated_aggregate_filtering`). */
  readonly isolateAggregates: boolean;
  /** Servers on routed networks go to hosts in the aggregates of their segments (`query_placement_for_routed_network_aggregates`; upstream: false). */
  readonly routedNetworks: boolean;
  /** Hosts for these images, and what else may go there (IsolatedHostsFilter). */
  readonly isolatedHosts: readonly string[];
  readonly isolatedImages: readonly string[];
  readonly restrictIsolatedHosts: boolean;
  /** The most servers of a host that may be in the making at once, and at all; 0: no limit. Aggregates may say their own. */
  readonly maxIoOperations: number;
  readonly maxServers: number;
  /** By how much each weigher counts; negative: the other way round. Aggregates may say their own (`ram_weight_multiplier` ...). */
  readonly weights: Readonly<Record<WeigherName, number>>;
}
export const WEIGHER_NAMES = [
  'ram',
  'cpu',
  'disk',
  'ioOps',
  'servers',
  'softAffinity',
  'softAntiAffinity',
  'buildFailures',
  'hypervisorVersion',
  'volumeHosts',
] as const;
export type WeigherName = (typeof WEIGHER_NAMES)[number];

/** What an operator may set for nova; the composition root fills it from the configuration. */
export interface NovaOptions {
  /** Zone of hosts that no aggregate puts elsewhere. */
  readonly defaultAvailabilityZone: string;
  /** Zone of services that are no compute hosts. */
  readonly internalAvailabilityZone: string;
  /** Zone given to servers that ask for none; undefined leaves the choice to the scheduler. */
  readonly defaultScheduleZone: string | undefined;
  /** Limits of projects without their own, by upstream's resource names; -1 is unlimited. */
  readonly quotaDefaults: Readonly<Record<string, number>>;
  /** Physical to virtual, for what a host offers in placement. */
  readonly cpuAllocationRatio: number;
  readonly ramAllocationRatio: number;
  readonly diskAllocationRatio: number;
  /** Kept for the host itself. */
  readonly reservedHostMemoryMb: number;
  readonly reservedHostDiskMb: number;
  /** The same of pages, on each host that has such a node (`reserved_huge_pages`). */
  readonly reservedPages: readonly { readonly node: number; readonly sizeKb: number; readonly count: number }[];
  /** A service without a sign of life for so long is down. */
  readonly serviceDownMs: number;
  /** The name that the control process's services have in `os-services`. */
  readonly controlHost: string;
  /** How often a host's facts are refreshed. */
  readonly heartbeatMs: number;
  /** How often servers are looked for whose task has outlived its deadline, and guests that nobody owns. */
  readonly reconcileMs: number;
  /** How long a resize or cold migration waits to be confirmed before it confirms itself; 0: for ever. */
  readonly resizeConfirmMs: number;
  /** A resize may stay on its host; with one host there is no other. */
  readonly resizeToSameHost: boolean;
  /** How long `os-stop` and a soft reboot wait for the guest. */
  readonly shutdownGraceMs: number;
  /** A live migration that is made to complete goes on by post-copy where hosts can (`live_migration_permit_post_copy`); else the guest stands still. */
  readonly livePostCopy: boolean;
  /** How long two hosts may not reach each other while a guest's memory is on both, before it is given up. */
  readonly livePartedMs: number;
  /** Domain appended to a host name in metadata; '' for none. */
  readonly dhcpDomain: string;
  /** The most items in one page. */
  readonly maxLimit: number;
  /** How long a deleted server can be restored; 0: deletion is at once. */
  readonly reclaimServerMs: number;
  /** How long a shelved server stays on its host; 0: not at all, -1: for ever. */
  readonly shelvedOffloadMs: number;
  /** Whether images must be signed, and by whom (`verify_glance_signatures`, `enable_certificate_validation`, `default_trusted_certificate_ids`). */
  readonly imageSignatures: { readonly verify: boolean; readonly validate: boolean; readonly trusted: readonly string[] };
  /** How long a console's token opens it. */
  readonly consoleTokenMs: number;
  readonly scheduler: SchedulerOptions;
  /** Base of links when it is not taken from the request. */
  readonly publicUrl: string | undefined;
}

export const defaultNovaOptions: NovaOptions = {
  defaultAvailabilityZone: 'nova',
  internalAvailabilityZone: 'internal',
  defaultScheduleZone: undefined,
  quotaDefaults: {
    instances: 10,
    cores: 20,
    ram: 51_200,
    metadata_items: 128,
    injected_files: 5,
    injected_file_content_bytes: 10_240,
    injected_file_path_bytes: 255,
    key_pairs: 100,
    server_groups: 10,
    server_group_members: 10,
    fixed_ips: -1,
    floating_ips: -1,
    security_groups: -1,
    security_group_rules: -1,
  },
  cpuAllocationRatio: 4,
  ramAllocationRatio: 1,
  diskAllocationRatio: 1,
  reservedHostMemoryMb: 512,
  reservedHostDiskMb: 0,
  reservedPages: [],
  serviceDownMs: 60_000,
  controlHost: 'cairn',
  heartbeatMs: 10_000,
  reconcileMs: 60_000,
  resizeConfirmMs: 0,
  resizeToSameHost: true,
  shutdownGraceMs: 60_000,
  livePostCopy: false,
  livePartedMs: 600_000,
  dhcpDomain: 'novalocal',
  maxLimit: 1_000,
  reclaimServerMs: 0,
  shelvedOffloadMs: 0,
  imageSignatures: { verify: false, validate: false, trusted: [] },
  consoleTokenMs: 600_000,
  scheduler: {
    filters: FILTER_NAMES,
    isolateAggregates: false,
    routedNetworks: true,
    isolatedHosts: [],
    isolatedImages: [],
    restrictIsolatedHosts: true,
    maxIoOperations: 0,
    maxServers: 0,
    weights: {
      ram: 1,
      cpu: 1,
      disk: 1,
      // upstream has -1; memory that is promised spreads servers in the making already, without counting them for each choice
      ioOps: 0,
      servers: 0,
      softAffinity: 1,
      softAntiAffinity: 1,
      buildFailures: 1_000_000,
      hypervisorVersion: 1,
      volumeHosts: 4,
    },
  },
  publicUrl: undefined,
};
