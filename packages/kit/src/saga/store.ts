import { insertRow } from '../store/insert.ts';
import { relax } from '../store/relax.ts';
import { findRow, updateReturning, updateRows } from '../store/rows.ts';
import { type Db, on, type Tx } from '../store/store.ts';
import type { StepError } from './failure.ts';
import type { SagaFailure } from './saga.ts';
import type { SagaState, SagaTable, SagaTables, StepState } from './tables.ts';

/** A saga's row as it is read. */
export type SagaRow = Omit<SagaTable, 'seq'> & { seq: number };
export type NewSagaRow = Omit<SagaTable, 'seq'>;
export type StepRow = SagaTables['kit_saga_step'];

/** True when an unfinished saga of the subject exists. */
export async function hasUnfinished(db: Db, subject: string): Promise<boolean> {
  return (await findRow(db, 'kit_saga', { subject, finished_at_ms: null }, { columns: ['seq'] })) !== undefined;
}

/** The subject's saga whose turn is next, if nothing of the subject is active. */
export async function nextOfSubject(db: Db, subject: string): Promise<string | undefined> {
  const row = await findRow<Pick<SagaRow, 'id' | 'state'>>(db, 'kit_saga', { subject, finished_at_ms: null }, { columns: ['id', 'state'], orderBy: 'seq' });
  return row?.state === 'pending' ? row.id : undefined;
}

export function unfinishedOfSubject(db: Db, subject: string): Promise<SagaRow[]> {
  return on<SagaTables>(db).selectFrom('kit_saga').selectAll().where('subject', '=', subject).where('finished_at_ms', 'is', null).orderBy('seq').execute();
}

export async function insertSaga(tx: Tx, row: NewSagaRow): Promise<void> {
  await insertRow(tx, 'kit_saga', row);
}

/** A step that begins; with an output (JSON text) one that is done. */
export interface NewStep {
  readonly sagaId: string;
  readonly idx: number;
  readonly name: string;
  readonly output?: string;
}

export async function insertSteps(tx: Tx, steps: readonly NewStep[], nowMs: number): Promise<void> {
  for (const { sagaId, idx, name, output } of steps) {
    await insertRow<StepRow>(tx, 'kit_saga_step', {
      saga_id: sagaId,
      idx,
      name,
      state: output === undefined ? 'doing' : 'done',
      attempt: 1,
      output: output ?? null,
      error: null,
      started_at_ms: nowMs,
      finished_at_ms: output === undefined ? null : nowMs,
      undo_attempt: 0,
      undo_error: null,
      undo_started_at_ms: null,
      undo_finished_at_ms: null,
    });
  }
}

/** What a lease holder changes of its saga. */
export interface Advance {
  readonly step?: number;
  readonly state?: SagaState;
  readonly failure?: SagaFailure;
  readonly leaseUntilMs?: number;
  readonly nowMs: number;
}

/** Changes a saga under its lease. Undefined when the lease is lost; else whether somebody asked that it unwind. */
export async function advance(tx: Tx, sagaId: string, owner: string, change: Advance): Promise<{ cancel: number } | undefined> {
  const set: Partial<SagaRow> = {
    updated_at_ms: change.nowMs,
    ...(change.step === undefined ? {} : { step: change.step }),
    ...(change.state === undefined ? {} : { state: change.state }),
    ...(change.failure === undefined ? {} : { failure: JSON.stringify(change.failure) }),
    ...(change.leaseUntilMs === undefined ? {} : { lease_until_ms: change.leaseUntilMs }),
  };
  return updateReturning<SagaRow, 'cancel'>(tx, 'kit_saga', set, { id: sagaId, lease_owner: owner, finished_at_ms: null }, ['cancel']);
}

/** Whether somebody asked that a saga unwind; undefined when the lease is lost. For the transaction that ends the saga, which needs no other change of it. */
export const heldBy = (tx: Tx, sagaId: string, owner: string): Promise<{ cancel: number } | undefined> =>
  findRow<Pick<SagaRow, 'cancel'>>(tx, 'kit_saga', { id: sagaId, lease_owner: owner, finished_at_ms: null }, { columns: ['cancel'] });

