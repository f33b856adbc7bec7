import type { RouterSpec } from '../../interface/fabric.ts';
import type { DelegationPlan } from '../delegation/keeper.ts';
import { gatewayLinkName } from '../names.ts';
import { type Cidr, contains, parseCidr, parseIp } from './address.ts';

/** What a router asks the provider beyond its first gateway for. A part of one asks for nothing. */
export function delegationOf({ id, isPart, gateway, prefixDelegation = [] }: RouterSpec): DelegationPlan | 'elsewhere' | undefined {
  if (isPart) return 'elsewhere';
  if (!gateway || prefixDelegation.length === 0) return undefined;
  return { routerId: id, link: gatewayLinkName(id), way: `${gateway.networkId} ${gateway.mac}`, subnets: prefixDelegation };
}

/** A subnet on a link whose prefix has replaced another. */
export interface ReplacedPrefix {
  readonly subnetId: string;
  readonly before: Cidr;
}

/** The subnets on a link of a router that had other prefixes until a while ago. Those that the router has elsewhere by now are not among them. */
export function replacedPrefixes(router: RouterSpec, link: RouterSpec['interfaces'][number]): readonly ReplacedPrefix[] {
  if (router.isPart) return [];
  const has = (at: RouterSpec['interfaces'][number], cidr: Cidr): boolean =>
    at.addresses.some(({ ip }) => {
      const own = parseIp(ip);
      return own !== undefined && contains(cidr, own);
    });
  return (router.prefixDelegation ?? []).flatMap(({ subnetId, prefix, before }) => {
    const [now, old] = [prefix, before].map((text) => (text === undefined ? undefined : parseCidr(text)));
    return now && old && has(link, now) && !router.interfaces.some((at) => has(at, old)) ? [{ subnetId, before: old }] : [];
  });
}
