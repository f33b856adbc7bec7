import type { Query, QueryClient } from '@tanstack/react-query';
import { ApiError } from '../api/errors.ts';

type Key = readonly unknown[];
interface Row {
  readonly id: string;
}

/** A long list whose rows can be asked for one by one, each as the list shows it. */
export interface RowList {
  readonly key: Key;
  /** Lists behind `key` with the same rows, such as those of all projects. */
  readonly also: readonly Key[];
  /** Where the API's order puts a new row. */
  readonly place: 'first' | 'by-id';
  fetchOne(id: string): Promise<Row>;
}

/** Rows of a page of the API: to ask for so many costs one call. */
const PAGE_ROWS = 500;

const isKey = (a: Key, b: Key): boolean => a.length === b.length && a.every((part, index) => part === b[index]);

/** The rows with this one as it is now; without it where it is gone. */
export function withRow<T extends Row>(rows: readonly T[], id: string, row: T | undefined, place: RowList['place']): readonly T[] {
  const at = rows.findIndex((each) => each.id === id);
  if (row === undefined) return at === -1 ? rows : rows.toSpliced(at, 1);
  if (at !== -1) return rows.with(at, row);
  if (place === 'first') return [row, ...rows];
  const after = rows.findIndex((each) => each.id > id);
  return after === -1 ? [...rows, row] : rows.toSpliced(after, 0, row);
}

/**
 * Keeps long lists current by asking for the rows that changed, where that takes no more calls than the whole list would: of a list of one
 * page one row, of twenty pages twenty. Whatever is in doubt (a list that is being fetched, a refusal) is asked for as a whole.
 */
export class RowRefresher {
  readonly #queries: QueryClient;
  readonly #list: RowList;
  /** The latest question about each row; an answer to an earlier one is old. */
  readonly #asked = new Map<string, symbol>();

  constructor(queries: QueryClient, list: RowList) {
    this.#queries = queries;
    this.#list = list;
  }

  /** These rows changed. Resolves when what is on screen says so. */
  async touch(ids: ReadonlySet<string>): Promise<void> {
    const { key, also } = this.#list;
    const rowLists = this.#queries.getQueryCache().findAll({ predicate: ({ queryKey }) => [key, ...also].some((each) => isKey(each, queryKey)) });
    const patched = rowLists.filter((query) => this.#canPatch(query, ids));
    const whole = this.#queries.invalidateQueries(
      { queryKey: key, predicate: ({ queryHash }) => !patched.some((query) => query.queryHash === queryHash) },
      { cancelRefetch: true },
    );
    await Promise.all([whole, ...(patched.length === 0 ? [] : [...ids].map((id) => this.#patch(id, patched)))]);
  }

  #canPatch(query: Query, ids: ReadonlySet<string>): boolean {
    const { data, fetchStatus, isInvalidated } = query.state;
    if (!query.isActive() || !Array.isArray(data) || isInvalidated || fetchStatus !== 'idle') return false;
    const asked = new Set([...this.#asked.keys(), ...ids]).size;
    return asked <= Math.max(1, Math.ceil(data.length / PAGE_ROWS));
  }

  async #patch(id: string, lists: readonly Query[]): Promise<void> {
    const question = Symbol(id);
    this.#asked.set(id, question);
    let row: Row | undefined;
    let refused = false;
    try {
      row = await this.#list.fetchOne(id);
    } catch (error) {
      refused = !(error instanceof ApiError && error.status === 404);
    }
    if (this.#asked.get(id) !== question) return;
    this.#asked.delete(id);
    for (const { queryKey, state } of lists) {
      // a list that began to be fetched meanwhile may be older than this row
      if (refused || state.fetchStatus !== 'idle') void this.#queries.invalidateQueries({ queryKey, exact: true }, { cancelRefetch: true });
      else this.#queries.setQueryData<readonly Row[]>(queryKey, (rows) => rows && withRow(rows, id, row, this.#list.place));
    }
  }
}
