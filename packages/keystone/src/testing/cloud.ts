import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '@cairn/kit/clock/clock';
import { HttpServer } from '@cairn/kit/http/server';
import type { Logger } from '@cairn/kit/log/log';
import type { EngineName } from '@cairn/kit/store/store';
import { reviewAnswer } from '@cairn/kit/testing/answers';
import { testWorld, type World } from '@cairn/kit/testing/world';
import type { Bootstrapped } from '../bootstrap.ts';
import type { KeystoneOptions } from '../options.ts';
import { createKeystone, type Keystone, migrations } from '../service.ts';

export const ADMIN_PASSWORD = 'adminpass';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // tests look into any answer
  readonly body: any;
}

/** A keystone of its own, bootstrapped, over real HTTP with real tokens. */
export class TestCloud {
  readonly world: World;
  readonly keystone: Keystone;
  readonly ids: Bootstrapped;
  readonly server: HttpServer;
  readonly url: string;
  readonly dataDir: string;

  private constructor(parts: { world: World; keystone: Keystone; ids: Bootstrapped; server: HttpServer; url: string; dataDir: string }) {
    this.world = parts.world;
    this.keystone = parts.keystone;
    this.ids = parts.ids;
    this.server = parts.server;
    this.url = parts.url;
    this.dataDir = parts.dataDir;
  }

  static async start(
    options: {
      readonly engine?: EngineName;
      readonly clock?: Clock;
      readonly keystone?: Partial<KeystoneOptions>;
      readonly port?: number;
      readonly log?: Logger;
    } = {},
  ): Promise<TestCloud> {
    const dataDir = mkdtempSync(join(tmpdir(), 'cairn-keystone-'));
    const world = await testWorld({
      migrations: [migrations],
      ...(options.engine && { engine: options.engine }),
      ...(options.clock && { clock: options.clock }),
      ...(options.log && { log: options.log }),
    });
    const keystone = createKeystone(world.env, { dataDir, bcryptCost: 4, ...options.keystone });
    const ids = await keystone.bootstrap({
      adminPassword: ADMIN_PASSWORD,
      endpoints: [
        { name: 'keystone', type: 'identity', urls: { public: 'http://cloud/identity', internal: 'http://cloud/identity', admin: 'http://cloud/identity' } },
        { name: 'swift', type: 'object-store', urls: { public: 'http://cloud/v1/AUTH_$(project_id)s' } },
      ],
    });
    const server = new HttpServer({
      services: [keystone.http],
      authenticate: (token, requestId) => keystone.face.authenticate(token, requestId),
      identityUrl: 'http://cloud/identity',
      clock: world.env.clock,
      log: world.env.log,
      ids: world.env.ids,
      review: reviewAnswer,
    });
    const port = await server.listen('127.0.0.1', options.port ?? 0);
    return new TestCloud({ world, keystone, ids, server, url: `http://127.0.0.1:${port}/identity`, dataDir });
  }

  /** `call(token, 'GET', '/v3/users')`; no token when undefined. */
  async call(token: string | undefined, method: string, path: string, body?: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    const response = await fetch(this.url + path, {
      method,
      headers: { ...(token !== undefined && { 'x-auth-token': token }), ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      redirect: 'manual',
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: text === '' ? undefined : JSON.parse(text) };
  }

  /** Fails unless the status is the expected one. */
  async expect(
    status: number,
    token: string | undefined,
    method: string,
    path: string,
    body?: unknown,
    headers?: Readonly<Record<string, string>>,
  ): Promise<Answer> {
    const answer = await this.call(token, method, path, body, headers);
    if (answer.status !== status) throw new Error(`${method} ${path}: ${answer.status} instead of ${status}: ${JSON.stringify(answer.body)}`);
    return answer;
  }

  login(user: object, scope?: unknown): Promise<Answer> {
    return this.call(undefined, 'POST', '/v3/auth/tokens', {
      auth: { identity: { methods: ['password'], password: { user } }, ...(scope !== undefined && { scope }) },
    });
  }

  async tokenOf(user: object, scope?: unknown): Promise<string> {
    const answer = await this.login(user, scope);
    if (answer.status !== 201) throw new Error(`login: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.headers.get('x-subject-token') ?? '';
  }

  /** A token of the admin on project `admin`. */
  admin(): Promise<string> {
    return this.tokenOf({ name: 'admin', domain: { id: 'default' }, password: ADMIN_PASSWORD }, { project: { id: this.ids.adminProjectId } });
  }

  /** A user with a role on a project of their own, and a token for it. */
  async person(admin: string, name: string, role = 'member'): Promise<{ userId: string; projectId: string; password: string; token: string }> {
    const password = `secret-${name}`;
    const project = await this.expect(201, admin, 'POST', '/v3/projects', { project: { name: `project-${name}` } });
    const user = await this.expect(201, admin, 'POST', '/v3/users', { user: { name, password } });
    const userId: string = user.body.user.id;
    const projectId: string = project.body.project.id;
    await this.expect(204, admin, 'PUT', `/v3/projects/${projectId}/users/${userId}/roles/${this.ids.roleIds[role]}`);
    return { userId, projectId, password, token: await this.tokenOf({ id: userId, password }, { project: { id: projectId } }) };
  }

  async close(): Promise<void> {
    await this.server.close();
    await this.keystone.close();
    await this.world.close();
    rmSync(this.dataDir, { recursive: true, force: true });
  }
}
