import type { KernelLink, KernelLinks, KernelRoutes } from '../kernel/links.ts';
import type { Ruleset } from '../ruleset/model.ts';

/** What a router's or a DHCP server's namespace is to hold. */
export interface NamespacePlan {
  readonly name: string;
  /** veth pairs by link name, which both ends share: one end here, the other on a bridge of the switch. */
  readonly links: ReadonlyMap<string, VethPlan>;
  /** Addresses of the loopback link beside 127.0.0.1 and ::1, with length. */
  readonly loopback: readonly string[];
  /** Destination -> `via ADDRESS dev LINK [onlink]`, or several of those (`manyHops`). */
  readonly routes: ReadonlyMap<string, string>;
  /** `key=value`, set when the namespace is made; keys that the kernel lacks are passed over. */
  readonly sysctls: readonly string[];
  readonly rules: Ruleset;
  /** IPv6 addresses that a link answers for: `ADDRESS dev LINK`. */
  readonly proxies?: ReadonlySet<string>;
  /** MACs that are known without asking, by `ADDRESS dev LINK`. */
  readonly neighbours?: ReadonlyMap<string, string>;
}

/** One route by several next hops, each `via ADDRESS dev LINK [onlink]`: connections are shared out among them. */
export const manyHops = (hops: readonly string[]): string => hops.map((hop) => `nexthop ${hop}`).join(' ');

export interface VethPlan {
  readonly mac: string;
  readonly mtu: number;
  readonly bridge: string;
  /** With length, canonical. */
  readonly addresses: readonly string[];
  /**
   * Addresses of prefixes that guests are not to use any longer, which is announced as long as the link has them. They lead nowhere, and the kernel
   * takes them away after a while by itself. With length, canonical.
   */
  readonly stale?: readonly string[];
  /** Neither asks nor answers by ARP, nor announces its addresses. Goes by the MAC: a link of another MAC may change it. */
  readonly isQuiet?: true;
}

/** What there is of a namespace: its own links and routes, and the switch's ends of its links. */
export interface NamespaceState {
  readonly links: KernelLinks;
  readonly routes: KernelRoutes;
  readonly outerEnds: KernelLinks;
  readonly proxies: ReadonlySet<string>;
  readonly neighbours: ReadonlyMap<string, string>;
}

/** How long a prefix that was replaced is announced: as long as guests go on with it, whatever they are told (RFC 4862, 5.5.3 e). */
const STALE_SECONDS = 7200;
const NONE: ReadonlySet<string> = new Set();
const NO_NEIGHBOURS: ReadonlyMap<string, string> = new Map();

export const EMPTY_NAMESPACE: NamespaceState = { links: new Map(), routes: new Map(), outerEnds: new Map(), proxies: new Set(), neighbours: new Map() };

/** Commands for `ip -batch`: those of the switch namespace first, then those of the namespace itself. */
export interface NamespaceChanges {
  readonly inSwitch: readonly string[];
  /** Links of the switch whose other end is in a namespace that lost its name. They may be about to go by themselves. */
  readonly stale: readonly string[];
  readonly inside: readonly string[];
  /** IPv4 addresses that are new on a link, to be announced to the neighbours. */
  readonly announce: readonly { readonly link: string; readonly ip: string }[];
}

