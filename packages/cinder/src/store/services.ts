import { prepared } from '@cairn/kit/store/prepared';
import { findRow } from '@cairn/kit/store/rows';
import { type Db, on, type Tx } from '@cairn/kit/store/store';
import type { CinderTables, ServiceRow } from './tables.ts';

const q = (db: Db) => on<CinderTables>(db);

const allServices = prepared<CinderTables, object, ServiceRow>((db) =>
  db.selectFrom('cinder_service').selectAll().orderBy('created_at_ms').orderBy('host').orderBy('binary'),
);
export const services = async (db: Db): Promise<ServiceRow[]> => (await allServices(db, {})).rows;
export const serviceOf = (db: Db, host: string, binary: string): Promise<ServiceRow | undefined> => findRow<ServiceRow>(db, 'cinder_service', { host, binary });

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
