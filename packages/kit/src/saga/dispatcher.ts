import type { Timer } from '../clock/clock.ts';
import { unavailable } from '../errors/errors.ts';
import type { Logger } from '../log/log.ts';
import { isUniqueViolation } from '../store/errors.ts';
import { Crash } from './failure.ts';
import { expired, type Lease, pendingInTurn, release, releaseAll, renew, takeExpired, takePending, unknownNames } from './leases.ts';
import type { Registered, SagaEngineOptions } from './options.ts';
import { type RunEnd, type RunHost, SagaRun, type Timing } from './run.ts';
import { nap } from './settle.ts';
import { deleteFinished, nextOfSubject, type SagaRow, sagaById, type StepRow, stepsOf } from './store.ts';

/** Taken ahead of a free place, so that one transaction takes several. */
const AHEAD = 16;
/** More wake-ups than this are dropped; the database remembers them. */
const MAX_WAITING = 10_000;
const BATCH = 200;
const DAY_MS = 24 * 3600_000;
const TOPIC = 'kit.saga';

interface Waiter {
  readonly promise: Promise<'done' | 'failed'>;
  resolve(end: 'done' | 'failed'): void;
  reject(error: Error): void;
}

type Hint = { readonly from: string } & ({ readonly kind: 'pending' | 'released' } | { readonly kind: 'cancel'; readonly ids: readonly string[] } | { readonly kind: 'ended'; readonly id: string; readonly end: 'done' | 'failed' });

/** Decides which sagas this engine runs and when: places, leases, wake-ups, sweeps. */
export class Dispatcher {
  readonly owner: string;
  readonly #options: SagaEngineOptions;
  readonly #registered: ReadonlyMap<string, Registered>;
  readonly #timing: Timing;
  readonly #log: Logger;
  readonly #limit: number;
  readonly #host: RunHost;
  /** Everything under this engine's lease. */
  readonly #runs = new Map<string, SagaRun>();
  readonly #ready: SagaRun[] = [];
  readonly #returning: (() => void)[] = [];
  readonly #waiters = new Map<string, Waiter>();
  readonly #idlers: (() => void)[] = [];
  readonly #warned = new Set<string>();
  /** Ids of sagas that were begun with other steps than this release has. */
  readonly #mismatched = new Set<string>();
  readonly #waiting: string[] = [];
  /** The database may hold pending sagas that nobody told us of. */
  #more = false;
  #busy = 0;
  #taking = false;
  #checking = 0;
  #state: 'new' | 'open' | 'closing' | 'dead' = 'new';
  #sweepTimer: Timer | undefined;
  #renewTimer: Timer | undefined;
  #sweeping: Promise<void> | undefined;
  #prunedAtMs = 0;
  #unlisten: (() => void) | undefined;

