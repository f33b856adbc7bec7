import { createHash } from 'node:crypto';
import { IP_PROTOCOLS } from '@cairn/kit/net/ip-protocols';
import type { PortSpec, SecurityGroupRuleSpec, SecurityGroupSpec } from '../../interface/fabric.ts';
import { identifier } from '../names.ts';
import type { FabricView } from '../objects.ts';
import { type Cidr, contains, formatCidr, minimise, parseCidr } from './address.ts';

/**
 * Security groups as nftables rules.
 *
 * A rule of a stateful group asks what the *connection* is (`ct original ...`), not what the packet is. So the same rule can be asked
 * again at any packet of the connection, in either direction. That is how removed rules cut established connections: an accepted
 * connection is stamped with the generation of the policy that accepted it, a changed policy has a new generation, and packets with
 * an old stamp are judged anew. It happens in the kernel with the very transaction that changes the rules; what is still allowed
 * loses no packet.
 */

/** Bit of the packet mark: a rule of some group has matched. The other bits name the port (switch-rules.ts). */
export const MATCHED = '0x80000000';

/** Protocols whose packets have ports. */
export const WITH_PORTS: Readonly<Record<number, string>> = { 6: 'tcp', 17: 'udp', 33: 'dccp', 132: 'sctp', 136: 'udplite' };

/** The number of a protocol by name or number as text; 0 stands for any. Undefined when there is no such protocol. ICMP of IPv6 is 58 by whatever name. */
export function protocolNumber(protocol: string, ethertype: 'IPv4' | 'IPv6'): number | undefined {
  const name = protocol.toLowerCase();
  if (name === 'any') return 0;
  const number = /^\d{1,3}$/.test(name) ? Number(name) : Object.hasOwn(IP_PROTOCOLS, name) ? IP_PROTOCOLS[name] : undefined;
  if (number === undefined || number > 255) return undefined;
  return number === 1 && ethertype === 'IPv6' ? 58 : number;
}

export type Direction = 'ingress' | 'egress';
const suffix = (direction: Direction): string => (direction === 'ingress' ? 'in' : 'out');

/** The chain of a group's rules in one direction. */
export const groupChain = (groupId: string, direction: Direction, stateful: boolean): string =>
  `${stateful ? 'sg' : 'sl'}_${identifier(groupId)}_${suffix(direction)}`;

/** The set of the addresses of a group's members. */
export const memberSet = (groupId: string, ethertype: 'IPv4' | 'IPv6'): string => `${ethertype === 'IPv4' ? 'g4' : 'g6'}_${identifier(groupId)}`;

/** The set of the addresses of an address group. */
export const addressSet = (groupId: string, ethertype: 'IPv4' | 'IPv6'): string => `${ethertype === 'IPv4' ? 'a4' : 'a6'}_${identifier(groupId)}`;

const memo = new WeakMap<SecurityGroupSpec, Map<string, readonly string[]>>();

/** The rules of a group in one direction; sorted, so that the order in which a database gives them changes nothing. */
export function groupRules(group: SecurityGroupSpec, direction: Direction, stateful: boolean): readonly string[] {
  let known = memo.get(group);
  if (!known) memo.set(group, (known = new Map()));
  const key = `${direction} ${stateful}`;
  let rules = known.get(key);
  if (!rules) {
    const texts = group.rules
      .filter((rule) => rule.direction === direction)
      .map((rule) => (stateful ? `${ruleMatch(rule, true)} meta mark set meta mark or ${MATCHED} return` : `${ruleMatch(rule, false)} accept`));
    known.set(key, (rules = [...new Set(texts)].toSorted()));
  }
  return rules;
}

/** What a rule allows: connections, or (of a stateless group) packets. */
export const ruleMatch = (rule: SecurityGroupRuleSpec, stateful: boolean): string => (stateful ? connectionMatch(rule) : packetMatch(rule));

/** The ports of a rule that names some. */
export function portsOf(rule: SecurityGroupRuleSpec): { readonly min: number; readonly max: number } | undefined {
  const min = rule.portMin ?? rule.portMax;
  const max = rule.portMax ?? rule.portMin;
  return min === undefined || max === undefined ? undefined : { min, max };
}

const span = (min: number, max: number): string => (min === max ? String(min) : `${min}-${max}`);

function remoteMatch(rule: SecurityGroupRuleSpec, prefix: string): string[] {
  const family = rule.ethertype === 'IPv4' ? 'ip' : 'ip6';
  const field = `${prefix}${family} ${rule.direction === 'ingress' ? 'saddr' : 'daddr'}`;
  const out: string[] = [];
  if (rule.remoteGroupId !== undefined) out.push(`${field} @${memberSet(rule.remoteGroupId, rule.ethertype)}`);
  if (rule.remoteAddresses !== undefined) out.push(`${field} @${addressSet(rule.remoteAddresses.groupId, rule.ethertype)}`);
  const remote = rule.remoteCidr === undefined ? undefined : parseCidr(rule.remoteCidr);
  if (remote && remote.prefixLength > 0) out.push(`${field} ${formatCidr(remote)}`);
  return out;
}

