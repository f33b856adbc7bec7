import type { FabricObject, NetworkSpec, PortSpec } from '../../interface/fabric.ts';
import { canonicalIp, METADATA_IP } from '../plan/address.ts';
import { gatewaysOf } from '../plan/gateways.ts';
import { groupsOf, judge, mayClaim } from './filter.ts';
import { answerTo, type Flow, type Hop, isSame, type Leg, type Path, type ReasonCode, trafficText } from './flow.ts';
import { guestRoute } from './guest-route.ts';
import { keepsOut, RouterStep } from './router-step.ts';
import type { PathWorld } from './world.ts';

/**
 * Follows a packet from a port, and what answers it back, through the objects that hosts build the fabric from, by the same planners that make
 * their links, routes and rules. Stops at the first thing that stops the packet. Nothing is sent; that kernels agree is what path.test.ts shows.
 */
export async function tracePath(world: PathWorld, source: PortSpec, flow: Flow): Promise<Path> {
  return new Trace(world).run(source, flow);
}

/** The same for a packet that somebody outside sends to an address of an external network. */
export async function tracePathFromOutside(world: PathWorld, network: NetworkSpec, flow: Flow): Promise<Path> {
  return new Trace(world).runFromOutside(network, flow);
}

/** A packet that came to its end: at a port, outside of the cloud, or at a router or server of the cloud's own. */
interface Arrival {
  readonly port?: PortSpec;
  /** The network by which it left the cloud. */
  readonly beyond?: NetworkSpec;
  readonly flow: Flow;
}

/** What a router's connection tracking remembers. */
interface Crossing {
  readonly before: Flow;
  readonly after: Flow;
}

type Words = Pick<Hop, 'verdict' | 'code' | 'reason'> & Partial<Pick<Hop, 'remedy' | 'rule' | 'groupIds'>>;

const MAX_ROUTERS = 8;

/** Why a router with NDP proxies lets nothing from outside to an address, and what to do. */
const withoutProxy = (ip: string): [reason: string, remedy: string] => [
  `From outside, the router lets in only what is for addresses with an NDP proxy, and ${ip} has none.`,
  'Make one: openstack router ndp proxy create --port PORT ROUTER, or turn them off: openstack router set --disable-ndp-proxy ROUTER',
];

const GUEST_ROUTES = { wire: 'on_own_network', route: 'host_route', gateway: 'by_gateway' } as const;

/** Does a pair of the port name this very address, and not a range that it is in? */
const isNamed = (port: PortSpec, ip: string): boolean =>
  port.allowedAddressPairs.some(({ cidr }) => {
    const [address = '', length] = cidr.split('/');
    return (length === undefined || length === (ip.includes(':') ? '128' : '32')) && canonicalIp(address) === ip;
  });

class Trace {
  readonly #world: PathWorld;
  readonly #hops: Hop[] = [];
  readonly #crossings = new Map<string, Crossing>();
  readonly #networks = new Map<string, NetworkSpec>();
  #leg: Leg = 'request';
  /** Who asked, and with which address: he has it, whoever else it is known of. */
  #sender: { readonly port: PortSpec; readonly address: string } | undefined;
  #routers = 0;
  /** A local IP that was asked for: what comes from the port's own address appears under it. */
  #led: { readonly owner: string; readonly ip: string; readonly fixed: string } | undefined;

  constructor(world: PathWorld) {
    this.#world = world;
  }

