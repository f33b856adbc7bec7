/** A question about a packet, as the page's address keeps it. */
export interface PathSearch {
  /** A port or a server by its id, or `outside`. */
  readonly from?: string;
  /** A port, a server, a floating IP or an NDP proxy by its id, or an address. */
  readonly to?: string;
  readonly protocol?: string;
  /** The destination's port. */
  readonly port?: string;
  /** The address that it is sent from, where it is not the sender's own. */
  readonly source?: string;
}

export const OUTSIDE = 'outside';
export const PROTOCOLS = ['icmp', 'tcp', 'udp', 'sctp'] as const;
export const hasPorts = (protocol: string): boolean => protocol !== 'icmp';

/** What the address of the page asks; what is not understood is left out. */
export function readSearch(search: Readonly<Record<string, unknown>>): PathSearch {
  const text = (key: string): string | undefined => {
    const value = search[key];
    return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : undefined;
  };
  const read = { from: text('from'), to: text('to'), protocol: text('protocol'), port: text('port'), source: text('source') };
  return Object.fromEntries(Object.entries(read).filter(([, value]) => value !== undefined && value !== '')) as PathSearch;
}

type PortFacts = { readonly id: string; readonly device_id: string; readonly fixed_ips: readonly { readonly ip_address: string }[] };
/** By what somebody outside reaches the inside: a floating IP, or an IPv6 address inside that a router answers for. */
export interface WayIn {
  readonly id: string;
  readonly ip: string;
  readonly kind: 'floatingips' | 'ndp-proxies';
}
export const waysIn = (
  floatingIps: readonly { readonly id: string; readonly floating_ip_address: string }[],
  ndpProxies: readonly { readonly id: string; readonly ip_address: string }[],
): readonly WayIn[] => [
  ...floatingIps.map(({ id, floating_ip_address: ip }) => ({ id, ip, kind: 'floatingips' as const })),
  ...ndpProxies.map(({ id, ip_address: ip }) => ({ id, ip, kind: 'ndp-proxies' as const })),
];
export const wayMeant = (to: string | undefined, ways: readonly WayIn[]): WayIn | undefined => ways.find(({ id, ip }) => id === to || ip === to);

/** The port that is meant by the id of a port or of a server with one. */
export const portMeant = <T extends PortFacts>(id: string, ports: readonly T[]): T | undefined =>
  ports.find((port) => port.id === id) ?? ports.find((port) => port.device_id === id && port.fixed_ips.length > 0);

/**
 * The path of the API's request that answers the question, below `/network`; undefined while something is missing. From outside a packet
 * goes to one of the ways in.
 */
export function pathRequest(search: PathSearch, ports: readonly PortFacts[], ways: readonly WayIn[]): string | undefined {
  const { from, to, protocol = 'icmp', port, source } = search;
  if (from === undefined || to === undefined || (hasPorts(protocol) && !/^\d{1,5}$/.test(port ?? ''))) return undefined;
  const query = new URLSearchParams();
  const way = wayMeant(to, ways);
  if (from !== OUTSIDE) query.set('destination', way?.ip ?? portMeant(to, ports)?.id ?? to);
  query.set('protocol', protocol);
  if (hasPorts(protocol)) query.set('destination_port', port ?? '');
  if (source !== undefined) query.set('source_ip', source);
  if (from === OUTSIDE) return way && `/v2.0/${way.kind}/${encodeURIComponent(way.id)}/path?${query}`;
  const sender = portMeant(from, ports);
  return sender && `/v2.0/ports/${encodeURIComponent(sender.id)}/path?${query}`;
}

