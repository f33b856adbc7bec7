import type { Clock } from '@cairn/kit/clock/clock';

/** How long each kind of work takes on a simulated host, in milliseconds. Zero by default: as fast as the program. */
export interface SimulatedDelays {
  readonly guestStartMs?: number;
  readonly guestStopMs?: number;
  readonly diskMs?: number;
  readonly fabricMs?: number;
}

/** Decides whether a call fails: throw to fail before the effect. Called with `before` and `after` the effect. */
export type SimulatedFault = (call: {
  readonly host: string;
  readonly method: string;
  readonly args: readonly unknown[];
  readonly when: 'before' | 'after';
}) => void | Promise<void>;

/** Runs one host call with its delay and injected faults. */
export class Injector {
  readonly #host: string;
  readonly #clock: Clock;
  readonly #fault: SimulatedFault | undefined;

  constructor(host: string, clock: Clock, fault: SimulatedFault | undefined) {
    this.#host = host;
    this.#clock = clock;
    this.#fault = fault;
  }

  async run<T>(method: string, args: readonly unknown[], delayMs: number | undefined, effect: () => T): Promise<T> {
    if (this.#fault) await this.#fault({ host: this.#host, method, args, when: 'before' });
    if (delayMs) await this.#clock.sleep(delayMs);
    const result = effect();
    if (this.#fault) await this.#fault({ host: this.#host, method, args, when: 'after' });
    return result;
  }
}
