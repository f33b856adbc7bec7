import { invalidInput } from '../errors.ts';
import { parseCidr, writtenText } from '../net/cidr.ts';
import { canonicalIp } from '../net/ip.ts';
import { canonicalMac } from '../net/mac.ts';
import { pyStr } from '../net/python-text.ts';

/** neutron_lib/api/converters.py, by subject. Each throws InvalidInput with upstream's words. */

const TRUE = new Set(['1', 't', 'true', 'on', 'y', 'yes']);
const FALSE = new Set(['0', 'f', 'false', 'off', 'n', 'no']);

export function toBoolean(value: unknown): boolean {
  if (typeof value === 'boolean') return value;
  const text = pyStr(value).trim().toLowerCase();
  if (TRUE.has(text)) return true;
  if (FALSE.has(text)) return false;
  throw invalidInput(`'${pyStr(value)}' cannot be converted to boolean`);
}

export const toBooleanOrNull = (value: unknown): boolean | null => (value === null || value === undefined ? null : toBoolean(value));

/** Python's int(): whole numbers, floats cut off, text of digits, booleans as 0 and 1. */
export function pythonInt(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? Math.trunc(value) : undefined;
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (typeof value === 'string' && /^\s*[+-]?\d+(_\d+)*\s*$/.test(value)) return Number(value.replaceAll('_', ''));
  return undefined;
}

export function toInt(value: unknown): number {
  const number = pythonInt(value);
  if (number === undefined || !Number.isSafeInteger(number)) throw invalidInput(`'${pyStr(value)}' is not an integer`);
  return number;
}

export const toIntOrNull = (value: unknown): number | null => (value === null || value === undefined ? null : toInt(value));
export const nullToEmptyList = (value: unknown): unknown => value ?? [];

export function toLowerCase(value: unknown): string {
  if (typeof value !== 'string') throw invalidInput(`Input value ${pyStr(value)} must be string type`);
  return value.toLowerCase();
}

export function toCanonicalCidr(value: unknown): string {
  const cidr = typeof value === 'string' ? parseCidr(value) : undefined;
  if (!cidr) throw invalidInput(`${pyStr(value)} is not in a CIDR format`);
  return writtenText(cidr);
}

export const toCanonicalIp = (value: unknown): unknown => (typeof value === 'string' ? canonicalIp(value) : value);

export function toCanonicalPools(value: unknown): unknown {
  if (value === null || value === undefined) return [];
  if (!Array.isArray(value) || value.some((pool) => pool === null || typeof pool !== 'object' || Array.isArray(pool)))
    throw invalidInput('Invalid data format for allocation pools');
  return value.map((pool: Record<string, unknown>) => Object.fromEntries(Object.entries(pool).map(([key, ip]) => [key, toCanonicalIp(ip)])));
}

/** `FA-16-3E-0-0-1` as `fa:16:3e:00:00:01`; what is no MAC stays for the validator to refuse. */
export const toMac = (value: unknown): unknown => (typeof value === 'string' ? (canonicalMac(value) ?? value) : value);

/** The values of a filter like `fixed_ips=ip_address=10.0.0.3`: `{ ip_address: ['10.0.0.3'] }`. */
export function pairsToLists(values: readonly string[]): Record<string, string[]> {
  const lists: Record<string, string[]> = {};
  if (values.length === 1 && values[0] === 'True') return lists;
  for (const value of values) {
    const at = value.indexOf('=');
    if (at < 1) throw invalidInput(`'${value}' is not of the form <key>=[value]`);
    const key = value.slice(0, at).trim();
    const list = Object.hasOwn(lists, key) ? (lists[key] as string[]) : [];
    lists[key] = [...list, value.slice(at + 1).trim()];
  }
  return lists;
}
