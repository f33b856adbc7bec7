import type { RouterSpec } from '../../interface/fabric.ts';
import { bridgeName, gatewayLinkName, type Names, routerLinkName } from '../names.ts';
import type { FabricView } from '../objects.ts';
import { canonicalIp, canonicalMac, type Cidr, contains, formatCidr, type Ip, parseCidr, parseIp } from './address.ts';
import type { NamespacePlan, VethPlan } from './namespace.ts';
import { routerRules } from './router-rules.ts';

export const METADATA_IP = '169.254.169.254';

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

/** The namespace of a router; undefined when the router is switched off, as upstream's agent removes such routers. */
export function planRouter(view: Pick<FabricView, 'networks'>, router: RouterSpec, names: Names): NamespacePlan | undefined {
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
  ): void => {
    const network = view.networks.get(networkId);
    if (!network) return;
    const own = addresses.map(({ ip, prefixLength }) => `${canonicalIp(ip)}/${prefixLength}`);
    links.set(name, { mac: canonicalMac(mac) ?? mac, mtu: network.mtu, bridge: bridgeName(networkId), addresses: [...new Set([...own, ...more])] });
    for (const text of own) {
      const cidr = parseCidr(text);
      if (cidr) connected.push({ cidr, link: name });
    }
  };
  for (const link of router.interfaces) add(routerLinkName(link.portId), link.networkId, link.mac, link.addresses, []);
  const gateway = gatewayLinkName(router.id);
  const outside = [...router.floatingIps, ...(router.portForwardings ?? [])].map(({ floatingIp }) => `${canonicalIp(floatingIp)}/32`);
  const floating = [...new Set(outside)].toSorted();
  if (router.gateway) add(gateway, router.gateway.networkId, router.gateway.mac, router.gateway.addresses, floating);
  const hasGateway = links.has(gateway);

  const routes = new Map<string, string>();
  const linkOf = (nexthop: Ip): string | undefined => connected.find(({ cidr }) => contains(cidr, nexthop))?.link;
  for (const { nexthop } of hasGateway ? (router.gateway?.addresses ?? []) : []) {
    const ip = nexthop === undefined ? undefined : parseIp(nexthop);
    if (!ip || nexthop === undefined) continue;
    const destination = ip.version === 4 ? '0.0.0.0/0' : '::/0';
    if (routes.has(destination)) continue;
    // A provider's gateway may lie outside of the subnet.
    routes.set(destination, `via ${canonicalIp(nexthop)} dev ${gateway}${linkOf(ip) === gateway ? '' : ' onlink'}`);
  }
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
    loopback: [`${METADATA_IP}/32`],
    routes,
    sysctls: SYSCTLS,
    rules: routerRules(router, hasGateway ? gateway : undefined),
  };
}