  constructor(options: SagaEngineOptions, timing: Timing, registered: ReadonlyMap<string, Registered>) {
    this.owner = options.ids.uuid();
    this.#options = options;
    this.#timing = timing;
    this.#registered = registered;
    this.#log = options.log.child({ engine: this.owner });
    this.#limit = options.concurrency ?? 64;
    const dispatcher = this;
    this.#host = {
      owner: this.owner,
      store: options.store,
      clock: options.clock,
      log: options.log,
      timing,
      probe: options.probe,
      get dead() {
        return dispatcher.#state === 'dead';
      },
      leaseUntilMs: () => this.leaseUntilMs(),
      pause: (ms, signal) => this.#pause(ms, signal),
      stepEnded: (name, step, outcome, ms) => options.metrics?.stepEnded?.(name, step, outcome, ms),
      trouble: (name, step) => options.metrics?.trouble?.(name, step),
    };
  }

  get dead(): boolean {
    return this.#state === 'dead';
  }

  async open(): Promise<void> {
    if (this.#state !== 'new') throw new Error('A saga engine is opened once.');
    this.#state = 'open';
    this.#unlisten = this.#options.bus?.listen(TOPIC, (message) => this.#hear(message as Hint));
    await this.#sweep();
    this.#scheduleSweep();
    this.#scheduleRenewal();
  }

  async close(): Promise<void> {
    if (this.#state !== 'open') return;
    this.#state = 'closing';
    this.#stopTimers();
    await this.#sweeping;
    for (const run of this.#runs.values()) run.letGo('shutting down');
    for (const run of this.#ready.splice(0)) this.#runs.delete(run.row.id);
    while (this.#runs.size > 0 || this.#taking) await new Promise<void>((resolve) => this.#idlers.push(resolve));
    try {
      const released = await this.#options.store.write((tx) => releaseAll(tx, this.owner));
      if (released > 0) this.#tell({ from: this.owner, kind: 'released' });
    } catch (error) {
      this.#log.warn({ err: error }, 'could not give leases back; they run out by themselves');
    }
    for (const waiter of this.#waiters.values()) waiter.reject(unavailable('The service is shutting down; the operation goes on when it is back.'));
    this.#waiters.clear();
  }

  drop(): void {
    this.#state = 'dead';
    this.#stopTimers();
    this.#ready.length = 0;
    this.#waiting.length = 0;
    this.#tellIdlers();
  }

  leaseUntilMs(): number {
    return this.#options.clock.nowMs() + (this.#options.exclusive ? DAY_MS : this.#timing.leaseMs);
  }

  /** True when a new saga can be run here at once. */
  hasRoom(): boolean {
    return this.#state === 'open' && this.#busy + this.#ready.length < this.#limit;
  }

  /** Runs a saga that is leased to this engine. */
  adopt(row: SagaRow, steps: readonly StepRow[] = []): void {
    if (this.#state !== 'open') return;
    const registered = this.#registered.get(row.name) as Registered;
    const run = new SagaRun(this.#host, row, registered.definition, registered.services, steps);
    this.#runs.set(row.id, run);
    this.#ready.push(run);
    this.#pump();
  }

  /** A pending saga was committed. */
  wake(id: string): void {
    if (this.#state !== 'open') return;
    this.#offer(id);
    if (!this.hasRoom()) this.#tell({ from: this.owner, kind: 'pending' });
  }

  /** Something of a subject ended outside of the engine's own work, so another saga of it may be next. */
  wakeSubject(subject: string): void {
    if (this.#state === 'open') void this.#checkSubject(subject);
  }

  cancel(ids: readonly string[]): void {
    const elsewhere = ids.filter((id) => !this.#runs.has(id));
    for (const id of ids) this.#runs.get(id)?.cancel();
    if (elsewhere.length > 0) this.#tell({ from: this.owner, kind: 'cancel', ids: elsewhere });
  }

  /** A saga ended here, by whatever way. */
  ended(row: Pick<SagaRow, 'id' | 'name' | 'created_at_ms'>, end: 'done' | 'failed'): void {
    this.tellWaiters(row.id, end);
    this.#tell({ from: this.owner, kind: 'ended', id: row.id, end });
    this.#options.metrics?.ended?.(row.name, end, this.#options.clock.nowMs() - row.created_at_ms);
  }

  waitFor(id: string): Promise<'done' | 'failed'> {
    let waiter = this.#waiters.get(id);
    if (!waiter) {
      const { promise, resolve, reject } = Promise.withResolvers<'done' | 'failed'>();
      promise.catch(() => {}); // who asked may have gone
      waiter = { promise, resolve, reject };
      this.#waiters.set(id, waiter);
    }
    return waiter.promise;
  }

  tellWaiters(id: string, end: 'done' | 'failed'): void {
    this.#waiters.get(id)?.resolve(end);
    this.#waiters.delete(id);
  }

  forget(id: string): void {
    this.#waiters.delete(id);
  }

  async idle(): Promise<void> {
    while (this.#state !== 'dead' && (this.#runs.size > 0 || this.#taking || this.#checking > 0 || this.#waiting.length > 0)) await new Promise<void>((resolve) => this.#idlers.push(resolve));
  }

  #offer(id: string): void {
    if (this.#waiting.length < MAX_WAITING) this.#waiting.push(id);
    else this.#more = true;
    this.#pump();
  }

  /** Fills free places, those that come back from a pause first, and takes more work when little is left. */
  #pump(): void {
    if (this.#state !== 'open') return;
    while (this.#busy < this.#limit) {
      const back = this.#returning.shift();
      if (back) {
        this.#busy += 1;
        back();
        continue;
      }
      const run = this.#ready.shift();
      if (!run) break;
      this.#busy += 1;
      void this.#launch(run);
    }
    if (!this.#taking && this.#ready.length < AHEAD / 2 && (this.#waiting.length > 0 || this.#more)) void this.#take();
  }

  async #launch(run: SagaRun): Promise<void> {
    let end: RunEnd = 'left';
    try {
      end = await run.execute();
    } catch (error) {
      if (error instanceof Crash) this.drop();
      else this.#log.error({ err: error }, 'a saga run failed');
    }
    this.#busy -= 1;
    if (this.#runs.get(run.row.id) === run) this.#runs.delete(run.row.id);
    if (end !== 'left') {
      this.ended(run.row, end);
      if (this.#state === 'open') void this.#checkSubject(run.row.subject);
    } else if (this.#state === 'open') {
      void this.#giveBack(run.row.id);
    }
    this.#pump();
    this.#tellIdlers();
  }

  /** A run was left though the engine goes on: the next sweep, here or elsewhere, takes the saga up again. */
  async #giveBack(id: string): Promise<void> {
    try {
      await this.#options.store.write((tx) => release(tx, [id], this.owner));
    } catch (error) {
      this.#log.warn({ err: error, sagaId: id }, 'could not give a lease back; it runs out by itself');
    }
  }

  /** Waits outside of the places for running sagas, then queues for one. */
  async #pause(ms: number, signal: AbortSignal): Promise<void> {
    this.#busy -= 1;
    this.#pump();
    await nap(this.#options.clock, ms, signal);
    if (this.#state !== 'open' || signal.aborted || this.#busy < this.#limit) {
      this.#busy += 1;
      return;
    }
    await new Promise<void>((resolve) => {
      this.#returning.push(resolve);
      // do not let a saga that must stop wait for a place
      signal.addEventListener('abort', () => {
        const at = this.#returning.indexOf(resolve);
        if (at < 0) return;
        this.#returning.splice(at, 1);
        this.#busy += 1;
        resolve();
      });
    });
  }

  /** After a saga ended, or may have: offers the subject's next one. */
  async #checkSubject(subject: string): Promise<void> {
    this.#checking += 1;
    try {
      const next = await nextOfSubject(this.#options.store.read, subject);
      if (next !== undefined && this.#state === 'open') this.#offer(next);
    } catch (error) {
      this.#log.warn({ err: error, subject }, 'could not look for the next saga of a subject; the sweep will');
    } finally {
      this.#checking -= 1;
      this.#tellIdlers();
    }
  }

  /** Takes pending sagas, several in one transaction. */
  async #take(): Promise<void> {
    this.#taking = true;
    try {
      for (;;) {
        const room = Math.max(0, this.#limit - this.#busy) + AHEAD - this.#ready.length;
        if (this.#state !== 'open') break;
        if (room <= 0) {
          // more than this engine can hold: whoever has room may help
          if (this.#waiting.length > 0 || this.#more) this.#tell({ from: this.owner, kind: 'pending' });
          break;
        }
        let ids = [...new Set(this.#waiting.splice(0, room))];
        if (ids.length === 0) {
          if (!this.#more) break;
          ids = await pendingInTurn(this.#options.store.read, this.#names(), room);
          if (ids.length < room) this.#more = false;
          if (ids.length === 0) break;
        }
        await this.#claim(ids);
      }
    } catch (error) {
      this.#more = true;
      this.#log.error({ err: error }, 'could not take pending sagas; the sweep tries again');
      this.#waiting.length = 0;
      return;
    } finally {
      this.#taking = false;
      this.#tellIdlers();
    }
    // what was offered while the last transaction ran
    if (this.#waiting.length > 0) this.#pump();
  }

  async #claim(ids: readonly string[]): Promise<void> {
    const firstStep = (name: string): string | undefined => this.#registered.get(name)?.definition.steps[0]?.name;
    let rows: SagaRow[];
    try {
      rows = await this.#options.store.write((tx) => takePending(tx, ids, this.#lease(), firstStep));
    } catch (error) {
      if (!isUniqueViolation(error)) throw error;
      if (ids.length === 1) return; // another engine was faster; what ends there looks for the next one
      for (const id of ids) await this.#claim([id]);
      return;
    }
    for (const row of rows) this.adopt(row);
  }

  #lease(): Lease {
    return { owner: this.owner, untilMs: this.leaseUntilMs(), nowMs: this.#options.clock.nowMs(), exclusive: this.#options.exclusive ?? false };
  }

  #names(): string[] {
    return [...this.#registered.keys()];
  }

  #scheduleSweep(): void {
    this.#sweepTimer = this.#options.clock.after(this.#options.sweepMs ?? 10_000, () => {
      void this.#sweep().finally(() => {
        if (this.#state === 'open') this.#scheduleSweep();
      });
    });
  }

  #sweep(): Promise<void> {
    this.#sweeping ??= this.#doSweep()
      .catch((error: unknown) => this.#log.error({ err: error }, 'a sweep of the saga engine failed'))
      .finally(() => {
        this.#sweeping = undefined;
      });
    return this.#sweeping;
  }

  async #doSweep(): Promise<void> {
    const { store, clock } = this.#options;
    await this.#takeOver();
    this.#more = true;
    this.#pump();
    for (const { name, count } of await unknownNames(store.read, this.#names())) {
      if (this.#warned.has(name)) continue;
      this.#warned.add(name);
      this.#log.error({ saga: name, count }, 'unfinished sagas of a name that this release does not know are left alone');
    }
    for (const id of this.#waiters.keys()) {
      if (this.#runs.has(id)) continue;
      const row = await sagaById(store.read, id);
      if (row?.state === 'done' || row?.state === 'failed') this.tellWaiters(id, row.state);
    }
    const nowMs = clock.nowMs();
    if (nowMs - this.#prunedAtMs >= 3600_000) {
      this.#prunedAtMs = nowMs;
      await this.#prune(nowMs - (this.#options.keepFinishedMs ?? 30 * DAY_MS));
    }
  }

  /** Takes over sagas whose engine is gone. */
  async #takeOver(): Promise<void> {
    const { store } = this.#options;
    for (;;) {
      const found = (await expired(store.read, this.#names(), [...this.#mismatched], this.#lease(), BATCH)).filter((id) => !this.#runs.has(id));
      if (found.length === 0 || this.#state !== 'open') return;
      const rows = await store.write((tx) => takeExpired(tx, found, this.#lease()));
      const steps = Map.groupBy(await stepsOf(store.read, rows.map((row) => row.id)), (step) => step.saga_id);
      for (const row of rows) await this.#resume(row, steps.get(row.id) ?? []);
      if (found.length < BATCH) return;
    }
  }

  async #resume(row: SagaRow, steps: readonly StepRow[]): Promise<void> {
    const known = this.#registered.get(row.name)?.definition.steps ?? [];
    const odd = steps.find((step) => known[step.idx]?.name !== step.name);
    if (odd) {
      // resuming would run the wrong step; whoever has the fitting release can
      this.#log.error({ saga: row.name, sagaId: row.id, step: odd.name }, 'a saga was begun with other steps than this release has; it is left alone');
      this.#mismatched.add(row.id);
      await this.#options.store.write((tx) => release(tx, [row.id], this.owner));
      return;
    }
    this.#log.info({ saga: row.name, sagaId: row.id, subject: row.subject, state: row.state, step: row.step }, 'a saga is resumed');
    this.adopt(row, steps);
  }

  async #prune(beforeMs: number): Promise<void> {
    for (;;) {
      const count = await this.#options.store.write((tx) => deleteFinished(tx, beforeMs, 100));
      if (count < 100 || this.#state !== 'open') return;
    }
  }

  #scheduleRenewal(): void {
    if (this.#options.exclusive) return;
    this.#renewTimer = this.#options.clock.after(this.#timing.leaseMs / 3, () => {
      void this.#renew().finally(() => {
        if (this.#state === 'open') this.#scheduleRenewal();
      });
    });
  }

  async #renew(): Promise<void> {
    const nowMs = this.#options.clock.nowMs();
    const due = [...this.#runs.values()].filter((run) => run.leaseUntilMs - nowMs < (this.#timing.leaseMs * 2) / 3 + 1);
    for (let i = 0; i < due.length; i += BATCH) {
      const part = due.slice(i, i + BATCH);
      try {
        const lease = this.#lease();
        const held = new Map((await this.#options.store.write((tx) => renew(tx, part.map((run) => run.row.id), lease))).map((row) => [row.id, row.cancel]));
        for (const run of part) {
          const cancel = held.get(run.row.id);
          if (cancel === undefined) run.letGo('the lease is lost');
          else run.leaseUntilMs = lease.untilMs;
          if (cancel === 1) run.cancel();
        }
      } catch (error) {
        this.#log.error({ err: error }, 'could not renew leases');
        const late = this.#options.clock.nowMs();
        for (const run of part) if (run.leaseUntilMs <= late) run.letGo('the lease ran out');
      }
    }
  }

  #tell(hint: Hint): void {
    if (!this.#options.exclusive && this.#state !== 'dead') this.#options.bus?.publish(TOPIC, hint);
  }

  #hear(hint: Hint): void {
    if (this.#state !== 'open' || hint.from === this.owner) return;
    if (hint.kind === 'ended') this.tellWaiters(hint.id, hint.end);
    else if (hint.kind === 'cancel') for (const id of hint.ids) this.#runs.get(id)?.cancel();
    else if (hint.kind === 'released') void this.#sweep();
    else if (this.hasRoom()) {
      this.#more = true;
      this.#pump();
    }
  }

  #stopTimers(): void {
    this.#sweepTimer?.cancel();
    this.#renewTimer?.cancel();
    this.#unlisten?.();
  }

  #tellIdlers(): void {
    for (const idler of this.#idlers.splice(0)) idler();
  }
}
