import { manyHops } from '../plan/namespace.ts';

/** A link as `ip -j -d addr show` tells it. */
export interface KernelLink {
  readonly name: string;
  /** `bridge`, `tun`, `veth`, `loopback` ... */
  readonly kind: string;
  readonly mac: string;
  readonly mtu: number;
  readonly master: string | undefined;
  readonly up: boolean;
  readonly carrier: boolean;
  /** With prefix length, `10.0.0.1/24`; IPv6 link-local ones are the kernel's own affair and left out. */
  readonly addresses: readonly string[];
  /** Addresses that are there for what they announce alone: deprecated, and without a route. With prefix length. */
  readonly stale?: readonly string[];
  readonly alias: string | undefined;
}

export type KernelLinks = ReadonlyMap<string, KernelLink>;

interface JsonAddress {
  readonly family?: string;
  readonly local?: string;
  readonly prefixlen?: number;
  readonly scope?: string;
  readonly deprecated?: boolean;
  readonly noprefixroute?: boolean;
}

interface JsonLink {
  readonly ifname?: string;
  readonly flags?: readonly string[];
  readonly mtu?: number;
  readonly master?: string;
  readonly link_type?: string;
  readonly address?: string;
  readonly ifalias?: string;
  readonly linkinfo?: { readonly info_kind?: string };
  readonly addr_info?: readonly JsonAddress[];
}

const isStale = (address: JsonAddress): boolean => address.deprecated === true && address.noprefixroute === true;

export function readLinks(json: string): KernelLinks {
  const links = new Map<string, KernelLink>();
  // With no link to show, some releases print nothing at all.
  for (const link of (json.trim() === '' ? [] : JSON.parse(json)) as readonly JsonLink[]) {
    if (link.ifname === undefined) continue;
    const flags = link.flags ?? [];
    const addresses = (link.addr_info ?? []).filter((a) => !(a.family === 'inet6' && a.scope === 'link'));
    const [stale, own] = [true, false].map((is) => addresses.filter((a) => isStale(a) === is).map((a) => `${a.local}/${a.prefixlen}`)) as [string[], string[]];
    links.set(link.ifname, {
      name: link.ifname,
      kind: link.linkinfo?.info_kind ?? link.link_type ?? '',
      mac: link.address ?? '',
      mtu: link.mtu ?? 0,
      master: link.master,
      up: flags.includes('UP'),
      carrier: flags.includes('LOWER_UP'),
      addresses: own,
      ...(stale.length > 0 && { stale }),
      alias: link.ifalias,
    });
  }
  return links;
}

/** Tunnel -> the other ends that frames go to whose receiver is not known. */
export type KernelFloods = ReadonlyMap<string, ReadonlySet<string>>;

interface JsonForwarding {
  readonly mac?: string;
  readonly ifname?: string;
  readonly dst?: string;
}

/** Reads `bridge -j fdb show`. */
export function readFloods(json: string): KernelFloods {
  const floods = new Map<string, Set<string>>();
  for (const { mac, ifname, dst } of (json.trim() === '' ? [] : JSON.parse(json)) as readonly JsonForwarding[]) {
    if (mac !== '00:00:00:00:00:00' || ifname === undefined || dst === undefined) continue;
    const known = floods.get(ifname);
    if (known) known.add(dst);
    else floods.set(ifname, new Set([dst]));
  }
  return floods;
}

/** Destination -> the rest of the route (`via 10.0.0.1 dev qr-1`), for the routes that somebody set; the kernel's own are left out. */
export type KernelRoutes = ReadonlyMap<string, string>;

interface JsonHop {
  readonly gateway?: string;
  readonly dev?: string;
  readonly flags?: readonly string[];
}

interface JsonRoute extends JsonHop {
  readonly dst?: string;
  readonly protocol?: string;
  readonly type?: string;
  readonly nexthops?: readonly JsonHop[];
}

const hopOf = ({ gateway, dev, flags }: JsonHop): string =>
  [gateway === undefined ? '' : `via ${gateway}`, `dev ${dev}`, flags?.includes('onlink') ? 'onlink' : ''].filter(Boolean).join(' ');

export function readRoutes(json: string, version: 4 | 6): KernelRoutes {
  const routes = new Map<string, string>();
  for (const route of (json.trim() === '' ? [] : JSON.parse(json)) as readonly JsonRoute[]) {
    if (route.protocol === 'kernel' || route.dst === undefined) continue;
    const destination = route.dst === 'default' ? (version === 4 ? '0.0.0.0/0' : '::/0') : route.dst;
    routes.set(destination, route.nexthops ? manyHops(route.nexthops.map(hopOf)) : hopOf(route));
  }
  return routes;
}

/** Reads `ip -6 -j neigh show proxy`. */
export function readProxies(json: string): ReadonlySet<string> {
  const entries = (json.trim() === '' ? [] : JSON.parse(json)) as readonly { readonly dst?: string; readonly dev?: string }[];
  return new Set(entries.flatMap(({ dst, dev }) => (dst === undefined || dev === undefined ? [] : [`${dst} dev ${dev}`])));
}

/** Reads `ip -j neigh show nud permanent`: MACs by `ADDRESS dev LINK`. */
export function readNeighbours(json: string): ReadonlyMap<string, string> {
  const entries = (json.trim() === '' ? [] : JSON.parse(json)) as readonly { readonly dst?: string; readonly dev?: string; readonly lladdr?: string }[];
  return new Map(entries.flatMap(({ dst, dev, lladdr }) => (dst === undefined || dev === undefined ? [] : [[`${dst} dev ${dev}`, lladdr ?? '']])));
}
