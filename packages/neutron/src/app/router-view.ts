import type { Db } from '@cairn/kit/store/store';
import { fromJson } from '@cairn/kit/store/values';
import { standardView } from '../attributes/times.ts';
import { helpersOfRouters } from '../store/conntrack-helpers.ts';
import { allocationsOfPorts } from '../store/ipam.ts';
import { routersWithInterfaces } from '../store/routers.ts';
import type { IpAllocationRow, RouterRow } from '../store/tables.ts';
import type { ConntrackHelperRow } from '../store/tables-data-plane.ts';
import type { Loaded } from './common.ts';
import type { NeutronApp } from './deps.ts';

function routerView(
  app: NeutronApp,
  row: RouterRow,
  gateway: readonly IpAllocationRow[],
  served: boolean,
  helpers: readonly ConntrackHelperRow[],
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
          external_fixed_ips: gateway.map((address) => ({ subnet_id: address.subnet_id, ip_address: address.ip_address })),
          enable_snat: row.enable_snat === 1,
          qos_policy_id: row.qos_policy_id,
        };
  view.conntrack_helpers = helpers.map(({ protocol, port, helper }) => ({ protocol, port, helper }));
  view.routes = fromJson(row.routes_json);
  view.distributed = row.distributed === 1;
  view.ha = row.ha === 1;
  view.flavor_id = row.flavor_id;
  view.availability_zone_hints = fromJson(row.az_hints_json);
  view.availability_zones = served ? [app.settings.availabilityZone] : [];
  view.tags = fromJson(row.tags_json);
  return view;
}

export async function routerViews(app: NeutronApp, db: Db, rows: readonly RouterRow[]): Promise<Loaded[]> {
  const gatewayPorts = rows.flatMap((row) => (row.gw_port_id === null ? [] : [row.gw_port_id]));
  const inside = rows.filter((row) => row.gw_port_id === null).map((row) => row.id);
  const [addresses, withInterfaces, helpers] = await Promise.all([
    allocationsOfPorts(db, gatewayPorts),
    routersWithInterfaces(db, inside),
    helpersOfRouters(
      db,
      rows.map((row) => row.id),
    ),
  ]);
  const helpersOf = Map.groupBy(helpers, (helper) => helper.router_id);
  const byPort = Map.groupBy(addresses, (address) => address.port_id);
  return rows.map((row) => {
    const served = row.gw_port_id !== null || withInterfaces.has(row.id);
    return { view: routerView(app, row, byPort.get(row.gw_port_id ?? '') ?? [], served, helpersOf.get(row.id) ?? []) };
  });
}
