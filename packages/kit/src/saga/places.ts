import type { Clock } from '../clock/clock.ts';
import { nap } from './settle.ts';

/** The places for sagas that run at once. Those that wait before another try give theirs away, and come first when they return. */
export class Places {
  readonly #limit: number;
  readonly #clock: Clock;
  readonly #onFree: () => void;
  readonly #returning: (() => void)[] = [];
  #taken = 0;
  #open = true;

  constructor(limit: number, clock: Clock, onFree: () => void) {
    this.#limit = limit;
    this.#clock = clock;
    this.#onFree = onFree;
  }

  /** Never below 0. */
  get free(): number {
    return Math.max(0, this.#limit - this.#taken);
  }

  take(): void {
    this.#taken += 1;
  }

  leave(): void {
    this.#taken -= 1;
    while (this.#taken < this.#limit) {
      const back = this.#returning.shift();
      if (!back) break;
      this.#taken += 1;
      back();
    }
    this.#onFree();
  }

  /** From now on nobody queues: what runs is to end soon. */
  close(): void {
    this.#open = false;
    for (const back of this.#returning.splice(0)) {
      this.#taken += 1;
      back();
    }
  }

  /** Gives the place away for `ms`, then takes one again. An abort ends the wait, even when no place is free. */
  async pause(ms: number, signal: AbortSignal): Promise<void> {
    this.leave();
    await nap(this.#clock, ms, signal);
    if (this.#open && !signal.aborted && this.free === 0) await this.#queue(signal);
    else this.#taken += 1;
  }

  nap(ms: number, signal: AbortSignal): Promise<void> {
    return nap(this.#clock, ms, signal);
  }

  /** Takes a place, waiting for one when none is free. */
  async come(): Promise<void> {
    if (this.#open && this.free === 0) await this.#queue(new AbortController().signal);
    else this.#taken += 1;
  }

  #queue(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const back = (): void => {
        signal.removeEventListener('abort', onAbort);
        resolve();
      };
      const onAbort = (): void => {
        const at = this.#returning.indexOf(back);
        if (at < 0) return;
        this.#returning.splice(at, 1);
        this.#taken += 1;
        back();
      };
      this.#returning.push(back);
      signal.addEventListener('abort', onAbort, { once: true });
    });
  }
}

/**
 * One saga's place. While the saga waits for another one to end it gives the place away: the other may need it. A saga may wait for several at
 * once, and may stop waiting (a deadline, a cancellation) before they end.
 */
export class Seat {
  readonly #places: Places;
  #waits = 0;
  #held = true;
  #ended = false;
  #coming: Promise<void> | undefined;

  /** The place was taken already. */
  constructor(places: Places) {
    this.#places = places;
  }

  /** What `wait` gives, once there is a place again. */
  async aside<T>(wait: Promise<T>): Promise<T> {
    this.#waits += 1;
    this.#leave();
    try {
      return await wait;
    } finally {
      this.#waits -= 1;
      if (this.#waits === 0) await this.#back();
    }
  }

  /** Gives the place away for `ms`. */
  pause(ms: number, signal: AbortSignal): Promise<void> {
    return this.#held ? this.#places.pause(ms, signal) : this.#places.nap(ms, signal);
  }

  /** The saga needs no place any more. */
  end(): void {
    this.#ended = true;
    this.#leave();
  }

  #leave(): void {
    if (!this.#held) return;
    this.#held = false;
    this.#places.leave();
  }

  async #back(): Promise<void> {
    if (this.#held || this.#ended) return;
    this.#coming ??= this.#places.come().then(() => {
      this.#coming = undefined;
      this.#held = true;
      // it has begun to wait again, or has ended
      if (this.#ended || this.#waits > 0) this.#leave();
    });
    await this.#coming;
  }
}
