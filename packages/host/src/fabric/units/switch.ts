import { conflict, unavailable } from '@cairn/kit/errors/errors';
import type { NetworkSpec } from '../../interface/fabric.ts';
import { ProcessError, run } from '../../process/run.ts';
import type { KernelFloods, KernelLinks } from '../kernel/links.ts';
import { uplinkName, vlanName } from '../names.ts';
import { SwitchMemory } from '../plan/memory.ts';
import { type PhysicalNetwork, planSwitch, type SwitchPlan, type TunnelEndpoint, type UplinkPlan } from '../plan/switch.ts';
import { diffSwitchLinks, endKey, isSameUplink, linksAfter } from '../plan/switch-links.ts';
import { INET, MEMBER_SET, ZONE_MAP } from '../plan/switch-rules.ts';
import { diffRules } from '../ruleset/diff.ts';
import { asKernel, type KernelRules } from '../ruleset/model.ts';
import type { UnitContext } from './context.ts';

export interface SwitchOptions {
  readonly tapGroupGid: number;
  readonly physicalNetworks: Readonly<Record<string, PhysicalNetwork>>;
  readonly tunnels: TunnelEndpoint | undefined;
  /** The named namespace that holds the outer ends; undefined is the one of this process. */
  readonly outerNetns: string | undefined;
}

interface State {
  readonly links: KernelLinks;
  readonly outerLinks: KernelLinks;
  readonly floods: KernelFloods;
  readonly rules: KernelRules;
}

const BRIDGE_NETFILTER = ['net.bridge.bridge-nf-call-iptables', 'net.bridge.bridge-nf-call-ip6tables'];
const SYSCTLS = [
  // The switch takes part in no network itself: it has no addresses, answers nothing and forwards frames only.
  'net.ipv4.ip_forward=0',
  'net.ipv6.conf.all.forwarding=0',
  'net.ipv6.conf.all.disable_ipv6=1',
  'net.ipv6.conf.default.disable_ipv6=1',
  'net.ipv4.conf.all.arp_ignore=8',
  'net.bridge.bridge-nf-call-arptables=0',
];

/** The switch namespace: bridges, taps, uplinks, and the rules between them. */
export class SwitchUnit {
  readonly #context: UnitContext;
  readonly #options: SwitchOptions;
  readonly #onBridgesGone: (bridges: readonly string[]) => void;
  #memory = new SwitchMemory();
  /** What the kernel holds; undefined when that is to be read first. */
  #state: State | undefined;
  #isTrusted = true;
  /** `conntrack` commands that are still to be run, should a pass end before them. */
  #owed: string[] = [];
  /** Links that the kernel refuses to make. */
  #refused: ReadonlySet<string> = new Set();
  /** Uplinks that cannot be had as the configuration says, and why. */
  #unjoined: ReadonlyMap<string, string> = new Map();

  constructor(context: UnitContext, options: SwitchOptions, onBridgesGone: (bridges: readonly string[]) => void) {
    this.#context = context;
    this.#options = options;
    this.#onBridgesGone = onBridgesGone;
  }

  /** The next run reads the kernel anew. */
  distrust(): void {
    this.#isTrusted = false;
    this.#state = undefined;
  }

  /** Whether the link was wanted in the last run and could not be had. */
  isRefused(name: string): boolean {
    return this.#refused.has(name);
  }

  /** Why the physical network of a network is not joined here, as the last run found; undefined where it is, or none was wanted. */
  whyUnjoined({ id, segment }: NetworkSpec): string | undefined {
    if (segment.physicalNetwork === undefined) return undefined;
    const why = this.#unjoined.get(uplinkName(segment.physicalNetwork));
    if (why !== undefined) return why;
    return this.#refused.has(vlanName(id)) ? `the kernel of this host refuses the VLAN ${segment.id}, which needs VLAN devices (the module 8021q)` : undefined;
  }

  /** The port that a mark of a packet names. */
  portOf(mark: number): string | undefined {
    return this.#memory.marks.keyOf(mark);
  }

  hasBridge(name: string): boolean {
    return this.#state?.links.has(name) === true;
  }

