import { called, type FloatingIp, type Port } from '../networks/queries.ts';

/** What uses a port. */
export type PortUser = 'server' | 'router' | 'dhcp' | 'floating' | 'other' | 'nobody';

export function userOf({ device_owner: owner, device_id: id }: Pick<Port, 'device_owner' | 'device_id'>): PortUser {
  if (owner.startsWith('compute:')) return 'server';
  if (/^network:(router_|ha_router)/.test(owner)) return 'router';
  if (owner === 'network:dhcp') return 'dhcp';
  if (owner === 'network:floatingip') return 'floating';
  return owner === '' && id === '' ? 'nobody' : 'other';
}

/** The page of what uses a port; undefined where it has none. */
export function pageOfUser(port: Pick<Port, 'device_owner' | 'device_id'>): string | undefined {
  const user = userOf(port);
  if (port.device_id === '') return undefined;
  return user === 'server' ? `/servers/${port.device_id}` : user === 'router' ? `/routers/${port.device_id}` : undefined;
}

type Named = { readonly id: string; readonly name: string };

/** An address of a port, as forms offer it: `vm: 10.0.0.5 (port name)`; its value is both the port and the address. */
export interface AddressChoice {
  readonly value: string;
  readonly label: string;
  readonly portId: string;
  readonly address: string;
}

/**
 * The addresses that a floating IP may lead to: IPv4, of ports of servers or of nobody yet, servers first, and not those that another floating
 * IP leads to already.
 */
export function addressChoices(
  ports: readonly Port[],
  servers: readonly Named[],
  taken: readonly Pick<FloatingIp, 'port_id' | 'fixed_ip_address'>[],
): AddressChoice[] {
  const names = new Map(servers.map((server) => [server.id, called(server)]));
  const used = new Set(taken.map(({ port_id, fixed_ip_address }) => `${port_id ?? ''} ${fixed_ip_address ?? ''}`));
  const rows = ports.flatMap((port) => {
    const user = userOf(port);
    if (user !== 'server' && user !== 'nobody' && user !== 'other') return [];
    return port.fixed_ips
      .filter(({ ip_address }) => !ip_address.includes(':') && !used.has(`${port.id} ${ip_address}`))
      .map(({ ip_address: address }) => {
        const server = names.get(port.device_id);
        const own = port.name === '' ? '' : ` (${port.name})`;
        const label = server === undefined ? `${address}${own || ` (${port.id.slice(0, 8)})`}` : `${server}: ${address}${own}`;
        return { value: `${port.id} ${address}`, label, portId: port.id, address, first: server !== undefined };
      });
  });
  return rows
    .sort((a, b) => Number(b.first) - Number(a.first) || a.label.localeCompare(b.label))
    .map(({ value, label, portId, address }) => ({ value, label, portId, address }));
}

/** A port in a line: what uses it, its addresses, its name. */
export function portLabel(port: Pick<Port, 'id' | 'name' | 'device_id' | 'fixed_ips'>, servers: readonly Named[]): string {
  const server = servers.find(({ id }) => id === port.device_id);
  const addresses = port.fixed_ips.map(({ ip_address }) => ip_address).join(', ');
  const name = called(port);
  return server === undefined ? [name, addresses].filter((text) => text !== '').join(': ') : `${called(server)}: ${addresses || name}`;
}
