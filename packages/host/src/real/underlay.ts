import { Kernel } from '../fabric/kernel/kernel.ts';
import type { TunnelEndpoint } from '../fabric/plan/switch.ts';

/**
 * What lies between several real hosts on one machine, as cables and switches lie between machines: one namespace with two bridges, one for
 * the tunnels between the hosts and one for the public network. Each host has a namespace in which its tunnels end. See
 * docs/design/0012-several-hosts.md.
 */
export interface UnderlayOptions {
  /** Tells clouds apart; every namespace of this underlay begins with `cairn-<instance>u-`. */
  readonly instance: string;
  readonly hosts: number;
  /** The machine's own link into the public network, with its address there. Absent where that is a network of the machine's surroundings. */
  readonly publicLink?: { readonly linkName: string; readonly hostCidr: string };
  readonly scratchDir: string;
}

/** Greater than the greatest packet of a tenant's network and its tunnel. */
const MTU = 9216;
const PUBLIC_MTU = 1500;
/** Of RFC 6598, so that it is nobody's by accident; nothing outside of these namespaces sees it. */
const addressOf = (index: number): string => `100.127.${index >> 8}.${index & 255}`;

export class Underlay {
  readonly #options: UnderlayOptions;
  readonly #kernel: Kernel;
  readonly #prefix: string;

  constructor(options: UnderlayOptions) {
    this.#options = options;
    this.#kernel = new Kernel(options.scratchDir);
    this.#prefix = `cairn-${options.instance}u-`;
  }

  /** The namespace of the bridges. */
  get netns(): string {
    return `${this.#prefix}net`;
  }

  /** Where the tunnels of a host end; hosts are counted from 1. */
  endpoint(index: number): TunnelEndpoint {
    return { netns: `${this.#prefix}h${index}`, localIp: addressOf(index) };
  }

  /** How a host joins the public network. */
  publicPort(index: number): { readonly linkName: string; readonly outerBridge: string } {
    return { linkName: `p${index}`, outerBridge: 'public' };
  }

  /** Makes what is missing. */
  async ensure(): Promise<void> {
    const kernel = this.#kernel;
    const { hosts, publicLink } = this.#options;
    const fresh = !(await kernel.namespaceExists(this.netns));
    if (fresh) {
      await kernel.addNamespace(this.netns);
      await kernel.sysctl(this.netns, ['net.ipv6.conf.all.disable_ipv6=1', 'net.ipv6.conf.default.disable_ipv6=1', 'net.ipv4.ip_forward=0']);
    }
    const links = await kernel.links(this.netns);
    const bridge = (name: string): string[] =>
      links.has(name) ? [] : [`link add dev ${name} mtu ${MTU} type bridge stp_state 0 forward_delay 0 mcast_snooping 0`, `link set dev ${name} mtu ${MTU} up`];
    await kernel.ip(this.netns, [...bridge('tunnels'), ...bridge('public')]);
    if (publicLink && !links.has('out')) {
      await kernel.ip(this.netns, [
        `link add dev out mtu ${PUBLIC_MTU} type veth peer name ${publicLink.linkName} mtu ${PUBLIC_MTU} netns ${process.pid}`,
        'link set dev out master public up',
      ]);
      await kernel.ip(undefined, [
        `link set dev ${publicLink.linkName} addrgenmode none`,
        `addr replace ${publicLink.hostCidr} dev ${publicLink.linkName}`,
        `link set dev ${publicLink.linkName} up`,
      ]);
    }
    for (let index = 1; index <= hosts; index++) {
      const { netns, localIp } = this.endpoint(index);
      if (!(await kernel.namespaceExists(netns))) await kernel.addNamespace(netns);
      if (links.has(`t${index}`)) continue;
      await kernel.ip(netns, [
        'link set dev lo up',
        `link add dev tunnels mtu ${MTU} type veth peer name t${index} mtu ${MTU} netns ${this.netns}`,
        `addr add ${localIp}/16 dev tunnels`,
        'link set dev tunnels up',
      ]);
      await kernel.ip(this.netns, [`link set dev t${index} master tunnels up`]);
    }
  }

  /** Pulls a host's cables: nothing reaches it, and nothing of it reaches others. */
  async cut(index: number): Promise<void> {
    const links = await this.#kernel.links(this.netns);
    await this.#kernel.ip(this.netns, [...(links.has(`p${index}`) ? [`link set dev p${index} nomaster`] : []), `link set dev t${index} down`]);
  }

  /** Puts a host's cables back in. */
  async join(index: number): Promise<void> {
    const links = await this.#kernel.links(this.netns);
    await this.#kernel.ip(this.netns, [...(links.has(`p${index}`) ? [`link set dev p${index} master public up`] : []), `link set dev t${index} up`]);
  }

  /** Removes every trace. The hosts' switches are to be gone before. */
  async destroy(): Promise<void> {
    // namespaces that die take their links along in their own time; the machine's end shall be gone when this returns
    if (await this.#kernel.namespaceExists(this.netns)) {
      if ((await this.#kernel.link(this.netns, 'out')).size > 0) await this.#kernel.ip(this.netns, ['link delete dev out']);
    }
    for (const netns of await this.#kernel.namespaces(this.#prefix)) await this.#kernel.deleteNamespace(netns);
  }
}
