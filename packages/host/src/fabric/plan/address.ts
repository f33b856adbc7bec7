/** IP and MAC arithmetic for the planners: text in, canonical text out. */

/** Where guests ask for their metadata. */
export const METADATA_IP = '169.254.169.254';

export interface Ip {
  readonly version: 4 | 6;
  readonly value: bigint;
}

/** A network: `value` has no bits set beyond the prefix. */
export interface Cidr extends Ip {
  readonly prefixLength: number;
}

const width = (version: 4 | 6): number => (version === 4 ? 32 : 128);

function parse4(text: string): bigint | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  let value = 0n;
  for (const part of parts) {
    // A leading zero would be octal to some programs and decimal to others.
    if (!/^(0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return undefined;
    value = (value << 8n) | BigInt(part);
  }
  return value;
}

function parse6(text: string): bigint | undefined {
  let rest = text;
  const lastColon = text.lastIndexOf(':');
  if (text.includes('.')) {
    const tail = parse4(text.slice(lastColon + 1));
    if (tail === undefined || lastColon < 0) return undefined;
    rest = `${text.slice(0, lastColon + 1)}${(tail >> 16n).toString(16)}:${(tail & 0xffffn).toString(16)}`;
  }
  const halves = rest.split('::');
  if (halves.length > 2) return undefined;
  const groups = (half: string): string[] => (half === '' ? [] : half.split(':'));
  const head = groups(halves[0] ?? '');
  const tail = groups(halves[1] ?? '');
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  let value = 0n;
  for (const group of [...head, ...Array<string>(halves.length === 2 ? missing : 0).fill('0'), ...tail]) {
    if (!/^[0-9a-fA-F]{1,4}$/.test(group)) return undefined;
    value = (value << 16n) | BigInt(`0x${group}`);
  }
  return value;
}

/** The address that the text writes, or undefined when it writes none. No zones (`%eth0`), no shorthand forms of IPv4. */
export function parseIp(text: string): Ip | undefined {
  const version = text.includes(':') ? 6 : 4;
  const value = version === 6 ? parse6(text) : parse4(text);
  return value === undefined ? undefined : { version, value };
}

/** The network that the text writes; an address alone is a network of one. Host bits are cleared. */
export function parseCidr(text: string): Cidr | undefined {
  const slash = text.indexOf('/');
  const ip = parseIp(slash < 0 ? text : text.slice(0, slash));
  if (!ip) return undefined;
  const lengthText = slash < 0 ? String(width(ip.version)) : text.slice(slash + 1);
  if (!/^\d{1,3}$/.test(lengthText)) return undefined;
  const prefixLength = Number(lengthText);
  if (prefixLength > width(ip.version)) return undefined;
  const hostBits = BigInt(width(ip.version) - prefixLength);
  return { version: ip.version, value: (ip.value >> hostBits) << hostBits, prefixLength };
}

/** Canonical text: dotted quad, and for IPv6 the form of RFC 5952, as the kernel's tools print it. */
export function formatIp({ version, value }: Ip): string {
  if (version === 4) return [24n, 16n, 8n, 0n].map((shift) => String((value >> shift) & 255n)).join('.');
  const groups = Array.from({ length: 8 }, (_, i) => ((value >> BigInt(112 - 16 * i)) & 0xffffn).toString(16));
  let best = { at: -1, length: 1 };
  for (let at = 0; at < 8; at++) {
    let length = 0;
    while (at + length < 8 && groups[at + length] === '0') length++;
    if (length > best.length) best = { at, length };
  }
  if (best.at < 0) return groups.join(':');
  return `${groups.slice(0, best.at).join(':')}::${groups.slice(best.at + best.length).join(':')}`;
}

/** Canonical text; a network of one address is written without its length. */
export const formatCidr = (cidr: Cidr): string => (cidr.prefixLength === width(cidr.version) ? formatIp(cidr) : `${formatIp(cidr)}/${cidr.prefixLength}`);

/** Canonical text of an address that is known to be one. */
export function canonicalIp(text: string): string {
  const ip = parseIp(text);
  if (!ip) throw new Error(`not an IP address: ${JSON.stringify(text)}`);
  return formatIp(ip);
}

export const lastOf = (cidr: Cidr): Ip => ({ version: cidr.version, value: cidr.value | ((1n << BigInt(width(cidr.version) - cidr.prefixLength)) - 1n) });

/** Whether `inner` (an address or a network) lies within `outer`. */
export function contains(outer: Cidr, inner: Ip | Cidr): boolean {
  if (outer.version !== inner.version) return false;
  const innerLength = 'prefixLength' in inner ? inner.prefixLength : width(inner.version);
  if (innerLength < outer.prefixLength) return false;
  const hostBits = BigInt(width(outer.version) - outer.prefixLength);
  return inner.value >> hostBits === outer.value >> hostBits;
}

/** The same addresses without repetition or overlap, sorted: interval sets of nftables refuse networks that overlap. */
export function minimise(cidrs: Iterable<Cidr>): readonly Cidr[] {
  const sorted = [...cidrs].toSorted((a, b) => a.version - b.version || (a.value < b.value ? -1 : a.value > b.value ? 1 : a.prefixLength - b.prefixLength));
  const kept: Cidr[] = [];
  for (const cidr of sorted) {
    const last = kept.at(-1);
    if (!last || !contains(last, cidr)) kept.push(cidr);
  }
  return kept;
}

/** `255.255.255.0` for 24. */
export const netmask4 = (prefixLength: number): string => formatIp({ version: 4, value: (0xffffffffn << BigInt(32 - prefixLength)) & 0xffffffffn });

const MAC = /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/;

/** The MAC in lower case with colons, or undefined when the text writes none. */
export function canonicalMac(text: string): string | undefined {
  const mac = text.toLowerCase().replaceAll('-', ':');
  return MAC.test(mac) ? mac : undefined;
}

/** The link-local address that an interface makes of its MAC (RFC 4291, modified EUI-64). */
export function linkLocalOf(mac: string): Cidr {
  const bytes = mac.split(':').map((byte) => BigInt(`0x${byte}`));
  const [a = 0n, b = 0n, c = 0n, d = 0n, e = 0n, f = 0n] = bytes;
  const id = [a ^ 2n, b, c, 0xffn, 0xfen, d, e, f].reduce((value, byte) => (value << 8n) | byte, 0n);
  return { version: 6, value: (0xfe80n << 112n) | id, prefixLength: 128 };
}
