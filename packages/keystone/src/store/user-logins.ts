import { type Db, on, type Tx } from '@cairn/kit/store/store';
import type { KeystoneTables, PasswordTable } from './tables.ts';

/** A user's passwords, the newest first. */
export async function newestPasswords(db: Db, userId: string, count: number): Promise<PasswordTable[]> {
  return await on<KeystoneTables>(db)
    .selectFrom('keystone_password')
    .selectAll()
    .where('user_id', '=', userId)
    .orderBy('ordinal', 'desc')
    .limit(count)
    .execute();
}

/** Wrong passwords in a row, and when the last came. */
export async function failuresOf(db: Db, userId: string): Promise<{ readonly count: number; readonly atMs: number | null } | undefined> {
  const row = await on<KeystoneTables>(db)
    .selectFrom('keystone_user')
    .select(['failed_auth_count', 'failed_auth_at_ms'])
    .where('id', '=', userId)
    .executeTakeFirst();
  return row && { count: row.failed_auth_count, atMs: row.failed_auth_at_ms };
}

export async function addFailure(tx: Tx, userId: string, atMs: number): Promise<void> {
  await on<KeystoneTables>(tx)
    .updateTable('keystone_user')
    .set((eb) => ({ failed_auth_count: eb('failed_auth_count', '+', 1), failed_auth_at_ms: atMs }))
    .where('id', '=', userId)
    .execute();
}

export async function clearFailures(tx: Tx, userId: string): Promise<void> {
  await on<KeystoneTables>(tx).updateTable('keystone_user').set({ failed_auth_count: 0, failed_auth_at_ms: null }).where('id', '=', userId).execute();
}

export async function setLastActive(tx: Tx, userId: string, atMs: number): Promise<void> {
  await on<KeystoneTables>(tx).updateTable('keystone_user').set({ last_active_at_ms: atMs }).where('id', '=', userId).execute();
}
