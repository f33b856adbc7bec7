import { createHash } from 'node:crypto';
import { appendFile, mkdir, open, readdir, readFile, rename, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { unavailable } from '@cairn/kit/errors/errors';
import type { Logger } from '@cairn/kit/log/log';
import type { Clock } from '@cairn/kit/clock/clock';
import { killGroup, start } from '../../process/run.ts';
import type { DnsmasqPlan } from '../plan/dnsmasq.ts';
import type { Kernel } from './kernel.ts';

export interface DnsmasqUser {
  readonly user: string;
  readonly group: string;
}

/** What is on disk about a process that we started. */
interface ProcessRecord {
  readonly pid: number;
  /** In clock ticks since boot, as /proc tells: with the boot's id it tells this process from another of the same number. */
  readonly startTicks: string;
  readonly bootId: string;
  readonly argsDigest: string;
}

interface Kept {
  record: ProcessRecord | undefined;
  /** What the process was told, as on disk. */
  files: Readonly<Record<string, string>>;
  /** Address -> MAC of all reservations since the process started. It remembers leases, also of those that are gone. */
  promised: Map<string, string>;
}

const FILES = ['hosts', 'opts', 'addn'] as const;
const LOG_BYTES = 1024 * 1024;
const START_POLL_MS = 3;
const START_LIMIT_MS = 10_000;

/**
 * Keeps dnsmasq processes: each outlives this program, runs as an unprivileged user and is found again by
 * its record. Changed files are told by SIGHUP. Only what dnsmasq cannot read anew (arguments, and an address that was leased to another
 * MAC) takes a new process.
 */
export class DnsmasqKeeper {
  readonly #dir: string;
  #user: DnsmasqUser | undefined;
  readonly #kernel: Kernel;
  readonly #clock: Clock;
  /** Told when a process ends by itself. */
  readonly #onEnd: (key: string) => void;
  readonly #log: Logger;
  /** `null`: there is none, and nothing on disk. */
  readonly #kept = new Map<string, Kept | null>();
  #bootId: string | undefined;
  #reachable = false;
  #isReleased = false;

  constructor(options: {
    readonly dir: string;
    readonly user: DnsmasqUser | undefined;
    readonly kernel: Kernel;
    readonly clock: Clock;
    readonly log: Logger;
    readonly onEnd: (key: string) => void;
  }) {
    this.#onEnd = options.onEnd;
    this.#dir = options.dir;
    this.#user = options.user;
    this.#kernel = options.kernel;
    this.#clock = options.clock;
    this.#log = options.log;
  }

  /** The next `keep` and `stop` look at the disk and at /proc again. */
  distrust(): void {
    this.#kept.clear();
  }

  /** Processes go on; what happens to them is somebody else's affair from now on. */
  release(): void {
    this.#isReleased = true;
  }

  /** Keys of all that has files here. */
  async keys(): Promise<readonly string[]> {
    return await readdir(this.#dir).catch(() => []);
  }

  /** Sees to it that the process runs in the namespace with this plan, and knows its files. */
  async keep(key: string, netns: string, plan: DnsmasqPlan): Promise<void> {
    const kept = (this.#kept.get(key) ?? (await this.#read(key))) || { record: undefined, files: {}, promised: new Map<string, string>() };
    this.#kept.set(key, kept);
    this.#user ??= await dnsmasqUser();
    const argsDigest = createHash('sha256')
      .update(JSON.stringify([plan.args, this.#user]))
      .digest('hex');
    const alive = kept.record !== undefined && (await this.#isAlive(kept.record));
    const leasedToAnother = [...plan.reservations].some(([ip, mac]) => (kept.promised.get(ip) ?? mac) !== mac);
    if (alive && kept.record?.argsDigest === argsDigest && !leasedToAnother) await this.#tell(key, kept, plan, kept.record.pid);
    else await this.#start(key, netns, kept, plan, this.#user, argsDigest);
  }

  async stop(key: string): Promise<void> {
    if (this.#kept.get(key) === null) return;
    const kept = this.#kept.get(key) ?? (await this.#read(key));
    const record = kept?.record;
    if (kept) kept.record = undefined;
    if (record) await this.#kill(record);
    await rm(join(this.#dir, key), { recursive: true, force: true });
    this.#kept.set(key, null);
  }

  /** Forgets a key whose object is gone for good. */
  forget(key: string): void {
    this.#kept.delete(key);
  }

  async #tell(key: string, kept: Kept, plan: DnsmasqPlan, pid: number): Promise<void> {
    if (FILES.every((name) => kept.files[name] === plan.files[name])) return;
    await this.#promise(key, kept, plan);
    await this.#writeFiles(key, kept, plan);
    process.kill(pid, 'SIGHUP');
    this.#kernel.changes++;
    const log = join(this.#dir, key, 'log');
    if (((await stat(log).catch(() => undefined))?.size ?? 0) > LOG_BYTES) await truncate(log);
  }

  async #promise(key: string, kept: Kept, plan: DnsmasqPlan): Promise<void> {
    const fresh = [...plan.reservations].filter(([ip]) => !kept.promised.has(ip));
    if (fresh.length === 0) return;
    for (const [ip, mac] of fresh) kept.promised.set(ip, mac);
    await appendFile(join(this.#dir, key, 'promised'), fresh.map((pair) => `${pair.join(' ')}\n`).join(''));
  }

  async #writeFiles(key: string, kept: Kept, plan: DnsmasqPlan): Promise<void> {
    for (const name of FILES) if (kept.files[name] !== plan.files[name]) await replace(join(this.#dir, key, name), plan.files[name]);
    kept.files = plan.files;
  }

  async #start(key: string, netns: string, kept: Kept, plan: DnsmasqPlan, user: DnsmasqUser, argsDigest: string): Promise<void> {
    const old = kept.record;
    kept.record = undefined;
    if (old) await this.#kill(old);
    kept.files = {};
    kept.promised = new Map();
    const dir = join(this.#dir, key);
    await this.#makeReachable(user);
    await rm(dir, { recursive: true, force: true });
    await mkdir(dir, { recursive: true, mode: 0o755 });
    await this.#promise(key, kept, plan);
    await this.#writeFiles(key, kept, plan);
    const own = [
      `--dhcp-hostsfile=${join(dir, 'hosts')}`,
      `--dhcp-optsfile=${join(dir, 'opts')}`,
      `--addn-hosts=${join(dir, 'addn')}`,
      `--log-facility=${join(dir, 'log')}`,
    ];
    // It stays our child while we live, so that nobody has to collect it, and goes on when we end.
    this.#kernel.changes++;
    const errors = await open(join(dir, 'errors'), 'w');
    const child = start('dnsmasq', ['--keep-in-foreground', '--pid-file', ...plan.args, ...own, `--user=${user.user}`, `--group=${user.group}`], {
      netns,
      stdio: ['ignore', 'ignore', errors.fd],
    });
    let failure: string | undefined;
    child.on('error', (error) => (failure = error.message));
    child.on('exit', (code, signal) => {
      failure = `ended with ${signal ?? code}`;
      if (this.#kept.get(key)?.record?.pid !== child.pid || this.#isReleased) return;
      this.#log.warn({ key, code, signal }, 'a dnsmasq process ended');
      this.#onEnd(key);
    });
    child.unref();
    await errors.close();
    for (let waitedMs = 0; !(await hasStarted(join(dir, 'log'))); waitedMs += START_POLL_MS) {
      if (failure === undefined && waitedMs < START_LIMIT_MS) {
        await this.#clock.sleep(START_POLL_MS);
        continue;
      }
      killGroup(child.pid);
      const said = await readFile(join(dir, 'errors'), 'utf8').catch(() => '');
      throw unavailable('The DHCP server of a network does not start on this host.', { detail: { key, failure, said } });
    }
    const pid = child.pid ?? 0;
    const startTicks = await startTicksOf(pid);
    if (startTicks === undefined) throw unavailable('The DHCP server of a network ended right after its start.', { detail: { key } });
    kept.record = { pid, startTicks, bootId: await this.#boot(), argsDigest };
    await replace(join(dir, 'process.json'), JSON.stringify(kept.record));
  }

  async #kill(record: ProcessRecord): Promise<void> {
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      if (!(await this.#isAlive(record))) return;
      process.kill(record.pid, signal);
      this.#kernel.changes++;
      for (let waitedMs = 0; waitedMs < 1000; waitedMs += 5) {
        if (!(await this.#isAlive(record))) return;
        await this.#clock.sleep(5);
      }
    }
    this.#log.error({ pid: record.pid }, 'a dnsmasq process does not end');
  }

  async #isAlive(record: ProcessRecord): Promise<boolean> {
    return record.bootId === (await this.#boot()) && record.startTicks === (await startTicksOf(record.pid));
  }

  async #boot(): Promise<string> {
    return (this.#bootId ??= (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim());
  }

  async #read(key: string): Promise<Kept | null> {
    const dir = join(this.#dir, key);
    const text = async (name: string): Promise<string | undefined> => await readFile(join(dir, name), 'utf8').catch(() => undefined);
    const [json, promised, ...contents] = await Promise.all([text('process.json'), text('promised'), ...FILES.map(text)]);
    if (json === undefined && contents.every((content) => content === undefined)) return null;
    const pairs = (promised ?? '')
      .split('\n')
      .map((line) => line.split(' '))
      .filter((pair): pair is [string, string] => pair.length === 2);
    return { record: readRecord(json), files: Object.fromEntries(FILES.map((name, i) => [name, contents[i] ?? ''])), promised: new Map(pairs) };
  }

  /** dnsmasq reads its files as its own user, so every directory above must let it pass. */
  async #makeReachable({ user }: DnsmasqUser): Promise<void> {
    if (this.#reachable) return;
    await mkdir(this.#dir, { recursive: true, mode: 0o755 });
    for (let dir = this.#dir; dir !== '/'; dir = dirname(dir)) {
      const { mode } = await stat(dir);
      if (user !== 'root' && (mode & 0o001) === 0) {
        throw unavailable(`The DHCP server runs as the user ${user} and cannot reach its files: ${dir} is closed to others. Open it with: chmod o+x ${dir}`, {
          detail: { mode: mode.toString(8) },
        });
      }
    }
    this.#reachable = true;
  }
}

function readRecord(json: string | undefined): ProcessRecord | undefined {
  try {
    const record = JSON.parse(json ?? 'null') as Partial<ProcessRecord> | null;
    const { pid, startTicks, bootId, argsDigest } = record ?? {};
    if (pid === undefined || !Number.isInteger(pid) || pid <= 1 || startTicks === undefined || bootId === undefined || argsDigest === undefined)
      return undefined;
    return { pid, startTicks, bootId, argsDigest };
  } catch {
    return undefined;
  }
}

/** It writes this line once its sockets are open and root is given up. */
const hasStarted = async (log: string): Promise<boolean> => (await readFile(log, 'utf8').catch(() => '')).includes(': started, version');

async function replace(path: string, content: string): Promise<void> {
  await writeFile(`${path}.new`, content, { mode: 0o644 });
  await rename(`${path}.new`, path);
}

/** Field 22 of /proc/PID/stat; undefined when there is no such process or it is dead and only not yet collected. */
async function startTicksOf(pid: number): Promise<string | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // The second field is the program's name in brackets and may hold anything.
  const [state, ...fields] = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return state === '' || state === 'Z' ? undefined : fields[18];
}

/** The user that Debian's dnsmasq package makes for it, or nobody. */
async function dnsmasqUser(): Promise<DnsmasqUser> {
  const table = async (path: string): Promise<readonly (readonly string[])[]> =>
    (await readFile(path, 'utf8').catch(() => '')).split('\n').map((line) => line.split(':'));
  const [users, groups] = await Promise.all([table('/etc/passwd'), table('/etc/group')]);
  const entry = users.find(([name]) => name === 'dnsmasq') ?? users.find(([name]) => name === 'nobody');
  const group = groups.find(([, , gid]) => gid === entry?.[3]);
  return { user: entry?.[0] ?? 'nobody', group: group?.[0] ?? 'nogroup' };
}
