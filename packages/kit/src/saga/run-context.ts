import type { Logger } from '../log/log.ts';
import { isRetryable } from '../store/errors.ts';
import { relax } from '../store/relax.ts';
import type { Store, Tx } from '../store/store.ts';
import { LetGo } from './failure.ts';
import type { ProbePoint, RunHost } from './run-host.ts';
import type { Json, SagaDefinition, SagaFailure, StepContext } from './saga.ts';
import { nap } from './settle.ts';
import { type Advance, advance, hasUnfinished, heldBy, type SagaRow, updateStep } from './store.ts';

/** Records of a step that keep failing, though the database answers, count as the step's own failure after so many tries. */
const RECORD_TRIES = 6;
const RECORD_RETRY_MAX_MS = 10_000;

/** Runs service code inside of a record, so that its errors are told from the database's. */
export type Hook = <T>(work: () => Promise<T>) => Promise<T>;

/** From which step on to undo, and why. */
export interface Unwind {
  /** -1 when nothing is left to undo. */
  readonly step: number;
  readonly failure: SagaFailure;
}

/** What both directions of one run share: its saga, its lease, its outputs, and the way to write records. */
export class RunContext {
  readonly host: RunHost;
  readonly row: SagaRow;
  readonly definition: SagaDefinition;
  readonly log: Logger;
  readonly #services: unknown;
  readonly #params: unknown;
  readonly #letGo = new AbortController();
  /** Replaced, never changed: contexts of earlier steps keep what they saw. */
  outputs: Readonly<Record<string, Json>> = {};
  leaseUntilMs: number;

  constructor(host: RunHost, row: SagaRow, definition: SagaDefinition, services: unknown) {
    this.host = host;
    this.row = row;
    this.definition = definition;
    this.log = host.log.child({ saga: row.name, sagaId: row.id, subject: row.subject, requestId: row.request_id });
    this.leaseUntilMs = row.lease_until_ms;
    this.#services = services;
    this.#params = JSON.parse(row.params);
  }

  /** Aborts when the run must let go of its saga. */
  get gone(): AbortSignal {
    return this.#letGo.signal;
  }

  letGo(reason: LetGo): void {
    this.#letGo.abort(reason);
  }

  /** Throws LetGo when the run must let go of its saga. */
  throwIfGone(): void {
    this.#throwIfDead();
    this.#letGo.signal.throwIfAborted();
  }

  step(attempt: number, signal: AbortSignal): StepContext<unknown, unknown> {
    const { store, clock } = this.host;
    const { log, outputs, row } = this;
    return { sagaId: row.id, params: this.#params, outputs, services: this.#services, db: store.read, clock, log, attempt, signal };
  }

  async probe(point: ProbePoint, index: number): Promise<void> {
    this.#throwIfDead();
    if (this.host.probe) await this.host.probe(point, this.row.id, index, this.row.name);
  }

  /** Changes the saga's row under its lease, which it prolongs when half of it is over. Throws LetGo when the lease is lost. */
  async advance(tx: Tx, change: Advance): Promise<{ cancel: number }> {
    const due = this.leaseUntilMs - change.nowMs < this.host.timing.leaseMs / 2;
    const leaseUntilMs = this.host.leaseUntilMs();
    const held = await advance(tx, this.row.id, this.host.owner, due ? { ...change, leaseUntilMs } : change);
    if (!held) throw new LetGo('the lease is lost');
    if (due) {
      tx.afterCommit(() => {
        this.leaseUntilMs = leaseUntilMs;
      });
    }
    return held;
  }

  /** The same for the transaction that ends the saga. Whoever takes the lease or asks for its end meanwhile makes that one fail and run again. */
  async held(tx: Tx): Promise<{ cancel: number }> {
    const held = await heldBy(tx, this.row.id, this.host.owner);
    if (!held) throw new LetGo('the lease is lost');
    return held;
  }

  /** Turns the rows to undoing, beginning with the step at `index`. */
  async unwindRows(tx: Tx, index: number, failure: SagaFailure, nowMs: number): Promise<Unwind> {
    const step = this.undoable(index);
    await this.advance(tx, { state: 'undoing', step, failure, nowMs });
    if (step >= 0) await updateStep(tx, this.row.id, step, { state: 'undoing', undoAttempt: 1, undoStartedAtMs: nowMs });
    return { step, failure };
  }

  /** The last step at or before `index` that has something to undo; -1 when none has. */
  undoable(index: number): number {
    for (let i = index; i >= 0; i -= 1) {
      const step = this.definition.steps[i];
      if (step?.undo || step?.undoCommit) return i;
    }
    return -1;
  }

  /**
   * Writes, and waits as long as it takes while the database does not answer. What `hook`s throw comes out at once, and so does
   * LetGo. `work` may run more than once; `hooked` says that it calls service code.
   */
  async persist<T>(hooked: boolean, work: (tx: Tx, hook: Hook) => Promise<T>): Promise<T> {
    const { store, timing, clock } = this.host;
    const thrown: unknown[] = [];
    const hook: Hook = async (run) => {
      try {
        return await run();
      } catch (error) {
        thrown.push(error);
        throw error;
      }
    };
    for (let tries = 1; ; tries += 1) {
      this.#throwIfDead();
      try {
        return await store.write(async (tx) => {
          if (!hooked) await relax(tx);
          return work(tx, hook);
        });
      } catch (error) {
        if (error instanceof LetGo) throw error;
        if (thrown.includes(error) && !isRetryable(error)) throw error;
        if (tries >= RECORD_TRIES && (await answers(store))) throw error;
        this.log.error({ err: error, tries }, 'the database did not take a record of a saga; trying again');
        await nap(clock, growing(timing.retryMs, tries, RECORD_RETRY_MAX_MS), this.gone);
        this.throwIfGone();
      }
    }
  }

  /** A record may still be written while shutting down, but not by the dead. */
  #throwIfDead(): void {
    if (this.host.dead()) throw new LetGo('the engine is dead');
  }
}

/** Exponential: `firstMs`, twice that, and so on up to `maxMs`. */
export function growing(firstMs: number, tries: number, maxMs: number): number {
  return Math.min(maxMs, firstMs * 2 ** Math.min(tries - 1, 30));
}

async function answers(store: Store): Promise<boolean> {
  try {
    await hasUnfinished(store.read, '');
    return true;
  } catch {
    return false;
  }
}
