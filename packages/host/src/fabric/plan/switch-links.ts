import type { KernelFloods, KernelLink, KernelLinks } from '../kernel/links.ts';
import { TUNNEL_PREFIX, UPLINK_PREFIX, VLAN_PREFIX } from '../names.ts';
import { aliasAddresses, aliasIdentity, type SwitchPlan, type UplinkPlan } from './switch.ts';

/** Commands for `ip -batch`, in three parts by when they may run. */
export interface SwitchLinkChanges {
  /** Before the rules change: what leaves, leaves while its rules still hold. */
  readonly leave: readonly string[];
  /** After the rules changed: what comes, comes when its rules hold already. */
  readonly join: readonly string[];
  /** In the namespace where tunnels end, before `join`. */
  readonly tunnels: readonly string[];
  /** Commands for `bridge -batch` in the switch, after `join`: where frames for nobody known go. */
  readonly floods: readonly string[];
  /** Before `join`: what is done with network cards, in the namespace that the card is in. */
  readonly cards: readonly { readonly isInMachine: boolean; readonly command: string }[];
  /** In the outer namespace, after `join`. */
  readonly outer: readonly string[];
  /** In the namespace of this process, after `join`. */
  readonly machine: readonly string[];
  /** Whose tracked connections are to be forgotten, so that the next holder of the address (or of the bridge's zone) starts afresh. */
  readonly forget: readonly { readonly bridge: string; readonly ip?: string }[];
}

export interface SwitchLinkOptions {
  readonly tapGroupGid: number;
  readonly switchNamespace: string;
  /** `ip link`'s word for the outer namespace: its name, or `1`-like process id. */
  readonly outerNetns: string;
  /** The same for the namespace of this process. */
  readonly machineNetns: string;
}

const TAP_PREFIX = 'tap';
const NOWHERE: ReadonlySet<string> = new Set();

