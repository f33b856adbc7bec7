import { isAdmin } from '@cairn/kit/context/context';
import { invalidInput } from '@cairn/kit/errors/errors';
import type { Request } from '@cairn/kit/http/operation';
import type { FilterValue, Filter } from '@cairn/kit/store/list-filter';
import type { ListPage, ListQuery, ListRequest, ListSpec, Sort } from '@cairn/kit/store/list';
import { storageOfPlace } from '../app/backend.ts';
import { havingPairs, type MetadataKind } from '../app/lists.ts';
import { invalid } from '../errors.ts';
import { DB_MAX_INT } from './schemas.ts';
import { type Literal, parseLiteral } from './literal.ts';
import { parseBoolean } from './values.ts';

/** The filters that users other than administrators have, by resource (upstream's etc/cinder/resource_filters.json). */
export const RESOURCE_FILTERS: Readonly<Record<string, readonly string[]>> = {
  volume: ['name', 'status', 'metadata', 'bootable', 'migration_status', 'availability_zone', 'group_id', 'size', 'created_at', 'updated_at', 'consumes_quota'],
  backup: ['name', 'status', 'volume_id'],
  snapshot: ['name', 'status', 'volume_id', 'metadata', 'availability_zone', 'consumes_quota'],
  group: ['name'],
  group_snapshot: ['name', 'status', 'group_id'],
  attachment: ['volume_id', 'status', 'instance_id', 'attach_status'],
  message: ['resource_uuid', 'resource_type', 'event_id', 'request_id', 'message_level'],
  pool: ['name', 'volume_type'],
  volume_type: ['is_public', 'extra_specs'],
};

/** The query of a list, taken apart. */
export interface ListAsk {
  /** What is left: filters, by the request's names; the last of repeated ones. */
  readonly filters: Map<string, string>;
  readonly marker: string | undefined;
  readonly limit: number;
  readonly offset: number;
  readonly sort: readonly Sort[];
}

/** Takes marker, limit, offset and sort out of the query (cinder/api/common.py). */
export function readList(
  request: Pick<Request, 'query'>,
  maxLimit: number,
  defaultSort: readonly Sort[] = [{ field: 'created_at', direction: 'desc' }],
): ListAsk {
  const filters = new Map(request.query);
  const take = (name: string): string | undefined => {
    const value = filters.get(name);
    filters.delete(name);
    return value;
  };
  const limitText = take('limit');
  let limit = maxLimit;
  if (limitText !== undefined) {
    if (!/^\s*[-+]?\d+\s*$/.test(limitText)) throw invalidInput('limit param must be an integer', { field: 'limit' });
    limit = Math.min(Number(limitText), maxLimit);
    if (limit < 0) throw invalidInput('limit param must be positive', { field: 'limit' });
  }
  const marker = take('marker');
  const offset = wholeNumber(take('offset') ?? '0', 'offset');
  return { filters, marker, limit, offset, sort: readSort(take, defaultSort) };
}

function wholeNumber(text: string, name: string): number {
  if (!/^\s*[-+]?\d+\s*$/.test(text)) throw invalidInput(`${name} must be an integer`, { field: name });
  const value = Number(text);
  if (value < 0) throw invalidInput(`${name} must be >= 0`, { field: name });
  if (value > DB_MAX_INT) throw invalidInput(`${name} must be <= ${DB_MAX_INT}`, { field: name });
  return value;
}

function readSort(take: (name: string) => string | undefined, defaultSort: readonly Sort[]): Sort[] {
  const [sort, key, direction] = [take('sort'), take('sort_key'), take('sort_dir')];
  if (sort !== undefined) {
    if (key !== undefined || direction !== undefined)
      throw invalidInput("The 'sort_key' and 'sort_dir' parameters are deprecated and cannot be used with the 'sort' parameter.");
    return sort
      .trim()
      .split(',')
      .map((part) => {
        const [field = '', dir] = part.split(':');
        return sortOf(field, dir || 'desc');
      });
  }
  if (key === undefined && direction === undefined) return [...defaultSort];
  return [sortOf(key ?? 'created_at', direction ?? 'desc')];
}

function sortOf(field: string, direction: string): Sort {
  const dir = direction.trim();
  if (dir !== 'asc' && dir !== 'desc') throw invalid("Unknown sort direction, must be 'desc' or 'asc'.", { field: 'sort_dir' });
  return { field: field.trim(), direction: dir };
}

/** Checks that the sort's fields exist, and gives fields their names in the store. */
export function sortFor<Row>(spec: ListSpec<Row>, sort: readonly Sort[], rename: Readonly<Record<string, string>> = {}): Sort[] {
  return sort.map(({ field, direction }) => {
    const name = rename[field] ?? field;
    if (!Object.hasOwn(spec.columns, name)) throw invalid(`Sort key supplied is invalid: ${field}`, { field: 'sort_key' });
    return { field: name, ...(direction && { direction }) };
  });
}

/**
 * Drops or refuses filters that this caller may not use: from microversion 3.31 they are refused, before they are ignored. From 3.34 a name with
 * `~` at its end searches for a part. Administrators may use all.
 */
export function restrictFilters(request: Pick<Request, 'ctx' | 'version'>, filters: Map<string, string>, resource: string, before331: readonly string[]): void {
  const { ctx, version } = request;
  if (version.before('3.31')) {
    if (isAdmin(ctx)) return;
    for (const name of [...filters.keys()]) if (!before331.includes(name)) filters.delete(name);
    return;
  }
  for (const name of filters.keys()) if (/[^\x00-\x7f]/.test(name)) throw invalidInput('Filter keys can only contain ASCII characters.');
  if (isAdmin(ctx)) return;
  const known = RESOURCE_FILTERS[resource] ?? [];
  const bad = [...filters.keys()].filter((name) => !known.includes(name) && !(version.atLeast('3.34') && known.includes(`${name}~`)));
  // clients add it always
  const refused = bad.filter((name) => name !== 'all_tenants');
  if (refused.length < bad.length) filters.delete('all_tenants');
  if (refused.length > 0) throw invalidInput(`Invalid filters ${refused.join(',')} are found in query options.`);
}