/** Ends a saga and its lease. */
export async function finishSaga(tx: Tx, sagaId: string, state: 'done' | 'failed', nowMs: number, failure?: SagaFailure): Promise<void> {
  const set = { state, updated_at_ms: nowMs, finished_at_ms: nowMs, lease_owner: null, lease_until_ms: 0 };
  await updateRows<SagaRow>(tx, 'kit_saga', failure ? { ...set, failure: JSON.stringify(failure) } : set, { id: sagaId });
}

/** What changes of a step's row. */
export interface StepChange {
  readonly state?: StepState;
  readonly attempt?: number;
  /** JSON text. */
  readonly output?: string;
  readonly error?: StepError | null;
  readonly finishedAtMs?: number;
  readonly undoAttempt?: number;
  readonly undoError?: StepError;
  readonly undoStartedAtMs?: number;
  readonly undoFinishedAtMs?: number;
}

export async function updateStep(tx: Tx, sagaId: string, idx: number, change: StepChange): Promise<void> {
  const set: Partial<StepRow> = {
    ...(change.state === undefined ? {} : { state: change.state }),
    ...(change.attempt === undefined ? {} : { attempt: change.attempt }),
    ...(change.output === undefined ? {} : { output: change.output }),
    ...(change.error === undefined ? {} : { error: change.error === null ? null : JSON.stringify(change.error) }),
    ...(change.finishedAtMs === undefined ? {} : { finished_at_ms: change.finishedAtMs }),
    ...(change.undoAttempt === undefined ? {} : { undo_attempt: change.undoAttempt }),
    ...(change.undoError === undefined ? {} : { undo_error: JSON.stringify(change.undoError) }),
    ...(change.undoStartedAtMs === undefined ? {} : { undo_started_at_ms: change.undoStartedAtMs }),
    ...(change.undoFinishedAtMs === undefined ? {} : { undo_finished_at_ms: change.undoFinishedAtMs }),
  };
  await updateRows<StepRow>(tx, 'kit_saga_step', set, { saga_id: sagaId, idx });
}

export function stepsOf(db: Db, sagaIds: readonly string[]): Promise<StepRow[]> {
  if (sagaIds.length === 0) return Promise.resolve([]);
  return on<SagaTables>(db).selectFrom('kit_saga_step').selectAll().where('saga_id', 'in', sagaIds).orderBy('saga_id').orderBy('idx').execute();
}

export function sagaById(db: Db, sagaId: string): Promise<SagaRow | undefined> {
  return findRow<SagaRow>(db, 'kit_saga', { id: sagaId });
}

/** Asks a running saga to unwind. */
export async function flagCancel(tx: Tx, sagaIds: readonly string[]): Promise<void> {
  if (sagaIds.length === 0) return;
  await on<SagaTables>(tx).updateTable('kit_saga').set({ cancel: 1 }).where('id', 'in', sagaIds).where('finished_at_ms', 'is', null).execute();
}

/** Deletes up to `limit` sagas that ended before `beforeMs`, and their steps. Returns how many. */
export async function deleteFinished(tx: Tx, beforeMs: number, limit: number): Promise<number> {
  await relax(tx);
  const rows = await on<SagaTables>(tx)
    .selectFrom('kit_saga')
    .select('id')
    .where('finished_at_ms', 'is not', null)
    .where('finished_at_ms', '<', beforeMs)
    .orderBy('finished_at_ms')
    .limit(limit)
    .execute();
  const ids = rows.map((row) => row.id);
  if (ids.length === 0) return 0;
  await on<SagaTables>(tx).deleteFrom('kit_saga_step').where('saga_id', 'in', ids).execute();
  await on<SagaTables>(tx).deleteFrom('kit_saga').where('id', 'in', ids).execute();
  return ids.length;
}
