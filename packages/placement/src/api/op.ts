import { CairnError, isCairnError, notFound } from '@cairn/kit/errors/errors';
import { operationsOf, type Request, type Versioned } from '@cairn/kit/http/operation';
import type { Admission } from '@cairn/kit/http/service';
import { schemaAt, validate } from '@cairn/kit/http/validation';
import type { TSchema } from 'typebox';
import type { PlacementApp } from '../app/app.ts';
import { bad } from '../app/errors.ts';
import { schemaFault } from './schema-fault.ts';

/** Declares one of placement's operations. */
export const op = operationsOf<PlacementApp>();

/** A JSON schema that is written out, as upstream writes its own. */
export const schema = (document: Readonly<Record<string, unknown>>): TSchema => document as TSchema;

/** Reads without a body of their own: they know no Accept header. */
const ANY_ACCEPT = new Set(['placement.trait.show', 'placement.versions.list', 'placement.versions.list-cached']);

/** Header rules of every operation: JSON bodies must say so, and JSON answers must be welcome (placement/handler.py, placement/util.py). */
export function admit({ operation, method, headers, hasBody }: Admission): void {
  const type = String(headers['content-type'] ?? '')
    .split(';')[0]
    ?.trim();
  if (hasBody && type === '') throw bad('content-type header required when content-length > 0');
  if (operation.body !== undefined && type !== 'application/json')
    throw new CairnError('UnsupportedMediaType', `The media type ${type || 'None'} is not supported, use application/json`);
  const accept = String(headers['accept'] ?? '');
  if (method === 'GET' && accept !== '' && !ANY_ACCEPT.has(operation.id) && !welcomesJson(accept))
    throw new CairnError('NotAcceptable', 'Only application/json is provided');
}

function welcomesJson(accept: string): boolean {
  return accept.split(',').some((range) => {
    const [type, ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
    return ['*/*', 'application/*', 'application/json'].includes(type ?? '') && !parameters.some((p) => /^q=0(\.0*)?$/.test(p));
  });
}

/** The request's body, if it keeps to the schema of its microversion. */
export function bodyOf<T>(request: Request, schemas: Versioned): T {
  if (request.body === undefined) throw bad('Malformed JSON: the body is empty');
  check(schemaAt(schemas, request.version), request.body, 'JSON does not validate');
  return request.body as T;
}

/** Checks the query by the schema of the request's microversion; of a repeated parameter the last one counts, as upstream's checks see it. */
export function checkQuery(request: Request, schemas: Versioned): void {
  const query: Record<string, string> = Object.create(null);
  for (const [key, value] of request.query) {
    if (value.includes('\0')) throw bad(`Invalid query string parameters: ${key} contains a NUL character`);
    query[key] = value;
  }
  check(schemaAt(schemas, request.version), { ...query }, 'Invalid query string parameters');
}

function check(document: TSchema | undefined, value: unknown, prefix: string): void {
  try {
    if (document) validate(document, value, 'body');
  } catch (error) {
    if (isCairnError(error) && error.type === 'ValidationError') throw bad(`${prefix}: ${schemaFault(error.detail)}`);
    throw error;
  }
}

/** The value of a query parameter; of a repeated one the last, as upstream takes it. */
export const lastOf = (query: URLSearchParams, name: string): string | undefined => query.getAll(name).at(-1);

/** A parameter of the path; one with a NUL, which no database stores, names nothing. */
export function param(request: Request, name: string): string {
  const value = request.params[name] ?? '';
  if (value.includes('\0')) throw notFound('');
  return value;
}

/** The path under which placement is mounted, for links: they carry no host. */
export const mountOf = (request: Request): string => request.baseUrl.replace(/^https?:\/\/[^/]*/, '');

/** Caching headers, from microversion 1.15 on; without a time no last-modified. */
export function cacheHeaders(request: Request, lastModifiedMs: number | undefined): Record<string, string> {
  if (request.version.before('1.15')) return {};
  return { 'cache-control': 'no-cache', ...(lastModifiedMs !== undefined && { 'last-modified': new Date(lastModifiedMs).toUTCString() }) };
}

/** The latest of some times; `otherwise` where there are none. */
export const latest = <T>(times: readonly number[], otherwise: T): number | T => (times.length > 0 ? times.reduce((a, b) => Math.max(a, b)) : otherwise);
