import type { Clock, Timer } from '../clock/clock.ts';
import { DeadlinePassed } from './failure.ts';

/** Aborts at a step's deadline, or earlier for the reason given to `abort`. */
export interface Watch {
  readonly signal: AbortSignal;
  abort(reason: Error): void;
  /** Ends the deadline. */
  stop(): void;
}

export function watch(clock: Clock, deadlineMs: number): Watch {
  const controller = new AbortController();
  const timer = clock.after(deadlineMs, () => controller.abort(new DeadlinePassed(deadlineMs)));
  return { signal: controller.signal, abort: (reason) => controller.abort(reason), stop: () => timer.cancel() };
}

/** A `do` or `undo` that went on past its grace after the abort; what it does from now on is not seen by anybody. */
export class Overrun extends Error {}

/**
 * The outcome of `work`. After an abort the work gets `graceMs` to end by itself (so that its undo does not run beside it); then
 * this rejects with Overrun.
 */
export function settle<T>(work: Promise<T>, signal: AbortSignal, clock: Clock, graceMs: number): Promise<T> {
  return new Promise((resolve, reject) => {
    let timer: Timer | undefined;
    const onAbort = (): void => {
      timer = clock.after(graceMs, () => reject(new Overrun('It went on after it was told to stop.')));
    };
    const release = (): void => {
      timer?.cancel();
      signal.removeEventListener('abort', onAbort);
    };
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
    work.then(
      (value) => {
        release();
        resolve(value);
      },
      (error: unknown) => {
        release();
        reject(error);
      },
    );
  });
}

/** Sleeps; an abort ends it early, without an error: the caller looks at the signal. */
export async function nap(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  try {
    await clock.sleep(ms, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** A passed deadline that tells what went wrong before; any other reason as it is. */
export function late(reason: unknown, last: unknown): unknown {
  if (reason instanceof DeadlinePassed && last !== undefined && last !== reason && !(last instanceof Overrun)) reason.cause = last;
  return reason;
}
