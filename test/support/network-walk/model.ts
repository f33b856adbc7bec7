import { BlockList } from 'node:net';
import { OUTSIDE, type Probe } from './ground.ts';
import { isInterface, type PortView, type RouterView, type RuleView, secondAddress, type SubnetView, type Views } from './views.ts';

/**
 * What the rules of the API mean, said once more and in its own terms: nothing here knows of bridges, tables or hosts. The walk compares it with
 * what packets do, and with what the service's own explanation says.
 */
export class Model {
  readonly #views: Views;

  constructor(views: Views) {
    this.#views = views;
  }

  /** Whether it is answered, and if not, why. Undefined where a service of the network has the address, which answers what it likes. */
  outcome(probe: Probe): { readonly answered: boolean; readonly why: string } | undefined {
    const { source, destination, protocol, sourcePort, destinationPort } = probe;
    const packet: Packet = { protocol, source, destination, sourcePort, destinationPort, answer: false };
    try {
      const arrival = probe.from === 'outside' ? this.#atPublic(packet) : this.#send(this.#port(probe.from), packet);
      this.#answer(probe, arrival);
      return { answered: true, why: 'it is' };
    } catch (error) {
      if (error instanceof Stopped) return { answered: false, why: error.message };
      if (error instanceof AtService) return undefined;
      throw error;
    }
  }

