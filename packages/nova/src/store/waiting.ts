import { type Db, on } from '@cairn/kit/store/store';
import type { NovaTables } from './tables.ts';

/** Servers that were soft-deleted before a moment, oldest first. */
export const longSoftDeleted = (db: Db, beforeMs: number, limit: number): Promise<readonly string[]> => longSince(db, 'soft_deleted_at_ms', beforeMs, limit);

/** Servers that were shelved before a moment and are on a host still, oldest first. */
export const longShelved = (db: Db, beforeMs: number, limit: number): Promise<readonly string[]> => longSince(db, 'shelved_at_ms', beforeMs, limit);

async function longSince(db: Db, column: 'soft_deleted_at_ms' | 'shelved_at_ms', beforeMs: number, limit: number): Promise<readonly string[]> {
  const rows = await on<NovaTables>(db)
    .selectFrom('nova_server')
    .select('id')
    .where(column, '<', beforeMs)
    .where('deleted', '=', 0)
    .where('host', 'is not', null)
    .where('task_state', 'is', null)
    .orderBy(column)
    .limit(limit)
    .execute();
  return rows.map((row) => row.id);
}
