import type { NetworkSpec, RouterSpec } from '../../interface/fabric.ts';
import { namesOf, routerLinkName } from '../names.ts';
import { canonicalIp, contains, METADATA_IP, parseCidr, parseIp } from '../plan/address.ts';
import { gatewaysOf, type RouterGateway } from '../plan/gateways.ts';
import type { NamespacePlan } from '../plan/namespace.ts';
import { FLOATING_MAP, FORWARDING_MAP, NAT_TABLE } from '../plan/router-rules.ts';
import { planRouter } from '../plan/router.ts';
import { WITH_PORTS } from '../plan/security-group.ts';
import type { Flow } from './flow.ts';

/** Does a router with NDP proxies let nothing from outside to this address? Answers neither: its rules look at the address alone. */
export function keepsOut({ ndpProxy }: RouterSpec, text: string): boolean {
  const ip = parseIp(text);
  if (!ndpProxy || ip?.version !== 6 || ndpProxy.addresses.some((address) => canonicalIp(address) === canonicalIp(text))) return false;
  return ndpProxy.cidrs.some((cidr) => {
    const network = parseCidr(cidr);
    return network !== undefined && contains(network, ip);
  });
}

/** A router as its host has it: the plan that its namespace is made of, read as the kernel reads what comes of it. */
export class RouterStep {
  readonly router: RouterSpec;
  readonly #plan: NamespacePlan;
  /** Those that there are, by link. */
  readonly #gateways: ReadonlyMap<string, RouterGateway>;

  private constructor(router: RouterSpec, plan: NamespacePlan) {
    this.router = router;
    this.#plan = plan;
    this.#gateways = new Map(gatewaysOf(router).flatMap((gateway) => (plan.links.has(gateway.link) ? [[gateway.link, gateway] as const] : [])));
  }

  /** Undefined for a router that is switched off. */
  static of(router: RouterSpec, networks: ReadonlyMap<string, NetworkSpec>): RouterStep | undefined {
    const plan = planRouter({ networks, portsOf: () => [] }, router, namesOf('path'));
    return plan && new RouterStep(router, plan);
  }

  /** The link that has this address on this network, or answers for it. */
  linkWith(networkId: string, ip: string): string | undefined {
    for (const [name, link] of this.#plan.links)
      if (
        this.networkOf(name) === networkId &&
        (link.addresses.some((address) => address.split('/')[0] === ip) || this.#plan.proxies?.has(`${ip} dev ${name}`))
      )
        return name;
    return undefined;
  }

  keepsOut = (ip: string): boolean => keepsOut(this.router, ip);

  networkOf(link: string): string | undefined {
    return this.#gateways.get(link)?.networkId ?? this.router.interfaces.find((each) => routerLinkName(each.portId) === link)?.networkId;
  }

  isGateway = (link: string): boolean => this.#gateways.has(link);

  /** Where floating addresses and port forwardings lead. */
  translatedDestination(flow: Flow): { readonly flow: Flow; readonly code: 'floating_ip' | 'port_forwarding'; readonly by: string } | undefined {
    if (flow.version === 6) return undefined;
    const fixed = this.#map(FLOATING_MAP)?.get(flow.destination);
    if (fixed !== undefined) return { flow: { ...flow, destination: fixed }, code: 'floating_ip', by: `Floating IP ${flow.destination} leads to ${fixed}.` };
    const forwarded = this.#map(FORWARDING_MAP)?.get(`${flow.destination} . ${WITH_PORTS[flow.protocol]} . ${flow.destinationPort}`);
    if (forwarded === undefined) return undefined;
    const [ip = '', port] = forwarded.split(' . ');
    return {
      flow: { ...flow, destination: ip, destinationPort: Number(port) },
      code: 'port_forwarding',
      by: `Port ${flow.destinationPort} of ${flow.destination} is forwarded to ${ip} port ${port}.`,
    };
  }

  /** The source address of what leaves by `link`; `turned`: its destination was translated, and it came from inside. */
  translatedSource(
    flow: Flow,
    link: string,
    turned: boolean,
  ): { readonly source: string; readonly code: 'from_floating_ip' | 'hidden'; readonly by: string } | undefined {
    if (flow.version === 6) return undefined;
    const out = this.#gateways.get(link);
    if (!out && !turned) return undefined;
    const all = [...this.#gateways.values()];
    const maps = (out ? [out] : all).map((gateway) => gateway.fixedMap);
    const floating = maps.map((name) => this.#map(name)?.get(flow.source)).find((ip) => ip !== undefined);
    if (floating !== undefined)
      return { source: floating, code: 'from_floating_ip', by: `${flow.source} has the floating IP ${floating}, and appears as that.` };
    const source = (out ?? all.find((gateway) => gateway.source !== undefined))?.source;
    // the rule for what is turned back stands whether or not the router hides its networks
    if (source === undefined || (!turned && !this.router.gateway?.snat)) return undefined;
    return { source, code: 'hidden', by: `The router hides ${flow.source} behind its own address ${source}.` };
  }

  /** Whether the router keeps out who calls its networks from outside. */
  get isClosed(): boolean {
    return (this.#plan.rules.get(NAT_TABLE)?.chains.get('forward')?.rules.length ?? 0) > 0;
  }

  isOwn = (ip: string): boolean =>
    ip === METADATA_IP || [...this.#plan.links.values()].some((link) => link.addresses.some((address) => address.split('/')[0] === ip));

  /** By which link, and to whom next; `by` is the destination of the route that decided. */
  route(destination: string): { readonly link: string; readonly nexthop: string; readonly by: string; readonly isOwnNetwork: boolean } | undefined {
    const ip = parseIp(destination);
    if (!ip) return undefined;
    let best: { readonly length: number; readonly link: string; readonly nexthop: string; readonly by: string; readonly isOwnNetwork: boolean } | undefined;
    const consider = (text: string, link: string, nexthop: string, isOwnNetwork: boolean): void => {
      const cidr = parseCidr(text);
      // of two routes to the same network the later one is the one that there is: routes are put by `ip route replace`
      if (cidr && contains(cidr, ip) && (!best || cidr.prefixLength >= best.length))
        best = { length: cidr.prefixLength, link, nexthop, by: text, isOwnNetwork };
    };
    for (const [name, { addresses }] of this.#plan.links) for (const address of addresses) consider(address, name, destination, true);
    for (const [text, way] of this.#plan.routes) {
      // of several next hops the kernel takes one by the flow's addresses; which one, only it knows
      const [, nexthop = '', link = ''] = /\bvia (\S+) dev (\S+)/.exec(way) ?? [];
      consider(text, link, nexthop, false);
    }
    return best;
  }

  #map = (name: string): ReadonlyMap<string, string> | undefined => this.#plan.rules.get(NAT_TABLE)?.sets.get(name)?.elements;
}
