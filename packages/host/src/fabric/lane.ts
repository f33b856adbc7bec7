/**
 * Runs one piece of work again and again, never twice at once. It is level-triggered: the work looks at the wanted state when it
 * starts, so all requests that came before a start are served by that one run, however many they are.
 */
export class Lane {
  readonly #work: () => Promise<void>;
  #next: PromiseWithResolvers<void> | undefined;
  #running: Promise<void> | undefined;

  constructor(work: () => Promise<void>) {
    this.#work = work;
  }

  /** Resolves when a run that started after this call has ended; rejects with its error. */
  request(): Promise<void> {
    if (!this.#next) {
      this.#next = Promise.withResolvers<void>();
      this.#running ??= this.#run();
    }
    return this.#next.promise;
  }

  /** Whether a request waits for the next run. */
  get isRequested(): boolean {
    return this.#next !== undefined;
  }

  /** Resolves when nothing runs and nothing waits. */
  async idle(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    // Requests of the same turn of the event loop go together.
    await new Promise<void>((resolve) => setImmediate(resolve));
    for (let turn = this.#next; turn; turn = this.#next) {
      this.#next = undefined;
      await this.#work().then(turn.resolve, turn.reject);
    }
    this.#running = undefined;
  }
}
