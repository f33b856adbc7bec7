import type { Kysely } from 'kysely';

export type EngineName = 'sqlite' | 'postgres';

/** A handle to read with. Store functions that only read take a Db, so they work inside and outside of transactions. */
export interface Db {
  readonly engine: EngineName;
  /** Use through `on<Tables>(db)`, never raw. */
  readonly kysely: Kysely<unknown>;
}

/** A running write transaction. Keep outside I/O out of it: on SQLite there is one writer. */
export interface Tx extends Db {
  readonly writable: true;
  /** Runs after the commit is durable, in order; not at all on rollback. For wake-ups, never for truth. */
  afterCommit(callback: () => void): void;
}

/** The database of the whole cloud; one per process. */
export interface Store {
  readonly engine: EngineName;
  /** Committed state, read without blocking writers. */
  readonly read: Db;
  /**
   * Runs `work` in one serialisable transaction (SQLite: the single writer; PostgreSQL: SERIALIZABLE, retried on serialisation
   * failures and deadlocks, so `work` must be repeatable) and resolves when the commit is durable. What `work` has read is therefore
   * still true at the commit: counting a quota's use and inserting in one `write` cannot overdraw. Read with `tx` inside, never with
   * `store.read`. A `write` inside of a `write` throws.
   */
  write<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
  /** Applies what is missing of each service's migrations, in order; refuses a database from a newer release. */
  migrate(sets: readonly MigrationSet[]): Promise<void>;
  close(): Promise<void>;
}

/** A service's migrations: only forward, never edited once released. Names sort: `0001_first`. */
export interface MigrationSet {
  readonly service: string;
  // oxlint-disable-next-line typescript/no-explicit-any -- a migration sees the tables of its own time, which no type knows (Kysely advises the same)
  readonly migrations: Readonly<Record<string, (db: Kysely<any>, engine: EngineName) => Promise<void>>>;
}

/** The typed query builder of one service's tables: `on<NovaTables>(tx).selectFrom('nova_server')`. */
export function on<Tables>(db: Db): Kysely<Tables> {
  return db.kysely as unknown as Kysely<Tables>;
}