/** The way from the links that are there to the links that are wanted. Links of routers and DHCP servers are not the switch's. */
export function diffSwitchLinks(
  actual: KernelLinks,
  outerLinks: KernelLinks,
  plan: SwitchPlan,
  options: SwitchLinkOptions,
  actualFloods: KernelFloods = new Map(),
): SwitchLinkChanges {
  const leave: string[] = [];
  const tunnels: string[] = [];
  const floods: string[] = [];
  const join: string[] = [];
  const outer: string[] = [];
  const machine: string[] = [];
  const cards: { isInMachine: boolean; command: string }[] = [];
  const changes = { join, cards, outer, machine };
  const vlanLeaves: string[] = [];
  const forget: { bridge: string; ip?: string }[] = [];
  /** VLANs that are there and stay. One whose tap goes would go with it. */
  const keptVlans = new Set<string>();
  for (const link of actual.values()) {
    if (link.kind !== 'vlan' || !link.name.startsWith(TAP_PREFIX)) continue;
    const wanted = plan.taps.get(link.name);
    if (wanted?.vlan && aliasIdentity(link.alias) === aliasIdentity(wanted.alias)) keptVlans.add(link.name);
    else leave.push(`link delete dev ${link.name}`);
  }
  for (const link of actual.values()) {
    if (link.kind === 'bridge' && !plan.bridges.has(link.name)) {
      leave.push(`link delete dev ${link.name}`);
      forget.push({ bridge: link.name });
    } else if (link.kind === 'tun' && link.name.startsWith(TAP_PREFIX) && !plan.taps.has(link.name)) leave.push(`link delete dev ${link.name}`);
    else if (link.kind === 'vxlan' && link.name.startsWith(TUNNEL_PREFIX) && plan.tunnels.get(link.name)?.alias !== link.alias)
      leave.push(`link delete dev ${link.name}`);
    else if (link.name.startsWith(VLAN_PREFIX) && !keepsVlan(link, plan, actual)) vlanLeaves.push(`link delete dev ${link.name}`);
    else if (link.name.startsWith(UPLINK_PREFIX) && !isSameUplink(link, plan.uplinks.get(link.name))) leave.push(`link delete dev ${link.name}`);
  }
  for (const [name, { mtu }] of plan.bridges) {
    const link = actual.get(name);
    // A bridge between machines has nothing to learn by waiting: no spanning tree, no forwarding delay, multicast to all.
    // Its MTU follows its ports' until somebody has changed it, so it is made with another one.
    if (!link)
      join.push(
        `link add dev ${name} mtu ${mtu > 1500 ? mtu - 1 : mtu + 1} type bridge stp_state 0 forward_delay 0 mcast_snooping 0`,
        `link set dev ${name} mtu ${mtu} up`,
      );
    else if (link.mtu !== mtu || !link.up) join.push(`link set dev ${name} mtu ${mtu} up`);
  }
  for (const [name, uplink] of plan.uplinks) {
    const link = actual.get(name);
    joinUplink(name, uplink, isSameUplink(link, uplink) ? link : undefined, outerLinks.get(endKey(uplink)), options, changes);
  }
  for (const [name, vlan] of plan.vlans) {
    const link = actual.get(name);
    const kept = link && keepsVlan(link, plan, actual) ? link : undefined;
    if (!kept) join.push(`link add link ${vlan.uplink} name ${name} type vlan id ${vlan.id}`, `link set dev ${name} alias ${vlan.alias}`);
    if (kept?.master !== vlan.bridge || !kept.up) join.push(`link set dev ${name} master ${vlan.bridge} up`);
  }
  for (const [name, tunnel] of plan.tunnels) {
    const link = actual.get(name);
    const kept = link?.alias === tunnel.alias;
    if (!kept) {
      tunnels.push(
        `link add dev ${name} netns ${options.switchNamespace} type vxlan id ${tunnel.vni} local ${tunnel.localIp} dstport ${tunnel.udpPort} ttl 16`,
      );
      join.push(`link set dev ${name} alias ${tunnel.alias}`);
    }
    attach(kept ? link : undefined, name, tunnel, join);
    const there = kept ? (actualFloods.get(name) ?? NOWHERE) : NOWHERE;
    for (const peer of tunnel.peers) if (!there.has(peer)) floods.push(`fdb append 00:00:00:00:00:00 dev ${name} dst ${peer}`);
    for (const peer of there) if (!tunnel.peers.includes(peer)) floods.push(`fdb del 00:00:00:00:00:00 dev ${name} dst ${peer}`);
  }
  for (const [name, tap] of plan.taps) {
    const link = tap.vlan && !keptVlans.has(name) ? undefined : actual.get(name);
    if (!link && tap.vlan) join.push(`link add link ${tap.vlan.of} name ${name} type vlan id ${tap.vlan.id}`);
    else if (!link) join.push(`tuntap add dev ${name} mode tap vnet_hdr group ${options.tapGroupGid}`);
    if (link?.alias !== tap.alias) join.push(`link set dev ${name} alias ${tap.alias}`);
    attach(link, name, tap, join);
  }
  for (const link of actual.values()) {
    if ((link.kind !== 'tun' && link.kind !== 'vlan') || link.master === undefined || !plan.bridges.has(link.master)) continue;
    const wanted = plan.taps.get(link.name);
    const kept = wanted?.bridge === link.master ? aliasAddresses(wanted.alias) : [];
    for (const ip of aliasAddresses(link.alias)) if (!kept.includes(ip)) forget.push({ bridge: link.master, ip });
  }
  return { leave: [...vlanLeaves, ...leave], tunnels, cards, join, floods, outer, machine, forget };
}

/** What the outer end of an uplink is known by, among ends in two namespaces. */
export const endKey = ({ outer, isInMachine }: Pick<UplinkPlan, 'outer' | 'isInMachine'>): string => (isInMachine ? `machine ${outer}` : outer);

/** An uplink stays for as long as it leads to the same place. */
export function isSameUplink(link: KernelLink | undefined, uplink: UplinkPlan | undefined): boolean {
  if (!link || !uplink) return false;
  return uplink.isCard ? link.kind === 'macvlan' && link.alias === uplink.alias : link.kind === 'veth';
}

/** A VLAN stays for as long as its uplink and its number do. */
function keepsVlan(link: KernelLink, plan: SwitchPlan, actual: KernelLinks): boolean {
  const wanted = plan.vlans.get(link.name);
  return wanted !== undefined && link.alias === wanted.alias && isSameUplink(actual.get(wanted.uplink), plan.uplinks.get(wanted.uplink));
}

interface UplinkChanges {
  readonly join: string[];
  readonly cards: { isInMachine: boolean; command: string }[];
  readonly outer: string[];
  readonly machine: string[];
}

