import { type ListPage, type ListRequest, listRows } from '@cairn/kit/store/list';
import { type Db, on, type Tx } from '@cairn/kit/store/store';
import { sql } from 'kysely';
import type { DataTables, TaskRow, TaskStatus } from './data-tables.ts';

const q = (db: Db) => on<DataTables>(db);

export const taskById = (db: Db, id: string): Promise<TaskRow | undefined> =>
  q(db).selectFrom('glance_task').selectAll().where('id', '=', id).executeTakeFirst();

/** Tasks of an image that have not expired, in the order of their start. */
export const tasksOfImage = (db: Db, imageId: string, nowMs: number): Promise<TaskRow[]> =>
  q(db)
    .selectFrom('glance_task')
    .selectAll()
    .where('image_id', '=', imageId)
    .where((e) => e.or([e('expires_at_ms', 'is', null), e('expires_at_ms', '>', nowMs)]))
    .orderBy('created_at_ms')
    .orderBy('id')
    .execute();

export async function insertTask(tx: Tx, row: TaskRow): Promise<void> {
  await q(tx).insertInto('glance_task').values(row).execute();
}

/** Changes a task that has one of these states. Returns whether it did. */
export async function updateTask(tx: Tx, id: string, set: Partial<TaskRow>, from: readonly TaskStatus[]): Promise<boolean> {
  const result = await q(tx)
    .updateTable('glance_task')
    .set(set)
    .where('id', '=', id)
    .where('status', 'in', [...from])
    .executeTakeFirst();
  return Number(result.numUpdatedRows) > 0;
}

export const unfinishedTasks = (db: Db): Promise<TaskRow[]> =>
  q(db).selectFrom('glance_task').selectAll().where('status', 'in', ['pending', 'processing']).execute();

/** Removes some of the tasks that have expired. */
export async function dropExpired(tx: Tx, nowMs: number, most: number): Promise<void> {
  await q(tx)
    .deleteFrom('glance_task')
    .where('id', 'in', (e) => e.selectFrom('glance_task').select('id').where('expires_at_ms', '<=', nowMs).limit(most))
    .execute();
}

/** Tasks that have not expired; of one project, or of all. */
export const listTasks = (db: Db, request: ListRequest, owner: string | undefined, nowMs: number): Promise<ListPage<TaskRow>> =>
  listRows<TaskRow>(
    db,
    {
      table: 'glance_task',
      id: 'id',
      maxLimit: 1_000,
      columns: {
        id: 'id',
        type: 'type',
        status: 'status',
        owner: 'owner',
        image_id: { column: 'image_id', nullable: true },
        user_id: { column: 'user_id', nullable: true },
        request_id: { column: 'request_id', nullable: true },
        expires_at: { column: 'expires_at_ms', nullable: true, type: 'integer' },
        created_at: { column: 'created_at_ms', type: 'integer' },
        updated_at: { column: 'updated_at_ms', type: 'integer' },
      },
    },
    {
      ...request,
      scope: (query) => (owner === undefined ? query : query.where(sql<boolean>`glance_task.owner = ${owner}`)),
      where: (query) => query.where(sql<boolean>`(glance_task.expires_at_ms is null or glance_task.expires_at_ms > ${nowMs})`),
    },
  );
