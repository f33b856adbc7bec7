/** How a saga ended. */
export type SagaEnd = 'done' | 'failed';

/** Who waits for sagas to end. */
export class Waiters {
  readonly #waiters = new Map<string, PromiseWithResolvers<SagaEnd>>();

  get ids(): readonly string[] {
    return [...this.#waiters.keys()];
  }

  waitFor(id: string): Promise<SagaEnd> {
    let waiter = this.#waiters.get(id);
    if (!waiter) {
      waiter = Promise.withResolvers<SagaEnd>();
      waiter.promise.catch(() => {}); // who asked may have gone
      this.#waiters.set(id, waiter);
    }
    return waiter.promise;
  }

  tell(id: string, end: SagaEnd): void {
    this.#waiters.get(id)?.resolve(end);
    this.#waiters.delete(id);
  }

  forget(id: string): void {
    this.#waiters.delete(id);
  }

  failAll(error: Error): void {
    for (const waiter of this.#waiters.values()) waiter.reject(error);
    this.#waiters.clear();
  }
}
