import { type ListPage, type ListRequest, type ListSpec, listRows } from '@cairn/kit/store/list';
import { type Db, on, type Tx } from '@cairn/kit/store/store';
import type { CinderTables, MessageRow } from './tables.ts';

const q = (db: Db) => on<CinderTables>(db);

export const MESSAGES: ListSpec<MessageRow> = {
  table: 'cinder_message',
  id: 'id',
  columns: {
    id: 'id',
    project_id: 'project_id',
    request_id: 'request_id',
    resource_type: 'resource_type',
    resource_uuid: { column: 'resource_uuid', nullable: true },
    action_id: 'action_id',
    detail_id: 'detail_id',
    event_id: 'event_id',
    message_level: 'message_level',
    created_at: { column: 'created_at_ms', type: 'integer' },
    expires_at: { column: 'expires_at_ms', type: 'integer' },
  },
  defaultSort: [{ field: 'created_at', direction: 'desc' }],
};

export const pageOfMessages = (db: Db, request: ListRequest, spec: ListSpec<MessageRow>): Promise<ListPage<MessageRow>> => listRows(db, spec, request);
export const messageById = (db: Db, id: string): Promise<MessageRow | undefined> =>
  q(db).selectFrom('cinder_message').selectAll().where('id', '=', id).executeTakeFirst();

export async function insertMessage(tx: Tx, row: MessageRow): Promise<void> {
  await q(tx).insertInto('cinder_message').values(row).execute();
}

export async function deleteMessage(tx: Tx, id: string): Promise<void> {
  await q(tx).deleteFrom('cinder_message').where('id', '=', id).execute();
}

/** Removes up to `limit` messages that nobody needs any more. Returns how many. */
export async function deleteExpired(tx: Tx, nowMs: number, limit: number): Promise<number> {
  const old = await q(tx).selectFrom('cinder_message').select('id').where('expires_at_ms', '<', nowMs).orderBy('expires_at_ms').limit(limit).execute();
  if (old.length > 0)
    await q(tx)
      .deleteFrom('cinder_message')
      .where(
        'id',
        'in',
        old.map((row) => row.id),
      )
      .execute();
  return old.length;
}
