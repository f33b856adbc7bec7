import { invalidInput } from '@cairn/kit/errors/errors';
import type { AnyBody, Request } from '@cairn/kit/http/operation';
import type { ListPage, ListQuery, ListRequest, Sort } from '@cairn/kit/store/list';
import type { Filter } from '@cairn/kit/store/list-filter';
import { hasProperty, hasTag, imageScope, nothing, timeOutside } from '../app/image-list.ts';
import type { ImageRow } from '../store/tables.ts';

const PAGE_DEFAULT = 25;
const PAGE_MAX = 1_000;
const SORTABLE = ['name', 'status', 'container_format', 'disk_format', 'size', 'id', 'created_at', 'updated_at'];
/** Attributes that are compared for being equal. */
const EQUAL = new Set(['size', 'virtual_size', 'min_disk', 'min_ram', 'owner', 'checksum', 'os_hash_value', 'os_hash_algo']);
/** Attributes that take `in:` and `eq:` before the value. */
const LISTED = new Set(['id', 'name', 'status', 'container_format', 'disk_format']);
const TIMES = new Set(['created_at', 'updated_at']);
const RANGES: Readonly<Record<string, string>> = { size: 'size', min_disk: 'min_disk', min_ram: 'min_ram', virtual_size: 'virtual_size' };
/** Not filters of attributes, or filters that have places of their own. */
const APART = new Set(['limit', 'marker', 'sort', 'sort_key', 'sort_dir', 'visibility', 'member_status', 'tag', 'os_hidden', 'protected', 'changes-since']);

/** The query of GET /v2/images as a page request (glance/api/v2/images.py, index; glance/db/sqlalchemy/api.py, _make_conditions_from_filters). */
export function listRequest(req: Request<AnyBody>, readable: (property: string) => boolean): { limit: number; request: ListRequest } {
  const { query, ctx } = req;
  const limit = limitOf(query.get('limit'));
  const filters: Filter[] = [];
  const wheres: ((q: ListQuery) => ListQuery)[] = [];
  if (query.get('changes-since')) throw invalidInput('The "changes-since" filter is no longer available on v2.', { field: 'changes-since' });
  const visibility = query.get('visibility') || null;
  if (visibility !== null && !['public', 'private', 'shared', 'community', 'all'].includes(visibility))
    throw invalidInput(`Invalid visibility value: ${visibility}`, { field: 'visibility' });
  const memberStatus = query.get('member_status') ?? 'accepted';
  if (!['pending', 'accepted', 'rejected', 'all'].includes(memberStatus)) throw invalidInput(`Invalid status: ${memberStatus}`, { field: 'member_status' });
  const sort = sortOf(query);
  const hidden = (query.get('os_hidden') ?? 'false').toLowerCase();
  filters.push({ field: 'os_hidden', op: 'eq', value: flagOf('os_hidden', hidden) });
  const kept = query.get('protected');
  if (kept !== null) filters.push({ field: 'protected', op: 'eq', value: flagOf('protected', kept) });
  // of a parameter that comes more than once the last one counts
  for (const [key, value] of new Map(query)) {
    if (APART.has(key)) continue;
    if (TIMES.has(key)) {
      const condition = timeCondition(key, value);
      if (typeof condition === 'function') wheres.push(condition);
      else filters.push(...condition);
      continue;
    }
    const filter = filterOf(key, value);
    if (filter) filters.push(filter);
    // what the caller may not read must not be found out by asking for it
    else wheres.push(readable(key) ? hasProperty(key, value) : nothing);
  }
  for (const tag of query.getAll('tag')) wheres.push(hasTag(tag.trim()));
  const scope = imageScope(ctx, visibility, memberStatus);
  const marker = query.get('marker') ?? undefined;
  return {
    limit,
    request: {
      filters,
      sort,
      limit,
      ...(marker !== undefined && { marker }),
      where: (q) => wheres.reduce((query2, where) => where(query2), scope(q)),
    },
  };
}

/** The filter that a parameter stands for; undefined where it names a property of the users' own. */
function filterOf(key: string, value: string): Filter | undefined {
  const range = /^(.+)_(min|max)$/.exec(key);
  if (range) {
    const field = RANGES[range[1] as string];
    if (!/^\s*[+-]?\d+\s*$/.test(value)) throw invalidInput('Unable to filter on a range with a non-numeric value.', { field: key });
    if (field === undefined) throw invalidInput(`Unable to filter on a range of '${range[1]}'.`, { field: key });
    return { field, op: range[2] === 'min' ? 'gte' : 'lte', value: Number(value) };
  }
  if (LISTED.has(key)) {
    const [, operator, rest] = /^([^:]*):([^]*)$/.exec(value) ?? [];
    if (operator === undefined || rest === undefined || isTime(value)) return { field: key, op: 'eq', value };
    if (operator === 'in') return { field: key, op: 'in', value: splitIn(rest) };
    if (operator === 'eq') return { field: key, op: 'eq', value: rest };
    throw invalidInput(`Unable to filter by unknown operator '${operator}'.`, { field: key });
  }
  return EQUAL.has(key) ? { field: key, op: 'eq', value } : undefined;
}

function flagOf(field: string, text: string): boolean {
  if (text !== 'true' && text !== 'false') throw invalidInput(`Invalid value '${text}' for '${field}' filter. Valid values are 'true' or 'false'.`, { field });
  return text === 'true';
}

function limitOf(text: string | null): number {
  if (text === null) return PAGE_DEFAULT;
  if (!/^\s*[+-]?\d{1,15}\s*$/.test(text)) throw invalidInput('limit param must be an integer', { field: 'limit' });
  const limit = Number(text);
  if (limit < 0) throw invalidInput('limit param must be positive', { field: 'limit' });
  return Math.min(limit, PAGE_MAX);
}