  #port(id: string): PortView {
    const port = this.#views.port(id);
    if (!port) throw new Error(`no port ${id}`);
    return port;
  }

  /** A guest sends; where the packet comes to. */
  #send(port: PortView, packet: Packet): Arrival {
    this.#out(port, packet);
    const version = versionOf(packet.destination);
    const subnet = this.#subnetsOf(port).find((each) => each.ip_version === version);
    if (!subnet) throw new Stopped(`${port.id} has no subnet of IPv${version}`);
    if (within(packet.destination, subnet.cidr)) return { ...this.#deliver(port.network_id, packet), router: undefined };
    const router = this.#routerAt(subnet);
    if (!router) throw new Stopped('no router at the gateway');
    return this.#route(router, packet);
  }

  /** A router has a packet from inside. */
  #route(router: RouterView, packet: Packet): Arrival {
    if (!router.admin_state_up) throw new Stopped('the router is off');
    const gateway = router.external_gateway_info;
    const turned = gateway ? this.#turn(router, packet) : undefined;
    const inside = this.#insideOf(router, (turned ?? packet).destination);
    if (turned) {
      // called from inside by an outer address: the caller appears under an outer address, too
      const source = this.#floatingOf(router, packet.source) ?? gatewayIp(router);
      if (!inside || source === undefined) throw new Stopped('the floating IP leads nowhere');
      return { ...this.#deliver(inside.network_id, { ...turned, source }), router };
    }
    if (inside) return { ...this.#deliver(inside.network_id, packet), router };
    if (!gateway || versionOf(packet.destination) === 6) throw new Stopped('the router has no way there');
    const source = this.#floatingOf(router, packet.source) ?? (gateway.enable_snat ? gatewayIp(router) : undefined);
    if (source === undefined) throw new Stopped('nobody outside can answer it');
    if (packet.destination === OUTSIDE) return { port: undefined, packet: { ...packet, source }, router };
    return this.#atPublic({ ...packet, source });
  }

  /** Somebody on the public network calls an address of it. */
  #atPublic(packet: Packet): Arrival {
    for (const router of this.#views.routers) {
      if (!router.admin_state_up || !router.external_gateway_info) continue;
      const turned = this.#turn(router, packet);
      if (!turned) continue;
      const inside = this.#insideOf(router, turned.destination);
      if (!inside) throw new Stopped('the floating IP leads nowhere');
      return { ...this.#deliver(inside.network_id, turned), router };
    }
    throw new Stopped(`nobody outside has ${packet.destination}`);
  }

  /** Where floating IPs and port forwardings of a router lead. */
  #turn(router: RouterView, packet: Packet): Packet | undefined {
    for (const floating of this.#views.floatingIps) {
      if (floating.router_id !== router.id || floating.floating_ip_address !== packet.destination) continue;
      if (floating.fixed_ip_address !== null) return { ...packet, destination: floating.fixed_ip_address };
      const forwarding = floating.port_forwardings.find((each) => each.protocol === packet.protocol && each.external_port === packet.destinationPort);
      if (forwarding) return { ...packet, destination: forwarding.internal_ip_address, destinationPort: forwarding.internal_port };
      // the address is the router's own
      if (packet.protocol === 'icmp') throw new AtService();
      throw new Stopped('nothing is forwarded there');
    }
    return undefined;
  }

  #floatingOf(router: RouterView, fixedIp: string): string | undefined {
    return this.#views.floatingIps
      .filter((floating) => floating.router_id === router.id && floating.fixed_ip_address === fixedIp)
      .map((floating) => floating.floating_ip_address)
      .toSorted()[0];
  }

  /** A packet is on a network, for who has its destination. */
  #deliver(networkId: string, packet: Packet): { readonly port: PortView; readonly packet: Packet } {
    for (const port of this.#views.guestPorts()) {
      if (port.network_id !== networkId || !this.#addressesOf(port).includes(packet.destination) || !mayClaim(port, packet.destination)) continue;
      if (!port.admin_state_up) throw new Stopped(`${port.id} is off`);
      this.#in(port, packet);
      return { port, packet };
    }
    if (this.#views.ports.some((port) => port.network_id === networkId && port.fixed_ips.some((fixed) => fixed.ip_address === packet.destination)))
      throw new AtService();
    throw new Stopped(`nobody has ${packet.destination}`);
  }

  /** What a guest answers comes back the way that the question came. */
  #answer(probe: Probe, { port, packet, router }: Arrival): void {
    const back = answerTo(packet);
    if (port) {
      this.#out(port, back);
      const subnet = this.#subnetsOf(port).find((each) => each.ip_version === versionOf(packet.destination));
      const direct = subnet !== undefined && within(back.destination, subnet.cidr);
      if (direct !== (router === undefined)) throw new Stopped('the answer goes another way');
      if (router && subnet && this.#routerAt(subnet)?.id !== router.id) throw new Stopped('the answer goes to another router');
    }
    if (probe.from === 'outside') return;
    const { source, destination, sourcePort, destinationPort, protocol } = probe;
    this.#in(this.#port(probe.from), answerTo({ protocol, source, destination, sourcePort, destinationPort, answer: false }));
  }

  #subnetsOf = (port: PortView): SubnetView[] => port.fixed_ips.flatMap(({ subnet_id }) => this.#views.subnet(subnet_id) ?? []);

  /** All that a guest has: see setupOf. */
  #addressesOf(port: PortView): string[] {
    return port.fixed_ips.flatMap(({ ip_address: ip }) => (versionOf(ip) === 4 ? [ip, secondAddress(ip)] : [ip]));
  }

  /** The router that has a subnet's gateway. */
  #routerAt(subnet: SubnetView): RouterView | undefined {
    const found = this.#views.ports.find(
      (port) => isInterface(port) && port.fixed_ips.some(({ subnet_id, ip_address }) => subnet_id === subnet.id && ip_address === subnet.gateway_ip),
    );
    return found && this.#views.routers.find((router) => router.id === found.device_id);
  }

  /** The subnet of a router that an address is in. */
  #insideOf(router: RouterView, ip: string): SubnetView | undefined {
    return this.#views.ports
      .filter((port) => isInterface(port) && port.device_id === router.id)
      .flatMap((port) => this.#subnetsOf(port))
      .find((subnet) => within(ip, subnet.cidr));
  }

  #out(port: PortView, packet: Packet): void {
    if (!port.admin_state_up) throw new Stopped(`${port.id} is off`);
    if (!mayClaim(port, packet.source)) throw new Stopped(`${port.id} may not send from ${packet.source}`);
    this.#judge(port, 'egress', packet);
  }

  #in = (port: PortView, packet: Packet): void => this.#judge(port, 'ingress', packet);

  #judge(port: PortView, direction: 'ingress' | 'egress', packet: Packet): void {
    if (!port.port_security_enabled) return;
    const groups = this.#views.groups.filter((group) => port.security_groups.includes(group.id));
    if (packet.answer && groups.some((group) => group.stateful)) return;
    const rules = groups.flatMap((group) => group.security_group_rules);
    if (!rules.some((rule) => rule.direction === direction && this.#fits(rule, packet)))
      throw new Stopped(`the groups of ${port.id} let ${packet.protocol} ${packet.destinationPort} not ${direction === 'ingress' ? 'in' : 'out'}`);
  }

  #fits(rule: RuleView, packet: Packet): boolean {
    const version = versionOf(packet.source);
    if (rule.ethertype !== `IPv${version}`) return false;
    if (rule.protocol !== null && !(NAMES[packet.protocol][version] ?? []).includes(rule.protocol)) return false;
    if (rule.port_range_min !== null) {
      if (packet.protocol === 'icmp') {
        const type = packet.answer ? (version === 4 ? 0 : 129) : version === 4 ? 8 : 128;
        if (rule.port_range_min !== type || (rule.port_range_max ?? 0) !== 0) return false;
      } else if (packet.destinationPort < rule.port_range_min || packet.destinationPort > (rule.port_range_max ?? 65_535)) return false;
    }
    const remote = rule.direction === 'ingress' ? packet.source : packet.destination;
    if (rule.remote_ip_prefix !== null) return within(remote, rule.remote_ip_prefix);
    if (rule.remote_address_group_id !== null)
      return (this.#views.addressGroups.find((group) => group.id === rule.remote_address_group_id)?.addresses ?? []).some((cidr) => within(remote, cidr));
    if (rule.remote_group_id !== null)
      return this.#views.ports.some(
        (port) =>
          port.security_groups.includes(rule.remote_group_id ?? '') &&
          (port.fixed_ips.some((fixed) => fixed.ip_address === remote) || port.allowed_address_pairs.some((pair) => within(remote, pair.ip_address))),
      );
    return true;
  }
}

