import type { Db } from '@cairn/kit/store/store';
import { fromJson } from '@cairn/kit/store/values';
import { standardView } from '../attributes/times.ts';
import { helpersOfRouters } from '../store/conntrack-helpers.ts';
import { allocationsOfPorts } from '../store/ipam.ts';
import { proxyingRouters } from '../store/ndp-proxies.ts';
import { gatewayPortsOfRouters } from '../store/routers.ts';
import { hostsOfRouters } from '../store/service-hosts.ts';
import type { IpAllocationRow, PortRow, RouterRow } from '../store/tables.ts';
import type { ConntrackHelperRow } from '../store/tables-data-plane.ts';
import type { Loaded } from './common.ts';
import type { NeutronApp } from './deps.ts';
import { byAddress } from './port-view.ts';
import { zoneOf } from './zones.ts';

interface Gateway {
  readonly port: PortRow;
  readonly addresses: readonly IpAllocationRow[];
}

const fixedIp = (address: IpAllocationRow) => ({ subnet_id: address.subnet_id, ip_address: address.ip_address });

function routerView(
  app: NeutronApp,
  row: RouterRow,
  gateways: readonly Gateway[],
  hosts: readonly string[],
  helpers: readonly ConntrackHelperRow[],
  isProxying: boolean,
): Record<string, unknown> {
  const view = standardView(row);
  view.name = row.name;
  view.admin_state_up = row.admin_state_up === 1;
  view.status = row.status;
  view.external_gateway_info =
    row.gw_port_id === null
      ? null
      : {
          network_id: row.gw_network_id,
          external_fixed_ips: (gateways.find(({ port }) => port.id === row.gw_port_id)?.addresses ?? []).map(fixedIp),
          enable_snat: row.enable_snat === 1,
          qos_policy_id: row.qos_policy_id,
        };
  view.conntrack_helpers = helpers.map(({ protocol, port, helper }) => ({ protocol, port, helper }));
  view.enable_ndp_proxy = isProxying && row.gw_port_id !== null;
  view.external_gateways = gateways
    .toSorted((a, b) => Number(b.port.id === row.gw_port_id) - Number(a.port.id === row.gw_port_id))
    .map(({ port, addresses }) => ({ network_id: port.network_id, external_fixed_ips: addresses.map(fixedIp) }));
  view.enable_default_route_ecmp = row.default_route_ecmp === 1;
  view.enable_default_route_bfd = row.default_route_bfd === 1;
  view.routes = fromJson(row.routes_json);
  view.distributed = row.distributed === 1;
  view.ha = row.ha === 1;
  view.flavor_id = row.flavor_id;
  view.availability_zone_hints = fromJson(row.az_hints_json);
  view.availability_zones = [...new Set(hosts.map((host) => zoneOf(app.settings, host)))].toSorted();
  view.tags = fromJson(row.tags_json);
  return view;
}

export async function routerViews(app: NeutronApp, db: Db, rows: readonly RouterRow[]): Promise<Loaded[]> {
  const ids = rows.map((row) => row.id);
  const outside = rows.filter((row) => row.gw_port_id !== null).map((row) => row.id);
  const [ports, hosts, proxying, helpers] = await Promise.all([
    gatewayPortsOfRouters(db, outside),
    hostsOfRouters(db, ids),
    proxyingRouters(db, outside),
    helpersOfRouters(db, ids),
  ]);
  const hostsOf = Map.groupBy(hosts, (row) => row.router_id);
  const helpersOf = Map.groupBy(helpers, (helper) => helper.router_id);
  const addresses = Map.groupBy(
    await allocationsOfPorts(
      db,
      ports.map((port) => port.id),
    ),
    (address) => address.port_id,
  );
  const gateways = Map.groupBy(
    ports.map((port) => ({ port, addresses: (addresses.get(port.id) ?? []).toSorted(byAddress) })),
    ({ port }) => port.device_id,
  );
  return rows.map((row) => {
    const own = (hostsOf.get(row.id) ?? []).map(({ host }) => host);
    return { view: routerView(app, row, gateways.get(row.id) ?? [], own, helpersOf.get(row.id) ?? [], proxying.has(row.id)) };
  });
}
