import type { Bus } from '../bus/bus.ts';
import type { Clock, Timer } from '../clock/clock.ts';
import type { Ids } from '../ids/ids.ts';
import type { Logger } from '../log/log.ts';
import type { Db, Store, Tx } from '../store/store.ts';
import type { Events, NewEvent, StoredEvent, Subscription } from './events.ts';
import { numberEvents } from './sequence.ts';
import { deleteOldest, eventsAfter, insertEvent, newestEvent, slowestCursor } from './store.ts';
import { Subscriber, type SubscriberHost } from './subscriber.ts';

export interface OutboxOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Logger;
  /** Hints to other processes that events were written. */
  readonly bus?: Bus;
  /** No other process uses this database: cursors of an earlier run are free at once. */
  readonly exclusive?: boolean;
  /** How often to look for events that nobody told of. Default 10 000. */
  readonly sweepMs?: number;
  /** Default 30 000. */
  readonly leaseMs?: number;
  /** Default 250. */
  readonly cursorMs?: number;
  /** Before a failed event is handed over again; doubles up to 60 s. Default 200. */
  readonly retryMs?: number;
  /** Events younger than this are kept in any case. Default 7 days. */
  readonly keepMs?: number;
  /** Events that a cursor has yet to handle are kept up to this. Default 90 days. */
  readonly keepUnhandledMs?: number;
}

const DAY_MS = 24 * 3600_000;
const TOPIC = 'kit.events';

/**
 * The transactional outbox. Build it, `migrate` the store with `eventMigrations`, then `open`; subscriptions made before that begin then.
 * One process at a time reads for a subscription of one name; a new name begins with the oldest event that is kept.
 */
export class Outbox implements Events {
  readonly #options: OutboxOptions;
  readonly #host: SubscriberHost;
  readonly #subscribers = new Set<Subscriber>();
  readonly #listeners = new Set<() => void>();
  readonly #told = new WeakMap<Tx, Set<string>>();
  #state: 'new' | 'open' | 'closed' = 'new';
  #timer: Timer | undefined;
  #unlisten: (() => void) | undefined;
  #numbering: Promise<void> | undefined;
  #numberAgain = false;
  #prunedAtMs = 0;

