import { type InvalidateOptions, type InvalidateQueryFilters, type Query, QueryClient, type QueryKey } from '@tanstack/react-query';

/** It is being asked for, and nothing of it is there yet. */
const isFirst = ({ state }: Query): boolean => state.fetchStatus !== 'idle' && state.data === undefined;

/**
 * The page's queries. What is asked for the very first time goes on when it is invalidated, and would then count as new, though its answer may be older
 * than the change: it is asked for once more when it is there.
 */
export class LiveQueries extends QueryClient {
  readonly #doubted = new Set<string>();

  override invalidateQueries<T extends QueryKey = QueryKey>(filters?: InvalidateQueryFilters<T>, options?: InvalidateOptions): Promise<void> {
    // who waits for what is being asked knows of no change
    const isNews = options?.cancelRefetch !== false;
    if (isNews) for (const query of this.getQueryCache().findAll(filters)) if (isFirst(query)) void this.#askAgain(query);
    return super.invalidateQueries(filters, options);
  }

  async #askAgain({ queryHash, queryKey, promise }: Query): Promise<void> {
    if (this.#doubted.has(queryHash)) return;
    this.#doubted.add(queryHash);
    try {
      await promise;
    } catch {
      // what was refused may be there now, too
    }
    this.#doubted.delete(queryHash);
    await super.invalidateQueries({ queryKey, exact: true });
  }
}
