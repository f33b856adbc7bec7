import type { Request } from '@cairn/kit/http/operation';
import type { GuestDiagnostics } from '@cairn/host/interface/guests';
import type { SecurityGroupFacts } from '@cairn/neutron/face';
import { flavorOf } from '../app/server-rows.ts';
import type { ServerRow } from '../store/server.ts';
import { SecurityGroups } from './answers/others.ts';
import { Diagnostics } from './answers/server-parts.ts';
import { ServerPassword } from './answers/servers.ts';
import { op } from './op.ts';
import { anyQuery } from './schemas/types.ts';

const serverId = (request: Request): string => request.params['server_id'] as string;

/** Diagnostics in the form of every driver, from 2.48 on. */
function diagnosticsView(row: ServerRow, facts: GuestDiagnostics, hypervisor: string): object {
  const { vcpus } = flavorOf(row);
  return {
    state:
      facts.state === 'running' || facts.state === 'paused' || facts.state === 'shutdown' || facts.state === 'crashed' || facts.state === 'suspended'
        ? facts.state
        : 'pending',
    // the schema of the API knows upstream's drivers alone; QEMU's is this one
    driver: 'libvirt',
    hypervisor,
    hypervisor_os: 'linux',
    uptime: facts.uptimeSeconds,
    config_drive: row.config_drive === 1,
    num_cpus: vcpus,
    num_nics: facts.nics.length,
    num_disks: facts.disks.length,
    // QEMU counts the time of all processors together
    cpu_details: Array.from({ length: vcpus }, (_, id) => ({ id, time: Math.round(facts.cpuTimeNs / Math.max(1, vcpus)), utilisation: null })),
    nic_details: facts.nics.map((nic) => ({
      mac_address: nic.mac,
      rx_octets: nic.rxBytes,
      rx_errors: nic.rxErrors,
      rx_drop: nic.rxDrops,
      rx_packets: nic.rxPackets,
      rx_rate: null,
      tx_octets: nic.txBytes,
      tx_errors: nic.txErrors,
      tx_drop: nic.txDrops,
      tx_packets: nic.txPackets,
      tx_rate: null,
    })),
    disk_details: facts.disks.map((disk) => ({
      read_bytes: disk.readBytes,
      read_requests: disk.readRequests,
      write_bytes: disk.writeBytes,
      write_requests: disk.writeRequests,
      errors_count: disk.errors,
    })),
    memory_details: { maximum: facts.memoryMb, used: facts.memoryUsedMb },
  };
}

/** The form of before 2.48: a flat list as upstream's libvirt driver gives it. Memory is in KiB. */
function oldDiagnosticsView(facts: GuestDiagnostics): object {
  const flat: Record<string, number> = {
    cpu0_time: facts.cpuTimeNs,
    memory: facts.memoryMb * 1024,
    'memory-actual': facts.memoryMb * 1024,
    'memory-rss': facts.memoryUsedMb * 1024,
  };
  for (const disk of facts.disks) {
    flat[`${disk.device}_read_req`] = disk.readRequests;
    flat[`${disk.device}_read`] = disk.readBytes;
    flat[`${disk.device}_write_req`] = disk.writeRequests;
    flat[`${disk.device}_write`] = disk.writeBytes;
    flat[`${disk.device}_errors`] = disk.errors;
  }
  facts.nics.forEach((nic, at) => {
    flat[`vnet${at}_rx`] = nic.rxBytes;
    flat[`vnet${at}_rx_packets`] = nic.rxPackets;
    flat[`vnet${at}_rx_errors`] = nic.rxErrors;
    flat[`vnet${at}_rx_drop`] = nic.rxDrops;
    flat[`vnet${at}_tx`] = nic.txBytes;
    flat[`vnet${at}_tx_packets`] = nic.txPackets;
    flat[`vnet${at}_tx_errors`] = nic.txErrors;
    flat[`vnet${at}_tx_drop`] = nic.txDrops;
  });
  return flat;
}

/** A security group in nova's old form: rules for incoming traffic alone. */
function securityGroupView(group: SecurityGroupFacts): object {
  return {
    id: group.id,
    name: group.name,
    description: group.description,
    tenant_id: group.projectId,
    rules: group.rules
      .filter((rule) => rule.direction === 'ingress')
      .map((rule) => {
        const anyPort = rule.protocol !== null && rule.portMin === null && rule.portMax === null;
        const ported = ['TCP', 'UDP'].includes(rule.protocol?.toUpperCase() ?? '');
        return {
          id: rule.id,
          parent_group_id: group.id,
          ip_protocol: rule.protocol,
          from_port: anyPort ? (ported ? 1 : -1) : rule.portMin,
          to_port: anyPort ? (ported ? 65_535 : -1) : rule.portMax,
          group: rule.remoteGroup === null ? {} : { name: rule.remoteGroup.name, tenant_id: rule.remoteGroup.projectId },
          ip_range: rule.remoteGroup === null ? { cidr: rule.remoteCidr ?? (rule.ethertype === 'IPv6' ? '::/0' : '0.0.0.0/0') } : {},
        };
      }),
  };
}

const byProjectAndName = (a: SecurityGroupFacts, b: SecurityGroupFacts): number => {
  const left = `${a.projectId}\0${a.name}`;
  const right = `${b.projectId}\0${b.name}`;
  return left < right ? -1 : left > right ? 1 : 0;
};

export const serverGuestOperations = [
  op({
    id: 'nova.server.diagnostics',
    method: 'GET',
    path: '/v2.1/servers/{server_id}/diagnostics',
    summary: 'Show diagnostics of a server',
    policy: 'os_compute_api:os-server-diagnostics',
    answer: Diagnostics,
    query: anyQuery,
    async handle(app, request) {
      const { row, facts, hypervisor } = await app.serverGuest.diagnostics(request, serverId(request));
      return request.version.atLeast('2.48') ? diagnosticsView(row, facts, hypervisor) : oldDiagnosticsView(facts);
    },
  }),
  op({
    id: 'nova.server.security_groups',
    method: 'GET',
    path: '/v2.1/servers/{server_id}/os-security-groups',
    summary: "List a server's security groups",
    policy: 'os_compute_api:os-security-groups:list',
    answer: SecurityGroups,
    query: anyQuery,
    handle: async (app, request) => ({
      security_groups: [...(await app.serverGuest.securityGroups(request, serverId(request)))].sort(byProjectAndName).map(securityGroupView),
    }),
  }),
  op({
    id: 'nova.server_password.show',
    method: 'GET',
    path: '/v2.1/servers/{server_id}/os-server-password',
    summary: 'Show the encrypted password of a server',
    policy: 'os_compute_api:os-server-password:show',
    answer: ServerPassword,
    query: anyQuery,
    handle: async (app, request) => ({ password: await app.serverGuest.password(request, serverId(request)) }),
  }),
  op({
    id: 'nova.server_password.clear',
    method: 'DELETE',
    path: '/v2.1/servers/{server_id}/os-server-password',
    summary: 'Clear the encrypted password of a server',
    policy: 'os_compute_api:os-server-password:clear',
    answer: 'none',
    success: 204,
    handle: (app, request) => app.serverGuest.clearPassword(request, serverId(request)),
  }),
];
