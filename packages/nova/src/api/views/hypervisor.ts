import type { Version } from '@cairn/kit/http/microversion';
import type { HypervisorFacts } from '../../app/hypervisors.ts';

type View = Readonly<Record<string, unknown>>;

/** A hypervisor in lists. `servers` is there where it was asked for; an empty list only from 2.75 on. */
export function hypervisorLine(version: Version, { node, service, up, servers }: HypervisorFacts, withServers: boolean): View {
  return {
    id: version.atLeast('2.53') ? node.id : node.seq,
    hypervisor_hostname: node.hypervisor_hostname,
    state: up ? 'up' : 'down',
    status: service.disabled === 0 ? 'enabled' : 'disabled',
    ...(withServers && (servers.length > 0 || version.atLeast('2.75')) && { servers: servers.map(({ id, name }) => ({ name, uuid: id })) }),
  };
}

/** A hypervisor in full: sizes and use until 2.87, its uptime from 2.88 (nova/api/openstack/compute/hypervisors.py). */
export function hypervisorView(version: Version, facts: HypervisorFacts, withServers: boolean): View {
  const { node, service } = facts;
  return {
    ...hypervisorLine(version, facts, withServers),
    hypervisor_type: node.hypervisor_type,
    hypervisor_version: node.hypervisor_version,
    host_ip: node.host_ip,
    service: { id: version.atLeast('2.53') ? service.id : service.seq, host: node.host, disabled_reason: service.disabled_reason },
    ...(version.before('2.88')
      ? { ...sizes(facts), cpu_info: version.atLeast('2.28') ? processor(facts) : JSON.stringify(processor(facts)) }
      : { uptime: facts.up ? uptimeOf(service.last_seen_at_ms ?? 0, node.uptime_seconds) : null }),
  };
}

function sizes({ node, used, servers }: HypervisorFacts): View {
  const diskGb = used.DISK_GB ?? 0;
  const memoryMb = used.MEMORY_MB ?? 0;
  return {
    vcpus: node.vcpus,
    memory_mb: node.memory_mb,
    local_gb: node.disk_gb,
    vcpus_used: used.VCPU ?? 0,
    memory_mb_used: memoryMb,
    local_gb_used: diskGb,
    free_ram_mb: node.memory_mb - memoryMb,
    free_disk_gb: node.disk_gb - diskGb,
    current_workload: 0,
    running_vms: servers.length,
    disk_available_least: node.disk_free_gb,
  };
}

function processor({ node }: HypervisorFacts): View {
  const { arch, model, vendor, features, sockets, cores, threads } = JSON.parse(node.cpu_json) as Record<string, unknown>;
  return { arch, model, vendor, features, topology: { sockets, cores, threads } };
}

/** As `uptime` prints it, at a moment; of users and load nothing is known. */
export function uptimeOf(atMs: number, seconds: number): string {
  const days = Math.floor(seconds / 86_400);
  const hours = Math.floor((seconds % 86_400) / 3_600);
  const minutes = Math.floor((seconds % 3_600) / 60);
  const clock = new Date(atMs).toISOString().slice(11, 19);
  const duration = `${days > 0 ? `${days} day${days === 1 ? '' : 's'}, ` : ''}${hours > 0 ? `${String(hours).padStart(2)}:${String(minutes).padStart(2, '0')}` : `${minutes} min`}`;
  return ` ${clock} up ${duration}\n`;
}
