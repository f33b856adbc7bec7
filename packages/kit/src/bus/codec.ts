import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';

/*
 * JSON for what structuredClone lets pass and services send: plain objects and arrays, strings, numbers, booleans, null, undefined,
 * bytes, dates and bigints. An object with the key `$` marks what JSON has no form for. Keys whose value is undefined are left out.
 */

const UNDEFINED = { $: 'undefined' };
/** Larger messages are compressed. */
const COMPRESS_BYTES = 32 * 1024;
/** First byte of a compressed message (a zstd frame); no JSON text begins with it. */
const ZSTD = 0x28;
/** Refuses to unpack more. */
const MAX_BYTES = 256 * 1024 * 1024;
/** The path of a value is its depth, roughly; real messages stay far below. */
const MAX_PATH = 4000;

function pack(value: unknown, path: string): unknown {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value;
    case 'number':
      return Number.isFinite(value) ? value : { $: 'number', v: String(value) };
    case 'undefined':
      return UNDEFINED;
    case 'bigint':
      return { $: 'bigint', v: value.toString() };
    case 'function':
    case 'symbol':
      throw new TypeError(`A ${typeof value} cannot cross the bus (at ${path}).`);
    default:
  }
  if (value === null) return null;
  if (path.length > MAX_PATH) throw new TypeError('Data that refers to itself, or is nested too deeply, cannot cross the bus.');
  if (Array.isArray(value)) return value.map((item, i) => pack(item, `${path}/${i}`));
  if (value instanceof Uint8Array) return { $: 'bytes', v: Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64') };
  if (value instanceof Date) return { $: 'date', v: value.getTime() };
  requirePlain(value as object, path);
  const packed: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value as object)) {
    if (item !== undefined) define(packed, key, pack(item, `${path}/${key}`));
  }
  return '$' in packed ? { $: 'object', v: packed } : packed;
}

function unpack(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(unpack);
  const { $: kind, v } = value as { $?: unknown; v?: unknown };
  switch (kind) {
    case undefined:
      return entries(value);
    case 'undefined':
      return undefined;
    case 'number':
      return Number(v);
    case 'bigint':
      return BigInt(String(v));
    case 'bytes':
      return new Uint8Array(Buffer.from(String(v), 'base64'));
    case 'date':
      return new Date(Number(v));
    case 'object':
      return entries(v as object);
    default:
      throw new TypeError('A message of the bus is not understood.');
  }
}

function entries(value: object): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value)) define(result, key, unpack(item));
  return result;
}

/** Sets a key as plain data, also one named `__proto__`. */
function define(target: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__') Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
  else target[key] = value;
}

/** A message as bytes. Throws TypeError for what is no plain data: functions, streams, class instances. */
export function encode(message: unknown): Uint8Array {
  const bytes = Buffer.from(JSON.stringify(pack(message, '')));
  return bytes.byteLength > COMPRESS_BYTES ? zstdCompressSync(bytes) : bytes;
}

export function decode(bytes: Uint8Array): unknown {
  const text = bytes[0] === ZSTD ? zstdDecompressSync(bytes, { maxOutputLength: MAX_BYTES }) : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return unpack(JSON.parse(text.toString('utf8')));
}

/** Plain data copied in memory, by the rules of `encode`: what passes here passes over the network. */
export function copy(value: unknown, path = ''): unknown {
  if (typeof value === 'function' || typeof value === 'symbol') throw new TypeError(`A ${typeof value} cannot cross the bus (at ${path}).`);
  if (typeof value !== 'object' || value === null) return value;
  if (path.length > MAX_PATH) throw new TypeError('Data that refers to itself, or is nested too deeply, cannot cross the bus.');
  if (Array.isArray(value)) return value.map((item, i) => copy(item, `${path}/${i}`));
  if (value instanceof Uint8Array) return new Uint8Array(value);
  if (value instanceof Date) return new Date(value.getTime());
  requirePlain(value, path);
  const result: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value)) if (item !== undefined) define(result, key, copy(item, `${path}/${key}`));
  return result;
}

/** Instances of classes lose their methods on the way, so they are refused before somebody misses them. */
function requirePlain(value: object, path: string): void {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) return;
  // plain objects of another realm (vm contexts of test runners) are plain, too
  if (Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype as object, 'hasOwnProperty')) return;
  throw new TypeError(`Only plain data crosses the bus, no ${value.constructor?.name ?? 'object'} (at ${path}).`);
}
