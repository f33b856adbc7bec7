import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { defaultGlanceOptions } from '@cairn/glance/options';
import { createGlance, type GlanceService } from '@cairn/glance/service';
import type { HostAgent } from '@cairn/host/interface/agent';
import { HostRegistry } from '@cairn/host/registry';
import { SimulatedAgent } from '@cairn/host/simulated/agent';
import type { SimulatedFault } from '@cairn/host/simulated/faults';
import { SimulatedMachine } from '@cairn/host/simulated/machine';
import type { Context } from '@cairn/kit/context/context';
import type { EngineName } from '@cairn/kit/store/store';
import { TestFront, testContext, testWorld, type TestAnswer, type World } from '@cairn/kit/testing/world';
import { type CinderOptions, defaultCinderOptions } from './options.ts';
import { type CinderService, createCinder } from './service.ts';

export interface CloudOptions {
  readonly engine?: EngineName;
  readonly hosts?: readonly string[];
  readonly diskGb?: number;
  readonly options?: Partial<CinderOptions>;
  readonly fault?: SimulatedFault;
  /** What stands for a host instead of the simulated one. */
  readonly agent?: (simulated: SimulatedAgent) => HostAgent;
}

/** Stands for keystone's encryption: what is sealed does not show what it is, and is read again for its purpose alone. */
export const testSecrets = {
  sealSecret: (purpose: string, text: string): string => Buffer.from(JSON.stringify([purpose, text])).toString('base64'),
  openSecret(purpose: string, sealed: string): string {
    const [sealedFor, text] = JSON.parse(Buffer.from(sealed, 'base64').toString()) as [string, string];
    if (sealedFor !== purpose) throw new Error('sealed for another purpose');
    return text;
  },
  tokenFor: async () => ({ token: 'token', expiresAtMs: Number.MAX_SAFE_INTEGER }),
  endpointFor: async () => undefined,
};

/** Cinder and glance over simulated hosts, with real HTTP in front. For tests. */
export class Cloud {
  readonly world: World;
  readonly cinder: CinderService;
  readonly glance: GlanceService;
  readonly front: TestFront;
  readonly machines: ReadonlyMap<string, SimulatedMachine>;
  readonly #directory: string;

  private constructor(
    world: World,
    cinder: CinderService,
    glance: GlanceService,
    front: TestFront,
    machines: ReadonlyMap<string, SimulatedMachine>,
    directory: string,
  ) {
    this.world = world;
    this.cinder = cinder;
    this.glance = glance;
    this.front = front;
    this.machines = machines;
    this.#directory = directory;
  }

  static async start(given: CloudOptions = {}): Promise<Cloud> {
    const directory = mkdtempSync(join(tmpdir(), 'cairn-cinder-'));
    const { glanceMigrations } = await import('@cairn/glance/store/migrations/index');
    const { cinderMigrations } = await import('./store/migrations/index.ts');
    const world = await testWorld({ ...(given.engine && { engine: given.engine }), migrations: [glanceMigrations, cinderMigrations] });
    const { env } = world;
    const glance = createGlance({ env, options: { ...defaultGlanceOptions, imagesDir: directory } });
    /** For encrypted volumes, as the composition root has it. */
    const callbacks = {
      openImage: (imageId: string) => glance.face.open(imageId),
      diskKey: (keyId: string) => cinder.face.diskKey(keyId),
      metadata: async () => ({ status: 404, contentType: 'text/plain', body: '' }),
    };
    const registry = new HostRegistry();
    const machines = new Map<string, SimulatedMachine>();
    const size = { vcpus: 8, memoryMb: 16_384, diskGb: given.diskGb ?? 4_000 };
    const backends = new Set((given.options?.backends ?? []).filter((backend) => backend.isShared).map((backend) => backend.name));
    const shared = backends.size > 0 ? { backends, machine: new SimulatedMachine('shared', size) } : undefined;
    if (shared) machines.set('shared', shared.machine);
    for (const host of given.hosts ?? ['host1']) {
      const machine = new SimulatedMachine(host, size, shared);
      machines.set(host, machine);
      const simulated = new SimulatedAgent(host, { clock: env.clock, machine, callbacks, ...(given.fault && { fault: given.fault }) });
      registry.add(given.agent?.(simulated) ?? simulated);
    }
    const projects = new Set(['b0000000000000000000000000000001', 'b0000000000000000000000000000002', 'b00000000000000000000000000000ad']);
    const keystone = {
      ...testSecrets,
      project: async (_db: unknown, id: string) => (projects.has(id) ? { id, name: id, domainId: 'default', parentId: null, enabled: true } : undefined),
    };
    const cinder = createCinder({
      env,
      options: { ...defaultCinderOptions, backupsDir: join(directory, 'backups'), ...given.options },
      faces: { glance: glance.face, keystone },
      hosts: registry,
    });
    world.sagas.register(cinder.sagas, cinder.sagaServices);
    await world.open();
    await glance.start();
    await cinder.start();
    const front = await TestFront.start(env, [cinder.http, glance.http]);
    front.as('other', testContext({ userId: 'a0000000000000000000000000000002', projectId: 'b0000000000000000000000000000002', projectName: 'other' }));
    front.as('reader', testContext({ userId: 'a0000000000000000000000000000003', roles: ['reader'] }));
    return new Cloud(world, cinder, glance, front, machines, directory);
  }

  /** A call of the block storage API at a microversion, `3.71` unless said otherwise. */
  call(who: string | undefined, method: string, path: string, body?: unknown, version = '3.71'): Promise<TestAnswer> {
    return this.front.call(who, method, `/volume/v3${path}`, body, { 'openstack-api-version': `volume ${version}` });
  }

  /** Creates a volume and waits until its sagas have ended. Returns its id. */
  async volume(who: string, body: object = { size: 1 }): Promise<string> {
    const answer = await this.call(who, 'POST', '/volumes', { volume: body });
    if (answer.status !== 202) throw new Error(`no volume: ${answer.status} ${JSON.stringify(answer.body)}`);
    await this.settle();
    return answer.body.volume.id as string;
  }

  /** A raw image of `sizeBytes` zeroes. */
  async image(ctx: Context, sizeBytes = 1024, properties: Readonly<Record<string, string>> = {}): Promise<string> {
    const { env } = this.world;
    const id = env.ids.uuid();
    await env.store.write((tx) => this.glance.face.create(tx, ctx, { id, name: `image-${id}`, diskFormat: 'raw', containerFormat: 'bare', properties }));
    await this.glance.face.upload(id, Readable.from([Buffer.alloc(sizeBytes)]));
    return id;
  }

  /** When no saga runs any more. */
  async settle(): Promise<void> {
    await this.world.sagas.idle();
  }

  async show(who: string, path: string): Promise<TestAnswer['body']> {
    const answer = await this.call(who, 'GET', path);
    if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  /** Everything that the simulated hosts have. */
  inspect(): string[] {
    return [...this.machines.values()].flatMap((machine) => machine.inspect());
  }

  async close(): Promise<void> {
    await this.front.close();
    await this.cinder.stop();
    await this.glance.stop();
    await this.world.close();
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
