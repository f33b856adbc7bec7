import { type RawBuilder, sql } from 'kysely';
import type { EngineName } from './store.ts';

export type FilterValue = string | number | boolean | null;

/** A condition on one field. All filters of a request must hold. */
export type Filter =
  /** `eq` and `ne` take null for "has no value"; `ne` holds for rows without a value. */
  | { readonly field: string; readonly op: 'eq' | 'ne'; readonly value: FilterValue }
  | { readonly field: string; readonly op: 'in' | 'notIn'; readonly value: readonly FilterValue[] }
  | { readonly field: string; readonly op: 'gt' | 'gte' | 'lt' | 'lte'; readonly value: string | number }
  /** Text anywhere in the value, or at its start (which an index serves); letter case counts. */
  | { readonly field: string; readonly op: 'contains' | 'prefix'; readonly value: string }
  /** SQL's pattern with `%`, `_` and `\` before one that is meant literally; ASCII letter case does not count. */
  | { readonly field: string; readonly op: 'like'; readonly value: string };

interface FilterColumn {
  readonly ref: RawBuilder<unknown>;
  readonly nullable: boolean;
  readonly type: 'text' | 'integer' | 'boolean';
}

const NEVER = sql<boolean>`1 = 0`;
const ALWAYS = sql<boolean>`1 = 1`;
const COMPARE = { gt: sql`>`, gte: sql`>=`, lt: sql`<`, lte: sql`<=` } as const;

/** The SQL of one filter. */
export function filterCondition(engine: EngineName, column: FilterColumn, filter: Filter): RawBuilder<boolean> {
  const { ref } = column;
  if (typeof filter.value === 'string' && filter.value.includes('\0')) return filter.op === 'ne' ? ALWAYS : NEVER;
  switch (filter.op) {
    case 'eq':
      return oneOf(engine, column, [filter.value]);
    case 'in':
      return oneOf(engine, column, filter.value);
    case 'ne':
      return noneOf(engine, column, [filter.value]);
    case 'notIn':
      return noneOf(engine, column, filter.value);
    case 'gt':
    case 'gte':
    case 'lt':
    case 'lte': {
      const value = stored(column, filter.value);
      return value === undefined ? NEVER : sql`${ref} ${COMPARE[filter.op]} ${value}`;
    }
    case 'contains':
      return engine === 'sqlite' ? sql`instr(${ref}, ${filter.value}) > 0` : sql`strpos(${ref}, ${filter.value}) > 0`;
    case 'prefix':
      return prefix(engine, ref, filter.value);
    case 'like':
      return engine === 'sqlite' ? sql`${ref} like ${filter.value} escape '\\'` : sql`${ref} ilike ${filter.value} escape '\\'`;
  }
}

function oneOf(engine: EngineName, column: FilterColumn, values: readonly FilterValue[]): RawBuilder<boolean> {
  const known = values.map((value) => stored(column, value)).filter((value) => value !== undefined);
  const present = known.filter((value) => value !== null);
  const conditions: RawBuilder<boolean>[] = [];
  if (present.length === 1) conditions.push(sql`${column.ref} = ${present[0]}`);
  if (present.length > 1) conditions.push(inList(engine, column.ref, present));
  if (present.length < known.length) conditions.push(sql`${column.ref} is null`);
  if (conditions.length === 0) return NEVER;
  return conditions.length === 1 ? (conditions[0] as RawBuilder<boolean>) : sql`(${sql.join(conditions, sql` or `)})`;
}

function noneOf(engine: EngineName, column: FilterColumn, values: readonly FilterValue[]): RawBuilder<boolean> {
  const known = values.map((value) => stored(column, value)).filter((value) => value !== undefined);
  const present = known.filter((value) => value !== null);
  const nullToo = present.length < known.length;
  if (present.length === 0) return nullToo ? sql`${column.ref} is not null` : ALWAYS;
  const differs = present.length === 1 ? sql`${column.ref} <> ${present[0]}` : sql`not ${inList(engine, column.ref, present)}`;
  return nullToo || !column.nullable ? sql`${differs}` : sql`(${differs} or ${column.ref} is null)`;
}

