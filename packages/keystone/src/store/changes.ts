import { type Db, on, type Tx } from '@cairn/kit/store/store';
import type { KeystoneTables } from './tables.ts';

/** Processes further behind than this load everything again. */
const KEPT_MS = 3_600_000;

/** Numbers a change in its transaction. The row's lock is held until the commit, so numbers become visible in order. */
export async function recordChange(tx: Tx, keys: readonly string[], atMs: number): Promise<number> {
  const db = on<KeystoneTables>(tx);
  const { seq } = await db
    .updateTable('keystone_revision')
    .set((eb) => ({ seq: eb('seq', '+', 1) }))
    .where('id', '=', 1)
    .returning('seq')
    .executeTakeFirstOrThrow();
  await db
    .insertInto('keystone_change')
    .values({ seq, keys: JSON.stringify(keys), at_ms: atMs })
    .execute();
  // now and then is enough
  if (seq % 256 === 0) {
    await db
      .deleteFrom('keystone_change')
      .where('at_ms', '<', atMs - KEPT_MS)
      .execute();
  }
  return seq;
}

export async function newestChange(db: Db): Promise<number> {
  const row = await on<KeystoneTables>(db).selectFrom('keystone_revision').select('seq').where('id', '=', 1).executeTakeFirst();
  return row?.seq ?? 0;
}

export async function changesAfter(db: Db, seq: number, limit: number): Promise<{ seq: number; keys: string[] }[]> {
  const rows = await on<KeystoneTables>(db).selectFrom('keystone_change').select(['seq', 'keys']).where('seq', '>', seq).orderBy('seq').limit(limit).execute();
  return rows.map((row) => ({ seq: row.seq, keys: JSON.parse(row.keys) as string[] }));
}
