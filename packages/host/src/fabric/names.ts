import { createHash } from 'node:crypto';

/**
 * The names of what one fabric builds. Link names hold at most 15 characters, so a link carries the first 11 of its object's id, as
 * upstream's agents do; two objects of which these are the same are refused (objects.ts).
 */
export interface Names {
  /** Every namespace of this fabric begins with it, and none of another fabric does. */
  readonly prefix: string;
  /** All bridges and taps; guests are started in it. */
  readonly switchNamespace: string;
  router(routerId: string): string;
  dhcp(networkId: string): string;
}

export function namesOf(instance: string): Names {
  const prefix = `cairn-${instance}-`;
  return {
    prefix,
    switchNamespace: `${prefix}switch`,
    router: (routerId) => `${prefix}qrouter-${routerId}`,
    dhcp: (networkId) => `${prefix}qdhcp-${networkId}`,
  };
}

const ID_CHARACTERS = 11;
export const shortId = (id: string): string => id.slice(0, ID_CHARACTERS);

export const bridgeName = (networkId: string): string => `brq${shortId(networkId)}`;
export const routerLinkName = (portId: string): string => `qr-${shortId(portId)}`;
export const gatewayLinkName = (routerId: string): string => `qg-${shortId(routerId)}`;
/** A further gateway's. */
export const extraGatewayLinkName = (portId: string): string => `qx-${shortId(portId)}`;
export const isGatewayLink = (name: string): boolean => name.startsWith('qg-') || name.startsWith('qx-');
export const dhcpLinkName = (networkId: string): string => `ns-${shortId(networkId)}`;

/** The end of the tunnel that carries a network to other hosts. */
export const tunnelName = (networkId: string): string => `${TUNNEL_PREFIX}${shortId(networkId)}`;
export const TUNNEL_PREFIX = 'vx-';

/** A VLAN of a physical network. */
export const vlanName = (networkId: string): string => `${VLAN_PREFIX}${shortId(networkId)}`;
export const VLAN_PREFIX = 'pv-';

export const UPLINK_PREFIX = 'ph-';

/** The inner end of what leads to a physical network. */
export const uplinkName = (physicalNetwork: string): string =>
  /^[a-z0-9]{1,12}$/.test(physicalNetwork)
    ? `${UPLINK_PREFIX}${physicalNetwork}`
    : `${UPLINK_PREFIX}${createHash('sha256').update(physicalNetwork).digest('hex').slice(0, 11)}`;

/** An id as part of an nftables identifier, which has no hyphens. Ids have no underscores, so this stays unique. */
export const identifier = (id: string): string => id.replaceAll('-', '_');
