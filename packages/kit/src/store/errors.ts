/** What a constraint violation must have been about. Everything named must match; names that the engine does not tell are not compared. */
export interface ViolationOf {
  readonly table?: string;
  /** Columns of the violated key, in any order. SQLite does not tell them for an index on expressions. */
  readonly columns?: readonly string[];
}

interface Violation {
  readonly table: string | undefined;
  readonly columns: readonly string[] | undefined;
}

interface SqliteError extends Error {
  readonly code: 'ERR_SQLITE_ERROR';
  /** SQLite's extended result code. */
  readonly errcode: number;
}

interface PostgresError extends Error {
  /** SQLSTATE. */
  readonly code: string;
  readonly severity: string;
  readonly table?: string;
  readonly detail?: string;
}

const SQLITE_UNIQUE = new Set([2067 /* UNIQUE */, 1555 /* PRIMARYKEY */, 2579 /* ROWID */]);
const SQLITE_FOREIGN_KEY = 787;

/**
 * True when a statement (or a commit) broke a primary key or a unique index, of the given table and columns where named. On PostgreSQL the
 * transaction is lost by then: let it end and answer outside, use `onConflict`, or run the statement in a `savepoint`.
 */
export function isUniqueViolation(error: unknown, of?: string | ViolationOf): boolean {
  const violation = uniqueViolation(error);
  if (!violation) return false;
  const { table, columns } = typeof of === 'string' ? { table: of, columns: undefined } : (of ?? {});
  if (table !== undefined && violation.table !== undefined && violation.table !== table) return false;
  if (columns === undefined || violation.columns === undefined) return true;
  return columns.length === violation.columns.length && columns.every((column) => violation.columns?.includes(column));
}

/** True when a statement (or a commit) broke a foreign key: the row referred to is missing, or is still referred to. SQLite does not tell which. */
export function isForeignKeyViolation(error: unknown): boolean {
  return (isSqliteError(error) && error.errcode === SQLITE_FOREIGN_KEY) || (isPostgresError(error) && (error.code === '23503' || error.code === '23001'));
}

/** True when PostgreSQL gave up a transaction that may well succeed when run again: serialisation failure or deadlock. */
export function isRetryable(error: unknown): boolean {
  return isPostgresError(error) && (error.code === '40001' || error.code === '40P01');
}

function uniqueViolation(error: unknown): Violation | undefined {
  if (isSqliteError(error)) return SQLITE_UNIQUE.has(error.errcode) ? sqliteViolation(error.message) : undefined;
  if (isPostgresError(error) && error.code === '23505') {
    const key = /^Key \((.+?)\)=\(/.exec(error.detail ?? '')?.[1];
    return { table: error.table, columns: key?.split(', ').map(unquote) };
  }
  return undefined;
}

/** `UNIQUE constraint failed: t.a, t.b`, or `... failed: index 'name'`. */
function sqliteViolation(message: string): Violation {
  const named = /constraint failed: (.+)$/.exec(message)?.[1] ?? '';
  if (named === '' || named.startsWith('index ')) return { table: undefined, columns: undefined };
  const pairs = named.split(', ').map((part) => part.split('.'));
  return { table: pairs[0]?.[0], columns: pairs.map((pair) => pair[1] ?? '') };
}

const unquote = (name: string): string => name.replace(/^"(.*)"$/, '$1');

function isSqliteError(error: unknown): error is SqliteError {
  return error instanceof Error && (error as Partial<SqliteError>).code === 'ERR_SQLITE_ERROR';
}

function isPostgresError(error: unknown): error is PostgresError {
  return error instanceof Error && 'severity' in error && typeof (error as Partial<PostgresError>).code === 'string';
}
