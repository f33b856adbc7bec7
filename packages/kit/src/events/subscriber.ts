import type { Clock, Timer } from '../clock/clock.ts';
import type { Logger } from '../log/log.ts';
import type { Store } from '../store/store.ts';
import type { StoredEvent, Subscription } from './events.ts';
import { EVENTS_PAGE, eventOf, moveCursor, pageAfter, takeCursor } from './store.ts';

/** What subscribers share. */
export interface SubscriberHost {
  readonly owner: string;
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
  readonly exclusive: boolean;
  readonly leaseMs: number;
  /** A cursor is written this long after it moved, or after a full page. What a crash loses of it is handled again. */
  readonly cursorMs: number;
  readonly retryMs: number;
  readonly retryMaxMs: number;
}

/** Reads the outbox from a durable cursor and hands events to one handler, one after another. */
export class Subscriber implements Subscription {
  readonly name: string;
  readonly #host: SubscriberHost;
  readonly #prefixes: readonly string[];
  readonly #handle: (event: StoredEvent) => Promise<void>;
  readonly #log: Logger;
  readonly #stop = new AbortController();
  /** The cursor in memory, and as it is stored. */
  #seq = 0;
  #stored = 0;
  #held = false;
  #heldUntilMs = 0;
  /** While another process reads for this name, do not ask again before. */
  #askAgainMs = 0;
  #wanted = false;
  #running: Promise<void> | undefined;
  #cursorTimer: Timer | undefined;
  #leaseTimer: Timer | undefined;
  readonly #onStop: () => void;

  constructor(host: SubscriberHost, name: string, prefixes: readonly string[], handle: (event: StoredEvent) => Promise<void>, onStop: () => void) {
    this.#host = host;
    this.name = name;
    this.#prefixes = prefixes;
    this.#handle = handle;
    this.#log = host.log.child({ subscription: name });
    this.#onStop = onStop;
  }

  wants(type: string): boolean {
    return this.#prefixes.some((prefix) => type.startsWith(prefix));
  }

  /** Something may be there to read. */
  wake(): void {
    if (this.#stop.signal.aborted) return;
    this.#wanted = true;
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
      if (this.#wanted && !this.#stop.signal.aborted) this.wake();
    });
  }

  /** Resolves when nothing is being handled. */
  async quiet(): Promise<void> {
    while (this.#running) await this.#running;
  }

  /** Waits for the handler to finish what it is at, writes the cursor, and gives it back. */
  async stop(): Promise<void> {
    if (this.#stop.signal.aborted) return;
    this.#onStop();
    this.#stop.abort(new Error('stopped'));
    this.#cursorTimer?.cancel();
    this.#leaseTimer?.cancel();
    await this.quiet();
    if (this.#held) await this.#write(true);
  }

  /** As if the process had died. */
  drop(): void {
    this.#held = false;
    this.#stop.abort(new Error('dropped'));
    this.#cursorTimer?.cancel();
    this.#leaseTimer?.cancel();
  }

  async #run(): Promise<void> {
    try {
      if (!(await this.#hold())) {
        this.#wanted = false;
        return;
      }
      while (this.#wanted && this.#held && !this.#stop.signal.aborted) {
        this.#wanted = false;
        await this.#drain();
      }
    } catch (error) {
      this.#wanted = false;
      this.#log.error({ err: error }, 'a subscription could not read the outbox; the next wake-up or sweep tries again');
    }
  }

  /** Handles everything there is. */
  async #drain(): Promise<void> {
    for (;;) {
      const rows = await pageAfter(this.#host.store.read, this.#seq);
      for (const row of rows) {
        if (this.wants(row.type) && !(await this.#deliver(eventOf(row)))) return;
        this.#seq = row.seq as number;
      }
      if (rows.length < EVENTS_PAGE) break;
      await this.#write(false);
    }
    if (this.#seq !== this.#stored) this.#cursorTimer ??= this.#host.clock.after(this.#host.cursorMs, () => void this.#writeLater());
  }

  /** Tries until the handler took it. False when stopped, or no longer the holder, before it did. */
  async #deliver(event: StoredEvent): Promise<boolean> {
    for (let tries = 1; ; tries += 1) {
      if (this.#stop.signal.aborted || !this.#held) return false;
      try {
        await this.#handle(event);
        return true;
      } catch (error) {
        this.#log.error({ err: error, seq: event.seq, type: event.type, tries }, 'a subscriber failed; the event is handed to it again');
        // what was handled before it is done with, however long this one takes
        if (tries === 1) await this.#writeLater();
        const delayMs = Math.min(this.#host.retryMaxMs, this.#host.retryMs * 2 ** Math.min(tries - 1, 30));
        await this.#host.clock.sleep(delayMs, this.#stop.signal).catch(() => undefined);
      }
    }
  }

  async #hold(): Promise<boolean> {
    const { store, clock, owner, exclusive, leaseMs } = this.#host;
    if (this.#held && (exclusive || clock.nowMs() < this.#heldUntilMs)) return true;
    const nowMs = clock.nowMs();
    if (nowMs < this.#askAgainMs) return false;
    const untilMs = nowMs + leaseMs;
    const wasHeld = this.#held;
    const seq = await store.write((tx) => takeCursor(tx, this.name, { owner, nowMs, untilMs, force: exclusive }));
    this.#held = seq !== undefined && !this.#stop.signal.aborted;
    if (!this.#held || seq === undefined) {
      this.#askAgainMs = nowMs + leaseMs / 3;
      return false;
    }
    this.#heldUntilMs = untilMs;
    if (!wasHeld || seq > this.#seq) this.#seq = seq;
    this.#stored = seq;
    if (!exclusive) this.#keep();
    return true;
  }

  /** Renews the lease while the subscription lives. */
  #keep(): void {
    this.#leaseTimer?.cancel();
    this.#leaseTimer = this.#host.clock.after(this.#host.leaseMs / 3, () => {
      const { store, clock, owner, leaseMs } = this.#host;
      const nowMs = clock.nowMs();
      void store
        .write((tx) => takeCursor(tx, this.name, { owner, nowMs, untilMs: nowMs + leaseMs, force: false }))
        .then(
          (seq) => {
            this.#held = seq !== undefined;
            this.#heldUntilMs = nowMs + leaseMs;
          },
          (error: unknown) => {
            this.#log.warn({ err: error }, 'could not renew the lease of a subscription');
            if (clock.nowMs() >= this.#heldUntilMs) this.#held = false;
          },
        )
        .finally(() => {
          if (this.#held && !this.#stop.signal.aborted) this.#keep();
        });
    });
  }

  async #writeLater(): Promise<void> {
    this.#cursorTimer?.cancel();
    this.#cursorTimer = undefined;
    try {
      if (this.#held && !this.#stop.signal.aborted) await this.#write(false);
    } catch (error) {
      this.#log.warn({ err: error }, 'could not write a cursor; events may be handled again after a restart');
    }
  }

  async #write(release: boolean): Promise<void> {
    const { store, clock, owner } = this.#host;
    const seq = this.#seq;
    if (seq === this.#stored && !release) return;
    this.#held = (await store.write((tx) => moveCursor(tx, this.name, owner, seq, clock.nowMs(), release))) && !release;
    if (this.#held) this.#stored = seq;
  }
}
