import {
  type CompiledQuery,
  type DatabaseConnection,
  type DatabaseIntrospector,
  type Dialect,
  type DialectAdapter,
  type Driver,
  type Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type QueryCompiler,
  type QueryResult,
} from 'kysely';
import type { Pool } from 'pg';
import { PostgresConnection, type StatementNames, isStalePlan } from './connection.ts';

/** Kysely's PostgreSQL over a pool, each statement on its own. Transactions belong to `Store.write` alone. */
export class PoolDialect implements Dialect {
  readonly #pool: Pool;
  readonly #names: StatementNames | undefined;

  constructor(pool: Pool, names: StatementNames | undefined) {
    this.#pool = pool;
    this.#names = names;
  }

  createDriver(): Driver {
    return new PoolDriver(this.#pool, this.#names);
  }

  createQueryCompiler(): QueryCompiler {
    return new PostgresQueryCompiler();
  }

  createAdapter(): DialectAdapter {
    return new PostgresAdapter();
  }

  createIntrospector(db: Kysely<unknown>): DatabaseIntrospector {
    return new PostgresIntrospector(db);
  }
}

const refuse = async (): Promise<never> => {
  throw new Error('Transactions are begun with Store.write alone.');
};

/** A connection outside of transactions: a statement that found its plan stale runs once more. */
class ReadConnection extends PostgresConnection {
  override async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    try {
      return await super.executeQuery<R>(query);
    } catch (error) {
      if (!isStalePlan(error)) throw error;
      return super.executeQuery<R>(query);
    }
  }
}

class PoolDriver implements Driver {
  readonly beginTransaction = refuse;
  readonly commitTransaction = refuse;
  readonly rollbackTransaction = refuse;
  readonly #pool: Pool;
  readonly #names: StatementNames | undefined;

  constructor(pool: Pool, names: StatementNames | undefined) {
    this.#pool = pool;
    this.#names = names;
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    return new ReadConnection(await this.#pool.connect(), this.#names);
  }

  async releaseConnection(connection: DatabaseConnection): Promise<void> {
    (connection as ReadConnection).client.release();
  }

  async destroy(): Promise<void> {}
}
