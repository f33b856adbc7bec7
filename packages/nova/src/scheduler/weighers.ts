import type { HostState } from './filters.ts';
import type { HostRequest } from './request.ts';

/** A preference among hosts that all pass. */
interface Weigher {
  readonly name: string;
  readonly multiplier: number;
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

/** Upstream's default weighers, as far as their facts are here: they spread servers over hosts, and volumes draw servers to where they are kept. */
const WEIGHERS: readonly Weigher[] = [
  { name: 'RAMWeigher', multiplier: 1, weigh: free('MEMORY_MB') },
  { name: 'CPUWeigher', multiplier: 1, weigh: free('VCPU') },
  { name: 'DiskWeigher', multiplier: 1, weigh: free('DISK_GB') },
  { name: 'ServerGroupSoftAffinityWeigher', multiplier: 1, skip: (request) => request.group?.policy !== 'soft-affinity', weigh: (host) => host.groupMembers },
  {
    name: 'ServerGroupSoftAntiAffinityWeigher',
    multiplier: 1,
    skip: (request) => request.group?.policy !== 'soft-anti-affinity',
    weigh: (host) => -host.groupMembers,
  },
  {
    // none of upstream's: there no host is nearer to a volume than another
    name: 'VolumeHostWeigher',
    multiplier: 4,
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
  pendingOf: (providerId: string) => Readonly<Record<string, number>>,
  tie: (host: HostState) => number,
): readonly HostState[] {
  if (hosts.length < 2) return hosts;
  const totals = hosts.map(() => 0);
  const pending = hosts.map((host) => pendingOf(host.candidate.providerId));
  for (const weigher of WEIGHERS) {
    if (weigher.skip?.(request) === true) continue;
    const values = hosts.map((host, at) => weigher.weigh(host, pending[at] as Readonly<Record<string, number>>, request));
    const low = Math.min(...values);
    const span = Math.max(...values) - low;
    if (span === 0) continue;
    values.forEach((value, at) => {
      totals[at] = (totals[at] as number) + (weigher.multiplier * (value - low)) / span;
    });
  }
  return hosts
    .map((host, at) => ({ host, weight: totals[at] as number, tie: tie(host) }))
    .sort((a, b) => b.weight - a.weight || a.tie - b.tie)
    .map(({ host }) => host);
}