function connectionMatch(rule: SecurityGroupRuleSpec): string {
  const out = [`meta nfproto ${rule.ethertype.toLowerCase()}`];
  const protocol = rule.protocol === undefined ? 0 : protocolNumber(rule.protocol, rule.ethertype);
  if (protocol) {
    out.push(`meta l4proto ${protocol}`);
    const ports = portsOf(rule);
    if (ports && protocol in WITH_PORTS) out.push(`ct original proto-dst ${span(ports.min, ports.max)}`);
    // Connection tracking keeps an ICMP request's type and code where other protocols have the port: type * 256 + code.
    else if ((protocol === 1 || protocol === 58) && rule.portMin !== undefined) {
      out.push(`ct original proto-dst ${rule.portMax === undefined ? span(rule.portMin * 256, rule.portMin * 256 + 255) : rule.portMin * 256 + rule.portMax}`);
    }
  }
  return [...out, ...remoteMatch(rule, 'ct original ')].join(' ');
}

function packetMatch(rule: SecurityGroupRuleSpec): string {
  const out = [`meta nfproto ${rule.ethertype.toLowerCase()}`];
  const protocol = rule.protocol === undefined ? 0 : protocolNumber(rule.protocol, rule.ethertype);
  if (protocol) {
    const ports = portsOf(rule);
    const name = WITH_PORTS[protocol];
    if (ports && name) out.push(`${name} dport ${span(ports.min, ports.max)}`);
    else if ((protocol === 1 || protocol === 58) && rule.portMin !== undefined) {
      const icmp = protocol === 1 ? 'icmp' : 'icmpv6';
      out.push(`${icmp} type ${rule.portMin}`, ...(rule.portMax === undefined ? [] : [`${icmp} code ${rule.portMax}`]));
    } else out.push(`meta l4proto ${protocol}`);
  }
  return [...out, ...remoteMatch(rule, '')].join(' ');
}

/** The addresses of a group's members: fixed addresses and allowed pairs, as neutron's RPC gives them to its agents. Without overlap. */
export function memberAddresses(view: FabricView, groupId: string): Readonly<Record<'IPv4' | 'IPv6', ReadonlyMap<string, string>>> {
  const out = { IPv4: new Map<string, string>(), IPv6: new Map<string, string>() };
  const family = (cidr: Cidr): Map<string, string> => out[cidr.version === 4 ? 'IPv4' : 'IPv6'];
  const networks: Cidr[] = [];
  for (const port of view.membersOf(groupId)) networks.push(...addressesOf(port).networks);
  const covers = minimise(networks);
  for (const cidr of covers) family(cidr).set(formatCidr(cidr), '');
  for (const port of view.membersOf(groupId)) {
    for (const [text, cidr] of addressesOf(port).hosts) if (!covers.some((cover) => contains(cover, cidr))) family(cidr).set(text, '');
  }
  return out;
}

interface Addresses {
  /** Single addresses, with their canonical text. */
  readonly hosts: readonly (readonly [string, Cidr])[];
  readonly networks: readonly Cidr[];
}

const addresses = new WeakMap<PortSpec, Addresses>();

/** Fixed addresses and allowed address pairs of a port. */
function addressesOf(port: PortSpec): Addresses {
  let known = addresses.get(port);
  if (!known) {
    const all = [...port.fixedIps.map(({ ip }) => ip), ...port.allowedAddressPairs.map(({ cidr }) => cidr)].map(parseCidr).filter((cidr) => cidr !== undefined);
    const isHost = (cidr: Cidr): boolean => cidr.prefixLength === (cidr.version === 4 ? 32 : 128);
    known = { hosts: all.filter(isHost).map((cidr) => [formatCidr(cidr), cidr]), networks: all.filter((cidr) => !isHost(cidr)) };
    addresses.set(port, known);
  }
  return known;
}

/** A policy is what ports with the same groups have in common: one pair of chains judges for all of them. */
export interface Policy {
  readonly name: string;
  readonly groupIds: readonly string[];
  readonly stateful: boolean;
}

/** The policy of a port with these groups. Upstream refuses stateful and stateless groups on one port; here such a port is stateful. */
export function policyOf(view: Pick<FabricView, 'groups'>, groupIds: readonly string[]): Policy {
  const sorted = [...new Set(groupIds)].toSorted();
  const stateful = sorted.length === 0 || sorted.some((id) => view.groups.get(id)?.stateful !== false);
  const name = `p_${createHash('sha256')
    .update(`${stateful} ${sorted.join(' ')}`)
    .digest('hex')
    .slice(0, 12)}`;
  return { name, groupIds: sorted, stateful };
}
