import type { Db, Tx } from '@cairn/kit/store/store';
import { sql } from 'kysely';
import { rowsAmong } from '@cairn/kit/store/among';
import type { ListMaker } from './select.ts';

/** Statements on one row, for resources that need nothing else. Names of tables and columns are the program's, never a user's. */

export async function updateRow(tx: Tx, table: string, id: string, columns: Readonly<Record<string, unknown>>): Promise<void> {
  const sets = Object.entries(columns)
    .filter(([, value]) => value !== undefined)
    .map(([column, value]) => sql`${sql.ref(column)} = ${value}`);
  if (sets.length > 0) await sql`update ${sql.table(table)} set ${sql.join(sets)} where id = ${id}`.execute(tx.kysely);
}

export const deleteRow = (tx: Tx, table: string, id: string) => sql`delete from ${sql.table(table)} where id = ${id}`.execute(tx.kysely);

/** Deletes the rows that a column names. */
export const deleteRowsOf = (tx: Tx, table: string, column: string, value: string) =>
  sql`delete from ${sql.table(table)} where ${sql.ref(column)} = ${value}`.execute(tx.kysely);

export const findRow = async <Row>(db: Db, table: string, id: string): Promise<Row | undefined> => (await rowsAmong<Row>(db, table, 'id', [id], ['id']))[0];

/** The same lists, of what is below one row of another table. */
export function listsBelow<Row>(lists: ListMaker<Row>, column: string, value: string): ListMaker<Row> {
  const below = sql<boolean>`${sql.ref(`${lists.spec.table}.${column}`)} = ${value}`;
  return { ...lists, always: lists.always ? sql<boolean>`(${lists.always} and ${below})` : below };
}
