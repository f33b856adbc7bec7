import type { Clock } from '../clock/clock.ts';
import type { Logger } from '../log/log.ts';
import { isRetryable } from '../store/errors.ts';
import { relax } from '../store/relax.ts';
import type { Store, Tx } from '../store/store.ts';
import { Again, Cancelled, Crash, DeadlinePassed, describe, isTransient, LetGo } from './failure.ts';
import type { Json, SagaDefinition, SagaFailure, SagaStep, StepContext } from './saga.ts';
import { nap, Overrun, settle, throwIfLetGo, type Watch, watch } from './settle.ts';
import { type Advance, advance, finishSaga, hasUnfinished, insertSteps, type SagaRow, type StepRow, updateStep } from './store.ts';

/** Where a probe may strike. `record` is the transaction that records the outcome. */
export type ProbePoint = 'before-do' | 'after-do' | 'after-record' | 'before-undo' | 'after-undo' | 'after-undo-record';
/** Called at each point of each step. It may throw: Crash (the engine is dead from here), Again, or (before and after do) any error as the step's own. */
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
  readonly dead: boolean;
  leaseUntilMs(): number;
  /** Waits without taking one of the places for running sagas. */
  pause(ms: number, signal: AbortSignal): Promise<void>;
  stepEnded(name: string, step: string, outcome: 'done' | 'failed' | 'undone', durationMs: number): void;
  trouble(name: string, step: string): void;
}

export type RunEnd = 'done' | 'failed' | 'left';

/** Records of a step that keep failing, though the database answers, count as the step's own failure after so many tries. */
const RECORD_TRIES = 6;
/** A step that has been begun so often without an end takes its process down each time. */
const MAX_RESUMES = 30;

type Hook = <T>(work: () => Promise<T>) => Promise<T>;

/** One saga in the hands of this engine, from where its rows stand to its end. */
export class SagaRun {
  readonly row: SagaRow;
  readonly definition: SagaDefinition;
  leaseUntilMs: number;
  readonly #host: RunHost;
  readonly #services: unknown;
  readonly #params: unknown;
  readonly #log: Logger;
  readonly #letGo = new AbortController();
  #outputs: Record<string, Json> = {};
  #state: SagaRow['state'];
  #step: number;
  #attempt = 1;
  #undoAttempt = 1;
  #cancel: boolean;
  #failure: SagaFailure | undefined;
  #watch: Watch | undefined;
  #watching: 'do' | 'undo' = 'do';

  constructor(host: RunHost, row: SagaRow, definition: SagaDefinition, services: unknown, steps: readonly StepRow[] = []) {
    this.#host = host;
    this.row = row;
    this.definition = definition;
    this.#services = services;
    this.#params = JSON.parse(row.params);
    this.#log = host.log.child({ saga: row.name, sagaId: row.id, subject: row.subject, requestId: row.request_id });
    this.#state = row.state;
    this.#step = row.step;
    this.#cancel = row.cancel === 1;
    this.#failure = row.failure === null ? undefined : (JSON.parse(row.failure) as SagaFailure);
    this.leaseUntilMs = row.lease_until_ms;
    for (const step of steps) {
      if (step.output !== null) this.#outputs[step.name] = JSON.parse(step.output) as Json;
      if (step.idx !== row.step) continue;
      this.#attempt = step.attempt;
      this.#undoAttempt = Math.max(1, step.undo_attempt);
    }
  }

  /** The failure the saga ended with, or unwinds for. */
  get failure(): SagaFailure | undefined {
    return this.#failure;
  }

