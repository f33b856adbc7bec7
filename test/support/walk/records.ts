import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** Reads the rows of a running cloud, for what no API tells. */
export function rowsOf<Row = Readonly<Record<string, unknown>>>(data: string, sql: string, ...values: string[]): Row[] {
  const db = new DatabaseSync(join(data, 'cairn.db'), { readOnly: true });
  try {
    return db.prepare(sql).all(...values) as Row[];
  } finally {
    db.close();
  }
}

/** The disk that has a volume or a snapshot, and on which host. */
export function placeOf(
  data: string,
  kind: 'volume' | 'snapshot',
  id: string,
): { readonly diskId: string; readonly host: string; readonly snapshotId?: string } {
  const [row] = rowsOf<{ disk_id: string; host: string }>(data, `select disk_id, host from cinder_${kind} where id = ?`, id);
  if (!row) throw new Error(`no ${kind} ${id} in the store`);
  return { diskId: row.disk_id, host: row.host, ...(kind === 'snapshot' && { snapshotId: id }) };
}

/** Sagas are under way. */
export const isAtWork = (data: string): boolean => rowsOf(data, 'select 1 from kit_saga where finished_at_ms is null limit 1').length > 0;
