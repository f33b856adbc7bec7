import type { Candidate } from '@cairn/placement/face';
import { FILTER_NAMES, type SchedulerOptions } from '../options.ts';
import type { ComputeNodeRow } from '../store/compute-node.ts';
import { AGGREGATE_FILTERS } from './aggregate-filters.ts';
import { capabilityOf, capabilitySpecs, isNear } from './capabilities.ts';
import { matchesSpec } from './extra-spec-match.ts';
import type { HostRequest } from './request.ts';

/** A host that placement found, with what filters and weighers look at. */
export interface HostState {
  readonly candidate: Candidate;
  readonly host: string;
  readonly node: string;
  readonly zone: string;
  readonly enabled: boolean;
  readonly up: boolean;
  readonly architecture: string;
  readonly hypervisorType: string;
  readonly aggregates: readonly { readonly name: string; readonly metadata: Readonly<Record<string, string>> }[];
  /** Members of the request's group on it. */
  readonly groupMembers: number;
  readonly hostIp: string;
  /** What the host says about itself. */
  readonly facts: ComputeNodeRow;
  /** Servers in the making on it, and all; 0 where nobody looks. */
  readonly ioOperations: number;
  readonly servers: number;
  /** Builds in a row that came to nothing on it. */
  readonly failures: number;
  /** Its NUMA nodes have room for what the request asks of them. */
  readonly fitsTopology: boolean;
}

/** Where servers of the request's hints are. */
export interface Surroundings {
  /** Hosts of `same_host` servers; undefined without the hint. */
  readonly sameHosts: ReadonlySet<string> | undefined;
  readonly differentHosts: ReadonlySet<string>;
  /** Any member of the group is placed. */
  readonly groupPlaced: boolean;
  /** Keys of the metadata of all aggregates. */
  readonly aggregateKeys: ReadonlySet<string>;
  readonly scheduler: SchedulerOptions;
}

/** One condition on hosts, under upstream's name of the filter. */
export interface HostFilter {
  readonly name: string;
  /** Set when the filter has nothing to say about this request. */
  skip?(request: HostRequest, around: Surroundings): boolean;
  passes(host: HostState, request: HostRequest, around: Surroundings): boolean;
  /** Why hosts do not pass, for the owner: no host names. */
  words(request: HostRequest): string;
}

/** `x86_64` for all its names. */
const canonical = (architecture: string): string => {
  const lower = architecture.toLowerCase();
  if (['amd64', 'x86_64', 'x64'].includes(lower)) return 'x86_64';
  if (/^i[3-6]86$|^x86$/.test(lower)) return 'i686';
  return lower === 'arm64' ? 'aarch64' : lower;
};

