import type { FabricObject } from '@cairn/host/interface/fabric';
import type { Db } from '@cairn/kit/store/store';
import { fromJson } from '@cairn/kit/store/values';
import { rowsAmong } from '@cairn/kit/store/among';
import { addressGroupsByIds } from '../store/address-groups.ts';
import { isDelegated } from '../net/delegated.ts';
import { delegationsOfSubnets } from '../store/delegated-prefixes.ts';
import { floatingIpsOfRouters } from '../store/floatingips.ts';
import { allocationsOfPorts } from '../store/ipam.ts';
import { forwardingsOfFloatingIps } from '../store/port-forwardings.ts';
import { portsByIds, portsOfDevices, portsOfOwners, ROUTER_INTERFACE_OWNERS } from '../store/ports.ts';
import { effectivePolicy, gatewayPolicy } from '../store/qos.ts';
import { partHostsOfNetworks } from '../store/router-parts.ts';
import { routersByIds } from '../store/routers.ts';
import { groupsByIds, groupsOfPorts, rulesOfGroups } from '../store/security-groups.ts';
import { segmentsOfNetworks } from '../store/segments.ts';
import { standbysOfNetworks } from '../store/service-hosts.ts';
import { subportsByPorts } from '../store/trunks.ts';
import { fullSubnetsOfNetworks, subnetsByIds } from '../store/subnets.ts';
import type { NetworkRow, PortRow, RouterRow } from '../store/tables.ts';
import { loadQos } from './qos.ts';
import type { Settings } from '../options.ts';
import { hostsOfSegment } from './segment-of-host.ts';
import { loadPortParts } from './port-parts.ts';
import { loadRouterParts } from './router-parts.ts';
import type { Segmented } from './several-hosts.ts';
import { networkObject, portObject, routerObject, securityGroupObject } from './objects.ts';

/** Reads the truth of fabric objects, in a few statements for all of a kind. What is not in the answer does not exist. */

/** A network, as hosts that serve it have it. */
export interface LoadedNetwork {
  readonly row: NetworkRow;
  readonly object: FabricObject;
  /** The hosts that serve its DHCP. */
  readonly dhcpHosts: ReadonlySet<string>;
  /** These and the hosts of its routers: they answer its guests, and so have to know all its ports. Those that stand by for a router, or have a part of it, are among them. */
  readonly servers: ReadonlySet<string>;
  /** Hosts that have it without a port on it: those that stand by for a router, or have a part of one. */
  readonly standbys: ReadonlySet<string>;
  /** The object with the DHCP server of a host, which is the first one's where the host serves none. */
  readonly objectFor: (host: string) => FabricObject;
}

export async function loadNetworks(db: Db, ids: readonly string[]): Promise<Map<string, LoadedNetwork>> {
  if (ids.length === 0) return new Map();
  const networks = await rowsAmong<NetworkRow>(db, 'neutron_network', 'id', ids, ['id']);
  const subnets = Map.groupBy(await fullSubnetsOfNetworks(db, ids), (subnet) => subnet.network_id);
  const servicePorts = await portsOfOwners(db, ids, [DHCP_OWNER, ...ROUTER_INTERFACE_OWNERS]);
  const routerPorts = servicePorts.filter((port) => port.device_owner !== DHCP_OWNER);
  const dhcpPorts = Map.groupBy(
    servicePorts.filter((port) => port.device_owner === DHCP_OWNER),
    (port) => port.network_id,
  );
  const routersOf = Map.groupBy(routerPorts, (port) => port.network_id);
  const addresses = await allocationsOfPorts(
    db,
    servicePorts.map((port) => port.id),
  );
  const routerPortIds = new Set(routerPorts.map((port) => port.id));
  const routedSubnetIds = new Set(addresses.filter((address) => routerPortIds.has(address.port_id)).map((address) => address.subnet_id));
  const standbys = await standbysOfNetworks(db, [...routersOf.keys()]);
  const parts = await partHostsOfNetworks(db, ids);
  const hostsOf = (ports: readonly PortRow[]): ReadonlySet<string> => new Set(ports.flatMap((port) => (port.binding_host === '' ? [] : [port.binding_host])));
  return new Map(
    networks.map((network) => {
      const own = dhcpPorts.get(network.id) ?? [];
      const objectWith = (dhcpPort: PortRow | undefined): FabricObject =>
        networkObject({ network, subnets: subnets.get(network.id) ?? [], dhcpPort, dhcpAddresses: addresses, routedSubnetIds });
      const object = objectWith(own[0]);
      const beside = (standbys.get(network.id) ?? NOWHERE).union(parts.inside.get(network.id) ?? NOWHERE);
      return [
        network.id,
        {
          row: network,
          object,
          dhcpHosts: hostsOf(own),
          servers: hostsOf([...own, ...(routersOf.get(network.id) ?? [])]).union(beside),
          standbys: beside.union(parts.outside.get(network.id) ?? NOWHERE),
          objectFor: (host) => (own.length < 2 ? object : objectWith(own.find((port) => port.binding_host === host) ?? own[0])),
        },
      ];
    }),
  );
}

/** A port with its object as each host sees it. */
export interface LoadedPort {
  readonly row: PortRow;
  readonly groupIds: readonly string[];
  readonly objectFor: (host: string) => FabricObject;
}

