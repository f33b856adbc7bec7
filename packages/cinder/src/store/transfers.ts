import { type ListPage, type ListRequest, type ListSpec, listRows } from '@cairn/kit/store/list';
import { type Db, on, type Tx } from '@cairn/kit/store/store';
import type { CinderTables, TransferRow } from './tables.ts';

const q = (db: Db) => on<CinderTables>(db);

export const TRANSFERS: ListSpec<TransferRow> = {
  table: 'cinder_transfer',
  id: 'id',
  columns: {
    id: 'id',
    volume_id: 'volume_id',
    project_id: 'project_id',
    source_project_id: 'source_project_id',
    display_name: { column: 'name', nullable: true },
    no_snapshots: { column: 'no_snapshots', type: 'boolean' },
    created_at: { column: 'created_at_ms', type: 'integer' },
  },
  defaultSort: [{ field: 'created_at', direction: 'asc' }],
};

export const pageOfTransfers = (db: Db, request: ListRequest, spec: ListSpec<TransferRow>): Promise<ListPage<TransferRow>> => listRows(db, spec, request);
export const transferById = (db: Db, id: string): Promise<TransferRow | undefined> =>
  q(db).selectFrom('cinder_transfer').selectAll().where('id', '=', id).executeTakeFirst();

export async function insertTransfer(tx: Tx, row: TransferRow): Promise<void> {
  await q(tx).insertInto('cinder_transfer').values(row).execute();
}

export async function deleteTransfer(tx: Tx, id: string): Promise<void> {
  await q(tx).deleteFrom('cinder_transfer').where('id', '=', id).execute();
}
