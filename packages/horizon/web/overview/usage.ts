/** How much of a quota is used. */
export interface Usage {
  readonly id: string;
  readonly used: number;
  /** Undefined where there is no limit. */
  readonly limit: number | undefined;
}

type Absolute = Readonly<Record<string, number>>;
type Details = Readonly<Record<string, { readonly used: number; readonly reserved: number; readonly limit: number }>>;

/** Names in `GET /limits` of compute: the limit, and what is used of it. */
const COMPUTE = {
  servers: ['maxTotalInstances', 'totalInstancesUsed'],
  vcpus: ['maxTotalCores', 'totalCoresUsed'],
  memory: ['maxTotalRAMSize', 'totalRAMUsed'],
  serverGroups: ['maxServerGroups', 'totalServerGroupsUsed'],
} as const;
const VOLUME = {
  volumes: ['maxTotalVolumes', 'totalVolumesUsed'],
  gigabytes: ['maxTotalVolumeGigabytes', 'totalGigabytesUsed'],
  snapshots: ['maxTotalSnapshots', 'totalSnapshotsUsed'],
  backups: ['maxTotalBackups', 'totalBackupsUsed'],
} as const;
/** Names of quotas of the network service. */
const NETWORK = {
  networks: 'network',
  ports: 'port',
  routers: 'router',
  floatingIps: 'floatingip',
  securityGroups: 'security_group',
  securityGroupRules: 'security_group_rule',
} as const;

export type ComputeUsage = keyof typeof COMPUTE;
export type VolumeUsage = keyof typeof VOLUME;
export type NetworkUsage = keyof typeof NETWORK;

/** Less than zero is no limit, in every service. */
const usage = <K extends string>(id: K, used: number | undefined, limit: number | undefined): (Usage & { readonly id: K })[] =>
  used === undefined || limit === undefined ? [] : [{ id, used, limit: limit < 0 ? undefined : limit }];

const ofLimits = <K extends string>(names: Readonly<Record<K, readonly [string, string]>>, limits: Absolute): (Usage & { readonly id: K })[] =>
  (Object.entries(names) as [K, readonly [string, string]][]).flatMap(([id, [limit, used]]) => usage(id, limits[used], limits[limit]));

/** The same form for every service; what a service does not tell of is left out. */
export const computeUsage = (limits: Absolute) => ofLimits<ComputeUsage>(COMPUTE, limits);
export const volumeUsage = (limits: Absolute) => ofLimits<VolumeUsage>(VOLUME, limits);
export const networkUsage = (details: Details) =>
  (Object.entries(NETWORK) as [NetworkUsage, string][]).flatMap(([id, name]) => {
    const found = details[name];
    return usage(id, found && found.used + found.reserved, found?.limit);
  });

/** Percent of the limit, from 0 to 100; nothing used of nothing is all of it. */
export const percentOf = ({ used, limit }: Usage): number => (limit === undefined ? 0 : limit === 0 ? 100 : Math.min(100, Math.round((100 * used) / limit)));

/** How many there are of each state, most first. */
export function byState(servers: readonly { readonly status: string }[]): readonly (readonly [string, number])[] {
  const counts = new Map<string, number>();
  for (const { status } of servers) counts.set(status, (counts.get(status) ?? 0) + 1);
  return [...counts].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1));
}
