import type { Clock } from '@cairn/kit/clock/clock';
import type { SimulatedMachine } from './machine.ts';

/** How long each kind of work takes on a simulated host, in milliseconds. Zero by default: as fast as the program. */
export interface SimulatedDelays {
  readonly guestStartMs?: number;
  readonly guestStopMs?: number;
  readonly diskMs?: number;
  readonly fabricMs?: number;
  /** A live migration that nobody hastens. */
  readonly liveMs?: number;
  /** Making a template. */
  readonly templateMs?: number;
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
  readonly #machine: SimulatedMachine;

  constructor(machine: SimulatedMachine, clock: Clock, fault: SimulatedFault | undefined) {
    this.#host = machine.host;
    this.#machine = machine;
    this.#clock = clock;
    this.#fault = fault;
  }

  async run<T>(method: string, args: readonly unknown[], delayMs: number | undefined, effect: () => T): Promise<T> {
    if (this.#fault) await this.#fault({ host: this.#host, method, args, when: 'before' });
    if (delayMs) await this.#clock.sleep(delayMs);
    const result = effect();
    this.#keep(method, args[0]);
    if (this.#fault) await this.#fault({ host: this.#host, method, args, when: 'after' });
    return result;
  }

  /** The first argument says what a call is about: an id, or what has one. */
  #keep(method: string, about: unknown): void {
    if (!this.#machine.keep || typeof about === 'undefined') return;
    const { guestId, diskId, imageId } = (typeof about === 'string' ? { guestId: about, diskId: about, imageId: about } : about) as Record<
      string,
      string | undefined
    >;
    if (method.startsWith('guests.') && guestId !== undefined) this.#machine.keep('guests', guestId);
    else if (method.endsWith('Image') && imageId !== undefined) this.#machine.keep('images', imageId);
    else if (method.endsWith('serve') && diskId !== undefined) this.#machine.keep('served', diskId);
    else if (method.startsWith('disks.') && diskId !== undefined) this.#machine.keeperOf(diskId).keep?.('disks', diskId);
  }
}
