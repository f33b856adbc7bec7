import type { Tx } from '@cairn/kit/store/store';
import { keyOfIp } from '../net/ip.ts';
import { findAllocation } from '../store/ipam.ts';
import { findPort, ROUTER_INTERFACE_OWNERS } from '../store/ports.ts';
import { gatewayPortsOf, routersServing } from '../store/routers.ts';
import { subnetsByIds } from '../store/subnets.ts';
import type { PortRow } from '../store/tables.ts';

/** The router, if there is one, that is on the port's subnet and leads to the external network; the one that is the subnet's gateway is preferred. */
export async function servingRouterOf(tx: Tx, port: PortRow, subnetId: string, externalNetworkId: string): Promise<string | undefined> {
  const [subnet] = await subnetsByIds(tx, [subnetId]);
  const gateway = subnet?.gateway_ip ? await findAllocation(tx, port.network_id, keyOfIp(subnet.gateway_ip)) : undefined;
  const holder = gateway && (await findPort(tx, gateway.port_id));
  if (holder && ROUTER_INTERFACE_OWNERS.includes(holder.device_owner)) {
    const leads = (await gatewayPortsOf(tx, holder.device_id)).some((port) => port.network_id === externalNetworkId);
    if (leads) return holder.device_id;
  }
  return (await routersServing(tx, port.network_id, subnetId, externalNetworkId, ROUTER_INTERFACE_OWNERS))[0];
}
