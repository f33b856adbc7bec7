import type { Tx } from '@cairn/kit/store/store';
import { portKey } from '../fabric/keys.ts';
import { mustCidr } from '../net/cidr.ts';
import { keyOnSubnet } from '../net/delegated.ts';
import { eui64Address } from '../net/mac.ts';
import { allocationsOfPorts, findAllocation, insertAllocations, takeKey } from '../store/ipam.ts';
import { portsOfNetworks, ROUTER_INTERFACE_OWNERS, updatePort } from '../store/ports.ts';
import type { SubnetRow } from '../store/tables.ts';
import { changed } from './common.ts';
import type { NeutronApp } from './deps.ts';
import { isAutoAddress } from './port-addresses.ts';

/** Ports that are there already get their address of a new subnet whose addresses are made from MACs. */
export async function giveAutoAddresses(app: NeutronApp, tx: Tx, subnet: SubnetRow): Promise<void> {
  if (subnet.ip_version !== 6 || !isAutoAddress(subnet)) return;
  const types = JSON.parse(subnet.service_types_json) as string[];
  for (const port of await portsOfNetworks(tx, [subnet.network_id])) {
    if ([...ROUTER_INTERFACE_OWNERS, 'network:router_centralized_snat', 'network:dhcp'].includes(port.device_owner)) continue;
    if (types.length > 0 && !types.includes(port.device_owner)) continue;
    const ipAddress = eui64Address(mustCidr(subnet.cidr), port.mac_address);
    const ipKey = keyOnSubnet(subnet, ipAddress);
    if (await findAllocation(tx, subnet.network_id, ipKey)) continue;
    const held = await allocationsOfPorts(tx, [port.id]);
    await takeKey(tx, subnet.id, ipKey);
    await insertAllocations(
      tx,
      port.id,
      [{ subnetId: subnet.id, networkId: subnet.network_id, ipKey, ipAddress }],
      Math.max(-1, ...held.map((row) => row.position)) + 1,
    );
    await updatePort(tx, port.id, changed(app, port));
    app.pusher.touch(tx, [portKey(port.id)]);
  }
}
