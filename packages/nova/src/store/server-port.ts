import { conflict } from '@cairn/kit/errors/errors';
import { type Db, on, type Tx } from '@cairn/kit/store/store';
import type { Selectable } from 'kysely';
import type { NovaTables, ServerPortTable } from './tables.ts';

export type ServerPortRow = Selectable<ServerPortTable>;

/** A server's interfaces, in order. */
export async function portsOf(db: Db, serverId: string): Promise<readonly ServerPortRow[]> {
  return await on<NovaTables>(db).selectFrom('nova_server_port').selectAll().where('server_id', '=', serverId).orderBy('position').execute();
}

export async function portsOfServers(db: Db, serverIds: readonly string[]): Promise<ReadonlyMap<string, readonly ServerPortRow[]>> {
  if (serverIds.length === 0) return new Map();
  const rows = await on<NovaTables>(db).selectFrom('nova_server_port').selectAll().where('server_id', 'in', serverIds).orderBy('position').execute();
  return Map.groupBy(rows, (row) => row.server_id);
}

export async function findServerPort(db: Db, portId: string): Promise<ServerPortRow | undefined> {
  return await on<NovaTables>(db).selectFrom('nova_server_port').selectAll().where('port_id', '=', portId).executeTakeFirst();
}

/** Writes interfaces. Throws Conflict where a server has one of the ports already: of two that ask for one port at once, one gets it. */
export async function insertServerPorts(tx: Tx, rows: readonly ServerPortRow[]): Promise<void> {
  if (rows.length === 0) return;
  const ids = rows.map((row) => row.port_id);
  const taken = await on<NovaTables>(tx).selectFrom('nova_server_port').select('port_id').where('port_id', 'in', ids).executeTakeFirst();
  if (taken !== undefined) throw conflict(`Port ${taken.port_id} is still in use.`);
  await on<NovaTables>(tx).insertInto('nova_server_port').values(rows).execute();
}

export async function removeServerPort(tx: Tx, portId: string): Promise<void> {
  await on<NovaTables>(tx).deleteFrom('nova_server_port').where('port_id', '=', portId).execute();
}

export async function removeServerPortsOf(tx: Tx, serverId: string): Promise<void> {
  await on<NovaTables>(tx).deleteFrom('nova_server_port').where('server_id', '=', serverId).execute();
}
