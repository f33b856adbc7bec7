import { type RawBuilder, sql } from 'kysely';
import { findRows } from './rows.ts';
import type { Db } from './store.ts';

/**
 * That a column is one of many values, given as one parameter: neither the statement's text nor the work of making and preparing it grows with
 * their number. `column` is a name of the program, never a user's.
 */
export const among = (db: Db, column: string, values: readonly string[]): RawBuilder<boolean> =>
  db.engine === 'sqlite'
    ? sql<boolean>`${sql.ref(column)} in (select value from json_each(${JSON.stringify(values)}))`
    : sql<boolean>`${sql.ref(column)} = any(${values})`;

/** Whole rows whose column is one of many values, in the order of some columns. Names are the program's, never a user's. */
export const rowsAmong = <Row>(db: Db, table: string, column: string, values: readonly string[], order: readonly string[]): Promise<Row[]> =>
  values.length === 0 ? Promise.resolve([]) : findRows<Row>(db, table, { [column]: values }, { orderBy: order });
