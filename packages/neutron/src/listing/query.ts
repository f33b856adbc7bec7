import { pairsToLists } from '../attributes/converters.ts';
import type { Resource } from '../attributes/resource.ts';
import { badRequest, httpBadRequest } from '../errors.ts';
import { pyRepr } from '../net/python-text.ts';

/** A list request, read and checked. */
export interface ListInput {
  /** Attribute → the values of which one must match. Converted as the attribute says. */
  readonly filters: ReadonlyMap<string, readonly unknown[]>;
  /** Filters of the form `fixed_ips=ip_address=10.0.0.3`: attribute → key → values. */
  readonly pairs: ReadonlyMap<string, Readonly<Record<string, readonly string[]>>>;
  readonly fields: readonly string[] | undefined;
  readonly sorts: readonly { readonly field: string; readonly direction: 'asc' | 'desc' }[];
  /** Undefined for no limit. */
  readonly limit: number | undefined;
  readonly marker: string | undefined;
  readonly reverse: boolean;
}

const CONTROL = new Set(['fields', 'sort_key', 'sort_dir', 'limit', 'marker', 'page_reverse']);
/** Filters whose values are `key=value` pairs. */
const PAIRED = new Set(['fixed_ips']);
/** Read by list code and no attribute of any map (neutron/services/timestamp). */
const EXTRA = new Set(['changed_since']);

export const NO_FILTERS: ListInput = {
  filters: new Map(),
  pairs: new Map(),
  fields: undefined,
  sorts: [],
  limit: undefined,
  marker: undefined,
  reverse: false,
};

/** Reads a list's query as neutron/api/api_common.py does; throws what it throws. */
export function readListQuery(resource: Resource, query: URLSearchParams): ListInput {
  if (query.size === 0) return NO_FILTERS;
  const given = new Map<string, string[]>();
  for (const [key, value] of query) {
    if (CONTROL.has(key)) continue;
    const values = given.get(key);
    if (values) values.push(value);
    else given.set(key, [value]);
  }
  const filters = new Map<string, readonly unknown[]>();
  const pairs = new Map<string, Readonly<Record<string, readonly string[]>>>();
  const invalid: string[] = [];
  for (const [key, values] of given) {
    const attribute = Object.hasOwn(resource.attributes, key) ? resource.attributes[key] : undefined;
    if (EXTRA.has(key)) filters.set(key, values);
    else if (PAIRED.has(key) && attribute?.filter) pairs.set(key, pairsToLists(values));
    else if (!attribute?.filter) invalid.push(key);
    else {
      const convert = attribute.convertFilter ?? attribute.convert;
      filters.set(key, convert ? values.map(convert) : values);
    }
  }
  if (invalid.length > 0) throw httpBadRequest(`${pyRepr(invalid)} is invalid attribute for filtering`);
  const fields = query.getAll('fields').filter((field) => field !== '');
  const limit = readLimit(query.get('limit'));
  return {
    filters,
    pairs,
    fields: fields.length > 0 ? fields : undefined,
    sorts: readSorts(resource, query),
    limit: limit === 0 ? undefined : limit,
    marker: limit === 0 ? undefined : (query.get('marker') ?? undefined),
    reverse: (query.get('page_reverse') ?? '').toLowerCase() === 'true',
  };
}

function readLimit(text: string | null): number {
  if (text === null) return 0;
  if (/^\s*\+?\d+\s*$/.test(text) && Number.isSafeInteger(Number(text))) return Number(text);
  throw badRequest('limit', `Limit must be an integer 0 or greater and not '${text}'`);
}

function readSorts(resource: Resource, query: URLSearchParams): ListInput['sorts'] {
  const keys = query.getAll('sort_key').filter((key) => key !== '');
  const directions = query.getAll('sort_dir').filter((direction) => direction !== '');
  if (keys.length !== directions.length) throw httpBadRequest('The number of sort_keys and sort_dirs must be same');
  const absent = keys.filter((key) => !resource.sortable.has(key));
  if (absent.length > 0) throw httpBadRequest(`${pyRepr(absent)} is invalid attribute for sort_keys`);
  const wrong = directions.filter((direction) => direction !== 'asc' && direction !== 'desc');
  if (wrong.length > 0) throw httpBadRequest(`${pyRepr(wrong)} is invalid value for sort_dirs, valid value is 'asc' and 'desc'`);
  return keys.map((field, i) => ({ field, direction: directions[i] as 'asc' | 'desc' }));
}

/** The links of a page of `count` to its neighbours, as upstream's get_pagination_links writes them. */
export function pageLinks(input: ListInput, url: string, query: URLSearchParams, count: number, idAt: (at: number) => string): { rel: string; href: string }[] {
  if (input.limit === undefined) return [];
  const full = count >= input.limit;
  const at = (index: number): string | undefined => (count === 0 ? undefined : idAt(index));
  const links: { rel: string; href: string }[] = [];
  if (full || input.reverse) links.push({ rel: 'next', href: pageUrl(url, query, at(count - 1), false) });
  if (full || !input.reverse) links.push({ rel: 'previous', href: pageUrl(url, query, at(0), true) });
  return links;
}

function pageUrl(url: string, query: URLSearchParams, marker: string | undefined, reverse: boolean): string {
  const params = new URLSearchParams(query);
  params.delete('marker');
  params.delete('page_reverse');
  if (marker !== undefined) params.append('marker', marker);
  if (reverse) params.append('page_reverse', 'True');
  return `${url}?${params}`;
}
