/**
 * Turns of one process at writing. First tries run side by side; a try that repeats one which the database refused to serialise runs alone,
 * with nobody of this process to conflict with. Turns are taken in the order of asking, so neither kind starves the other.
 */
export class Turns {
  #running = 0;
  #alone = false;
  readonly #waiting: { readonly alone: boolean; readonly go: () => void }[] = [];

  /** Runs `work` when it is its turn: beside others, or `alone`. */
  async take<T>(alone: boolean, work: () => Promise<T>): Promise<T> {
    if (this.#waiting.length > 0 || this.#alone || (alone && this.#running > 0)) {
      await new Promise<void>((go) => {
        this.#waiting.push({ alone, go });
      });
    } else this.#enter(alone);
    try {
      return await work();
    } finally {
      this.#running -= 1;
      this.#alone = false;
      this.#admit();
    }
  }

  #enter(alone: boolean): void {
    this.#running += 1;
    this.#alone = alone;
  }

  #admit(): void {
    for (;;) {
      const next = this.#waiting[0];
      if (!next || this.#alone || (next.alone && this.#running > 0)) return;
      this.#waiting.shift();
      this.#enter(next.alone);
      next.go();
    }
  }
}
