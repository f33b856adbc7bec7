import { type Db, on, type Tx } from '@cairn/kit/store/store';
import type { KeystoneTables, TrustTable } from './tables.ts';

export interface StoredTrust extends TrustTable {
  readonly roleIds: readonly string[];
}

/** A trust that was not deleted; whether it expired or is used up is the caller's to judge. */
export async function findTrust(db: Db, id: string): Promise<StoredTrust | undefined> {
  const row = await on<KeystoneTables>(db).selectFrom('keystone_trust').selectAll().where('id', '=', id).where('deleted_at_ms', 'is', null).executeTakeFirst();
  if (!row) return undefined;
  const roles = await on<KeystoneTables>(db).selectFrom('keystone_trust_role').select('role_id').where('trust_id', '=', id).orderBy('role_id').execute();
  return { ...row, roleIds: roles.map((role) => role.role_id) };
}

export async function listTrusts(
  db: Db,
  of: { readonly trustorId?: string; readonly trusteeId?: string; readonly projectId?: string; readonly redelegatedFrom?: string } = {},
): Promise<TrustTable[]> {
  let select = on<KeystoneTables>(db).selectFrom('keystone_trust').selectAll().where('deleted_at_ms', 'is', null);
  if (of.trustorId !== undefined) select = select.where('trustor_user_id', '=', of.trustorId);
  if (of.trusteeId !== undefined) select = select.where('trustee_user_id', '=', of.trusteeId);
  if (of.projectId !== undefined) select = select.where('project_id', '=', of.projectId);
  if (of.redelegatedFrom !== undefined) select = select.where('redelegated_trust_id', '=', of.redelegatedFrom);
  return await select.orderBy('id').execute();
}

export async function insertTrust(tx: Tx, row: TrustTable, roleIds: readonly string[]): Promise<void> {
  const db = on<KeystoneTables>(tx);
  await db.insertInto('keystone_trust').values(row).execute();
  for (const roleId of roleIds) await db.insertInto('keystone_trust_role').values({ trust_id: row.id, role_id: roleId }).execute();
}

/** Takes one use; false when none is left. A trust without a limit always has one. */
export async function consumeTrust(tx: Tx, id: string): Promise<boolean> {
  const db = on<KeystoneTables>(tx);
  const row = await db.selectFrom('keystone_trust').select('remaining_uses').where('id', '=', id).where('deleted_at_ms', 'is', null).executeTakeFirst();
  if (!row) return false;
  if (row.remaining_uses === null) return true;
  const result = await db
    .updateTable('keystone_trust')
    .set((eb) => ({ remaining_uses: eb('remaining_uses', '-', 1) }))
    .where('id', '=', id)
    .where('remaining_uses', '>', 0)
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}

export async function deleteTrust(tx: Tx, id: string, atMs: number): Promise<void> {
  await on<KeystoneTables>(tx).updateTable('keystone_trust').set({ deleted_at_ms: atMs }).where('id', '=', id).execute();
}
