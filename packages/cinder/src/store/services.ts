import { type Db, on, type Tx } from '@cairn/kit/store/store';
import type { CinderTables, ServiceRow } from './tables.ts';

const q = (db: Db) => on<CinderTables>(db);

export const services = (db: Db): Promise<ServiceRow[]> =>
  q(db).selectFrom('cinder_service').selectAll().orderBy('created_at_ms').orderBy('host').orderBy('binary').execute();
export const serviceOf = (db: Db, host: string, binary: string): Promise<ServiceRow | undefined> =>
  q(db).selectFrom('cinder_service').selectAll().where('host', '=', host).where('binary', '=', binary).executeTakeFirst();

/** Records a service unless it is known already. */
export async function addService(tx: Tx, row: ServiceRow): Promise<void> {
  await q(tx)
    .insertInto('cinder_service')
    .values(row)
    .onConflict((c) => c.columns(['host', 'binary']).doNothing())
    .execute();
}

export async function updateService(tx: Tx, id: string, set: Partial<ServiceRow>): Promise<void> {
  await q(tx).updateTable('cinder_service').set(set).where('id', '=', id).execute();
}
