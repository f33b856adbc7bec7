import type { RouterSpec } from '../../interface/fabric.ts';
import { bridgeName, type Names, routerLinkName } from '../names.ts';
import type { FabricView } from '../objects.ts';
import { canonicalIp, canonicalMac, type Cidr, contains, formatCidr, formatIp, type Ip, METADATA_IP, parseCidr, parseIp } from './address.ts';
import { FIXED_MAP, gatewaysOf, type RouterGateway } from './gateways.ts';
import { replacedPrefixes } from './delegation.ts';
import { manyHops, type NamespacePlan, type VethPlan } from './namespace.ts';
import { neighboursOf } from './router-part.ts';
import { routerRules } from './router-rules.ts';

const SYSCTLS = [
  'net.ipv4.ip_forward=1',
  'net.ipv6.conf.all.forwarding=1',
  // The sender is judged where the packet enters the switch, not by the route back (allowed address pairs, static routes).
  'net.ipv4.conf.all.rp_filter=0',
  'net.ipv4.conf.default.rp_filter=0',
  // A link answers for its own addresses only, and asks with them only.
  'net.ipv4.conf.all.arp_ignore=1',
  'net.ipv4.conf.all.arp_announce=2',
  'net.ipv4.conf.all.accept_redirects=0',
  'net.ipv6.conf.all.accept_redirects=0',
  'net.ipv6.conf.all.accept_ra=0',
  'net.ipv6.conf.default.accept_ra=0',
  'net.ipv6.conf.default.accept_dad=0',
];

/** A part sends packets back by the link that they came by, without telling their senders to ask next door. */
const PART_SYSCTLS = [...SYSCTLS, 'net.ipv4.conf.all.send_redirects=0', 'net.ipv4.conf.default.send_redirects=0'];

/** The namespace of a router; undefined when the router is switched off, as upstream's agent removes such routers. */
export function planRouter(view: Pick<FabricView, 'networks' | 'portsOf'>, router: RouterSpec, names: Names): NamespacePlan | undefined {
  if (!router.adminUp) return undefined;
  const links = new Map<string, VethPlan>();
  /** Networks that the router is on, to find the link of a next hop. */
  const connected: { readonly cidr: Cidr; readonly link: string }[] = [];
  const add = (
    name: string,
    networkId: string,
    mac: string,
    addresses: readonly { readonly ip: string; readonly prefixLength: number }[],
    more: readonly string[],
    isQuiet = false,
    stale: readonly string[] = [],
  ): void => {
    const network = view.networks.get(networkId);
    if (!network) return;
    const own = addresses.map(({ ip, prefixLength }) => `${canonicalIp(ip)}/${prefixLength}`);
    links.set(name, {
      mac: canonicalMac(mac) ?? mac,
      mtu: network.mtu,
      bridge: bridgeName(networkId),
      addresses: [...new Set([...own, ...more])],
      ...(stale.length > 0 && { stale }),
      ...(isQuiet && { isQuiet }),
    });
    for (const text of own) {
      const cidr = parseCidr(text);
      if (cidr) connected.push({ cidr, link: name });
    }
  };
  for (const link of router.interfaces)
    add(routerLinkName(link.portId), link.networkId, link.mac, link.addresses, [], router.isPart, staleAddresses(router, link));
  for (const { link, networkId, mac, addresses, floatingIps, portForwardings } of gatewaysOf(router)) {
    const outside = [...floatingIps, ...portForwardings].map(({ floatingIp }) => `${canonicalIp(floatingIp)}/32`);
    add(link, networkId, mac, addresses, [...new Set(outside)].toSorted());
  }
  const gateways = gatewaysOf(router).filter(({ link }) => links.has(link));
  for (const { link, onLink } of gateways) for (const { cidr } of onLink) connected.push({ cidr: parseCidr(cidr) as Cidr, link });

  const isOn = (link: string, ip: Ip): boolean => connected.some((network) => network.link === link && contains(network.cidr, ip));
  const linkOf = (nexthop: Ip): string | undefined => connected.find(({ cidr }) => contains(cidr, nexthop))?.link;
  // first what the next hops of the others are reached by
  const onLink = gateways.flatMap((gateway) => gateway.onLink.map(({ cidr }) => [formatCidr(parseCidr(cidr) as Cidr), `dev ${gateway.link}`] as const));
  const routes = new Map([...onLink, ...defaultRoutes(router, gateways, isOn)]);
  for (const { destination, nexthop } of router.routes) {
    const ip = parseIp(nexthop);
    const cidr = parseCidr(destination);
    const link = ip && linkOf(ip);
    // A next hop that is on no network of the router leads nowhere (yet).
    if (cidr && link)
      routes.set(cidr.prefixLength === 0 ? (cidr.version === 4 ? '0.0.0.0/0' : '::/0') : formatCidr(cidr), `via ${canonicalIp(nexthop)} dev ${link}`);
  }
  return {
    name: names.router(router.id),
    links,
    loopback: router.isPart ? [] : [`${METADATA_IP}/32`],
    routes,
    sysctls: router.isPart ? PART_SYSCTLS : SYSCTLS,
    rules: routerRules(router, gateways),
    proxies: proxiesOf(router, gateways),
    ...(router.isPart && { neighbours: neighboursOf(view, router) }),
  };
}

/** The router's former addresses on a link: by them its advertisements tell that prefixes are not to be used any longer. */
const staleAddresses = (router: RouterSpec, link: RouterSpec['interfaces'][number]): string[] =>
  replacedPrefixes(router, link).map(({ before }) => `${formatIp({ version: 6, value: before.value + 1n })}/64`);

/** The addresses that the first gateway answers for. */
function proxiesOf(router: RouterSpec, gateways: readonly RouterGateway[]): ReadonlySet<string> {
  const link = gateways.find(({ fixedMap }) => fixedMap === FIXED_MAP)?.link;
  return new Set(link === undefined ? [] : router.ndpProxy?.addresses.map((address) => `${canonicalIp(address)} dev ${link}`));
}

/** The way to everywhere, by IP version: the first gateway's next hop, or those of all. */
function defaultRoutes(router: RouterSpec, gateways: readonly RouterGateway[], isOn: (link: string, ip: Ip) => boolean): Map<string, string> {
  const hops = new Map<string, string[]>();
  // a router whose first gateway is not there (yet) has none that lead everywhere
  const used = router.defaultRouteEcmp ? gateways : gateways.filter(({ fixedMap }) => fixedMap === FIXED_MAP);
  for (const { link, addresses, onLink } of used) {
    const known = new Set<number>();
    for (const { nexthop } of [...addresses, ...onLink]) {
      const ip = nexthop === undefined ? undefined : parseIp(nexthop);
      if (!ip || nexthop === undefined || known.has(ip.version)) continue;
      known.add(ip.version);
      const destination = ip.version === 4 ? '0.0.0.0/0' : '::/0';
      // A provider's gateway may lie outside of the subnet.
      const hop = `via ${canonicalIp(nexthop)} dev ${link}${isOn(link, ip) ? '' : ' onlink'}`;
      hops.set(destination, [...(hops.get(destination) ?? []), hop]);
    }
  }
  return new Map([...hops].map(([destination, all]) => [destination, all.length === 1 ? (all[0] ?? '') : manyHops(all)]));
}
