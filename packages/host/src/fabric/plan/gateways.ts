import type { RouterSpec } from '../../interface/fabric.ts';
import { extraGatewayLinkName, gatewayLinkName } from '../names.ts';
import { canonicalIp } from './address.ts';

/** Inside address → the floating one that it leaves by. A further gateway has a map of its own: its addresses mean nothing elsewhere. */
export const FIXED_MAP = 'fixed_to_floating';

/** One way out of a router, by its link. */
export interface RouterGateway {
  readonly link: string;
  readonly networkId: string;
  readonly mac: string;
  readonly addresses: NonNullable<RouterSpec['gateway']>['addresses'];
  /** IPv4 networks on the link without an address of the gateway's. */
  readonly onLink: readonly { readonly cidr: string; readonly nexthop?: string }[];
  readonly fixedMap: string;
  readonly qos: NonNullable<RouterSpec['gateway']>['qos'];
  /** The address that outgoing traffic without a floating address takes; undefined without one. */
  readonly source: string | undefined;
  readonly floatingIps: RouterSpec['floatingIps'];
  readonly portForwardings: NonNullable<RouterSpec['portForwardings']>;
}

/** The gateways of a router: the first, then the further ones. A floating address is at the first that is on its network. */
export function gatewaysOf(router: RouterSpec): readonly RouterGateway[] {
  if (!router.gateway) return [];
  const first = { ...router.gateway, link: gatewayLinkName(router.id), fixedMap: FIXED_MAP };
  const further = (router.extraGateways ?? []).map((gateway, i) => ({
    ...gateway,
    link: extraGatewayLinkName(gateway.portId),
    fixedMap: `${FIXED_MAP}_${i + 1}`,
    qos: undefined,
    onLink: undefined,
  }));
  const all = [first, ...further];
  const homeOf = (networkId: string | undefined): object => all.find((gateway) => gateway.networkId === networkId) ?? first;
  return all.map((gateway) => ({
    link: gateway.link,
    networkId: gateway.networkId,
    mac: gateway.mac,
    addresses: gateway.addresses,
    onLink: gateway.onLink ?? [],
    fixedMap: gateway.fixedMap,
    qos: gateway.qos,
    source: sourceOf(gateway.addresses),
    floatingIps: router.floatingIps.filter(({ networkId }) => homeOf(networkId) === gateway),
    portForwardings: (router.portForwardings ?? []).filter(({ networkId }) => homeOf(networkId) === gateway),
  }));
}

function sourceOf(addresses: RouterGateway['addresses']): string | undefined {
  const ip = addresses.find((address) => !address.ip.includes(':'))?.ip;
  return ip === undefined ? undefined : canonicalIp(ip);
}
