import { type Db, on, type Tx } from '@cairn/kit/store/store';
import { sql } from 'kysely';
import { type ListFilter, listPage, listSpec, type Page, type Paging } from './lists.ts';
import type { GroupTable, KeystoneTables } from './tables.ts';

const spec = listSpec<GroupTable>('keystone_group', { id: 'id', name: 'name', domain_id: 'domain_id' });

export function findGroup(db: Db, id: string): Promise<GroupTable | undefined> {
  return on<KeystoneTables>(db).selectFrom('keystone_group').selectAll().where('id', '=', id).executeTakeFirst();
}

export function findGroupByName(db: Db, name: string, domainId: string): Promise<GroupTable | undefined> {
  return on<KeystoneTables>(db).selectFrom('keystone_group').selectAll().where('domain_id', '=', domainId).where('name', '=', name).executeTakeFirst();
}

export async function groupsByIds(db: Db, ids: readonly string[]): Promise<GroupTable[]> {
  if (ids.length === 0) return [];
  return await on<KeystoneTables>(db).selectFrom('keystone_group').selectAll().where('id', 'in', ids).execute();
}

/** All groups, or those that a user is in. */
export function listGroups(
  db: Db,
  filters: readonly ListFilter[],
  paging: Paging & { readonly maxLimit: number },
  member?: { readonly userId: string; readonly nowMs: number },
): Promise<Page<GroupTable>> {
  return listPage(db, spec, filters, paging, {
    maxLimit: paging.maxLimit,
    where: (query) =>
      member === undefined
        ? query
        : query.where(
            sql<boolean>`keystone_group.id in (select m.group_id from keystone_membership m where m.user_id = ${member.userId}
              union select e.group_id from keystone_expiring_membership e where e.user_id = ${member.userId} and e.expires_at_ms > ${member.nowMs})`,
          ),
  });
}

/** The lasting memberships alone; see `expiriesOf` for those that a mapping gave. */
export async function groupIdsOfUser(db: Db, userId: string): Promise<string[]> {
  const rows = await on<KeystoneTables>(db).selectFrom('keystone_membership').select('group_id').where('user_id', '=', userId).execute();
  return rows.map((row) => row.group_id);
}

export async function userIdsOfGroup(db: Db, groupId: string): Promise<string[]> {
  const rows = await on<KeystoneTables>(db).selectFrom('keystone_membership').select('user_id').where('group_id', '=', groupId).orderBy('user_id').execute();
  return rows.map((row) => row.user_id);
}

export async function groupIdsOfDomain(db: Db, domainId: string): Promise<string[]> {
  const rows = await on<KeystoneTables>(db).selectFrom('keystone_group').select('id').where('domain_id', '=', domainId).orderBy('id').execute();
  return rows.map((row) => row.id);
}

export async function insertGroup(tx: Tx, row: GroupTable): Promise<void> {
  await on<KeystoneTables>(tx).insertInto('keystone_group').values(row).execute();
}

export async function updateGroup(tx: Tx, id: string, change: Partial<Omit<GroupTable, 'id'>>): Promise<void> {
  if (Object.keys(change).length === 0) return;
  await on<KeystoneTables>(tx).updateTable('keystone_group').set(change).where('id', '=', id).execute();
}

export async function deleteGroup(tx: Tx, id: string): Promise<void> {
  await on<KeystoneTables>(tx).deleteFrom('keystone_membership').where('group_id', '=', id).execute();
  await on<KeystoneTables>(tx).deleteFrom('keystone_expiring_membership').where('group_id', '=', id).execute();
  await on<KeystoneTables>(tx).deleteFrom('keystone_group').where('id', '=', id).execute();
}

export async function isMember(db: Db, userId: string, groupId: string): Promise<boolean> {
  const row = await on<KeystoneTables>(db)
    .selectFrom('keystone_membership')
    .select('user_id')
    .where('user_id', '=', userId)
    .where('group_id', '=', groupId)
    .executeTakeFirst();
  return row !== undefined;
}

/** Does nothing for a member. */
export async function addMember(tx: Tx, userId: string, groupId: string): Promise<void> {
  await on<KeystoneTables>(tx)
    .insertInto('keystone_membership')
    .values({ user_id: userId, group_id: groupId })
    .onConflict((conflict) => conflict.columns(['user_id', 'group_id']).doNothing())
    .execute();
}

export async function removeMember(tx: Tx, userId: string, groupId: string): Promise<boolean> {
  const result = await on<KeystoneTables>(tx)
    .deleteFrom('keystone_membership')
    .where('user_id', '=', userId)
    .where('group_id', '=', groupId)
    .executeTakeFirst();
  return result.numDeletedRows > 0n;
}
