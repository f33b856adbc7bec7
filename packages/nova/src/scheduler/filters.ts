import type { Candidate } from '@cairn/placement/face';
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
}

/** Where servers of the request's hints are. */
export interface Surroundings {
  /** Hosts of `same_host` servers; undefined without the hint. */
  readonly sameHosts: ReadonlySet<string> | undefined;
  readonly differentHosts: ReadonlySet<string>;
  /** Any member of the group is placed. */
  readonly groupPlaced: boolean;
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
    name: 'AggregateMultiTenancyIsolation',
    passes: (host, request) => {
      const tenants = host.aggregates.flatMap(({ metadata }) =>
        Object.entries(metadata).flatMap(([key, value]) => (key.startsWith('filter_tenant_id') ? value.split(',').map((id) => id.trim()) : [])),
      );
      return tenants.length === 0 || tenants.includes(request.projectId);
    },
    words: () => 'the rest are kept for other projects',
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

/** Runs hosts through all filters; stops when none is left. */
export function filterHosts(
  hosts: readonly HostState[],
  request: HostRequest,
  around: Surroundings,
): { readonly hosts: readonly HostState[]; readonly trace: readonly FilterTrace[] } {
  let left = hosts;
  const trace: FilterTrace[] = [];
  for (const filter of FILTERS) {
    if (left.length === 0) break;
    if (filter.skip?.(request, around) === true) continue;
    const passed = left.filter((host) => filter.passes(host, request, around));
    trace.push({ name: filter.name, before: left.length, after: passed.length, words: filter.words(request) });
    left = passed;
  }
  return { hosts: left, trace };
}
