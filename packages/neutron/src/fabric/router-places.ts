import { createHash } from 'node:crypto';
import type { FabricObject, RouterSpec } from '@cairn/host/interface/fabric';
import { mustCidr, networkText } from '../net/cidr.ts';
import { ipVersionOf } from '../net/ip.ts';

/** What a host has of a router: all of it, a part, or nothing (docs/design/0026-distributed-routers.md). Pure. */

/** Where a distributed router's guests are, and which floating IPs are answered for there. */
export interface Distribution {
  readonly guestHosts: ReadonlySet<string>;
  /** By floating IP: the host of its server. Those that are left out are the whole router's. */
  readonly homeOf: ReadonlyMap<string, string>;
}

/** A router as a host is to have it; `isActive`: the host has it whole. Undefined where the host has nothing of it. */
export function routerOn(object: FabricObject, distribution: Distribution | undefined, host: string, isActive: boolean): FabricObject | undefined {
  if (object.kind !== 'router' || !distribution) return isActive ? object : undefined;
  const { homeOf, guestHosts } = distribution;
  if (isActive) return wholeOf(object, host, homeOf);
  return guestHosts.has(host) ? partOf(object, host, homeOf) : undefined;
}

function wholeOf(object: { readonly kind: 'router' } & RouterSpec, host: string, homeOf: ReadonlyMap<string, string>): FabricObject {
  const isHere = ({ id }: { readonly id: string }): boolean => (homeOf.get(id) ?? host) === host;
  const away = object.floatingIps.filter((floating) => !isHere(floating)).map(({ fixedIp }) => fixedIp);
  return { ...object, floatingIps: object.floatingIps.filter(isHere), ...(away.length > 0 && { floatingElsewhere: [...new Set(away)].toSorted() }) };
}

function partOf(whole: { readonly kind: 'router' } & RouterSpec, host: string, homeOf: ReadonlyMap<string, string>): FabricObject {
  const floatingIps = whole.floatingIps.filter(({ id }) => homeOf.get(id) === host);
  const gateway = floatingIps.length > 0 ? whole.gateway : undefined;
  const { meters, conntrackHelpers } = whole;
  return {
    kind: 'router',
    id: whole.id,
    adminUp: whole.adminUp,
    isPart: true,
    ...(gateway && {
      gateway: { networkId: gateway.networkId, mac: partMac(host, `${whole.id} ${gateway.networkId}`), addresses: [], snat: false, onLink: onLinkOf(gateway) },
    }),
    interfaces: whole.interfaces.map((link) => ({ ...link, mac: partMac(host, link.portId), sharedMac: link.mac })),
    routes: whole.routes,
    floatingIps: gateway ? floatingIps : [],
    ...(gateway && meters && { meters }),
    ...(conntrackHelpers && { conntrackHelpers }),
  };
}

/** The IPv4 networks that the whole router has addresses of outside. */
function onLinkOf({ addresses }: NonNullable<RouterSpec['gateway']>): NonNullable<NonNullable<RouterSpec['gateway']>['onLink']> {
  const byCidr = new Map<string, { cidr: string; nexthop?: string }>();
  for (const { ip, prefixLength, nexthop } of addresses) {
    if (ipVersionOf(ip) !== 4) continue;
    const cidr = networkText(mustCidr(`${ip}/${prefixLength}`));
    byCidr.set(cidr, { cidr, ...(nexthop !== undefined && { nexthop }) });
  }
  return [...byCidr.values()];
}

/**
 * The MAC of a part's link: the same for the same host and link, always, and locally administered (f2) beside those that ports get. That two of one network
 * are the same has a chance of one in 2^40 for each pair. Upstream gives each host one of `dvr_base_mac` and keeps it in a table.
 */
export function partMac(host: string, link: string): string {
  const digest = createHash('sha256').update(`${host}\n${link}`).digest('hex');
  return `f2:${digest.slice(0, 10).match(/../g)?.join(':')}`;
}
