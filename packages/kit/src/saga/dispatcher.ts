import { AsyncLocalStorage } from 'node:async_hooks';
import { unavailable } from '../errors/errors.ts';
import { isUniqueViolation } from '../store/errors.ts';
import { Crash } from './failure.ts';
import { type Lease, pendingInTurn, release, releaseAll, takePending } from './leases.ts';
import type { Registered, SagaEngineOptions } from './options.ts';
import { Places, Seat } from './places.ts';
import { type KnownStep, SagaRun } from './run.ts';
import type { RunEnd, RunHost, Timing } from './run-host.ts';
import { nextOfSubject, type SagaRow, stepsOf } from './store.ts';
import { type Kept, Upkeep } from './upkeep.ts';
import { type SagaEnd, Waiters } from './waiters.ts';

/** Taken ahead of a free place, so that one transaction takes several. */
const AHEAD = 16;
/** More wake-ups than this are dropped; the database remembers them. */
const MAX_WAITING = 10_000;
const DAY_MS = 24 * 3600_000;
const TOPIC = 'kit.saga';

/** What engines tell each other over the bus. */
type Hint = { readonly from: string } & (
  | { readonly kind: 'pending' | 'released' }
  | { readonly kind: 'cancel'; readonly ids: readonly string[] }
  | { readonly kind: 'ended'; readonly id: string; readonly end: SagaEnd }
);

/** Decides which sagas this engine runs and when. */
export class Dispatcher {
  readonly owner: string;
  readonly waiters = new Waiters();
  readonly #options: SagaEngineOptions;
  readonly #registered: ReadonlyMap<string, Registered>;
  readonly #leaseMs: number;
  readonly #host: RunHost;
  readonly #places: Places;
  /** The place of the saga whose step is running. */
  readonly #seats = new AsyncLocalStorage<Seat>();
  readonly #upkeep: Upkeep;
  /** Everything under this engine's lease. */
  readonly #runs = new Map<string, SagaRun>();
  /** Of these, the ones that wait for a place. */
  readonly #ready: SagaRun[] = [];
  /** Pending sagas that we were told of. */
  readonly #waiting: string[] = [];
  /** The database may hold pending sagas that nobody told us of. */
  #more = false;
  #taking = false;
  #checking = 0;
  #state: 'new' | 'open' | 'closing' | 'dead' = 'new';
  #idlers: (() => void)[] = [];
  #unlisten: (() => void) | undefined;

  constructor(options: SagaEngineOptions, timing: Timing, registered: ReadonlyMap<string, Registered>) {
    const { store, clock, log, probe, metrics } = options;
    this.owner = options.ids.uuid();
    this.#options = options;
    this.#registered = registered;
    this.#leaseMs = timing.leaseMs;
    this.#places = new Places(options.concurrency ?? 64, clock, () => this.#pump());
    this.#host = {
      owner: this.owner,
      store,
      clock,
      log,
      timing,
      probe,
      dead: () => this.dead,
      leaseUntilMs: () => this.lease().untilMs,
      pause: (ms, signal) => (this.#seats.getStore() ?? this.#places).pause(ms, signal),
      stepEnded: (name, step, outcome, ms) => metrics?.stepEnded?.(name, step, outcome, ms),
      trouble: (name, step) => metrics?.trouble?.(name, step),
    };
    this.#upkeep = new Upkeep(options, timing.leaseMs, this.#kept());
  }

  get dead(): boolean {
    return this.#state === 'dead';
  }

  get open(): boolean {
    return this.#state === 'open';
  }

  /** True when a new saga can be run here at once. */
  get hasRoom(): boolean {
    return this.open && this.#ready.length < this.#places.free;
  }

