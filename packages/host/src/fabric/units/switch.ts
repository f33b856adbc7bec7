import { conflict, unavailable } from '@cairn/kit/errors/errors';
import { ProcessError, run } from '../../process/run.ts';
import type { KernelFloods, KernelLinks } from '../kernel/links.ts';
import { SwitchMemory } from '../plan/memory.ts';
import { type PhysicalNetwork, planSwitch, type TunnelEndpoint } from '../plan/switch.ts';
import { diffSwitchLinks, linksAfter } from '../plan/switch-links.ts';
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
      this.#context.log.warn({ error }, 'the switch is not as thought; reading it anew');
      await this.#pass(true);
    }
  }

  /** A tolerant pass does what can be done when one of many links cannot be had, lest it hold up all others. */
  async #pass(isTolerant: boolean): Promise<void> {
    const { kernel, names, view } = this.#context;
    const netns = names.switchNamespace;
    this.#isTrusted = true;
    const state = this.#state ?? (await this.#read());
    const plan = planSwitch(view, this.#memory, this.#options.physicalNetworks, this.#options.tunnels);
    const outerNetns = this.#options.outerNetns ?? String(process.pid);
    const options = { tapGroupGid: this.#options.tapGroupGid, switchNamespace: netns, outerNetns };
    const { leave, tunnels, join, floods, outer, forget } = diffSwitchLinks(state.links, state.outerLinks, plan, options, state.floods);
    const script = diffRules(state.rules, plan.rules);
    const bridgesGone = [...state.links.values()].filter((link) => link.kind === 'bridge' && !plan.bridges.has(link.name)).map((link) => link.name);
    for (const [name, { outer: end }] of plan.uplinks) if (!state.links.has(name)) await this.#refuseForeign(end);

    const zones = state.rules.get(INET)?.sets.get(ZONE_MAP)?.elements;
    this.#owed.push(...forget.flatMap(({ bridge, ip }) => forgetCommands(zones?.get(bridge), ip)));
    this.#state = undefined;
    await kernel.ip(netns, leave);
    await kernel.nft(netns, script);
    await kernel.ip(this.#options.tunnels?.netns, tunnels);
    if (isTolerant) this.#refuse(await kernel.ipTolerant(netns, join));
    else {
      await kernel.ip(netns, join);
      this.#refused = new Set();
    }
    await kernel.bridge(netns, floods);
    await kernel.ip(this.#options.outerNetns, outer);
    await kernel.conntrack(netns, this.#owed);
    this.#owed = [];
    if (this.#isTrusted && this.#refused.size === 0) this.#state = { ...linksAfter(plan), rules: asKernel(plan.rules) };
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
      (await Promise.all(Object.values(this.#options.physicalNetworks).map(({ linkName }) => kernel.link(this.#options.outerNetns, linkName)))).flatMap(
        (found) => [...found],
      ),
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

  async #refuseForeign(linkName: string): Promise<void> {
    const { size } = await this.#context.kernel.link(this.#options.outerNetns, linkName);
    if (size > 0)
      throw conflict(
        `The public network cannot be joined to this host: there is a link named ${linkName} already. Remove it, or choose another link name in the configuration.`,
      );
  }
}

function forgetCommands(zone: string | undefined, ip: string | undefined): readonly string[] {
  if (zone === undefined) return [];
  if (ip === undefined) return ['ipv4', 'ipv6'].map((family) => `-D -f ${family} -w ${zone}`);
  const family = ip.includes(':') ? 'ipv6' : 'ipv4';
  return [`-D -f ${family} -w ${zone} -s ${ip}`, `-D -f ${family} -w ${zone} -d ${ip}`];
}
