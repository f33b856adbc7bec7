import type { FabricObject, PortSpec } from '@cairn/host/interface/fabric';
import type { Hosts } from '@cairn/host/interface/hosts';
import type { Holder, PathWorld } from '@cairn/host/fabric/path/world';
import type { Db } from '@cairn/kit/store/store';
import { fromJson } from '@cairn/kit/store/values';
import { contains, mustCidr } from '../net/cidr.ts';
import { keyOfIp, mustIp } from '../net/ip.ts';
import { findFloatingIp } from '../store/floatingips.ts';
import { findAllocation } from '../store/ipam.ts';
import { localIpsOfPorts, portsOfLocalIp } from '../store/local-ips.ts';
import { proxiesOfAddress } from '../store/ndp-proxies.ts';
import { findPort, portsByIds, portsWithPairs, ROUTER_INTERFACE_OWNERS } from '../store/ports.ts';
import { addressPairsOfGroup, groupHasAddress } from '../store/security-groups.ts';
import { activeHostOf } from '../store/service-hosts.ts';
import type { PortRow } from '../store/tables.ts';
import type { Pusher } from './pusher.ts';
import { loadGroups, loadNetworks, loadRouters, withAddresses } from './load.ts';

const ROUTER_OWNERS = [...ROUTER_INTERFACE_OWNERS, 'network:router_gateway'];

/** The rows of the cloud as a trace asks about them, turned into objects by what hosts' objects are made with, one at a time. */
export function pathWorld(db: Db, hosts: Hosts, pusher: Pick<Pusher, 'flawOf'>): PathWorld {
  const known = new Map<string, Promise<FabricObject | undefined>>();
  const one = async <K extends FabricObject['kind']>(
    kind: K,
    id: string,
    load: (db: Db, ids: readonly string[]) => Promise<Map<string, FabricObject>>,
  ): Promise<(FabricObject & { kind: K }) | undefined> => {
    const key = `${kind} ${id}`;
    let found = known.get(key);
    if (!found) known.set(key, (found = load(db, [id]).then((objects) => objects.get(id))));
    return (await found) as (FabricObject & { kind: K }) | undefined;
  };
  /** The router that answers outside for an address that is inside. */
  const proxyFor = async (networkId: string, ip: string): Promise<Holder | undefined> => {
    for (const { router_id: routerId } of ip.includes(':') ? await proxiesOfAddress(db, ip) : []) {
      const router = await one('router', routerId, loadRouters);
      if (router?.gateway?.networkId === networkId && router.ndpProxy?.addresses.includes(ip)) return { kind: 'router', routerId };
    }
    return undefined;
  };
  return {
    network: (id) => one('network', id, networkObjects),
    router: (id) => one('router', id, loadRouters),
    group: (id) => one('securityGroup', id, loadGroups),
    isMember: (groupId, ip) => isMember(db, groupId, ip),
    holderOf: async (networkId, ip) => (await holderOf(db, hosts, networkId, ip)) ?? (await proxyFor(networkId, ip)),
    ledTo: (sender, ip) => ledTo(db, hosts, sender, ip),
    async claimantsOf(networkId, ip) {
      const rows = (await portsWithPairs(db, networkId)).filter((row) => pairsHave(row.allowed_address_pairs_json, ip));
      return Promise.all(rows.map((row) => portAsPlugged(db, hosts, row)));
    },
    async flawOf(kind, id) {
      const flaw = pusher.flawOf(`${kind} ${id}`);
      if (flaw !== undefined)
        return { reason: `A host cannot have it as it is wanted: ${flaw}`, remedy: 'Change what it names; the log of the host says more.' };
      return kind === 'router' ? whyNotAtWork(db, hosts, id) : undefined;
    },
    async whyUnplugged(portId) {
      const row = await findPort(db, portId);
      return row && whyUnplugged(row, hosts);
    },
  };
}

const networkObjects = async (db: Db, ids: readonly string[]): Promise<Map<string, FabricObject>> =>
  new Map([...(await loadNetworks(db, ids))].map(([id, loaded]) => [id, loaded.object]));

