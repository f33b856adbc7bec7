import type { Clock, Timer } from '@cairn/kit/clock/clock';

/** How often it is looked whether a server is at rest. */
const LOOK_MS = 200;

/**
 * Servers whose guest is to be compared with its row once no action works on them any more: the guest did something by itself meanwhile, or the
 * action failed and left it in a state that nobody asked for.
 */
export class SecondLooks {
  readonly #clock: Clock;
  readonly #waiting = new Set<string>();
  #look: ((serverId: string) => Promise<'busy' | 'done'>) | undefined;
  #timer: Timer | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** From now on `look` is called for each server again and again while it says `busy`. It does not reject. */
  start(look: (serverId: string) => Promise<'busy' | 'done'>): void {
    this.#look = look;
    this.#schedule();
  }

  stop(): void {
    this.#look = undefined;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  add(serverId: string): void {
    this.#waiting.add(serverId);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#look === undefined || this.#timer !== undefined || this.#waiting.size === 0) return;
    this.#timer = this.#clock.after(LOOK_MS, () => void this.#round());
  }

  async #round(): Promise<void> {
    for (const serverId of [...this.#waiting]) {
      // what is added meanwhile is looked at again
      this.#waiting.delete(serverId);
      if ((await this.#look?.(serverId)) !== 'done') this.#waiting.add(serverId);
    }
    this.#timer = undefined;
    this.#schedule();
  }
}
