import { type Db, on, type Tx } from '@cairn/kit/store/store';
import type { CacheRow, DataTables } from './data-tables.ts';

const q = (db: Db) => on<DataTables>(db);

export const cacheRow = (db: Db, imageId: string): Promise<CacheRow | undefined> =>
  q(db).selectFrom('glance_cache').selectAll().where('image_id', '=', imageId).executeTakeFirst();

/** What is cached by image, or queued by time. */
export const cacheRows = (db: Db, state: CacheRow['state']): Promise<CacheRow[]> =>
  q(db)
    .selectFrom('glance_cache')
    .selectAll()
    .where('state', '=', state)
    .orderBy(state === 'cached' ? 'image_id' : 'modified_at_ms')
    .execute();

/** The cached images from the one that was read longest ago. */
export const leastRecent = (db: Db): Promise<CacheRow[]> =>
  q(db).selectFrom('glance_cache').selectAll().where('state', '=', 'cached').orderBy('accessed_at_ms').execute();

export const cacheBytes = async (db: Db): Promise<number> =>
  Number(
    (
      await q(db)
        .selectFrom('glance_cache')
        .select((e) => e.fn.sum<number>('size_bytes').as('bytes'))
        .where('state', '=', 'cached')
        .executeTakeFirst()
    )?.bytes ?? 0,
  );

export async function putCacheRow(tx: Tx, row: CacheRow): Promise<void> {
  await q(tx)
    .insertInto('glance_cache')
    .values(row)
    .onConflict((c) =>
      c
        .column('image_id')
        .doUpdateSet({ state: row.state, size_bytes: row.size_bytes, accessed_at_ms: row.accessed_at_ms, modified_at_ms: row.modified_at_ms }),
    )
    .execute();
}

export async function countHit(tx: Tx, imageId: string, nowMs: number): Promise<void> {
  await q(tx)
    .updateTable('glance_cache')
    .set((e) => ({ hits: e('hits', '+', 1), accessed_at_ms: nowMs }))
    .where('image_id', '=', imageId)
    .where('state', '=', 'cached')
    .execute();
}

/** Removes one row, or all of a state. Returns how many went. */
export async function dropCacheRows(tx: Tx, which: { readonly imageId: string } | { readonly state: CacheRow['state'] }): Promise<number> {
  const query = q(tx).deleteFrom('glance_cache');
  const result = await ('imageId' in which ? query.where('image_id', '=', which.imageId) : query.where('state', '=', which.state)).executeTakeFirst();
  return Number(result.numDeletedRows);
}
