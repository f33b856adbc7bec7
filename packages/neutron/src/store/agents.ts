import { type Db, on, type Tx } from '@cairn/kit/store/store';
import { rowsAmong } from '@cairn/kit/store/among';
import { sql } from 'kysely';
import { agentNotFound } from '../errors.ts';
import type { Settings } from '../options.ts';
import { among, type ListMaker } from './select.ts';
import type { AgentRow, NeutronTables } from './tables.ts';

const tables = (db: Db) => on<NeutronTables>(db);

/** Lists of agents, for whom these hosts are there. */
export const agentLists = (alive: readonly string[], zones: Pick<Settings, 'availabilityZone' | 'availabilityZones'>): ListMaker<AgentRow> => ({
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
    if (field === 'availability_zone') return inZones(db, zones, values.map(String));
    // Upstream's usual database compares text without regard to case, and clients rely on it here ("DHCP Agent").
    if (field === 'agent_type') return sql<boolean>`lower(agent_type) in (${sql.join(values.map((value) => String(value).toLowerCase()))})`;
    if (field === 'topic') return values.includes('N/A') ? sql<boolean>`1 = 1` : sql<boolean>`1 = 0`;
    return undefined;
  },
});

/** Hosts that the configuration names are in their zone, all others in the one that is left. */
function inZones(db: Db, { availabilityZone, availabilityZones }: Pick<Settings, 'availabilityZone' | 'availabilityZones'>, asked: readonly string[]) {
  const named = Object.entries(availabilityZones).filter(([zone]) => zone !== availabilityZone);
  const within = among(
    db,
    sql.ref('host'),
    named.flatMap(([zone, hosts]) => (asked.includes(zone) ? hosts : [])),
  );
  const elsewhere = among(
    db,
    sql.ref('host'),
    named.flatMap(([, hosts]) => hosts),
  );
  return asked.includes(availabilityZone) ? sql<boolean>`(${within} or not ${elsewhere})` : within;
}

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
