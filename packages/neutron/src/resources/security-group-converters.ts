import { IP_PROTOCOLS } from '@cairn/kit/net/ip-protocols';
import { pythonInt } from '../attributes/converters.ts';
import { invalidInputText } from '../errors.ts';
import { cidrOf, parseCidr, writtenText } from '../net/cidr.ts';
import { bitsOf, parseIp } from '../net/ip.ts';
import { pyStr } from '../net/python-text.ts';

export const toDirectionValues: readonly string[] = ['ingress', 'egress'];

const SUPPORTED = `(None, 'any', ${Object.keys(IP_PROTOCOLS)
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
  if (typeof value === 'string' && Object.hasOwn(IP_PROTOCOLS, value.toLowerCase())) return value.toLowerCase();
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