  async start(): Promise<void> {
    if (this.#state !== 'new') throw new Error('A saga engine is opened once.');
    this.#state = 'open';
    this.#unlisten = this.#options.bus?.listen(TOPIC, (message) => this.#hear(message as Hint));
    await this.#upkeep.start();
  }

  async stop(): Promise<void> {
    if (this.#state !== 'open') return;
    this.#state = 'closing';
    this.#unlisten?.();
    await this.#upkeep.stop();
    for (const run of this.#runs.values()) run.letGo('shutting down');
    for (const run of this.#ready.splice(0)) this.#runs.delete(run.row.id);
    this.#places.close();
    while (this.#runs.size > 0 || this.#taking || this.#checking > 0) await this.#change();
    try {
      const released = await this.#options.store.write((tx) => releaseAll(tx, this.owner));
      if (released > 0) this.#tell({ from: this.owner, kind: 'released' });
    } catch (error) {
      this.#options.log.warn({ err: error }, 'could not give leases back; they run out by themselves');
    }
    this.waiters.failAll(unavailable('The service is shutting down; the operation goes on when it is back.'));
  }

  drop(): void {
    this.#state = 'dead';
    this.#unlisten?.();
    this.#upkeep.cancelTimers();
    this.#ready.length = 0;
    this.#waiting.length = 0;
    this.#changed();
  }

  /** A lease from now on. That of an exclusive engine is as good as endless: nobody else looks, and its successor does not heed it. */
  lease(): Lease {
    const nowMs = this.#options.clock.nowMs();
    const exclusive = this.#options.exclusive ?? false;
    return { owner: this.owner, nowMs, untilMs: nowMs + (exclusive ? DAY_MS : this.#leaseMs), exclusive };
  }

  /** Runs a saga that is leased to this engine. */
  adopt(row: SagaRow, steps: readonly KnownStep[] = []): void {
    if (!this.open) return;
    const { definition, services } = this.#registered.get(row.name) as Registered;
    const run = new SagaRun(this.#host, row, definition, services, steps);
    this.#runs.set(row.id, run);
    this.#ready.push(run);
    this.#pump();
  }

  /** A pending saga was committed. */
  wake(id: string): void {
    if (!this.open) return;
    this.#offer(id);
    if (!this.hasRoom) this.#tell({ from: this.owner, kind: 'pending' });
  }

  /** Something of a subject ended outside of the engine's own work, so another saga of it may be next. */
  wakeSubject(subject: string): void {
    if (this.open) void this.#checkSubject(subject);
  }

  cancel(ids: readonly string[]): void {
    const elsewhere = ids.filter((id) => !this.#runs.has(id));
    for (const id of ids) this.#runs.get(id)?.cancel();
    if (elsewhere.length > 0) this.#tell({ from: this.owner, kind: 'cancel', ids: elsewhere });
  }

  /** A saga ended here, by whatever way. */
  ended(row: Pick<SagaRow, 'id' | 'name' | 'created_at_ms'>, end: SagaEnd): void {
    this.waiters.tell(row.id, end);
    this.#tell({ from: this.owner, kind: 'ended', id: row.id, end });
    this.#options.metrics?.ended?.(row.name, end, this.#options.clock.nowMs() - row.created_at_ms);
  }

  /** Waits for another saga. A saga that does so in one of its steps has no place meanwhile. */
  aside<T>(wait: Promise<T>): Promise<T> {
    return this.#seats.getStore()?.aside(wait) ?? wait;
  }

  async idle(): Promise<void> {
    while (!this.dead && (this.#runs.size > 0 || this.#taking || this.#checking > 0 || this.#waiting.length > 0)) await this.#change();
  }

  #offer(id: string): void {
    if (this.#waiting.length < MAX_WAITING) this.#waiting.push(id);
    else this.#more = true;
    this.#pump();
  }

  /** Fills free places, and takes more work when little is left. */
  #pump(): void {
    if (!this.open) return;
    while (this.#places.free > 0) {
      const run = this.#ready.shift();
      if (!run) break;
      this.#places.take();
      void this.#launch(run);
    }
    if (!this.#taking && this.#ready.length < AHEAD / 2 && (this.#waiting.length > 0 || this.#more)) void this.#take();
  }

  async #launch(run: SagaRun): Promise<void> {
    let end: RunEnd = 'left';
    const seat = new Seat(this.#places);
    try {
      end = await this.#seats.run(seat, () => run.execute());
    } catch (error) {
      if (error instanceof Crash) this.drop();
      else this.#options.log.error({ err: error }, 'a saga run failed');
    }
    if (this.#runs.get(run.row.id) === run) this.#runs.delete(run.row.id);
    if (end !== 'left') {
      this.ended(run.row, end);
      if (this.open) void this.#checkSubject(run.row.subject);
    } else if (this.open) {
      void this.#giveBack(run.row.id);
    }
    seat.end();
    this.#changed();
  }

  /** A run was left though the engine goes on: the next sweep, here or elsewhere, takes the saga up again. */
  async #giveBack(id: string): Promise<void> {
    try {
      await this.#options.store.write((tx) => release(tx, [id], this.owner));
    } catch (error) {
      this.#options.log.warn({ err: error, sagaId: id }, 'could not give a lease back; it runs out by itself');
    }
  }

  /** After a saga ended, or may have: offers the subject's next one. */
  async #checkSubject(subject: string): Promise<void> {
    this.#checking += 1;
    try {
      const next = await nextOfSubject(this.#options.store.read, subject);
      if (next !== undefined && this.open) this.#offer(next);
    } catch (error) {
      this.#options.log.warn({ err: error, subject }, 'could not look for the next saga of a subject; the sweep will');
    } finally {
      this.#checking -= 1;
      this.#changed();
    }
  }

  /** Takes pending sagas, several in one transaction. */
  async #take(): Promise<void> {
    this.#taking = true;
    try {
      while (this.open) {
        const room = this.#places.free + AHEAD - this.#ready.length;
        if (room <= 0) {
          // more than this engine can hold: whoever has room may help
          if (this.#waiting.length > 0 || this.#more) this.#tell({ from: this.owner, kind: 'pending' });
          break;
        }
        const ids = await this.#candidates(room);
        if (ids.length === 0) break;
        await this.#claim(ids);
      }
    } catch (error) {
      this.#more = true;
      this.#waiting.length = 0;
      this.#options.log.error({ err: error }, 'could not take pending sagas; the sweep tries again');
    } finally {
      this.#taking = false;
      this.#changed();
    }
    // what was offered while the last transaction ran
    if (this.#waiting.length > 0 && this.#ready.length < AHEAD / 2) this.#pump();
  }

  async #candidates(room: number): Promise<string[]> {
    const told = [...new Set(this.#waiting.splice(0, room))];
    if (told.length > 0 || !this.#more) return told;
    const found = await pendingInTurn(this.#options.store.read, [...this.#registered.keys()], room);
    if (found.length < room) this.#more = false;
    return found;
  }

  async #claim(ids: readonly string[]): Promise<void> {
    const { store } = this.#options;
    const stepName = (saga: string, idx: number): string | undefined => this.#registered.get(saga)?.definition.steps[idx]?.name;
    let rows: SagaRow[];
    try {
      rows = await store.write((tx) => takePending(tx, ids, this.lease(), stepName));
    } catch (error) {
      if (!isUniqueViolation(error)) throw error;
      if (ids.length === 1) return; // another engine was faster; what ends there looks for the next one
      for (const id of ids) await this.#claim([id]);
      return;
    }
    const begun = rows.filter((row) => row.step > 0).map((row) => row.id);
    const steps = Map.groupBy(await stepsOf(store.read, begun), (step) => step.saga_id);
    for (const row of rows) this.adopt(row, steps.get(row.id));
  }

  #tell(hint: Hint): void {
    if (!this.#options.exclusive && !this.dead) this.#options.bus?.publish(TOPIC, hint);
  }

  #hear(hint: Hint): void {
    if (!this.open || hint.from === this.owner) return;
    if (hint.kind === 'ended') this.waiters.tell(hint.id, hint.end);
    else if (hint.kind === 'cancel') for (const id of hint.ids) this.#runs.get(id)?.cancel();
    else if (hint.kind === 'released') void this.#upkeep.sweep();
    else if (this.hasRoom) this.#lookForPending();
  }

  #lookForPending(): void {
    this.#more = true;
    this.#pump();
  }

  #kept(): Kept {
    const open = (): boolean => this.open;
    return {
      get open() {
        return open();
      },
      log: this.#options.log,
      runs: this.#runs,
      waiters: this.waiters,
      lease: () => this.lease(),
      names: () => [...this.#registered.keys()],
      stepNames: (saga) => (this.#registered.get(saga)?.definition.steps ?? []).map((step) => step.name),
      adopt: (row, steps) => this.adopt(row, steps),
      lookForPending: () => this.#lookForPending(),
    };
  }

  /** Resolves when something may have changed that `idle` and `stop` wait for. */
  #change(): Promise<void> {
    return new Promise((resolve) => this.#idlers.push(resolve));
  }

  #changed(): void {
    const idlers = this.#idlers;
    this.#idlers = [];
    for (const idler of idlers) idler();
  }
}
