import { type Db, on, type Tx } from '@cairn/kit/store/store';
import { rowsAmong } from '@cairn/kit/store/among';
import { sql } from 'kysely';
import { agentNotFound } from '../errors.ts';
import { among, type ListMaker } from './select.ts';
import type { AgentRow, NetworkRow, NeutronTables, RouterRow } from './tables.ts';

const tables = (db: Db) => on<NeutronTables>(db);

/** Lists of agents, for whom these hosts are there. */
export const agentLists = (alive: readonly string[], zone: string): ListMaker<AgentRow> => ({
  spec: {
    table: 'neutron_agent',
    id: 'id',
    unknownMarker: (marker) => agentNotFound(String(marker)),
    columns: {
      id: 'id',
      agent_type: 'agent_type',
      binary: 'binary',
      host: 'host',
      admin_state_up: { column: 'admin_state_up', type: 'boolean' },
      description: { column: 'description', nullable: true },
    },
  },
  visible: () => [],
  special(db, field, values) {
    if (field === 'alive') return values[0] ? among(db, sql.ref('host'), alive) : sql<boolean>`not ${among(db, sql.ref('host'), alive)}`;
    if (field === 'availability_zone') return values.includes(zone) ? sql<boolean>`1 = 1` : sql<boolean>`1 = 0`;
    // Upstream's usual database compares text without regard to case, and clients rely on it here ("DHCP Agent").
    if (field === 'agent_type') return sql<boolean>`lower(agent_type) in (${sql.join(values.map((value) => String(value).toLowerCase()))})`;
    if (field === 'topic') return values.includes('N/A') ? sql<boolean>`1 = 1` : sql<boolean>`1 = 0`;
    return undefined;
  },
});

export const findAgent = (db: Db, id: string): Promise<AgentRow | undefined> =>
  tables(db).selectFrom('neutron_agent').selectAll().where('id', '=', id).executeTakeFirst();
export const agentsOfHosts = (db: Db, hosts: readonly string[]): Promise<AgentRow[]> => rowsAmong<AgentRow>(db, 'neutron_agent', 'host', hosts, ['id']);
export const insertAgents = (tx: Tx, rows: readonly AgentRow[]) =>
  tables(tx)
    .insertInto('neutron_agent')
    .values([...rows])
    .onConflict((c) => c.doNothing())
    .execute();
export const updateAgent = (tx: Tx, id: string, columns: Partial<AgentRow>) =>
  tables(tx).updateTable('neutron_agent').set(columns).where('id', '=', id).execute();

export async function deleteAgent(tx: Tx, id: string): Promise<boolean> {
  return (await tables(tx).deleteFrom('neutron_agent').where('id', '=', id).executeTakeFirst()).numDeletedRows > 0n;
}

/** Tunnel addresses by host. */
export async function tunnelEnds(db: Db): Promise<Map<string, string>> {
  const rows = await tables(db).selectFrom('neutron_agent').select(['host', 'tunnel_ip']).where('tunnel_ip', '<>', '').execute();
  return new Map(rows.map((row) => [row.host, row.tunnel_ip]));
}

export const setTunnelEnd = (tx: Tx, host: string, tunnelIp: string) =>
  tables(tx).updateTable('neutron_agent').set({ tunnel_ip: tunnelIp }).where('host', '=', host).where('tunnel_ip', '<>', tunnelIp).execute();

/** Notes that hosts are there. */
export const touchAgents = (tx: Tx, hosts: readonly string[], nowMs: number) =>
  sql`update neutron_agent set heartbeat_ms = ${nowMs} where ${among(tx, sql.ref('host'), hosts)}`.execute(tx.kysely);

/** The networks whose DHCP a host serves; one of them when it is named. */
export async function networksWithDhcp(db: Db, host: string, networkId?: string): Promise<NetworkRow[]> {
  const one = (column: string) => (networkId === undefined ? sql`` : sql` and ${sql.ref(column)} = ${networkId}`);
  const { rows } = await sql<NetworkRow>`select * from neutron_network where dhcp_away = 0 and id in (
    select network_id from neutron_port where binding_host = ${host} and device_owner = 'network:dhcp'${one('network_id')}
    union select id from neutron_network where dhcp_host = ${host}${one('id')}) order by id`.execute(db.kysely);
  return rows;
}

/** The routers that are at work: on some network and not taken off their agent; one of them when it is named. */
export async function servedRouters(db: Db, routerId?: string): Promise<RouterRow[]> {
  const one = routerId === undefined ? sql`` : sql` and id = ${routerId}`;
  const { rows } = await sql<RouterRow>`select * from neutron_router where l3_away = 0${one} and (
    gw_port_id is not null or exists (select 1 from neutron_port p where p.device_id = neutron_router.id)) order by id`.execute(db.kysely);
  return rows;
}
