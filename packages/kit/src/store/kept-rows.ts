import { type RawBuilder, sql } from 'kysely';
import type { Db, EngineName } from './store.ts';

/*
 * Lists of whole rows, read as one JSON text per row: the database writes it several times faster than its driver hands columns over one by
 * one. The text also tells whether a row is the same as the last time: then it is the very same object, which is not made again, and what a
 * service made of it (its view, its JSON) may be kept with it. There is nothing to invalidate: what is kept is a function of the text alone.
 */

/** How lists of a table are kept. */
export interface KeptSpec {
  /**
   * Rows of other tables that belong to a row, as further fields of it: each is a query of `rowsOf`. They are part of what makes the row the same.
   */
  readonly parts?: Readonly<Record<string, (engine: EngineName) => string>>;
}

/** A query for `parts`: of each row in order the value of a column, or those of several as a list. Everything named is the program's, never a user's. */
export function rowsOf(columns: readonly string[], from: string, order: string): (engine: EngineName) => string {
  const list = columns.join(', ');
  const one = columns.length === 1;
  return (engine) =>
    engine === 'sqlite'
      ? `(select json_group_array(${one ? list : `json_array(${list})`} order by ${order}) from ${from})`
      : `(select coalesce(json_agg(${one ? list : `json_build_array(${list})`} order by ${order}), '[]'::json) from ${from})`;
}

/** Rows that are kept per table; above it those go that were not asked for lately. */
const KEPT = 4_096;

/** How a table is read in one database. */
interface Shape {
  /** What makes the text: a list of the row and its parts. */
  readonly text: RawBuilder<string>;
  readonly rows: KeptRows;
}

/** The rows of one table with these columns. Two generations: what is asked for again moves on to the younger one. */
class KeptRows {
  readonly #toRow: (values: readonly unknown[]) => object;
  #young = new Map<string, Kept>();
  #old = new Map<string, Kept>();

  constructor(toRow: (values: readonly unknown[]) => object) {
    this.#toRow = toRow;
  }

  row(id: string, text: string): object {
    let kept = this.#young.get(id);
    if (kept?.text === text) return kept.row;
    kept = this.#old.get(id);
    if (kept?.text !== text) kept = { text, row: Object.freeze(this.#toRow(JSON.parse(text) as unknown[])) };
    if (this.#young.size >= KEPT / 2) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(id, kept);
    return kept.row;
  }
}

interface Kept {
  readonly text: string;
  readonly row: object;
}

/** By table, columns and parts: a text says which values a row has, and not of which columns. */
const known = new Map<string, KeptRows>();
/** By handle and by what is read. */
const shapes = new WeakMap<object, Map<string, Shape>>();

/** The columns of tables have changed. */
export const forgetShapes = (db: Db): boolean => shapes.delete(db.kysely);

/** What to select, as `row_id` and `row_text`, and how to make a row of it. */
export async function keptShape(db: Db, table: string, spec: KeptSpec): Promise<Shape> {
  let ofDb = shapes.get(db.kysely);
  if (!ofDb) shapes.set(db.kysely, (ofDb = new Map()));
  const parts = Object.keys(spec.parts ?? {});
  const name = [table, ...parts].join(' ');
  let shape = ofDb.get(name);
  if (!shape) ofDb.set(name, (shape = await makeShape(db, table, parts, Object.values(spec.parts ?? {}))));
  return shape;
}

async function makeShape(db: Db, table: string, names: readonly string[], parts: readonly ((engine: EngineName) => string)[]): Promise<Shape> {
  const more = parts.map((part) => `, ${part(db.engine)}`).join('');
  if (db.engine === 'postgres') {
    const toRow = (values: readonly unknown[]): object => Object.assign(values[0] as object, Object.fromEntries(names.map((part, i) => [part, values[i + 1]])));
    return { text: sql.raw(`json_build_array(row_to_json("${table}")${more})::text`), rows: rowsKept(`${table} | ${names}`, toRow) };
  }
  const { rows } = await sql<{ name: string }>`select name from pragma_table_info(${table})`.execute(db.kysely);
  const columns = rows.map((row) => row.name);
  const all = [...columns, ...names];
  const toRow = (values: readonly unknown[]): object => Object.fromEntries(all.map((column, i) => [column, values[i]]));
  const list = columns.map((column) => `"${table}"."${column}"`).join(', ');
  return { text: sql.raw(`json_array(${list}${more})`), rows: rowsKept(`${table} | ${columns} | ${names}`, toRow) };
}

function rowsKept(key: string, toRow: (values: readonly unknown[]) => object): KeptRows {
  let rows = known.get(key);
  if (!rows) known.set(key, (rows = new KeptRows(toRow)));
  return rows;
}
