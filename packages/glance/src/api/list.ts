import { invalidInput } from '@cairn/kit/errors/errors';
import type { AnyBody, Request } from '@cairn/kit/http/operation';
import type { ListPage, ListQuery, ListRequest, Sort } from '@cairn/kit/store/list';
import type { Filter } from '@cairn/kit/store/list-filter';
import { hasProperty, hasTag, imageScope } from '../app/image-list.ts';
import type { ImageRow } from '../store/tables.ts';

const PAGE_DEFAULT = 25;
const PAGE_MAX = 1_000;
const SORTABLE = new Set([
  'name',
  'status',
  'container_format',
  'disk_format',
  'size',
  'id',
  'created_at',
  'updated_at',
  'min_disk',
  'min_ram',
  'owner',
  'protected',
  'visibility',
  'checksum',
]);
const EQUAL = new Set(['id', 'name', 'status', 'container_format', 'disk_format', 'size', 'min_disk', 'min_ram', 'owner', 'checksum', 'os_hash_value']);
const IN = new Set(['id', 'name', 'status', 'container_format', 'disk_format']);
const TIMES = new Set(['created_at', 'updated_at']);
const OPERATORS: Readonly<Record<string, 'eq' | 'ne' | 'gt' | 'gte' | 'lt' | 'lte'>> = { eq: 'eq', neq: 'ne', gt: 'gt', gte: 'gte', lt: 'lt', lte: 'lte' };

/** The query of GET /v2/images as a page request (glance/api/v2/images.py, index). */
export function listRequest(req: Request<AnyBody>): { limit: number; request: ListRequest } {
  const { query, ctx } = req;
  const limit = limitOf(query.get('limit'));
  const filters: Filter[] = [];
  const wheres: ((q: ListQuery) => ListQuery)[] = [];
  for (const [key, value] of query) {
    if (['limit', 'marker', 'sort', 'sort_key', 'sort_dir', 'visibility', 'member_status', 'tag', 'os_hidden'].includes(key)) continue;
    if (key === 'protected') {
      if (!['true', 'false'].includes(value))
        throw invalidInput(`Invalid value '${value}' for 'protected' filter. Valid values are case sensitive 'true' or 'false'.`, { field: key });
      filters.push({ field: 'protected', op: 'eq', value: value === 'true' });
    } else if (TIMES.has(key)) filters.push(timeFilter(key, value));
    else if (key === 'size_min' || key === 'size_max') {
      if (!/^\d+$/.test(value)) throw invalidInput(`${key} must be a non-negative integer.`, { field: key });
      filters.push({ field: 'size', op: key === 'size_min' ? 'gte' : 'lte', value: Number(value) });
    } else if (EQUAL.has(key)) {
      const many = IN.has(key) && value.startsWith('in:') ? splitIn(value.slice(3)) : undefined;
      filters.push(many ? { field: key, op: 'in', value: many } : { field: key, op: 'eq', value });
    } else wheres.push(hasProperty(key, value));
  }
  for (const tag of query.getAll('tag')) wheres.push(hasTag(tag));
  const hidden = query.get('os_hidden');
  if (hidden !== null && !['true', 'false', 'True', 'False'].includes(hidden))
    throw invalidInput(`Invalid value '${hidden}' for 'os_hidden' filter. Valid values are case sensitive 'true' or 'false'.`, { field: 'os_hidden' });
  filters.push({ field: 'os_hidden', op: 'eq', value: hidden?.toLowerCase() === 'true' });
  const memberStatus = query.get('member_status') ?? 'accepted';
  if (!['pending', 'accepted', 'rejected', 'all'].includes(memberStatus)) throw invalidInput(`Invalid status: ${memberStatus}`, { field: 'member_status' });
  const visibility = query.get('visibility');
  if (visibility !== null && !['public', 'private', 'shared', 'community', 'all'].includes(visibility))
    throw invalidInput(`Invalid visibility value: ${visibility}`, { field: 'visibility' });
  const scope = imageScope(ctx, visibility, memberStatus);
  const marker = query.get('marker') ?? undefined;
  return {
    limit,
    request: {
      filters,
      sort: sortOf(query),
      limit,
      ...(marker !== undefined && { marker }),
      scope: (q) => q,
      where: (q) => wheres.reduce((query2, where) => where(query2), scope(q)),
    },
  };
}

