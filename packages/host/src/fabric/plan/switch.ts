import type { NetworkSpec, PortSpec, TunnelSpec } from '../../interface/fabric.ts';
import { bridgeName, tunnelName, uplinkName, vlanName } from '../names.ts';
import type { FabricView } from '../objects.ts';
import type { Ruleset } from '../ruleset/model.ts';
import { canonicalIp } from './address.ts';
import type { SwitchMemory } from './memory.ts';
import { switchRules } from './switch-rules.ts';

/** How a physical network comes to this host: by a pair of links of which one end is outside, or by a network card that is there. */
export interface PhysicalNetwork {
  /** The link's name in the outer namespace. */
  readonly linkName: string;
  /** The link is a network card that is there, and all that comes by it is the cloud's. It has no addresses and is part of no bridge. */
  readonly isCard?: true;
  /** The link is in the namespace in which this process runs, whatever the fabric's outer one is. */
  readonly isInMachine?: true;
  /** The host's own address on that network: `172.24.4.1/24`. */
  readonly hostCidr?: string;
  /** Instead of an address: the bridge in the outer namespace that the link is a port of, with other hosts on it. */
  readonly outerBridge?: string;
}

/**
 * Where tunnels end: a namespace that holds nothing but the host's address among the hosts. Tunnels are made there and moved into the
 * switch, so that the switch itself has no address and guests cannot reach what is between the hosts.
 */
export interface TunnelEndpoint {
  readonly netns: string;
  readonly localIp: string;
}

/** What the switch namespace is to hold. */
export interface SwitchPlan {
  readonly bridges: ReadonlyMap<string, { readonly mtu: number }>;
  readonly taps: ReadonlyMap<string, TapPlan>;
  /** By inner link name. */
  readonly uplinks: ReadonlyMap<string, UplinkPlan>;
  /** By link name: VLANs of physical networks. */
  readonly vlans: ReadonlyMap<string, VlanPlan>;
  /** By link name. */
  readonly tunnels: ReadonlyMap<string, TunnelPlan>;
  readonly rules: Ruleset;
}

export interface UplinkPlan {
  readonly outer: string;
  readonly isCard: boolean;
  readonly isInMachine: boolean;
  readonly hostCidr: string | undefined;
  readonly outerBridge: string | undefined;
  /** Of the flat network; undefined where there are VLANs alone. */
  readonly bridge: string | undefined;
  /** Longest packet of its networks. A card keeps its own. */
  readonly mtu: number;
  /** Set for a card, and kept in the kernel: which one it is. */
  readonly alias: string | undefined;
}

export interface VlanPlan {
  readonly uplink: string;
  readonly id: number;
  readonly bridge: string;
  /** `uplink.id`: kept in the kernel; one of another number is made anew. */
  readonly alias: string;
}

export interface TunnelPlan {
  readonly bridge: string;
  readonly mtu: number;
  readonly localIp: string;
  readonly vni: number;
  readonly udpPort: number;
  readonly peers: readonly string[];
  /** `vni,port,address`: kept in the kernel; a tunnel with another one is made anew. */
  readonly alias: string;
}

export interface TapPlan {
  readonly mtu: number;
  readonly bridge: string;
  readonly portId: string;
  /** `port,address,address` (`port@tap.vlan,...`): kept in the kernel, where it tells people and the next run whose tap this is. */
  readonly alias: string;
  /** Set for a VLAN of another tap. */
  readonly vlan: { readonly of: string; readonly id: number } | undefined;
}

/** The kernel keeps 255 bytes. */
const ALIAS_BYTES = 255;

const aliases = new WeakMap<PortSpec, string>();

function aliasOf(port: PortSpec): string {
  const known = aliases.get(port);
  if (known !== undefined) return known;
  // a VLAN is of one tap and has one number for as long as it is there
  let alias = port.attachment.kind === 'subport' ? `${port.id}@${port.attachment.parentTap}.${port.attachment.vlan}` : port.id;
  for (const { ip } of port.fixedIps) {
    const longer = `${alias},${canonicalIp(ip)}`;
    if (longer.length <= ALIAS_BYTES) alias = longer;
  }
  aliases.set(port, alias);
  return alias;
}

