import type { Context } from '@cairn/kit/context/context';
import { systemContext } from '@cairn/kit/context/context';
import type { Tx } from '@cairn/kit/store/store';
import { fromJson } from '@cairn/kit/store/values';
import { networkKey } from '../fabric/keys.ts';
import { allocationsOfPorts } from '../store/ipam.ts';
import { uuid5 } from '../net/uuid5.ts';
import { portsOfOwners } from '../store/ports.ts';
import { deleteDhcpHost, dhcpHostsOf, insertDhcpHost } from '../store/service-hosts.ts';
import { subnetsOfNetwork } from '../store/subnets.ts';
import type { NetworkRow, PortRow, SubnetRow } from '../store/tables.ts';
import type { NeutronApp } from './deps.ts';
import { makePort } from './port-creation.ts';
import { removePort } from './port-removal.ts';
import { changePort } from './port-update.ts';

const DHCP = 'network:dhcp';
/** The device of a DHCP port that no agent uses, and that the next one takes over with its address. */
const RESERVED = 'reserved_dhcp_port';

/** By host, what its name is as a UUID. */
const hostIds = new Map<string, string>();

/** The device id of a network's DHCP port on a host: `dhcp`, the host's name as a UUID, the network (agent/linux/dhcp.py). */
export function dhcpDeviceId(host: string, networkId: string): string {
  let id = hostIds.get(host);
  if (id === undefined) hostIds.set(host, (id = uuid5(host.split('.')[0] ?? host)));
  return `dhcp${id}-${networkId}`;
}

/**
 * Brings a network's DHCP ports to what its subnets ask: there is one on each host that serves the network, with an address of each
 * subnet that has DHCP, as long as there is such a subnet; and one that waits for a host where none serves it. Upstream's agents do the
 * same a moment later. `subnets`: those of the network, where they are known.
 */
export async function settleDhcpPort(app: NeutronApp, tx: Tx, ctx: Context, network: NetworkRow, subnets?: readonly SubnetRow[]): Promise<void> {
  const wanted = (subnets ?? (await subnetsOfNetwork(tx, network.id))).filter((subnet) => subnet.enable_dhcp === 1).map((subnet) => subnet.id);
  const ports = (await portsOfOwners(tx, [network.id], [DHCP])).filter((port) => port.device_id.startsWith('dhcp') || port.device_id === RESERVED);
  app.pusher.touch(tx, [networkKey(network.id)]);
  if (wanted.length === 0) {
    for (const port of ports) await removePort(app, tx, agentContext(ctx), port);
    return;
  }
  const hosts = await hostsForDhcp(app, tx, network);
  const places = hosts.length > 0 ? hosts : [''];
  // a port stays where it is served, and the others take the places that are left
  const placed = new Map(ports.filter((port) => places.includes(port.binding_host)).map((port) => [port.binding_host, port]));
  const free = ports.filter((port) => placed.get(port.binding_host) !== port);
  for (const host of places) {
    const port = placed.get(host) ?? free.shift();
    if (port) await adjust(app, tx, port, host, wanted);
    else
      await makePort(app, tx, agentContext(ctx), network, {
        projectId: network.project_id,
        deviceId: dhcpDeviceId(host, network.id),
        deviceOwner: DHCP,
        host,
        fixedIps: wanted.map((subnet_id) => ({ subnet_id })),
      });
  }
  for (const port of free) await removePort(app, tx, agentContext(ctx), port);
}

/** The hosts that serve a network, which are chosen now if there are none; empty where none can, or it was taken off its agents. */
async function hostsForDhcp(app: NeutronApp, tx: Tx, network: NetworkRow): Promise<readonly string[]> {
  const there = (await dhcpHostsOf(tx, [network.id])).map((row) => row.host);
  if (there.length > 0 || network.dhcp_away === 1) return there;
  const chosen = await app.scheduler.choose(tx, 'dhcp', wantedOf(network), app.settings.dhcpAgentsPerNetwork);
  for (const host of chosen) await insertDhcpHost(tx, { network_id: network.id, host });
  return chosen;
}

const wantedOf = (network: NetworkRow, except: ReadonlySet<string> = new Set()) => ({
  zones: fromJson<string[]>(network.az_hints_json),
  physicalNetworks: network.segment_count < 2 && network.physical_network !== '' ? [network.physical_network] : [],
  except,
});

/** Has another host serve a network in place of one that is gone. False where no other can: then it stays where it is. */
export async function moveDhcp(app: NeutronApp, tx: Tx, network: NetworkRow, from: string): Promise<boolean> {
  const there = (await dhcpHostsOf(tx, [network.id])).map((row) => row.host);
  if (!there.includes(from)) return true;
  const [to] = await app.scheduler.choose(tx, 'dhcp', wantedOf(network, new Set(there)));
  if (to === undefined) return false;
  await deleteDhcpHost(tx, network.id, from);
  await insertDhcpHost(tx, { network_id: network.id, host: to });
  await settleDhcpPort(app, tx, agentContext(), network);
  return true;
}

async function adjust(app: NeutronApp, tx: Tx, port: PortRow, host: string, wanted: readonly string[]): Promise<void> {
  if (port.binding_host !== host)
    await changePort(app, tx, agentContext(), port, {
      'binding:host_id': host,
      device_id: host === '' ? RESERVED : dhcpDeviceId(host, port.network_id),
    });
  const held = await allocationsOfPorts(tx, [port.id]);
  const same = wanted.length === held.length && held.every((allocation) => wanted.includes(allocation.subnet_id));
  if (same) return;
  await changePort(
    app,
    tx,
    agentContext(),
    { ...port, binding_host: host },
    {
      fixed_ips: wanted.map((subnet_id) => {
        const known = held.find((allocation) => allocation.subnet_id === subnet_id);
        return known ? { subnet_id, ip_address: known.ip_address } : { subnet_id };
      }),
    },
  );
}

const agentContext = (ctx?: Context): Context => systemContext(ctx?.requestId ?? 'req-dhcp');
