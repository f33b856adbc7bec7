import { Again, Cancelled, Crash, DeadlinePassed, describe, isTransient, LetGo } from './failure.ts';
import { growing, type RunContext, type Unwind } from './run-context.ts';
import type { Json, SagaFailure, SagaStep, StepContext } from './saga.ts';
import { late, Overrun, settle, type Watch, watch } from './settle.ts';
import { finishSaga, insertSteps, updateStep } from './store.ts';

const DEFAULT_ATTEMPTS = 3;
/** A step that finds itself begun more often than this, by processes that did not live to end it, takes them down. At least three times its `attempts`. */
const MAX_BEGUN = 30;

type Step = SagaStep<unknown, unknown>;

/** How a step failed, and what its `do` had given by then (JSON text). */
interface Fault {
  readonly error: unknown;
  readonly startedMs: number;
  readonly output: string | undefined;
}

const fault = (error: unknown, startedMs: number, output?: string): Fault => ({ error, startedMs, output });

/** Runs a saga's steps from where it stands, each until it is recorded. */
export class Forward {
  readonly #run: RunContext;
  #index: number;
  /** Tries of the step, those of earlier processes included. */
  #attempt: number;
  #cancel: boolean;
  #watch: Watch | undefined;

  constructor(run: RunContext, attempt: number) {
    this.#run = run;
    this.#index = run.row.step;
    this.#attempt = attempt;
    this.#cancel = run.row.cancel === 1;
  }

  /** Stops a running `do`. That the saga is to unwind is recorded already. */
  cancel(): void {
    this.#cancel = true;
    this.#watch?.abort(new Cancelled());
  }

  letGo(reason: LetGo): void {
    this.#watch?.abort(reason);
  }

  /** Until the saga is done, or what to undo is recorded. Throws LetGo and Crash. */
  async go(): Promise<'done' | Unwind> {
    for (;;) {
      const index = this.#index;
      const step = this.#run.definition.steps[index];
      const end = step ? await this.#perform(step, index) : await this.#finishEmpty();
      if (typeof end === 'object' && 'error' in end) return this.#turnBack(end);
      if (step) await this.#run.probe('after-record', index);
      if (end !== 'next') return end;
    }
  }

  /** Runs one step until it is recorded, or says why it failed. */
  async #perform(step: Step, index: number): Promise<'next' | 'done' | Unwind | Fault> {
    const { clock, timing } = this.#run.host;
    const guard = watch(clock, step.deadlineMs ?? timing.stepDeadlineMs);
    const attempts = step.attempts ?? DEFAULT_ATTEMPTS;
    this.#watch = guard;
    let last: unknown;
    try {
      if (this.#attempt > Math.max(MAX_BEGUN, 3 * attempts)) {
        return fault(new Error(`The step was begun ${this.#attempt} times and never came to an end.`), clock.nowMs());
      }
      for (let tries = 1; ; ) {
        const startedMs = clock.nowMs();
        this.#run.throwIfGone();
        if (this.#cancel) return fault(new Cancelled(), startedMs);
        if (guard.signal.aborted) return fault(late(guard.signal.reason, last), startedMs);
        const end = await this.#try(step, index, guard.signal);
        if (typeof end !== 'object' || !('error' in end)) {
          this.#run.host.stepEnded(this.#run.row.name, step.name, 'done', clock.nowMs() - startedMs);
          return end;
        }
        const { error } = end;
        const again = error instanceof Again;
        const more = isTransient(error) && tries < attempts;
        if (guard.signal.aborted || (!again && !more)) return end;
        last = error;
        await this.#noteRetry(index, error);
        if (again) continue;
        this.#run.log.warn({ step: step.name, attempt: this.#attempt, err: error }, 'a step failed and is tried again');
        await this.#run.host.pause(growing(timing.retryMs, tries, timing.retryMaxMs), guard.signal);
        tries += 1;
      }
    } finally {
      guard.stop();
      this.#watch = undefined;
    }
  }

