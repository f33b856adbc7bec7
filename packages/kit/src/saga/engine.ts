import { notFound } from '../errors/errors.ts';
import type { Tx } from '../store/store.ts';
import { Dispatcher } from './dispatcher.ts';
import { Cancelled, describe } from './failure.ts';
import type { Registered, SagaEngineOptions } from './options.ts';
import type { Timing } from './run-host.ts';
import type { SagaDefinition, SagaFailure, Sagas, StartSaga, StepContext } from './saga.ts';
import { finishSaga, flagCancel, hasUnfinished, insertSaga, insertSteps, type NewSagaRow, type SagaRow, sagaById, unfinishedOfSubject } from './store.ts';

/**
 * Runs sagas durably. Build it, `register` each service's sagas, `migrate` the store with `sagaMigrations`, then `open`.
 * Any number of engines may share one database; they share the work by leases.
 */
export class SagaEngine implements Sagas {
  readonly #options: SagaEngineOptions;
  readonly #registered = new Map<string, Registered>();
  readonly #dispatcher: Dispatcher;

  constructor(options: SagaEngineOptions) {
    this.#options = options;
    const timing: Timing = {
      stepDeadlineMs: options.stepDeadlineMs ?? 60_000,
      graceMs: options.graceMs ?? 5000,
      retryMs: options.retryMs ?? 200,
      retryMaxMs: options.retryMaxMs ?? 5000,
      undoRetryMaxMs: options.undoRetryMaxMs ?? 300_000,
      leaseMs: options.leaseMs ?? 30_000,
    };
    this.#dispatcher = new Dispatcher(options, timing, this.#registered);
  }