/** Brings an uplink, of which `link` is there and `end` outside, to what it is to be. */
function joinUplink(
  name: string,
  uplink: UplinkPlan,
  link: KernelLink | undefined,
  end: KernelLink | undefined,
  options: SwitchLinkOptions,
  { join, cards, outer: atOuter, machine }: UplinkChanges,
): void {
  const outer = uplink.isInMachine ? machine : atOuter;
  const { bridge, mtu } = uplink;
  const place = bridge === undefined ? 'nomaster' : `master ${bridge}`;
  if (uplink.isCard) {
    // takes all frames of the card as they come, so the card itself has nothing to say
    // nothing is up on a card that is not
    if (!end?.up) cards.push({ isInMachine: uplink.isInMachine, command: `link set dev ${uplink.outer} up` });
    if (!link) {
      const command = `link add link ${uplink.outer} name ${name} netns ${options.switchNamespace} type macvlan mode passthru`;
      cards.push({ isInMachine: uplink.isInMachine, command });
      join.push(`link set dev ${name} alias ${uplink.alias}`);
    }
    if (link?.master !== bridge || !link?.up) join.push(`link set dev ${name} ${place} up`);
    return;
  }
  if (!link) {
    const netns = uplink.isInMachine ? options.machineNetns : options.outerNetns;
    join.push(
      `link add dev ${name} mtu ${mtu} type veth peer name ${uplink.outer} mtu ${mtu} netns ${netns}`,
      `link set dev ${name}${bridge === undefined ? '' : ` ${place}`} up`,
    );
  } else if (link.mtu !== mtu || link.master !== bridge || !link.up) join.push(`link set dev ${name} mtu ${mtu} ${place} up`);
  const there = link ? end : undefined;
  if (uplink.hostCidr === undefined) {
    // its place on the outer bridge is given when it is made, and then left to whoever keeps that bridge
    const master = there || uplink.outerBridge === undefined ? '' : ` master ${uplink.outerBridge}`;
    if (!there?.up || there.mtu !== mtu) outer.push(`link set dev ${uplink.outer} addrgenmode none mtu ${mtu}${master} up`);
    return;
  }
  if (there?.up && there.mtu === mtu && there.addresses.join() === uplink.hostCidr) return;
  for (const address of there?.addresses ?? []) if (address !== uplink.hostCidr) outer.push(`addr del ${address} dev ${uplink.outer}`);
  // Without addresses of the kernel's making, the outer end is what its one address says and no more.
  outer.push(
    `link set dev ${uplink.outer} addrgenmode none`,
    `addr replace ${uplink.hostCidr} dev ${uplink.outer}`,
    `link set dev ${uplink.outer} mtu ${mtu} up`,
  );
}

function attach(link: KernelLink | undefined, name: string, wanted: { readonly mtu: number; readonly bridge: string }, out: string[]): void {
  if (link?.mtu === wanted.mtu && link.master === wanted.bridge && link.up) return;
  out.push(`link set dev ${name} mtu ${wanted.mtu} master ${wanted.bridge} up`);
}

/** The links as they are once the changes were made: those of the switch, and the outer ends. */
export function linksAfter(plan: SwitchPlan): { readonly links: KernelLinks; readonly outerLinks: KernelLinks; readonly floods: KernelFloods } {
  const links = new Map<string, KernelLink>();
  const outerLinks = new Map<string, KernelLink>();
  const base = { mac: '', addresses: [], alias: undefined, master: undefined, up: true, carrier: true };
  for (const [name, { mtu }] of plan.bridges) links.set(name, { ...base, name, kind: 'bridge', mtu });
  for (const [name, { mtu, bridge, alias, vlan }] of plan.taps) links.set(name, { ...base, name, kind: vlan ? 'vlan' : 'tun', mtu, master: bridge, alias });
  for (const [name, uplink] of plan.uplinks) {
    const { mtu, bridge, outer, hostCidr, isCard, alias } = uplink;
    links.set(name, { ...base, name, kind: isCard ? 'macvlan' : 'veth', mtu, master: bridge, alias });
    outerLinks.set(endKey(uplink), { ...base, name: outer, kind: 'veth', mtu, addresses: hostCidr === undefined ? [] : [hostCidr] });
  }
  for (const [name, { bridge, alias }] of plan.vlans) links.set(name, { ...base, name, kind: 'vlan', mtu: 0, master: bridge, alias });
  for (const [name, { mtu, bridge, alias }] of plan.tunnels) links.set(name, { ...base, name, kind: 'vxlan', mtu, master: bridge, alias });
  return { links, outerLinks, floods: new Map([...plan.tunnels].map(([name, { peers }]) => [name, new Set(peers)])) };
}
