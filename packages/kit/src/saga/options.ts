import type { Bus } from '../bus/bus.ts';
import type { Clock } from '../clock/clock.ts';
import type { Ids } from '../ids/ids.ts';
import type { Logger } from '../log/log.ts';
import type { Store } from '../store/store.ts';
import type { Probe } from './run-host.ts';
import type { SagaDefinition } from './saga.ts';

/** Told of what sagas do, for metrics. Durations in milliseconds. */
export interface SagaMetrics {
  started?(name: string): void;
  /** Counted where the saga ended; the duration is since its start. */
  ended?(name: string, end: 'done' | 'failed', durationMs: number): void;
  stepEnded?(name: string, step: string, outcome: 'done' | 'failed' | 'undone', durationMs: number): void;
  /** An undo, or the end of a failed saga, failed and is tried again. */
  trouble?(name: string, step: string): void;
}

export interface SagaEngineOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Logger;
  /** Hints to the engines of other processes. Without it they learn by their sweeps. */
  readonly bus?: Bus;
  /** No other process uses this database: leases of an earlier run are void at `open`, and are not renewed. */
  readonly exclusive?: boolean;
  /** How many sagas run at once. Default 64. Those that wait before another try do not count. */
  readonly concurrency?: number;
  /** Default 30 000. */
  readonly leaseMs?: number;
  /** How often to look for expired leases and lost wake-ups. Default 10 000. */
  readonly sweepMs?: number;
  /** Default 60 000, for steps that name none. */
  readonly stepDeadlineMs?: number;
  /** How long an aborted step may take to end before nobody waits for it. Default 5 000. */
  readonly graceMs?: number;
  /** Delay before the second try; doubles. Default 200. */
  readonly retryMs?: number;
  /** Default 5 000. */
  readonly retryMaxMs?: number;
  /** The longest delay between tries of an undo that keeps failing. Default 300 000. */
  readonly undoRetryMaxMs?: number;
  /** How long finished sagas are kept. Default 30 days. */
  readonly keepFinishedMs?: number;
  readonly metrics?: SagaMetrics;
  /** Fault injection; tests alone. */
  readonly probe?: Probe;
}

/** A saga as the engine knows it. */
export interface Registered {
  readonly definition: SagaDefinition;
  readonly services: unknown;
}
