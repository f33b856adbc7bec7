import { pythonInt } from '../attributes/converters.ts';
import { invalidInputText } from '../errors.ts';
import { cidrOf, parseCidr, writtenText } from '../net/cidr.ts';
import { bitsOf, parseIp } from '../net/ip.ts';
import { pyStr } from '../net/python-text.ts';

/** Protocol names and numbers (neutron_lib.constants.IP_PROTOCOL_MAP). */
export const PROTOCOLS: Readonly<Record<string, number>> = {
  ah: 51,
  dccp: 33,
  egp: 8,
  esp: 50,
  gre: 47,
  hopopt: 0,
  icmp: 1,
  igmp: 2,
  ip: 0,
  ipip: 4,
  'ipv6-encap': 41,
  'ipv6-frag': 44,
  'ipv6-icmp': 58,
  icmpv6: 58,
  'ipv6-nonxt': 59,
  'ipv6-opts': 60,
  'ipv6-route': 43,
  ospf: 89,
  pgm: 113,
  rsvp: 46,
  sctp: 132,
  tcp: 6,
  udp: 17,
  udplite: 136,
  vrrp: 112,
};

export const toDirectionValues: readonly string[] = ['ingress', 'egress'];

const SUPPORTED = `(None, 'any', ${Object.keys(PROTOCOLS)
  .map((name) => `'${name}'`)
  .join(', ')})`;

/** A protocol's name in lower case, or its number as text; null for any. */
export function toProtocol(value: unknown): string | null {
  if (value === null || value === 'any' || value === undefined) return null;
  const refused = (): Error =>
    invalidInputText(
      'SecurityGroupRuleInvalidProtocol',
      `Security group rule protocol ${pyStr(value)} not supported. Only protocol values ${SUPPORTED} and integer representations [0 to 255] are supported.`,
    );
  const number = pythonInt(value);
  if (number !== undefined) {
    if (number < 0 || number > 255) throw refused();
    return String(value);
  }
  if (typeof value === 'string' && Object.hasOwn(PROTOCOLS, value.toLowerCase())) return value.toLowerCase();
  throw refused();
}

export function toEthertype(value: unknown): string {
  const found = typeof value === 'string' ? ['IPv4', 'IPv6'].find((type) => type.toLowerCase() === value.toLowerCase()) : undefined;
  if (found) return found;
  throw invalidInputText(
    'SecurityGroupRuleInvalidEtherType',
    `Security group rule for ethertype '${pyStr(value)}' not supported. Allowed values are ['IPv4', 'IPv6'].`,
  );
}

export function toPortNumber(value: unknown): number | null {
  if (value === null || value === undefined) return null;
  const number = pythonInt(value);
  if (number !== undefined && number >= 0 && number <= 65535) return number;
  throw invalidInputText('SecurityGroupInvalidPortValue', `Invalid value for port ${pyStr(value)}`);
}

/** A prefix as written, a bare address as a network of one. */
export function toIpPrefix(value: unknown): string | null {
  if (value === null || value === undefined || value === '') return null;
  const text = pyStr(value);
  const address = parseIp(text);
  const cidr = address ? cidrOf(address, bitsOf(address.version)) : parseCidr(text);
  if (!cidr) throw invalidInputText('InvalidCIDR', `Invalid CIDR ${text} given as IP prefix.`);
  return writtenText(cidr);
}
