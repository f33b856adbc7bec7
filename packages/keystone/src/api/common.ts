import { operationsOf, type Request } from '@cairn/kit/http/operation';
import type { KeystoneApp } from '../app/app.ts';
import type { AuthCall } from '../app/auth-methods/method.ts';
import { initiatorOf, type Initiator } from '../app/core.ts';
import { DEFAULT_DOMAIN_ID } from '../options.ts';
import { invalid } from '../errors.ts';
import type { ListFilter, Paging } from '../store/lists.ts';

export type { KeystoneApp };
export { equals } from '../app/filters.ts';
export const op = operationsOf<KeystoneApp>();

// oxlint-disable-next-line typescript/no-explicit-any -- handlers narrow their own bodies; helpers here do not look at them
export type AnyRequest = Request<any>;

/** `http://host/identity/v3`: the start of every link. */
export const v3 = (req: AnyRequest): string => `${req.baseUrl}/v3`;
export const who = (req: AnyRequest): Initiator => ({ ...initiatorOf(req.ctx), remoteAddress: req.remoteAddress, userAgent: headerOf(req, 'user-agent') });

/** A header by its name in lower case; the first where it was sent more than once. */
export function headerOf(req: AnyRequest, name: string): string | undefined {
  const value = req.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

/** The HTTP request as authentication methods look at it. */
export const callOf = (req: AnyRequest): AuthCall => ({
  requestId: req.requestId,
  remoteAddress: req.remoteAddress,
  headers: req.headers,
  url: `${req.baseUrl}${req.url}`,
  userAgent: headerOf(req, 'user-agent'),
});

/** A parameter that the path is known to have. */
export function param(req: AnyRequest, name: string): string {
  const value = req.params[name];
  if (value === undefined) throw new Error(`the path has no ${name}`);
  return value;
}

type Wire = Readonly<Record<string, unknown>>;

/** `{user: {..., links: {self}}}`. */
export const member = (req: AnyRequest, name: string, collection: string, view: Wire & { readonly id: string }): Record<string, unknown> => ({
  [name]: withSelf(req, collection, view),
});

export const withSelf = (req: AnyRequest, collection: string, view: Wire & { readonly id: string }): Record<string, unknown> => ({
  ...view,
  links: { self: `${v3(req)}/${collection}/${view.id}` },
});

const pathOf = (url: string): string => {
  const end = url.indexOf('?');
  return (end < 0 ? url : url.slice(0, end)).replace(/\/+$/, '');
};

/** `{users: [...], links: {next, self, previous}}`; a page that is not the last says where the next is. */
export function collection(
  req: AnyRequest,
  name: string,
  views: readonly (Wire & { readonly id: string })[],
  page: { readonly hasMore?: boolean; readonly limit?: number; readonly path?: string } = {},
): Record<string, unknown> {
  return listing(
    req,
    name,
    views.map((view) => withSelf(req, page.path ?? name, view)),
    views.at(-1)?.id,
    page,
  );
}

/** The same for entries that have links of their own. */
export function listing(
  req: AnyRequest,
  name: string,
  entries: readonly Wire[],
  lastId?: string,
  page: { readonly hasMore?: boolean; readonly limit?: number } = {},
): Record<string, unknown> {
  let next: string | null = null;
  if (page.hasMore && lastId !== undefined) {
    const query = new URLSearchParams(req.query);
    query.set('marker', lastId);
    query.set('limit', String(page.limit ?? entries.length));
    next = `${req.baseUrl}${pathOf(req.url)}?${query}`;
  }
  return { [name]: entries, links: { next, self: selfOf(req), previous: null }, ...(page.hasMore && { truncated: true }) };
}

/** The address that was asked for. */
export const selfOf = (req: AnyRequest): string => {
  const at = req.url.indexOf('?');
  return `${req.baseUrl}${pathOf(req.url)}${at < 0 ? '' : req.url.slice(at)}`;
};

const FALSE = new Set(['0', 'f', 'false', 'off', 'n', 'no']);
/** oslo's reading of a boolean in a query, true where it is neither. */
const booleanOf = (text: string): boolean => !FALSE.has(text.trim().toLowerCase());

/** Conditions that a query names of those that are supported: `name=`, `name__contains=`, `name__icontains=`... */
export function filtersOf(req: AnyRequest, fields: readonly string[], booleans: readonly string[] = []): ListFilter[] {
  const filters: ListFilter[] = [];
  for (const [key, value] of req.query) {
    const [field = '', inexact] = key.split('__', 2) as [string, string?];
    if (!fields.includes(field)) continue;
    if (inexact === undefined) {
      filters.push({ field, comparator: 'equals', ignoreCase: false, value: booleans.includes(field) ? booleanOf(value) : value });
      continue;
    }
    const ignoreCase = inexact.startsWith('i');
    const comparator = ignoreCase ? inexact.slice(1) : inexact;
    if (comparator === 'contains' || comparator === 'startswith' || comparator === 'endswith') filters.push({ field, comparator, ignoreCase, value });
  }
  return filters;
}

export function pagingOf(req: AnyRequest): Paging {
  const limit = req.query.get('limit');
  const marker = req.query.get('marker');
  if (limit !== null && !/^\d{1,9}$/.test(limit))
    throw invalid(`Invalid input for query parameters limit. Value: ${limit}. It must be an integer that is not negative.`, 'limit');
  return { ...(limit !== null && Number(limit) > 0 && { limit: Number(limit) }), ...(marker !== null && marker !== '' && { marker }) };
}

/** A flag of the query: there, and not `0`. */
export const flag = (req: AnyRequest, name: string): boolean => req.query.has(name) && req.query.get(name) !== '0';

/** The domain of a new user, group or project that names none: the token's, or else the default one. */
export const domainFor = (req: AnyRequest, given: string | null | undefined): string => given || req.ctx.domainId || DEFAULT_DOMAIN_ID;

/** An id in a body must be the one of the path. */
export function requireSameId(req: AnyRequest, name: string, body: Readonly<Record<string, unknown>>): void {
  if (body.id !== undefined && body.id !== null && body.id !== req.params[name]) throw invalid('Cannot change ID', 'id');
}

/** A field of an unvalidated body, for policy targets. */
export function unchecked(req: AnyRequest, name: string): Readonly<Record<string, unknown>> {
  const body: unknown = req.body;
  const part = body !== null && typeof body === 'object' ? (body as Record<string, unknown>)[name] : undefined;
  return part !== null && typeof part === 'object' && !Array.isArray(part) ? (part as Record<string, unknown>) : {};
}

/** What a rule is asked with: the path's parameters, and the resource below `target`. */
export const targetOf = (req: AnyRequest, target: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> => ({ ...req.params, target });

/** A list that a caller with a domain scope sees the domain's part of. */
export const domainTarget = (_app: KeystoneApp, req: AnyRequest): Readonly<Record<string, unknown>> =>
  req.ctx.domainId === undefined ? {} : { target: { domain_id: req.ctx.domainId } };
/** No target at all: only what the rule says of the caller counts. */
export const noTarget = (_app: KeystoneApp, req: AnyRequest): Readonly<Record<string, unknown>> => ({ ...req.params });

/** Microseconds as upstream's JSON writes naive times: `2026-11-23T02:28:29.123456`. */
export function naiveMicros(us: number): string {
  const ms = Math.floor(us / 1000);
  return `${new Date(ms).toISOString().slice(0, 23)}${String(us - ms * 1000).padStart(3, '0')}`;
}
