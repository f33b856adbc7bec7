import { setTimeout as sleepFor } from 'node:timers/promises';

/** A cancellable timer of a Clock. */
export interface Timer {
  cancel(): void;
}

/** Time, as an argument: real in production, virtual in simulation. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  nowMs(): number;
  /** Resolves after `ms`; rejects with the signal's reason when it aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Calls back once, after `ms`. Never keeps the process alive. */
  after(ms: number, callback: () => void): Timer;
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  sleep: async (ms, signal) => {
    await sleepFor(ms, undefined, signal ? { signal } : undefined);
  },
  after(ms, callback) {
    const handle = setTimeout(callback, ms);
    handle.unref();
    return { cancel: () => clearTimeout(handle) };
  },
};

/** `2026-11-23T02:28:29Z`: the form of nova and glance. */
export const isoSeconds = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;
/** `2026-11-23T02:28:29.000000`: the naive form with microseconds of cinder and nova's older fields. */
export const isoNaiveMicros = (ms: number): string => `${new Date(ms).toISOString().slice(0, 23)}000`;
/** `2026-11-23T02:28:29.000000Z`: keystone's form. */
export const isoMicros = (ms: number): string => `${new Date(ms).toISOString().slice(0, 23)}000Z`;
