import type { PortSpec } from '../../interface/fabric.ts';
import { egressRules, ingressRules } from './qos.ts';
import { type Cidr, canonicalMac, formatCidr, type Ip, lastOf, linkLocalOf, minimise, parseCidr } from './address.ts';

/** The bridge rules of one guest port: who it may claim to be, and which frames reach it. */
export interface PortFilter {
  /** For frames from the guest. */
  readonly from: readonly string[];
  /** For frames to the guest. */
  readonly to: readonly string[];
}

/** Neighbour discovery and multicast listener reports that a host without an address sends (RFC 4862, RFC 3810). */
const ICMPV6_FROM_NOBODY = '{ 131, 133, 135, 143 }';
const UNICAST = 'ether daddr & 01:00:00:00:00:00 == 00:00:00:00:00:00';
/**
 * Only these frames are filtered by address and by the inet hooks of the bridge. A frame with a VLAN tag shows 0x8100 here, so the
 * tag is no way round the security groups.
 */
const RARP = 'ether type 0x8035';
const KNOWN_FRAMES = 'ether type != { arp, ip, ip6 } drop';

/**
 * Anti-spoofing as upstream's port security has it: the MAC of the port or of an allowed pair, with that MAC only its own addresses,
 * in Ethernet, ARP, IPv4, IPv6 and neighbour discovery. A port without fixed addresses may use any address with its own MAC.
 * A rule that accepts leaves the chain's mark on the packet, so the mark comes first; it tells the inet rules which port this is.
 */
export function portFilter(port: PortSpec, mark: number): PortFilter {
  const setMark = `meta mark set 0x${mark.toString(16)}`;
  const own = canonicalMac(port.mac) ?? port.mac;
  const pairs = pairsOf(port, own);
  const macs = `{ ${[...pairs.keys()].toSorted().join(', ')} }`;
  const anyOwn = port.fixedIps.length === 0;
  const to = [setMark, KNOWN_FRAMES, `${UNICAST} ether daddr != ${macs} drop`, ...ingressRules(port.qos)];
  // With RARP a hypervisor tells the switches where a guest has moved to; it carries nothing but the sender's MAC, and reaches no guest.
  const from = [setMark, `${RARP} ether saddr ${macs} accept`, KNOWN_FRAMES, `ether saddr != ${macs} drop`, ...egressRules(port.qos)];

  const v4: string[] = [];
  const arp: string[] = [];
  const v6: string[] = [];
  const targets: Cidr[] = [];
  for (const [mac, cidrs] of [...pairs].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const any = anyOwn && mac === own;
    // An address probe (RFC 5227) has the sender address 0.0.0.0, which takes nothing from anybody.
    const of4 = (more: readonly string[]): readonly string[] =>
      any ? ['0.0.0.0/0'] : minimise([...cidrs.filter((cidr) => cidr.version === 4), ...more.map(cidrOf)]).map(formatCidr);
    for (const cidr of of4([])) v4.push(`${mac} . ${cidr}`);
    for (const cidr of of4(['0.0.0.0'])) arp.push(`${mac} . ${mac} . ${cidr}`);
    const of6 = any ? [cidrOf('::/0')] : minimise([...cidrs.filter((cidr) => cidr.version === 6), linkLocalOf(mac)]);
    for (const cidr of of6) v6.push(`${mac} . ${formatCidr(cidr)}`);
    targets.push(...of6);
  }
  from.push(
    `ether type arp ether saddr . arp saddr ether . arp saddr ip != { ${arp.join(', ')} } drop`,
    'ether type arp accept',
    'ip saddr 0.0.0.0 ip daddr 255.255.255.255 udp sport 68 udp dport 67 accept',
    v4.length ? `ether type ip ether saddr . ip saddr != { ${v4.join(', ')} } drop` : 'ether type ip drop',
  );
  const target = `@th,64,128 != { ${minimise(targets).map(rawRange).join(', ')} } drop`;
  // Offset 64 of a solicitation or an advertisement is its target: for whom an address is asked or claimed.
  if (!anyOwn) from.push(`ip6 saddr :: icmpv6 type nd-neighbor-solicit ${target}`, `icmpv6 type nd-neighbor-advert ${target}`);
  from.push(`ip6 saddr :: ip6 daddr ff02::/16 icmpv6 type ${ICMPV6_FROM_NOBODY} accept`, `ether type ip6 ether saddr . ip6 saddr != { ${v6.join(', ')} } drop`);
  return { from, to };
}

/** MAC -> the addresses that go with it. The port's own MAC is always there. */
export function pairsOf(port: PortSpec, own: string): ReadonlyMap<string, readonly Cidr[]> {
  const pairs = new Map<string, Cidr[]>([[own, []]]);
  const add = (mac: string, text: string): void => {
    const list = pairs.get(mac);
    if (list) list.push(cidrOf(text));
    else pairs.set(mac, [cidrOf(text)]);
  };
  for (const { ip } of port.fixedIps) add(own, ip);
  for (const pair of port.allowedAddressPairs) add(canonicalMac(pair.mac) ?? pair.mac, pair.cidr);
  return pairs;
}

function cidrOf(text: string): Cidr {
  const cidr = parseCidr(text);
  if (!cidr) throw new Error(`not an IP network: ${JSON.stringify(text)}`);
  return cidr;
}

const raw = (ip: Ip): string => `0x${ip.value.toString(16).padStart(32, '0')}`;
const rawRange = (cidr: Cidr): string => (cidr.prefixLength === 128 ? raw(cidr) : `${raw(cidr)}-${raw(lastOf(cidr))}`);
