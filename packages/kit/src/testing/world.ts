import type { Bus } from '../bus/bus.ts';
import { type Clock, systemClock } from '../clock/clock.ts';
import type { Context } from '../context/context.ts';
import type { Env } from '../env.ts';
import { eventMigrations } from '../events/migrations.ts';
import { Outbox } from '../events/outbox.ts';
import { HttpServer, type HttpServerOptions } from '../http/server.ts';
import type { HttpService } from '../http/service.ts';
import { type Ids, systemIds } from '../ids/ids.ts';
import { type Logger, silentLog } from '../log/log.ts';
import type { CrashHooks } from '../saga/crash-suite.ts';
import { SagaEngine } from '../saga/engine.ts';
import { sagaMigrations } from '../saga/migrations.ts';
import type { EngineName, MigrationSet, Store } from '../store/store.ts';
import { testStore } from '../store/testing.ts';
import { reviewAnswer } from './answers.ts';

export interface WorldOptions {
  readonly engine?: EngineName;
  readonly clock?: Clock;
  readonly ids?: Ids;
  readonly log?: Logger;
  /** Migrations of the services under test. */
  readonly migrations?: readonly MigrationSet[];
  /** An existing store, for a world that comes after a crash. It is not migrated again. */
  readonly store?: Store;
  /** Of `crashSuite`: faults for the saga engine. */
  readonly hooks?: CrashHooks;
}

/** An Env for tests with a fresh store; `close` ends all of it. */
export interface World {
  readonly env: Env;
  readonly sagas: SagaEngine;
  readonly events: Outbox;
  /** Begins to run sagas and to hand out events. */
  open(): Promise<void>;
  close(): Promise<void>;
}

/** Makes the Env. Register sagas, then `await world.open()`. */
export async function testWorld(options: WorldOptions = {}): Promise<World> {
  const store = options.store ?? (await testStore(options.engine));
  const clock = options.clock ?? systemClock;
  const ids = options.ids ?? systemIds;
  const log = options.log ?? silentLog;
  if (!options.store) await store.migrate([sagaMigrations, eventMigrations, ...(options.migrations ?? [])]);
  const sagas = new SagaEngine({ store, clock, ids, log, exclusive: true, ...options.hooks });
  const events = new Outbox({ store, clock, ids, log, exclusive: true });
  const env: Env = { clock, ids, log, store, sagas, events, bus: deafBus };
  return {
    env,
    sagas,
    events,
    async open() {
      await sagas.open();
      await events.open();
    },
    async close() {
      await sagas.close();
      await events.close();
      if (!options.store) await store.close();
    },
  };
}

/** A bus for single-process tests: nobody else is there. */
const deafBus: Bus = {
  serve: async () => ({ stop: async () => {} }),
  call: async (host) => {
    throw new Error(`test bus: no host ${host}`);
  },
  publish: () => {},
  listen: () => () => {},
  close: async () => {},
};

/** A caller for tests: member and reader of project `p1` unless said otherwise. */
export function testContext(over: Partial<Context> = {}): Context {
  return {
    requestId: 'req-00000000-0000-4000-8000-000000000000',
    userId: 'a0000000000000000000000000000001',
    userName: 'tester',
    userDomainId: 'default',
    userDomainName: 'Default',
    projectId: 'b0000000000000000000000000000001',
    projectName: 'demo',
    projectDomainId: 'default',
    projectDomainName: 'Default',
    roles: ['member', 'reader'],
    methods: ['password'],
    isAdminProject: false,
    expiresAtMs: Number.MAX_SAFE_INTEGER,
    ...over,
  };
}

/** The admin for tests, in a project of its own. */
export const testAdmin = (over: Partial<Context> = {}): Context =>
  testContext({
    userId: 'a00000000000000000000000000000ad',
    userName: 'admin',
    projectId: 'b00000000000000000000000000000ad',
    projectName: 'admin',
    roles: ['admin', 'manager', 'member', 'reader'],
    ...over,
  });

export interface TestAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** Parsed JSON, or the text. */
  // tests look into any answer
  readonly body: any;
}

/** Services over real HTTP on loopback, with callers given by name instead of tokens. */
export class TestFront {
  readonly server: HttpServer;
  readonly #contexts = new Map<string, Context>();
  #url = '';

  private constructor(server: HttpServer) {
    this.server = server;
  }

  static async start(env: Env, services: readonly HttpService[], more: Partial<HttpServerOptions> = {}): Promise<TestFront> {
    const contexts = new Map<string, Context>();
    const server = new HttpServer({
      services,
      authenticate: async (token, requestId) => {
        const ctx = contexts.get(token);
        return ctx && { ...ctx, requestId };
      },
      identityUrl: 'http://127.0.0.1/identity',
      clock: env.clock,
      log: env.log,
      ids: env.ids,
      review: reviewAnswer,
      ...more,
    });
    const front = new TestFront(server);
    front.#url = `http://127.0.0.1:${await server.listen('127.0.0.1', 0)}`;
    front.as('member', testContext());
    front.as('admin', testAdmin());
    for (const [name, ctx] of front.#contexts) contexts.set(name, ctx);
    front.#onAs = (name, ctx) => contexts.set(name, ctx);
    return front;
  }

  #onAs: (name: string, ctx: Context) => void = () => {};

  get url(): string {
    return this.#url;
  }

  /** Names a caller; `member` and `admin` are there already. */
  as(name: string, ctx: Context): void {
    this.#contexts.set(name, ctx);
    this.#onAs(name, ctx);
  }

  /** `call('member', 'POST', '/compute/v2.1/servers', {...})`. `undefined` as caller sends no token. */
  async call(who: string | undefined, method: string, path: string, body?: unknown, headers: Readonly<Record<string, string>> = {}): Promise<TestAnswer> {
    const raw = typeof body === 'string' || Buffer.isBuffer(body);
    const response = await fetch(this.#url + path, {
      method,
      headers: { ...(who !== undefined && { 'x-auth-token': who }), ...(body !== undefined && !raw && { 'content-type': 'application/json' }), ...headers },
      ...(body !== undefined && { body: raw ? (body as string) : JSON.stringify(body) }),
      redirect: 'manual',
    });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body: (response.headers.get('content-type') ?? '').includes('json') && text !== '' ? JSON.parse(text) : text,
    };
  }

  close(): Promise<void> {
    return this.server.close();
  }
}
