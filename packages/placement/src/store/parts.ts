import type { Db } from '@cairn/kit/store/store';
import { type RawBuilder, sql } from 'kysely';

/** That a column is one of many values, as one parameter: neither the statement's text nor its preparation grows with their number. */
export const among = (db: Db, column: string, values: readonly string[]): RawBuilder<boolean> =>
  db.engine === 'sqlite'
    ? sql<boolean>`${sql.ref(column)} in (select value from json_each(${JSON.stringify(values)}))`
    : sql<boolean>`${sql.ref(column)} = any(${values})`;

// databases take only so many parameters in a statement (SQLite 32,766)
const PART = 500;

/** A list in parts that fit into one statement each. */
export function* partsOf<T>(list: Iterable<T>): Generator<T[]> {
  const all = [...list];
  for (let at = 0; at < all.length; at += PART) yield all.slice(at, at + PART);
}

/** Asks for parts of a list (of distinct ids) and puts the answers together. */
export async function inParts<T>(ids: Iterable<string>, ask: (part: string[]) => Promise<T[]>): Promise<T[]> {
  const found: T[] = [];
  for (const part of partsOf(new Set(ids))) found.push(...(await ask(part)));
  return found;
}
