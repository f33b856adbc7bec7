import { type Db, on, type Tx } from '@cairn/kit/store/store';
import type { ServiceRow } from './service.ts';
import type { NovaTables } from './tables.ts';

const q = (db: Db) => on<NovaTables>(db);

export type ServiceChange = Partial<Pick<ServiceRow, 'disabled' | 'disabled_reason' | 'forced_down'>>;
/** A service by uuid, by number, or by host and binary. */
export type ServiceKey = { readonly id: string } | { readonly seq: number } | { readonly host: string; readonly binary: string };

export async function findService(db: Db, by: ServiceKey): Promise<ServiceRow | undefined> {
  const query = q(db).selectFrom('nova_service').selectAll();
  if ('id' in by) return query.where('id', '=', by.id).executeTakeFirst();
  if ('seq' in by) return query.where('seq', '=', by.seq).executeTakeFirst();
  return query.where('host', '=', by.host).where('binary', '=', by.binary).executeTakeFirst();
}

/** Returns the service as it is then. */
export async function updateService(tx: Tx, seq: number, change: ServiceChange, nowMs: number): Promise<ServiceRow> {
  return q(tx)
    .updateTable('nova_service')
    .set({ ...change, updated_at_ms: nowMs })
    .where('seq', '=', seq)
    .returningAll()
    .executeTakeFirstOrThrow();
}

export async function deleteService(tx: Tx, seq: number): Promise<void> {
  await q(tx).deleteFrom('nova_service').where('seq', '=', seq).execute();
}

/** Forgets a host's compute node and its places in aggregates. Returns the node's id. */
export async function forgetComputeHost(tx: Tx, host: string): Promise<string | undefined> {
  await q(tx).deleteFrom('nova_aggregate_host').where('host', '=', host).execute();
  const node = await q(tx).deleteFrom('nova_compute_node').where('host', '=', host).returning('id').executeTakeFirst();
  return node?.id;
}

/** Live servers of a host. */
export async function hasServers(db: Db, host: string): Promise<boolean> {
  const row = await q(db).selectFrom('nova_server').select('id').where('host', '=', host).where('deleted', '=', 0).limit(1).executeTakeFirst();
  return row !== undefined;
}
