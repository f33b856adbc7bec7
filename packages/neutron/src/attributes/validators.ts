import { isUuidLike } from '@cairn/kit/ids/ids';
import { parseCidr, writtenText } from '../net/cidr.ts';
import { formatIp, parseIp, parseZeroFilled } from '../net/ip.ts';
import { canonicalMac } from '../net/mac.ts';
import { pyRepr, pyStr } from '../net/python-text.ts';
import type { Validator } from './attribute.ts';
import { pythonInt } from './converters.ts';

/** neutron_lib/api/validators: each says in upstream's words why a value is refused. */

export const DESCRIPTION_LENGTH = 255;
export const LONG_DESCRIPTION_LENGTH = 1024;
export const NAME_LENGTH = 255;
export const PROJECT_ID_LENGTH = 255;

/** Length as Python counts: code points. */
const lengthOf = (text: string): number => (text.length < 256 && !/[\ud800-\udfff]/.test(text) ? text.length : [...text].length);

export const string =
  (maxLength?: number): Validator =>
  (value) => {
    if (typeof value !== 'string') return `'${pyStr(value)}' is not a valid string`;
    if (maxLength !== undefined && lengthOf(value) > maxLength) return `'${value}' exceeds maximum length of ${maxLength}`;
    return undefined;
  };

export const orNull =
  (validator: Validator): Validator =>
  (value) =>
    value === null ? undefined : validator(value);

// no control, format, surrogate, unassigned or private characters, no line or paragraph separators, no spaces at the ends
const BAD_NAME = /[\p{C}\p{Zl}\p{Zp}]|^\p{Z}|\p{Z}$/u;

/** A name: printable text that neither begins nor ends with a space. The empty name is a name. */
export const nameString =
  (maxLength?: number): Validator =>
  (value) => {
    const refusal = string(maxLength)(value);
    if (refusal) return refusal;
    return BAD_NAME.test(value as string) ? `'${pyStr(value)}' is not a valid string` : undefined;
  };

export const notEmptyString =
  (maxLength?: number): Validator =>
  (value) =>
    string(maxLength)(value) ?? ((value as string).trim() === '' ? `'${value}' Blank strings are not permitted` : undefined);

// what Python's splitlines() splits at
const LINE_END = /[\n\r\v\f\u0085\u2028\u2029\x1c-\x1e]/;

export const oneLine =
  (maxLength?: number): Validator =>
  (value) =>
    notEmptyString(maxLength)(value) ?? (LINE_END.test((value as string).trimEnd()) ? `Multi-line string is not allowed: '${value}'` : undefined);

export const notEmptyName: Validator = (value) => notEmptyString()(value) ?? nameString()(value);

export const values =
  (allowed: readonly unknown[]): Validator =>
  (value) =>
    allowed.includes(value) ? undefined : `${pyStr(value)} is not in valid_values`;

export const uuid: Validator = (value) => (isUuidLike(value) ? undefined : `'${pyStr(value)}' is not a valid UUID`);

/** A list without duplicates whose items are all fine. */
export const listOf =
  (item: Validator): Validator =>
  (value) => {
    if (!Array.isArray(value)) return `'${pyStr(value)}' is not a list`;
    const seen = new Set<string>();
    const twice = new Set<string>();
    for (const element of value) {
      const text = pyRepr(element);
      if (seen.has(text)) twice.add(pyStr(element));
      seen.add(text);
    }
    if (twice.size > 0) return `Duplicate items in the list: '${[...twice].join(', ')}'`;
    for (const element of value) {
      const refusal = item(element);
      if (refusal) return refusal;
    }
    return undefined;
  };

export const nonNegative: Validator = (value) => {
  const number = pythonInt(value);
  if (number === undefined) return `'${pyStr(value)}' is not an integer`;
  return number < 0 ? `'${pyStr(value)}' should be non-negative` : undefined;
};

export const range =
  (min: number, max: number): Validator =>
  (value) => {
    const number = pythonInt(value);
    if (number === undefined) return `'${pyStr(value)}' is not an integer`;
    if (number < min) return `'${number}' is too small - must be at least '${min}'`;
    return number > max ? `'${number}' is too large - must be no larger than '${max}'` : undefined;
  };

export const mac: Validator = (value) => {
  const canonical = typeof value === 'string' && !/\s/.test(value) ? canonicalMac(value) : undefined;
  const fine = canonical !== undefined && canonical !== '00:00:00:00:00:00' && canonical !== 'ff:ff:ff:ff:ff:ff';
  return fine ? undefined : `'${pyStr(value)}' is not a valid MAC address`;
};

export const ipAddress: Validator = (value) => {
  const refusal = `'${pyStr(value)}' is not a valid IP address`;
  if (typeof value !== 'string' || /\s/.test(value)) return refusal;
  if (parseIp(value)) return undefined;
  const zeroFilled = value.includes(':') ? undefined : parseZeroFilled(value);
  return zeroFilled ? `'${value}' is not an accepted IP address, '${formatIp(4, zeroFilled.value)}' is recommended` : refusal;
};

export const subnet: Validator = (value) => {
  const cidr = typeof value === 'string' && !/\s/.test(value) ? parseCidr(value) : undefined;
  const fine = cidr !== undefined && (cidr.version === 6 || writtenText(cidr) === value);
  return fine ? undefined : `'${pyStr(value)}' is not a valid IP subnet`;
};

