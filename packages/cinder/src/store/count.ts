import { filterCondition } from '@cairn/kit/store/list-filter';
import type { ListQuery, ListRequest, ListSpec } from '@cairn/kit/store/list';
import { type Db, on } from '@cairn/kit/store/store';
import { sql } from 'kysely';

interface Column {
  readonly column: string;
  readonly nullable?: boolean;
  readonly type?: 'text' | 'integer' | 'boolean';
}

/** How many rows a list has in all (`with_count`), whatever the page. */
export async function countRows<Row>(db: Db, spec: ListSpec<Row>, request: ListRequest): Promise<number> {
  let query: ListQuery = on<Record<string, Record<string, unknown>>>(db).selectFrom(spec.table) as ListQuery;
  if (request.scope) query = request.scope(query);
  for (const filter of request.filters ?? []) {
    const declared = spec.columns[filter.field];
    if (declared === undefined) throw new Error(`${spec.table} has no field ${filter.field}`);
    const { column, nullable = false, type = 'text' } = (typeof declared === 'string' ? { column: declared } : declared) as Column;
    query = query.where(filterCondition(db.engine, { ref: sql.ref(`${spec.table}.${column}`), nullable, type }, filter));
  }
  if (request.where) query = request.where(query);
  const row = (await query.select(sql<number>`count(*)`.as('count')).executeTakeFirst()) as { count: number } | undefined;
  return Number(row?.count ?? 0);
}
