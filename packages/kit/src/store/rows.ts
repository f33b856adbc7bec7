import type { QueryResult } from 'kysely';
import { runStatement } from './statement.ts';
import type { Db, EngineName, Tx } from './store.ts';

/*
 * Statements by equality whose texts are made once for all: building and compiling one each time costs several times what SQLite needs to
 * run it. Tables and columns must be names of the program, never of a user. A column that is undefined is left out; one that is null is
 * looked for as null and written as null; a list is looked for as any of its values. A flag that is looked for (0 or 1) is part of the text
 * too: whether an index of flagged rows alone will do is seen by the text, and SQLite plans a statement anew for every run where it would hang
 * on a value.
 */

/** Columns with the values that a row must have: of a list one of them. */
export type Where = Readonly<Record<string, string | number | null | undefined | readonly string[]>>;

const texts = new Map<string, string>();

/** A statement's text with the values of its places, in order. */
class Statement {
  readonly #engine: EngineName;
  readonly values: unknown[] = [];
  key: string;

  constructor(engine: EngineName, kind: string, table: string) {
    this.#engine = engine;
    this.key = `${engine} ${kind} ${table}`;
  }

  /** Columns that are to be written. */
  assigned(of: object): readonly string[] {
    const columns: string[] = [];
    for (const [name, value] of Object.entries(of)) {
      if (value === undefined) continue;
      columns.push(name);
      this.values.push(value);
      this.key += ` ${name}`;
    }
    this.key += ' |';
    return columns;
  }

  /** Columns that are looked for; null and flags have no place among the values, as they are part of the text. */
  wanted(of: Where): readonly Wanted[] {
    const columns: Wanted[] = [];
    for (const [name, value] of Object.entries(of)) {
      if (value === undefined) continue;
      let written = '= ?';
      if (value === null) written = 'is null';
      else if (value === 0 || value === 1) written = `= ${value}`;
      else if (typeof value !== 'object') this.values.push(value);
      // an index serves one value better than a list of one
      else if (value.length === 1) this.values.push(value[0]);
      else {
        // one parameter, so that neither the text nor the work of preparing it grows with the list
        written = this.#engine === 'sqlite' ? 'in (select value from json_each(?))' : '= any(?)';
        this.values.push(this.#engine === 'sqlite' ? JSON.stringify(value) : value);
      }
      columns.push({ name, written });
      this.key += ` ${name} ${written}`;
    }
    this.key += ' |';
    return columns;
  }

  text(make: (place: () => string) => string): string {
    let text = texts.get(this.key);
    if (text === undefined) {
      let places = 0;
      text = make(() => (this.#engine === 'sqlite' ? '?' : `$${++places}`));
      texts.set(this.key, text);
    }
    return text;
  }
}

interface Wanted {
  readonly name: string;
  /** The comparison, with `?` for the value's place where it has one. */
  readonly written: string;
}

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

const conditions = (columns: readonly Wanted[], place: () => string): string =>
  columns.map(({ name, written }) => `${quoted(name)} ${written.replace('?', place)}`).join(' and ');

const assignments = (columns: readonly string[], place: () => string): string => columns.map((name) => `${quoted(name)} = ${place()}`).join(', ');

/** Nothing to look for would be everything. */
function needConditions(columns: readonly Wanted[], table: string): void {
  if (columns.length === 0) throw new Error(`A statement on ${table} has no condition.`);
}

/** The row that has these values, whole or some columns of it; of several the first in the order of a column, else any. */
export async function findRow<Row>(
  db: Db,
  table: string,
  where: Where,
  options: { readonly columns?: readonly string[]; readonly orderBy?: string } = {},
): Promise<Row | undefined> {
  const { columns, orderBy } = options;
  const statement = new Statement(db.engine, `find ${columns?.join(' ') ?? '*'} by ${orderBy ?? ''}`, table);
  const wanted = statement.wanted(where);
  needConditions(wanted, table);
  const text = statement.text((place) => {
    const shown = columns?.map(quoted).join(', ') ?? '*';
    const order = orderBy === undefined ? '' : ` order by ${quoted(orderBy)}`;
    return `select ${shown} from ${quoted(table)} where ${conditions(wanted, place)}${order} limit 1`;
  });
  const { rows } = await runStatement<Row>(db, text, statement.values);
  return rows[0];
}

/** The rows that have these values, whole or some columns of them, in the order of some columns. */
export async function findRows<Row>(
  db: Db,
  table: string,
  where: Where,
  options: { readonly columns?: readonly string[]; readonly orderBy?: readonly string[] } = {},
): Promise<Row[]> {
  const { columns, orderBy = [] } = options;
  const statement = new Statement(db.engine, `all ${columns?.join(' ') ?? '*'} by ${orderBy.join(' ')}`, table);
  const wanted = statement.wanted(where);
  needConditions(wanted, table);
  const text = statement.text((place) => {
    const shown = columns?.map(quoted).join(', ') ?? '*';
    const order = orderBy.length === 0 ? '' : ` order by ${orderBy.map(quoted).join(', ')}`;
    return `select ${shown} from ${quoted(table)} where ${conditions(wanted, place)}${order}`;
  });
  const { rows } = await runStatement<Row>(db, text, statement.values);
  return rows;
}

/** Changes the rows that have these values; how many there were. With nothing to set it changes none. */
export async function updateRows<Row extends object>(tx: Tx, table: string, set: Partial<Row>, where: Where): Promise<number> {
  return Number((await runUpdate(tx, table, set, where))?.numAffectedRows ?? 0n);
}

/** Changes the one row that has these values, if it is there, and tells its values of some columns. */
export async function updateReturning<Row extends object, K extends keyof Row & string>(
  tx: Tx,
  table: string,
  set: Partial<Row>,
  where: Where,
  returning: readonly K[],
): Promise<Pick<Row, K> | undefined> {
  return (await runUpdate<Pick<Row, K>>(tx, table, set, where, returning))?.rows[0];
}

async function runUpdate<Answer>(
  tx: Tx,
  table: string,
  set: object,
  where: Where,
  returning: readonly string[] = [],
): Promise<QueryResult<Answer> | undefined> {
  const statement = new Statement(tx.engine, `update ${returning.join(' ')} of`, table);
  const columns = statement.assigned(set);
  const wanted = statement.wanted(where);
  needConditions(wanted, table);
  if (columns.length === 0) return undefined;
  const text = statement.text((place) => {
    const answer = returning.length === 0 ? '' : ` returning ${returning.map(quoted).join(', ')}`;
    return `update ${quoted(table)} set ${assignments(columns, place)} where ${conditions(wanted, place)}${answer}`;
  });
  return runStatement<Answer>(tx, text, statement.values);
}

/** Deletes the rows that have these values; how many there were. */
export async function deleteRows(tx: Tx, table: string, where: Where): Promise<number> {
  const statement = new Statement(tx.engine, 'delete', table);
  const columns = statement.wanted(where);
  needConditions(columns, table);
  const text = statement.text((place) => `delete from ${quoted(table)} where ${conditions(columns, place)}`);
  const result = await runStatement(tx, text, statement.values);
  return Number(result.numAffectedRows ?? 0n);
}
