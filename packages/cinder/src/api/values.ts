import { invalidInput } from '@cairn/kit/errors/errors';
import { invalid } from '../errors.ts';

const TRUE = new Set(['1', 't', 'true', 'on', 'y', 'yes']);
const FALSE = new Set(['0', 'f', 'false', 'off', 'n', 'no']);

/** oslo's `bool_from_string`, strict; undefined for what is neither. */
export function parseBoolean(value: unknown): boolean | undefined {
  if (typeof value === 'boolean') return value;
  const text = String(value).trim().toLowerCase();
  return TRUE.has(text) ? true : FALSE.has(text) ? false : undefined;
}

/** A boolean of a body that its schema has let through. */
export const asBoolean = (value: unknown): boolean => parseBoolean(value) ?? false;

/** A boolean of the query; absent is false. */
export function queryBoolean(query: URLSearchParams | ReadonlyMap<string, string>, name: string): boolean {
  const text = query.get(name);
  if (text === null || text === undefined) return false;
  const value = parseBoolean(text);
  if (value === undefined) throw invalidInput(`Value '${text}' for '${name}' is not a boolean.`, { field: name });
  return value;
}

/** Names and descriptions lose the white space around them, and have 255 characters at most. */
export function cleanText(value: unknown, field: string): string | null | undefined {
  if (typeof value !== 'string') return value === null ? null : undefined;
  const text = value.trim();
  if ([...text].length > 255) throw invalid(`${field} has ${[...text].length} characters, more than 255.`, { field });
  return text;
}
