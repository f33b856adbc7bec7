import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import type { CompiledQuery, DatabaseConnection, QueryResult } from 'kysely';

type RowMaker = (values: readonly unknown[]) => Record<string, unknown>;

interface Prepared {
  readonly statement: StatementSync;
  readonly reads: boolean;
  /** How many columns the answer has; none for a statement that answers with no rows. */
  width: number;
  /** Makes a row's object of its values. */
  toRow: RowMaker;
}

const READS = /^\s*(?:select|explain)\b/i;

/** Certainly changes nothing. */
export const isReading = (sql: string): boolean => READS.test(sql);

/** Statements kept prepared per connection; each costs a few kilobytes. */
const CACHED_STATEMENTS = 1000;

/** One node:sqlite connection as Kysely drives it, with its statements kept prepared by their SQL text, least recently used out first. */
export class SqliteConnection implements DatabaseConnection {
  readonly database: DatabaseSync;
  /** Statements that may have changed something, so far. */
  writes = 0;
  readonly #cache = new Map<string, Prepared>();

  constructor(database: DatabaseSync) {
    this.database = database;
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    return this.run<R>(query.sql, query.parameters);
  }

  /** Runs one statement. Errors of SQLite get the statement's text (never its parameters) as `sql`. */
  run<R>(sql: string, parameters: readonly unknown[] = []): QueryResult<R> {
    const values = parameters as SQLInputValue[];
    try {
      const prepared = this.#prepare(sql);
      if (!prepared.reads) this.writes += 1;
      if (prepared.width > 0) {
        // Rows as arrays, made into objects here: SQLite's own objects have no prototype, which surprises deepEqual and hasOwnProperty,
        // and each is a hash table of its own, which makes reading them cost twice as much.
        const rows = prepared.statement.all(...values) as unknown as unknown[][];
        // a migration has changed what `*` means
        if (rows[0] !== undefined && rows[0].length !== prepared.width) Object.assign(prepared, shapeOf(namesOf(prepared.statement)));
        const { toRow } = prepared;
        return { rows: rows.map((row) => toRow(row) as R) };
      }
      const { changes, lastInsertRowid } = prepared.statement.run(...values);
      return { rows: [], numAffectedRows: BigInt(changes), insertId: BigInt(lastInsertRowid) };
    } catch (error) {
      if (error instanceof Error) Object.assign(error, { sql });
      throw error;
    }
  }

  /** Lists are read in pages; a stream would keep the connection busy. */
  streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error('The SQLite store does not stream: read in pages.');
  }

  #prepare(sql: string): Prepared {
    const known = this.#cache.get(sql);
    if (known) {
      // a map keeps insertion order; moving hits to the end only once the cache is half full saves the common case the work
      if (this.#cache.size * 2 > CACHED_STATEMENTS) {
        this.#cache.delete(sql);
        this.#cache.set(sql, known);
      }
      return known;
    }
    const statement = this.database.prepare(sql);
    const columns = namesOf(statement);
    if (columns.length > 0) statement.setReturnArrays(true);
    const prepared = { statement, reads: isReading(sql), ...shapeOf(columns) };
    if (this.#cache.size >= CACHED_STATEMENTS) this.#cache.delete(this.#cache.keys().next().value as string);
    this.#cache.set(sql, prepared);
    return prepared;
  }

  close(): void {
    this.#cache.clear();
    if (this.database.isOpen) this.database.close();
  }
}

const namesOf = (statement: StatementSync): string[] => statement.columns().map((column) => column.name);

const shapeOf = (columns: readonly string[]): Pick<Prepared, 'width' | 'toRow'> => ({ width: columns.length, toRow: rowMaker(columns) });

/**
 * A function `(v) => ({ "id": v[0], "name": v[1], ... })`: an object literal of fixed keys costs a tenth of assigning key by key, and all
 * rows of a statement share one hidden class. The names are those of our own statements, and quoted.
 */
function rowMaker(columns: readonly string[]): RowMaker {
  // a literal's __proto__ is the prototype and no key
  if (columns.includes('__proto__')) return (values) => Object.fromEntries(columns.map((name, i) => [name, values[i]]));
  // the names are those of columns in the program's own statements, and JSON quotes them
  // oxlint-disable-next-line no-new-func
  return new Function('v', `return { ${columns.map((name, i) => `${JSON.stringify(name)}: v[${i}]`).join(', ')} };`) as RowMaker;
}
