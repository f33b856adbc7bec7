import type { Timer } from '@cairn/kit/clock/clock';
import type { Env } from '@cairn/kit/env';
import { deleteExpired } from '../store/messages.ts';

const EVERY_MS = 3600_000;
const PAGE = 500;

/** Removes user messages whose time is over, once an hour. */
export class MessageReaper {
  readonly #env: Env;
  #timer: Timer | undefined;
  #running: Promise<void> | undefined;
  #stopped = false;

  constructor(env: Env) {
    this.#env = env;
  }

  start(): void {
    this.#timer = this.#env.clock.after(EVERY_MS, () => {
      this.#running = this.#run();
    });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#running;
  }

  async #run(): Promise<void> {
    try {
      await this.reap();
    } catch (error) {
      this.#env.log.error({ err: error }, 'old messages could not be removed');
    }
    if (!this.#stopped) this.start();
  }

  /** Removes what has expired by now, page by page so that nobody waits long for the database. */
  async reap(): Promise<number> {
    const { store, clock } = this.#env;
    for (let total = 0; ; ) {
      const removed = await store.write((tx) => deleteExpired(tx, clock.nowMs(), PAGE));
      total += removed;
      if (removed < PAGE || this.#stopped) return total;
    }
  }
}
