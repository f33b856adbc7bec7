import { bitsOf, formatIp, type Ip, type IpVersion, parseIp } from './ip.ts';

/** A network with the address that it was written with: `10.0.0.5/24` has `ip` 10.0.0.5 and `first` 10.0.0.0. */
export interface Cidr {
  readonly version: IpVersion;
  readonly ip: bigint;
  readonly first: bigint;
  readonly last: bigint;
  readonly prefixLength: number;
}

/** Reads `10.0.0.0/24`, `10.0.0.0/255.255.255.0` or `2001:db8::/64`. Undefined for anything else, a bare address included. */
export function parseCidr(text: string): Cidr | undefined {
  const slash = text.indexOf('/');
  if (slash < 1) return undefined;
  const ip = parseIp(text.slice(0, slash));
  const length = text.slice(slash + 1);
  if (!ip) return undefined;
  const prefixLength = /^\d{1,3}$/.test(length) ? Number(length) : ip.version === 4 ? maskLength(length) : undefined;
  if (prefixLength === undefined || prefixLength > bitsOf(ip.version)) return undefined;
  return cidrOf(ip, prefixLength);
}

function maskLength(text: string): number | undefined {
  const mask = parseIp(text);
  if (mask?.version !== 4) return undefined;
  const bits = mask.value.toString(2).padStart(32, '0');
  return /^1*0*$/.test(bits) ? bits.replaceAll('0', '').length : undefined;
}

export function cidrOf(ip: Ip, prefixLength: number): Cidr {
  const hostBits = BigInt(bitsOf(ip.version) - prefixLength);
  const first = (ip.value >> hostBits) << hostBits;
  return { version: ip.version, ip: ip.value, first, last: first + (1n << hostBits) - 1n, prefixLength };
}

/** A network that is known to be valid. */
export function mustCidr(text: string): Cidr {
  const cidr = parseCidr(text);
  if (!cidr) throw new RangeError(`not a CIDR: ${text}`);
  return cidr;
}

/** The network's own text, host bits cleared. */
export const networkText = (cidr: Cidr): string => `${formatIp(cidr.version, cidr.first)}/${cidr.prefixLength}`;
/** The text as written, host bits kept. */
export const writtenText = (cidr: Cidr): string => `${formatIp(cidr.version, cidr.ip)}/${cidr.prefixLength}`;
export const contains = (cidr: Cidr, ip: Ip): boolean => cidr.version === ip.version && ip.value >= cidr.first && ip.value <= cidr.last;
export const overlaps = (a: Cidr, b: Cidr): boolean => a.version === b.version && a.first <= b.last && b.first <= a.last;
/** True where `inner` lies within `outer`. */
export const covers = (outer: Cidr, inner: Cidr): boolean => outer.version === inner.version && outer.first <= inner.first && inner.last <= outer.last;

/** A run of addresses, both ends included. */
export interface IpRange {
  readonly version: IpVersion;
  readonly first: bigint;
  readonly last: bigint;
}

export const rangeText = (range: IpRange): string => `${formatIp(range.version, range.first)}-${formatIp(range.version, range.last)}`;

/** Sorts and joins ranges that touch or overlap. */
export function joinRanges(ranges: readonly IpRange[]): IpRange[] {
  const sorted = [...ranges].sort((a, b) => (a.first < b.first ? -1 : a.first > b.first ? 1 : 0));
  const joined: IpRange[] = [];
  for (const range of sorted) {
    const last = joined.at(-1);
    if (last && range.first <= last.last + 1n) joined[joined.length - 1] = { ...last, last: range.last > last.last ? range.last : last.last };
    else joined.push(range);
  }
  return joined;
}

/** What of `from` is in none of `taken`. */
export function subtractRanges(from: readonly IpRange[], taken: readonly IpRange[]): IpRange[] {
  let left = joinRanges(from);
  for (const hole of joinRanges(taken)) {
    left = left.flatMap((range) => {
      if (hole.last < range.first || hole.first > range.last) return [range];
      const parts: IpRange[] = [];
      if (hole.first > range.first) parts.push({ ...range, last: hole.first - 1n });
      if (hole.last < range.last) parts.push({ ...range, first: hole.last + 1n });
      return parts;
    });
  }
  return left;
}

/** The fewest CIDRs that make up a range, in order. */
export function rangeToCidrs(range: IpRange): Cidr[] {
  const bits = bitsOf(range.version);
  const cidrs: Cidr[] = [];
  let at = range.first;
  while (at <= range.last) {
    let hostBits = 0;
    while (hostBits < bits && (at & ((1n << BigInt(hostBits + 1)) - 1n)) === 0n && at + (1n << BigInt(hostBits + 1)) - 1n <= range.last) hostBits++;
    cidrs.push(cidrOf({ version: range.version, value: at }, bits - hostBits));
    at += 1n << BigInt(hostBits);
  }
  return cidrs;
}

/** Joins prefixes into the fewest CIDRs (netaddr's IPSet.compact). */
export const compactCidrs = (cidrs: readonly Cidr[]): Cidr[] => joinRanges(cidrs).flatMap(rangeToCidrs);

const V4_MULTICAST = mustCidr('224.0.0.0/4');
const V6_MULTICAST = mustCidr('ff00::/8');
export const isMulticast = (cidr: Cidr): boolean => covers(cidr.version === 4 ? V4_MULTICAST : V6_MULTICAST, cidr);
const V4_LOOPBACK = mustCidr('127.0.0.0/8');
const V6_LOOPBACK = mustCidr('::1/128');
export const isLoopback = (cidr: Cidr): boolean => covers(cidr.version === 4 ? V4_LOOPBACK : V6_LOOPBACK, cidr);
