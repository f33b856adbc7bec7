import { HostRegistry as AgentRegistry } from '@cairn/host/registry';
import { SimulatedAgent } from '@cairn/host/simulated/agent';
import type { SimulatedDelays, SimulatedFault } from '@cairn/host/simulated/faults';
import { type MachineSize, SimulatedMachine } from '@cairn/host/simulated/machine';
import { InProcessBus } from '@cairn/kit/bus/inprocess';
import { type Clock, systemClock } from '@cairn/kit/clock/clock';
import type { NeutronFace } from '@cairn/neutron/face';
import type { Context } from '@cairn/kit/context/context';
import { eventMigrations } from '@cairn/kit/events/migrations';
import { Outbox } from '@cairn/kit/events/outbox';
import { HttpServer } from '@cairn/kit/http/server';
import { systemIds } from '@cairn/kit/ids/ids';
import { type Logger, silentLog } from '@cairn/kit/log/log';
import { SagaEngine } from '@cairn/kit/saga/engine';
import { sagaMigrations } from '@cairn/kit/saga/migrations';
import type { SagaEngineOptions } from '@cairn/kit/saga/options';
import { type EngineName, on, type Store } from '@cairn/kit/store/store';
import { engines, testStore } from '@cairn/kit/store/testing';
import { reviewAnswer } from '@cairn/kit/testing/answers';
import { createFace as createPlacementFace } from '@cairn/placement/app/face';
import { placementMigrations } from '@cairn/placement/store/migrations/index';
import type { NovaDeps } from '../app/deps.ts';
import { defaultNovaOptions, type NovaOptions } from '../options.ts';
import { createNova, type NovaService } from '../service.ts';
import type { NovaTables } from '../store/tables.ts';
import { novaMigrations } from '../store/migrations/index.ts';
import { FakeCinder } from './fake-cinder.ts';
import { FakeGlance } from './fake-glance.ts';
import { FakeNeutron } from './fake-neutron.ts';
import { fakeMigrations } from './fake-table.ts';

export const IMAGE = '11111111-1111-4111-8111-111111111111';
export const NETWORK = '22222222-2222-4222-8222-222222222222';

/** The caller of tests: a member of project `p1` unless told otherwise. */
export const context = (over: Partial<Context> = {}): Context => ({
  requestId: `req-${systemIds.uuid()}`,
  userId: 'u1',
  userName: 'alice',
  userDomainId: 'default',
  userDomainName: 'Default',
  projectId: 'p1',
  projectName: 'demo',
  roles: ['member', 'reader'],
  methods: ['password'],
  isAdminProject: false,
  expiresAtMs: Number.MAX_SAFE_INTEGER,
  ...over,
});
export const member = (): Context => context();
export const admin = (): Context => context({ userId: 'root', projectId: 'p0', roles: ['admin', 'manager', 'member', 'reader'] });
export const stranger = (): Context => context({ userId: 'u2', projectId: 'p2' });

/** An answer of the API. */
export interface Answered {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[]>>;
  // bodies are what the test says they are
  readonly body: any;
}

export interface CloudOptions {
  /** By default the first of CAIRN_TEST_ENGINES. */
  readonly engine?: EngineName;
  readonly clock?: Clock;
  readonly log?: Logger;
  readonly hosts?: readonly { readonly name: string; readonly size?: MachineSize }[];
  readonly delays?: SimulatedDelays;
  readonly fault?: SimulatedFault;
  readonly options?: Partial<NovaOptions>;
  /** What each host's network offers in placement; by default nothing. */
  readonly network?: NeutronFace['networkProviders'];
  /** What ports ask of placement, by the port's id. */
  readonly asking?: FakeNeutron['asking'];
  /** What nova hands on to neutron and glance goes here; by default there is nothing. */
  readonly inside?: NovaDeps['inside'];
}

const nothingInside: NovaDeps['inside'] = async () => ({ status: 404, headers: {}, body: {} });

/** What outlives a process of the cloud: the database and the machines. */
export class TestWorld {
  readonly store: Store;
  readonly clock: Clock;
  readonly machines: readonly SimulatedMachine[];
  readonly #given: CloudOptions;