  /** One try of a step. */
  async #try(step: Step, index: number, signal: AbortSignal): Promise<'next' | 'done' | Unwind | Fault> {
    const { clock, timing } = this.#run.host;
    const startedMs = clock.nowMs();
    let output: string | undefined;
    try {
      await this.#run.probe('before-do', index);
      const context = this.#run.step(this.#attempt, signal);
      const given = step.do ? ((await settle(step.do(context), signal, clock, timing.graceMs)) ?? null) : null;
      await this.#run.probe('after-do', index);
      output = JSON.stringify(given);
      if (signal.aborted && signal.reason instanceof DeadlinePassed) return fault(signal.reason, startedMs, output);
      return await this.#record(step, index, context, output);
    } catch (error) {
      if (error instanceof Crash || error instanceof LetGo) throw error;
      if (error instanceof Overrun) this.#run.log.error({ step: step.name }, 'a step goes on though it was told to stop; nobody waits for it any more');
      this.#run.throwIfGone();
      return fault(signal.aborted ? late(signal.reason, error) : error, startedMs, output);
    }
  }

  /** Records a step's output, with its commit and what begins next, in one transaction. */
  async #record(step: Step, index: number, context: StepContext<unknown, unknown>, text: string): Promise<'next' | 'done' | Unwind> {
    const { row, definition, host } = this.#run;
    const value = JSON.parse(text) as Json;
    const outputs = { ...this.#run.outputs, [step.name]: value };
    const next = definition.steps[index + 1];
    const hooked = Boolean(step.commit) || (!next && Boolean(definition.onDone));
    const end = await this.#run.persist(hooked, async (tx, hook) => {
      const nowMs = host.clock.nowMs();
      const { cancel } = next ? await this.#run.advance(tx, { step: index + 1, nowMs }) : await this.#run.held(tx);
      await updateStep(tx, row.id, index, { state: 'done', output: text, finishedAtMs: nowMs, ...(this.#attempt > 1 ? { error: null } : {}) });
      if (step.commit) await hook(async () => step.commit?.(tx, context, value));
      if (cancel) return this.#run.unwindRows(tx, index, { step: step.name, ...describe(new Cancelled()) }, nowMs);
      if (next) {
        await insertSteps(tx, [{ sagaId: row.id, idx: index + 1, name: next.name }], nowMs);
        return 'next' as const;
      }
      await hook(async () => definition.onDone?.(tx, { ...context, outputs }));
      await finishSaga(tx, row.id, 'done', nowMs);
      return 'done' as const;
    });
    this.#run.outputs = outputs;
    this.#attempt = 1;
    this.#index = index + 1;
    return end;
  }

  /** A saga without steps is done as soon as it runs. */
  async #finishEmpty(): Promise<'done' | Fault> {
    const { row, definition, host, gone } = this.#run;
    try {
      await this.#run.persist(Boolean(definition.onDone), async (tx, hook) => {
        const nowMs = host.clock.nowMs();
        await this.#run.advance(tx, { nowMs });
        await hook(async () => definition.onDone?.(tx, this.#run.step(1, gone)));
        await finishSaga(tx, row.id, 'done', nowMs);
      });
      return 'done';
    } catch (error) {
      if (error instanceof LetGo) throw error;
      return fault(error, host.clock.nowMs());
    }
  }

  async #noteRetry(index: number, error: unknown): Promise<void> {
    await this.#run.persist(false, async (tx) => {
      await this.#run.advance(tx, { nowMs: this.#run.host.clock.nowMs() });
      await updateStep(tx, this.#run.row.id, index, { attempt: this.#attempt + 1, error: describe(error) });
    });
    this.#attempt += 1;
  }

  /** Records that the step failed and the saga unwinds. */
  async #turnBack({ error, output, startedMs }: Fault): Promise<Unwind> {
    const { row, definition, host, log } = this.#run;
    const index = this.#index;
    const step = definition.steps[index]?.name ?? '';
    const described = describe(error);
    const failure: SagaFailure = { step, ...described };
    log.warn({ step, kind: failure.kind, reason: failure.message, detail: failure.detail }, 'a step failed; the saga unwinds');
    const unwind = await this.#run.persist(false, async (tx) => {
      const nowMs = host.clock.nowMs();
      await updateStep(tx, row.id, index, { state: 'failed', error: described, finishedAtMs: nowMs, ...(output === undefined ? {} : { output }) });
      return this.#run.unwindRows(tx, index, failure, nowMs);
    });
    host.stepEnded(row.name, step, 'failed', host.clock.nowMs() - startedMs);
    // what a `do` gave before it was found too late is of use to its undo
    if (output !== undefined && step !== '') this.#run.outputs = { ...this.#run.outputs, [step]: JSON.parse(output) as Json };
    return unwind;
  }
}
