import { mkdir, readlink, rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { netnsPath } from '../../process/command.ts';
import { run, type RunOptions } from '../../process/run.ts';
import type { KernelRules } from '../ruleset/model.ts';
import { readRules } from '../ruleset/read.ts';
import { type KernelLinks, type KernelRoutes, readLinks, readRoutes } from './links.ts';

/** Processes at a time; the machine has other work too. */
const MAX_PROCESSES = 6;
const MAX_OUTPUT_BYTES = 256 * 1024 * 1024;
/** NSFS_MAGIC of linux/magic.h: the file system of namespaces. */
const NSFS = 0x6e73_6673;

/**
 * A named namespace is a mount, and mounts belong to a mount namespace: `ip netns exec`, unshare and systemd units with private mounts
 * have their own, and what is mounted there is gone with the last process in it, guests' networks too. So names are made where the
 * machine's first process sees them, from where they spread to everybody.
 */
async function inFirstMounts(command: string, args: readonly string[]): Promise<[string, readonly string[]]> {
  const [first, own] = await Promise.all(['/proc/1/ns/mnt', '/proc/self/ns/mnt'].map((path) => readlink(path).catch(() => undefined)));
  return first === undefined || first === own ? [command, args] : ['nsenter', ['--mount=/proc/1/ns/mnt', '--', command, ...args]];
}

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
    await this.#change(...(await inFirstMounts('ip', ['netns', 'add', netns])));
  }

  async deleteNamespace(netns: string): Promise<void> {
    await this.#change(...(await inFirstMounts('ip', ['netns', 'delete', netns])));
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

  async rules(netns: string): Promise<KernelRules> {
    return readRules((await this.#run('nft', ['-j', 'list', 'ruleset'], { netns })).stdout);
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