  constructor(options: OutboxOptions) {
    this.#options = options;
    const { store, clock, log } = options;
    this.#host = {
      owner: options.ids.uuid(),
      store,
      clock,
      log,
      exclusive: options.exclusive ?? false,
      leaseMs: options.leaseMs ?? 30_000,
      cursorMs: options.cursorMs ?? 250,
      retryMs: options.retryMs ?? 200,
      retryMaxMs: 60_000,
    };
  }

  async open(): Promise<void> {
    if (this.#state !== 'new') throw new Error('An outbox is opened once.');
    this.#state = 'open';
    this.#unlisten = this.#options.bus?.listen(TOPIC, () => this.#wake());
    await this.#sweep();
    this.#schedule();
  }

  async close(): Promise<void> {
    if (this.#state !== 'open') return;
    this.#state = 'closed';
    this.#timer?.cancel();
    this.#unlisten?.();
    await Promise.all([...this.#subscribers].map((subscriber) => subscriber.stop()));
    await this.#numbering;
  }

  /** As if the process had died. Tests alone. */
  drop(): void {
    this.#state = 'closed';
    this.#timer?.cancel();
    this.#unlisten?.();
    for (const subscriber of this.#subscribers) subscriber.drop();
  }

  async emit(tx: Tx, event: NewEvent): Promise<void> {
    await insertEvent(tx, event, this.#options.clock.nowMs());
    const types = this.#told.get(tx);
    if (types) {
      types.add(event.type);
      return;
    }
    const told = new Set([event.type]);
    this.#told.set(tx, told);
    tx.afterCommit(() => this.#committed(told));
  }

  subscribe(name: string, prefixes: readonly string[], handle: (event: StoredEvent) => Promise<void>): Subscription {
    for (const other of this.#subscribers) if (other.name === name) throw new Error(`The subscription ${name} exists already.`);
    const subscriber: Subscriber = new Subscriber(this.#host, name, prefixes, handle, () => this.#subscribers.delete(subscriber));
    this.#subscribers.add(subscriber);
    if (this.#state === 'open') subscriber.wake();
    return subscriber;
  }

  since(db: Db, seq: number, limit: number): Promise<readonly StoredEvent[]> {
    return eventsAfter(db, seq, limit);
  }

  /** The place of the newest event that can be read; 0 when there is none. */
  newest(db: Db): Promise<number> {
    return newestEvent(db);
  }

  /** Calls back when new events can be read with `since`; a hint, for live updates. Returns the way to stop. */
  onNews(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Resolves when every subscription of this process has handled what was committed. For tests. */
  async caughtUp(): Promise<void> {
    await this.#number();
    for (const subscriber of this.#subscribers) {
      subscriber.wake();
      await subscriber.quiet();
    }
  }

  #committed(types: ReadonlySet<string>): void {
    if (this.#state !== 'open') return;
    if (this.#options.store.engine === 'sqlite') {
      this.#wake(types);
      this.#tell();
      return;
    }
    void this.#number().then(
      () => {
        this.#wake(types);
        this.#tell();
      },
      (error: unknown) => this.#options.log.error({ err: error }, 'could not number events; the sweep tries again'),
    );
  }

  #tell(): void {
    if (!this.#options.exclusive && this.#state === 'open') this.#options.bus?.publish(TOPIC, null);
  }

  #wake(types?: ReadonlySet<string>): void {
    if (this.#state !== 'open') return;
    for (const subscriber of this.#subscribers) {
      if (!types || [...types].some((type) => subscriber.wants(type))) subscriber.wake();
    }
    for (const listener of this.#listeners) {
      try {
        listener();
      } catch (error) {
        this.#options.log.error({ err: error }, 'a listener for events failed');
      }
    }
  }

  /** Numbers what is committed by now; calls share the work. */
  #number(): Promise<void> {
    if (this.#numbering) {
      this.#numberAgain = true;
      return this.#numbering;
    }
    this.#numbering = (async () => {
      do {
        this.#numberAgain = false;
        await numberEvents(this.#options.store);
      } while (this.#numberAgain);
    })().finally(() => {
      this.#numbering = undefined;
    });
    return this.#numbering;
  }

  #schedule(): void {
    this.#timer = this.#options.clock.after(this.#options.sweepMs ?? 10_000, () => {
      void this.#sweep().finally(() => {
        if (this.#state === 'open') this.#schedule();
      });
    });
  }

  async #sweep(): Promise<void> {
    try {
      await this.#number();
      this.#wake();
      const nowMs = this.#options.clock.nowMs();
      if (nowMs - this.#prunedAtMs < 3600_000) return;
      this.#prunedAtMs = nowMs;
      await this.#prune(nowMs);
    } catch (error) {
      this.#options.log.error({ err: error }, 'a sweep of the outbox failed');
    }
  }

  async #prune(nowMs: number): Promise<void> {
    const { store, log } = this.#options;
    const lostMs = nowMs - (this.#options.keepUnhandledMs ?? 90 * DAY_MS);
    const slowest = (await slowestCursor(store.read, lostMs)) ?? Number.MAX_SAFE_INTEGER;
    await this.#delete(nowMs - (this.#options.keepMs ?? 7 * DAY_MS), slowest);
    const lost = await this.#delete(lostMs, Number.MAX_SAFE_INTEGER);
    if (lost > 0) log.error({ lost }, 'events were deleted that a subscription had not handled: they were too old');
  }

  async #delete(beforeMs: number, upTo: number): Promise<number> {
    for (let total = 0; ; ) {
      const count = await this.#options.store.write((tx) => deleteOldest(tx, beforeMs, upTo, 500));
      total += count;
      if (count < 500 || this.#state !== 'open') return total;
    }
  }
}
