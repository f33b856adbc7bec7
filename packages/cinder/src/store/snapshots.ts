import { type ListPage, type ListRequest, type ListSpec, listRows } from '@cairn/kit/store/list';
import { type Db, on, type Tx } from '@cairn/kit/store/store';
import { toJson } from '@cairn/kit/store/values';
import { dropPairs, indexPairs, type Pairs } from './metadata.ts';
import type { CinderTables, SnapshotRow } from './tables.ts';

const q = (db: Db) => on<CinderTables>(db);

/** How snapshots are listed; fields have upstream's names of columns. */
export const SNAPSHOTS: ListSpec<SnapshotRow> = {
  table: 'cinder_snapshot',
  id: 'id',
  columns: {
    id: 'id',
    volume_id: 'volume_id',
    project_id: 'project_id',
    user_id: 'user_id',
    display_name: { column: 'name', nullable: true },
    display_description: { column: 'description', nullable: true },
    status: 'status',
    progress: 'progress',
    volume_size: { column: 'size_gb', type: 'integer' },
    volume_type_id: 'type_id',
    availability_zone: { column: 'availability_zone', nullable: true },
    host: 'host',
    use_quota: { column: 'use_quota', type: 'boolean' },
    created_at: { column: 'created_at_ms', type: 'integer' },
    updated_at: { column: 'updated_at_ms', nullable: true, type: 'integer' },
  },
  defaultSort: [{ field: 'created_at', direction: 'desc' }],
};

export const pageOfSnapshots = (db: Db, request: ListRequest, spec: ListSpec<SnapshotRow>): Promise<ListPage<SnapshotRow>> => listRows(db, spec, request);

export const snapshotById = (db: Db, id: string): Promise<SnapshotRow | undefined> =>
  q(db).selectFrom('cinder_snapshot').selectAll().where('id', '=', id).executeTakeFirst();

/** A volume's snapshots, newest first. */
export const snapshotsOfVolume = (db: Db, volumeId: string): Promise<SnapshotRow[]> =>
  q(db).selectFrom('cinder_snapshot').selectAll().where('volume_id', '=', volumeId).orderBy('created_at_ms', 'desc').orderBy('id', 'desc').execute();

export const latestSnapshotOf = (db: Db, volumeId: string): Promise<SnapshotRow | undefined> =>
  q(db)
    .selectFrom('cinder_snapshot')
    .selectAll()
    .where('volume_id', '=', volumeId)
    .orderBy('created_at_ms', 'desc')
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst();

export async function hasSnapshots(db: Db, volumeId: string): Promise<boolean> {
  return (await q(db).selectFrom('cinder_snapshot').select('id').where('volume_id', '=', volumeId).limit(1).executeTakeFirst()) !== undefined;
}

export async function insertSnapshot(tx: Tx, row: SnapshotRow, metadata: Pairs): Promise<void> {
  await q(tx).insertInto('cinder_snapshot').values(row).execute();
  if (Object.keys(metadata).length > 0) await indexPairs(tx, row.id, 'snapshot', metadata);
}

/** Changes a snapshot, with `from` only while it has one of these statuses. Returns whether it did. */
export async function updateSnapshot(tx: Tx, id: string, set: Partial<SnapshotRow>, nowMs: number, from?: readonly string[]): Promise<boolean> {
  let query = q(tx)
    .updateTable('cinder_snapshot')
    .set({ updated_at_ms: nowMs, ...set })
    .where('id', '=', id);
  if (from) query = query.where('status', 'in', from);
  return Number((await query.executeTakeFirst()).numUpdatedRows) > 0;
}

export async function setSnapshotPairs(tx: Tx, id: string, pairs: Pairs, nowMs: number): Promise<void> {
  await updateSnapshot(tx, id, { metadata: toJson(pairs) }, nowMs);
  await indexPairs(tx, id, 'snapshot', pairs);
}

export async function deleteSnapshotRow(tx: Tx, id: string): Promise<void> {
  await dropPairs(tx, id);
  await q(tx).deleteFrom('cinder_snapshot').where('id', '=', id).execute();
}
