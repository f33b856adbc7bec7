import { type Db, on, type Tx } from '@cairn/kit/store/store';
import type { Resources } from '@cairn/placement/face';
import type { NovaTables } from './tables.ts';

/** What a port has on a host. */
export interface PortRoom {
  readonly portId: string;
  readonly host: string;
  /** By the id of the group that the port asks for. */
  readonly groups: Readonly<Record<string, { readonly providerId: string; readonly resources: Resources }>>;
}

const q = (db: Db) => on<NovaTables>(db);

/** What a server or a move of it holds for ports, on one host where it is named. */
export async function portRoomsOf(db: Db, consumerId: string, host?: string): Promise<readonly PortRoom[]> {
  let query = q(db).selectFrom('nova_port_room').select(['port_id', 'host', 'groups_json']).where('consumer_id', '=', consumerId);
  if (host !== undefined) query = query.where('host', '=', host);
  const rows = await query.orderBy('port_id').execute();
  return rows.map((row) => ({ portId: row.port_id, host: row.host, groups: JSON.parse(row.groups_json) as PortRoom['groups'] }));
}

export async function putPortRooms(tx: Tx, consumerId: string, rooms: readonly PortRoom[]): Promise<void> {
  if (rooms.length === 0) return;
  await q(tx)
    .insertInto('nova_port_room')
    .values(rooms.map((room) => ({ consumer_id: consumerId, host: room.host, port_id: room.portId, groups_json: JSON.stringify(room.groups) })))
    .onConflict((conflict) => conflict.columns(['consumer_id', 'host', 'port_id']).doUpdateSet((e) => ({ groups_json: e.ref('excluded.groups_json') })))
    .execute();
}

/** Lets go of what a consumer holds: all, or on one host, or for one port. */
export async function removePortRooms(tx: Tx, consumerId: string, only: { readonly host?: string; readonly portId?: string } = {}): Promise<void> {
  let gone = q(tx).deleteFrom('nova_port_room').where('consumer_id', '=', consumerId);
  if (only.host !== undefined) gone = gone.where('host', '=', only.host);
  if (only.portId !== undefined) gone = gone.where('port_id', '=', only.portId);
  await gone.execute();
}

/** What one consumer holds is the other's from now on. */
export async function handPortRooms(tx: Tx, from: string, to: string): Promise<void> {
  await q(tx).updateTable('nova_port_room').set({ consumer_id: to }).where('consumer_id', '=', from).execute();
}
