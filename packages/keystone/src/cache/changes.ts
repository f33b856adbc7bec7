import type { Db, Store, Tx } from '@cairn/kit/store/store';
import { changesAfter, newestChange, recordChange } from '../store/changes.ts';

/** What a change touches: `user:<id>`, `group:<id>`, `project:<id>`, `domain:<id>`, `audit:<id>`, `trust:<id>`, `application_credential:<id>`, `access_token:<id>`, `roles`, `role_book`, `catalog`. */
export type ChangeKey = string;

export const userKey = (id: string): ChangeKey => `user:${id}`;
export const groupKey = (id: string): ChangeKey => `group:${id}`;
export const projectKey = (id: string): ChangeKey => `project:${id}`;
export const domainKey = (id: string): ChangeKey => `domain:${id}`;
export const auditKey = (id: string): ChangeKey => `audit:${id}`;
export const trustKey = (id: string): ChangeKey => `trust:${id}`;
/** An identity provider; tokens of its users rest on it. */
export const idpKey = (id: string): ChangeKey => `idp:${id}`;
/** The options of a domain's own. */
export const domainConfigKey = (id: string): ChangeKey => `domain_config:${id}`;
export const applicationCredentialKey = (id: string): ChangeKey => `application_credential:${id}`;
export const accessTokenKey = (id: string): ChangeKey => `access_token:${id}`;
/** What roles mean: names, implications; every token rests on it. */
export const ROLES: ChangeKey = 'roles';
/** The set of roles; changes also when one is made. */
export const ROLE_BOOK: ChangeKey = 'role_book';
export const CATALOG: ChangeKey = 'catalog';
export const SERVICE_PROVIDERS: ChangeKey = 'service_providers';

/** Keys remembered one by one; beyond it all that was loaded before is simply loaded again. */
const REMEMBERED_KEYS = 50_000;
/** Changes fetched from the other processes at once; further behind, everything is loaded again. */
const MAX_CATCH_UP = 1000;

/**
 * Which facts changed when, so that what was loaded from the database can be kept until one of its facts changes, and not a moment longer.
 * Every change gets a number in the transaction that makes it (`touch`). A value loaded when the newest number was n still holds while none
 * of its keys has a number above n. With SQLite this process is the only writer and hears of its own commits; with PostgreSQL `sync` asks
 * the database for the newest number, so that a change made by any process is seen by the next request of every process.
 */
export class Changes {
  readonly #store: Store;
  readonly #lastChange = new Map<ChangeKey, number>();
  #newest = 0;
  /** What was loaded before this number is no longer trusted. */
  #floor = 0;
  #asking: Promise<void> | undefined;
  #waiting: Promise<void> | undefined;

  constructor(store: Store) {
    this.#store = store;
  }

  /** The number to remember with whatever is loaded from now on. */
  get newest(): number {
    return this.#newest;
  }

  /** True when none of `keys` changed after `since`. */
  holds(since: number, keys: readonly ChangeKey[]): boolean {
    if (since === this.#newest) return true;
    if (since < this.#floor) return false;
    for (const key of keys) if ((this.#lastChange.get(key) ?? 0) > since) return false;
    return true;
  }

  /** Records in `tx` that these facts change with it. */
  async touch(tx: Tx, keys: readonly ChangeKey[], atMs: number): Promise<void> {
    const unique = [...new Set(keys)];
    const seq = await recordChange(tx, unique, atMs);
    // with several writers, own commits are learnt like those of others, in order, by the next `sync`
    if (this.#store.engine === 'sqlite') tx.afterCommit(() => this.#apply(seq, unique));
  }

  /** Resolves when every change that was committed before the call is known here. Costs nothing on SQLite. */
  sync(): Promise<void> | undefined {
    if (this.#store.engine === 'sqlite') return undefined;
    // an answer that is under way may miss a commit made before this call: wait for the next one, and share it
    if (!this.#asking) return this.#ask();
    this.#waiting ??= this.#asking.then(
      () => this.#askNext(),
      () => this.#askNext(),
    );
    return this.#waiting;
  }

  #askNext(): Promise<void> {
    this.#waiting = undefined;
    return this.#asking ?? this.#ask();
  }

  #ask(): Promise<void> {
    this.#asking = this.#catchUp(this.#store.read).finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  async #catchUp(db: Db): Promise<void> {
    const newest = await newestChange(db);
    if (newest === this.#newest) return;
    const missed = await changesAfter(db, this.#newest, MAX_CATCH_UP + 1);
    if (missed.length > MAX_CATCH_UP || newest - this.#newest > missed.length) this.#forget(newest);
    else for (const change of missed) this.#apply(change.seq, change.keys);
  }

  #apply(seq: number, keys: readonly ChangeKey[]): void {
    for (const key of keys) if ((this.#lastChange.get(key) ?? 0) < seq) this.#lastChange.set(key, seq);
    if (seq > this.#newest) this.#newest = seq;
    if (this.#lastChange.size > REMEMBERED_KEYS) this.#forget(this.#newest);
  }

  #forget(newest: number): void {
    this.#newest = Math.max(this.#newest, newest);
    this.#floor = this.#newest;
    this.#lastChange.clear();
  }
}
