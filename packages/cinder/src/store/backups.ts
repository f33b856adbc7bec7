import { type ListPage, type ListRequest, type ListSpec, listRows } from '@cairn/kit/store/list';
import { type Db, on, type Tx } from '@cairn/kit/store/store';
import { sql } from 'kysely';
import { indexPairs, type Pairs } from './metadata.ts';
import type { BackupRow, CinderTables } from './tables.ts';

const q = (db: Db) => on<CinderTables>(db);

export const BACKUPS: ListSpec<BackupRow> = {
  table: 'cinder_backup',
  id: 'id',
  columns: {
    id: 'id',
    volume_id: 'volume_id',
    snapshot_id: { column: 'snapshot_id', nullable: true },
    parent_id: { column: 'parent_id', nullable: true },
    project_id: 'project_id',
    user_id: 'user_id',
    display_name: { column: 'name', nullable: true },
    display_description: { column: 'description', nullable: true },
    status: 'status',
    size: { column: 'size_gb', type: 'integer' },
    container: { column: 'container', nullable: true },
    availability_zone: { column: 'availability_zone', nullable: true },
    host: { column: 'host', nullable: true },
    created_at: { column: 'created_at_ms', type: 'integer' },
    updated_at: { column: 'updated_at_ms', nullable: true, type: 'integer' },
  },
  defaultSort: [{ field: 'created_at', direction: 'desc' }],
};

export const pageOfBackups = (db: Db, request: ListRequest, spec: ListSpec<BackupRow>): Promise<ListPage<BackupRow>> => listRows(db, spec, request);

export const backupById = (db: Db, id: string): Promise<BackupRow | undefined> =>
  q(db).selectFrom('cinder_backup').selectAll().where('id', '=', id).executeTakeFirst();

/** A volume's backups in one project, newest data first. */
export const backupsOfVolume = (db: Db, volumeId: string, projectId: string): Promise<BackupRow[]> =>
  q(db)
    .selectFrom('cinder_backup')
    .selectAll()
    .where('volume_id', '=', volumeId)
    .where('project_id', '=', projectId)
    .orderBy('data_timestamp_ms', 'desc')
    .orderBy('created_at_ms', 'desc')
    .orderBy('id', 'desc')
    .execute();

/** Which of these backups others build on. */
export async function withDependents(db: Db, ids: readonly string[]): Promise<ReadonlySet<string>> {
  if (ids.length === 0) return new Set();
  const rows = await q(db).selectFrom('cinder_backup').select('parent_id').distinct().where('parent_id', 'in', ids).execute();
  return new Set(rows.flatMap((row) => (row.parent_id === null ? [] : [row.parent_id])));
}

export async function insertBackup(tx: Tx, row: BackupRow, metadata: Pairs): Promise<void> {
  await q(tx).insertInto('cinder_backup').values(row).execute();
  if (Object.keys(metadata).length > 0) await indexPairs(tx, row.id, 'backup', metadata);
}

/** Changes a backup, with `from` only while it has one of these statuses. Returns whether it did. */
export async function updateBackup(tx: Tx, id: string, set: Partial<BackupRow>, nowMs: number, from?: readonly string[]): Promise<boolean> {
  let query = q(tx)
    .updateTable('cinder_backup')
    .set({ updated_at_ms: nowMs, ...set })
    .where('id', '=', id);
  if (from) query = query.where('status', 'in', from);
  return Number((await query.executeTakeFirst()).numUpdatedRows) > 0;
}

export async function deleteBackupRow(tx: Tx, id: string): Promise<void> {
  await indexPairs(tx, id, 'backup', {});
  await q(tx).deleteFrom('cinder_backup').where('id', '=', id).execute();
}

/** Number and GiB of a project's backups. */
export async function backupUse(db: Db, projectId: string): Promise<{ readonly backups: number; readonly gb: number }> {
  const row = await q(db)
    .selectFrom('cinder_backup')
    .select([sql<number>`count(*)`.as('count'), sql<number>`coalesce(sum(size_gb), 0)`.as('gb')])
    .where('project_id', '=', projectId)
    .executeTakeFirst();
  return { backups: Number(row?.count ?? 0), gb: Number(row?.gb ?? 0) };
}

/** Whether another backup has the same objects in the store; `inContainers`: equal places of different containers are different. */
export async function sharesObjects(db: Db, row: BackupRow, inContainers: boolean): Promise<boolean> {
  let query = q(db).selectFrom('cinder_backup').select('id').where('service_metadata', '=', placeOf(row)).where('id', '!=', row.id);
  if (inContainers) query = query.where('container', '=', row.container);
  return (await query.limit(1).executeTakeFirst()) !== undefined;
}

/** The id under which the store has a backup's objects. */
export const placeOf = (row: BackupRow): string => row.service_metadata ?? row.id;
