import { createHash } from 'node:crypto';
import { IP_PROTOCOLS } from '@cairn/kit/net/ip-protocols';
import type { PortSpec, SecurityGroupRuleSpec, SecurityGroupSpec } from '../../interface/fabric.ts';
import { identifier } from '../names.ts';
import type { FabricView } from '../objects.ts';
import { type Cidr, contains, formatCidr, minimise, parseCidr } from './address.ts';
import { type Fields, fold, type Folded, foldedMatch, type Range, type Term } from './rule-folding.ts';

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
    const matches = ruleMatches(
      group.rules.filter((rule) => rule.direction === direction),
      direction,
      stateful,
    );
    const verdict = stateful ? `meta mark set meta mark or ${MATCHED} return` : 'accept';
    known.set(key, (rules = matches.map((match) => `${match} ${verdict}`)));
  }
  return rules;
}

/**
 * What rules of one direction allow together, in as few matches as can be (rule-folding.ts): connections, or (of a stateless group) packets.
 * Sorted, so that the order in which a database gives the rules changes nothing.
 */
export function ruleMatches(rules: readonly SecurityGroupRuleSpec[], direction: Direction, stateful: boolean): readonly string[] {
  const matches = fold(rules.flatMap((rule) => termOf(rule, stateful) ?? [])).map((folded) => foldedMatch(folded, fieldsOf(folded, direction, stateful)));
  return matches.toSorted();
}

/** The ports of a rule that names some. */
export function portsOf(rule: SecurityGroupRuleSpec): { readonly min: number; readonly max: number } | undefined {
  const min = rule.portMin ?? rule.portMax;
  const max = rule.portMax ?? rule.portMin;
  return min === undefined || max === undefined ? undefined : { min, max };
}

const isIcmp = (protocol: number): boolean => protocol === 1 || protocol === 58;

/** Who is at the other end: of the connection, or of the packet. */
const remoteField = (family: 'IPv4' | 'IPv6', direction: Direction, stateful: boolean): string =>
  `${stateful ? 'ct original ' : ''}${family === 'IPv4' ? 'ip' : 'ip6'} ${direction === 'ingress' ? 'saddr' : 'daddr'}`;

/**
 * Type and code of ICMP are one number, type * 256 + code: connection tracking keeps a request's where other protocols have the port that is called,
 * and a packet has them where the port is that calls.
 */
const fieldsOf = ({ family, protocol }: Folded, direction: Direction, stateful: boolean): Fields => ({
  values: stateful ? 'ct original proto-dst' : isIcmp(protocol ?? 0) ? 'th sport' : 'th dport',
  address: remoteField(family, direction, stateful),
});

/** Undefined for what nobody can read: it allows nothing. */
function termOf(rule: SecurityGroupRuleSpec, stateful: boolean): Term | undefined {
  const { ethertype: family, direction } = rule;
  const protocol = rule.protocol === undefined ? 0 : protocolNumber(rule.protocol, family);
  const cidr = rule.remoteCidr === undefined ? undefined : parseCidr(rule.remoteCidr);
  if (protocol === undefined || (rule.remoteCidr !== undefined && !cidr)) return undefined;
  const field = remoteField(family, direction, stateful);
  const sets = [
    ...(rule.remoteGroupId === undefined ? [] : [memberSet(rule.remoteGroupId, family)]),
    ...(rule.remoteAddresses === undefined ? [] : [addressSet(rule.remoteAddresses.groupId, family)]),
  ];
  const values = valuesOf(rule, protocol);
  return {
    family,
    beside: sets.map((set) => `${field} @${set}`).join(' '),
    ...(protocol !== 0 && { protocol }),
    ...(values && { values }),
    ...(cidr && cidr.prefixLength > 0 && { cidr }),
  };
}

function valuesOf(rule: SecurityGroupRuleSpec, protocol: number): Range | undefined {
  const { portMin: type, portMax: code } = rule;
  if (protocol in WITH_PORTS) return portsOf(rule);
  if (!isIcmp(protocol) || type === undefined) return undefined;
  return { min: type * 256 + (code ?? 0), max: type * 256 + (code ?? 255) };
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
