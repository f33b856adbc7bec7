import { invalidInput } from '@cairn/kit/errors/errors';
import type { AnyBody, Request } from '@cairn/kit/http/operation';
import type { TSchema } from 'typebox';
import type { NovaApp } from '../app/app.ts';
import { json, multi, nonNegativeInteger } from './schemas/types.ts';

type Asked = Pick<Request<AnyBody>, 'query'>;

/** A query that takes further parameters as they come. */
export const openQuery = (properties: Readonly<Record<string, object>>): TSchema => json({ type: 'object', properties, additionalProperties: true });
/** A query that refuses further parameters. */
export const closedQuery = (properties: Readonly<Record<string, object>>): TSchema => json({ type: 'object', properties, additionalProperties: false });
/** Open until 2.74, closed from 2.75: most of nova's lists. */
export const queryClosedFrom275 = (properties: Readonly<Record<string, object>>) =>
  [
    { from: '2.1', schema: openQuery(properties) },
    { from: '2.75', schema: closedQuery(properties) },
  ] as const;

/** A text that may come several times. */
export const text = multi({ type: 'string' });
/** `limit` and `marker`. */
export const pagination = { limit: multi(nonNegativeInteger), marker: text };

/** The last value of a parameter: webob's choice among several. */
export const last = (request: Asked, name: string): string | undefined => request.query.getAll(name).at(-1);
export const first = (request: Asked, name: string): string | undefined => request.query.get(name) ?? undefined;

/** The page asked for, at most the configured size (nova/api/openstack/common.py, get_limit_and_marker). The query's schema was checked. */
export function pageOf(app: NovaApp, request: Asked): { readonly limit: number; readonly marker: string | undefined } {
  const limit = last(request, 'limit');
  const { maxLimit } = app.deps.options;
  return { limit: limit === undefined ? maxLimit : Math.min(Number(limit), maxLimit), marker: last(request, 'marker') };
}

/** Offset and limit as the lists without markers take them; a limit of 0 is none. */
export function sliceOf(app: NovaApp, request: Asked): { readonly limit: number; readonly offset: number } {
  const { maxLimit } = app.deps.options;
  return { limit: Math.min(integer(request, 'limit') || maxLimit, maxLimit), offset: integer(request, 'offset') };
}

function integer(request: Asked, name: string): number {
  const value = last(request, name);
  if (value === undefined) return 0;
  if (!/^\d{1,15}$/.test(value)) throw invalidInput(`Invalid input received: ${name} must be an integer that is not negative`, { field: name });
  return Number(value);
}

/** A boolean in any of the words that oslo's strutils knows; undefined for another word. */
export function booleanOf(value: unknown): boolean | undefined {
  const word = String(value).trim().toLowerCase();
  if (['1', 't', 'true', 'on', 'y', 'yes'].includes(word)) return true;
  return ['0', 'f', 'false', 'off', 'n', 'no'].includes(word) ? false : undefined;
}

/** A number of a body that may come as text; JSON schema sees no bounds in texts. Throws upstream's 400. */
export function bounded(field: string, value: number | string, minimum: number, maximum = 0x7fffffff): number {
  const amount = Number(value);
  const refuse = (why: string): Error =>
    invalidInput(`Invalid input for field/attribute ${field}. Value: ${value}. ${why}`, { type: 'ValidationError', field });
  if (amount < minimum) throw refuse(`${amount} is less than the minimum of ${minimum}`);
  if (amount > maximum) throw refuse(`${amount} is greater than the maximum of ${maximum}`);
  return amount;
}
