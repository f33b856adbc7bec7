import { type RawBuilder, sql } from 'kysely';
import type { Db } from './store.ts';

/**
 * That a column is one of many values, given as one parameter: neither the statement's text nor the work of making and preparing it grows with
 * their number. `column` is a name of the program, never a user's.
 */
export const among = (db: Db, column: string, values: readonly string[]): RawBuilder<boolean> =>
  db.engine === 'sqlite'
    ? sql<boolean>`${sql.ref(column)} in (select value from json_each(${JSON.stringify(values)}))`
    : sql<boolean>`${sql.ref(column)} = any(${values})`;