/** Both syntaxes of sorting; ties are broken by time of creation and id, in the one direction that was given, or descending. */
function sortOf(query: URLSearchParams): Sort[] {
  const keys: string[] = [];
  const directions: string[] = [];
  const both = query.get('sort');
  if (both !== null) {
    if (query.has('sort_key') || query.has('sort_dir')) throw invalidInput('Old and new sorting syntax cannot be combined', { field: 'sort' });
    for (const part of both.trim().split(',')) {
      const colon = part.indexOf(':');
      keys.push((colon < 0 ? part : part.slice(0, colon)).trim());
      directions.push(colon < 0 || part.length === colon + 1 ? 'desc' : part.slice(colon + 1).trim());
    }
  } else {
    keys.push(...query.getAll('sort_key').map((key) => key.trim()));
    directions.push(...query.getAll('sort_dir').map((direction) => direction.trim()));
  }
  for (const key of keys)
    if (!SORTABLE.includes(key))
      throw invalidInput(`Invalid sort key: ${key}. It must be one of the following: ${SORTABLE.join(', ')}.`, { field: 'sort_key' });
  for (const direction of directions)
    if (direction !== 'asc' && direction !== 'desc') throw invalidInput(`Invalid sort direction: ${direction}`, { field: 'sort_dir' });
  if (directions.length > 1 && directions.length !== keys.length)
    throw invalidInput('Number of sort dirs does not match the number of sort keys', { field: 'sort_dir' });
  if (keys.length === 0) keys.push('created_at');
  const rest = (directions.length === 1 ? directions[0] : 'desc') as 'asc' | 'desc';
  const sorts: Sort[] = keys.map((field, at) => ({ field, direction: (directions[at] as 'asc' | 'desc' | undefined) ?? rest }));
  for (const field of ['created_at', 'id']) if (!keys.includes(field)) sorts.push({ field, direction: rest });
  return sorts;
}

/** An ISO 8601 time in UTC unless it names a zone, as oslo.utils reads it; NaN for anything else. */
function timeOf(text: string): number {
  const match = /^(\d{4})(?:-(\d\d)(?:-(\d\d)(?:[T ](\d\d):?(\d\d)(?::?(\d\d)(?:[.,](\d{1,9}))?)?(Z|[+-]\d\d(?::?\d\d)?)?)?)?)?$/.exec(text);
  if (!match) return Number.NaN;
  const [, year, month = '01', day = '01', hour = '00', minute = '00', second = '00', fraction = '0', zone = 'Z'] = match;
  const offset = zone === 'Z' ? 'Z' : zone.length === 3 ? `${zone}:00` : zone.length === 5 ? `${zone.slice(0, 3)}:${zone.slice(3)}` : zone;
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}.${fraction.slice(0, 3).padEnd(3, '0')}${offset}`);
}
const isTime = (text: string): boolean => !Number.isNaN(timeOf(text));

/**
 * `created_at=gt:2026-11-23T05:00:00Z`. Times are shown in whole seconds, and upstream's database keeps whole seconds: every instant of a
 * second counts as that second.
 */
function timeCondition(field: string, value: string): Filter[] | ((q: ListQuery) => ListQuery) {
  const [, operator = 'eq', text = value] = isTime(value) ? [] : (/^([^:]*):([^]*)$/.exec(value) ?? []);
  const at = timeOf(text);
  if (Number.isNaN(at)) throw invalidInput(`Bad "${field}" query filter format. Use ISO 8601 DateTime notation.`, { field });
  const fromMs = Math.ceil(at / 1000) * 1000;
  const untilMs = Math.floor(at / 1000) * 1000 + 1000;
  switch (operator) {
    case 'gt':
      return [{ field, op: 'gte', value: untilMs }];
    case 'gte':
      return [{ field, op: 'gte', value: fromMs }];
    case 'lt':
      return [{ field, op: 'lt', value: fromMs }];
    case 'lte':
      return [{ field, op: 'lt', value: untilMs }];
    case 'eq':
      return [
        { field, op: 'gte', value: fromMs },
        { field, op: 'lt', value: untilMs },
      ];
    case 'neq':
      return timeOutside(field === 'created_at' ? 'created_at_ms' : 'updated_at_ms', fromMs, untilMs);
    default:
      throw invalidInput(`Unable to filter by unknown operator '${operator}'.`, { field });
  }
}

/** `in:a,"b,c"`: commas within double quotes belong to a value. */
function splitIn(text: string): string[] {
  let open = true;
  for (let i = 0; i < text.length; i++) {
    if (text[i] !== '"' || (i > 0 && text[i - 1] === '\\')) continue;
    if (open && i > 0 && text[i - 1] !== ',') throw invalidInput(`Invalid filter value ${text}. There is no comma before opening quotation mark.`);
    if (!open && i + 1 !== text.length && text[i + 1] !== ',')
      throw invalidInput(`Invalid filter value ${text}. There is no comma after closing quotation mark.`);
    open = !open;
  }
  if (!open) throw invalidInput(`Invalid filter value ${text}. The quote is not closed.`);
  return [...text.matchAll(/"([^"\\]*(?:\\.[^"\\]*)*)",?|([^,]+),?|,/g)].map((match) => match[1] || match[2] || '');
}

/** `first` always, `next` after a full page; both keep the other parameters. */
export function nextLinks(req: Request<AnyBody>, path: string, limit: number, page: ListPage<ImageRow>): object {
  const keep = new URLSearchParams(req.query);
  keep.delete('marker');
  const first = `${path}${keep.size > 0 ? `?${keep}` : ''}`;
  const last = page.rows.at(-1);
  if (!last || page.rows.length < limit) return { first };
  keep.set('marker', last.id);
  return { first, next: `${path}?${keep}` };
}
