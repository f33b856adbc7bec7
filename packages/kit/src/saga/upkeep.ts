import type { Timer } from '../clock/clock.ts';
import type { Logger } from '../log/log.ts';
import { expired, type Lease, release, renew, takeExpired, unknownNames } from './leases.ts';
import type { SagaEngineOptions } from './options.ts';
import type { SagaRun } from './run.ts';
import { deleteFinished, type SagaRow, sagaById, type StepRow, stepsOf } from './store.ts';
import type { Waiters } from './waiters.ts';

const BATCH = 200;
const DAY_MS = 24 * 3600_000;
const PRUNE_EVERY_MS = 3600_000;

/** What the upkeep needs of its dispatcher. */
export interface Kept {
  readonly open: boolean;
  readonly log: Logger;
  readonly runs: ReadonlyMap<string, SagaRun>;
  readonly waiters: Waiters;
  lease(): Lease;
  /** Names of the sagas this engine knows. */
  names(): string[];
  /** The step names of a saga, by index. */
  stepNames(saga: string): readonly string[];
  adopt(row: SagaRow, steps: readonly StepRow[]): void;
  /** The database may hold pending sagas nobody told of. */
  lookForPending(): void;
}

/** What happens now and then: leases are renewed and those of dead engines taken over, lost wake-ups are made up for, old sagas deleted. */
export class Upkeep {
  readonly #options: SagaEngineOptions;
  readonly #leaseMs: number;
  readonly #kept: Kept;
  readonly #warned = new Set<string>();
  /** Ids of sagas that were begun with other steps than this release has. */
  readonly #mismatched = new Set<string>();
  #timers: Timer[] = [];
  #sweeping: Promise<void> | undefined;
  #pruning: Promise<void> | undefined;
  #prunedAtMs = 0;

  constructor(options: SagaEngineOptions, leaseMs: number, kept: Kept) {
    this.#options = options;
    this.#leaseMs = leaseMs;
    this.#kept = kept;
  }

  /** The first sweep, which takes up what earlier processes left; then now and then. */
  async start(): Promise<void> {
    await this.sweep();
    this.#every(this.#options.sweepMs ?? 10_000, () => this.sweep());
    if (!this.#options.exclusive) this.#every(this.#leaseMs / 3, () => this.#renew());
  }

  cancelTimers(): void {
    for (const timer of this.#timers) timer.cancel();
    this.#timers = [];
  }

  async stop(): Promise<void> {
    this.cancelTimers();
    await this.#sweeping;
    await this.#pruning;
  }

  sweep(): Promise<void> {
    this.#sweeping ??= this.#sweep()
      .catch((error: unknown) => this.#kept.log.error({ err: error }, 'a sweep of the saga engine failed'))
      .finally(() => {
        this.#sweeping = undefined;
      });
    return this.#sweeping;
  }

  #every(ms: number, work: () => Promise<void>): void {
    const timer = this.#options.clock.after(ms, () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
      void work().finally(() => {
        if (this.#kept.open) this.#every(ms, work);
      });
    });
    this.#timers.push(timer);
  }

  async #sweep(): Promise<void> {
    const { store, clock } = this.#options;
    await this.#takeOver();
    this.#kept.lookForPending();
    for (const { name, count } of await unknownNames(store.read, this.#kept.names())) {
      if (this.#warned.has(name)) continue;
      this.#warned.add(name);
      this.#kept.log.error({ saga: name, count }, 'unfinished sagas of a name that this release does not know are left alone');
    }
    for (const id of this.#kept.waiters.ids) {
      if (this.#kept.runs.has(id)) continue;
      const row = await sagaById(store.read, id);
      if (row?.state === 'done' || row?.state === 'failed') this.#kept.waiters.tell(id, row.state);
    }
    const nowMs = clock.nowMs();
    if (nowMs - this.#prunedAtMs < PRUNE_EVERY_MS) return;
    this.#prunedAtMs = nowMs;
    this.#pruning ??= this.#prune(nowMs - (this.#options.keepFinishedMs ?? 30 * DAY_MS))
      .catch((error: unknown) => this.#kept.log.error({ err: error }, 'could not delete old sagas'))
      .finally(() => {
        this.#pruning = undefined;
      });
  }

  /** Takes over sagas whose engine is gone. */
  async #takeOver(): Promise<void> {
    const { store } = this.#options;
    while (this.#kept.open) {
      const found = await expired(store.read, this.#kept.names(), [...this.#mismatched], this.#kept.lease(), BATCH);
      const others = found.filter((id) => !this.#kept.runs.has(id));
      if (others.length === 0) return;
      const rows = await store.write((tx) => takeExpired(tx, others, this.#kept.lease()));
      const ids = rows.map((row) => row.id);
      const steps = Map.groupBy(await stepsOf(store.read, ids), (step) => step.saga_id);
      for (const row of rows) await this.#resume(row, steps.get(row.id) ?? []);
      if (found.length < BATCH) return;
    }
  }

  async #resume(row: SagaRow, steps: readonly StepRow[]): Promise<void> {
    const { log } = this.#kept;
    const known = this.#kept.stepNames(row.name);
    const odd = steps.find((step) => known[step.idx] !== step.name);
    if (odd) {
      // resuming would run the wrong step; whoever has the fitting release can
      log.error({ saga: row.name, sagaId: row.id, step: odd.name }, 'a saga was begun with other steps than this release has; it is left alone');
      this.#mismatched.add(row.id);
      await this.#options.store.write((tx) => release(tx, [row.id], this.#kept.lease().owner));
      return;
    }
    log.info({ saga: row.name, sagaId: row.id, subject: row.subject, state: row.state, step: row.step }, 'a saga is resumed');
    this.#kept.adopt(row, steps);
  }

  async #prune(beforeMs: number): Promise<void> {
    while (this.#kept.open) {
      const count = await this.#options.store.write((tx) => deleteFinished(tx, beforeMs, 100));
      if (count < 100) return;
    }
  }

  async #renew(): Promise<void> {
    const nowMs = this.#options.clock.nowMs();
    const due = [...this.#kept.runs.values()].filter((run) => run.leaseUntilMs - nowMs < (this.#leaseMs * 2) / 3 + 1);
    for (let i = 0; i < due.length; i += BATCH) await this.#renewPart(due.slice(i, i + BATCH));
  }

  async #renewPart(runs: readonly SagaRun[]): Promise<void> {
    const { store, clock } = this.#options;
    const lease = this.#kept.lease();
    const ids = runs.map((run) => run.row.id);
    try {
      const held = new Map((await store.write((tx) => renew(tx, ids, lease))).map((row) => [row.id, row.cancel]));
      for (const run of runs) {
        const cancel = held.get(run.row.id);
        if (cancel === undefined) run.letGo('the lease is lost');
        else run.leaseUntilMs = lease.untilMs;
        if (cancel === 1) run.cancel();
      }
    } catch (error) {
      this.#kept.log.error({ err: error }, 'could not renew leases');
      const nowMs = clock.nowMs();
      for (const run of runs) if (run.leaseUntilMs <= nowMs) run.letGo('the lease ran out');
    }
  }
}
