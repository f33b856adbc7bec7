import { type Db, on, type Tx } from '@cairn/kit/store/store';
import { type ListFilter, listPage, listSpec } from './lists.ts';
import type { ImpliedRoleTable, KeystoneTables, RoleTable } from './tables.ts';

const spec = listSpec<RoleTable>('keystone_role', { id: 'id', name: 'name', domain_id: 'domain_id' });

export function findRole(db: Db, id: string): Promise<RoleTable | undefined> {
  return on<KeystoneTables>(db).selectFrom('keystone_role').selectAll().where('id', '=', id).executeTakeFirst();
}

export function findRoleByName(db: Db, name: string, domainId: string): Promise<RoleTable | undefined> {
  return on<KeystoneTables>(db).selectFrom('keystone_role').selectAll().where('name', '=', name).where('domain_id', '=', domainId).executeTakeFirst();
}

/** Roles of any domain with the name. */
export function rolesByName(db: Db, name: string): Promise<RoleTable[]> {
  return on<KeystoneTables>(db).selectFrom('keystone_role').selectAll().where('name', '=', name).execute();
}

export async function rolesByIds(db: Db, ids: readonly string[]): Promise<RoleTable[]> {
  if (ids.length === 0) return [];
  return await on<KeystoneTables>(db).selectFrom('keystone_role').selectAll().where('id', 'in', ids).orderBy('id').execute();
}

export async function listRoles(db: Db, filters: readonly ListFilter[]): Promise<RoleTable[]> {
  return (await listPage(db, spec, filters)).rows;
}

export async function roleIdsOfDomain(db: Db, domainId: string): Promise<string[]> {
  const rows = await on<KeystoneTables>(db).selectFrom('keystone_role').select('id').where('domain_id', '=', domainId).execute();
  return rows.map((row) => row.id);
}

export async function insertRole(tx: Tx, row: RoleTable): Promise<void> {
  await on<KeystoneTables>(tx).insertInto('keystone_role').values(row).execute();
}

export async function updateRole(tx: Tx, id: string, change: Partial<Omit<RoleTable, 'id'>>): Promise<void> {
  if (Object.keys(change).length === 0) return;
  await on<KeystoneTables>(tx).updateTable('keystone_role').set(change).where('id', '=', id).execute();
}

export async function deleteRole(tx: Tx, id: string): Promise<void> {
  const db = on<KeystoneTables>(tx);
  await db
    .deleteFrom('keystone_implied_role')
    .where((eb) => eb.or([eb('prior_role_id', '=', id), eb('implied_role_id', '=', id)]))
    .execute();
  await db.deleteFrom('keystone_application_credential_role').where('role_id', '=', id).execute();
  await db.deleteFrom('keystone_trust_role').where('role_id', '=', id).execute();
  await db.deleteFrom('keystone_role').where('id', '=', id).execute();
}

/** All inference rules; there are few. */
export function impliedRoles(db: Db): Promise<ImpliedRoleTable[]> {
  return on<KeystoneTables>(db).selectFrom('keystone_implied_role').selectAll().orderBy('prior_role_id').orderBy('implied_role_id').execute();
}

export async function impliedBy(db: Db, priorId: string): Promise<string[]> {
  const rows = await on<KeystoneTables>(db)
    .selectFrom('keystone_implied_role')
    .select('implied_role_id')
    .where('prior_role_id', '=', priorId)
    .orderBy('implied_role_id')
    .execute();
  return rows.map((row) => row.implied_role_id);
}

export async function isImplied(db: Db, priorId: string, impliedId: string): Promise<boolean> {
  const row = await on<KeystoneTables>(db)
    .selectFrom('keystone_implied_role')
    .select('prior_role_id')
    .where('prior_role_id', '=', priorId)
    .where('implied_role_id', '=', impliedId)
    .executeTakeFirst();
  return row !== undefined;
}

export async function insertImplied(tx: Tx, priorId: string, impliedId: string): Promise<void> {
  await on<KeystoneTables>(tx).insertInto('keystone_implied_role').values({ prior_role_id: priorId, implied_role_id: impliedId }).execute();
}

export async function deleteImplied(tx: Tx, priorId: string, impliedId: string): Promise<void> {
  await on<KeystoneTables>(tx).deleteFrom('keystone_implied_role').where('prior_role_id', '=', priorId).where('implied_role_id', '=', impliedId).execute();
}