  private constructor(store: Store, given: CloudOptions) {
    this.store = store;
    this.#given = given;
    this.clock = given.clock ?? systemClock;
    this.machines = (given.hosts ?? [{ name: 'h1' }, { name: 'h2' }]).map(({ name, size }) => new SimulatedMachine(name, size));
  }

  static async open(given: CloudOptions = {}): Promise<TestWorld> {
    const store = await testStore(given.engine ?? (engines()[0] as EngineName));
    await store.migrate([sagaMigrations, eventMigrations, placementMigrations, novaMigrations, fakeMigrations]);
    const world = new TestWorld(store, given);
    await store.write(async (tx) => {
      const nova = on<NovaTables>(tx);
      const flavor = { ephemeral_gb: 0, swap_mb: 0, rxtx_factor: 1, is_public: 1, disabled: 0, description: null, created_at_ms: 0, updated_at_ms: null };
      await nova
        .insertInto('nova_flavor')
        .values([
          { ...flavor, flavor_id: '1', name: 'm1.tiny', memory_mb: 512, vcpus: 1, root_gb: 1, extra_specs_json: '{"hw:x":"y"}' },
          { ...flavor, flavor_id: '2', name: 'm1.more', memory_mb: 2_048, vcpus: 2, root_gb: 20, ephemeral_gb: 2, swap_mb: 512, extra_specs_json: '{}' },
          { ...flavor, flavor_id: '9', name: 'm1.huge', memory_mb: 90_000_000, vcpus: 1, root_gb: 1, extra_specs_json: '{}' },
        ])
        .execute();
      await nova
        .insertInto('nova_keypair')
        .values({ user_id: 'u1', name: 'mine', type: 'ssh', fingerprint: 'aa', public_key: 'ssh-ed25519 AAAA me', created_at_ms: 0 })
        .execute();
    });
    return world;
  }

  /** One process of the cloud over this world. */
  async boot(hooks: Partial<SagaEngineOptions> = {}): Promise<TestCloud> {
    return await TestCloud.boot(this, this.#given, hooks);
  }

  async close(): Promise<void> {
    await this.store.close();
  }
}

/** A whole compute service in one process: real engine, placement and events, simulated hosts, small fakes of the other services. */
export class TestCloud {
  readonly world: TestWorld;
  readonly store: Store;
  readonly nova: NovaService;
  readonly engine: SagaEngine;
  readonly outbox: Outbox;
  readonly glance: FakeGlance;
  readonly neutron: FakeNeutron;
  readonly cinder: FakeCinder;
  readonly hosts: AgentRegistry;
  readonly agents: ReadonlyMap<string, SimulatedAgent>;
  readonly http: HttpServer;
  /** Microversion of requests. */
  version = '2.96';

  private constructor(parts: Omit<TestCloud, 'version' | 'request' | 'ok' | 'create' | 'settle' | 'agent' | 'close' | 'until'>) {
    this.world = parts.world;
    this.store = parts.store;
    this.nova = parts.nova;
    this.engine = parts.engine;
    this.outbox = parts.outbox;
    this.glance = parts.glance;
    this.neutron = parts.neutron;
    this.cinder = parts.cinder;
    this.hosts = parts.hosts;
    this.agents = parts.agents;
    this.http = parts.http;
  }

  static async open(given: CloudOptions = {}): Promise<TestCloud> {
    return await (await TestWorld.open(given)).boot();
  }

