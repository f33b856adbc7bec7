import type { LoggedPacket, SecurityGroupRuleSpec } from '../../interface/fabric.ts';
import { protocolNumber, WITH_PORTS } from '../plan/security-group.ts';

/** What a trace follows: one packet, with the addresses that it has at the moment; of ICMP the type, its code is 0. */
export type Flow = Omit<LoggedPacket, 'icmpCode'>;

export type Verdict = 'pass' | 'drop' | 'nat' | 'unknown';
/** `request`: from the source on; `answer`: the way back. */
export type Leg = 'request' | 'answer';

/** Why a station judges as it does, for programs: a sentence may change, its code does not. */
export type ReasonCode =
  // what a port may send
  | 'port_security_off'
  | 'not_an_address'
  | 'no_own_addresses'
  | 'link_local'
  | 'own_address'
  | 'spoofed'
  // its security groups
  | 'dhcp_server_forbidden'
  | 'router_advertisement_forbidden'
  | 'dhcp_passes'
  | 'neighbour_discovery_passes'
  | 'no_group'
  | 'rule_allows'
  | 'no_rule'
  | 'answer_allowed'
  | 'no_rule_for_answer'
  // the routes of its guest
  | 'to_itself'
  | 'on_own_network'
  | 'host_route'
  | 'by_gateway'
  | 'no_guest_route'
  // the port itself, and what its host made of it
  | 'port_down'
  | 'unplugged'
  | 'not_built'
  | 'arrives'
  | 'answer_arrives'
  | 'wrong_way_back'
  | 'guest_forwards'
  // networks
  | 'network_missing'
  | 'address_unused'
  | 'dhcp_answers'
  | 'dhcp_silent'
  | 'to_port'
  | 'to_sender'
  | 'maybe_claimed'
  | 'to_claimant'
  | 'claimed_by_several'
  | 'no_router_at_gateway'
  | 'nobody_there'
  // what is outside
  | 'from_outside'
  | 'leaves_cloud'
  | 'no_way_back'
  // routers
  | 'router_without_host'
  | 'routing_loop'
  | 'router_down'
  | 'not_on_router'
  | 'router_answers'
  | 'metadata_answers'
  | 'router_silent'
  | 'no_ndp_proxy'
  | 'closed_to_outside'
  | 'no_route'
  | 'unknown_connection'
  | 'own_network_of_router'
  | 'by_route'
  // translations of addresses
  | 'local_ip'
  | 'from_local_ip'
  | 'addresses_put_back'
  | 'floating_ip'
  | 'port_forwarding'
  | 'from_floating_ip'
  | 'hidden';

/** One station of a packet, in its order. */
export interface Hop {
  readonly leg: Leg;
  /** What judged: the port itself, its anti-spoofing, its security groups, the guest's own routes, the network, a router, a translation, the outside. */
  readonly kind: 'port' | 'anti_spoofing' | 'security_group' | 'guest_route' | 'network' | 'router' | 'nat' | 'outside';
  readonly object: { readonly type: 'port' | 'network' | 'router'; readonly id: string };
  readonly verdict: Verdict;
  readonly code: ReasonCode;
  /** Why, as a sentence. */
  readonly reason: string;
  /** What to do about a verdict that is not to anybody's liking. */
  readonly remedy?: string;
  /** The security group rule that let it pass, and its group. */
  readonly rule?: SecurityGroupRuleSpec;
  /** The groups that were asked. */
  readonly groupIds?: readonly string[];
  /** The packet as it is after this station. */
  readonly flow: Flow;
}

/** The whole of it: `unknown` where what happens next is not the fabric's to know. */
export interface Path {
  readonly verdict: 'pass' | 'drop' | 'unknown';
  /** The sentence of the hop that decided, or that it passes. */
  readonly summary: string;
  /** The code of the hop that decided, or `there_and_back` where nothing stops it. */
  readonly summaryCode: ReasonCode | 'there_and_back';
  readonly hops: readonly Hop[];
  /** The smallest MTU of the networks on the way. */
  readonly mtu: number | undefined;
  /** The port that the packet arrives at; absent where it arrives at none. */
  readonly arrivedAt?: string;
}

const ICMP_ANSWERS: Readonly<Record<number, number>> = { 8: 0, 13: 14, 17: 18, 128: 129 };

/** What answers a packet. */
export const answerTo = (flow: Flow): Flow => ({
  version: flow.version,
  protocol: flow.protocol,
  source: flow.destination,
  destination: flow.source,
  ...(flow.destinationPort !== undefined && { sourcePort: flow.destinationPort }),
  ...(flow.sourcePort !== undefined && { destinationPort: flow.sourcePort }),
  ...(flow.icmpType !== undefined && { icmpType: ICMP_ANSWERS[flow.icmpType] ?? flow.icmpType }),
});

export const isSame = (a: Flow, b: Flow): boolean =>
  a.source === b.source && a.destination === b.destination && a.sourcePort === b.sourcePort && a.destinationPort === b.destinationPort;

const NAMES: Readonly<Record<number, string>> = { 1: 'ICMP', 6: 'TCP', 17: 'UDP', 33: 'DCCP', 58: 'ICMPv6', 132: 'SCTP', 136: 'UDP-Lite' };

/** `TCP port 80`, `ICMP type 8`, `protocol 47`. */
export function trafficText(flow: Flow): string {
  const name = NAMES[flow.protocol] ?? `protocol ${flow.protocol}`;
  if (flow.icmpType !== undefined) return `${name} type ${flow.icmpType}`;
  return flow.destinationPort === undefined ? name : `${name} port ${flow.destinationPort}`;
}

/** The number of a protocol as security group rules name it; undefined for none, and for the ones that stand for any. */
export function protocolOf(text: string, version: 4 | 6): number | undefined {
  const number = protocolNumber(text, version === 4 ? 'IPv4' : 'IPv6');
  return number === 0 && text !== 'hopopt' && text !== '0' ? undefined : number;
}

export const hasPorts = (protocol: number): boolean => protocol in WITH_PORTS;
