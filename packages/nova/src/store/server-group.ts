import { type Db, on, type Tx } from '@cairn/kit/store/store';
import type { Selectable } from 'kysely';
import type { NovaTables, ServerGroupTable } from './tables.ts';

export type ServerGroupRow = Selectable<ServerGroupTable>;

export async function findServerGroup(db: Db, groupId: string): Promise<ServerGroupRow | undefined> {
  return await on<NovaTables>(db).selectFrom('nova_server_group').selectAll().where('id', '=', groupId).executeTakeFirst();
}

/** The group of each of these servers that is in one. */
export async function groupIdsOfServers(db: Db, serverIds: readonly string[]): Promise<ReadonlyMap<string, string>> {
  if (serverIds.length === 0) return new Map();
  const rows = await on<NovaTables>(db).selectFrom('nova_server_group_member').selectAll().where('server_id', 'in', serverIds).execute();
  return new Map(rows.map((row) => [row.server_id, row.group_id]));
}

/** Live members with their hosts (null while unplaced). */
export async function groupMemberHosts(
  db: Db,
  groupId: string,
): Promise<readonly { readonly serverId: string; readonly userId: string; readonly host: string | null }[]> {
  const rows = await on<NovaTables>(db)
    .selectFrom('nova_server_group_member as m')
    .innerJoin('nova_server as s', 's.id', 'm.server_id')
    .select(['s.id', 's.user_id', 's.host'])
    .where('m.group_id', '=', groupId)
    .where('s.deleted', '=', 0)
    .execute();
  return rows.map((row) => ({ serverId: row.id, userId: row.user_id, host: row.host }));
}

export async function addGroupMembers(tx: Tx, groupId: string, serverIds: readonly string[]): Promise<void> {
  await on<NovaTables>(tx)
    .insertInto('nova_server_group_member')
    .values(serverIds.map((serverId) => ({ group_id: groupId, server_id: serverId })))
    .execute();
}

export async function removeGroupMember(tx: Tx, serverId: string): Promise<void> {
  await on<NovaTables>(tx).deleteFrom('nova_server_group_member').where('server_id', '=', serverId).execute();
}

/** Makes transactions that place members of one group run one after another (on PostgreSQL, by a write to the group's row). */
export async function touchGroup(tx: Tx, groupId: string): Promise<void> {
  await on<NovaTables>(tx)
    .updateTable('nova_server_group')
    .set((eb) => ({ name: eb.ref('name') }))
    .where('id', '=', groupId)
    .execute();
}
