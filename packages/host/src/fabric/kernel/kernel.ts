import { openSync, readFileSync, readlinkSync } from 'node:fs';
import { mkdir, rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { netnsPath } from '../../process/command.ts';
import { run, type RunOptions } from '../../process/run.ts';
import type { KernelRules } from '../ruleset/model.ts';
import { readRules } from '../ruleset/read.ts';
import { type KernelLinks, type KernelRoutes, readLinks, readRoutes, type KernelFloods, readFloods, readNeighbours, readProxies } from './links.ts';

/** Processes at a time; the machine has other work too. */
const MAX_PROCESSES = 6;
const MAX_OUTPUT_BYTES = 256 * 1024 * 1024;
/** NSFS_MAGIC of linux/magic.h: the file system of namespaces. */
const NSFS = 0x6e73_6673;

/**
 * A named namespace is a mount, and mounts belong to a mount namespace: `ip netns exec`, unshare and systemd units with private mounts
 * have their own, and what is mounted there is gone with the last process in it, guests' networks too. So names are made where the
 * farthest ancestor of this process sees them that may be looked at (at best the machine's first process); from there they spread.
 * Found once, at the start, while the ancestors are there. Undefined where they see what this process sees.
 */
function findFirstMounts(): string | undefined {
  let found: { readonly pid: number; readonly mounts: string } | undefined;
  for (let pid = process.pid; pid > 0; ) {
    try {
      found = { pid, mounts: readlinkSync(`/proc/${pid}/ns/mnt`) };
    } catch {
      // another user's, or protected: a nearer one serves
    }
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      pid = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
    } catch {
      break;
    }
  }
  if (!found || found.mounts === readlinkSync('/proc/self/ns/mnt')) return undefined;
  // held open: the ancestor may go
  return `/proc/${process.pid}/fd/${openSync(`/proc/${found.pid}/ns/mnt`, 'r')}`;
}

const firstMounts = process.platform === 'linux' ? findFirstMounts() : undefined;

const inFirstMounts = (command: string, args: readonly string[]): [string, readonly string[]] =>
  firstMounts === undefined ? [command, args] : ['nsenter', [`--mount=${firstMounts}`, '--', command, ...args]];

/**
 * The kernel's network as the fabric speaks to it: few processes, each with many commands. A namespace is named, and undefined is the
 * one in which this process runs.
 */
export class Kernel {
  /** Processes that changed something; a repeated apply shall not raise it. */
  changes = 0;
  readonly #gate = new Gate(MAX_PROCESSES);
  readonly #scratchDir: string;
  #scratchFiles = 0;

  constructor(scratchDir: string) {
    this.#scratchDir = scratchDir;
  }

  /** Runs `ip` commands, in order; the first that fails ends it. */
  async ip(netns: string | undefined, commands: readonly string[]): Promise<void> {
    if (commands.length) await this.#change('ip', [...inNamespace(netns), '-batch', '-'], { input: commands.map((line) => `${line}\n`).join('') });
  }

  /** Runs `ip` commands, all of them, and gives those that failed. */
  async ipTolerant(netns: string, commands: readonly string[]): Promise<readonly string[]> {
    if (commands.length === 0) return [];
    this.changes++;
    const { stderr } = await this.#run('ip', ['-n', netns, '-force', '-batch', '-'], { input: commands.map((line) => `${line}\n`).join(''), okCodes: [1] });
    return [...stderr.matchAll(/^Command failed -:(\d+)/gm)].map(([, line]) => commands[Number(line) - 1] ?? '');
  }

  /** Runs `bridge` commands, all of them: one that finds its work done already is no failure. */
  async bridge(netns: string, commands: readonly string[]): Promise<void> {
    if (commands.length === 0) return;
    await this.#change('bridge', ['-n', netns, '-force', '-batch', '-'], { input: commands.map((line) => `${line}\n`).join(''), okCodes: [1, 255] });
  }

