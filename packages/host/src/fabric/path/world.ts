import type { FabricObject, NetworkSpec, PortSpec, RouterSpec, SecurityGroupSpec } from '../../interface/fabric.ts';

/**
 * The cloud as a trace asks about it: the very objects that hosts are given. Every port is as its own host has it, so one without an
 * attachment is plugged nowhere.
 */
export interface PathWorld {
  network(id: string): Promise<NetworkSpec | undefined>;
  router(id: string): Promise<RouterSpec | undefined>;
  group(id: string): Promise<SecurityGroupSpec | undefined>;
  /** Whether some port that lists the group has this address, or may send with it. */
  isMember(groupId: string, ip: string): Promise<boolean>;
  /** Who answers for an address on a network. */
  holderOf(networkId: string, ip: string): Promise<Holder | undefined>;
  /** The ports of a network that may have an address by their allowed address pairs, and do not have it as their own. */
  claimantsOf(networkId: string, ip: string): Promise<readonly PortSpec[]>;
  /** The port that an address leads to as a local IP, for what this port sends on its host; undefined where it is none there. */
  ledTo(sender: PortSpec, ip: string): Promise<PortSpec | undefined>;
  /** Words for what keeps a port from being plugged: never bound, its host down. */
  whyUnplugged?(portId: string): Promise<{ readonly reason: string; readonly remedy: string } | undefined>;
  /** Words for what keeps a host from having an object as it is wanted: it refuses it, or there is no host for it. */
  flawOf?(kind: FabricObject['kind'], id: string): Promise<{ readonly reason: string; readonly remedy: string } | undefined>;
}

export type Holder =
  | { readonly kind: 'port'; readonly port: PortSpec }
  | { readonly kind: 'router'; readonly routerId: string }
  /** The network's DHCP server. */
  | { readonly kind: 'dhcp' }
  /** The address is taken, and nobody answers for it. */
  | { readonly kind: 'nobody'; readonly reason: string; readonly remedy: string };
