import { type Db, on, type Tx } from '@cairn/kit/store/store';
import type { DataTables, LocationRow, StagingRow } from './data-tables.ts';

const q = (db: Db) => on<DataTables>(db);

export const locationsOf = (db: Db, imageId: string): Promise<LocationRow[]> =>
  q(db).selectFrom('glance_image_location').selectAll().where('image_id', '=', imageId).orderBy('position').orderBy('id').execute();

export async function insertLocation(tx: Tx, row: LocationRow): Promise<void> {
  await q(tx)
    .insertInto('glance_image_location')
    .values(row)
    .onConflict((c) => c.column('id').doNothing())
    .execute();
}

export async function setLocation(tx: Tx, id: string, set: Partial<Pick<LocationRow, 'position' | 'metadata' | 'store'>>): Promise<void> {
  await q(tx).updateTable('glance_image_location').set(set).where('id', '=', id).execute();
}

export async function deleteLocation(tx: Tx, id: string): Promise<void> {
  await q(tx).deleteFrom('glance_image_location').where('id', '=', id).execute();
}

export async function deleteLocationsOf(tx: Tx, imageId: string): Promise<void> {
  await q(tx).deleteFrom('glance_image_location').where('image_id', '=', imageId).execute();
}

/** The keys of all data that rows name. */
export async function dataKeys(db: Db): Promise<Set<string>> {
  const rows = await q(db).selectFrom('glance_image_location').select('data_key').where('data_key', 'is not', null).execute();
  return new Set(rows.map((r) => r.data_key as string));
}

export const stagedOf = (db: Db, imageId: string): Promise<StagingRow | undefined> =>
  q(db).selectFrom('glance_staging').selectAll().where('image_id', '=', imageId).executeTakeFirst();

export const allStaged = (db: Db): Promise<StagingRow[]> => q(db).selectFrom('glance_staging').selectAll().execute();

export async function insertStaged(tx: Tx, row: StagingRow): Promise<void> {
  await q(tx).insertInto('glance_staging').values(row).execute();
}

export async function deleteStaged(tx: Tx, imageId: string): Promise<void> {
  await q(tx).deleteFrom('glance_staging').where('image_id', '=', imageId).execute();
}
