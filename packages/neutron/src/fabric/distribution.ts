import type { Db } from '@cairn/kit/store/store';
import type { Settings } from '../options.ts';
import { floatingIpsOfRouters } from '../store/floatingips.ts';
import { networksByIds } from '../store/networks.ts';
import { portsByIds } from '../store/ports.ts';
import { guestHostsOfRouters } from '../store/router-parts.ts';
import { routersByIds } from '../store/routers.ts';
import type { FloatingIpRow, NetworkRow, PortRow, RouterRow } from '../store/tables.ts';
import type { Distribution } from './router-places.ts';
import { reaches } from './segment-of-host.ts';

const NONE: ReadonlyMap<string, Distribution> = new Map();

/** Where the distributed ones among these routers have parts. Those without guests are left out: they are on their host alone, as any other. */
export async function loadDistributions(db: Db, settings: Settings, routerIds: readonly string[]): Promise<ReadonlyMap<string, Distribution>> {
  const guests = await guestHostsOfRouters(db, routerIds);
  if (guests.size === 0) return NONE;
  const routers = new Map((await routersByIds(db, [...guests.keys()])).map((row) => [row.id, row]));
  const floating = (await floatingIpsOfRouters(db, [...guests.keys()])).filter((row) => row.fixed_port_id !== null);
  const ports = new Map((await portsByIds(db, [...new Set(floating.flatMap((row) => row.fixed_port_id ?? []))])).map((port) => [port.id, port]));
  const outside = await networksByIds(db, [...new Set([...routers.values()].flatMap((router) => router.gw_network_id ?? []))]);
  const networks = new Map(outside.map((network) => [network.id, network]));
  const byRouter = Map.groupBy(floating, (row) => row.router_id ?? '');
  return new Map(
    [...guests].map(([id, guestHosts]) => {
      const router = routers.get(id);
      const own = byRouter.get(id) ?? [];
      return [id, { guestHosts, homeOf: router ? homesOf(settings, router, networks.get(router.gw_network_id ?? ''), own, ports) : new Map() }];
    }),
  );
}

/** A fixed address that has floating ones by several gateways is the whole router's: its answers leave by the way that they were asked. */
function homesOf(
  settings: Settings,
  router: RouterRow,
  outside: NetworkRow | undefined,
  floating: readonly FloatingIpRow[],
  ports: ReadonlyMap<string, PortRow>,
): ReadonlyMap<string, string> {
  const homes = new Map<string, string>();
  if (!outside || outside.segment_count > 1) return homes;
  for (const rows of Map.groupBy(floating, (row) => `${row.fixed_port_id} ${row.fixed_ip_address}`).values()) {
    const port = ports.get(rows[0]?.fixed_port_id ?? '');
    if (!port || !isPlugged(port) || rows.some((row) => row.floating_network_id !== router.gw_network_id)) continue;
    if (!reaches(settings, outside.physical_network, port.binding_host)) continue;
    for (const row of rows) homes.set(row.id, port.binding_host);
  }
  return homes;
}

/** A guest that is somewhere. What is bound nowhere may be the address of several guests, who share it by allowed pairs. */
const isPlugged = (port: PortRow): boolean =>
  port.binding_host !== '' && port.binding_vif_type === 'tap' && (port.device_owner.startsWith('compute:') || port.device_owner === 'trunk:subport');