/** The list is one parameter, so the statement's text (and its prepared form) does not depend on how many there are. */
function inList(engine: EngineName, ref: RawBuilder<unknown>, values: readonly (string | number)[]): RawBuilder<boolean> {
  return engine === 'sqlite' ? sql`${ref} in (select value from json_each(${JSON.stringify(values)}))` : sql`(${ref} = any(${values}))`;
}

/** SQLite compares bytes, so a prefix is a range; PostgreSQL makes the range itself where the collation allows. */
function prefix(engine: EngineName, ref: RawBuilder<unknown>, value: string): RawBuilder<boolean> {
  if (value === '') return sql`${ref} is not null`;
  if (engine === 'postgres') return sql`${ref} like ${`${value.replace(/[\\%_]/g, '\\$&')}%`} escape '\\'`;
  // U+10FFFF is the greatest code point and no character, so it bounds every text with the prefix
  return sql`(${ref} >= ${value} and ${ref} < ${`${value}\u{10FFFF}`})`;
}

/** The value in the column's form; undefined when it has none there. */
function stored(column: FilterColumn, value: FilterValue): string | number | null | undefined {
  if (value === null) return null;
  switch (column.type) {
    case 'text': {
      const text = String(value);
      return text.includes('\0') ? undefined : text; // PostgreSQL has no such text, and refuses to look for it
    }
    case 'integer': {
      if (typeof value === 'boolean' || (typeof value === 'string' && !/^\s*[-+]?\d+\s*$/.test(value))) return undefined;
      const number = Number(value);
      return Number.isSafeInteger(number) ? number : undefined;
    }
    case 'boolean':
      if (typeof value === 'string') return /^(?:true|1)$/i.test(value) ? 1 : /^(?:false|0)$/i.test(value) ? 0 : undefined;
      return value ? 1 : 0;
  }
}

/** Where the tags of a table's rows are: one row per tag. Its key should be (owner, tag). */
export interface TagTable {
  readonly table: string;
  /** The column with the id of the tagged row. */
  readonly owner: string;
  readonly tag: string;
}

/** The tag filters of nova and neutron. Empty lists ask nothing. */
export interface TagFilter {
  /** `tags`: has all of them. */
  readonly all?: readonly string[];
  /** `tags-any`: has one of them at least. */
  readonly any?: readonly string[];
  /** `not-tags`: does not have all of them. */
  readonly notAll?: readonly string[];
  /** `not-tags-any`: has none of them. */
  readonly notAny?: readonly string[];
}

/** The SQL of tag filters. */
export function tagConditions(tags: TagTable, id: RawBuilder<unknown>, filter: TagFilter): RawBuilder<boolean>[] {
  const owner = sql.ref(`${tags.table}.${tags.owner}`);
  const tag = sql.ref(`${tags.table}.${tags.tag}`);
  const has = (wanted: string): RawBuilder<boolean> => sql`exists (select 1 from ${sql.table(tags.table)} where ${owner} = ${id} and ${tag} = ${wanted})`;
  const hasAll = (wanted: readonly string[]): RawBuilder<boolean> => sql`(${sql.join(wanted.map(has), sql` and `)})`;
  const hasAny = (wanted: readonly string[]): RawBuilder<boolean> => sql`(${sql.join(wanted.map(has), sql` or `)})`;
  const conditions: RawBuilder<boolean>[] = [];
  if (filter.all?.length) conditions.push(hasAll(filter.all));
  if (filter.any?.length) conditions.push(hasAny(filter.any));
  if (filter.notAll?.length) conditions.push(sql`not ${hasAll(filter.notAll)}`);
  if (filter.notAny?.length) conditions.push(sql`not ${hasAny(filter.notAny)}`);
  return conditions;
}
