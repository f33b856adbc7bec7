import type { PortSpec } from '../../interface/fabric.ts';
import { bridgeName, uplinkName } from '../names.ts';
import type { FabricView } from '../objects.ts';
import type { Ruleset } from '../ruleset/model.ts';
import { canonicalIp } from './address.ts';
import type { SwitchMemory } from './memory.ts';
import { switchRules } from './switch-rules.ts';

/** Where the public network meets the namespace in which Cairn was started. */
export interface PhysicalNetwork {
  /** The link's name in the outer namespace. */
  readonly linkName: string;
  /** The host's own address on that network: `172.24.4.1/24`. */
  readonly hostCidr: string;
}

/** What the switch namespace is to hold. */
export interface SwitchPlan {
  readonly bridges: ReadonlyMap<string, { readonly mtu: number }>;
  readonly taps: ReadonlyMap<string, TapPlan>;
  /** By inner link name. */
  readonly uplinks: ReadonlyMap<string, { readonly outer: string; readonly hostCidr: string; readonly bridge: string; readonly mtu: number }>;
  readonly rules: Ruleset;
}

export interface TapPlan {
  readonly mtu: number;
  readonly bridge: string;
  readonly portId: string;
  /** `port,address,address`: kept in the kernel, where it tells people and the next run whose tap this is. */
  readonly alias: string;
}

/** The kernel keeps 255 bytes. */
const ALIAS_BYTES = 255;

const aliases = new WeakMap<PortSpec, string>();

function aliasOf(port: PortSpec): string {
  const known = aliases.get(port);
  if (known !== undefined) return known;
  let alias = port.id;
  for (const { ip } of port.fixedIps) {
    const longer = `${alias},${canonicalIp(ip)}`;
    if (longer.length <= ALIAS_BYTES) alias = longer;
  }
  aliases.set(port, alias);
  return alias;
}

/** The addresses that an alias names. */
export const aliasAddresses = (alias: string | undefined): readonly string[] => alias?.split(',').slice(1) ?? [];

export function planSwitch(view: FabricView, memory: SwitchMemory, physicalNetworks: Readonly<Record<string, PhysicalNetwork>>): SwitchPlan {
  const bridges = new Map<string, { mtu: number }>();
  const uplinks = new Map<string, { outer: string; hostCidr: string; bridge: string; mtu: number }>();
  for (const network of view.networks.values()) {
    const bridge = bridgeName(network.id);
    bridges.set(bridge, { mtu: network.mtu });
    const { type, physicalNetwork } = network.segment;
    if (type !== 'flat' || physicalNetwork === undefined || !Object.hasOwn(physicalNetworks, physicalNetwork)) continue;
    const physical = physicalNetworks[physicalNetwork];
    const name = uplinkName(physicalNetwork);
    // Neutron makes one network of a physical one; were there two, the same one gets it in every run.
    if (physical && bridge < (uplinks.get(name)?.bridge ?? '~'))
      uplinks.set(name, { outer: physical.linkName, hostCidr: physical.hostCidr, bridge, mtu: network.mtu });
  }
  const rules = switchRules(view, memory);
  const taps = new Map<string, TapPlan>();
  for (const port of view.guestPorts.values()) {
    const network = view.networks.get(port.networkId);
    if (!network || port.attachment.kind !== 'guest') continue;
    taps.set(port.attachment.tap, { mtu: network.mtu, bridge: bridgeName(network.id), portId: port.id, alias: aliasOf(port) });
  }
  return { bridges, taps, uplinks, rules };
}
