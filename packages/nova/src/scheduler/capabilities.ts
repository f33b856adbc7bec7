import { BlockList, isIP } from 'node:net';
import type { HostState } from './filters.ts';
import type { HostRequest } from './request.ts';

/** A host's facts under upstream's names; what it does not know of is not there. */
const FACTS: Readonly<Record<string, (host: HostState) => string | number>> = {
  host: ({ host }) => host,
  hypervisor_hostname: ({ node }) => node,
  nodename: ({ node }) => node,
  hypervisor_type: ({ hypervisorType }) => hypervisorType,
  hypervisor_version: ({ facts }) => facts.hypervisor_version,
  host_ip: ({ hostIp }) => hostIp,
  uuid: ({ facts }) => facts.id,
  vcpus_total: ({ facts }) => facts.vcpus,
  total_usable_ram_mb: ({ facts }) => facts.memory_mb,
  total_usable_disk_gb: ({ facts }) => facts.disk_gb,
  free_ram_mb: ({ facts }) => facts.memory_mb - facts.memory_used_mb,
  free_disk_mb: ({ facts }) => facts.disk_free_gb * 1_024,
  num_instances: ({ servers }) => servers,
  num_io_ops: ({ ioOperations }) => ioOperations,
  failed_builds: ({ failures }) => failures,
};

/** Extra specs about hosts: `capabilities:NAME`, and names of host facts without a scope. As path and wanted value. */
export const capabilitySpecs = (request: HostRequest): readonly (readonly [readonly string[], string])[] =>
  Object.entries(request.flavor.extraSpecs).flatMap(([name, wanted]) => {
    const path = name.split(':');
    if (path[0] === 'capabilities' && path.length > 1) return [[path.slice(1), wanted] as const];
    return path.length === 1 && Object.hasOwn(FACTS, name) ? [[path, wanted] as const] : [];
  });

/** One fact of a host, as text. `cpu_info:features` and the like look into what the host says of its processor. */
export function capabilityOf(host: HostState, path: readonly string[]): string | undefined {
  const [first = '', ...rest] = path;
  if (first !== 'cpu_info') return rest.length > 0 ? undefined : Object.hasOwn(FACTS, first) ? String(FACTS[first]?.(host)) : undefined;
  const cpu = JSON.parse(host.facts.cpu_json) as Readonly<Record<string, unknown>>;
  const topology = { sockets: cpu['sockets'], cores: cpu['cores'], threads: cpu['threads'] };
  let value: unknown = { ...cpu, topology };
  for (const key of rest)
    value = typeof value === 'object' && value !== null && Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined;
  if (value === undefined || value === null) return undefined;
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Whether a host's address is in the network of a hint. */
export function isNear(hostIp: string, { ip, prefixLength }: NonNullable<HostRequest['near']>): boolean {
  const version = isIP(ip);
  if (version === 0 || isIP(hostIp) !== version || prefixLength > (version === 4 ? 32 : 128)) return false;
  const type = version === 4 ? 'ipv4' : 'ipv6';
  const network = new BlockList();
  network.addSubnet(ip, prefixLength, type);
  return network.check(hostIp, type);
}