export type Verdict = 'pass' | 'drop' | 'nat' | 'unknown';
interface Packet {
  readonly source_ip: string;
  readonly destination_ip: string;
  readonly source_port: number | null;
  readonly destination_port: number | null;
}
export interface Hop {
  readonly leg: 'request' | 'answer';
  readonly kind: 'port' | 'anti_spoofing' | 'security_group' | 'guest_route' | 'network' | 'router' | 'nat' | 'outside' | 'other_side';
  readonly object: { readonly type: 'port' | 'network' | 'router'; readonly id: string; readonly name: string | null } | null;
  readonly host: string | null;
  readonly verdict: Verdict;
  readonly reason: string;
  /** The same for programs. */
  readonly reason_code: string;
  readonly remedy: string | null;
  readonly security_groups: readonly { readonly id: string; readonly name: string }[];
  readonly rule: { readonly id: string } | null;
  readonly packet: Packet | null;
}
export interface Path {
  readonly verdict: 'pass' | 'drop' | 'unknown';
  readonly summary: string;
  readonly summary_code: string;
  readonly remedy: string | null;
  readonly arrived_at_port_id: string | null;
  readonly packet: Packet;
  readonly mtu: number | null;
  readonly hops: readonly Hop[];
  readonly dhcp: readonly { readonly port_id: string; readonly ip_address: string; readonly reason: string; readonly reason_code: string }[];
}

const sideText = (ip: string, port: number | null): string => (port === null ? ip : ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`);
/** `10.0.0.5:49152 → 10.0.0.6:80` */
const packetText = (packet: Packet): string =>
  `${sideText(packet.source_ip, packet.source_port)} → ${sideText(packet.destination_ip, packet.destination_port)}`;

export interface Station {
  readonly hop: Hop;
  /** The packet as it is from here on, where it became another. */
  readonly becomes: string | undefined;
}

/** The stations of the packet, and those of its answer; the packet as it set out is told with each. */
export function legsOf(path: Path): readonly { readonly leg: Hop['leg']; readonly packet: string; readonly stations: readonly Station[] }[] {
  let packet = packetText(path.packet);
  return (['request', 'answer'] as const).flatMap((leg) => {
    const hops = path.hops.filter((hop) => hop.leg === leg);
    if (hops.length === 0) return [];
    // the answer has the addresses that its first station tells
    if (leg === 'answer')
      packet = hops.find((hop) => hop.packet !== null)?.packet ? packetText(hops.find((hop) => hop.packet !== null)?.packet as Packet) : packet;
    const first = packet;
    const stations = hops.map((hop): Station => {
      const now = hop.packet === null ? packet : packetText(hop.packet);
      const becomes = now === packet ? undefined : now;
      packet = now;
      return { hop, becomes };
    });
    return [{ leg, packet: first, stations }];
  });
}

const UUID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;

/** The rules that a station names: the one that decided, and those that its reason speaks of, with their groups. */
export function rulesNamed(
  hop: Hop,
  groups: readonly { readonly id: string; readonly name: string; readonly security_group_rules: readonly { readonly id: string }[] }[],
): readonly { readonly ruleId: string; readonly groupId: string; readonly groupName: string }[] {
  const ids = new Set([...(hop.rule ? [hop.rule.id] : []), ...(hop.reason.match(UUID) ?? [])]);
  return [...ids].flatMap((ruleId) =>
    groups
      .filter((group) => group.security_group_rules.some((rule) => rule.id === ruleId))
      .map((group) => ({ ruleId, groupId: group.id, groupName: group.name })),
  );
}

/** The group, and the rule for its form (see `formOfLink`), that a remedy's command would add; undefined where the remedy is another. */
export function ruleOfRemedy(remedy: string | null): { readonly groupId: string; readonly add: string } | undefined {
  const match =
    /security group rule create --(ingress|egress)(?: --ethertype (IPv[46]))? --protocol (\S+)(?: --dst-port (\S+))?(?: --\S*icmp\S* \S+)* --remote-ip (\S+) ([0-9a-f-]{36})/.exec(
      remedy ?? '',
    );
  if (match === null) return undefined;
  const [, direction, ethertype = 'IPv4', protocol, port = '', remote, groupId = ''] = match;
  return { groupId, add: [direction, ethertype, protocol, port, remote].join(',') };
}
