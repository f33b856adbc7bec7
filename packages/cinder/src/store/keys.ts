import { type Db, on, type Tx } from '@cairn/kit/store/store';
import type { CinderTables, KeyRow } from './tables.ts';

const q = (db: Db) => on<CinderTables>(db);

export const keyById = (db: Db, id: string): Promise<KeyRow | undefined> => q(db).selectFrom('cinder_key').selectAll().where('id', '=', id).executeTakeFirst();

export async function insertKey(tx: Tx, row: KeyRow): Promise<void> {
  await q(tx).insertInto('cinder_key').values(row).execute();
}

export async function updateKey(tx: Tx, id: string, set: Partial<Pick<KeyRow, 'sealed' | 'project_id'>>): Promise<void> {
  await q(tx).updateTable('cinder_key').set(set).where('id', '=', id).execute();
}

export async function deleteKeyRow(tx: Tx, id: string): Promise<void> {
  await q(tx).deleteFrom('cinder_key').where('id', '=', id).execute();
}

/** Keys after one, by id. */
export const keysAfter = (db: Db, id: string, limit: number): Promise<KeyRow[]> =>
  q(db).selectFrom('cinder_key').selectAll().where('id', '>', id).orderBy('id').limit(limit).execute();
