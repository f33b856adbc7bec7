import { type CompiledQuery, type DatabaseConnection, DefaultQueryExecutor, type QueryResult } from 'kysely';
import type { ScopeParts } from './scope.ts';

/**
 * Gives each statement to one connection that is there already. Kysely's own way borrows a connection and hands it back for every statement, a
 * dozen awaits that cost more than SQLite needs for most of them.
 */
export class ConnectionExecutor extends DefaultQueryExecutor {
  readonly #connection: DatabaseConnection;
  readonly #refusal: () => Error | undefined;

  /** @param refusal why no statement may run now; undefined when one may */
  constructor(parts: Pick<ScopeParts, 'compiler' | 'adapter'>, connection: DatabaseConnection, refusal: () => Error | undefined = () => undefined) {
    super(parts.compiler, parts.adapter, {
      provideConnection: async (consumer) => {
        const error = refusal();
        if (error) throw error;
        return consumer(connection);
      },
    });
    this.#connection = connection;
    this.#refusal = refusal;
  }

  override executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    const error = this.#refusal();
    return error ? Promise.reject(error) : this.#connection.executeQuery<R>(query);
  }
}
