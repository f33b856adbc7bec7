import { type Context, isAdmin } from '@cairn/kit/context/context';
import { notFound } from '@cairn/kit/errors/errors';
import type { Json } from '@cairn/kit/saga/saga';
import type { ListPage, ListRequest } from '@cairn/kit/store/list';
import type { Tx } from '@cairn/kit/store/store';
import type { TaskRow, TaskType } from '../store/data-tables.ts';
import * as rows from '../store/tasks.ts';
import type { DataDeps } from './deps.ts';

export interface NewTask {
  readonly id: string;
  readonly type: TaskType;
  readonly imageId: string | null;
  readonly input: Json;
}

/** Some of the expired tasks go with each new one. */
const DROPPED_AT_ONCE = 20;
/** A task's progress is written at most so often. */
const PROGRESS_MS = 1_000;

/** The records of work on images: made with it, told of its progress and its end, gone some time after. */
export class Tasks {
  readonly #deps: DataDeps;
  readonly #told = new Map<string, number>();

  constructor(deps: DataDeps) {
    this.#deps = deps;
  }

  async create(tx: Tx, ctx: Context, task: NewTask): Promise<TaskRow> {
    const nowMs = this.#deps.env.clock.nowMs();
    await rows.dropExpired(tx, nowMs, DROPPED_AT_ONCE);
    const row: TaskRow = {
      id: task.id,
      type: task.type,
      status: 'pending',
      owner: ctx.projectId ?? '',
      image_id: task.imageId,
      user_id: ctx.userId,
      request_id: ctx.requestId,
      input: JSON.stringify(task.input),
      result: null,
      message: '',
      expires_at_ms: null,
      created_at_ms: nowMs,
      updated_at_ms: nowMs,
    };
    await rows.insertTask(tx, row);
    return row;
  }

  /** A task of the caller's project, or anyone's for an admin. */
  async get(ctx: Context, id: string): Promise<TaskRow> {
    const { env } = this.#deps;
    const row = await rows.taskById(env.store.read, id);
    const expired = row?.expires_at_ms != null && row.expires_at_ms <= env.clock.nowMs();
    if (!row || expired || !(isAdmin(ctx) || row.owner === ctx.projectId)) throw notFound(`No task found with ID ${id}`);
    return row;
  }

  list(ctx: Context, request: ListRequest): Promise<ListPage<TaskRow>> {
    const { env } = this.#deps;
    return rows.listTasks(env.store.read, request, isAdmin(ctx) ? undefined : (ctx.projectId ?? ''), env.clock.nowMs());
  }

  async ofImage(ctx: Context, imageId: string): Promise<TaskRow[]> {
    const { env } = this.#deps;
    const found = await rows.tasksOfImage(env.store.read, imageId, env.clock.nowMs());
    return found.filter((row) => isAdmin(ctx) || row.owner === ctx.projectId);
  }

  /** The work has begun; again after a crash it has begun before. */
  async begin(id: string): Promise<void> {
    await this.#deps.env.store.write((tx) => rows.updateTask(tx, id, { status: 'processing', updated_at_ms: this.#deps.env.clock.nowMs() }, ['pending']));
  }

  /** Notes how much has come. Cheap to call often; never fails the work. */
  progress(id: string, bytes: number): void {
    const { env } = this.#deps;
    const nowMs = env.clock.nowMs();
    if (nowMs - (this.#told.get(id) ?? 0) < PROGRESS_MS) return;
    this.#told.set(id, nowMs);
    env.store
      .write((tx) => rows.updateTask(tx, id, { message: `Copied ${Math.floor(bytes / 2 ** 20)} MiB`, updated_at_ms: nowMs }, ['processing']))
      .catch((error: unknown) => env.log.debug({ taskId: id, err: String(error) }, 'the progress of a task was not noted'));
  }

  async succeed(tx: Tx, id: string, result: Json): Promise<void> {
    await this.#end(tx, id, { status: 'success', result: JSON.stringify(result) });
  }

  async fail(tx: Tx, id: string, message: string): Promise<void> {
    await this.#end(tx, id, { status: 'failure', message });
  }

  async #end(tx: Tx, id: string, set: Partial<TaskRow>): Promise<void> {
    this.#told.delete(id);
    const nowMs = this.#deps.env.clock.nowMs();
    await rows.updateTask(tx, id, { ...set, updated_at_ms: nowMs, expires_at_ms: nowMs + this.#deps.options.taskLifeMs }, ['pending', 'processing']);
  }
}
