import { type RawBuilder, sql } from 'kysely';
import type { Filter as ColumnFilter } from '@cairn/kit/store/list-filter';
import type { Db } from '@cairn/kit/store/store';
import { type ListColumn, type ListQuery, type ListSpec, listRows } from '@cairn/kit/store/list';
import { markerNotFound } from '../errors.ts';

/** One condition of a list, as the API's query says it: `name=x`, `name__icontains=x`, `enabled=true`. */
export interface ListFilter {
  readonly field: string;
  readonly comparator: 'equals' | 'contains' | 'startswith' | 'endswith';
  readonly ignoreCase: boolean;
  /** null: the field has no value. */
  readonly value: string | boolean | null;
}

export const equals = (field: string, value: string | boolean | null): ListFilter => ({ field, comparator: 'equals', ignoreCase: false, value });

/** What part of a list is asked for. */
export interface Paging {
  readonly limit?: number;
  /** Id of the last entry of the page before. */
  readonly marker?: string;
}

export interface Page<Row> {
  readonly rows: Row[];
  readonly hasMore: boolean;
}

const escaped = (text: string): string => text.replace(/[\\%_]/g, '\\$&');

/** What kit's filters say by themselves; the case-sensitive end of a text is left to `endsWith`. */
function columnFilter(filter: ListFilter): ColumnFilter | undefined {
  const { field, value } = filter;
  if (filter.comparator === 'equals' || typeof value !== 'string') return { field, op: 'eq', value };
  if (filter.ignoreCase) {
    const pattern = { contains: `%${escaped(value)}%`, startswith: `${escaped(value)}%`, endswith: `%${escaped(value)}` }[filter.comparator];
    return { field, op: 'like', value: pattern };
  }
  if (filter.comparator === 'contains') return { field, op: 'contains', value };
  if (filter.comparator === 'startswith') return { field, op: 'prefix', value };
  return undefined;
}

const endsWith = (column: string, text: string): RawBuilder<boolean> =>
  sql`substr(${sql.ref(column)}, length(${sql.ref(column)}) - length(${text}) + 1) = ${text}`;

/** A table that keystone lists by id. */
export const listSpec = <Row>(table: string, columns: Readonly<Record<string, ListColumn<Row>>>, maxLimit?: number): ListSpec<Row> => ({
  table,
  id: 'id' as keyof Row & string,
  columns,
  unknownMarker: markerNotFound,
  ...(maxLimit !== undefined && { maxLimit }),
});

/** One page of a table, ordered by id. */
export function listPage<Row>(
  db: Db,
  spec: ListSpec<Row>,
  filters: readonly ListFilter[],
  paging: Paging = {},
  more: { readonly where?: (query: ListQuery) => ListQuery; readonly maxLimit?: number } = {},
): Promise<Page<Row>> {
  const ends = filters.filter((filter) => !columnFilter(filter));
  return listRows(db, more.maxLimit === undefined ? spec : { ...spec, maxLimit: more.maxLimit }, {
    filters: filters.map(columnFilter).filter((filter) => filter !== undefined),
    marker: paging.marker,
    limit: paging.limit,
    where: (query) => {
      let narrowed = more.where ? more.where(query) : query;
      for (const { field, value } of ends) narrowed = narrowed.where(endsWith(`${spec.table}.${field}`, String(value)));
      return narrowed;
    },
  });
}
