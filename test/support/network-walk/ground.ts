import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { KernelFabric } from '@cairn/host/fabric/fabric';
import { clientIdOf } from '@cairn/host/fabric/delegation/message';
import { formatCidr } from '@cairn/host/fabric/plan/address';
import { type Background, type Guest, Machine, until } from '@cairn/host/fabric/testing/machine';
import { prefixOf } from '@cairn/host/fabric/testing/prefix-provider';
import type { PhysicalNetwork } from '@cairn/host/fabric/plan/switch';
import type { HostAgent, HostEvent, HostFacts } from '@cairn/host/interface/agent';
import { type Fabric, type FabricChange, type FabricObject, type FabricStatus, type MeterReading, tapName } from '@cairn/host/interface/fabric';
import { run } from '@cairn/host/process/run';
import { SimulatedAgent } from '@cairn/host/simulated/agent';
import { systemClock } from '@cairn/kit/clock/clock';
import type { PhysicalNetworkOptions } from '@cairn/neutron/options';
import { hostSnapshot } from '@cairn/neutron/fabric/snapshot';
import { NetworkWorld } from '@cairn/neutron/testing/network-world';
import { type GuestSetup, isInterface, setupOf, type SubnetView, type Views, viewsOf } from './views.ts';

/** What else there is outside: made by these commands of `ip -batch`, and known to the network service and to hosts as physical networks. */
export interface Surroundings {
  readonly commands: readonly string[];
  readonly physicalNetworks?: Readonly<Record<string, PhysicalNetworkOptions>>;
  links(host: string): Readonly<Record<string, PhysicalNetwork>>;
}

/** The address of what is beyond the cloud. */
export const OUTSIDE = '172.24.4.1';
const TALKER = join(import.meta.dirname, '../../../packages/host/src/fabric/testing/talker.fixture.ts');

const PREFIX_SERVER = join(import.meta.dirname, '../../../packages/host/src/fabric/testing/prefix-server.fixture.ts');
/** What the provider delegates, in turn. */
const PREFIXES = ['2001:db8:a::', '2001:db8:b::'] as const;
/** What a loaded machine may take. */
const LONG_MS = 120_000;

/** Keeps what a host was told. */
class Told implements Fabric {
  readonly objects = new Map<string, FabricObject>();
  readonly kernel: KernelFabric;

  constructor(kernel: KernelFabric) {
    this.kernel = kernel;
  }

  async apply(objects: readonly FabricObject[]): Promise<void> {
    this.objects.clear();
    for (const object of objects) this.objects.set(`${object.kind} ${object.id}`, object);
    await this.kernel.apply(objects);
  }

  async patch(changes: readonly FabricChange[]): Promise<void> {
    for (const change of changes) {
      if (change.op === 'put') this.objects.set(`${change.object.kind} ${change.object.id}`, change.object);
      else this.objects.delete(`${change.kind} ${change.id}`);
    }
    await this.kernel.patch(changes);
  }

  status = (): Promise<FabricStatus> => this.kernel.status();
  meters = (): Promise<readonly MeterReading[]> => this.kernel.meters();
}

/** A host whose network is real and whose all else is in memory. */
class WalkAgent implements HostAgent {
  readonly host: string;
  readonly tunnelIp: string;
  readonly fabric: Told;
  readonly #rest: SimulatedAgent;
  readonly #listeners = new Set<(event: HostEvent) => void>();

