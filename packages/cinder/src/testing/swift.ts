import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { freePort } from '@cairn/kit/testing/free-port';

const run = promisify(execFile);
const PROGRAMS = ['swift-proxy-server', 'swift-account-server', 'swift-container-server', 'swift-object-server', 'swift-ring-builder', 'memcached'];

/** Why tests against a real Swift cannot run here; undefined where they can. With CAIRN_TEST_SWIFT=require a missing one is an error. */
export function swiftMissing(): string | undefined {
  const missing = PROGRAMS.filter((program) => !existsSync(`/usr/bin/${program}`));
  if (missing.length === 0) return undefined;
  const text = `Swift is not installed: no ${missing.join(', ')} (apt-get install --no-install-recommends swift-proxy swift-account swift-container swift-object memcached)`;
  if (process.env.CAIRN_TEST_SWIFT === 'require') throw new Error(text);
  return text;
}

export const SWIFT_USER = 'test:tester';
export const SWIFT_KEY = 'testing-secret';

/**
 * Debian's Swift with one node on loopback: its own authentication (version 1), and its S3 API, whose access key is the user. Files are below a
 * directory of the test's, on a file system with extended attributes. Gone with `stop`, or with the process.
 */
export class Swift {
  /** Of the proxy. */
  readonly url: string;
  readonly #folder: string;
  readonly #processes: ChildProcess[] = [];
  readonly #onExit: () => void;

