import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { buffer } from 'node:stream/consumers';
import type { SwiftBackupOptions } from '../options.ts';

/** As much of Swift's API as backups need, in memory: for tests of what is around the store. The store itself is tested against the real one (swift.ts). */
export class SmallSwift {
  readonly objects = new Map<string, Buffer>();
  readonly tokens: string[] = [];
  readonly #server: Server;
  /** What a request is answered instead, by its method and path. */
  refuse: (method: string, path: string) => number | undefined = () => undefined;

  private constructor() {
    this.#server = createServer(async (request, response) => {
      const url = new URL(request.url ?? '/', 'http://small');
      const path = decodeURIComponent(url.pathname);
      const body = await buffer(request);
      const refused = this.refuse(request.method ?? '', path);
      if (refused !== undefined) return void response.writeHead(refused).end();
      const token = request.headers['x-auth-token'];
      if (typeof token !== 'string') return void response.writeHead(401).end();
      if (!this.tokens.includes(token)) this.tokens.push(token);
      const found = this.objects.get(path);
      switch (request.method) {
        case 'PUT':
          this.objects.set(path, body);
          return void response.writeHead(201, { etag: createHash('md5').update(body).digest('hex') }).end();
        case 'DELETE':
          return void response.writeHead(this.objects.delete(path) ? 204 : 404).end();
        default: {
          if (!found) return void response.writeHead(404).end();
          if (path.split('/').length > 4) return void response.end(found);
          const [prefix, marker] = [url.searchParams.get('prefix') ?? '', url.searchParams.get('marker') ?? ''];
          const names = this.names(path).filter((name) => name.startsWith(prefix) && name > marker);
          return void response.setHeader('content-type', 'application/json').end(JSON.stringify(names.map((name) => ({ name }))));
        }
      }
    });
  }

  static async start(): Promise<SmallSwift> {
    const small = new SmallSwift();
    await new Promise<void>((resolve) => small.#server.listen(0, '127.0.0.1', resolve));
    return small;
  }

  /** Of the objects in a container, `/v1/AUTH_<project>/<container>`; of all without one, with their whole paths. */
  names(container?: string): string[] {
    const all = [...this.objects.keys()].toSorted();
    if (container === undefined) return all.filter((name) => name.split('/').length > 4);
    return all.filter((name) => name.startsWith(`${container}/`)).map((name) => name.slice(container.length + 1));
  }

  /** Options of a driver that keeps backups here, in the accounts of projects. */
  get options(): SwiftBackupOptions {
    const { port } = this.#server.address() as { port: number };
    return {
      driver: 'swift',
      container: 'volumebackups',
      createContainers: true,
      objectBytes: 64 * 2 ** 20,
      blockBytes: 65_536,
      compression: 'zstd',
      attempts: 2,
      backoffMs: 1,
      timeoutMs: 60_000,
      ca: undefined,
      storagePolicy: undefined,
      auth: { mode: 'per_user', url: `http://127.0.0.1:${port}/v1/AUTH_`, region: 'RegionOne' },
    };
  }

  async stop(): Promise<void> {
    await new Promise((resolve) => this.#server.close(resolve).closeAllConnections());
  }
}
