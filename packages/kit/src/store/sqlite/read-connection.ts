import type { CompiledQuery, DatabaseConnection, QueryResult } from 'kysely';
import { isReading, type SqliteConnection } from './connection.ts';

/**
 * What `store.read` reads with. SQLite drops all pages that a connection has read as soon as another one writes, and has to read them anew; those of the
 * writer stay. So what only reads goes to the writer as long as no transaction is open there: what it sees is what is committed, as a statement runs
 * from its beginning to its end before anything else does. The rest goes to a connection that cannot write.
 */
export class ReadConnection implements DatabaseConnection {
  readonly #writer: SqliteConnection;
  readonly #reader: SqliteConnection;
  readonly #isInTransaction: () => boolean;

  constructor(writer: SqliteConnection, reader: SqliteConnection, isInTransaction: () => boolean) {
    this.#writer = writer;
    this.#reader = reader;
    this.#isInTransaction = isInTransaction;
  }

  executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    const connection = this.#isInTransaction() || !isReading(query.sql) ? this.#reader : this.#writer;
    return connection.executeQuery<R>(query);
  }

  streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    return this.#reader.streamQuery<R>();
  }
}
