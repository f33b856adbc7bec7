import { CompiledQuery, type QueryResult } from 'kysely';
import type { Db } from './store.ts';

/** What Kysely wants of a statement beside its text and values; nobody here looks at it, so that it is the same for all. */
const { query, queryId } = CompiledQuery.raw('');

/**
 * Runs a statement whose text is the program's own, and made already. The same as `db.kysely.executeQuery(CompiledQuery.raw(sql, parameters))`, whose
 * wrapping costs as much as SQLite needs for a lookup.
 */
export const runStatement = <Row>(db: Db, sql: string, parameters: readonly unknown[]): Promise<QueryResult<Row>> =>
  db.kysely.getExecutor().executeQuery<Row>({ sql, parameters, query, queryId });
