import { ProcessError } from '../../process/run.ts';
import type { DelegationPlan } from '../delegation/keeper.ts';
import type { DnsmasqPlan } from '../plan/dnsmasq.ts';
import { diffNamespace, EMPTY_NAMESPACE, type NamespacePlan, type NamespaceState, stateAfter } from '../plan/namespace.ts';
import { diffRules } from '../ruleset/diff.ts';
import { asKernel, type KernelRules } from '../ruleset/model.ts';
import type { UnitContext } from './context.ts';

/** What a router and a DHCP server make of the one unit below. All is asked anew at each run. */
export interface NamespaceSubject {
  /** Names its files and processes: `router-ID`, `dhcp-ID`. */
  readonly key: string;
  readonly netns: string;
  /** Undefined when the namespace is not to be. */
  plan(): NamespacePlan | undefined;
  dnsmasq(): DnsmasqPlan | undefined;
  /** What is asked of the provider; undefined for nothing. `elsewhere`: another host asks from now on. */
  delegation?(): DelegationPlan | 'elsewhere' | undefined;
  /** Tells the port by the address it asks from; undefined when there is no metadata service here. */
  identify(): ((ip: string) => string | undefined) | undefined;
  /** Hears that the kernel has all of a plan. */
  built?(plan: NamespacePlan): void;
  /** `conntrack` commands that forget the connections which the change must end. */
  forget(before: { readonly state: NamespaceState; readonly rules: KernelRules }, plan: NamespacePlan): readonly string[];
}

/** A router that is there, and asks for nothing. */
const NOTHING_ASKED: DelegationPlan = { routerId: '', link: '', way: '', subnets: [] };

interface State {
  readonly state: NamespaceState;
  readonly rules: KernelRules;
}

/** One namespace beside the switch: a router's or a DHCP server's. */
export class NamespaceUnit {
  readonly #context: UnitContext;
  readonly #subject: NamespaceSubject;
  #known: State | undefined;
  #isTrusted = true;
  /** `conntrack` commands that are still to be run, should a pass end before them. */
  #owed: string[] = [];

  constructor(context: UnitContext, subject: NamespaceSubject) {
    this.#context = context;
    this.#subject = subject;
  }

  /** The next run reads the kernel anew. */
  distrust(): void {
    this.#isTrusted = false;
    this.#known = undefined;
  }

  async run(): Promise<void> {
    try {
      await this.#pass(false);
    } catch (error) {
      this.#known = undefined;
      if (!(error instanceof ProcessError)) throw error;
      this.#context.log.warn({ err: error, netns: this.#subject.netns }, 'a namespace is not as thought; reading it anew');
      await this.#pass(true);
    }
  }

  async #pass(isRetry: boolean): Promise<void> {
    const plan = this.#subject.plan();
    if (plan) await this.#build(plan, isRetry);
    else await this.#remove();
  }

  async #build(plan: NamespacePlan, isRetry: boolean): Promise<void> {
    const { kernel, names, dnsmasq, metadata, delegations, announcer, ensureBridges } = this.#context;
    await ensureBridges(new Set([...plan.links.values()].map((link) => link.bridge)));
    this.#isTrusted = true;
    const before = this.#known ?? (await this.#read(plan, isRetry));
    const { stale, inSwitch, inside, announce } = diffNamespace(before.state, plan);
    const asked = this.#subject.delegation?.() ?? NOTHING_ASKED;
    await delegations.yield(this.#subject.key, asked === 'elsewhere' ? undefined : asked);
    const script = diffRules(before.rules, plan.rules);
    this.#owed.push(...this.#subject.forget(before, plan));
    this.#known = undefined;
    // The rules are there before the first link, so no packet passes without them.
    await kernel.nft(plan.name, script);
    await kernel.deleteLinks(names.switchNamespace, stale);
    await kernel.ip(names.switchNamespace, inSwitch);
    if (inside.some((command) => command.startsWith('neigh replace proxy'))) await kernel.sysctl(plan.name, ['net.ipv6.conf.all.proxy_ndp=1']);
    await kernel.ip(plan.name, inside);
    await kernel.conntrack(plan.name, this.#owed);
    this.#owed = [];
    if (this.#isTrusted) this.#known = { state: stateAfter(plan), rules: asKernel(plan.rules) };
    this.#subject.built?.(plan);
    announcer.announce(plan.name, announce);

    const server = this.#subject.dnsmasq();
    if (server) await dnsmasq.keep(this.#subject.key, plan.name, server);
    else await dnsmasq.stop(this.#subject.key);
    const identify = this.#subject.identify();
    if (identify) metadata.open(plan.name, identify);
    else metadata.close(plan.name);
    if (asked !== 'elsewhere' && asked.subnets.length > 0) delegations.keep(this.#subject.key, plan.name, asked);
  }

  async #read(plan: NamespacePlan, isRetry: boolean): Promise<State> {
    const { kernel, metadata, delegations, switchLinks } = this.#context;
    if (await kernel.namespaceExists(plan.name)) {
      try {
        const [links, routes, rules, outerEnds, proxies, neighbours] = await Promise.all([
          kernel.links(plan.name),
          kernel.routes(plan.name),
          kernel.rules(plan.name),
          switchLinks(isRetry),
          kernel.proxies(plan.name),
          kernel.neighbours(plan.name),
        ]);
        return { state: { links, routes, outerEnds, proxies, neighbours }, rules };
      } catch (error) {
        // A name without a namespace behind it, left by a crash.
        this.#context.log.warn({ err: error, netns: plan.name }, 'a namespace cannot be read; making it anew');
        await kernel.deleteNamespace(plan.name);
      }
    }
    // A listener of ours would be in the namespace that is gone.
    metadata.close(plan.name);
    delegations.close(this.#subject.key);
    await kernel.addNamespace(plan.name);
    await kernel.sysctl(plan.name, plan.sysctls);
    return { state: { ...EMPTY_NAMESPACE, ...(isRetry ? { outerEnds: await switchLinks(true) } : {}) }, rules: new Map() };
  }

  async #remove(): Promise<void> {
    const { kernel, dnsmasq, metadata, delegations } = this.#context;
    const { key, netns } = this.#subject;
    this.#owed = [];
    // A listener keeps its namespace alive, so it goes first.
    metadata.close(netns);
    await delegations.yield(key, undefined);
    delegations.close(key);
    await dnsmasq.stop(key);
    if (await kernel.namespaceExists(netns)) {
      const links = this.#known?.state.links ?? (await kernel.links(netns).catch(() => new Map<string, never>()));
      this.#known = undefined;
      // The kernel takes a dying namespace's links down in its own time; the names shall be free at once.
      const own = [...links.values()].filter((link) => link.kind === 'veth');
      await kernel.deleteLinks(
        netns,
        own.map((link) => link.name),
      );
      await kernel.deleteNamespace(netns);
    }
    this.#known = undefined;
  }
}
