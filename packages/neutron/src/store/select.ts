import { type Filter, type FilterValue } from '@cairn/kit/store/list-filter';
import { type ListQuery, type ListSpec, listRows } from '@cairn/kit/store/list';
import type { Db } from '@cairn/kit/store/store';
import { type RawBuilder, sql } from 'kysely';
import { badRequest, invalidInput } from '../errors.ts';
import type { ListInput } from '../listing/query.ts';

/** Whose eyes a query has: all rows, or those that a project may see. */
export interface Scope {
  /** Undefined: everything (admins and services). */
  readonly projectId: string | undefined;
}

export const EVERYTHING: Scope = { projectId: undefined };

/** `column in (values)` with one parameter, so that the statement's text does not depend on how many there are. */
export function among(db: Db, column: RawBuilder<unknown>, values: readonly string[]): RawBuilder<boolean> {
  if (values.length === 1) return sql`${column} = ${values[0]}`;
  return db.engine === 'sqlite' ? sql`${column} in (select value from json_each(${JSON.stringify(values)}))` : sql`(${column} = any(${values}))`;
}

/** How a resource's lists turn into SQL. */
export interface ListMaker<Row> {
  readonly spec: ListSpec<Row>;
  /**
   * What a project sees, as conditions that exclude each other, each of which an index serves in the order of ids: a page is read from
   * each and merged, so that its cost does not grow with the rows that the project owns.
   */
  visible(db: Db, projectId: string): readonly RawBuilder<boolean>[];
  /** What holds for every row of the list. */
  readonly always?: RawBuilder<boolean>;
  /** A filter that is no plain column; undefined to fall back to the column. */
  special?(db: Db, field: string, values: readonly unknown[], scope: Scope): RawBuilder<boolean> | undefined;
  /** A filter by `key=value` pairs. */
  pairs?(db: Db, field: string, pairs: Readonly<Record<string, readonly string[]>>): RawBuilder<boolean> | undefined;
}

/** Reads the rows of a list request, in its order. */
export async function selectPage<Row extends { id: string }>(db: Db, maker: ListMaker<Row>, input: ListInput, scope: Scope): Promise<Row[]> {
  const conditions: RawBuilder<boolean>[] = maker.always ? [maker.always] : [];
  const filters: Filter[] = [];
  const tags: Record<string, string[]> = {};
  for (const [field, values] of input.filters) {
    const tag = TAG_FILTERS[field];
    const special = tag ? undefined : field === 'changed_since' ? changedSince(maker.spec.table, values) : maker.special?.(db, field, values, scope);
    if (tag) tags[tag] = values.flatMap((value) => String(value).split(','));
    else if (special) conditions.push(special);
    else if (Object.hasOwn(maker.spec.columns, field)) filters.push({ field, op: 'in', value: values as readonly FilterValue[] });
  }
  for (const [field, pairs] of input.pairs) {
    const condition = maker.pairs?.(db, field, pairs);
    if (condition) conditions.push(condition);
  }
  const visible = scope.projectId === undefined ? [] : maker.visible(db, scope.projectId);
  const read = async (branch: RawBuilder<boolean> | undefined): Promise<Row[]> => {
    const all = branch ? [branch, ...conditions] : conditions;
    const page = await listRows<Row>(db, maker.spec, {
      filters,
      ...(Object.keys(tags).length > 0 && { tags }),
      sort: input.sorts,
      // upstream looks at a marker only where a limit makes it one
      marker: input.limit === undefined ? undefined : input.marker,
      limit: input.limit,
      reverse: input.reverse,
      // the branches hold for the rows; the marker may be of either
      ...(visible.length > 0 && input.marker !== undefined && { scope: (query: ListQuery) => query.where(sql<boolean>`(${sql.join(visible, sql` or `)})`) }),
      ...(all.length > 0 && { where: (query: ListQuery) => all.reduce((q, condition) => q.where(condition), query) }),
    });
    return page.rows;
  };
  if (visible.length < 2) return read(visible[0]);
  return merge(await Promise.all(visible.map(read)), maker, input);
}

/** One row by id, if the scope sees it. */
export async function selectOne<Row>(db: Db, maker: ListMaker<Row & { id: string }>, id: string, scope: Scope): Promise<Row | undefined> {
  if (id.includes('\0')) return undefined;
  const table = maker.spec.table;
  const visible = scope.projectId === undefined ? [] : maker.visible(db, scope.projectId);
  const seen = visible.length === 0 ? sql`` : sql` and (${sql.join(visible, sql` or `)})`;
  const { rows } = await sql<Row>`select * from ${sql.table(table)} where ${sql.ref(`${table}.id`)} = ${id}${seen}`.execute(db.kysely);
  return rows[0];
}

const TAG_FILTERS: Readonly<Record<string, 'all' | 'any' | 'notAll' | 'notAny'>> = {
  tags: 'all',
  'tags-any': 'any',
  'not-tags': 'notAll',
  'not-tags-any': 'notAny',
};

function changedSince(table: string, values: readonly unknown[]): RawBuilder<boolean> {
  const text = String(values[0]);
  const atMs = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)?$/.test(text)
    ? Date.parse(/(Z|[+-]\d\d:?\d\d)$/.test(text) ? text : `${text}Z`)
    : Number.NaN;
  if (Number.isNaN(atMs)) throw invalidInput('The input changed_since must be in the following format: YYYY-MM-DDTHH:MM:SSZ');
  return sql`${sql.ref(`${table}.updated_at_ms`)} >= ${atMs}`;
}

/** Merges pages of rows that exclude each other. */
function merge<Row extends { id: string }>(pages: readonly Row[][], maker: ListMaker<Row>, input: ListInput): Row[] {
  const filled = pages.filter((page) => page.length > 0);
  if (filled.length < 2) return filled[0] ?? [];
  const keys = input.sorts.map((sort) => {
    const column = maker.spec.columns[sort.field];
    if (column === undefined) throw badRequest(maker.spec.table, `'${sort.field}' is an invalid attribute for sort key`);
    return { column: (typeof column === 'string' ? column : column.column) as keyof Row, sign: sort.direction === 'desc' ? -1 : 1 };
  });
  const tie = keys.at(-1)?.sign ?? 1;
  const rows = filled.flat().sort((a, b) => {
    for (const { column, sign } of keys) {
      const order = compare(a[column], b[column]);
      if (order !== 0) return order * sign;
    }
    return compare(a.id, b.id) * tie;
  });
  if (input.limit === undefined || rows.length <= input.limit) return rows;
  return input.reverse ? rows.slice(-input.limit) : rows.slice(0, input.limit);
}

function compare(a: unknown, b: unknown): number {
  if (a === b) return 0;
  if (a === null || a === undefined) return -1;
  if (b === null || b === undefined) return 1;
  return (a as string | number) < (b as string | number) ? -1 : 1;
}