/** How a resource's filters reach its rows. */
export interface FilterRules<Row> {
  readonly spec: ListSpec<Row>;
  /** The request's name → the store's. */
  readonly rename?: Readonly<Record<string, string>>;
  /** Filters whose text is taken as it is; others may be Python literals. */
  readonly verbatim?: readonly string[];
  readonly metadata?: { readonly name: string; readonly kind: MetadataKind }[];
  /** Fields with `gt:`, `lte:` ... before a time. */
  readonly times?: readonly string[];
  readonly booleans?: readonly string[];
  /** Booleans are true or false and nothing else (microversion 3.2). */
  readonly strictBooleans?: boolean;
  /** `status~`: parts of values may be searched for. */
  readonly like?: boolean;
}

export interface Conditions {
  readonly filters: Filter[];
  readonly where: ((query: ListQuery) => ListQuery) | undefined;
}

/** The conditions of a list; undefined when a filter is unknown, which upstream answers with an empty list. */
export function conditionsOf<Row>(rules: FilterRules<Row>, asked: ReadonlyMap<string, string>): Conditions | undefined {
  const filters: Filter[] = [];
  const wheres: ((query: ListQuery) => ListQuery)[] = [];
  for (const [asName, text] of asked) {
    const like = asName.endsWith('~') && rules.like === true;
    const plain = like ? asName.slice(0, -1) : asName;
    const field = rules.rename?.[plain] ?? plain;
    const pairs = rules.metadata?.find((one) => one.name === field);
    if (pairs) {
      const value = parseLiteral(text);
      if (value === null || typeof value !== 'object' || Array.isArray(value)) return undefined;
      const wanted = Object.fromEntries(Object.entries(value as Record<string, Literal>).map(([key, each]) => [key, String(each)]));
      wheres.push((query) => havingPairs(query, rules.spec.table, pairs.kind, wanted));
      continue;
    }
    if (!Object.hasOwn(rules.spec.columns, field)) return undefined;
    if (rules.times?.includes(field)) {
      filters.push(...timeFilters(field, text));
      continue;
    }
    if (like) {
      filters.push({ field, op: 'like', value: `%${text.replace(/[\\%_]/g, '\\$&')}%` });
      continue;
    }
    if (field === 'host' && rules.spec.table !== 'cinder_attachment') {
      filters.push({ field, op: 'eq', value: storageOfPlace(text) ?? '' });
      continue;
    }
    if (rules.booleans?.includes(field)) {
      filters.push({ field, op: 'eq', value: booleanFilter(field, text, rules.strictBooleans === true) });
      continue;
    }
    const value = rules.verbatim?.includes(field) ? text : (parseLiteral(text) ?? text);
    if (value !== null && typeof value === 'object') {
      if (!Array.isArray(value)) return undefined;
      filters.push({ field, op: 'in', value: value.filter((one): one is FilterValue & string => one === null || typeof one !== 'object') });
    } else filters.push({ field, op: 'eq', value: value as FilterValue });
  }
  return { filters, where: wheres.length === 0 ? undefined : (query) => wheres.reduce((narrowed, where) => where(narrowed), query) };
}

function booleanFilter(field: string, text: string, strict: boolean): boolean {
  if (!strict) return !['False', 'false', 'FALSE'].includes(text) && text !== '';
  const value = parseBoolean(text);
  if (value === undefined) throw invalid(`'${field} = ${text}'`, { field });
  return value;
}

const OPERATORS = { gt: 'gt', gte: 'gte', eq: 'eq', neq: 'ne', lt: 'lt', lte: 'lte' } as const;

/** `gt:2026-01-01T00:00:00,lt:2026-02-01T00:00:00`. */
function timeFilters(field: string, text: string): Filter[] {
  return text.split(',').map((part) => {
    const [operator = '', ...rest] = part.split(':');
    if (!Object.hasOwn(OPERATORS, operator)) throw invalidInput(`Invalid ${operator} operator`, { field });
    const time = rest.join(':');
    const utc = /(?:Z|[+-]\d\d:?\d\d)$/i.test(time) ? time : `${time}Z`;
    const atMs = /^\d{4}-\d\d-\d\d/.test(time) ? Date.parse(utc) : Number.NaN;
    if (Number.isNaN(atMs)) throw invalidInput(`Invalid ${time} value`, { field });
    return { field, op: OPERATORS[operator as keyof typeof OPERATORS], value: atMs } as Filter;
  });
}

/** Reads one page, with the offset that upstream allows beside or instead of the marker. */
export async function pageWithOffset<Row>(
  read: (request: ListRequest) => Promise<ListPage<Row>>,
  request: ListRequest,
  ask: Pick<ListAsk, 'marker' | 'limit' | 'offset'>,
): Promise<readonly Row[]> {
  const { marker, limit, offset } = ask;
  if (offset === 0) return (await read({ ...request, marker, limit })).rows;
  if (marker === undefined) {
    const { where } = request;
    return (await read({ ...request, limit, where: (query) => (where ? where(query) : query).offset(offset) })).rows;
  }
  return (await read({ ...request, marker, limit: limit + offset })).rows.slice(offset);
}