  /** Somebody asked (and recorded) that the saga unwind: stops a running `do`. */
  cancel(): void {
    this.#cancel = true;
    if (this.#watching === 'do') this.#watch?.abort(new Cancelled());
  }

  /** Stops whatever runs and leaves the saga as it is recorded. */
  letGo(why: string): void {
    const reason = new LetGo(why);
    this.#letGo.abort(reason);
    this.#watch?.abort(reason);
  }

  /** Never rejects, but for a Crash. */
  async execute(): Promise<RunEnd> {
    try {
      await this.#forward();
      if (this.#state === 'undoing') await this.#backward();
      return this.#state === 'done' ? 'done' : 'failed';
    } catch (error) {
      if (error instanceof Crash) throw error;
      if (!(error instanceof LetGo)) this.#log.error({ err: error }, 'a saga was left, by a fault of the engine; the next sweep resumes it');
      return 'left';
    }
  }

  async #forward(): Promise<void> {
    const { steps } = this.definition;
    while (this.#state === 'running') {
      const index = this.#step;
      const step = steps[index];
      const fault = step ? await this.#perform(step, index) : await this.#finishEmpty();
      if (fault) await this.#turnBack(fault);
      else if (step) await this.#probe('after-record', index);
    }
  }

  /** Runs one step until it is recorded. Returns why it failed, if so. */
  async #perform(step: SagaStep<unknown, unknown>, index: number): Promise<Fault | undefined> {
    const { clock, timing } = this.#host;
    const guard = watch(clock, step.deadlineMs ?? timing.stepDeadlineMs);
    this.#watch = guard;
    this.#watching = 'do';
    let output: string | undefined;
    let last: unknown;
    let startedMs = clock.nowMs();
    try {
      for (let tries = 1; ; ) {
        if (this.#letGo.signal.aborted) throw this.#letGo.signal.reason;
        if (this.#cancel) return fault(new Cancelled(), startedMs, output);
        if (guard.signal.aborted) return fault(late(guard.signal.reason, last), startedMs, output);
        try {
          if (this.#attempt > MAX_RESUMES) throw new Error(`The step was begun ${this.#attempt} times and never came to an end.`);
          startedMs = clock.nowMs();
          await this.#probe('before-do', index);
          const context = this.#context(this.#attempt, guard.signal);
          output = undefined;
          const given = step.do ? ((await settle(step.do(context), guard.signal, clock, timing.graceMs)) ?? null) : null;
          await this.#probe('after-do', index);
          output = JSON.stringify(given);
          if (guard.signal.aborted && guard.signal.reason instanceof DeadlinePassed) return fault(guard.signal.reason, startedMs, output);
          await this.#record(step, index, context, output);
          this.#host.stepEnded(this.row.name, step.name, 'done', clock.nowMs() - startedMs);
          return undefined;
        } catch (error) {
          if (error instanceof Crash || error instanceof LetGo) throw error;
          if (error instanceof Overrun) this.#log.error({ step: step.name }, 'a step goes on though it was told to stop; nobody waits for it any more');
          throwIfLetGo(guard.signal);
          if (guard.signal.aborted) return fault(guard.signal.reason instanceof DeadlinePassed ? late(guard.signal.reason, error) : guard.signal.reason, startedMs, output);
          const again = error instanceof Again;
          if (!again && (!isTransient(error) || tries >= (step.attempts ?? 3) || this.#attempt > MAX_RESUMES)) return fault(error, startedMs, output);
          last = error;
          await this.#noteRetry(index, error);
          if (again) continue;
          this.#log.warn({ step: step.name, attempt: this.#attempt, err: error }, 'a step failed and is tried again');
          await this.#host.pause(growing(timing.retryMs, tries, timing.retryMaxMs), guard.signal);
          tries += 1;
        }
      }
    } finally {
      guard.stop();
      this.#watch = undefined;
    }
  }

  /** Records a step's output, with its commit and what begins next, in one transaction. */
  async #record(step: SagaStep<unknown, unknown>, index: number, context: StepContext<unknown, unknown>, text: string): Promise<void> {
    const value = JSON.parse(text) as Json;
    const outputs = { ...this.#outputs, [step.name]: value };
    const next = this.definition.steps[index + 1];
    const hooked = Boolean(step.commit) || (!next && Boolean(this.definition.onDone));
    const end = await this.#persist(hooked, async (tx, hook) => {
      const nowMs = this.#host.clock.nowMs();
      const { cancel } = await this.#advance(tx, { step: next ? index + 1 : index, nowMs });
      await updateStep(tx, this.row.id, index, { state: 'done', output: text, finishedAtMs: nowMs, ...(this.#attempt > 1 ? { error: null } : {}) });
      if (step.commit) await hook(async () => step.commit?.(tx, context, value));
      if (cancel) return this.#unwindRows(tx, index, { ...describe(new Cancelled()), step: step.name }, nowMs);
      if (next) {
        await insertSteps(tx, [{ sagaId: this.row.id, idx: index + 1, name: next.name }], nowMs);
        return 'next' as const;
      }
      await hook(async () => this.definition.onDone?.(tx, { ...context, outputs }));
      await finishSaga(tx, this.row.id, 'done', nowMs);
      return 'done' as const;
    });
    this.#outputs = outputs;
    this.#attempt = 1;
    if (end === 'next') this.#step = index + 1;
    else if (end === 'done') this.#state = 'done';
    else this.#unwind(end);
  }

  /** A saga without steps is done as soon as it runs. */
  async #finishEmpty(): Promise<Fault | undefined> {
    try {
      await this.#persist(Boolean(this.definition.onDone), async (tx, hook) => {
        const nowMs = this.#host.clock.nowMs();
        await this.#advance(tx, { nowMs });
        await hook(async () => this.definition.onDone?.(tx, this.#context(1, this.#letGo.signal)));
        await finishSaga(tx, this.row.id, 'done', nowMs);
      });
      this.#state = 'done';
      return undefined;
    } catch (error) {
      if (error instanceof LetGo) throw error;
      return fault(error, this.#host.clock.nowMs());
    }
  }

  async #noteRetry(index: number, error: unknown): Promise<void> {
    await this.#persist(false, async (tx) => {
      await this.#advance(tx, { nowMs: this.#host.clock.nowMs() });
      await updateStep(tx, this.row.id, index, { attempt: this.#attempt + 1, error: describe(error) });
    });
    this.#attempt += 1;
  }

  /** Records that the step failed and the saga unwinds. */
  async #turnBack({ error, output, startedMs }: Fault): Promise<void> {
    const index = this.#step;
    const step = this.definition.steps[index]?.name ?? '';
    const described = describe(error);
    const failure: SagaFailure = { step, ...described };
    this.#log.warn({ step, kind: failure.kind, reason: failure.message, detail: failure.detail }, 'a step failed; the saga unwinds');
    const end = await this.#persist(false, async (tx) => {
      const nowMs = this.#host.clock.nowMs();
      await this.#advance(tx, { nowMs });
      await updateStep(tx, this.row.id, index, { state: 'failed', error: described, finishedAtMs: nowMs, ...(output === undefined ? {} : { output }) });
      return this.#unwindRows(tx, index, failure, nowMs);
    });
    this.#host.stepEnded(this.row.name, step, 'failed', this.#host.clock.nowMs() - startedMs);
    // what a `do` gave before it was found too late is of use to its undo
    if (output !== undefined && step !== '') this.#outputs = { ...this.#outputs, [step]: JSON.parse(output) as Json };
    this.#unwind(end);
  }

  /** Turns the rows to undoing, beginning with the step at `index`. */
  async #unwindRows(tx: Tx, index: number, failure: SagaFailure, nowMs: number): Promise<Unwind> {
    const step = this.#undoable(index);
    await this.#advance(tx, { state: 'undoing', step, failure, nowMs });
    if (step >= 0) await updateStep(tx, this.row.id, step, { state: 'undoing', undoAttempt: 1, undoStartedAtMs: nowMs });
    return { step, failure };
  }

  #unwind({ step, failure }: Unwind): void {
    this.#state = 'undoing';
    this.#step = step;
    this.#undoAttempt = 1;
    this.#failure = failure;
  }

