import { type ListPage, type ListRequest, type ListSpec, listRows } from '@cairn/kit/store/list';
import { type Db, on, type Tx } from '@cairn/kit/store/store';
import type { AttachmentRow, CinderTables } from './tables.ts';

const q = (db: Db) => on<CinderTables>(db);

export const ATTACHMENTS: ListSpec<AttachmentRow> = {
  table: 'cinder_attachment',
  id: 'id',
  columns: {
    id: 'id',
    volume_id: 'volume_id',
    project_id: 'project_id',
    instance_uuid: { column: 'server_id', nullable: true },
    attached_host: { column: 'attached_host', nullable: true },
    mountpoint: { column: 'mountpoint', nullable: true },
    attach_mode: { column: 'attach_mode', nullable: true },
    attach_status: 'attach_status',
    attach_time: { column: 'attached_at_ms', nullable: true, type: 'integer' },
    created_at: { column: 'created_at_ms', type: 'integer' },
    updated_at: { column: 'updated_at_ms', nullable: true, type: 'integer' },
  },
  defaultSort: [{ field: 'created_at', direction: 'desc' }],
};

export const pageOfAttachments = (db: Db, request: ListRequest, spec: ListSpec<AttachmentRow>): Promise<ListPage<AttachmentRow>> => listRows(db, spec, request);

export const attachmentById = (db: Db, id: string): Promise<AttachmentRow | undefined> =>
  q(db).selectFrom('cinder_attachment').selectAll().where('id', '=', id).executeTakeFirst();

/** In the order in which they were made. */
export const attachmentsOfVolume = (db: Db, volumeId: string): Promise<AttachmentRow[]> =>
  q(db).selectFrom('cinder_attachment').selectAll().where('volume_id', '=', volumeId).orderBy('created_at_ms').orderBy('id').execute();

export const attachmentsOfServer = (db: Db, serverId: string): Promise<AttachmentRow[]> =>
  q(db).selectFrom('cinder_attachment').selectAll().where('server_id', '=', serverId).orderBy('created_at_ms').orderBy('id').execute();

/** The attachments of the volumes of a page. */
export async function attachmentsOfVolumes(db: Db, volumeIds: readonly string[]): Promise<Map<string, AttachmentRow[]>> {
  if (volumeIds.length === 0) return new Map();
  const rows = await q(db).selectFrom('cinder_attachment').selectAll().where('volume_id', 'in', volumeIds).orderBy('created_at_ms').orderBy('id').execute();
  return Map.groupBy(rows, (row) => row.volume_id);
}

export async function insertAttachment(tx: Tx, row: AttachmentRow): Promise<void> {
  await q(tx).insertInto('cinder_attachment').values(row).execute();
}

export async function updateAttachment(tx: Tx, id: string, set: Partial<AttachmentRow>, nowMs: number): Promise<boolean> {
  const result = await q(tx)
    .updateTable('cinder_attachment')
    .set({ updated_at_ms: nowMs, ...set })
    .where('id', '=', id)
    .executeTakeFirst();
  return Number(result.numUpdatedRows) > 0;
}

export async function deleteAttachment(tx: Tx, id: string): Promise<void> {
  await q(tx).deleteFrom('cinder_attachment').where('id', '=', id).execute();
}

export async function deleteAttachmentsOfVolume(tx: Tx, volumeId: string): Promise<void> {
  await q(tx).deleteFrom('cinder_attachment').where('volume_id', '=', volumeId).execute();
}
