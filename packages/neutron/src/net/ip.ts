import { isIPv6 } from 'node:net';

export type IpVersion = 4 | 6;

/** One address as a number of 32 or 128 bits. */
export interface Ip {
  readonly version: IpVersion;
  readonly value: bigint;
}

export const bitsOf = (version: IpVersion): 32 | 128 => (version === 4 ? 32 : 128);

/** Reads `10.0.0.1` or `fe80::1`. Undefined for anything else: no zones, no short forms, no leading zeros. */
export function parseIp(text: string): Ip | undefined {
  if (text.includes(':')) {
    const value = ipv6Value(text);
    return value === undefined ? undefined : { version: 6, value };
  }
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (!match) return undefined;
  let value = 0;
  for (let i = 1; i <= 4; i++) {
    const part = match[i] as string;
    const octet = Number(part);
    if (octet > 255 || (part.length > 1 && part.startsWith('0'))) return undefined;
    value = value * 256 + octet;
  }
  return { version: 4, value: BigInt(value) };
}

/** Reads dotted decimals with leading zeros as decimals, so that a message can recommend the plain form. */
export function parseZeroFilled(text: string): Ip | undefined {
  const plain = text
    .split('.')
    .map((part) => (/^\d{1,9}$/.test(part) ? String(Number(part)) : part))
    .join('.');
  return parseIp(plain);
}

function ipv6Value(text: string): bigint | undefined {
  if (text.includes('%') || !isIPv6(text)) return undefined;
  let source = text;
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(source);
  if (dotted) {
    const v4 = parseIp(dotted[2] as string);
    if (!v4) return undefined;
    source = `${dotted[1]}${(v4.value >> 16n).toString(16)}:${(v4.value & 0xffffn).toString(16)}`;
  }
  const [head = '', tail] = source.split('::');
  const words = (part: string): string[] => (part === '' ? [] : part.split(':'));
  const left = words(head);
  const right = tail === undefined ? [] : words(tail);
  const all = tail === undefined ? left : [...left, ...Array.from({ length: 8 - left.length - right.length }, () => '0'), ...right];
  return BigInt(`0x${all.map((word) => word.padStart(4, '0')).join('')}`);
}

/** The canonical text: dotted decimal, or RFC 5952. */
export function formatIp(version: IpVersion, value: bigint): string {
  if (version === 4) {
    const n = Number(value);
    return `${Math.floor(n / 0x1000000)}.${(n >>> 16) & 255}.${(n >>> 8) & 255}.${n & 255}`;
  }
  const hex = value.toString(16).padStart(32, '0');
  const words = Array.from({ length: 8 }, (_, i) => Number.parseInt(hex.slice(i * 4, i * 4 + 4), 16));
  if (value >> 32n === 0xffffn) return `::ffff:${formatIp(4, value & 0xffffffffn)}`;
  let best = { at: -1, length: 1 };
  for (let i = 0; i < 8; i++) {
    let length = 0;
    while (i + length < 8 && words[i + length] === 0) length++;
    if (length > best.length) best = { at: i, length };
    if (length > 0) i += length;
  }
  const text = (part: readonly number[]): string => part.map((word) => word.toString(16)).join(':');
  if (best.at < 0) return text(words);
  return `${text(words.slice(0, best.at))}::${text(words.slice(best.at + best.length))}`;
}

/** Canonical text of any address text; other text comes back as it is (neutron-lib convert_ip_to_canonical_format). */
export function canonicalIp(text: string): string {
  if (!text.includes(':')) return text;
  const ip = parseIp(text);
  return ip ? formatIp(6, ip.value) : text;
}

/** The version of an address text that is known to be valid. */
export const ipVersionOf = (text: string): IpVersion => (text.includes(':') ? 6 : 4);

/** An address that is known to be valid. */
export function mustIp(text: string): Ip {
  const ip = parseIp(text);
  if (!ip) throw new RangeError(`not an IP address: ${text}`);
  return ip;
}

/** Sortable fixed-length text: 8 or 32 hex digits. */
export const keyOfValue = (version: IpVersion, value: bigint): string => value.toString(16).padStart(version === 4 ? 8 : 32, '0');
export const keyOfIp = (text: string): string => {
  const ip = mustIp(text);
  return keyOfValue(ip.version, ip.value);
};
/** The address of a key. */
export const ipOfKey = (key: string): string => formatIp(key.length === 8 ? 4 : 6, BigInt(`0x${key}`));
/** The key `by` addresses away. */
export const stepKey = (key: string, by: 1 | -1): string => (BigInt(`0x${key}`) + BigInt(by)).toString(16).padStart(key.length, '0');
