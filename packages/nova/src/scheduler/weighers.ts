import type { WeigherName } from '../options.ts';
import { aggregateNumber } from './aggregate-filters.ts';
import type { HostState, Surroundings } from './filters.ts';
import type { HostRequest } from './request.ts';

/** A preference among hosts that all pass. */
interface Weigher {
  readonly name: WeigherName;
  /** Under which aggregates may say another multiplier. */
  readonly key: string;
  /** Set when the weigher has nothing to say. */
  skip?(request: HostRequest): boolean;
  weigh(host: HostState, pending: Readonly<Record<string, number>>, request: HostRequest): number;
}

const free =
  (resourceClass: string) =>
  (host: HostState, pending: Readonly<Record<string, number>>): number => {
    const summary = host.candidate.summary[resourceClass];
    return summary === undefined ? 0 : summary.capacity - summary.used - (pending[resourceClass] ?? 0);
  };

/**
 * Upstream's default weighers: they spread servers over hosts; and volumes draw servers to where they are kept. The multiplier of each is the
 * operator's, or that of the host's aggregates.
 */
const WEIGHERS: readonly Weigher[] = [
  { name: 'ram', key: 'ram_weight_multiplier', weigh: free('MEMORY_MB') },
  { name: 'cpu', key: 'cpu_weight_multiplier', weigh: free('VCPU') },
  { name: 'disk', key: 'disk_weight_multiplier', weigh: free('DISK_GB') },
  { name: 'ioOps', key: 'io_ops_weight_multiplier', weigh: (host) => host.ioOperations },
  { name: 'servers', key: 'num_instances_weight_multiplier', weigh: (host) => host.servers },
  { name: 'buildFailures', key: 'build_failure_weight_multiplier', weigh: (host) => -host.failures },
  { name: 'hypervisorVersion', key: 'hypervisor_version_weight_multiplier', weigh: (host) => host.facts.hypervisor_version },
  {
    name: 'softAffinity',
    key: 'soft_affinity_weight_multiplier',
    skip: (request) => request.group?.policy !== 'soft-affinity',
    weigh: (host) => host.groupMembers,
  },
  {
    name: 'softAntiAffinity',
    key: 'soft_anti_affinity_weight_multiplier',
    skip: (request) => request.group?.policy !== 'soft-anti-affinity',
    weigh: (host) => -host.groupMembers,
  },
  {
    // none of upstream's: there no host is nearer to a volume than another
    name: 'volumeHosts',
    key: 'volume_host_weight_multiplier',
    skip: (request) => request.volumeHosts.length === 0,
    weigh: (host, _pending, request) => request.volumeHosts.filter((one) => one === host.host).length,
  },
];

/**
 * Orders hosts, best first. Each weigher's values are brought to 0..1 over the hosts at hand and summed (nova/weights.py). `pendingOf` tells
 * what was promised on a host but not claimed yet, so that a burst of servers does not all choose the same one. `tie` gives a number per
 * host that settles equal weights.
 */
export function weighHosts(
  hosts: readonly HostState[],
  request: HostRequest,
  { scheduler, aggregateKeys }: Surroundings,
  pendingOf: (providerId: string) => Readonly<Record<string, number>>,
  tie: (host: HostState) => number,
): readonly HostState[] {
  if (hosts.length < 2) return hosts;
  const totals = hosts.map(() => 0);
  const pending = hosts.map((host) => pendingOf(host.candidate.providerId));
  for (const weigher of WEIGHERS) {
    if (weigher.skip?.(request) === true) continue;
    const values = hosts.map((host, at) => weigher.weigh(host, pending[at] as Readonly<Record<string, number>>, request));
    const general = scheduler.weights[weigher.name];
    const multiplier = (host: HostState): number => (aggregateKeys.has(weigher.key) ? aggregateNumber(host, weigher.key, general) : general);
    const low = Math.min(...values);
    const span = Math.max(...values) - low;
    if (span === 0) continue;
    values.forEach((value, at) => {
      totals[at] = (totals[at] as number) + (multiplier(hosts[at] as HostState) * (value - low)) / span;
    });
  }
  return hosts
    .map((host, at) => ({ host, weight: totals[at] as number, tie: tie(host) }))
    .sort((a, b) => b.weight - a.weight || a.tie - b.tie)
    .map(({ host }) => host);
}