/** In the order in which they are asked: what an operator decides first, then what a user asks. */
export const FILTERS: readonly HostFilter[] = [
  {
    name: 'ComputeFilter',
    passes: (host) => host.enabled && host.up,
    words: () => 'the rest are disabled or down',
  },
  {
    name: 'RequestedDestination',
    skip: (request) => request.host === undefined && request.node === undefined,
    passes: (host, request) => (request.host === undefined || host.host === request.host) && (request.node === undefined || host.node === request.node),
    words: () => 'only the requested host would do',
  },
  {
    name: 'IgnoreHosts',
    skip: (request) => request.ignoreHosts === undefined || request.ignoreHosts.length === 0,
    passes: (host, request) => request.ignoreHosts?.includes(host.host) !== true,
    words: () => "the rest are the server's own host",
  },
  {
    name: 'AvailabilityZoneFilter',
    skip: (request) => request.zone === undefined,
    passes: (host, request) => host.zone === request.zone,
    words: (request) => `the rest are not in availability zone ${request.zone}`,
  },
  {
    name: 'PhysicalNetworks',
    skip: (request) => request.networks.hosts === undefined,
    passes: (host, request) => request.networks.hosts?.includes(host.host) === true,
    words: () => "the rest have not the physical networks of the server's networks",
  },
  ...AGGREGATE_FILTERS,
  {
    name: 'ComputeCapabilitiesFilter',
    skip: (request) => capabilitySpecs(request).length === 0,
    passes: (host, request) =>
      capabilitySpecs(request).every(([path, wanted]) => {
        const value = capabilityOf(host, path);
        return value !== undefined && matchesSpec(value, wanted);
      }),
    words: () => "the rest have not the capabilities that the flavor's extra specs ask for",
  },
  {
    name: 'IsolatedHostsFilter',
    skip: (_request, { scheduler }) => scheduler.isolatedHosts.length === 0 && scheduler.isolatedImages.length === 0,
    passes: (host, request, { scheduler }) => {
      const isolated = scheduler.isolatedHosts.includes(host.host);
      const wanted = request.imageId !== '' && scheduler.isolatedImages.includes(request.imageId);
      return scheduler.restrictIsolatedHosts ? isolated === wanted : !wanted || isolated;
    },
    words: () => 'the rest are kept for other images, or not for this one',
  },
  {
    name: 'SimpleCIDRAffinityFilter',
    skip: (request) => request.near === undefined,
    passes: (host, request) => request.near !== undefined && isNear(host.hostIp, request.near),
    words: () => 'the rest are not in the network of the build_near_host_ip hint',
  },
  {
    name: 'NUMATopologyFilter',
    skip: (request) => request.topology === undefined,
    passes: (host) => host.fitsTopology,
    words: () => 'the rest have no NUMA nodes with the processors, memory and pages that the server asks for',
  },
  {
    name: 'ImagePropertiesFilter',
    skip: (request) => wantedArchitecture(request) === undefined && wantedHypervisor(request) === undefined,
    passes: (host, request) => {
      const architecture = wantedArchitecture(request);
      const hypervisor = wantedHypervisor(request);
      if (architecture !== undefined && canonical(architecture) !== canonical(host.architecture)) return false;
      // "kvm" is what images for QEMU say as well
      return hypervisor === undefined || host.hypervisorType === 'simulated' || ['qemu', 'kvm'].includes(hypervisor.toLowerCase());
    },
    words: () => "the rest have not the architecture or hypervisor that the image's properties ask for",
  },
  {
    name: 'SameHostFilter',
    skip: (_request, around) => around.sameHosts === undefined,
    passes: (host, _request, around) => around.sameHosts?.has(host.host) === true,
    words: () => 'the rest have none of the servers of the same_host hint',
  },
  {
    name: 'DifferentHostFilter',
    skip: (request) => request.differentHost.length === 0,
    passes: (host, _request, around) => !around.differentHosts.has(host.host),
    words: () => 'the rest have servers of the different_host hint',
  },
  {
    name: 'ServerGroupAntiAffinityFilter',
    skip: (request) => request.group?.policy !== 'anti-affinity',
    passes: (host, request) => host.groupMembers < (request.group?.maxPerHost ?? 1),
    words: () => "the rest have as many members of the server's anti-affinity group as they may",
  },
  {
    name: 'ServerGroupAffinityFilter',
    skip: (request, around) => request.group?.policy !== 'affinity' || !around.groupPlaced,
    passes: (host) => host.groupMembers > 0,
    words: () => "the rest do not have the members of the server's affinity group",
  },
];

const wantedArchitecture = (request: HostRequest): string | undefined =>
  request.image.properties['hw_architecture'] ?? request.image.properties['architecture'];
const wantedHypervisor = (request: HostRequest): string | undefined => request.image.properties['img_hv_type'] ?? request.image.properties['hypervisor_type'];

/** What one filter left over. */
export interface FilterTrace {
  readonly name: string;
  readonly before: number;
  readonly after: number;
  readonly words: string;
}

/** Runs hosts through all filters that the operator wants; stops when none is left. */
export function filterHosts(
  hosts: readonly HostState[],
  request: HostRequest,
  around: Surroundings,
): { readonly hosts: readonly HostState[]; readonly trace: readonly FilterTrace[] } {
  let left = hosts;
  const leftOut = FILTER_NAMES.filter((name) => !around.scheduler.filters.includes(name)) as readonly string[];
  const trace: FilterTrace[] = [];
  for (const filter of FILTERS) {
    if (left.length === 0) break;
    if (leftOut.includes(filter.name) || filter.skip?.(request, around) === true) continue;
    const passed = left.filter((host) => filter.passes(host, request, around));
    trace.push({ name: filter.name, before: left.length, after: passed.length, words: filter.words(request) });
    left = passed;
  }
  return { hosts: left, trace };
}
