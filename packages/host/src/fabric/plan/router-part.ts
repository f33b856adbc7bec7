import type { PortSpec, RouterSpec } from '../../interface/fabric.ts';
import { routerLinkName } from '../names.ts';
import type { FabricView } from '../objects.ts';
import type { Chain, SetModel } from '../ruleset/model.ts';
import { type Cidr, canonicalIp, canonicalMac, contains, formatCidr, METADATA_IP, minimise, parseCidr, parseIp } from './address.ts';
import type { NamespacePlan } from './namespace.ts';
import { FLOATING_MAP, NAT_TABLE } from './router-rules.ts';

/** Parts of distributed routers: what they know without asking, and which frames of guests are for them (docs/design/0026-distributed-routers.md). */

/** What a part can route, as it was built. */
export interface PartBuilt {
  /** Ports inside, by `ADDRESS dev LINK`. */
  readonly neighbours: ReadonlySet<string>;
  /** Fixed addresses with a floating one. */
  readonly fixed: ReadonlySet<string>;
}

export const builtOf = (plan: NamespacePlan): PartBuilt => ({
  neighbours: new Set(plan.neighbours?.keys()),
  fixed: new Set(plan.rules.get(NAT_TABLE)?.sets.get(FLOATING_MAP)?.elements.values()),
});

type Interface = RouterSpec['interfaces'][number];

const cidrsOf = (link: Interface): readonly Cidr[] => link.addresses.flatMap(({ ip, prefixLength }) => parseCidr(`${canonicalIp(ip)}/${prefixLength}`) ?? []);

/**
 * The MACs of a part's neighbours inside: of ports that are at work somewhere, by `ADDRESS dev LINK`. An address that some port may take over (an allowed pair)
 * is left to the whole router, which asks who has it. Next hops of routes that are not known are the whole router's, too: it has the same routes.
 */
export function neighboursOf(view: Pick<FabricView, 'portsOf'>, router: RouterSpec): ReadonlyMap<string, string> {
  const known = portNeighbours(view, router);
  for (const { nexthop } of router.routes) {
    const hop = parseIp(nexthop);
    const link = hop && router.interfaces.find((each) => cidrsOf(each).some((cidr) => contains(cidr, hop)));
    const key = link && `${canonicalIp(nexthop)} dev ${routerLinkName(link.portId)}`;
    if (key !== undefined && link?.sharedMac !== undefined && !known.has(key)) known.set(key, macOf(link.sharedMac));
  }
  return known;
}

function portNeighbours(view: Pick<FabricView, 'portsOf'>, router: RouterSpec): Map<string, string> {
  const known = new Map<string, string>();
  const own = new Set(router.interfaces.map((link) => link.portId));
  for (const link of router.interfaces) {
    const cidrs = cidrsOf(link);
    const ports = [...view.portsOf(link.networkId)];
    const claimed = new Set(ports.flatMap(claimsOf));
    for (const port of ports) {
      if (port.isUnbound || own.has(port.id)) continue;
      for (const { ip } of port.fixedIps) {
        const [text, address] = [canonicalIp(ip), parseIp(ip)];
        if (address && !claimed.has(text) && cidrs.some((cidr) => contains(cidr, address)))
          known.set(`${text} dev ${routerLinkName(link.portId)}`, macOf(port.mac));
      }
    }
  }
  return known;
}

/** Single addresses that a port may use beside its own. */
const claimsOf = (port: PortSpec): readonly string[] =>
  port.allowedAddressPairs.flatMap(({ cidr }) => {
    const parsed = parseCidr(cidr);
    return parsed && parsed.prefixLength === (parsed.version === 4 ? 32 : 128) ? [formatCidr(parsed)] : [];
  });

const macOf = (text: string): string => canonicalMac(text) ?? text;

/** The bridge table's share: frames from guests to a router's MAC that the part of this host takes are given the part's MAC. */
export interface PartRules {
  readonly sets: ReadonlyMap<string, SetModel>;
  readonly chains: ReadonlyMap<string, Chain>;
}

/** The last rule is reached by what is neither for a port that is known nor for a network of the router. */
const TAKE: readonly string[] = [
  'iifname "tap*" ether daddr set ether daddr . ip daddr map @part_near4',
  'iifname "tap*" ether daddr set ether daddr . ip6 daddr map @part_near6',
  'iifname "tap*" ether daddr . ip daddr @part_inside accept',
  'iifname "tap*" ether daddr set ether daddr . ip saddr map @part_floating',
];

/** Names only what is built, so that no frame goes to a part that cannot carry it on yet. Nothing where the host has no parts. */
export function partRules(view: Pick<FabricView, 'portsOf' | 'routers' | 'parts'>): PartRules {
  const near = { 4: new Map<string, string>(), 6: new Map<string, string>() };
  const inside = new Map<string, string>();
  const floating = new Map<string, string>();
  for (const router of view.routers.values()) {
    const built = router.isPart && router.adminUp ? view.parts.get(router.id) : undefined;
    if (built === undefined) continue;
    const known = portNeighbours(view, router);
    const networks = minimise([...router.interfaces.flatMap(cidrsOf).filter((cidr) => cidr.version === 4), mustCidr(METADATA_IP)]);
    const links = router.interfaces.flatMap((link) =>
      link.sharedMac === undefined ? [] : [{ link, shared: macOf(link.sharedMac), name: routerLinkName(link.portId) }],
    );
    for (const [neighbour] of known) {
      if (built !== 'found' && !built.neighbours.has(neighbour)) continue;
      const ip = neighbour.slice(0, neighbour.indexOf(' '));
      // by whichever network it comes, it is for the part's link there
      for (const { link, shared } of links) near[ip.includes(':') ? 6 : 4].set(`${shared} . ${ip}`, macOf(link.mac));
    }
    for (const { shared } of links) for (const cidr of networks) inside.set(`${shared} . ${formatCidr(cidr)}`, '');
    for (const { fixedIp } of router.gateway ? router.floatingIps : []) {
      const [ip, address] = [canonicalIp(fixedIp), parseIp(fixedIp)];
      const at = links.find(({ link }) => address && cidrsOf(link).some((cidr) => contains(cidr, address)));
      if (at && (built === 'found' || built.fixed.has(ip))) floating.set(`${at.shared} . ${ip}`, macOf(at.link.mac));
    }
  }
  if (inside.size === 0) return { sets: new Map(), chains: new Map() };
  const map = (type: string, elements: ReadonlyMap<string, string>): SetModel => ({
    kind: 'map',
    declaration: `type ether_addr . ${type} : ether_addr`,
    elements,
  });
  return {
    sets: new Map<string, SetModel>([
      ['part_near4', map('ipv4_addr', near[4])],
      ['part_near6', map('ipv6_addr', near[6])],
      ['part_inside', { kind: 'set', declaration: 'type ether_addr . ipv4_addr; flags interval', elements: inside }],
      ['part_floating', map('ipv4_addr', floating)],
    ]),
    // behind the checks of who sends (-300), before the bridge looks where the frame goes
    chains: new Map([['parts', { hook: { type: 'filter', hook: 'prerouting', priority: -250 }, rules: TAKE }]]),
  };
}

function mustCidr(text: string): Cidr {
  const cidr = parseCidr(text);
  if (!cidr) throw new Error(`not an IP network: ${text}`);
  return cidr;
}
