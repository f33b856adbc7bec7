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

const DAY_MS = 86_400_000;
let dayStartMs = Number.NaN;
let dayText = '';
const TWO_DIGITS = Array.from({ length: 60 }, (_, i) => String(i).padStart(2, '0'));

/** `2026-11-23T02:28:29`. Most times that are shown are of one day, so the day's text is kept: a Date for each costs ten times as much. */
function secondsText(timeMs: number): string {
  // as Date does with fractions
  const ms = Math.trunc(timeMs);
  const inDayMs = ms - dayStartMs;
  // also when there is no day yet, or `ms` is not a number, which toISOString refuses
  if (!(inDayMs >= 0 && inDayMs < DAY_MS)) {
    dayText = new Date(ms).toISOString().slice(0, -13);
    dayStartMs = Math.floor(ms / DAY_MS) * DAY_MS;
    return secondsText(ms);
  }
  const seconds = Math.floor(inDayMs / 1000);
  const minutes = Math.floor(seconds / 60);
  return `${dayText}${TWO_DIGITS[Math.floor(minutes / 60)]}:${TWO_DIGITS[minutes % 60]}:${TWO_DIGITS[seconds % 60]}`;
}

const millisText = (ms: number): string => String(((Math.trunc(ms) % 1000) + 1000) % 1000).padStart(3, '0');

/** `2026-11-23T02:28:29Z`: the form of nova and glance. */
export const isoSeconds = (ms: number): string => `${secondsText(ms)}Z`;
/** `2026-11-23T02:28:29.000000`: the naive form with microseconds of cinder and nova's older fields. */
export const isoNaiveMicros = (ms: number): string => `${secondsText(ms)}.${millisText(ms)}000`;
/** As isoNaiveMicros; a fraction of `ms` is shown as microseconds. For moments that a user named, after 1970. */
export const isoNaiveExact = (ms: number): string =>
  `${secondsText(ms)}.${String(Math.min(Math.round((ms - Math.floor(ms / 1000) * 1000) * 1000), 999_999)).padStart(6, '0')}`;
/** `2026-11-23T02:28:29.000000Z`: keystone's form. */
export const isoMicros = (ms: number): string => `${secondsText(ms)}.${millisText(ms)}000Z`;
