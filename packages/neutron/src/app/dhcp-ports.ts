import type { Context } from '@cairn/kit/context/context';
import { systemContext } from '@cairn/kit/context/context';
import type { Tx } from '@cairn/kit/store/store';
import { networkKey } from '../fabric/keys.ts';
import { allocationsOfPorts } from '../store/ipam.ts';
import { uuid5 } from '../net/uuid5.ts';
import { portsOfOwners } from '../store/ports.ts';
import { subnetsOfNetwork } from '../store/subnets.ts';
import type { NetworkRow, PortRow } from '../store/tables.ts';
import { chassisOf } from './binding.ts';
import type { NeutronApp } from './deps.ts';
import { makePort } from './port-creation.ts';
import { removePort } from './port-removal.ts';
import { changePort } from './port-update.ts';

const DHCP = 'network:dhcp';

/** The device id of a network's DHCP port on a host: `dhcp`, the host's name as a UUID, the network (agent/linux/dhcp.py). */
export function dhcpDeviceId(host: string, networkId: string): string {
  const local = host.split('.')[0] ?? host;
  return `dhcp${uuid5(local)}-${networkId}`;
}

/**
 * Brings a network's DHCP port to what its subnets ask: there is one, with an address of each subnet that has DHCP, as long as
 * there is such a subnet. Upstream's agent does the same a moment later.
 */
export async function settleDhcpPort(app: NeutronApp, tx: Tx, ctx: Context, network: NetworkRow): Promise<void> {
  const wanted = (await subnetsOfNetwork(tx, network.id)).filter((subnet) => subnet.enable_dhcp === 1).map((subnet) => subnet.id);
  const ports = await portsOfOwners(tx, [network.id], [DHCP]);
  const port = ports.find((candidate) => candidate.device_id.startsWith('dhcp'));
  app.pusher.touch(tx, [networkKey(network.id)]);
  if (port) await adjust(app, tx, port, wanted);
  else if (wanted.length > 0) {
    const host = chassisOf(app) ?? '';
    await makePort(app, tx, agentContext(ctx), network, {
      projectId: network.project_id,
      deviceId: dhcpDeviceId(host, network.id),
      deviceOwner: DHCP,
      host,
      fixedIps: wanted.map((subnet_id) => ({ subnet_id })),
    });
  }
}

async function adjust(app: NeutronApp, tx: Tx, port: PortRow, wanted: readonly string[]): Promise<void> {
  if (wanted.length === 0) {
    await removePort(app, tx, agentContext(), port);
    return;
  }
  const held = await allocationsOfPorts(tx, [port.id]);
  const same = wanted.length === held.length && held.every((allocation) => wanted.includes(allocation.subnet_id));
  if (same) return;
  await changePort(app, tx, agentContext(), port, {
    fixed_ips: wanted.map((subnet_id) => {
      const known = held.find((allocation) => allocation.subnet_id === subnet_id);
      return known ? { subnet_id, ip_address: known.ip_address } : { subnet_id };
    }),
  });
}

const agentContext = (ctx?: Context): Context => systemContext(ctx?.requestId ?? 'req-dhcp');
