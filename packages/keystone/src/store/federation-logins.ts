import { type Db, on, type Tx } from '@cairn/kit/store/store';
import type { FederationSessionTable, KeystoneTables } from './tables.ts';

const db = (handle: Db) => on<KeystoneTables>(handle);

/** Marks a proof as used; false where it was before. Forgets those that could not be shown again anyway. */
export async function useOnce(tx: Tx, id: string, expiresAtMs: number, nowMs: number): Promise<boolean> {
  await db(tx).deleteFrom('keystone_federation_used').where('expires_at_ms', '<', nowMs).execute();
  const result = await db(tx)
    .insertInto('keystone_federation_used')
    .values({ id, expires_at_ms: expiresAtMs })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .executeTakeFirst();
  return (result.numInsertedOrUpdatedRows ?? 0n) > 0n;
}

export async function insertSession(tx: Tx, row: FederationSessionTable, nowMs: number): Promise<void> {
  await db(tx).deleteFrom('keystone_federation_session').where('expires_at_ms', '<', nowMs).execute();
  await db(tx).insertInto('keystone_federation_session').values(row).execute();
}

/** Takes a session out: it is good once. */
export async function takeSession(tx: Tx, id: string, nowMs: number): Promise<FederationSessionTable | undefined> {
  const row = await db(tx).deleteFrom('keystone_federation_session').where('id', '=', id).returningAll().executeTakeFirst();
  return row && row.expires_at_ms > nowMs ? row : undefined;
}
