import { isAdmin } from '@cairn/kit/context/context';
import type { Request } from '@cairn/kit/http/operation';
import type { ListPage, ListRequest, ListSpec } from '@cairn/kit/store/list';
import type { CinderApp } from '../app/app.ts';
import { projectScope } from '../app/lists.ts';
import { conditionsOf, type FilterRules, pageWithOffset, readList, restrictFilters, sortFor } from './list.ts';
import { queryBoolean } from './values.ts';

export interface Collection<Row> {
  /** As upstream's resource filters name it. */
  readonly resource: string;
  readonly spec: ListSpec<Row>;
  readonly rules: Omit<FilterRules<Row>, 'spec' | 'like'>;
  /** Filters of ordinary users before microversion 3.31. */
  readonly before331: readonly string[];
  page(request: ListRequest): Promise<ListPage<Row>>;
  count?(request: ListRequest): Promise<number>;
  /** Names of sort keys, where they are not the filters'. */
  readonly sortNames?: Readonly<Record<string, string>>;
  /** Query parameters that are no filters. */
  readonly notFilters?: readonly string[];
  /** Rows that the list has for nobody. */
  readonly where?: ListRequest['where'];
}

export interface Listed<Row> {
  readonly rows: readonly Row[];
  readonly count: number | undefined;
  /** There may be a page after this one. */
  readonly more: boolean;
}

/** One page of a project's (or, for administrators, everybody's) resources. */
export async function listCollection<Row extends { readonly id: string }>(app: CinderApp, request: Request, collection: Collection<Row>): Promise<Listed<Row>> {
  const { ctx, version } = request;
  const ask = readList(request, app.deps.options.maxLimit);
  const { filters } = ask;
  for (const name of collection.notFilters ?? []) filters.delete(name);
  const wantsCount = collection.count !== undefined && version.atLeast('3.45') && filters.has('with_count') && queryBoolean(filters, 'with_count');
  if (version.atLeast('3.45')) filters.delete('with_count');
  restrictFilters(request, filters, collection.resource, collection.before331);
  const everybody = isAdmin(ctx) && filters.has('all_tenants') && queryBoolean(filters, 'all_tenants');
  filters.delete('all_tenants');
  const conditions = conditionsOf({ ...collection.rules, spec: collection.spec, like: version.atLeast('3.34') }, filters);
  if (!conditions) return { rows: [], count: wantsCount ? 0 : undefined, more: false };
  const wheres = [conditions.where, collection.where].filter((one) => one !== undefined);
  const listed: ListRequest = {
    ...projectScope(ctx, everybody),
    filters: conditions.filters,
    ...(wheres.length > 0 && { where: (query) => wheres.reduce((narrowed, where) => where(narrowed), query) }),
    sort: sortFor(collection.spec, ask.sort, collection.sortNames ?? collection.rules.rename ?? {}),
  };
  const rows = await pageWithOffset((page) => collection.page(page), listed, ask);
  const count = wantsCount ? await collection.count?.(listed) : undefined;
  return { rows, count, more: rows.length > 0 && ask.limit <= (count || rows.length) };
}