export function diffNamespace(actual: NamespaceState, plan: NamespacePlan): NamespaceChanges {
  const inSwitch: string[] = [];
  const inside: string[] = [];
  const stale: string[] = [];
  const announce: { link: string; ip: string }[] = [];
  // An address that goes takes its network's route along, and with it routes through that network.
  let routesMayBeLost = false;

  for (const link of actual.links.values()) if (link.kind === 'veth' && !plan.links.has(link.name)) inSwitch.push(`link delete dev ${link.name}`);
  // Before any address goes. Routes of a link that goes are gone with it already.
  for (const [destination, rest] of actual.routes) {
    const devices = [...rest.matchAll(/\bdev (\S+)/g)].map(([, device]) => device ?? '');
    // a route of several hops is there while one of its links is
    if (!plan.routes.has(destination) && devices.some((device) => plan.links.has(device)))
      inside.push(`route delete ${destination}${devices.length > 1 ? '' : ` ${rest.replace(' onlink', '')}`}`);
  }
  if (actual.links.get('lo')?.up !== true) inside.push('link set dev lo up');
  const onLoopback = (actual.links.get('lo')?.addresses ?? []).filter((address) => address !== '127.0.0.1/8' && address !== '::1/128');
  changeAddresses('lo', onLoopback, plan.loopback, inside);

  for (const [name, wanted] of plan.links) {
    const link = actual.links.get(name);
    const end = actual.outerEnds.get(name);
    if (!link && end) stale.push(name);
    if (!link) inSwitch.push(`link add dev ${name} mtu ${wanted.mtu} type veth peer name ${name} mtu ${wanted.mtu} address ${wanted.mac} netns ${plan.name}`);
    if (!link || end?.mtu !== wanted.mtu || end.master !== wanted.bridge || !end.up)
      inSwitch.push(`link set dev ${name} mtu ${wanted.mtu} master ${wanted.bridge} up`);
    if (!link || link.mtu !== wanted.mtu || link.mac !== wanted.mac)
      inside.push(`link set dev ${name} mtu ${wanted.mtu} address ${wanted.mac}${arpOf(wanted, link)}`);
    const former = wanted.stale ?? [];
    const wasStale = link?.stale ?? [];
    // what was the one may be the other now
    for (const address of wasStale) if (!former.includes(address)) inside.push(`addr delete ${address} dev ${name}`);
    const gone = changeAddresses(name, link?.addresses ?? [], wanted.addresses, inside);
    for (const address of former)
      if (!wasStale.includes(address)) inside.push(`addr add ${address} dev ${name} nodad noprefixroute valid_lft ${STALE_SECONDS} preferred_lft 0`);
    if (gone) routesMayBeLost = true;
    if (!link?.up) inside.push(`link set dev ${name} up`);
    for (const address of wanted.addresses) {
      const ip = address.slice(0, address.indexOf('/'));
      if (!wanted.isQuiet && !ip.includes(':') && (link?.mac !== wanted.mac || !link.addresses.includes(address))) announce.push({ link: name, ip });
    }
  }
  for (const [destination, rest] of plan.routes)
    if (routesMayBeLost || actual.routes.get(destination) !== rest) inside.push(`route replace ${destination} proto static ${rest}`);
  const wanted = plan.proxies ?? NONE;
  const linkOf = (proxy: string): string => proxy.slice(proxy.indexOf(' dev ') + 5);
  // those of a link that goes are gone with it
  for (const proxy of actual.proxies) if (!wanted.has(proxy) && plan.links.has(linkOf(proxy))) inside.push(`neigh delete proxy ${proxy}`);
  for (const proxy of wanted) if (!actual.proxies.has(proxy) || !actual.links.has(linkOf(proxy))) inside.push(`neigh replace proxy ${proxy}`);
  changeNeighbours(actual, plan, inside);
  return { stale, inSwitch, inside, announce };
}

/** A link that stays may have been a quiet one. */
const arpOf = (wanted: VethPlan, link: KernelLink | undefined): string => (wanted.isQuiet ? ' arp off' : link ? ' arp on' : '');

/** Those of a link that is made anew are gone with the old one. */
function changeNeighbours(actual: NamespaceState, plan: NamespacePlan, out: string[]): void {
  const wanted = plan.neighbours ?? NO_NEIGHBOURS;
  const linkOf = (neighbour: string): string => neighbour.slice(neighbour.indexOf(' dev ') + 5);
  for (const neighbour of actual.neighbours.keys()) if (!wanted.has(neighbour) && plan.links.has(linkOf(neighbour))) out.push(`neigh delete ${neighbour}`);
  for (const [neighbour, mac] of wanted) {
    if (actual.neighbours.get(neighbour) === mac && actual.links.has(linkOf(neighbour))) continue;
    const [ip] = neighbour.split(' ', 1);
    out.push(`neigh replace ${ip} lladdr ${mac} dev ${linkOf(neighbour)} nud permanent`);
  }
}

function changeAddresses(link: string, actual: readonly string[], wanted: readonly string[], out: string[]): boolean {
  // New ones first: a link that keeps some address keeps the routes through it.
  for (const address of wanted) if (!actual.includes(address)) out.push(`addr add ${address} dev ${link}${address.includes(':') ? ' nodad' : ''}`);
  const gone = actual.filter((address) => !wanted.includes(address));
  for (const address of gone) out.push(`addr delete ${address} dev ${link}`);
  return gone.length > 0;
}

/** The namespace as it is once the changes were made. */
export function stateAfter(plan: NamespacePlan): NamespaceState {
  const base = { alias: undefined, up: true, carrier: true };
  const inner = [...plan.links].map(
    ([name, l]) =>
      [name, { ...base, name, kind: 'veth', mac: l.mac, mtu: l.mtu, master: undefined, addresses: l.addresses, ...(l.stale && { stale: l.stale }) }] as const,
  );
  const outer = [...plan.links].map(([name, l]) => [name, { ...base, name, kind: 'veth', mac: '', mtu: l.mtu, master: l.bridge, addresses: [] }] as const);
  const lo = { ...base, name: 'lo', kind: 'loopback', mac: '00:00:00:00:00:00', mtu: 65536, master: undefined, addresses: plan.loopback };
  return {
    links: new Map([['lo', lo], ...inner]),
    routes: plan.routes,
    outerEnds: new Map(outer),
    proxies: plan.proxies ?? NONE,
    neighbours: plan.neighbours ?? NO_NEIGHBOURS,
  };
}