  static async boot(world: TestWorld, given: CloudOptions, hooks: Partial<SagaEngineOptions>): Promise<TestCloud> {
    const { store, clock } = world;
    const log = given.log ?? silentLog;
    const base = { store, clock, ids: systemIds, log };
    const hosts = new AgentRegistry();
    const engine = new SagaEngine({ ...base, exclusive: true, retryMs: 1, retryMaxMs: 5, undoRetryMaxMs: 5, ...hooks });
    const outbox = new Outbox({ ...base, exclusive: true });
    const bus = new InProcessBus({ clock, log });
    const glance = new FakeGlance(store);
    const neutron = new FakeNeutron(store, hosts);
    for (const [portId, request] of given.asking ?? []) neutron.asking.set(portId, request);
    if (given.network !== undefined) neutron.offered = given.network;
    const cinder = new FakeCinder(store, hosts);
    const projects = ['p0', 'p1', 'p2'];
    const keystone = {
      authenticate: async () => undefined,
      project: async (_db: unknown, id: string) => (projects.includes(id) ? { id, name: id, domainId: 'default', parentId: null, enabled: true } : undefined),
      sealSecret: (purpose: string, text: string) => Buffer.from(JSON.stringify([purpose, text])).toString('base64'),
      openSecret: (purpose: string, sealed: string) => {
        const [sealedFor, text] = JSON.parse(Buffer.from(sealed, 'base64').toString()) as [string, string];
        if (sealedFor !== purpose) throw new Error(`sealed for ${sealedFor}, not for ${purpose}`);
        return text;
      },
      tokenFor: async () => ({ token: 'token', expiresAtMs: Number.MAX_SAFE_INTEGER }),
      endpointFor: async () => undefined,
      userExists: async () => true,
      unifiedLimits: async () => new Map<string, number>(),
    };
    const nova = createNova({
      env: { clock, ids: systemIds, log, store, sagas: engine, events: outbox, bus },
      options: { ...defaultNovaOptions, ...given.options },
      faces: { keystone, glance, placement: createPlacementFace(clock), neutron, cinder },
      hosts,
      inside: (call) => (given.inside ?? nothingInside)(call),
    });
    const agents = new Map(
      world.machines.map((machine) => {
        const agent = new SimulatedAgent(machine.host, {
          clock,
          machine,
          ...(given.delays === undefined ? {} : { delays: given.delays }),
          ...(given.fault === undefined ? {} : { fault: given.fault }),
          callbacks: { openImage: () => Promise.reject(new Error('no data')), metadata: (request) => nova.face.metadata(request) },
        });
        hosts.add(agent);
        return [machine.host, agent] as const;
      }),
    );
    engine.register(nova.sagas, nova.sagaServices);
    if ((await glance.images.find(store.read, IMAGE)) === undefined) {
      await glance.addImage({ id: IMAGE, name: 'cirros', properties: { os_distro: 'cirros' } });
      await neutron.addNetwork({ id: NETWORK, name: 'private', prefix: '10.0.0.' });
    }
    await nova.start();
    await engine.open();
    await outbox.open();
    const http = new HttpServer({
      services: [nova.http],
      authenticate: async () => undefined,
      identityUrl: 'http://id',
      clock,
      log,
      ids: systemIds,
      review: reviewAnswer,
    });
    return new TestCloud({ world, store, nova, engine, outbox, glance, neutron, cinder, hosts, agents, http });
  }

  /** Calls the API in the caller's name. */
  async request(ctx: Context, method: string, url: string, body?: unknown, version: string = this.version): Promise<Answered> {
    const answer = await this.http.dispatch({
      service: 'nova',
      method,
      url: `/v2.1${url}`,
      ctx,
      headers: { 'openstack-api-version': `compute ${version}` },
      ...(body === undefined ? {} : { body }),
    });
    return answer as Answered;
  }

  /** The same, and it must go well. Returns the body. */
  async ok(ctx: Context, method: string, url: string, body?: unknown, version?: string): Promise<Answered['body']> {
    const answer = await this.request(ctx, method, url, body, version);
    if (answer.status >= 300) throw new Error(`${method} ${url}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  /** Makes a server and waits for its saga; returns its id. */
  async create(ctx: Context, server: object = {}, extra: object = {}): Promise<string> {
    const { server: made } = await this.ok(ctx, 'POST', '/servers', {
      server: { name: 'one', imageRef: IMAGE, flavorRef: '1', networks: 'auto', ...server },
      ...extra,
    });
    await this.settle();
    return made.id as string;
  }

  /** Waits until no saga runs. */
  async settle(): Promise<void> {
    await this.engine.idle();
  }

  async until(holds: () => boolean | Promise<boolean>, limitMs = 5_000): Promise<void> {
    const endMs = performance.now() + limitMs;
    while (!(await holds())) {
      if (performance.now() > endMs) throw new Error(`still does not hold after ${limitMs} ms`);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }

  agent(host: string): SimulatedAgent {
    const agent = this.agents.get(host);
    if (agent === undefined) throw new Error(`no host ${host}`);
    return agent;
  }

  /** Ends the process and its world. */
  async close(): Promise<void> {
    await this.nova.stop();
    await this.engine.close();
    await this.outbox.close();
    await this.world.close();
  }
}
