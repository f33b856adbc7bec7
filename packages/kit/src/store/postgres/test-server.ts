import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { accessSync, chownSync, constants, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Client } from 'pg';

const run = promisify(execFile);

/** The newest server that Debian's packages put on this machine, or undefined. */
export function postgresBinaries(): string | undefined {
  const root = '/usr/lib/postgresql';
  try {
    const versions = readdirSync(root).toSorted((a, b) => Number(b) - Number(a));
    return versions
      .map((version) => join(root, version, 'bin'))
      .find((directory) => executable(join(directory, 'initdb')) && executable(join(directory, 'postgres')));
  } catch {
    return undefined;
  }
}

function executable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** PostgreSQL refuses to run as root, so root lends it an account that owns nothing else here. */
function unprivileged(): Account | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const lines = readFileSync('/etc/passwd', 'utf8').split('\n');
  for (const name of ['postgres', 'nobody']) {
    const fields = lines.find((line) => line.startsWith(`${name}:`))?.split(':');
    if (fields) return { uid: Number(fields[2]), gid: Number(fields[3]) };
  }
  throw new Error('PostgreSQL cannot run as root, and there is neither a postgres nor a nobody account.');
}

/** A server for the tests of this process: unix socket only, nothing durable, gone with the process. */
export class TestServer {
  readonly directory: string;
  readonly #process: ChildProcess;
  readonly #bin: string;
  readonly #account: Account | undefined;
  #count = 0;

  private constructor(bin: string, directory: string, account: Account | undefined) {
    this.#bin = bin;
    this.directory = directory;
    this.#account = account;
    const settings = ['listen_addresses=', `unix_socket_directories=${directory}`, 'fsync=off', 'synchronous_commit=off', 'full_page_writes=off'];
    settings.push('shared_buffers=16MB', 'max_connections=60', 'autovacuum=off', 'jit=off', 'wal_level=minimal', 'max_wal_senders=0', 'logging_collector=off');
    const argv = this.#as('postgres', ['-D', join(directory, 'data'), ...settings.flatMap((setting) => ['-c', setting])]);
    this.#process = spawn(argv[0] as string, argv.slice(1), { stdio: 'ignore', cwd: directory });
    this.#process.unref();
    process.once('exit', () => this.#stop());
  }

  static async start(): Promise<TestServer> {
    const bin = postgresBinaries();
    if (!bin) throw new Error('No PostgreSQL server is installed below /usr/lib/postgresql.');
    const account = unprivileged();
    const directory = mkdtempSync('/tmp/cairn-pg-'); // not TMPDIR: a socket's path has a hundred characters at most
    if (account) chownSync(directory, account.uid, account.gid);
    const data = join(directory, 'data');
    mkdirSync(data, { mode: 0o700 });
    if (account) chownSync(data, account.uid, account.gid);
    const argv = ['-D', data, '-U', 'cairn', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync', '--no-instructions'];
    const [command, ...rest] = asAccount(account, join(bin, 'initdb'), argv) as [string, ...string[]];
    await run(command, rest, { cwd: directory });
    const server = new TestServer(bin, directory, account);
    await server.#ready();
    return server;
  }

  /** Makes an empty database and gives its name. */
  async create(): Promise<string> {
    this.#count += 1;
    const name = `test_${this.#count}`;
    await this.#admin(`create database ${name} template template0`);
    return name;
  }

  async drop(name: string): Promise<void> {
    await this.#admin(`drop database if exists ${name} with (force)`);
  }

  async #admin(text: string): Promise<void> {
    const client = new Client({ host: this.directory, user: 'cairn', database: 'postgres' });
    await client.connect();
    try {
      await client.query(text);
    } finally {
      await client.end();
    }
  }

  async #ready(): Promise<void> {
    for (let tries = 0; ; tries += 1) {
      try {
        await this.#admin('select 1');
        return;
      } catch (error) {
        if (tries >= 200 || this.#process.exitCode !== null) throw new Error('The PostgreSQL test server did not start.', { cause: error });
        await sleep(25);
      }
    }
  }

  /** On the process's way out, so without waiting: an immediate shutdown, and the directory away. */
  #stop(): void {
    const argv = this.#as('pg_ctl', ['stop', '-D', join(this.directory, 'data'), '-m', 'immediate', '-w', '-t', '10']);
    spawnSync(argv[0] as string, argv.slice(1), { stdio: 'ignore', cwd: '/' });
    rmSync(this.directory, { recursive: true, force: true });
  }

  #as(program: string, args: readonly string[]): readonly string[] {
    return asAccount(this.#account, join(this.#bin, program), args);
  }
}

/** setpriv ends the program with this process even when that is killed; the server takes SIGQUIT as "stop at once". */
function asAccount(account: Account | undefined, program: string, args: readonly string[]): readonly string[] {
  const identity = account ? [`--reuid=${account.uid}`, `--regid=${account.gid}`, '--clear-groups'] : [];
  return ['setpriv', '--pdeathsig=QUIT', ...identity, '--', program, ...args];
}