export const loadPorts = async (db: Db, ids: readonly string[]): Promise<LoadedPort[]> => withAddresses(db, await portsByIds(db, ids));

export async function withAddresses(db: Db, ports: readonly PortRow[]): Promise<LoadedPort[]> {
  if (ports.length === 0) return [];
  const ids = ports.map((port) => port.id);
  const addresses = Map.groupBy(await allocationsOfPorts(db, ids), (address) => address.port_id);
  const groups = Map.groupBy(await groupsOfPorts(db, ids), (group) => group.port_id);
  const qos = await loadQos(db, ports.map(effectivePolicy));
  const groupsOf = (portId: string): readonly string[] => (groups.get(portId) ?? []).map((group) => group.security_group_id);
  const partsOf = await loadPortParts(db, ports, groupsOf);
  const tied = ports.filter((port) => port.device_owner === 'trunk:subport').map((port) => port.id);
  const subports = new Map((await subportsByPorts(db, tied)).map((subport) => [subport.port_id, subport]));
  return ports.map((row) => {
    const own = addresses.get(row.id) ?? [];
    const groupIds = groupsOf(row.id);
    const parts = partsOf(row);
    return { row, groupIds, objectFor: (host) => ({ ...portObject(row, own, groupIds, host, qos, subports.get(row.id)), ...parts }) };
  });
}

export const loadRouters = async (db: Db, ids: readonly string[]): Promise<Map<string, FabricObject>> => withPorts(db, await routersByIds(db, ids));

export async function withPorts(db: Db, all: readonly RouterRow[]): Promise<Map<string, FabricObject>> {
  const routers = all.filter((router) => router.l3_away === 0);
  if (routers.length === 0) return new Map();
  const ids = routers.map((router) => router.id);
  const ports = await portsOfDevices(db, ids);
  const addresses = await allocationsOfPorts(
    db,
    ports.map((port) => port.id),
  );
  const subnets = new Map((await subnetsByIds(db, [...new Set(addresses.map((address) => address.subnet_id))])).map((subnet) => [subnet.id, subnet]));
  const portsOf = Map.groupBy(ports, (port) => port.device_id);
  const floating = await floatingIpsOfRouters(db, ids);
  const routerOf = new Map(floating.map((row) => [row.id, row.router_id]));
  const floatingOf = Map.groupBy(floating, (row) => row.router_id);
  const forwardings = await forwardingsOfFloatingIps(
    db,
    floating.filter((row) => row.fixed_port_id === null).map((row) => row.id),
  );
  const forwardedOf = Map.groupBy(forwardings, (row) => routerOf.get(row.floatingip_id) ?? '');
  const gateways = new Map(ports.map((port) => [port.id, port]));
  const qos = await loadQos(db, [
    ...floating.map(effectivePolicy),
    ...routers.map((router) => (router.gw_port_id === null ? null : gatewayPolicy(router, gateways.get(router.gw_port_id)))),
  ]);
  const partsOf = await loadRouterParts(db, routers);
  const delegated = [...subnets.values()].filter(isDelegated).map((subnet) => subnet.id);
  const delegations = new Map((await delegationsOfSubnets(db, delegated)).map((row) => [row.id, row]));
  return new Map(
    routers.map((router) => [
      router.id,
      routerObject({
        parts: partsOf(router),
        router,
        ports: portsOf.get(router.id) ?? [],
        addresses,
        subnets,
        floatingIps: floatingOf.get(router.id) ?? [],
        qos,
        forwardings: forwardedOf.get(router.id) ?? [],
        delegations,
      }),
    ]),
  );
}

export async function loadGroups(db: Db, ids: readonly string[]): Promise<Map<string, FabricObject>> {
  if (ids.length === 0) return new Map();
  const rules = Map.groupBy(await rulesOfGroups(db, ids), (rule) => rule.security_group_id);
  const named = [...rules.values()].flat().flatMap((rule) => rule.remote_address_group_id ?? []);
  const addresses = new Map((await addressGroupsByIds(db, [...new Set(named)])).map((row) => [row.id, fromJson<string[]>(row.addresses_json)]));
  return new Map((await groupsByIds(db, ids)).map((group) => [group.id, securityGroupObject(group, rules.get(group.id) ?? [], addresses)]));
}

/** The networks among these that have several segments, or one that is not everywhere. */
export async function loadSegmented(db: Db, settings: Settings, networks: Iterable<LoadedNetwork>): Promise<ReadonlyMap<string, Segmented>> {
  const several = [...networks].flatMap(({ row }) => (row.segment_count > 1 || hostsOfSegment(settings, row) ? [row.id] : []));
  if (several.length === 0) return NONE_SEGMENTED;
  const segments = Map.groupBy(await segmentsOfNetworks(db, several), (segment) => segment.network_id);
  const subnets = Map.groupBy(await fullSubnetsOfNetworks(db, several), (subnet) => subnet.network_id);
  return new Map(
    several.map((id) => [id, { segments: segments.get(id) ?? [], homeOf: new Map((subnets.get(id) ?? []).map((subnet) => [subnet.id, subnet.segment_id])) }]),
  );
}

const DHCP_OWNER = 'network:dhcp';
const NOWHERE: ReadonlySet<string> = new Set();
const NONE_SEGMENTED: ReadonlyMap<string, Segmented> = new Map();
