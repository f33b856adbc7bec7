import { type RawBuilder, type SelectQueryBuilder, sql } from 'kysely';
import { invalidInput } from '../errors/errors.ts';
import { type Filter, type TagFilter, type TagTable, filterCondition, tagConditions } from './list-filter.ts';
import { keptShape, type KeptSpec } from './kept-rows.ts';
import { type SortKey, marks, rangesAfter } from './list-keyset.ts';
import { type Db, on } from './store.ts';

/**
 * How an API field is stored. A plain column name for a text column that is never null; the object form says what differs.
 * The row's type decides which form is allowed, so a nullable column cannot be declared as never null by mistake.
 */
export type ListColumn<Row> = {
  [K in keyof Row & string]: null extends Row[K]
    ? { readonly column: K; readonly nullable: true; readonly type?: ColumnType }
    : K | { readonly column: K; readonly nullable?: boolean; readonly type?: ColumnType };
}[keyof Row & string];

/** How filter values are brought into the column's form: text by default; a value that has none (`abc` for an integer) matches nothing. */
export type ColumnType = 'text' | 'integer' | 'boolean';

/** A table that can be listed. */
export interface ListSpec<Row> {
  readonly table: string;
  /** The column that is unique and never null: markers name it, and it breaks ties. */
  readonly id: keyof Row & string;
  /** The fields that may be filtered and sorted by, under the names that requests use. */
  readonly columns: Readonly<Record<string, ListColumn<Row>>>;
  /** Used when a request has no sort. Without either, rows come by id. */
  readonly defaultSort?: readonly Sort[];
  /** Requests get at most this many rows. Without it a request without a limit gets all. */
  readonly maxLimit?: number;
  readonly tags?: TagTable;
  /**
   * Rows that have not changed since an earlier list are the same objects, frozen (kept-rows.ts). For tables whose columns are texts and whole
   * numbers, and whose rows are listed again and again.
   */
  readonly kept?: KeptSpec;
  /** The error for a marker that names no row (in scope); default InvalidInput. */
  readonly unknownMarker?: (marker: string | number) => Error;
}

export interface Sort {
  readonly field: string;
  readonly direction?: 'asc' | 'desc';
}

// oxlint-disable-next-line typescript/no-explicit-any -- the tables of the caller's own hooks are the caller's; the page adds only columns of the listed table
export type ListQuery = SelectQueryBuilder<any, any, object>;

/** One page. */
export interface ListRequest {
  readonly filters?: readonly Filter[];
  readonly tags?: TagFilter;
  /**
   * Ordered by these, then by id in the direction of the last. Null is the smallest value on both engines. A field that comes
   * again is ignored.
   */
  readonly sort?: readonly Sort[];
  /** The id of the last row of the page before (the first one, with `reverse`). It need not match the filters, only the scope. */
  readonly marker?: string | number | undefined;
  /** 0 gives no row. Absent: the spec's maxLimit. */
  readonly limit?: number | undefined;
  /** The page that ends before the marker (without one: the last page), in the same order as ever (neutron's `page_reverse`). */
  readonly reverse?: boolean | undefined;
  /** What the caller may see at all; holds for the rows and for the marker. */
  readonly scope?: (query: ListQuery) => ListQuery;
  /** Conditions of the rows that filters cannot say. */
  readonly where?: (query: ListQuery) => ListQuery;
}

export interface ListPage<Row> {
  readonly rows: Row[];
  /** True when more rows follow (precede, with `reverse`). */
  readonly hasMore: boolean;
}

/**
 * Reads one page by keyset: it starts at the marker in an index instead of counting rows off, so its cost does not depend on how
 * far into the list it is. For that the index must be made with `createListIndex`: the columns filtered by equality, then the sort's, then id.
 */
