import type { Generated } from 'kysely';

/**
 * `pending`: waits for its turn. `running`: forward. `undoing`: backward. `done` and `failed` are final.
 * At most one saga of a subject is running or undoing; a unique index sees to it, over any number of processes.
 */
export type SagaState = 'pending' | 'running' | 'undoing' | 'done' | 'failed';
/** `failed`: its `do` or `commit` failed, and it is not undone (yet). A step with nothing to undo keeps `done` or `failed`. */
export type StepState = 'doing' | 'done' | 'undoing' | 'undone' | 'failed';

export interface SagaTable {
  /** Order of start, and the cursor of history pages. */
  seq: Generated<number>;
  id: string;
  name: string;
  subject: string;
  request_id: string;
  user_id: string | null;
  project_id: string | null;
  params: string;
  state: SagaState;
  /** Forward: the step that may have begun and is not recorded done. Backward: the step to undo next, -1 when none is left. */
  step: number;
  /** 1 when somebody asked that it unwind. */
  cancel: number;
  /** The engine that works on it; null when nobody does. */
  lease_owner: string | null;
  /** 0 when nobody works on it. */
  lease_until_ms: number;
  failure: string | null;
  created_at_ms: number;
  updated_at_ms: number;
  finished_at_ms: number | null;
}

export interface SagaStepTable {
  saga_id: string;
  idx: number;
  name: string;
  state: StepState;
  /** Tries of `do`, those before a crash included. */
  attempt: number;
  output: string | null;
  /** A StepError of the last try of `do` or `commit`. */
  error: string | null;
  started_at_ms: number;
  finished_at_ms: number | null;
  undo_attempt: number;
  undo_error: string | null;
  undo_started_at_ms: number | null;
  undo_finished_at_ms: number | null;
}

export interface SagaTables {
  kit_saga: SagaTable;
  kit_saga_step: SagaStepTable;
}
