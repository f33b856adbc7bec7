import { type Db, on, type Tx } from '@cairn/kit/store/store';
import type { ServiceRow } from './service.ts';
import type { NovaTables } from './tables.ts';

const q = (db: Db) => on<NovaTables>(db);

export type ServiceChange = Partial<Pick<ServiceRow, 'disabled' | 'disabled_reason' | 'forced_down'>>;

/** Changes a service found by uuid, number, or host and binary. Returns it as it is then. */
export async function updateService(tx: Tx, by: { readonly id: string } | { readonly host: string; readonly binary: string }, change: ServiceChange, nowMs: number): Promise<ServiceRow | undefined> {
  let query = q(tx)
    .updateTable('nova_service')
    .set({ ...change, updated_at_ms: nowMs });
  query = 'id' in by ? query.where('id', '=', by.id) : query.where('host', '=', by.host).where('binary', '=', by.binary);
  return query.returningAll().executeTakeFirst();
}

export async function deleteService(tx: Tx, seq: number): Promise<void> {
  await q(tx).deleteFrom('nova_service').where('seq', '=', seq).execute();
}