class Stopped extends Error {}
class AtService extends Error {}

interface Packet {
  readonly protocol: Probe['protocol'];
  readonly source: string;
  readonly destination: string;
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly answer: boolean;
}
/** Without a port: outside. The router is the last one that it came by. */
interface Arrival {
  readonly port: PortView | undefined;
  readonly packet: Packet;
  readonly router: RouterView | undefined;
}

const NAMES: Readonly<Record<Probe['protocol'], Readonly<Record<4 | 6, readonly string[]>>>> = {
  tcp: { 4: ['tcp', '6'], 6: ['tcp', '6'] },
  udp: { 4: ['udp', '17'], 6: ['udp', '17'] },
  icmp: { 4: ['icmp', '1'], 6: ['ipv6-icmp', 'icmpv6', 'icmp', '58'] },
};

const answerTo = (packet: Packet): Packet => ({
  ...packet,
  source: packet.destination,
  destination: packet.source,
  sourcePort: packet.destinationPort,
  destinationPort: packet.sourcePort,
  answer: true,
});

const versionOf = (ip: string): 4 | 6 => (ip.includes(':') ? 6 : 4);

function within(ip: string, cidr: string): boolean {
  const [network = '', length] = cidr.split('/');
  if (versionOf(ip) !== versionOf(network)) return false;
  const type = versionOf(ip) === 4 ? 'ipv4' : 'ipv6';
  const list = new BlockList();
  list.addSubnet(network, length === undefined ? (type === 'ipv4' ? 32 : 128) : Number(length), type);
  return list.check(ip, type);
}

const mayClaim = (port: PortView, ip: string): boolean =>
  !port.port_security_enabled ||
  port.fixed_ips.some((fixed) => fixed.ip_address === ip) ||
  port.allowed_address_pairs.some((pair) => pair.mac_address === port.mac_address && within(ip, pair.ip_address));

const gatewayIp = (router: RouterView): string | undefined =>
  router.external_gateway_info?.external_fixed_ips.map(({ ip_address }) => ip_address).find((ip) => versionOf(ip) === 4);
