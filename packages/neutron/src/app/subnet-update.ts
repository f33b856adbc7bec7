import type { Context } from '@cairn/kit/context/context';
import type { Tx } from '@cairn/kit/store/store';
import { toBit, toJson } from '@cairn/kit/store/values';
import { NOT_SPECIFIED, type NotSpecified } from '../attributes/attribute.ts';
import type { Values } from '../attributes/resource.ts';
import { gatewayIpInUse, invalidInput, subnetInUse } from '../errors.ts';
import { networkKey, routerKey } from '../fabric/keys.ts';
import { mustCidr } from '../net/cidr.ts';
import { isDelegated, isProvisional } from '../net/delegated.ts';
import { type IpVersion, keyOfIp } from '../net/ip.ts';
import { SUBNET } from '../resources/subnet.ts';
import { findAllocation, replacePools } from '../store/ipam.ts';
import { findNetwork, updateNetwork } from '../store/networks.ts';
import { AUTO_DELETE_OWNERS, findPort, portOnSubnet, portsOfOwners, ROUTER_INTERFACE_OWNERS } from '../store/ports.ts';
import { updateSubnet } from '../store/subnets.ts';
import type { NetworkRow, SubnetRow } from '../store/tables.ts';
import { authorizeDelete, authorizeUpdate, changed, checkRevision, type Loaded, notify } from './common.ts';
import type { NeutronApp } from './deps.ts';
import { settleDhcpPort } from './dhcp-ports.ts';
import { isAutoAddress, poolsOf } from './port-addresses.ts';
import { routesOfChanged, settlePeerRoutes } from './peer-routes.ts';
import type { Route } from './routers.ts';
import { removeSubnetRow } from './subnet-removal.ts';
import { checkPools, checkSubnet, poolTexts, requireGatewayOutside, toRanges } from './subnet-rules.ts';
import { checkSegmentChange } from './subnet-segments.ts';
import { loadSubnet } from './subnets.ts';

export function updateSubnetById(app: NeutronApp, ctx: Context, id: string, values: Values, ifMatch: number | undefined): Promise<Loaded> {
  return app.env.store.write(async (tx) => {
    const { row, loaded } = await loadSubnet(tx, ctx, id);
    authorizeUpdate(app, ctx, SUBNET, loaded, values);
    checkRevision(row, ifMatch);
    await checkUpdate(tx, row, values);
    if ('segment_id' in values) await checkSegmentChange(tx, row, values.segment_id as string | null);
    const ranges = 'allocation_pools' in values ? toRanges(values.allocation_pools as { start: string; end: string }[]) : undefined;
    if (ranges) checkPools(ranges, row.cidr);
    const gatewayIp = 'gateway_ip' in values ? (values.gateway_ip as string | null) : row.gateway_ip;
    if (gatewayIp !== null && gatewayIp !== '' && (ranges || gatewayIp !== row.gateway_ip)) requireGatewayOutside(gatewayIp, ranges ?? poolsOf(row));
    const segmentId = 'segment_id' in values ? (values.segment_id as string | null) : row.segment_id;
    const given = 'host_routes' in values ? (values.host_routes as readonly Route[]) : undefined;
    const routes = await routesOfChanged(tx, row, { id, ip_version: row.ip_version, segment_id: segmentId, gateway_ip: gatewayIp }, given);
    await updateSubnet(tx, id, {
      ...changed(app, row),
      gateway_ip: gatewayIp,
      segment_id: segmentId,
      host_routes_json: toJson(routes),
      ...('name' in values && { name: String(values.name) }),
      ...('description' in values && { description: String(values.description) }),
      ...('enable_dhcp' in values && { enable_dhcp: toBit(values.enable_dhcp === true) }),
      ...('dns_nameservers' in values && { dns_nameservers_json: toJson(values.dns_nameservers) }),
      ...('service_types' in values && { service_types_json: toJson(values.service_types ?? []) }),
      ...(ranges && { allocation_pools_json: toJson(poolTexts(ranges)) }),
    });
    if (ranges) await replacePools(tx, id, row.ip_version as IpVersion, ranges);
    const network = (await findNetwork(tx, row.network_id)) as NetworkRow;
    if ('enable_dhcp' in values && toBit(values.enable_dhcp === true) !== row.enable_dhcp) await settleDhcpPort(app, tx, ctx, network);
    const after = await loadSubnet(tx, ctx, id);
    await notify(app, tx, ctx, 'subnet', 'update', after.loaded);
    await touchAround(app, tx, row);
    return after.loaded;
  });
}

async function checkUpdate(tx: Tx, row: SubnetRow, values: Values): Promise<void> {
  checkSubnet({
    id: row.id,
    isProvisional: isProvisional(row),
    ipVersion: row.ip_version as IpVersion,
    cidr: mustCidr(row.cidr),
    enableDhcp: values.enable_dhcp as boolean | undefined,
    dhcpWasOn: row.enable_dhcp === 1,
    gatewayIp: (values.gateway_ip as string | null | undefined) ?? NOT_SPECIFIED,
    dnsServers: (values.dns_nameservers as readonly string[] | undefined) ?? NOT_SPECIFIED,
    hostRoutes: (values.host_routes as { destination: string; nexthop: string }[] | undefined) ?? (NOT_SPECIFIED as NotSpecified),
    raMode: NOT_SPECIFIED,
    addressMode: NOT_SPECIFIED,
  });
  if (values.enable_dhcp === false && (row.ipv6_ra_mode !== null || row.ipv6_address_mode !== null))
    throw invalidInput('Cannot disable enable_dhcp with ipv6 attributes set');
  if ('gateway_ip' in values && values.gateway_ip !== row.gateway_ip && row.gateway_ip !== null && !isDelegated(row)) {
    const allocation = await findAllocation(tx, row.network_id, keyOfIp(row.gateway_ip));
    const holder = allocation && (await findPort(tx, allocation.port_id));
    if (holder && ROUTER_INTERFACE_OWNERS.includes(holder.device_owner)) throw gatewayIpInUse(row.gateway_ip, holder.id);
  }
}

/** Hosts hear of the network, and of the routers whose way out may lead over the subnet. */
export async function touchAround(app: NeutronApp, tx: Tx, row: SubnetRow): Promise<void> {
  const routers = await portsOfOwners(tx, [row.network_id], ['network:router_gateway', ...ROUTER_INTERFACE_OWNERS]);
  app.pusher.touch(tx, [networkKey(row.network_id), ...new Set(routers.map((port) => routerKey(port.device_id)))]);
}

export function deleteSubnetById(app: NeutronApp, ctx: Context, id: string, ifMatch: number | undefined): Promise<void> {
  return app.env.store.write(async (tx) => {
    const { row, loaded } = await loadSubnet(tx, ctx, id);
    authorizeDelete(app, ctx, SUBNET, loaded);
    checkRevision(row, ifMatch);
    // a port with addresses made from its MAC just loses this one; all others keep the subnet
    if ((await portOnSubnet(tx, id, ROUTER_INTERFACE_OWNERS, false)) !== undefined) throw subnetInUse(id);
    if (!isAutoAddress(row) && (await portOnSubnet(tx, id, AUTO_DELETE_OWNERS, true)) !== undefined) throw subnetInUse(id);
    await touchAround(app, tx, row);
    await removeSubnetRow(app, tx, ctx, row);
    const network = await findNetwork(tx, row.network_id);
    if (!network) return;
    await updateNetwork(tx, network.id, changed(app, network));
    await settleDhcpPort(app, tx, ctx, network);
    if (row.segment_id !== null) await settlePeerRoutes(app, tx, ctx, network.id, row.cidr);
  });
}
