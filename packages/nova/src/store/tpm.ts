import { type Db, on, type Tx } from '@cairn/kit/store/store';
import type { Selectable } from 'kysely';
import type { NovaTables, TpmTable } from './tables.ts';

export async function findTpm(db: Db, serverId: string): Promise<Selectable<TpmTable> | undefined> {
  return await on<NovaTables>(db).selectFrom('nova_tpm').selectAll().where('server_id', '=', serverId).executeTakeFirst();
}

/** Gives servers' TPMs their secrets; one that has its own keeps it. */
export async function insertTpms(tx: Tx, rows: readonly { readonly serverId: string; readonly secret: string }[]): Promise<void> {
  if (rows.length === 0) return;
  await on<NovaTables>(tx)
    .insertInto('nova_tpm')
    .values(rows.map(({ serverId, secret }) => ({ server_id: serverId, secret, state: null })))
    .onConflict((conflict) => conflict.column('server_id').doNothing())
    .execute();
}

/** Keeps what a host told of a TPM whose server leaves it; null once it is where it belongs. */
export async function setTpmState(tx: Tx, serverId: string, state: string | null): Promise<void> {
  await on<NovaTables>(tx).updateTable('nova_tpm').set({ state }).where('server_id', '=', serverId).execute();
}

export async function removeTpm(tx: Tx, serverId: string): Promise<void> {
  await on<NovaTables>(tx).deleteFrom('nova_tpm').where('server_id', '=', serverId).execute();
}

export async function setTpmSecret(tx: Tx, serverId: string, sealed: string): Promise<void> {
  await on<NovaTables>(tx).updateTable('nova_tpm').set({ secret: sealed }).where('server_id', '=', serverId).execute();
}

/** In the order of servers' ids, beginning behind one. */
export async function tpmsAfter(db: Db, serverId: string, limit: number): Promise<readonly Selectable<TpmTable>[]> {
  return await on<NovaTables>(db).selectFrom('nova_tpm').selectAll().where('server_id', '>', serverId).orderBy('server_id').limit(limit).execute();
}
