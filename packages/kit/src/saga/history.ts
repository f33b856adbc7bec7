import { type Db, on } from '../store/store.ts';
import type { StepError } from './failure.ts';
import type { Json, SagaFailure } from './saga.ts';
import { type SagaRow, type StepRow, stepsOf } from './store.ts';
import type { SagaState, SagaTables, StepState } from './tables.ts';

/** One step as it went, for people: timings in epoch milliseconds. */
export interface StepRecord {
  readonly index: number;
  readonly name: string;
  readonly state: StepState;
  /** Tries so far, or in all. */
  readonly attempt: number;
  readonly startedAtMs: number;
  readonly finishedAtMs: number | null;
  /** What the step gave; null before it is done, and for one that gives nothing. */
  readonly output: Json;
  /** The last try's error, also when a later step failed; null when the step went well. */
  readonly error: StepError | null;
  readonly undo: { readonly attempt: number; readonly startedAtMs: number; readonly finishedAtMs: number | null; readonly error: StepError | null } | null;
}

/** One saga as it went. */
export interface SagaRecord {
  /** Cursor of pages, and the order of start. */
  readonly seq: number;
  readonly id: string;
  readonly name: string;
  readonly subject: string;
  readonly requestId: string;
  readonly userId: string | null;
  readonly projectId: string | null;
  readonly state: SagaState;
  readonly failure: SagaFailure | null;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
  readonly finishedAtMs: number | null;
  readonly steps: readonly StepRecord[];
}

export interface HistoryOptions {
  /** Default 100. */
  readonly limit?: number;
  /** Only sagas before this `seq`: the last one of the page before. */
  readonly beforeSeq?: number;
  readonly names?: readonly string[];
}

/** Sagas of a subject or a request with their steps, newest first. Kept as long as the engine keeps finished sagas. */
export async function historyOf(
  db: Db,
  of: { readonly subject: string } | { readonly requestId: string },
  options: HistoryOptions = {},
): Promise<SagaRecord[]> {
  let query = on<SagaTables>(db).selectFrom('kit_saga').selectAll();
  query = 'subject' in of ? query.where('subject', '=', of.subject) : query.where('request_id', '=', of.requestId);
  if (options.beforeSeq !== undefined) query = query.where('seq', '<', options.beforeSeq);
  if (options.names) query = query.where('name', 'in', options.names);
  const rows = await query
    .orderBy('seq', 'desc')
    .limit(options.limit ?? 100)
    .execute();
  return records(db, rows);
}

/** Unfinished sagas with their steps, oldest first. */
export async function running(db: Db, options: { readonly limit?: number; readonly afterSeq?: number } = {}): Promise<SagaRecord[]> {
  const rows = await on<SagaTables>(db)
    .selectFrom('kit_saga')
    .selectAll()
    .where('finished_at_ms', 'is', null)
    .where('seq', '>', options.afterSeq ?? 0)
    .orderBy('seq')
    .limit(options.limit ?? 1000)
    .execute();
  return records(db, rows);
}

async function records(db: Db, rows: readonly SagaRow[]): Promise<SagaRecord[]> {
  const steps = Map.groupBy(
    await stepsOf(
      db,
      rows.map((row) => row.id),
    ),
    (step) => step.saga_id,
  );
  return rows.map((row) => ({
    seq: row.seq,
    id: row.id,
    name: row.name,
    subject: row.subject,
    requestId: row.request_id,
    userId: row.user_id,
    projectId: row.project_id,
    state: row.state,
    failure: row.failure === null ? null : (JSON.parse(row.failure) as SagaFailure),
    createdAtMs: row.created_at_ms,
    updatedAtMs: row.updated_at_ms,
    finishedAtMs: row.finished_at_ms,
    steps: (steps.get(row.id) ?? []).map(stepRecord),
  }));
}

function stepRecord(row: StepRow): StepRecord {
  return {
    index: row.idx,
    name: row.name,
    state: row.state,
    attempt: row.attempt,
    startedAtMs: row.started_at_ms,
    finishedAtMs: row.finished_at_ms,
    output: row.output === null ? null : (JSON.parse(row.output) as Json),
    error: error(row.error),
    undo:
      row.undo_started_at_ms === null
        ? null
        : { attempt: row.undo_attempt, startedAtMs: row.undo_started_at_ms, finishedAtMs: row.undo_finished_at_ms, error: error(row.undo_error) },
  };
}

const error = (text: string | null): StepError | null => (text === null ? null : (JSON.parse(text) as StepError));
