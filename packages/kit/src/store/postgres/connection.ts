import type { CompiledQuery, DatabaseConnection, QueryResult } from 'kysely';
import type { PoolClient, QueryResult as PgResult } from 'pg';

const NAMED_STATEMENTS = 500;
const COUNTED = new Set(['INSERT', 'UPDATE', 'DELETE', 'MERGE']);

/**
 * Names for statements, so that the server parses and plans each text once per connection. Names are never given to a second text; past the
 * limit texts go unnamed, which bounds the server's memory.
 */
export class StatementNames {
  readonly #names = new Map<string, string>();
  #generation = 0;

  of(text: string): string | undefined {
    const known = this.#names.get(text);
    if (known !== undefined || this.#names.size >= NAMED_STATEMENTS) return known;
    const name = `cairn_${this.#generation}_${this.#names.size}`;
    this.#names.set(text, name);
    return name;
  }

  /** Forgets all names: a migration changed what `select *` returns. */
  renew(): void {
    this.#generation += 1;
    this.#names.clear();
  }
}

/** True when a prepared statement's result changed its type by a migration; the statement runs again under a new name. */
export function isStalePlan(error: unknown): boolean {
  return error instanceof Error && (error as { code?: unknown }).code === '0A000' && error.message.startsWith('cached plan must not change');
}

/** One connection of the pool as Kysely drives it. */
export class PostgresConnection implements DatabaseConnection {
  readonly client: PoolClient;
  /** The last error that a statement ended with; it has spoiled the transaction that runs. */
  lastError: unknown;
  readonly #names: StatementNames | undefined;

  constructor(client: PoolClient, names: StatementNames | undefined) {
    this.client = client;
    this.#names = names;
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    try {
      const result = await this.run(query.sql, query.parameters);
      const rows = (result.rows ?? []) as R[];
      return COUNTED.has(result.command) ? { rows, numAffectedRows: BigInt(result.rowCount ?? 0) } : { rows };
    } catch (error) {
      this.lastError = error;
      if (isStalePlan(error)) this.#names?.renew();
      if (error instanceof Error) Object.assign(error, { sql: query.sql });
      throw error;
    }
  }

  run(text: string, parameters: readonly unknown[] = []): Promise<PgResult> {
    const values = parameters as unknown[];
    const name = this.#names?.of(text);
    return this.client.query(name === undefined ? { text, values } : { name, text, values });
  }

  /** Lists are read in pages; a stream would keep the connection busy. */
  streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error('The PostgreSQL store does not stream: read in pages.');
  }
}
