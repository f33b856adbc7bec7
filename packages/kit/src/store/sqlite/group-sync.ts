interface Waiter {
  readonly commit: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/**
 * Group commit: any number of commits share one sync of the log. A commit that arrives while a sync is in flight may not be covered
 * by it, so it waits for the next one. Waiters are answered in the order of their commits.
 */
export class GroupSync {
  readonly #sync: () => Promise<void>;
  #committed = 0;
  #synced = 0;
  #running = false;
  #failure: Error | undefined;
  readonly #waiters: Waiter[] = [];

  constructor(sync: () => Promise<void>) {
    this.#sync = sync;
  }

  /** Notes a commit; call it right after COMMIT returned, before anyone else may commit. */
  committed(): void {
    this.#committed += 1;
  }

  /** The error that ended all syncing. After a failed sync the kernel may have dropped the pages, so no later sync can be believed. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /** How many commits were synced or wait to be. */
  get commits(): number {
    return this.#committed;
  }

  /** Resolves when every commit noted so far is on stable storage. */
  durable(): Promise<void> {
    if (this.#failure) return Promise.reject(this.#failure);
    if (this.#synced >= this.#committed) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#waiters.push({ commit: this.#committed, resolve, reject });
      if (!this.#running) void this.#run();
    });
  }

  async #run(): Promise<void> {
    this.#running = true;
    try {
      while (this.#waiters.length > 0) {
        const target = this.#committed;
        await this.#sync();
        this.#synced = target;
        while (this.#waiters[0] && this.#waiters[0].commit <= target) this.#waiters.shift()?.resolve();
      }
    } catch (cause) {
      this.#failure = new Error('The database log could not be written to stable storage; the store stops taking writes.', { cause });
      for (const waiter of this.#waiters.splice(0)) waiter.reject(this.#failure);
    } finally {
      this.#running = false;
    }
  }
}