  /** Where the tunnels of a namespace send frames whose receiver is not known. */
  async floods(netns: string): Promise<KernelFloods> {
    return readFloods((await this.#run('bridge', ['-n', netns, '-j', 'fdb', 'show'])).stdout);
  }

  /** Deletes links, if they are still there. */
  async deleteLinks(netns: string, names: readonly string[]): Promise<void> {
    if (names.length)
      await this.#change('ip', ['-n', netns, '-force', '-batch', '-'], { input: names.map((name) => `link delete dev ${name}\n`).join(''), okCodes: [1] });
  }

  /** Loads an nft script as one transaction. */
  async nft(netns: string, script: string): Promise<void> {
    if (script !== '') await this.#change('nft', ['-f', '-'], { netns, input: script });
  }

  /** Runs `conntrack` commands (`-D -d 10.0.0.1`). That one finds nothing is no failure. */
  async conntrack(netns: string, commands: readonly string[]): Promise<void> {
    if (commands.length === 0) return;
    // It opens its input by path, which a socket (Node's pipe) does not allow.
    await mkdir(this.#scratchDir, { recursive: true, mode: 0o755 });
    const path = join(this.#scratchDir, `conntrack-${this.#scratchFiles++}`);
    try {
      await writeFile(path, commands.map((line) => `${line}\n`).join(''));
      await this.#change('conntrack', ['-R', path], { netns });
    } finally {
      await rm(path, { force: true });
    }
  }

  /** Sets `key=value`s; keys that this kernel lacks are passed over. */
  async sysctl(netns: string, settings: readonly string[]): Promise<void> {
    if (settings.length) await this.#change('sysctl', ['-eqw', ...settings], { netns });
  }

  async addNamespace(netns: string): Promise<void> {
    if (!(await this.namespaceExists(netns))) await rm(netnsPath(netns), { force: true });
    await this.#change(...inFirstMounts('ip', ['netns', 'add', netns]));
  }

  async deleteNamespace(netns: string): Promise<void> {
    await this.#change(...inFirstMounts('ip', ['netns', 'delete', netns]));
  }

  /** True for a name that stands for a namespace, not for a file that one has left (it is mounted on it, and mounts go with a boot). */
  async namespaceExists(netns: string): Promise<boolean> {
    return await statfs(netnsPath(netns)).then(
      ({ type }) => type === NSFS,
      () => false,
    );
  }

  /** Names that begin with `prefix`. What namespaces that are gone have left of theirs is removed. */
  async namespaces(prefix: string): Promise<readonly string[]> {
    const { stdout } = await this.#run('ip', ['-j', 'netns', 'list']);
    const all = stdout.trim() === '' ? [] : (JSON.parse(stdout) as readonly { readonly name?: string }[]);
    const mine: string[] = [];
    for (const { name } of all) {
      if (!name?.startsWith(prefix)) continue;
      if (await this.namespaceExists(name)) mine.push(name);
      else await rm(netnsPath(name), { force: true });
    }
    return mine;
  }

  async links(netns: string | undefined): Promise<KernelLinks> {
    return readLinks((await this.#run('ip', [...inNamespace(netns), '-j', '-d', 'addr', 'show'])).stdout);
  }

  /** One link; an empty map when there is none of this name. */
  async link(netns: string | undefined, name: string): Promise<KernelLinks> {
    const { code, stdout } = await this.#run('ip', [...inNamespace(netns), '-j', '-d', 'addr', 'show', 'dev', name], { okCodes: [1] });
    return code === 0 ? readLinks(stdout) : new Map();
  }

  async routes(netns: string): Promise<KernelRoutes> {
    const read = async (version: 4 | 6): Promise<KernelRoutes> =>
      readRoutes((await this.#run('ip', [`-${version}`, ...inNamespace(netns), '-j', 'route', 'show'])).stdout, version);
    const [v4, v6] = await Promise.all([read(4), read(6)]);
    return new Map([...v4, ...v6]);
  }

  /** IPv6 addresses that links answer for: `ADDRESS dev LINK`. */
  async proxies(netns: string): Promise<ReadonlySet<string>> {
    return readProxies((await this.#run('ip', ['-6', '-n', netns, '-j', 'neigh', 'show', 'proxy'])).stdout);
  }

  /** MACs that links know without asking, by `ADDRESS dev LINK`. */
  async neighbours(netns: string): Promise<ReadonlyMap<string, string>> {
    return readNeighbours((await this.#run('ip', ['-n', netns, '-j', 'neigh', 'show', 'nud', 'permanent'])).stdout);
  }

  async rules(netns: string): Promise<KernelRules> {
    return readRules((await this.#run('nft', ['-j', 'list', 'ruleset'], { netns })).stdout);
  }

  /** Whether the kernel would take this ruleset. Nothing is changed. */
  async takes(netns: string, script: string): Promise<boolean> {
    return (await this.#run('nft', ['-c', '-f', '-'], { netns, input: script, okCodes: [1] })).code === 0;
  }

  /** The named counters of a table, as `nft -j` prints them. */
  async counters(netns: string, family: string, table: string): Promise<string> {
    return (await this.#run('nft', ['-j', 'list', 'counters', 'table', family, table], { netns })).stdout;
  }

  /** Runs some other program that changes the network. */
  async change(command: string, args: readonly string[], options: RunOptions = {}): Promise<void> {
    await this.#change(command, args, options);
  }

  async #change(command: string, args: readonly string[], options: RunOptions = {}): Promise<void> {
    this.changes++;
    await this.#run(command, args, options);
  }

  #run(command: string, args: readonly string[], options: RunOptions = {}) {
    return this.#gate.pass(() => run(command, args, { maxOutputBytes: MAX_OUTPUT_BYTES, ...options }));
  }
}

const inNamespace = (netns: string | undefined): readonly string[] => (netns === undefined ? [] : ['-n', netns]);

/** Lets `width` through at a time, in order. */
export class Gate {
  readonly #width: number;
  #inside = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(width: number) {
    this.#width = width;
  }

  async pass<T>(work: () => Promise<T>): Promise<T> {
    if (this.#inside >= this.#width) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#inside++;
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#inside--;
    }
  }
}