export async function listRows<Row>(db: Db, spec: ListSpec<Row>, request: ListRequest = {}): Promise<ListPage<Row>> {
  const limit = pageLimit(spec, request);
  const keys = sortKeys(spec, request);
  const scoped = (): ListQuery => {
    const query: ListQuery = on<Record<string, Record<string, unknown>>>(db).selectFrom(spec.table) as ListQuery;
    return request.scope ? request.scope(query) : query;
  };
  const kept = spec.kept && (await keptShape(db, spec.table, spec.kept));
  const filtered = (): ListQuery => {
    let query: ListQuery = kept
      ? scoped().select([sql.ref(`${spec.table}.${spec.id}`).as('row_id'), kept.text.as('row_text')])
      : scoped().selectAll(spec.table);
    for (const filter of request.filters ?? []) query = query.where(filterCondition(db.engine, columnOf(spec, filter.field), filter));
    if (request.tags) for (const condition of tagsOf(spec, request.tags)) query = query.where(condition);
    return request.where ? request.where(query) : query;
  };
  const inOrder = (query: ListQuery): ListQuery => {
    let ordered = query;
    for (const key of keys) ordered = ordered.orderBy(orderOf(db, key));
    return ordered;
  };

  const rows: Row[] = [];
  const missing = (): number | undefined => (limit === undefined ? undefined : limit + 1 - rows.length);
  const read = async (query: ListQuery): Promise<void> => {
    const left = missing();
    const found = await (left === undefined ? query : query.limit(left)).execute();
    if (kept) for (const { row_id, row_text } of found as { row_id: string; row_text: string }[]) rows.push(kept.rows.row(row_id, row_text) as Row);
    else rows.push(...(found as Row[]));
  };

  const start = request.marker === undefined ? undefined : await markerValues(spec, keys, request.marker, scoped());
  if (limit === 0) return { rows: [], hasMore: false };
  if (start === undefined) {
    await read(inOrder(filtered()));
  } else {
    for (const range of rangesAfter(keys, start)) {
      if (missing() === 0) break;
      await read(inOrder(filtered().where(range)));
    }
  }

  const hasMore = limit !== undefined && rows.length > limit;
  if (hasMore) rows.length = limit;
  if (request.reverse) rows.reverse();
  return { rows, hasMore };
}

function pageLimit<Row>(spec: ListSpec<Row>, request: ListRequest): number | undefined {
  const { limit } = request;
  if (limit === undefined) return spec.maxLimit;
  if (!Number.isSafeInteger(limit) || limit < 0) throw invalidInput(`Invalid limit ${limit}: it must be an integer that is not negative.`, { field: 'limit' });
  return spec.maxLimit === undefined ? limit : Math.min(limit, spec.maxLimit);
}

interface StoredColumn {
  readonly ref: RawBuilder<unknown>;
  readonly name: string;
  readonly nullable: boolean;
  readonly type: ColumnType;
}

function columnOf<Row>(spec: ListSpec<Row>, field: string): StoredColumn {
  const declared = Object.hasOwn(spec.columns, field) ? (spec.columns[field] as ListColumn<Row>) : undefined;
  if (declared === undefined) throw invalidInput(`Unknown field '${field}': lists of this resource can neither be filtered nor sorted by it.`, { field });
  const {
    column,
    nullable = false,
    type = 'text',
  } = (typeof declared === 'string' ? { column: declared } : declared) as {
    column: string;
    nullable?: boolean;
    type?: ColumnType;
  };
  return { ref: sql.ref(`${spec.table}.${column}`), name: column, nullable, type };
}

function sortKeys<Row>(spec: ListSpec<Row>, request: ListRequest): SortKey[] {
  const keys: SortKey[] = [];
  const sorts = request.sort?.length ? request.sort : (spec.defaultSort ?? []);
  const flip = request.reverse === true;
  let descending = flip;
  for (const sort of sorts) {
    const { ref, name, nullable } = columnOf(spec, sort.field);
    if (keys.some((key) => key.name === name)) continue;
    descending = (sort.direction === 'desc') !== flip;
    keys.push({ ref, name, nullable, descending });
    if (name === spec.id) return keys;
  }
  keys.push({ ref: sql.ref(`${spec.table}.${spec.id}`), name: spec.id, nullable: false, descending });
  return keys;
}

/** SQLite has null first by itself and knows no index that says so; PostgreSQL has it last unless told. */
function orderOf(db: Db, key: SortKey): RawBuilder<unknown> {
  const direction = key.descending ? sql`desc` : sql`asc`;
  if (db.engine === 'sqlite' || !key.nullable) return sql`${key.ref} ${direction}`;
  return sql`${key.ref} ${direction} nulls ${key.descending ? sql`last` : sql`first`}`;
}

async function markerValues<Row>(spec: ListSpec<Row>, keys: readonly SortKey[], marker: string | number, scoped: ListQuery): Promise<unknown[]> {
  const unknown = (): Error => spec.unknownMarker?.(marker) ?? invalidInput(`The marker '${marker}' names no resource of this list.`, { field: 'marker' });
  if (typeof marker === 'string' && marker.includes('\0')) throw unknown();
  const row = await scoped
    .select(keys.map((key, at) => sql`${key.ref}`.as(marks(at))))
    .where(sql<boolean>`${sql.ref(`${spec.table}.${spec.id}`)} = ${marker}`)
    .executeTakeFirst();
  if (row) return keys.map((_, at) => (row as Record<string, unknown>)[marks(at)]);
  throw unknown();
}

function tagsOf<Row>(spec: ListSpec<Row>, filter: TagFilter): RawBuilder<boolean>[] {
  if (!spec.tags) throw invalidInput('Resources of this list have no tags.', { field: 'tags' });
  return tagConditions(spec.tags, sql.ref(`${spec.table}.${spec.id}`), filter);
}