/** What a tap is for as long as it is there: its port, and the tap and number of a VLAN. */
export const aliasIdentity = (alias: string | undefined): string => alias?.split(',')[0] ?? '';

/** The addresses that an alias names. */
export const aliasAddresses = (alias: string | undefined): readonly string[] => alias?.split(',').slice(1) ?? [];

export function planSwitch(
  view: FabricView,
  memory: SwitchMemory,
  physicalNetworks: Readonly<Record<string, PhysicalNetwork>>,
  endpoint?: TunnelEndpoint,
): SwitchPlan {
  const bridges = new Map<string, { mtu: number }>();
  const uplinks = new Map<string, UplinkPlan>();
  const vlans = new Map<string, VlanPlan>();
  const tunnels = new Map<string, TunnelPlan>();
  for (const network of view.networks.values()) {
    const bridge = bridgeName(network.id);
    bridges.set(bridge, { mtu: network.mtu });
    if (network.tunnel && endpoint) tunnels.set(tunnelName(network.id), tunnelPlan(network, network.tunnel, endpoint));
    addPhysical(network, physicalNetworks, uplinks, vlans);
  }
  const rules = switchRules(view, memory);
  const taps = new Map<string, TapPlan>();
  for (const port of view.guestPorts.values()) {
    const network = view.networks.get(port.networkId);
    if (!network || port.attachment.kind !== 'guest') continue;
    taps.set(port.attachment.tap, { mtu: network.mtu, bridge: bridgeName(network.id), portId: port.id, alias: aliasOf(port), vlan: undefined });
  }
  // VLANs come after the taps that they are of; a VLAN's packets are no longer than its tap's
  for (const port of view.guestPorts.values()) {
    const network = view.networks.get(port.networkId);
    const parent = port.attachment.kind === 'subport' ? taps.get(port.attachment.parentTap) : undefined;
    if (!network || !parent || port.attachment.kind !== 'subport') continue;
    const { tap, parentTap, vlan } = port.attachment;
    taps.set(tap, {
      mtu: Math.min(network.mtu, parent.mtu),
      bridge: bridgeName(network.id),
      portId: port.id,
      alias: aliasOf(port),
      vlan: { of: parentTap, id: vlan },
    });
  }
  return { bridges, taps, uplinks, vlans, tunnels, rules };
}

/** Joins a network to the physical one that carries it, where this host has that. */
function addPhysical(
  network: NetworkSpec,
  physicalNetworks: Readonly<Record<string, PhysicalNetwork>>,
  uplinks: Map<string, UplinkPlan>,
  vlans: Map<string, VlanPlan>,
): void {
  const { type, physicalNetwork, id } = network.segment;
  if ((type !== 'flat' && type !== 'vlan') || physicalNetwork === undefined || !Object.hasOwn(physicalNetworks, physicalNetwork)) return;
  const physical = physicalNetworks[physicalNetwork];
  if (!physical || (type === 'vlan' && (id === undefined || network.tunnel !== undefined))) return;
  const name = uplinkName(physicalNetwork);
  const known = uplinks.get(name);
  const bridge = bridgeName(network.id);
  // Neutron makes one flat network of a physical one; were there two, the same one gets it in every run.
  const flat = type === 'flat' && bridge < (known?.bridge ?? '~') ? bridge : known?.bridge;
  uplinks.set(name, {
    outer: physical.linkName,
    isCard: physical.isCard === true,
    isInMachine: physical.isInMachine === true,
    hostCidr: physical.hostCidr,
    outerBridge: physical.outerBridge,
    bridge: flat,
    mtu: Math.max(network.mtu, known?.mtu ?? 0),
    alias: physical.isCard ? physical.linkName : undefined,
  });
  if (type === 'vlan' && id !== undefined) vlans.set(vlanName(network.id), { uplink: name, id, bridge, alias: `${name}.${id}` });
}

const tunnelPlan = (network: NetworkSpec, { vni, udpPort, peers }: TunnelSpec, { localIp }: TunnelEndpoint): TunnelPlan => ({
  bridge: bridgeName(network.id),
  mtu: network.mtu,
  localIp,
  vni,
  udpPort,
  peers: peers.map(canonicalIp).filter((peer) => peer !== localIp),
  alias: `${vni},${udpPort},${localIp}`,
});
