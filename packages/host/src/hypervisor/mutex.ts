/** Runs what it is given one after the other. */
export class Mutex {
  #tail: Promise<unknown> = Promise.resolve();

  run<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#tail.then(work);
    this.#tail = result.catch(() => {});
    return result;
  }

  /** Resolves when all that was queued until now is done. */
  async idle(): Promise<void> {
    await this.#tail;
  }
}

/** A Mutex per key, made and dropped as needed. */
export class KeyedMutex {
  readonly #byKey = new Map<string, { readonly mutex: Mutex; users: number }>();

  run<T>(key: string, work: () => Promise<T>): Promise<T> {
    return this.runUnless(key, new Promise<never>(() => {}), work);
  }

  /** As run, but when `giveUp` rejects before the work's turn has come, the work is never begun and the caller gets that reason. */
  async runUnless<T>(key: string, giveUp: Promise<never>, work: () => Promise<T>): Promise<T> {
    const entry = this.#byKey.get(key) ?? { mutex: new Mutex(), users: 0 };
    this.#byKey.set(key, entry);
    entry.users++;
    let given = false;
    let begin: () => void = () => {};
    const turn = new Promise<void>((resolve) => (begin = resolve));
    const result = entry.mutex.run(async () => {
      begin();
      return given ? undefined : { value: await work() };
    });
    const release = (): void => {
      if (--entry.users === 0) this.#byKey.delete(key);
    };
    const released = result.then(release, release);
    try {
      await Promise.race([turn, giveUp]);
    } catch (error) {
      given = true;
      throw error;
    }
    const done = await result;
    await released;
    if (!done) throw new Error('unreachable: the work was begun');
    return done.value;
  }
}
