import type { Clock } from '../clock/clock.ts';
import type { Logger } from '../log/log.ts';
import type { Store } from '../store/store.ts';

/** Where a probe may strike. `record` is the transaction that records the outcome. */
export type ProbePoint = 'before-do' | 'after-do' | 'after-record' | 'before-undo' | 'after-undo' | 'after-undo-record';
/** Called at each point of each step. It may throw: Crash (the engine is dead from here), Again, or (before and after do and undo) any error as the step's own. */
export type Probe = (point: ProbePoint, sagaId: string, stepIndex: number, sagaName: string) => void | Promise<void>;

/** Delays in milliseconds. */
export interface Timing {
  readonly stepDeadlineMs: number;
  readonly graceMs: number;
  /** Before the second try; doubles with every further one. */
  readonly retryMs: number;
  readonly retryMaxMs: number;
  /** An undo that keeps failing is tried forever; its delays grow up to this. */
  readonly undoRetryMaxMs: number;
  readonly leaseMs: number;
}

/** What a run needs of its engine. */
export interface RunHost {
  readonly owner: string;
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
  readonly timing: Timing;
  readonly probe: Probe | undefined;
  /** True after a simulated crash: nothing may be written any more. */
  dead(): boolean;
  leaseUntilMs(): number;
  /** Waits without taking one of the places for running sagas. */
  pause(ms: number, signal: AbortSignal): Promise<void>;
  stepEnded(name: string, step: string, outcome: 'done' | 'failed' | 'undone', durationMs: number): void;
  trouble(name: string, step: string): void;
}

/** How a run ended; `left` as it is recorded, for whoever takes the saga over. */
export type RunEnd = 'done' | 'failed' | 'left';