  /** Brings the namespace to the wanted state. What is found to differ from memory half-way is read and tried once more. */
  async run(): Promise<void> {
    try {
      await this.#pass(false);
    } catch (error) {
      this.#state = undefined;
      if (!(error instanceof ProcessError)) throw error;
      this.#context.log.warn({ err: error }, 'the switch is not as thought; reading it anew');
      await this.#pass(true);
    }
  }

  /** A tolerant pass does what can be done when one of many links cannot be had, lest it hold up all others. */
  async #pass(isTolerant: boolean): Promise<void> {
    const { kernel, names, view } = this.#context;
    const netns = names.switchNamespace;
    this.#isTrusted = true;
    const state = this.#state ?? (await this.#read());
    const plan = await this.#joinable(state, planSwitch(view, this.#memory, this.#options.physicalNetworks, this.#options.tunnels));
    const machineNetns = String(process.pid);
    const outerNetns = this.#options.outerNetns ?? machineNetns;
    const options = { tapGroupGid: this.#options.tapGroupGid, switchNamespace: netns, outerNetns, machineNetns };
    const changes = diffSwitchLinks(state.links, state.outerLinks, plan, options, state.floods);
    const { leave, tunnels, join, floods, outer, forget } = changes;
    const script = diffRules(state.rules, plan.rules);
    const bridgesGone = [...state.links.values()].filter((link) => link.kind === 'bridge' && !plan.bridges.has(link.name)).map((link) => link.name);

    const zones = state.rules.get(INET)?.sets.get(ZONE_MAP)?.elements;
    this.#owed.push(...forget.flatMap(({ bridge, ip }) => forgetCommands(zones?.get(bridge), ip)));
    this.#state = undefined;
    await kernel.ip(netns, leave);
    await kernel.nft(netns, script);
    await kernel.ip(this.#options.tunnels?.netns, tunnels);
    for (const { isInMachine, command } of changes.cards) await kernel.ip(this.#outerOf({ isInMachine }), [command]);
    if (isTolerant) this.#refuse(await kernel.ipTolerant(netns, join));
    else {
      await kernel.ip(netns, join);
      this.#refused = new Set();
    }
    await kernel.bridge(netns, floods);
    await kernel.ip(this.#options.outerNetns, outer);
    await kernel.ip(undefined, changes.machine);
    await kernel.conntrack(netns, this.#owed);
    this.#owed = [];
    if (this.#isTrusted && this.#refused.size === 0 && this.#unjoined.size === 0) this.#state = { ...linksAfter(plan), rules: asKernel(plan.rules) };
    if (bridgesGone.length) this.#onBridgesGone(bridgesGone);
  }

  #refuse(failed: readonly string[]): void {
    for (const command of failed) this.#context.log.error({ command }, 'the kernel refuses a link');
    this.#refused = new Set(failed.map((command) => / (?:dev|name) (\S+)/.exec(command)?.[1] ?? ''));
  }

  async #read(): Promise<State> {
    const { kernel, names } = this.#context;
    const netns = names.switchNamespace;
    if (!(await kernel.namespaceExists(netns))) await this.#create(netns);
    const [links, rules, floods] = await Promise.all([
      kernel.links(netns),
      kernel.rules(netns),
      this.#options.tunnels ? kernel.floods(netns) : new Map<string, ReadonlySet<string>>(),
    ]);
    const outerLinks = new Map(
      (
        await Promise.all(
          Object.values(this.#options.physicalNetworks).map(async ({ linkName, isInMachine = false }) => {
            const link = (await kernel.link(this.#outerOf({ isInMachine }), linkName)).get(linkName);
            return link ? [[endKey({ outer: linkName, isInMachine }), link] as const] : [];
          }),
        )
      ).flat(),
    );
    this.#memory = SwitchMemory.seed(rules, { table: INET, zoneMap: ZONE_MAP, memberSetPattern: MEMBER_SET });
    return { links, outerLinks, floods, rules };
  }

  async #create(netns: string): Promise<void> {
    const { kernel } = this.#context;
    await kernel.addNamespace(netns);
    const on = BRIDGE_NETFILTER.map((key) => `${key}=1`);
    await kernel.sysctl(netns, [...SYSCTLS, ...on]);
    if (await this.#bridgeNetfilterIsOn(netns)) return;
    // Loading the module turns it on in every namespace. The machine's own bridges shall not notice.
    await kernel.change('modprobe', ['br_netfilter']).catch((cause: unknown) => {
      throw unavailable(
        "Security groups need the kernel module br_netfilter, which cannot be loaded on this host. Install the kernel's modules, or load it at boot.",
        { cause },
      );
    });
    await kernel.change('sysctl', ['-eqw', 'net.bridge.bridge-nf-call-arptables=0', ...BRIDGE_NETFILTER.map((key) => `${key}=0`)]);
    await kernel.sysctl(netns, [...SYSCTLS, ...on]);
    if (!(await this.#bridgeNetfilterIsOn(netns)))
      throw unavailable("Security groups need the kernel module br_netfilter, which this host's kernel does not have.");
  }

  async #bridgeNetfilterIsOn(netns: string): Promise<boolean> {
    const { stdout } = await run('sysctl', ['-en', ...BRIDGE_NETFILTER], { netns, okCodes: [255, 1] });
    return stdout.trim().split(/\s+/).join() === '1,1';
  }

  /** The namespace that the outer end of an uplink is in. */
  #outerOf({ isInMachine }: { readonly isInMachine: boolean }): string | undefined {
    return isInMachine ? undefined : this.#options.outerNetns;
  }

  /** The plan without those uplinks that the configuration names and that cannot be had: all else is to be live without them. */
  async #joinable(state: State, plan: SwitchPlan): Promise<SwitchPlan> {
    const unjoined = new Map<string, string>();
    for (const [name, uplink] of plan.uplinks) {
      const why = isSameUplink(state.links.get(name), uplink) ? undefined : await this.#obstacle(uplink);
      if (why !== undefined) unjoined.set(name, why);
    }
    for (const [name, why] of unjoined) if (this.#unjoined.get(name) !== why) this.#context.log.error({ why }, 'a physical network is not joined');
    this.#unjoined = unjoined;
    if (unjoined.size === 0) return plan;
    return {
      ...plan,
      uplinks: new Map([...plan.uplinks].filter(([name]) => !unjoined.has(name))),
      vlans: new Map([...plan.vlans].filter(([, { uplink }]) => !unjoined.has(uplink))),
    };
  }

  /** What stands in the way of an uplink that is to be made. Throws Conflict where it is the public network's own. */
  async #obstacle(uplink: UplinkPlan): Promise<string | undefined> {
    const { kernel } = this.#context;
    const netns = this.#outerOf(uplink);
    const link = (await kernel.link(netns, uplink.outer)).get(uplink.outer);
    if (uplink.isCard) {
      if (!link) return `this host has no network card ${uplink.outer}`;
      if (link.addresses.length > 0)
        return `${uplink.outer} has addresses of this host (${link.addresses.join(', ')}), and the cloud would take all that comes by it: name a card without addresses, or a bridge`;
      return link.master === undefined ? undefined : `${uplink.outer} is part of ${link.master}: name that bridge instead of the card`;
    }
    if (link) {
      if (uplink.hostCidr === undefined) return `there is a link named ${uplink.outer} already`;
      throw conflict(
        `The public network cannot be joined to this host: there is a link named ${uplink.outer} already. Remove it, or choose another link name in the configuration.`,
      );
    }
    if (uplink.outerBridge === undefined || (await kernel.link(netns, uplink.outerBridge)).get(uplink.outerBridge)?.kind === 'bridge') return undefined;
    return `this host has no bridge ${uplink.outerBridge}`;
  }
}

function forgetCommands(zone: string | undefined, ip: string | undefined): readonly string[] {
  if (zone === undefined) return [];
  if (ip === undefined) return ['ipv4', 'ipv6'].map((family) => `-D -f ${family} -w ${zone}`);
  const family = ip.includes(':') ? 'ipv6' : 'ipv4';
  return [`-D -f ${family} -w ${zone} -s ${ip}`, `-D -f ${family} -w ${zone} -d ${ip}`];
}