const routeCidr: Validator = (value) => {
  const cidr = typeof value === 'string' && !/\s/.test(value) ? parseCidr(value) : undefined;
  if (!cidr || cidr.ip !== cidr.first) return `'${pyStr(value)}' is not a valid CIDR`;
  const loopback = cidr.version === 4 ? cidr.first >> 24n === 127n : cidr.first === 1n && cidr.prefixLength === 128;
  return loopback ? `'${value}' is not a routable CIDR` : undefined;
};

const isObject = (value: unknown): value is Record<string, unknown> => value !== null && typeof value === 'object' && !Array.isArray(value);

/** Exactly these keys. The order of a Python set is not fixed, so the two lists are in ours. */
function exactKeys(expected: readonly string[], value: unknown): string | undefined {
  if (!isObject(value)) return `Invalid input. '${pyStr(value)}' must be a dictionary with keys: ${pyRepr(expected)}`;
  const keys = Object.keys(value);
  if (keys.length === expected.length && expected.every((key) => Object.hasOwn(value, key))) return undefined;
  const set = (names: readonly string[]): string => (names.length === 0 ? 'set()' : `{${names.map(pyRepr).join(', ')}}`);
  return `Validation of dictionary's keys failed. Expected keys: ${set(expected)} Provided keys: ${set(keys)}`;
}

export const ipPools: Validator = (value) => {
  if (!Array.isArray(value)) return `Invalid data format for IP pool: '${pyStr(value)}'`;
  for (const pool of value) {
    const refusal = exactKeys(['start', 'end'], pool) ?? ipAddress(pool.start) ?? ipAddress(pool.end);
    if (refusal) return refusal;
  }
  return undefined;
};

export const fixedIps: Validator = (value) => {
  if (!Array.isArray(value)) return `Invalid data format for fixed IP: '${pyStr(value)}'`;
  const seen = new Set<unknown>();
  for (const fixed of value) {
    if (!isObject(fixed)) return `Invalid data format for fixed IP: '${pyStr(fixed)}'`;
    if ('ip_address' in fixed) {
      if (seen.has(fixed.ip_address)) return `Duplicate IP address '${pyStr(fixed.ip_address)}'`;
      const refusal = ipAddress(fixed.ip_address);
      if (refusal) return refusal;
      seen.add(fixed.ip_address);
    }
    if ('subnet_id' in fixed) {
      const refusal = uuid(fixed.subnet_id);
      if (refusal) return refusal;
    }
  }
  return undefined;
};

export const nameservers: Validator = (value) => {
  if (!Array.isArray(value)) return `Invalid data format for nameserver: '${pyStr(value)}'`;
  const seen = new Set<unknown>();
  for (const host of value) {
    const refusal = ipAddress(host);
    if (refusal) return `'${pyStr(host)}' is not a valid nameserver. ${refusal}`;
    if (seen.has(host)) return `Duplicate nameserver '${host}'`;
    seen.add(host);
  }
  return undefined;
};

export const hostRoutes: Validator = (value) => {
  if (!Array.isArray(value)) return `Invalid data format for hostroute: '${pyStr(value)}'`;
  const seen = new Set<string>();
  for (const route of value) {
    const refusal = exactKeys(['destination', 'nexthop'], route) ?? routeCidr(route.destination) ?? ipAddress(route.nexthop);
    if (refusal) return refusal;
    const key = `${route.destination} ${route.nexthop}`;
    if (seen.has(key)) return `Duplicate hostroute '${pyRepr(route)}'`;
    seen.add(key);
  }
  return undefined;
};

/** One key of a dictionary. */
export interface KeySpec {
  readonly required?: boolean;
  readonly convert?: (value: unknown) => unknown;
  readonly validate?: Validator;
}

/** A dictionary with known keys. Converts its values in place, as upstream does. */
export const dict =
  (specs?: Readonly<Record<string, KeySpec>>): Validator =>
  (value) => {
    if (!isObject(value)) return `'${pyStr(value)}' is not a dictionary`;
    if (!specs) return undefined;
    const required = Object.keys(specs).filter((key) => specs[key]?.required);
    if (required.some((key) => !Object.hasOwn(value, key))) {
      const set = (names: readonly string[]): string => (names.length === 0 ? 'set()' : `{${names.map(pyRepr).join(', ')}}`);
      return `Validation of dictionary's keys failed. Expected keys: ${set(required)} Provided keys: ${set(Object.keys(value))}`;
    }
    const unexpected = Object.keys(value).filter((key) => !Object.hasOwn(specs, key));
    if (unexpected.length > 0) return `Unexpected keys supplied: ${unexpected.join(', ')}`;
    for (const [key, spec] of Object.entries(specs)) {
      if (!Object.hasOwn(value, key)) continue;
      if (spec.convert) value[key] = spec.convert(value[key]);
      const refusal = spec.validate?.(value[key]);
      if (refusal) return refusal;
    }
    return undefined;
  };

/** What says nothing (null, {}, false, '') is fine. */
export const orNoData =
  (validator: Validator): Validator =>
  (value) =>
    value === null || value === undefined || value === false || value === '' || value === 0 || (typeof value === 'object' && Object.keys(value).length === 0)
      ? undefined
      : validator(value);
