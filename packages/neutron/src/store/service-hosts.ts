import { type Db, on, type Tx } from '@cairn/kit/store/store';
import { insertRow } from '@cairn/kit/store/insert';
import { among, rowsAmong } from '@cairn/kit/store/among';
import { sql } from 'kysely';
import { ROUTER_INTERFACE_OWNERS } from './ports.ts';
import type { DhcpHostRow, NetworkRow, NeutronTables, RouterHostRow, RouterRow } from './tables.ts';

/** Which hosts have which routers and which networks' DHCP. */

const tables = (db: Db) => on<NeutronTables>(db);

/** What is spread over hosts. */
export type ServiceKind = 'l3' | 'dhcp';

const TABLES = { l3: 'neutron_router_host', dhcp: 'neutron_dhcp_host' } as const;

/** The hosts of these routers, the one where it works first. */
export const hostsOfRouters = async (db: Db, routerIds: readonly string[]): Promise<RouterHostRow[]> =>
  (await rowsAmong<RouterHostRow>(db, 'neutron_router_host', 'router_id', routerIds, ['router_id', 'host'])).toSorted((a, b) => b.active - a.active);

/** Where a router works; undefined where it is on no host. */
export const activeHostOf = async (db: Db, routerId: string): Promise<string | undefined> =>
  (await hostsOfRouters(db, [routerId])).find((row) => row.active === 1)?.host;

export const insertRouterHost = (tx: Tx, row: RouterHostRow) => tables(tx).insertInto('neutron_router_host').values(row).execute();
export const deleteRouterHost = (tx: Tx, routerId: string, host: string) =>
  tables(tx).deleteFrom('neutron_router_host').where('router_id', '=', routerId).where('host', '=', host).execute();

export const setRouterActive = (tx: Tx, routerId: string, host: string, active: 0 | 1) =>
  tables(tx).updateTable('neutron_router_host').set({ active }).where('router_id', '=', routerId).where('host', '=', host).execute();

/** The routers that a host has, those that it stands by for among them, a page at a time. */
export async function routersOfHost(db: Db, host: string, after = '', limit = Number.MAX_SAFE_INTEGER): Promise<RouterRow[]> {
  const { rows } = await sql<RouterRow>`select r.* from neutron_router_host h join neutron_router r on r.id = h.router_id
    where h.host = ${host} and h.router_id > ${after} order by h.router_id limit ${limit}`.execute(db.kysely);
  return rows;
}

const INTERFACES = sql.join([...ROUTER_INTERFACE_OWNERS]);

/** The networks of the routers that a host stands by for. */
export async function networksOfStandby(db: Db, host: string): Promise<string[]> {
  const { rows } = await sql<{ network_id: string }>`select distinct p.network_id from neutron_router_host h join neutron_port p on p.device_id = h.router_id
    where h.host = ${host} and h.active = 0 and p.device_owner in (${INTERFACES})`.execute(db.kysely);
  return rows.map((row) => row.network_id);
}

/** By network, the hosts that stand by for its routers. */
export async function standbysOfNetworks(db: Db, networkIds: readonly string[]): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  if (networkIds.length === 0) return new Map();
  const { rows } = await sql<{ network_id: string; host: string }>`
    select distinct p.network_id, h.host from neutron_port p join neutron_router_host h on h.router_id = p.device_id
    where ${among(db, 'p.network_id', networkIds)} and p.device_owner in (${INTERFACES}) and h.active = 0`.execute(db.kysely);
  return new Map([...Map.groupBy(rows, (row) => row.network_id)].map(([id, own]) => [id, new Set(own.map((row) => row.host))]));
}

/** The hosts of these networks' DHCP. */
export const dhcpHostsOf = (db: Db, networkIds: readonly string[]): Promise<DhcpHostRow[]> =>
  rowsAmong<DhcpHostRow>(db, 'neutron_dhcp_host', 'network_id', networkIds, ['network_id', 'host']);
export const insertDhcpHost = (tx: Tx, row: DhcpHostRow) => insertRow<DhcpHostRow>(tx, 'neutron_dhcp_host', row);
export const deleteDhcpHost = (tx: Tx, networkId: string, host: string) =>
  tables(tx).deleteFrom('neutron_dhcp_host').where('network_id', '=', networkId).where('host', '=', host).execute();

/** The networks whose DHCP a host has, a page at a time. */
export async function networksOfDhcpHost(db: Db, host: string, after = '', limit = Number.MAX_SAFE_INTEGER): Promise<NetworkRow[]> {
  const { rows } = await sql<NetworkRow>`select n.* from neutron_dhcp_host h join neutron_network n on n.id = h.network_id
    where h.host = ${host} and h.network_id > ${after} order by h.network_id limit ${limit}`.execute(db.kysely);
  return rows;
}

/** How many routers, or networks, each host has; hosts without any are left out. */
export async function loadsOf(db: Db, kind: ServiceKind): Promise<Map<string, number>> {
  const { rows } = await sql<{ host: string; n: number }>`select host, count(*) as n from ${sql.table(TABLES[kind])} group by host`.execute(db.kysely);
  return new Map(rows.map((row) => [row.host, Number(row.n)]));
}

/** Hosts whose agents of a kind are switched off. */
export async function hostsSwitchedOff(db: Db, agentType: string): Promise<ReadonlySet<string>> {
  const rows = await tables(db).selectFrom('neutron_agent').select('host').where('agent_type', '=', agentType).where('admin_state_up', '=', 0).execute();
  return new Set(rows.map((row) => row.host));
}

/** Routers that are on some network and work on no host, though nobody took them off theirs. */
export async function homelessRouters(db: Db, after: string, limit: number): Promise<RouterRow[]> {
  const { rows } = await sql<RouterRow>`select * from neutron_router where id > ${after} and l3_away = 0
    and not exists (select 1 from neutron_router_host h where h.router_id = neutron_router.id and h.active = 1)
    and exists (select 1 from neutron_port p where p.device_id = neutron_router.id) order by id limit ${limit}`.execute(db.kysely);
  return rows;
}

/** Networks with DHCP that no host has, though nobody took them off theirs. */
export async function homelessNetworks(db: Db, after: string, limit: number): Promise<NetworkRow[]> {
  const { rows } = await sql<NetworkRow>`select * from neutron_network where id > ${after} and dhcp_away = 0
    and not exists (select 1 from neutron_dhcp_host h where h.network_id = neutron_network.id)
    and exists (select 1 from neutron_subnet s where s.network_id = neutron_network.id and s.enable_dhcp = 1) order by id limit ${limit}`.execute(db.kysely);
  return rows;
}