  async run(source: PortSpec, flow: Flow): Promise<Path> {
    this.#sender = { port: source, address: flow.source };
    if (source.fixedIps.some(({ ip }) => canonicalIp(ip) === flow.destination)) {
      this.#say('guest_route', 'port', source.id, flow, {
        verdict: 'pass',
        code: 'to_itself',
        reason: `${flow.destination} is the sender's own address: the packet stays in the guest.`,
      });
      return this.#path(source.id);
    }
    const arrival = await this.#leave(source, flow);
    return await this.#andBack(arrival, flow);
  }

  async runFromOutside(network: NetworkSpec, flow: Flow): Promise<Path> {
    this.#networks.set(network.id, network);
    this.#say('outside', 'network', network.id, flow, {
      verdict: 'pass',
      code: 'from_outside',
      reason: `${flow.source} is outside, and sends it to ${flow.destination}.`,
    });
    return await this.#andBack(await this.#onNetwork(network, flow.destination, flow, undefined), flow);
  }

  async #andBack(arrival: Arrival | undefined, flow: Flow): Promise<Path> {
    if (!arrival) return this.#path(undefined);
    const answer = answerTo(arrival.flow);
    const expected = answerTo(flow);
    this.#leg = 'answer';
    this.#routers = 0;
    if (arrival.port) await this.#leave(arrival.port, answer, expected);
    if (arrival.beyond) await this.#comeBack(arrival.beyond, answer, expected);
    return this.#path(arrival.port?.id);
  }

  /** Somebody outside answers. */
  async #comeBack(network: NetworkSpec, answer: Flow, expected: Flow): Promise<void> {
    if (await this.#world.holderOf(network.id, answer.destination)) {
      await this.#onNetwork(network, answer.destination, answer, expected);
      return;
    }
    for (const routerId of this.#crossings.keys()) {
      const router = await this.#world.router(routerId);
      const [reason, remedy] = withoutProxy(answer.destination);
      if (router && keepsOut(router, answer.destination))
        return void this.#say('router', 'router', routerId, answer, { verdict: 'drop', code: 'no_ndp_proxy', reason, remedy });
    }
    this.#say('outside', 'network', network.id, answer, {
      verdict: 'unknown',
      code: 'no_way_back',
      reason: `It leaves the cloud as ${answer.destination}, an address of the inside: answers come only if somebody outside has a route to it.`,
      remedy: 'Turn source NAT of the router on, or associate a floating IP with the port.',
    });
  }

  #path(arrivedAt: string | undefined): Path {
    const deciding = this.#hops.find((hop) => hop.verdict === 'drop') ?? this.#hops.find((hop) => hop.verdict === 'unknown');
    const mtus = [...this.#networks.values()].map((network) => network.mtu);
    return {
      verdict: deciding ? (deciding.verdict === 'drop' ? 'drop' : 'unknown') : 'pass',
      ...(deciding ? { summary: deciding.reason, summaryCode: deciding.code } : this.#end(arrivedAt)),
      hops: this.#hops,
      mtu: mtus.length > 0 ? Math.min(...mtus) : undefined,
      ...(arrivedAt !== undefined && { arrivedAt }),
    };
  }

  #end(arrivedAt: string | undefined): Pick<Path, 'summary' | 'summaryCode'> {
    const last = arrivedAt === undefined ? this.#hops.findLast((hop) => hop.leg === 'request') : undefined;
    if (last) return { summary: last.reason, summaryCode: last.code };
    return { summary: 'The packet arrives, and its answer comes back.', summaryCode: 'there_and_back' };
  }

  /** Notes a hop; false where it ends the way. */
  #say(kind: Hop['kind'], type: Hop['object']['type'], id: string, flow: Flow, words: Words): boolean {
    this.#hops.push({ leg: this.#leg, kind, object: { type, id }, flow, ...words });
    return words.verdict === 'pass' || words.verdict === 'nat';
  }

  async #network(id: string): Promise<NetworkSpec | undefined> {
    const known = this.#networks.get(id) ?? (await this.#world.network(id));
    if (known) this.#networks.set(id, known);
    return known;
  }

  /** What the host of an object refuses to make of it; true where it refuses nothing. */
  async #isWhole(kind: FabricObject['kind'], id: string, at: Hop['object'], flow: Flow): Promise<boolean> {
    const flaw = await this.#world.flawOf?.(kind, id);
    if (!flaw) return true;
    this.#say(at.type, at.type, at.id, flow, { verdict: 'unknown', code: 'not_built', ...flaw });
    return false;
  }

  async #isUp(port: PortSpec, flow: Flow): Promise<boolean> {
    if (!port.adminUp)
      return this.#say('port', 'port', port.id, flow, {
        verdict: 'drop',
        code: 'port_down',
        reason: 'The port is switched off (admin_state_up is false): nothing goes in or out.',
        remedy: `Switch it on: openstack port set --enable ${port.id}`,
      });
    if (port.attachment.kind === 'none') {
      const why = await this.#world.whyUnplugged?.(port.id);
      return this.#say('port', 'port', port.id, flow, {
        verdict: 'drop',
        code: 'unplugged',
        reason: why?.reason ?? 'The port is plugged into no server.',
        remedy: why?.remedy ?? 'Attach it to a server that runs.',
      });
    }
    const at = { type: 'port', id: port.id } as const;
    if (!(await this.#isWhole('port', port.id, at, flow))) return false;
    for (const groupId of port.portSecurity ? port.securityGroups : []) if (!(await this.#isWhole('securityGroup', groupId, at, flow))) return false;
    return true;
  }

  /** A port sends. `expected`: for an answer, what its asker waits for. */
  async #leave(port: PortSpec, sent: Flow, expected?: Flow): Promise<Arrival | undefined> {
    if (!(await this.#isUp(port, sent))) return undefined;
    if (!this.#say('anti_spoofing', 'port', port.id, sent, mayClaim(port, sent.source))) return undefined;
    const flow = await this.#lead(port, sent);
    if (!this.#say('security_group', 'port', port.id, flow, await this.#judged(port, 'egress', flow))) return undefined;
    const network = await this.#network(port.networkId);
    if (!network) {
      this.#say('network', 'network', port.networkId, flow, { verdict: 'drop', code: 'network_missing', reason: 'The network of the port is not there.' });
      return undefined;
    }
    const route = guestRoute(network, port, flow.destination);
    if (!route) {
      const words: Words = {
        verdict: 'drop',
        code: 'no_guest_route',
        reason: `${flow.destination} is on no subnet of the port, and its subnets name no gateway and no route to it.`,
        remedy: 'Give the subnet a gateway and a router, or a host route: openstack subnet set --host-route destination=NETWORK,gateway=NEXTHOP SUBNET',
      };
      this.#say('guest_route', 'port', port.id, flow, words);
      return undefined;
    }
    const how = {
      wire: `${flow.destination} is on the port's own network.`,
      route: `A host route leads by ${route.nexthop}.`,
      gateway: `The way is the subnet's gateway ${route.nexthop}.`,
    };
    this.#say('guest_route', 'port', port.id, flow, { verdict: 'pass', code: GUEST_ROUTES[route.by], reason: how[route.by] });
    return await this.#onNetwork(network, canonicalIp(route.nexthop), flow, expected);
  }

  /** Where a local IP leads, on the host of who asks for it: TCP, UDP and echo requests, behind the check of the sender and before the groups. */
  async #lead(port: PortSpec, flow: Flow): Promise<Flow> {
    if (this.#leg === 'answer' || flow.version === 6 || ![1, 6, 17].includes(flow.protocol)) return flow;
    const owner = await this.#world.ledTo(port, flow.destination);
    const text = owner?.localIps?.find(({ ip }) => canonicalIp(ip) === flow.destination)?.fixedIp;
    const fixed = text === undefined ? undefined : canonicalIp(text);
    if (!owner || fixed === undefined || fixed === flow.source) return flow;
    this.#led = { owner: owner.id, ip: flow.destination, fixed };
    const led = { ...flow, destination: fixed };
    this.#say('nat', 'port', owner.id, led, { verdict: 'nat', code: 'local_ip', reason: `The local IP ${flow.destination} leads to ${fixed} on this host.` });
    return led;
  }

  /** An answer of a port that a local IP led to, as its asker sees it. */
  #asAsked(flow: Flow): Flow {
    const isLed = this.#led !== undefined && this.#leg === 'answer' && flow.source === this.#led.fixed;
    return isLed && this.#led ? { ...flow, source: this.#led.ip } : flow;
  }

  /** What groups say. An answer to what was allowed passes stateful groups by itself. */
  async #judged(port: PortSpec, direction: 'ingress' | 'egress', flow: Flow): Promise<Words> {
    if (this.#leg === 'answer' && port.portSecurity && (await groupsOf(this.#world, port)).stateful)
      return {
        verdict: 'pass',
        code: 'answer_allowed',
        reason: 'The groups are stateful: the answer to what was allowed passes.',
        groupIds: port.securityGroups,
      };
    const found = await judge(this.#world, port, direction, flow);
    if (this.#leg === 'request' || found.verdict !== 'drop') return found;
    return { ...found, code: 'no_rule_for_answer', reason: `The groups are stateless, so answers need rules of their own. ${found.reason}` };
  }

  /** A packet is on a network, for whoever has `nexthop` there. */
  async #onNetwork(network: NetworkSpec, nexthop: string, flow: Flow, expected: Flow | undefined): Promise<Arrival | undefined> {
    if (!(await this.#isWhole('network', network.id, { type: 'network', id: network.id }, flow))) return undefined;
    const holder = await this.#world.holderOf(network.id, nexthop);
    if (holder?.kind === 'router') return await this.#cross(holder.routerId, network.id, nexthop, flow, expected);
    if (holder?.kind === 'nobody') {
      this.#say('network', 'network', network.id, flow, { verdict: 'drop', code: 'address_unused', reason: holder.reason, remedy: holder.remedy });
      return undefined;
    }
    if (holder?.kind === 'dhcp') {
      const answers = flow.protocol === 1 || flow.protocol === 58 || (flow.destinationPort === 53 && [6, 17].includes(flow.protocol));
      const words: Words = answers
        ? { verdict: 'pass', code: 'dhcp_answers', reason: `${nexthop} is the network's DHCP server, which answers this itself.` }
        : {
            verdict: 'drop',
            code: 'dhcp_silent',
            reason: `${nexthop} is the network's DHCP server, which does not answer ${trafficText(flow)}.`,
            remedy: 'Name the address of a port.',
          };
      return this.#say('network', 'network', network.id, flow, words) ? { flow } : undefined;
    }
    if (holder) {
      this.#say('network', 'network', network.id, flow, { verdict: 'pass', code: 'to_port', reason: `The network brings it to the port that has ${nexthop}.` });
      return await this.#arrive(holder.port, nexthop, flow, expected);
    }
    if (network.segment.physicalNetwork !== undefined) {
      if (expected && !isSame(flow, expected)) {
        const reason = `The answer comes from ${flow.source}, and the asker waits for one from ${expected.source}: the way back is not the way there.`;
        this.#say('outside', 'network', network.id, flow, {
          verdict: 'drop',
          code: 'wrong_way_back',
          reason,
          remedy: 'Let the subnet have the router of the floating IP as its gateway.',
        });
        return undefined;
      }
      const words = {
        verdict: 'pass',
        code: 'leaves_cloud',
        reason: `It leaves the cloud by ${network.segment.physicalNetwork}; what is beyond, the cloud does not know.`,
      } as const;
      this.#say('outside', 'network', network.id, flow, words);
      return { beyond: network, flow };
    }
    if (this.#sender?.address === nexthop && this.#sender.port.networkId === network.id) {
      this.#say('network', 'network', network.id, flow, {
        verdict: 'pass',
        code: 'to_sender',
        reason: `The network brings it to the sender, who has ${nexthop}.`,
      });
      return await this.#arrive(this.#sender.port, nexthop, flow, expected);
    }
    const claimants = await this.#world.claimantsOf(network.id, nexthop);
    const [claimant] = claimants;
    if (claimant && claimants.length === 1 && !isNamed(claimant, nexthop)) {
      const reason = `No port has ${nexthop} as its own; the port ${claimant.id} may have it by a range of its allowed address pairs, and only its guest knows whether it does.`;
      this.#say('network', 'network', network.id, flow, {
        verdict: 'unknown',
        code: 'maybe_claimed',
        reason,
        remedy: 'Look into the guest whether it has the address.',
      });
      return undefined;
    }
    if (claimant && claimants.length === 1) {
      const reason = `No port has ${nexthop} as its own; the network brings it to the port that may have it by its allowed address pairs, if its guest does.`;
      this.#say('network', 'network', network.id, flow, { verdict: 'pass', code: 'to_claimant', reason });
      return await this.#arrive(claimant, nexthop, flow, expected);
    }
    if (claimant) {
      const reason = `No port has ${nexthop} as its own; ${claimants.length} ports may have it by their allowed address pairs, and only their guests know which one does.`;
      this.#say('network', 'network', network.id, flow, {
        verdict: 'unknown',
        code: 'claimed_by_several',
        reason,
        remedy: 'Look into the guests which of them has the address.',
      });
      return undefined;
    }
    const isGateway = network.subnets.some((subnet) => subnet.gatewayIp !== undefined && canonicalIp(subnet.gatewayIp) === nexthop);
    const words: Words = isGateway
      ? {
          verdict: 'drop',
          code: 'no_router_at_gateway',
          reason: `Nobody has ${nexthop}, the gateway of the subnet: no router is on it.`,
          remedy: 'Put the subnet on a router: openstack router add subnet ROUTER SUBNET',
        }
      : {
          verdict: 'drop',
          code: 'nobody_there',
          reason: `Nobody on the network has ${nexthop}.`,
          remedy: 'Look whether the address is right, and its port still there.',
        };
    this.#say('network', 'network', network.id, flow, words);
    return undefined;
  }

  async #arrive(port: PortSpec, address: string, flow: Flow, expected: Flow | undefined): Promise<Arrival | undefined> {
    if (!(await this.#isUp(port, flow))) return undefined;
    if (expected && !isSame(this.#asAsked(flow), expected)) {
      const reason = `The answer comes from ${flow.source}, and the asker waits for one from ${expected.source}: the way back is not the way there.`;
      this.#say('port', 'port', port.id, flow, {
        verdict: 'drop',
        code: 'wrong_way_back',
        reason,
        remedy: 'Let both subnets have the same router as their gateway.',
      });
      return undefined;
    }
    if (!this.#say('security_group', 'port', port.id, flow, await this.#judged(port, 'ingress', flow))) return undefined;
    if (address !== flow.destination) {
      const reason = `It is given to the guest at ${address}, which is to pass it on to ${flow.destination}; whether it does, only the guest knows.`;
      this.#say('port', 'port', port.id, flow, { verdict: 'unknown', code: 'guest_forwards', reason });
      return undefined;
    }
    const asked = this.#asAsked(flow);
    if (asked !== flow)
      this.#say('nat', 'port', port.id, asked, {
        verdict: 'nat',
        code: 'from_local_ip',
        reason: `The answer appears to come from the local IP ${asked.source}.`,
      });
    const arrival =
      this.#leg === 'request'
        ? ({ code: 'arrives', reason: 'The packet arrives.' } as const)
        : ({ code: 'answer_arrives', reason: 'The answer arrives.' } as const);
    this.#say('port', 'port', port.id, asked, { verdict: 'pass', ...arrival });
    return { port, flow };
  }

  async #cross(routerId: string, networkId: string, nexthop: string, flow: Flow, expected: Flow | undefined): Promise<Arrival | undefined> {
    const say = (kind: 'router' | 'nat', at: Flow, words: Words): boolean => this.#say(kind, 'router', routerId, at, words);
    const stop = (code: ReasonCode, reason: string, remedy: string): undefined => void say('router', flow, { verdict: 'drop', code, reason, remedy });
    const router = await this.#world.router(routerId);
    if (!router)
      return stop(
        'router_without_host',
        'The router is on no host: it was taken off its L3 agent.',
        `Give it to one: openstack network agent add router --l3 AGENT ${routerId}`,
      );
    if (!(await this.#isWhole('router', routerId, { type: 'router', id: routerId }, flow))) return undefined;
    if (++this.#routers > MAX_ROUTERS) return stop('routing_loop', 'The routers send it round in a circle.', 'Look at the static routes of the routers.');
    for (const id of [...gatewaysOf(router), ...router.interfaces].map((link) => link.networkId)) {
      const network = this.#networks.has(id) ? undefined : await this.#world.network(id);
      if (network) this.#aside.set(network.id, network);
    }
    const step = RouterStep.of(router, new Map([...this.#aside, ...this.#networks]));
    if (!step) return stop('router_down', 'The router is switched off (admin_state_up is false).', `Switch it on: openstack router set --enable ${routerId}`);
    const inLink = step.linkWith(networkId, nexthop);
    if (inLink === undefined)
      return stop('not_on_router', `The router does not have ${nexthop} on this network.`, 'Take the subnet off the router and put it there again.');

    const crossing = this.#crossings.get(routerId);
    // what a router's tracking makes of an answer whose question it has not seen: only where no handshake is looked for does it begin anew
    const known = this.#leg === 'answer' && crossing !== undefined && isSame(flow, answerTo(crossing.after));
    const fresh = this.#leg === 'request' || (!known && flow.protocol !== 6 && flow.protocol !== 1 && flow.protocol !== 58);
    let at = flow;
    if (known && crossing) {
      at = answerTo(crossing.before);
      if (!isSame(at, flow))
        say('nat', at, { verdict: 'nat', code: 'addresses_put_back', reason: 'The router knows the connection, and puts its addresses back.' });
    }
    const turned = fresh ? step.translatedDestination(at) : undefined;
    if (turned) {
      at = turned.flow;
      say('nat', at, { verdict: 'nat', code: turned.code, reason: turned.by });
    }
    if (!known && step.isOwn(at.destination)) {
      const metadata = at.destination === METADATA_IP;
      const answers = metadata ? at.protocol === 6 && at.destinationPort === 80 : at.protocol === 1 || at.protocol === 58;
      const what = metadata ? 'is the metadata service' : 'is an address of the router itself';
      if (!answers)
        return stop(
          'router_silent',
          `${at.destination} ${what}, which does not answer ${trafficText(at)}.`,
          'If it is a floating IP, associate it with a port, or forward this port of it.',
        );
      say('router', at, { verdict: 'pass', code: metadata ? 'metadata_answers' : 'router_answers', reason: `${at.destination} ${what}, which answers.` });
      return { flow: at };
    }
    const outside = step.isGateway(inLink);
    if (outside && step.keepsOut(at.destination)) return stop('no_ndp_proxy', ...withoutProxy(at.destination));
    if (outside && fresh && !turned && at.version === 4 && step.isClosed)
      return stop(
        'closed_to_outside',
        `From outside, the router lets nobody call ${at.destination}: it hides its networks behind its own address.`,
        'Call a floating IP, or turn source NAT off: openstack router set --external-gateway NETWORK --disable-snat ROUTER',
      );
    const route = step.route(at.destination);
    const outNetworkId = route && step.networkOf(route.link);
    const out = outNetworkId === undefined ? undefined : await this.#network(outNetworkId);
    if (!route || !out)
      return stop(
        'no_route',
        `The router has no route to ${at.destination}.`,
        'Put that subnet on the router, give the router an external gateway, or add a route: openstack router add route --route destination=NETWORK,gateway=NEXTHOP ROUTER',
      );
    const leaves = step.isGateway(route.link);
    if (leaves && !known && !fresh && at.version === 4 && step.isClosed)
      return stop(
        'unknown_connection',
        'The router knows nothing of a connection that this would be the answer to.',
        'Let both subnets have the same router as their gateway.',
      );
    say('router', at, {
      verdict: 'pass',
      code: route.isOwnNetwork ? 'own_network_of_router' : 'by_route',
      reason: route.isOwnNetwork ? `${at.destination} is on a network of the router.` : `Its route to ${route.by} leads by ${route.nexthop}.`,
    });
    const source = fresh ? step.translatedSource(at, route.link, turned !== undefined && !outside) : undefined;
    if (source) {
      at = { ...at, source: source.source };
      say('nat', at, { verdict: 'nat', code: source.code, reason: source.by });
    }
    if (this.#leg === 'request') this.#crossings.set(routerId, { before: flow, after: at });
    return await this.#onNetwork(out, canonicalIp(route.nexthop), at, expected);
  }

  /** Networks that routers are on beside the way. */
  readonly #aside = new Map<string, NetworkSpec>();
}
