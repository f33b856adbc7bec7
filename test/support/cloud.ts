import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TestServer } from '@cairn/kit/store/postgres/test-server';
import type { EngineName } from '@cairn/kit/store/store';
import type { CommonFlags } from '../../packages/cairn/src/config.ts';

const main = join(import.meta.dirname, 'cloud.child.ts');

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // tests look into any answer
  readonly body: any;
}

export interface TestCloudOptions {
  /** Number of simulated hosts; 1 by default. */
  readonly hosts?: number;
  readonly engine?: EngineName;
  /** Options of the configuration, as CAIRN_* variables. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Options that no variable can hold, as in the configuration file. */
  readonly config?: object;
  /** Where it listens on 127.0.0.1; at any free port when absent. */
  readonly port?: number;
}

/** A token is good for an hour. */
const RENEW_MS = 20 * 60_000;

/** A whole cloud on simulated hosts, in a process and a directory of its own, reached over HTTP as any client does. */
export class TestCloud {
  url = '';
  readonly data = mkdtempSync(join(tmpdir(), 'cairn-cloud-'));
  readonly #options: TestCloudOptions;
  readonly #database: EmptyDatabase | undefined;
  #child: ChildProcess | undefined;
  /** Resolves when that has ended, by itself or not. */
  #gone: Promise<unknown> | undefined;
  #token = '';
  #tokenAtMs = 0;

  private constructor(options: TestCloudOptions, database: EmptyDatabase | undefined) {
    this.#options = options;
    this.#database = database;
  }

  static async start(options: TestCloudOptions = {}): Promise<TestCloud> {
    const cloud = new TestCloud(options, options.engine === 'postgres' ? await emptyDatabase() : undefined);
    await cloud.#run();
    await cloud.#signIn();
    return cloud;
  }

  /** The administrator's token; long walks outlive more than one. */
  async #signIn(): Promise<void> {
    const { adminPassword } = JSON.parse(readFileSync(join(this.data, 'secrets.json'), 'utf8')) as { adminPassword: string };
    this.#token = await this.login('admin', adminPassword, 'admin');
    this.#tokenAtMs = Date.now();
  }

  /** Ends the cloud's process with SIGKILL, and starts it again on what it left, after `meanwhile`. */
  async crash(meanwhile: () => void = () => {}): Promise<void> {
    this.#child?.kill('SIGKILL');
    await this.#gone;
    meanwhile();
    await this.#run();
  }

  async #run(): Promise<void> {
    const { hosts = 1, port = 0, config } = this.#options;
    const file = join(this.data, 'test-config.yaml');
    if (config !== undefined) writeFileSync(file, JSON.stringify(config));
    const flags: CommonFlags = {
      data: this.data,
      hypervisor: 'simulated',
      hosts: String(hosts),
      listen: `127.0.0.1:${port}`,
      ...(config !== undefined && { config: file }),
    };
    const child = spawn(process.execPath, [main, JSON.stringify(flags)], {
      stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
      env: { ...process.env, CAIRN_IDENTITY_BCRYPT_ROUNDS: '4', CAIRN_LOG_LEVEL: 'debug', ...this.#database?.environment, ...this.#options.environment },
    });
    this.#child = child;
    this.#gone = new Promise((resolve) => child.once('exit', resolve));
    let words = '';
    child.stderr?.on('data', (chunk: Buffer) => {
      words = (words + chunk.toString()).slice(-4_000);
    });
    this.url = await new Promise<string>((resolve, reject) => {
      child.on('message', (message: { kind: string; url?: string; text?: string }) => {
        if (message.kind === 'ready') resolve(message.url as string);
        if (message.kind === 'failed') reject(new Error(message.text));
      });
      child.once('exit', (code) => reject(new Error(`the cloud ended with ${code}: ${words}`)));
    });
  }

  async login(user: string, password: string, project: string): Promise<string> {
    const answer = await this.call(
      'POST',
      '/identity/v3/auth/tokens',
      {
        auth: {
          identity: { methods: ['password'], password: { user: { name: user, domain: { id: 'default' }, password } } },
          scope: { project: { name: project, domain: { id: 'default' } } },
        },
      },
      { token: '' },
    );
    const token = answer.headers.get('x-subject-token');
    if (!token) throw new Error(`login of ${user}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return token;
  }

  /** One request, as the admin unless another token is given. Rejects when no answer comes within a minute. */
  async call(
    method: string,
    path: string,
    body?: unknown,
    options: { readonly token?: string; readonly headers?: Readonly<Record<string, string>> } = {},
  ): Promise<Answer> {
    if (options.token === undefined && Date.now() - this.#tokenAtMs > RENEW_MS) await this.#signIn();
    const token = options.token ?? this.#token;
    const raw = typeof body === 'string' || body instanceof Uint8Array;
    const response = await fetch(this.url + path, {
      method,
      headers: { ...(token && { 'x-auth-token': token }), ...(body !== undefined && !raw && { 'content-type': 'application/json' }), ...options.headers },
      ...(body !== undefined && { body: raw ? (body as string) : JSON.stringify(body) }),
      redirect: 'manual',
      signal: AbortSignal.timeout(60_000),
    });
    const text = await response.text();
    const isJson = (response.headers.get('content-type') ?? '').includes('json') && text !== '';
    return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
  }

  /** The same, rejecting what is not a success. */
  async ok(method: string, path: string, body?: unknown, options: Parameters<TestCloud['call']>[3] = {}): Promise<Answer['body']> {
    const answer = await this.call(method, path, body, options);
    if (answer.status >= 400) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  /** Polls until `done` holds. */
  async until(what: string, done: () => Promise<boolean>, limitMs = Number(process.env.CAIRN_TEST_WAIT_MS ?? 60_000)): Promise<void> {
    const endMs = Date.now() + limitMs;
    while (!(await done())) {
      if (Date.now() > endMs) throw new Error(`${what}: not within ${limitMs} ms`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  async stop(): Promise<void> {
    this.#child?.kill('SIGTERM');
    await this.#gone;
    await this.#database?.drop();
    rmSync(this.data, { recursive: true, force: true });
  }
}

interface EmptyDatabase {
  readonly environment: Readonly<Record<string, string>>;
  drop(): Promise<void>;
}

let server: Promise<TestServer> | undefined;

/** A database of its own on a PostgreSQL server that starts once per test process, and the settings that lead a cloud to it. */
async function emptyDatabase(): Promise<EmptyDatabase> {
  server ??= TestServer.start();
  const running = await server;
  const name = await running.create();
  const url = `postgres://cairn@/${name}?host=${encodeURIComponent(running.directory)}`;
  return { environment: { CAIRN_STORE_ENGINE: 'postgres', CAIRN_STORE_URL: url }, drop: () => running.drop(name) };
}
