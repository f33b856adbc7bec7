import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { simulatedConverter } from '@cairn/host/simulated/converter';
import type { HttpService } from '@cairn/kit/http/service';
import { TestFront, testContext, testWorld, type World } from '@cairn/kit/testing/world';
import type { GlanceOutside } from './app/app.ts';
import { defaultGlanceOptions, defaultImportOptions, type GlanceOptions, type ImportOptions } from './options.ts';
import { createGlance, type GlanceService } from './service.ts';
import { glanceMigrations } from './store/migrations/index.ts';

export const OCTETS = { 'content-type': 'application/octet-stream' };
export const PATCH = { 'content-type': 'application/openstack-images-v2.1-json-patch', accept: 'application/json' };

/** CAIRN_TEST_ENGINES=postgres runs the suites on PostgreSQL. */
const ENGINE = process.env.CAIRN_TEST_ENGINES === 'postgres' ? 'postgres' : 'sqlite';

/** Lets fetches through to loopback, and to any port: web servers of tests have ports of chance. */
const LOOPBACK = { allowedSchemes: ['http', 'https'], allowedHosts: [], disallowedHosts: [], allowedNetworks: ['127.0.0.0/8'] };

export type CloudOptions = Partial<Omit<GlanceOptions, 'import'>> & {
  readonly import?: Partial<ImportOptions>;
  readonly outside?: GlanceOutside;
  readonly ports?: readonly number[];
};

/** Options of a glance whose files are in `folder` and that may fetch from these ports of loopback. */
export function testOptions(folder: string, given: CloudOptions = {}): GlanceOptions {
  const { outside: _, ports = [], ...rest } = given;
  return {
    ...defaultGlanceOptions,
    imagesDir: folder,
    ...rest,
    import: { ...defaultImportOptions, fetch: { ...LOOPBACK, allowedPorts: ports }, ...given.import },
  };
}

/** A glance with its sagas at work, and a front to ask it. */
export class Cloud {
  readonly world: World;
  readonly glance: GlanceService;
  readonly front: TestFront;
  readonly folder: string;

  private constructor(world: World, glance: GlanceService, front: TestFront, folder: string) {
    this.world = world;
    this.glance = glance;
    this.front = front;
    this.folder = folder;
  }

  static async start(given: CloudOptions = {}): Promise<Cloud> {
    const folder = mkdtempSync(join(tmpdir(), 'cairn-glance-'));
    const world = await testWorld({ engine: ENGINE, migrations: [glanceMigrations] });
    const glance = createGlance({ env: world.env, options: testOptions(folder, given), outside: { converter: simulatedConverter, ...given.outside } });
    world.sagas.register(glance.sagas, glance.sagaServices);
    await glance.start();
    await world.open();
    const front = await TestFront.start(world.env, [glance.http as HttpService]);
    front.as('other', testContext({ projectId: 'b0000000000000000000000000000002', userId: 'x' }));
    front.as('service', testContext({ projectId: 'b0000000000000000000000000000003', userId: 'nova', roles: ['service', 'member', 'reader'] }));
    return new Cloud(world, glance, front, folder);
  }

  async close(): Promise<void> {
    await this.front.close();
    await this.glance.stop();
    await this.world.close();
    rmSync(this.folder, { recursive: true });
  }

  call: TestFront['call'] = (...args) => this.front.call(...args);

  // answers are looked into by name
  async json(who: string, method: string, path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<any> {
    const answer = await this.front.call(who, method, `/image${path}`, body, { accept: 'application/json', ...headers });
    if (answer.status >= 400) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  async status(who: string, method: string, path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<number> {
    return (await this.front.call(who, method, `/image${path}`, body, { accept: 'application/json', ...headers })).status;
  }

  async make(body: object = {}, who = 'member'): Promise<string> {
    return (await this.json(who, 'POST', '/v2/images', { name: 'image', disk_format: 'raw', container_format: 'bare', ...body })).id;
  }

  /** An active image with this data. */
  async upload(data: Buffer, body: object = {}, headers: Readonly<Record<string, string>> = {}): Promise<string> {
    const id = await this.make(body);
    await this.json('member', 'PUT', `/v2/images/${id}/file`, data, { ...OCTETS, ...headers });
    return id;
  }

  image(id: string, who = 'member') {
    return this.json(who, 'GET', `/v2/images/${id}`);
  }

  /** The image's tasks, once all sagas are at rest. */
  async tasks(id: string) {
    await this.world.sagas.idle();
    return (await this.json('member', 'GET', `/v2/images/${id}/tasks`)).tasks;
  }

  async download(id: string, headers: Readonly<Record<string, string>> = {}, query = ''): Promise<{ status: number; data: Buffer; headers: Headers }> {
    const answer = await fetch(`${this.front.url}/image/v2/images/${id}/file${query}`, { headers: { 'x-auth-token': 'member', ...headers } });
    return { status: answer.status, data: Buffer.from(await answer.arrayBuffer()), headers: answer.headers };
  }

  /** Every file of the stores, the staging area and the cache. */
  files(): string[] {
    return readdirSync(this.folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(this.folder.length + 1))
      .toSorted();
  }
}

/** A web server on loopback. */
export async function webServer(listener: RequestListener): Promise<{ url: string; port: number; got: IncomingMessage[]; close(): void }> {
  const got: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    got.push(request);
    listener(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    got,
    url: `http://127.0.0.1:${port}`,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