async function whyNotAtWork(db: Db, hosts: Hosts, routerId: string): Promise<{ readonly reason: string; readonly remedy: string } | undefined> {
  const home = await activeHostOf(db, routerId);
  if (home !== undefined && hosts.names().includes(home)) return undefined;
  const remedy = 'Look at the hosts: openstack network agent list';
  if (hosts.names().length === 0) return { reason: 'No host is there that could run the router.', remedy };
  if (home === undefined)
    return { reason: 'The router is on no host: no L3 agent has it.', remedy: `Give it one: openstack network agent add router --l3 AGENT ${routerId}` };
  return { reason: 'The host of the router is not there.', remedy };
}

/** On the sender's host and network, the first of the ports that a local IP leads to, as the rules have it. */
async function ledTo(db: Db, hosts: Hosts, sender: PortSpec, ip: string): Promise<PortSpec | undefined> {
  // the address is that of the local IP's own port
  const allocation = ip.includes(':') ? undefined : await findAllocation(db, sender.networkId, keyOfIp(ip));
  const [local] = allocation ? await localIpsOfPorts(db, [allocation.port_id]) : [];
  if (!local) return undefined;
  const ids = (await portsOfLocalIp(db, local.id)).map((row) => row.fixed_port_id);
  const host = (await findPort(db, sender.id))?.binding_host;
  const here = (await portsByIds(db, ids)).filter((row) => row.binding_host === host && row.network_id === sender.networkId && row.admin_state_up === 1);
  const [first] = here.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  return first && portAsPlugged(db, hosts, first);
}

/** A port as its own host has it; one whose host is away, or has not taken it up, is plugged nowhere. */
export async function portAsPlugged(db: Db, hosts: Hosts, row: PortRow): Promise<PortSpec> {
  const [loaded] = await withAddresses(db, [row]);
  const object = loaded?.objectFor(row.binding_host);
  if (object?.kind !== 'port') throw new Error(`port ${row.id} has no object`);
  return whyUnplugged(row, hosts) ? { ...object, attachment: { kind: 'none' } } : object;
}

function whyUnplugged(row: PortRow, hosts: Hosts): { readonly reason: string; readonly remedy: string } | undefined {
  if (row.binding_host === '')
    return { reason: 'The port is bound to no host: no server that runs has it.', remedy: `Attach it: openstack server add port SERVER ${row.id}` };
  if (row.binding_vif_type !== 'tap')
    return { reason: 'The port could not be bound on its host.', remedy: 'Detach it and attach it again, or move its server to another host.' };
  if (!hosts.names().includes(row.binding_host))
    return { reason: 'The host of the port is not there.', remedy: 'Wait for the host, or evacuate its servers: openstack server evacuate SERVER' };
  if (row.status !== 'ACTIVE' && row.admin_state_up === 1)
    return { reason: `The port is ${row.status}: its host has not reported it as live.`, remedy: 'Look whether its server runs: openstack server show SERVER' };
  return undefined;
}

async function isMember(db: Db, groupId: string, ip: string): Promise<boolean> {
  if (await groupHasAddress(db, groupId, ip)) return true;
  return (await addressPairsOfGroup(db, groupId)).some((json) => pairsHave(json, ip));
}

function pairsHave(json: string, text: string): boolean {
  const ip = mustIp(text);
  return fromJson<{ ip_address: string }[]>(json).some(({ ip_address: pair }) =>
    contains(mustCidr(pair.includes('/') ? pair : `${pair}/${pair.includes(':') ? 128 : 32}`), ip),
  );
}

async function holderOf(db: Db, hosts: Hosts, networkId: string, ip: string): Promise<Holder | undefined> {
  const allocation = await findAllocation(db, networkId, keyOfIp(ip));
  const row = allocation && (await findPort(db, allocation.port_id));
  if (!row) return undefined;
  if (row.device_owner === 'network:dhcp') return { kind: 'dhcp' };
  if (ROUTER_OWNERS.includes(row.device_owner)) return { kind: 'router', routerId: row.device_id };
  if (row.device_owner !== 'network:floatingip') return { kind: 'port', port: await portAsPlugged(db, hosts, row) };
  const floating = await findFloatingIp(db, row.device_id);
  if (floating?.router_id) return { kind: 'router', routerId: floating.router_id };
  return {
    kind: 'nobody',
    reason: `The floating IP ${ip} leads to no port.`,
    remedy: `Associate it: openstack server add floating ip SERVER ${ip}`,
  };
}
