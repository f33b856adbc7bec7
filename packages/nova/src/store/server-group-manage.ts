import { type Db, on, type Tx } from '@cairn/kit/store/store';
import type { Insertable } from 'kysely';
import type { ServerGroupRow } from './server-group.ts';
import type { NovaTables, ServerGroupTable } from './tables.ts';

const q = (db: Db) => on<NovaTables>(db);

/** Groups in the order in which they came: of one project, or of all without one. */
export async function listServerGroups(
  db: Db,
  projectId: string | undefined,
  page: { readonly limit: number; readonly offset: number },
): Promise<readonly ServerGroupRow[]> {
  let query = q(db).selectFrom('nova_server_group').selectAll().orderBy('seq').limit(page.limit).offset(page.offset);
  if (projectId !== undefined) query = query.where('project_id', '=', projectId);
  return query.execute();
}

/** Ids of the servers in each of these groups. */
export async function membersOfGroups(db: Db, groupIds: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>> {
  if (groupIds.length === 0) return new Map();
  const rows = await q(db)
    .selectFrom('nova_server_group_member as m')
    .innerJoin('nova_server as s', 's.id', 'm.server_id')
    .select(['m.group_id', 'm.server_id'])
    .where('m.group_id', 'in', groupIds)
    .where('s.deleted', '=', 0)
    .orderBy('s.seq')
    .execute();
  const members = new Map<string, string[]>();
  for (const row of rows) members.set(row.group_id, [...(members.get(row.group_id) ?? []), row.server_id]);
  return members;
}

export const insertServerGroup = (tx: Tx, row: Insertable<ServerGroupTable>): Promise<ServerGroupRow> =>
  q(tx).insertInto('nova_server_group').values(row).returningAll().executeTakeFirstOrThrow();

/** Removes a group; its servers stay. */
export async function deleteServerGroup(tx: Tx, id: string): Promise<void> {
  await q(tx).deleteFrom('nova_server_group_member').where('group_id', '=', id).execute();
  await q(tx).deleteFrom('nova_server_group').where('id', '=', id).execute();
}