  /** The last step at or before `index` that has something to undo; -1 when none has. */
  #undoable(index: number): number {
    for (let i = index; i >= 0; i -= 1) {
      const step = this.definition.steps[i];
      if (step?.undo || step?.undoCommit) return i;
    }
    return -1;
  }

  async #backward(): Promise<void> {
    while (this.#step >= 0) {
      const index = this.#step;
      const step = this.definition.steps[index] as SagaStep<unknown, unknown>;
      const startedMs = this.#host.clock.nowMs();
      await this.#untilDone(step.name, index, () => this.#undo(step, index));
      this.#host.stepEnded(this.row.name, step.name, 'undone', this.#host.clock.nowMs() - startedMs);
      await this.#probe('after-undo-record', index);
    }
    const failure = this.#failure ?? { step: '', kind: 'Internal', message: 'The operation failed.' };
    await this.#untilDone('onFailed', -1, () =>
      this.#persist(Boolean(this.definition.onFailed), async (tx, hook) => {
        const nowMs = this.#host.clock.nowMs();
        await this.#advance(tx, { nowMs });
        await hook(async () => this.definition.onFailed?.(tx, this.#context(1, this.#letGo.signal), failure));
        await finishSaga(tx, this.row.id, 'failed', nowMs);
      }),
    );
    this.#state = 'failed';
  }

  /** Undoes one step and records it. */
  async #undo(step: SagaStep<unknown, unknown>, index: number): Promise<void> {
    const { clock, timing } = this.#host;
    const guard = watch(clock, step.deadlineMs ?? timing.stepDeadlineMs);
    this.#watch = guard;
    this.#watching = 'undo';
    try {
      if (this.#letGo.signal.aborted) throw this.#letGo.signal.reason;
      await this.#probe('before-undo', index);
      const context = this.#context(this.#undoAttempt, guard.signal);
      if (step.undo) await settle(step.undo(context), guard.signal, clock, timing.graceMs);
      await this.#probe('after-undo', index);
      const next = this.#undoable(index - 1);
      await this.#persist(Boolean(step.undoCommit), async (tx, hook) => {
        const nowMs = clock.nowMs();
        await this.#advance(tx, { step: next, nowMs });
        await updateStep(tx, this.row.id, index, { state: 'undone', undoFinishedAtMs: nowMs });
        if (step.undoCommit) await hook(async () => step.undoCommit?.(tx, context));
        if (next >= 0) await updateStep(tx, this.row.id, next, { state: 'undoing', undoAttempt: 1, undoStartedAtMs: nowMs });
      });
      this.#step = next;
      this.#undoAttempt = 1;
    } catch (error) {
      if (error instanceof Crash || error instanceof LetGo) throw error;
      throwIfLetGo(guard.signal);
      throw guard.signal.aborted ? late(guard.signal.reason, error) : error;
    } finally {
      guard.stop();
      this.#watch = undefined;
    }
  }

  /** Tries forever, with growing delays and without taking up a place: what must be undone is never given up. */
  async #untilDone(name: string, index: number, work: () => Promise<void>): Promise<void> {
    const { timing } = this.#host;
    for (;;) {
      try {
        return await work();
      } catch (error) {
        if (error instanceof Crash || error instanceof LetGo) throw error;
        if (!(error instanceof Again)) {
          this.#log.error({ step: name, attempt: this.#undoAttempt, err: error }, 'undoing failed and is tried again; until it succeeds something is left behind');
          this.#host.trouble(this.row.name, name);
        }
        const tried = this.#undoAttempt;
        await this.#persist(false, async (tx) => {
          await this.#advance(tx, { nowMs: this.#host.clock.nowMs() });
          if (index >= 0) await updateStep(tx, this.row.id, index, { undoAttempt: tried + 1, undoError: describe(error) });
        });
        this.#undoAttempt = tried + 1;
        if (!(error instanceof Again)) await this.#host.pause(growing(timing.retryMs, tried, timing.undoRetryMaxMs), this.#letGo.signal);
        if (this.#letGo.signal.aborted) throw this.#letGo.signal.reason;
      }
    }
  }

  /** Changes the saga's row under its lease, which it prolongs when half of it is over. Throws LetGo when the lease is lost. */
  async #advance(tx: Tx, change: Advance): Promise<{ cancel: number }> {
    const due = this.leaseUntilMs - change.nowMs < this.#host.timing.leaseMs / 2;
    const untilMs = this.#host.leaseUntilMs();
    const held = await advance(tx, this.row.id, this.#host.owner, due ? { ...change, leaseUntilMs: untilMs } : change);
    if (!held) throw new LetGo('the lease is lost');
    if (due) tx.afterCommit(() => (this.leaseUntilMs = untilMs));
    return held;
  }

  /**
   * Writes, and waits as long as it takes while the database does not answer. What `hook`s throw comes out at once, and so does
   * LetGo. `work` may run more than once; `hooked` says that it calls service code.
   */
  async #persist<T>(hooked: boolean, work: (tx: Tx, hook: Hook) => Promise<T>): Promise<T> {
    const { store, timing, clock } = this.#host;
    for (let tries = 1; ; tries += 1) {
      if (this.#host.dead) throw new LetGo('the engine is dead');
      let thrown: { readonly error: unknown } | undefined;
      const hook: Hook = async (run) => {
        try {
          return await run();
        } catch (error) {
          thrown = { error };
          throw error;
        }
      };
      try {
        return await store.write(async (tx) => {
          thrown = undefined;
          if (!hooked) await relax(tx);
          return work(tx, hook);
        });
      } catch (error) {
        if (error instanceof LetGo) throw error;
        if (thrown && (thrown as { error: unknown }).error === error && !isRetryable(error)) throw error;
        if (tries >= RECORD_TRIES && (await answers(store))) throw error;
        this.#log.error({ err: error, tries }, 'the database did not take a record of a saga; trying again');
        await nap(clock, growing(timing.retryMs, tries, 10_000), this.#letGo.signal);
        if (this.#letGo.signal.aborted) throw this.#letGo.signal.reason;
      }
    }
  }

  async #probe(point: ProbePoint, index: number): Promise<void> {
    if (this.#host.dead) throw new LetGo('the engine is dead');
    if (this.#host.probe) await this.#host.probe(point, this.row.id, index, this.row.name);
  }

  #context(attempt: number, signal: AbortSignal): StepContext<unknown, unknown> {
    const { store, clock } = this.#host;
    return { sagaId: this.row.id, params: this.#params, outputs: this.#outputs, services: this.#services, db: store.read, clock, log: this.#log, attempt, signal };
  }
}

/** How a step failed, and what its `do` had given by then (JSON text). */
interface Fault {
  readonly error: unknown;
  readonly startedMs: number;
  readonly output: string | undefined;
}

interface Unwind {
  readonly step: number;
  readonly failure: SagaFailure;
}

const fault = (error: unknown, startedMs: number, output?: string): Fault => ({ error, startedMs, output });

/** A passed deadline that tells what went wrong before. */
function late(reason: unknown, last: unknown): unknown {
  if (reason instanceof DeadlinePassed && last !== undefined && last !== reason && !(last instanceof Overrun)) reason.cause = last;
  return reason;
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
