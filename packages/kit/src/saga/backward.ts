import { Again, Crash, describe, LetGo } from './failure.ts';
import { growing, type RunContext, type Unwind } from './run-context.ts';
import type { SagaFailure, SagaStep } from './saga.ts';
import { late, settle, type Watch, watch } from './settle.ts';
import { finishSaga, updateStep } from './store.ts';

/** Takes a saga's effects back, from the step that failed to the first, and ends it failed. Gives up never. */
export class Backward {
  readonly #run: RunContext;
  readonly #failure: SagaFailure;
  #index: number;
  /** Tries of the undo, those of earlier processes included. */
  #attempt: number;
  #watch: Watch | undefined;

  constructor(run: RunContext, from: Unwind, attempt: number) {
    this.#run = run;
    this.#index = from.step;
    this.#failure = from.failure;
    this.#attempt = attempt;
  }

  letGo(reason: LetGo): void {
    this.#watch?.abort(reason);
  }

  /** Until the saga has failed. Throws LetGo and Crash. */
  async go(): Promise<void> {
    const { definition, host, row } = this.#run;
    while (this.#index >= 0) {
      const index = this.#index;
      const step = definition.steps[index] as SagaStep<unknown, unknown>;
      const startedMs = host.clock.nowMs();
      await this.#untilDone(step.name, () => this.#undo(step, index));
      host.stepEnded(row.name, step.name, 'undone', host.clock.nowMs() - startedMs);
      await this.#run.probe('after-undo-record', index);
    }
    await this.#untilDone('onFailed', () => this.#finish());
  }

  /** Undoes one step and records it. */
  async #undo(step: SagaStep<unknown, unknown>, index: number): Promise<void> {
    const { host, row } = this.#run;
    const { clock, timing } = host;
    const guard = watch(clock, step.deadlineMs ?? timing.stepDeadlineMs);
    this.#watch = guard;
    try {
      this.#run.throwIfGone();
      await this.#run.probe('before-undo', index);
      const context = this.#run.step(this.#attempt, guard.signal);
      if (step.undo) await settle(step.undo(context), guard.signal, clock, timing.graceMs);
      await this.#run.probe('after-undo', index);
      const next = this.#run.undoable(index - 1);
      await this.#run.persist(Boolean(step.undoCommit), async (tx, hook) => {
        const nowMs = clock.nowMs();
        await this.#run.advance(tx, { step: next, nowMs });
        await updateStep(tx, row.id, index, { state: 'undone', undoFinishedAtMs: nowMs });
        if (step.undoCommit) await hook(async () => step.undoCommit?.(tx, context));
        if (next >= 0) await updateStep(tx, row.id, next, { state: 'undoing', undoAttempt: 1, undoStartedAtMs: nowMs });
      });
      this.#index = next;
      this.#attempt = 1;
    } catch (error) {
      if (error instanceof Crash || error instanceof LetGo) throw error;
      this.#run.throwIfGone();
      throw guard.signal.aborted ? late(guard.signal.reason, error) : error;
    } finally {
      guard.stop();
      this.#watch = undefined;
    }
  }

  async #finish(): Promise<void> {
    const { definition, host, row, gone } = this.#run;
    await this.#run.persist(Boolean(definition.onFailed), async (tx, hook) => {
      const nowMs = host.clock.nowMs();
      await this.#run.advance(tx, { nowMs });
      await hook(async () => definition.onFailed?.(tx, this.#run.step(1, gone), this.#failure));
      await finishSaga(tx, row.id, 'failed', nowMs);
    });
  }

  /** Tries forever, with growing delays and without taking up a place: what must be undone is never given up. */
  async #untilDone(name: string, work: () => Promise<void>): Promise<void> {
    const { host, row, log, gone } = this.#run;
    for (;;) {
      try {
        await work();
        return;
      } catch (error) {
        if (error instanceof Crash || error instanceof LetGo) throw error;
        const tried = this.#attempt;
        await this.#noteRetry(error);
        if (error instanceof Again) continue;
        log.error({ step: name, attempt: tried, err: error }, 'undoing failed and is tried again; until it succeeds something is left behind');
        host.trouble(row.name, name);
        await host.pause(growing(host.timing.retryMs, tried, host.timing.undoRetryMaxMs), gone);
        this.#run.throwIfGone();
      }
    }
  }

  async #noteRetry(error: unknown): Promise<void> {
    const attempt = this.#attempt + 1;
    await this.#run.persist(false, async (tx) => {
      await this.#run.advance(tx, { nowMs: this.#run.host.clock.nowMs() });
      if (this.#index >= 0) await updateStep(tx, this.#run.row.id, this.#index, { undoAttempt: attempt, undoError: describe(error) });
    });
    this.#attempt = attempt;
  }
}
