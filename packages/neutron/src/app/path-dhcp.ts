import type { Hosts } from '@cairn/host/interface/hosts';
import type { Db } from '@cairn/kit/store/store';
import { loadNetworks } from '../fabric/load.ts';
import { addressesOfPorts } from '../store/ipam.ts';
import type { PortRow } from '../store/tables.ts';

/** What DHCP is to tell a port of one of its addresses; a guest that has not heard it has no address, whatever else passes. */
export interface DhcpFact {
  readonly portId: string;
  readonly subnetId: string;
  readonly ip: string;
  /** The server's address, where there is one. */
  readonly server: string | undefined;
  /** The same for programs. */
  readonly code: 'slaac' | 'no_dhcp' | 'dhcp_keeps' | 'dhcp_host_gone';
  readonly reason: string;
}

/** By the objects that hosts make their DHCP servers of. */
export async function dhcpFacts(db: Db, hosts: Hosts, ports: readonly PortRow[]): Promise<DhcpFact[]> {
  const networks = await loadNetworks(db, [...new Set(ports.map((port) => port.network_id))]);
  const alive = hosts.names();
  const networkOf = new Map(ports.map((port) => [port.id, networks.get(port.network_id)]));
  const addresses = await addressesOfPorts(
    db,
    ports.map((port) => port.id),
  );
  return addresses.map(({ port_id: portId, subnet_id: subnetId, ip_address: ip }) => {
    const network = networkOf.get(portId);
    const object = network?.object;
    const subnet = object?.kind === 'network' ? object.subnets.find((each) => each.id === subnetId) : undefined;
    const server = subnet?.dhcp?.ip;
    const slaac = subnet?.ipVersion === 6 && subnet.ipv6AddressMode === 'slaac';
    const isServed = alive.some((host) => network?.dhcpHosts.has(host));
    const code = slaac ? 'slaac' : server === undefined ? 'no_dhcp' : isServed ? 'dhcp_keeps' : 'dhcp_host_gone';
    const reasons = {
      slaac: `The guest makes ${ip} itself, of what the router advertises.`,
      no_dhcp: `The subnet has no DHCP: ${ip} must be set in the guest, by a config drive or by hand.`,
      dhcp_keeps: `The DHCP server ${server} keeps ${ip} for the MAC of the port.`,
      dhcp_host_gone: `The DHCP server ${server} is to keep ${ip} for the MAC of the port, but its host is not there.`,
    };
    return { portId, subnetId, ip, server, code, reason: reasons[code] };
  });
}
