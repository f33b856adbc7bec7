import type { FabricObject } from '@cairn/host/interface/fabric';
import { HostRegistry } from '@cairn/host/registry';
import { SimulatedAgent, type SimulatedAgentOptions } from '@cairn/host/simulated/agent';
import type { KeystoneFace } from '@cairn/keystone/face';
import type { HttpService } from '@cairn/kit/http/service';
import { engines } from '@cairn/kit/store/testing';
import { type TestAnswer, testContext, TestFront, testWorld, type World, type WorldOptions } from '@cairn/kit/testing/world';
import type { NeutronOptions } from '../options.ts';
import { createNeutron, type Neutron } from '../service.ts';
import { neutronMigrations } from '../store/migrations/index.ts';

export const DEMO_PROJECT = 'b0000000000000000000000000000001';
export const OTHER_PROJECT = 'b0000000000000000000000000000002';
export const ADMIN_PROJECT = 'b00000000000000000000000000000ad';

/** A keystone that knows every project. */
const anyProject: KeystoneFace = {
  authenticate: async () => undefined,
  project: async (_db, id) => ({ id, name: id, domainId: 'default', parentId: null, enabled: true }),
  sealSecret: (_purpose, text) => text,
  openSecret: (_purpose, sealed) => sealed,
  tokenFor: async () => ({ token: 'token', expiresAtMs: Number.MAX_SAFE_INTEGER }),
  endpointFor: async () => undefined,
  userExists: async () => true,
  unifiedLimits: async () => new Map(),
};

export interface NetworkWorldOptions extends WorldOptions, NeutronOptions {
  /** Simulated hosts, by name. Default none. */
  readonly hosts?: readonly string[];
  readonly agent?: Partial<Omit<SimulatedAgentOptions, 'clock'>>;
}

type Named = Record<string, unknown>;

/** The network service over HTTP with simulated hosts, for tests. Callers: `member`, `reader` (of one project), `other`, `admin`. */
export class NetworkWorld {
  readonly world: World;
  readonly neutron: Neutron;
  readonly hosts: HostRegistry;
  readonly front: TestFront;

  private constructor(world: World, neutron: Neutron, hosts: HostRegistry, front: TestFront) {
    this.world = world;
    this.neutron = neutron;
    this.hosts = hosts;
    this.front = front;
  }

  static async start(options: NetworkWorldOptions = {}): Promise<NetworkWorld> {
    const world = await testWorld({ engine: engines()[0] ?? 'sqlite', ...options, migrations: [neutronMigrations] });
    const hosts = new HostRegistry();
    const neutron = createNeutron({ env: world.env, options, keystone: anyProject, hosts });
    const front = await TestFront.start(world.env, [neutron.http as HttpService]);
    front.as('reader', testContext({ roles: ['reader'] }));
    front.as('other', testContext({ userId: 'a0000000000000000000000000000002', userName: 'other', projectId: OTHER_PROJECT, projectName: 'other' }));
    front.as('other-reader', testContext({ projectId: OTHER_PROJECT, projectName: 'other', roles: ['reader'] }));
    await world.open();
    await neutron.start();
    const network = new NetworkWorld(world, neutron, hosts, front);
    for (const name of options.hosts ?? []) network.addHost(name, options.agent);
    return network;
  }

  /** A simulated host comes. */
  addHost(name: string, options: Partial<Omit<SimulatedAgentOptions, 'clock'>> = {}): SimulatedAgent {
    const agent = new SimulatedAgent(name, { ...options, clock: this.world.env.clock });
    this.hosts.add(agent);
    return agent;
  }

  /** A call below /network/v2.0. */
  call(who: string | undefined, method: string, path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<TestAnswer> {
    return this.front.call(who, method, `/network/v2.0${path}`, body, headers);
  }

  /** A call that must answer with this status; gives the body. */
  async expect(status: number, who: string, method: string, path: string, body?: unknown): Promise<TestAnswer['body']> {
    const answer = await this.call(who, method, path, body);
    if (answer.status !== status) throw new Error(`${method} ${path} answered ${answer.status}, not ${status}: ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  /** Creates one: `create('member', 'network', { name: 'net' })`. */
  async create(who: string, name: string, values: Named = {}, path = `/${name.replaceAll('_', '-')}s`): Promise<TestAnswer['body']> {
    return (await this.expect(201, who, 'POST', path, { [name]: values }))[name];
  }

  show = async (who: string, name: string, id: string): Promise<TestAnswer['body']> =>
    (await this.expect(200, who, 'GET', `/${name.replaceAll('_', '-')}s/${id}`))[name];

  async update(who: string, name: string, id: string, values: Named): Promise<TestAnswer['body']> {
    return (await this.expect(200, who, 'PUT', `/${name.replaceAll('_', '-')}s/${id}`, { [name]: values }))[name];
  }

  /** A network with an IPv4 subnet. */
  async network(who = 'member', cidr = '10.0.0.0/24', values: Named = {}): Promise<{ network: TestAnswer['body']; subnet: TestAnswer['body'] }> {
    const network = await this.create(who, 'network', { name: 'net', ...values });
    const subnet = await this.create(who, 'subnet', { network_id: network.id, ip_version: 4, cidr });
    return { network, subnet };
  }

  /** An external network as a new cloud has it. */
  async publicNetwork(): Promise<{ network: TestAnswer['body']; subnet: TestAnswer['body'] }> {
    const network = await this.create('admin', 'network', {
      name: 'public',
      'router:external': true,
      'provider:network_type': 'flat',
      'provider:physical_network': 'public',
    });
    const subnet = await this.create('admin', 'subnet', { network_id: network.id, ip_version: 4, cidr: '172.24.4.0/24', enable_dhcp: false });
    return { network, subnet };
  }

  /** What a host has of an object once all is told. */
  async onHost(kind: FabricObject['kind'], id: string, host = 'host'): Promise<TestAnswer['body']> {
    await this.neutron.app.pusher.idle();
    return (this.hosts.get(host) as SimulatedAgent).machine.fabric.get(`${kind} ${id}`);
  }

  async close(): Promise<void> {
    await this.front.close();
    await this.neutron.stop();
    await this.world.close();
  }
}
