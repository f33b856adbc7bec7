import type { Logger } from '../log/log.ts';
import type { Clock } from '../clock/clock.ts';
import type { Db, Tx } from '../store/store.ts';

/** JSON all the way down: what a saga keeps in the database. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json | undefined };

/** What a step is given. */
export interface StepContext<Params, Services> {
  readonly sagaId: string;
  readonly params: Params;
  /** Results of the steps done before, by step name. Ids minted by an early step are found here by every later try. */
  readonly outputs: Readonly<Record<string, Json>>;
  /** The services' apps and faces, given to the engine once. */
  readonly services: Services;
  readonly db: Db;
  readonly clock: Clock;
  readonly log: Logger;
  /** 1 for the first try, more after a transient failure or a crash. */
  readonly attempt: number;
  /** Aborts at the step's deadline, on cancellation and on shutdown. */
  readonly signal: AbortSignal;
}

/** The row as a commit hook sees it. */
export interface SagaFacts {
  readonly sagaId: string;
  readonly subject: string;
  readonly requestId: string;
}

/** Why a saga failed: the step, and words for the user. */
export interface SagaFailure {
  readonly step: string;
  /** Public text. */
  readonly message: string;
  /** The domain error's kind, `Timeout`, `Cancelled` or `Internal`. */
  readonly kind: string;
  readonly type?: string;
  /** Private: stack or detail, for the log and for admins. */
  readonly detail?: string;
}

/**
 * One step. `do` has outside effects and is idempotent (it may run again after a crash, so ids it needs come from `params`
 * or earlier outputs). `commit` writes rows in the very transaction that records the step as done.
 * `undo` takes the effect back; it runs also for the step that failed or crashed half-way, so it tolerates absence.
 */
export interface SagaStep<Params, Services> {
  readonly name: string;
  /** Default 60 000. Past it, all tries and the waits between them together, the step fails and the saga unwinds. Holds for each try of `undo`, too. */
  readonly deadlineMs?: number;
  /** Tries after transient failures (kind Unavailable, or an error that is no domain error), with back-off. Default 3. */
  readonly attempts?: number;
  do?(step: StepContext<Params, Services>): Promise<Json | void>;
  commit?(tx: Tx, step: StepContext<Params, Services>, output: Json): Promise<void>;
  undo?(step: StepContext<Params, Services>): Promise<void>;
  /** In the transaction that records the undo. Like `undo` it runs also for a step that was not recorded done, whose `commit` did not happen. */
  undoCommit?(tx: Tx, step: StepContext<Params, Services>): Promise<void>;
}

/** Durable multi-step work. */
// oxlint-disable-next-line typescript/no-explicit-any -- sagas of all kinds stand in one list
export interface SagaDefinition<Params = any, Services = any> {
  /** `nova.server.create`; unique. */
  readonly name: string;
  readonly steps: readonly SagaStep<Params, Services>[];
  /** In the transaction that marks the saga done, after the last step's commit. */
  onDone?(tx: Tx, step: StepContext<Params, Services>): Promise<void>;
  /** In the transaction that marks the saga failed, after every undo: put the reason where the user sees it. */
  onFailed?(tx: Tx, step: StepContext<Params, Services>, failure: SagaFailure): Promise<void>;
}

export function defineSaga<Params, Services>(definition: SagaDefinition<Params, Services>): SagaDefinition<Params, Services> {
  return definition;
}

export interface StartSaga {
  /** What the saga works on: `server:<id>`. Sagas of one subject run one after another, in order of their start. */
  readonly subject: string;
  readonly requestId: string;
  /** Who asked, for the trace (`os-instance-actions` shows both). */
  readonly userId?: string;
  readonly projectId?: string;
  /**
   * Outputs of the first steps, in their order, which the caller has done himself: what their `commit` would write is in his transaction. The saga begins
   * with the step after them, and undoes them like its own.
   */
  readonly done?: readonly Json[];
}

/** The part of the engine that app code uses. */
export interface Sagas {
  /** Records the saga in the caller's transaction; it runs after the commit. Returns its id. */
  // oxlint-disable-next-line typescript/no-explicit-any -- who starts a saga does not know its services
  start<Params>(tx: Tx, definition: SagaDefinition<Params, any>, params: Params, options: StartSaga): Promise<string>;
  /**
   * Asks that unfinished sagas of a subject (all, or the named ones) stop and unwind; new ones queue behind. A saga whose cancellation
   * was committed never ends done. Those of which nothing is done yet fail here, with their `onFailed` in the caller's transaction: write your rows after.
   */
  cancel(tx: Tx, subject: string, names?: readonly string[]): Promise<void>;
  /** Resolves when the saga has ended either way. */
  settled(sagaId: string): Promise<'done' | 'failed'>;
}
