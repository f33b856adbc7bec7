/** A fair mutex for asynchronous work: first come, first served. */
export class Mutex {
  #held = false;
  readonly #queue: (() => void)[] = [];

  /** Resolves with the mutex held; every `acquire` is answered by exactly one `release`. */
  acquire(): Promise<void> {
    if (!this.#held) {
      this.#held = true;
      return Promise.resolve();
    }
    return new Promise((resolve) => this.#queue.push(resolve));
  }

  /** Hands the mutex to the one who has waited longest. */
  release(): void {
    const next = this.#queue.shift();
    if (next) next();
    else this.#held = false;
  }

  /** How many wait; for metrics. */
  get waiting(): number {
    return this.#queue.length;
  }
}