  /** Makes sagas known, with what their steps get as `services`. A name may be registered once. */
  // oxlint-disable-next-line typescript/no-explicit-any -- sagas with parameters of all kinds are registered together
  register<Services>(definitions: readonly SagaDefinition<any, Services>[], services: Services): void {
    for (const definition of definitions) {
      if (this.#registered.has(definition.name)) throw new Error(`The saga ${definition.name} is registered twice.`);
      const names = new Set(definition.steps.map((step) => step.name));
      if (names.size !== definition.steps.length) throw new Error(`Two steps of the saga ${definition.name} have the same name.`);
      this.#registered.set(definition.name, { definition, services });
    }
  }

  /** Begins to run sagas, those of earlier processes first. Needs the migrated store. */
  open(): Promise<void> {
    return this.#dispatcher.start();
  }

  /** Stops: running steps are told to abort and are left as they are recorded, for the next engine to resume. */
  close(): Promise<void> {
    return this.#dispatcher.stop();
  }

  /** As if the process had died: nothing is written any more, nothing is given back. Tests alone. */
  drop(): void {
    this.#dispatcher.drop();
  }

  /** True after `drop`, or a simulated crash. */
  get dead(): boolean {
    return this.#dispatcher.dead;
  }

  // oxlint-disable-next-line typescript/no-explicit-any -- who starts a saga does not know its services
  async start<Params>(tx: Tx, definition: SagaDefinition<Params, any>, params: Params, options: StartSaga): Promise<string> {
    if (this.#registered.get(definition.name)?.definition !== definition) throw new Error(`The saga ${definition.name} is not registered with the engine.`);
    const { clock, ids } = this.#options;
    const nowMs = clock.nowMs();
    const begun = options.done?.length ?? 0;
    const first = definition.steps[begun];
    if (begun > 0 && !first) throw new Error(`At least one step of the saga ${definition.name} must be left to do.`);
    const row: NewSagaRow = {
      id: ids.uuid(),
      name: definition.name,
      subject: options.subject,
      request_id: options.requestId,
      user_id: options.userId ?? null,
      project_id: options.projectId ?? null,
      params: JSON.stringify(params ?? null),
      state: 'pending',
      step: begun,
      cancel: 0,
      lease_owner: null,
      lease_until_ms: 0,
      failure: null,
      created_at_ms: nowMs,
      updated_at_ms: nowMs,
      finished_at_ms: null,
    };
    // On PostgreSQL nothing is read here: reads of the callers' serialisable transactions would fail each other. The engine takes the saga
    // in a transaction of its own; on SQLite, with its one writer, that can be saved.
    const embedded = tx.engine === 'sqlite';
    const waits = embedded && (await hasUnfinished(tx, options.subject));
    const steps = (options.done ?? []).map((output, idx) => ({ sagaId: row.id, idx, name: definition.steps[idx]?.name ?? '', output: JSON.stringify(output) }));
    const mine: NewSagaRow = { ...row, state: 'running', lease_owner: this.#dispatcher.owner, lease_until_ms: this.#dispatcher.lease().untilMs };
    if (embedded && !waits && this.#dispatcher.hasRoom) {
      await insertSaga(tx, mine);
      await insertSteps(tx, first ? [...steps, { sagaId: row.id, idx: begun, name: first.name }] : steps, nowMs);
      tx.afterCommit(() => this.#dispatcher.adopt({ ...mine, seq: 0 }, steps));
    } else {
      await insertSaga(tx, row);
      await insertSteps(tx, steps, nowMs);
      // whatever it waits for looks for the next one when it ends
      if (!waits) tx.afterCommit(() => this.#dispatcher.wake(row.id));
    }
    tx.afterCommit(() => this.#options.metrics?.started?.(definition.name));
    return row.id;
  }

  /**
   * Unfinished sagas of the subject (all, or the named ones) unwind: a running `do` is aborted, then undone; those of which nothing
   * is done fail here, in the caller's transaction, with their `onFailed`. So write your own rows after this call.
   */
  async cancel(tx: Tx, subject: string, names?: readonly string[]): Promise<void> {
    const rows = (await unfinishedOfSubject(tx, subject)).filter((row) => !names || names.includes(row.name));
    const running: string[] = [];
    for (const row of rows) {
      const registered = this.#registered.get(row.name);
      if (row.state === 'pending' && row.step === 0 && registered) await this.#failPending(tx, row, registered);
      else if (row.state !== 'undoing') running.push(row.id);
    }
    await flagCancel(tx, running);
    if (running.length > 0) tx.afterCommit(() => this.#dispatcher.cancel(running));
    if (rows.some((row) => row.state === 'pending')) tx.afterCommit(() => this.#dispatcher.wakeSubject(subject));
  }

  async #failPending(tx: Tx, row: SagaRow, { definition, services }: Registered): Promise<void> {
    const { store, clock, log } = this.#options;
    const failure: SagaFailure = { step: definition.steps[0]?.name ?? '', ...describe(new Cancelled()) };
    const step: StepContext<unknown, unknown> = {
      sagaId: row.id,
      params: JSON.parse(row.params) as unknown,
      outputs: {},
      services,
      db: store.read,
      clock,
      log: log.child({ saga: row.name, sagaId: row.id, subject: row.subject, requestId: row.request_id }),
      attempt: 1,
      signal: new AbortController().signal,
    };
    await finishSaga(tx, row.id, 'failed', clock.nowMs(), failure);
    await definition.onFailed?.(tx, step, failure);
    tx.afterCommit(() => this.#dispatcher.ended(row, 'failed'));
  }

  async settled(sagaId: string): Promise<'done' | 'failed'> {
    const end = this.#dispatcher.waiters.waitFor(sagaId);
    const row = await sagaById(this.#options.store.read, sagaId);
    if (!row) {
      this.#dispatcher.waiters.forget(sagaId);
      throw notFound(`Saga ${sagaId} could not be found.`);
    }
    if (row.state === 'done' || row.state === 'failed') {
      this.#dispatcher.waiters.tell(sagaId, row.state);
      return row.state;
    }
    return this.#dispatcher.aside(end);
  }

  /** Resolves when nothing runs, waits for another try, or is about to be taken up in this engine. For tests. */
  idle(): Promise<void> {
    return this.#dispatcher.idle();
  }
}
