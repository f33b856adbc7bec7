import { type RawBuilder, sql } from 'kysely';
import { runStatement } from './statement.ts';
import type { Db } from './store.ts';

/**
 * That a column is one of many values, given as one parameter: neither the statement's text nor the work of making and preparing it grows with
 * their number. `column` is a name of the program, never a user's.
 */
export const among = (db: Db, column: string, values: readonly string[]): RawBuilder<boolean> =>
  db.engine === 'sqlite'
    ? sql<boolean>`${sql.ref(column)} in (select value from json_each(${JSON.stringify(values)}))`
    : sql<boolean>`${sql.ref(column)} = any(${values})`;

const texts = new Map<string, string>();

/**
 * Whole rows whose column is one of many values, in the order of some columns. The statement's text is made once, for lists that read what
 * belongs to each of their rows. Names are the program's, never a user's.
 */
export async function rowsAmong<Row>(db: Db, table: string, column: string, values: readonly string[], order: readonly string[]): Promise<Row[]> {
  if (values.length === 0) return [];
  const isSqlite = db.engine === 'sqlite';
  // an index serves one value better than a list of one
  const [one] = values.length === 1 ? values : [];
  const key = `${db.engine} ${table} ${column} ${order} ${one === undefined}`;
  let text = texts.get(key);
  if (text === undefined) {
    const names = order.map((name) => `"${name}"`).join(', ');
    const several = isSqlite ? 'in (select value from json_each(?))' : '= any($1)';
    text = `select * from "${table}" where "${column}" ${one === undefined ? several : isSqlite ? '= ?' : '= $1'} order by ${names}`;
    texts.set(key, text);
  }
  const { rows } = await runStatement<Row>(db, text, [one ?? (isSqlite ? JSON.stringify(values) : values)]);
  return rows;
}