function limitOf(text: string | null): number {
  if (text === null) return PAGE_DEFAULT;
  if (!/^-?\d+$/.test(text)) throw invalidInput('limit param must be an integer', { field: 'limit' });
  const limit = Number(text);
  if (limit < 0) throw invalidInput('limit param must be positive', { field: 'limit' });
  return Math.min(limit, PAGE_MAX);
}

function sortOf(query: URLSearchParams): Sort[] {
  const keys = query.getAll('sort_key');
  const directions = query.getAll('sort_dir');
  const both = query.get('sort');
  if (both !== null && (keys.length > 0 || directions.length > 0)) throw invalidInput('Old and new sorting syntax cannot be combined', { field: 'sort' });
  const pairs: [string, string][] =
    both !== null
      ? both.split(',').map((part) => {
          const [key = '', direction = 'desc'] = part.split(':');
          return [key.trim(), direction.trim()];
        })
      : keys.length > 0
        ? keys.map((key, i) => [key, directions[i] ?? directions[0] ?? 'desc'])
        : directions.length > 0
          ? [['created_at', directions[0] as string]]
          : [];
  for (const [key, direction] of pairs) {
    if (!SORTABLE.has(key))
      throw invalidInput(`Invalid sort key: ${key}. It must be one of the following: ${[...SORTABLE].join(', ')}.`, { field: 'sort_key' });
    if (direction !== 'asc' && direction !== 'desc')
      throw invalidInput(`Invalid sort direction: ${direction}. It must be one of the following: asc, desc.`, { field: 'sort_dir' });
  }
  const sorts: Sort[] = pairs.map(([field, direction]) => ({ field, direction: direction as 'asc' | 'desc' }));
  // upstream breaks ties by these, always
  const last = sorts.at(-1)?.direction ?? 'desc';
  return [...sorts, { field: 'created_at', direction: last }, { field: 'id', direction: last }];
}

function timeFilter(field: string, value: string): Filter {
  const match = /^(?:(eq|neq|gt|gte|lt|lte):)?(.*)$/.exec(value);
  const at = Date.parse(match?.[2] ?? '');
  if (Number.isNaN(at)) throw invalidInput(`Invalid time format: ${match?.[2] ?? value}.`, { field });
  return { field, op: OPERATORS[match?.[1] ?? 'eq'] ?? 'eq', value: at };
}

/** `in:a,"b,c"`: commas within double quotes belong to a value. */
function splitIn(text: string): string[] {
  const values = [...text.matchAll(/"((?:[^"\\]|\\.)*)"|([^,]+)/g)].map((m) => (m[1] !== undefined ? m[1].replaceAll(/\\(.)/g, '$1') : (m[2] as string)));
  if (values.length === 0 || (text.match(/"/g)?.length ?? 0) % 2 === 1) throw invalidInput(`Invalid filter value ${text}. The quote is not closed.`);
  return values;
}

/** `first` always, `next` when there is more; both keep the other parameters. */
export function nextLinks(req: Request<AnyBody>, path: string, limit: number, page: ListPage<ImageRow>): object {
  const keep = new URLSearchParams(req.query);
  keep.delete('marker');
  const first = `${path}${keep.size > 0 ? `?${keep}` : ''}`;
  const last = page.rows.at(-1);
  if (!page.hasMore || !last || limit === 0) return { first };
  keep.set('marker', last.id);
  return { first, next: `${path}?${keep}` };
}