  private constructor(folder: string, port: number) {
    this.#folder = folder;
    this.url = `http://127.0.0.1:${port}`;
    this.#onExit = () => this.#kill();
    process.once('exit', this.#onExit);
  }

  get authUrl(): string {
    return `${this.url}/auth/v1.0`;
  }

  /** Ports that were free when they were looked for may be taken when they are used: then it begins anew with others. */
  static async start(): Promise<Swift> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await Swift.#startOnce();
      } catch (error) {
        if (attempt === 3 || !/Address already in use|EADDRINUSE/.test(String(error))) throw error;
      }
    }
  }

  static async #startOnce(): Promise<Swift> {
    const folder = mkdtempSync(join(tmpdir(), 'cairn-swift-'));
    const etc = join(folder, 'etc');
    mkdirSync(join(folder, 'node', 'd1'), { recursive: true });
    mkdirSync(etc);
    const [proxy, memcached] = [await freePort(), await freePort()];
    writeFileSync(join(etc, 'swift.conf'), '[swift-hash]\nswift_hash_path_suffix = cairn\n');
    writeFileSync(join(etc, 'proxy.conf'), proxyConfiguration(etc, proxy, memcached));
    const swift = new Swift(folder, proxy);
    try {
      swift.#spawn('memcached', ['-p', String(memcached), '-l', '127.0.0.1', '-U', '0', '-u', 'root']);
      for (const kind of ['account', 'container', 'object'] as const) {
        const port = await freePort();
        writeFileSync(join(etc, `${kind}.conf`), serverConfiguration(folder, kind, port));
        const ring = join(etc, `${kind}.builder`);
        for (const args of [['create', '4', '1', '1'], ['add', `r1z1-127.0.0.1:${port}/d1`, '1'], ['rebalance']])
          await run('swift-ring-builder', [ring, ...args]).catch((error: { code?: number }) => {
            // 1 is a warning
            if (error.code !== 1) throw error;
          });
        swift.#spawn(`swift-${kind}-server`, [join(etc, `${kind}.conf`)]);
      }
      swift.#spawn('swift-proxy-server', [join(etc, 'proxy.conf')]);
      await swift.#ready();
      return swift;
    } catch (error) {
      await swift.stop();
      throw error;
    }
  }

  #spawn(program: string, args: readonly string[]): void {
    const log = join(this.#folder, `${program}.log`);
    const child = spawn('/bin/sh', ['-c', 'exec "$0" "$@" >>"$LOG" 2>&1', program, ...args], {
      env: { ...process.env, SWIFT_DIR: join(this.#folder, 'etc'), LOG: log },
      stdio: 'ignore',
    });
    this.#processes.push(child);
  }

  /** Until all servers answer: an account is made, and listed. */
  async #ready(): Promise<void> {
    const endMs = Date.now() + 900_000;
    for (;;) {
      if (this.#processes.some((child) => child.exitCode !== null) || Date.now() > endMs) throw new Error(`Swift did not start:\n${this.#logs()}`);
      const code = await this.raw('PUT', '/ready').catch(() => 0);
      if (code >= 200 && code < 300) return;
      await sleep(200);
    }
  }

  /** A call in the test's own account, past the code under test. Returns the status. */
  async raw(method: string, path: string, body?: Buffer): Promise<number> {
    const auth = await fetch(this.authUrl, { headers: { 'x-auth-user': SWIFT_USER, 'x-auth-key': SWIFT_KEY }, signal: AbortSignal.timeout(30_000) });
    const [url, token] = [auth.headers.get('x-storage-url'), auth.headers.get('x-auth-token')];
    if (!url || !token) return auth.status;
    const answer = await fetch(url + path, {
      method,
      headers: { 'x-auth-token': token },
      ...(body && { body: new Uint8Array(body) }),
      signal: AbortSignal.timeout(30_000),
    });
    await answer.arrayBuffer();
    return answer.status;
  }

  #logs(): string {
    return this.#processes
      .map(({ spawnargs }) => spawnargs[3] ?? '')
      .map((name) => `${name}: ${logOf(join(this.#folder, `${name}.log`))}`)
      .join('\n');
  }

  #kill(): void {
    for (const child of this.#processes) child.kill('SIGKILL');
  }

  async stop(): Promise<void> {
    process.removeListener('exit', this.#onExit);
    const gone = this.#processes.map((child) =>
      child.exitCode !== null || child.signalCode !== null ? undefined : new Promise((resolve) => child.once('exit', resolve)),
    );
    this.#kill();
    await Promise.all(gone);
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

const logOf = (file: string): string => (existsSync(file) ? readFileSync(file, 'utf8').slice(-2_000) : '');

const common = (etc: string, port: number): string[] => [
  '[DEFAULT]',
  'bind_ip = 127.0.0.1',
  `bind_port = ${port}`,
  `user = ${process.getuid?.() === 0 ? 'root' : (process.env.USER ?? 'root')}`,
  `swift_dir = ${etc}`,
  'workers = 0',
  'log_level = WARNING',
];

const serverConfiguration = (folder: string, kind: string, port: number): string =>
  [
    ...common(join(folder, 'etc'), port),
    `devices = ${join(folder, 'node')}`,
    'mount_check = false',
    '[pipeline:main]',
    `pipeline = ${kind}-server`,
    `[app:${kind}-server]`,
    `use = egg:swift#${kind}`,
    '',
  ].join('\n');

function proxyConfiguration(etc: string, port: number, memcached: number): string {
  const [account, name] = SWIFT_USER.split(':');
  return [
    ...common(etc, port),
    '[pipeline:main]',
    'pipeline = catch_errors cache s3api tempauth copy slo dlo proxy-server',
    '[app:proxy-server]',
    'use = egg:swift#proxy',
    'account_autocreate = true',
    '[filter:catch_errors]',
    'use = egg:swift#catch_errors',
    '[filter:cache]',
    'use = egg:swift#memcache',
    `memcache_servers = 127.0.0.1:${memcached}`,
    '[filter:s3api]',
    'use = egg:swift#s3api',
    '[filter:tempauth]',
    'use = egg:swift#tempauth',
    `user_${account}_${name} = ${SWIFT_KEY} .admin`,
    '[filter:copy]',
    'use = egg:swift#copy',
    '[filter:slo]',
    'use = egg:swift#slo',
    '[filter:dlo]',
    'use = egg:swift#dlo',
    '',
  ].join('\n');
}
