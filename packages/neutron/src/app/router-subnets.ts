import type { Db, Tx } from '@cairn/kit/store/store';
import { badRequest } from '../errors.ts';
import { isProvisional } from '../net/delegated.ts';
import { mustCidr, overlaps } from '../net/cidr.ts';
import { allocationsOfPorts } from '../store/ipam.ts';
import { portsOfDevices } from '../store/ports.ts';
import { fullSubnetsOfNetworks, subnetsByIds } from '../store/subnets.ts';
import type { IpAllocationRow, PortRow, RouterRow, SubnetRow } from '../store/tables.ts';

/** A router's ports with their addresses. */
export interface RouterPorts {
  readonly ports: readonly PortRow[];
  readonly addresses: readonly IpAllocationRow[];
}

export async function portsOfRouter(db: Db, routerId: string): Promise<RouterPorts> {
  const ports = await portsOfDevices(db, [routerId]);
  return {
    ports,
    addresses: await allocationsOfPorts(
      db,
      ports.map((port) => port.id),
    ),
  };
}

/** Subnets that a router is on must not overlap, nor may it be on one twice (l3_db._check_for_dup_router_subnets). `except` is a port that does not count. */
export async function requireNoOverlap(tx: Tx, row: RouterRow, added: readonly SubnetRow[], except?: string): Promise<void> {
  const { ports, addresses } = await portsOfRouter(tx, row.id);
  const counted = ports.filter((port) => port.id !== except);
  const ids = new Set(added.map((subnet) => subnet.id));
  const held = addresses.filter((address) => counted.some((port) => port.id === address.port_id));
  const twice = held.find((address) => ids.has(address.subnet_id));
  if (twice) throw badRequest('router', `Router already has a port on subnet ${twice.subnet_id}`);
  const gatewayNetworks = counted.filter((port) => port.device_owner === 'network:router_gateway').map((port) => port.network_id);
  const present = new Map<string, SubnetRow>();
  for (const subnet of [
    ...(await subnetsByIds(tx, [...new Set(held.map((address) => address.subnet_id))])),
    ...(await fullSubnetsOfNetworks(tx, gatewayNetworks)),
  ])
    present.set(subnet.id, subnet);
  // what waits for its prefix has none that could overlap
  const real = added.filter((subnet) => !isProvisional(subnet));
  for (const old of present.values()) if (!isProvisional(old)) for (const subnet of real) requireApart(old, subnet);
  for (const [i, a] of real.entries()) for (const b of real.slice(i + 1)) if (a.network_id !== b.network_id) requireApart(a, b);
}

function requireApart(old: SubnetRow, subnet: SubnetRow): void {
  if (!overlaps(mustCidr(old.cidr), mustCidr(subnet.cidr))) return;
  throw badRequest('router', `Cidr ${subnet.cidr} of subnet ${subnet.id} overlaps with cidr ${old.cidr} of subnet ${old.id}`);
}

/** The owner of the ports by which a router is on networks: its kind shows in it (l3_db._get_device_owner). */
export const interfaceOwner = (router: Pick<RouterRow, 'distributed' | 'ha'>): string =>
  router.distributed === 1 ? 'network:router_interface_distributed' : router.ha === 1 ? 'network:ha_router_replicated_interface' : 'network:router_interface';