  constructor(host: string, tunnelIp: string, makeFabric: (onEvent: (event: HostEvent) => void) => KernelFabric) {
    this.host = host;
    this.tunnelIp = tunnelIp;
    this.#rest = new SimulatedAgent(host, { clock: systemClock, tunnelIp });
    const onEvent = (event: HostEvent): void => {
      for (const listener of this.#listeners) listener(event);
    };
    this.fabric = new Told(makeFabric(onEvent));
  }

  get guests() {
    return this.#rest.guests;
  }
  get disks() {
    return this.#rest.disks;
  }
  get templates() {
    return this.#rest.templates;
  }
  start = async (): Promise<void> => {};
  stop = async (): Promise<void> => this.fabric.kernel.stop();
  halt = async (): Promise<void> => {};
  wake = async (): Promise<void> => {};
  destroy = async (): Promise<void> => this.fabric.kernel.destroy();
  describe = async (): Promise<HostFacts> => this.#rest.describe();
  onEvent(listener: (event: HostEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

/** A guest behind the tap of a port, with who talks in it. */
interface Seat {
  readonly guest: Guest;
  readonly talker: Background;
  readonly host: string;
  readonly mac: string;
  setup: string;
}

/** Something that is sent. */
export interface Probe {
  /** A port's id, or `outside`. */
  readonly from: string;
  readonly source: string;
  readonly destination: string;
  readonly protocol: 'tcp' | 'udp' | 'icmp';
  readonly sourcePort: number;
  readonly destinationPort: number;
}

/**
 * The network service on hosts with real networks, in a machine of the test's own: namespaces in place of guests behind real taps, hosts
 * joined by tunnels, and somebody outside.
 */
export class NetworkGround {
  readonly world: NetworkWorld;
  readonly hosts: readonly string[];
  readonly #machine: Machine;
  readonly #agents = new Map<string, WalkAgent>();
  readonly #seats = new Map<string, Seat>();
  readonly #outside: Background;
  readonly #around: Surroundings;
  #probes = 0;
  #provider: Background | undefined;
  #prefixes: (typeof PREFIXES)[number] = PREFIXES[0];

  private constructor(world: NetworkWorld, machine: Machine, hosts: readonly string[], around: Surroundings) {
    this.#around = around;
    this.world = world;
    this.#machine = machine;
    this.hosts = hosts;
    this.#outside = machine.outsideSpawn(process.execPath, TALKER);
  }

  static async start(count: number, around: Surroundings = NOTHING_AROUND): Promise<NetworkGround> {
    const machine = await Machine.create();
    const outer = machine.outer;
    const lines = [
      'link add public mtu 1500 type bridge stp_state 0 forward_delay 0 mcast_snooping 0',
      `addr add ${OUTSIDE}/24 dev public`,
      'link set public up',
      'link add tunnels mtu 9000 type bridge stp_state 0 forward_delay 0 mcast_snooping 0',
      'link set tunnels up',
      ...around.commands,
    ];
    await run('ip', ['-n', outer, '-batch', '-'], { input: lines.join('\n') });
    const hosts = Array.from({ length: count }, (_, i) => `host-${i + 1}`);
    for (const [i] of hosts.entries()) {
      const end = `${machine.instance}e${i + 1}`;
      await run('ip', ['netns', 'add', end]);
      await run('ip', ['-n', end, 'link', 'add', 'tunnels', 'mtu', '9000', 'type', 'veth', 'peer', 'name', `t${i + 1}`, 'mtu', '9000', 'netns', outer]);
      await run('ip', ['-n', end, '-batch', '-'], { input: `addr add 100.127.0.${i + 1}/16 dev tunnels\nlink set tunnels up\nlink set lo up\n` });
      await run('ip', ['-n', outer, 'link', 'set', `t${i + 1}`, 'master', 'tunnels', 'up']);
    }
    const world = await NetworkWorld.start({
      quotas: { security_group: -1, security_group_rule: -1, router: -1 },
      reconcileEveryMs: 3_600_000,
      ...(around.physicalNetworks && { physicalNetworks: around.physicalNetworks }),
    });
    const ground = new NetworkGround(world, machine, hosts, around);
    for (const host of hosts) await ground.#boot(host);
    await world.publicNetwork();
    return ground;
  }

  /** The host's program starts, on what there is already. */
  async #boot(host: string): Promise<void> {
    const index = this.hosts.indexOf(host) + 1;
    const dir = join(this.#machine.runDir, host);
    await mkdir(dir, { recursive: true });
    await chmod(dir, 0o755);
    const end = { netns: `${this.#machine.instance}e${index}`, localIp: `100.127.0.${index}` };
    const agent = new WalkAgent(host, end.localIp, (onEvent) =>
      this.#machine.fabric({
        instance: `${this.#machine.instance}h${index}`,
        dataDir: dir,
        runDir: dir,
        physicalNetworks: { public: { linkName: `p${index}`, outerBridge: 'public' }, ...this.#around.links(host) },
        tunnels: end,
        onEvent,
      }),
    );
    this.#agents.set(host, agent);
    this.world.hosts.add(agent);
    await this.world.neutron.app.pusher.idle();
  }

  /** The host's program ends and starts again. */
  async restart(host: string): Promise<void> {
    const agent = this.#agents.get(host);
    this.world.hosts.remove(host);
    await agent?.fabric.kernel.stop();
    await this.#boot(host);
  }

  /** The guest behind the tap of a port. */
  guestOf(portId: string): Guest {
    const seat = this.#seats.get(portId);
    if (!seat) throw new Error(`no guest at ${portId}`);
    return seat.guest;
  }

  /** A program outside of the cloud. */
  outside = (command: string, ...args: string[]): Promise<{ code: number; stdout: string }> => this.#machine.outside(command, ...args);

  /** One that runs beside. */
  outsideSpawn = (command: string, ...args: string[]): Background => this.#machine.outsideSpawn(command, ...args);

  /** Somebody outside delegates prefixes of IPv6 from now on, and the public network has IPv6. */
  async provide(): Promise<Background> {
    const provider = this.outsideSpawn(process.execPath, PREFIX_SERVER, 'public');
    this.#provider = provider;
    if (!(await provider.says(/^serves$/m, LONG_MS))) throw new Error(`nobody delegates prefixes: ${provider.output}`);
    await this.outside('ip', 'addr', 'add', '2001:db8:1::1/64', 'dev', 'public', 'nodad');
    const [{ id }] = (await this.world.expect(200, 'admin', 'GET', '/networks?name=public')).networks;
    const subnet = { network_id: id, ip_version: 6, cidr: '2001:db8:1::/64', gateway_ip: '2001:db8:1::1', enable_dhcp: false };
    await this.world.create('admin', 'subnet', subnet);
    return provider;
  }

  /** The provider has others from now on. The hosts of routers that ask start again, and so hear of it. */
  async changePrefixes(views: Views): Promise<void> {
    const provider = this.#provider;
    if (!provider) throw new Error('nobody delegates prefixes');
    this.#prefixes = this.#prefixes === PREFIXES[0] ? PREFIXES[1] : PREFIXES[0];
    const times = provider.output.split('has rules').length;
    provider.write(`${JSON.stringify({ base: this.#prefixes })}\n`);
    await until(async () => provider.output.split('has rules').length > times, LONG_MS);
    const asking = new Set(views.delegated().map((subnet) => subnet.id));
    const links = views.ports.filter((port) => isInterface(port) && port.fixed_ips.some((fixed) => asking.has(fixed.subnet_id)));
    for (const host of this.hosts) if (links.some((port) => port['binding:host_id'] === host)) await this.restart(host);
  }

  /** Waits until hosts were told all, and have what they ask the provider for. */
  async settle(): Promise<void> {
    await this.world.neutron.app.pusher.idle();
    if (!this.#provider) return;
    let views = await this.views();
    const isServed = async (): Promise<boolean> => {
      views = await this.views();
      return this.#due(views).every((subnet) => subnet.cidr === this.#prefixFor(subnet));
    };
    await until(isServed, LONG_MS).catch(() => {
      throw new Error(`no prefix ${this.#prefixes} for ${JSON.stringify(this.#due(views))}: ${this.#provider?.output.slice(-1000)}`);
    });
    await this.world.neutron.app.pusher.idle();
  }

  #prefixFor = (subnet: SubnetView): string =>
    formatCidr(prefixOf(clientIdOf(subnet.id), { base: this.#prefixes, renewSeconds: 0, rebindSeconds: 0, validSeconds: 0 }));

  /** The subnets for which a router that is at work asks, but for those that the provider gives the same, of which one is refused. */
  #due(views: Views): SubnetView[] {
    const isWorking = (id: string): boolean => views.routers.some((router) => router.id === id && router.admin_state_up && router.external_gateway_info);
    const given = Map.groupBy(views.delegated(), this.#prefixFor);
    return views
      .delegated()
      .filter((subnet) => given.get(this.#prefixFor(subnet))?.length === 1)
      .filter((subnet) =>
        views.ports.some(
          (port) =>
            isInterface(port) &&
            port['binding:host_id'] !== '' &&
            isWorking(port.device_id) &&
            port.fixed_ips.some((fixed) => fixed.subnet_id === subnet.id && fixed.ip_address === subnet.gateway_ip),
        ),
      );
  }

  /** What the API tells. */
  views = (): Promise<Views> => viewsOf(this.world);

  /** Lets guests be there for the ports that are bound, on their hosts, set up as they were told. */
  async seat(views: Views): Promise<void> {
    const wanted = new Map(views.guestPorts().map((port) => [port.id, port]));
    for (const [id, seat] of this.#seats) {
      const port = wanted.get(id);
      if (port && port['binding:host_id'] === seat.host && port.mac_address === seat.mac) continue;
      await seat.guest.stop();
      this.#seats.delete(id);
    }
    await Promise.all(
      [...wanted.values()].map(async (port) => {
        if (!this.#seats.has(port.id)) await this.#sit(port.id, port['binding:host_id'], port.mac_address);
        await this.#setUp(port.id, setupOf(views, port));
      }),
    );
  }

  async #sit(id: string, host: string, mac: string): Promise<void> {
    const fabric = this.#agents.get(host)?.fabric.kernel;
    if (!fabric) throw new Error(`no host ${host}`);
    const guest = await this.#machine.guest(fabric, { tap: tapName(id), mac });
    await guest.run('sysctl', '-qw', 'net.ipv6.conf.eth0.accept_ra=0');
    const talker = guest.spawn(process.execPath, TALKER);
    if (!(await talker.says(/^ready$/m, 60_000))) throw new Error(`nobody talks in a guest: ${talker.output}`);
    this.#seats.set(id, { guest, talker, host, mac, setup: '' });
  }

  async #setUp(id: string, { addresses, routes }: GuestSetup): Promise<void> {
    const seat = this.#seats.get(id);
    if (!seat) return;
    const text = [
      ...addresses.map((cidr) => `addr add ${cidr} dev eth0${cidr.includes(':') ? ' nodad' : ''}`),
      ...routes.map((route) => `route add ${route}`),
      '',
    ].join('\n');
    if (text === seat.setup) return;
    seat.setup = text;
    await seat.guest.run('ip', 'addr', 'flush', 'dev', 'eth0', 'scope', 'global');
    // routes of IPv4 go with their addresses
    await seat.guest.run('ip', '-6', 'route', 'flush', 'dev', 'eth0', 'proto', 'boot');
    await run('ip', ['-n', seat.guest.netns, '-batch', '-'], { input: text });
  }

  /** Objects of a host as the database has them now, made from nothing. */
  async wanted(host: string): Promise<FabricObject[]> {
    const ends = new Map(this.hosts.map((each, i) => [each, `100.127.0.${i + 1}`]));
    const { objects } = await hostSnapshot(this.world.world.env.store.read, this.world.neutron.app.settings, host, true, ends);
    return [...objects.values()];
  }

  /**
   * What a host has otherwise than the database says: of what it was told, and of what its kernel has, which is read anew. Groups that no port
   * of the host needs any more, and members of groups on other hosts, do nothing and may stay, as long as they are what they are elsewhere.
   */
  async unlike(host: string): Promise<string[]> {
    const told = this.#agents.get(host)?.fabric;
    if (!told) throw new Error(`no host ${host}`);
    const wanted = await this.wanted(host);
    const found: string[] = [];
    const keys = new Set(wanted.map((object) => `${object.kind} ${object.id}`));
    for (const object of wanted) {
      const key = `${object.kind} ${object.id}`;
      if (!isDeepStrictEqual(untimed(told.objects.get(key)), untimed(object)))
        found.push(`${host} was told ${JSON.stringify(told.objects.get(key))} and should have ${JSON.stringify(object)}`);
    }
    const everywhere = await Promise.all(this.hosts.map((each) => this.wanted(each)));
    const all = new Map(everywhere.flat().map((object) => [`${object.kind} ${object.id}`, object]));
    for (const [key, object] of told.objects) {
      if (keys.has(key) || object.kind === 'securityGroup') continue;
      const there = all.get(key);
      const isMember = object.kind === 'port' && object.attachment.kind === 'none' && there !== undefined;
      if (!isMember || !isDeepStrictEqual({ ...object }, { ...there, attachment: object.attachment }))
        found.push(`${host} still has ${JSON.stringify(object)}`);
    }
    if (found.length > 0) return found;
    const before = told.kernel.changes;
    await told.kernel.apply([...told.objects.values()]);
    const programs = told.kernel.changes - before;
    return programs === 0 ? [] : [`the kernel of ${host} was not as it was told: it took ${programs} programs to make it so`];
  }

  /** As if a host had not been told of the objects of a kind. */
  forget(host: string, kind: FabricObject['kind']): void {
    const told = this.#agents.get(host)?.fabric.objects;
    for (const key of [...(told?.keys() ?? [])]) if (key.startsWith(`${kind} `)) told?.delete(key);
  }

  /** A program in the switch of a host. */
  inSwitch = async (host: string, command: string, args: readonly string[]): Promise<string> =>
    (await run(command, args, { netns: this.#agents.get(host)?.fabric.kernel.switchNamespace ?? '', maxOutputBytes: 1e8 })).stdout;

  /** Whether what was sent is answered. What is to be has long; what is not to be is listened for a while. */
  async isAnswered(probe: Probe, expected: boolean): Promise<boolean> {
    const { from, protocol, source, destination } = probe;
    const seat = this.#seats.get(from);
    if (from !== 'outside' && !seat) throw new Error(`no guest at ${from}`);
    if (protocol === 'icmp') {
      const ping = async (...more: string[]): Promise<boolean> => {
        const args = ['-n', '-I', source, ...more, destination];
        const { stdout } = seat ? await seat.guest.run('ping', ...args) : await this.#machine.outside('ping', ...args);
        return stdout.includes(' bytes from ');
      };
      return await ping(...(expected ? ['-c', '1', '-i', '0.2', '-w', '12'] : ['-c', '3', '-i', '0.2', '-W', '0.5']));
    }
    const talker = seat?.talker ?? this.#outside;
    const id = this.#probes++;
    const forMs = expected ? 15_000 : SILENCE_MS;
    const order = { id, protocol: protocol === 'tcp' ? 6 : 17, host: destination, port: probe.destinationPort, localPort: probe.sourcePort, forMs };
    talker.write(`${JSON.stringify({ ...order, localAddress: source })}\n`);
    const answer = new RegExp(`^\\{"id":${id},"reached":(true|false)\\}$`, 'm');
    if (!(await talker.says(answer, forMs + 60_000))) throw new Error(`no word of probe ${id}: ${talker.output.slice(-500)}`);
    return answer.exec(talker.output)?.[1] === 'true';
  }

  async stop(): Promise<void> {
    await this.world.close();
    for (const seat of this.#seats.values()) await seat.guest.stop();
    for (const agent of this.#agents.values()) await agent.fabric.kernel.destroy();
    for (const [i] of this.hosts.entries()) await run('ip', ['netns', 'delete', `${this.#machine.instance}e${i + 1}`], { okCodes: [1] });
    await this.#machine.destroy();
  }
}

/** Until when a prefix is good is not told anew with each renewal. */
const untimed = (object: FabricObject | undefined): FabricObject | undefined =>
  object?.kind === 'router' && object.prefixDelegation
    ? {
        ...object,
        prefixDelegation: object.prefixDelegation.map((delegation) => {
          const { validUntilMs: _, ...rest } = delegation;
          return rest;
        }),
      }
    : object;

const NOTHING_AROUND: Surroundings = { commands: [], links: () => ({}) };

const SILENCE_MS = 700;
