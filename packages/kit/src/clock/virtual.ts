import type { Clock, Timer } from './clock.ts';

interface Due {
  readonly atMs: number;
  readonly order: number;
  readonly fire: () => void;
}

/**
 * A clock that moves only when told, for simulation: a whole cloud runs on it, days in milliseconds.
 * Timers fire in order of their time, then of their creation.
 */
export class VirtualClock implements Clock {
  #nowMs: number;
  #order = 0;
  #due: Due[] = [];

  constructor(startMs = Date.UTC(2026, 0, 1)) {
    this.#nowMs = startMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason);
        return;
      }
      const timer = this.after(ms, () => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      });
      const onAbort = (): void => {
        timer.cancel();
        reject(signal?.reason);
      };
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  after(ms: number, callback: () => void): Timer {
    const due: Due = { atMs: this.#nowMs + Math.max(0, ms), order: this.#order++, fire: callback };
    this.#due.push(due);
    return {
      cancel: () => {
        this.#due = this.#due.filter((d) => d !== due);
      },
    };
  }

  /** Moves time on by `ms`, firing what falls due, and lets promises settle between firings. */
  async advance(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms;
    for (;;) {
      await settle();
      const next = this.#next();
      if (!next || next.atMs > endMs) break;
      this.#due = this.#due.filter((d) => d !== next);
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.fire();
    }
    this.#nowMs = endMs;
    await settle();
  }

  /** Jumps to each next timer until `done()` holds. Throws when no timer is left and it does not, or after `limitMs` of virtual time. */
  async runUntil(done: () => boolean | Promise<boolean>, limitMs = 24 * 3600_000): Promise<void> {
    const endMs = this.#nowMs + limitMs;
    for (let idle = 0; ; ) {
      await settle();
      if (await done()) return;
      const next = this.#next();
      if (!next) {
        if (++idle > 200) throw new Error('virtual time: no timer is left and the condition does not hold');
        await new Promise((resolve) => setTimeout(resolve, 2));
        continue;
      }
      idle = 0;
      if (next.atMs > endMs) throw new Error(`virtual time: the condition does not hold after ${limitMs} ms`);
      this.#due = this.#due.filter((d) => d !== next);
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.fire();
    }
  }

  #next(): Due | undefined {
    let best: Due | undefined;
    for (const due of this.#due) if (!best || due.atMs < best.atMs || (due.atMs === best.atMs && due.order < best.order)) best = due;
    return best;
  }
}

/** Lets everything that is ready run: microtasks and a few turns of the event loop. */
async function settle(): Promise<void> {
  for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
}
