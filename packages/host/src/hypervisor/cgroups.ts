import { constants } from 'node:fs';
import { access, mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What one guest may use of the host. */
export interface GuestLimits {
  readonly vcpus: number;
  readonly memoryBytes: number;
  readonly maxTasks: number;
}

/** Puts guests into control groups, where the host lets Cairn make some. */
export interface ControlGroups {
  /** `v2: cpu, memory, pids`, or `none: <why>`. */
  readonly description: string;
  readonly controllers: readonly string[];
  /** Confines a process. A guest that ended meanwhile is fine. */
  confine(guestId: string, pid: number, limits: GuestLimits): Promise<void>;
  /** Removes a guest's groups once its process is gone. */
  release(guestId: string): Promise<void>;
  /** Removes all groups that are Cairn's. */
  destroy(): Promise<void>;
}

const ROOT = '/sys/fs/cgroup';
const PERIOD_US = 100_000;

/** cpu.shares (v1, 1024 is one CPU's worth) and cpu.weight (v2, 100 is usual) of a guest: in proportion to its CPUs. */
const shares = (vcpus: number): number => Math.min(262_144, 1024 * vcpus);
const weight = (vcpus: number): number => Math.min(10_000, 100 * vcpus);
/** One CPU more than the guest's own for what QEMU does itself: disks, network, display. */
const quotaUs = (vcpus: number): number => (vcpus + 1) * PERIOD_US;

interface Setting {
  readonly controller: string;
  readonly file: string;
  readonly value: string;
}

/** The files of a group and what is written to them. */
export const settings = (limits: GuestLimits, v2: boolean): readonly Setting[] =>
  v2
    ? [
        { controller: 'cpu', file: 'cpu.weight', value: String(weight(limits.vcpus)) },
        { controller: 'cpu', file: 'cpu.max', value: `${quotaUs(limits.vcpus)} ${PERIOD_US}` },
        { controller: 'memory', file: 'memory.max', value: String(limits.memoryBytes) },
        { controller: 'pids', file: 'pids.max', value: String(limits.maxTasks) },
      ]
    : [
        { controller: 'cpu', file: 'cpu.shares', value: String(shares(limits.vcpus)) },
        { controller: 'cpu', file: 'cpu.cfs_period_us', value: String(PERIOD_US) },
        { controller: 'cpu', file: 'cpu.cfs_quota_us', value: String(quotaUs(limits.vcpus)) },
        { controller: 'memory', file: 'memory.limit_in_bytes', value: String(limits.memoryBytes) },
        { controller: 'pids', file: 'pids.max', value: String(limits.maxTasks) },
      ];

/** The control groups of this host, below `cairn-<name>`. `root` is replaced in tests. */
export async function openControlGroups(name: string, root: string = ROOT): Promise<ControlGroups> {
  const group = `cairn-${name}`;
  const own = parseOwn(await readFile('/proc/self/cgroup', 'utf8').catch(() => ''));
  const v2 = await readFile(join(root, 'cgroup.controllers'), 'utf8').catch(() => undefined);
  const parents = v2 !== undefined ? await openV2(root, group) : await openV1(root, group, own);
  return new Groups(parents, v2 !== undefined);
}

/** Controller (v1) to Cairn's own group. */
export function parseOwn(text: string): ReadonlyMap<string, string> {
  const own = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [, names = '', ...path] = line.split(':');
    for (const name of names.split(',')) if (path.length) own.set(name, path.join(':'));
  }
  return own;
}

type Parents = ReadonlyMap<string, string>;

/**
 * v1: below the group Cairn itself is in, per controller, so that whatever confines Cairn confines its guests too.
 */
async function openV1(root: string, group: string, own: ReadonlyMap<string, string>): Promise<Parents> {
  const parents = new Map<string, string>();
  for (const controller of ['cpu', 'memory', 'pids']) {
    const mine = own.get(controller);
    if (mine === undefined) continue;
    const dir = join(root, controller, mine, group);
    if (await tryMkdir(dir)) parents.set(controller, dir);
  }
  return parents;
}

/**
 * v2: beside the services of the machine and not below Cairn's own group. A group that holds processes cannot hand controllers down,
 * and a service manager that stops Cairn kills what is in its group, while guests shall live on.
 */
async function openV2(root: string, group: string): Promise<Parents> {
  const dir = join(root, group);
  if (!(await tryMkdir(dir))) return new Map();
  const wanted = ['cpu', 'memory', 'pids'];
  for (const at of [root, dir]) {
    // One by one: a controller that is not there must not spoil the others.
    for (const controller of wanted) await writeFile(join(at, 'cgroup.subtree_control'), `+${controller}`).catch(() => {});
  }
  const given = new Set((await readFile(join(dir, 'cgroup.subtree_control'), 'utf8').catch(() => '')).trim().split(/\s+/));
  const usable = wanted.filter((c) => given.has(c));
  if (!usable.length) await rmdir(dir).catch(() => {});
  return new Map(usable.map((c) => [c, dir]));
}

async function tryMkdir(dir: string): Promise<boolean> {
  try {
    await mkdir(dir);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') return false;
  }
  return access(dir, constants.W_OK).then(
    () => true,
    () => false,
  );
}

class Groups implements ControlGroups {
  readonly description: string;
  readonly controllers: readonly string[];
  readonly #parents: Parents;
  readonly #v2: boolean;

  constructor(parents: Parents, v2: boolean) {
    this.#parents = parents;
    this.#v2 = v2;
    this.controllers = [...parents.keys()];
    this.description = parents.size
      ? `cgroup ${v2 ? 'v2' : 'v1'}: ${this.controllers.join(', ')}`
      : `none: Cairn may make no control groups (cgroup ${v2 ? 'v2' : 'v1'})`;
  }

  async confine(guestId: string, pid: number, limits: GuestLimits): Promise<void> {
    const values = settings(limits, this.#v2);
    for (const parent of new Set(this.#parents.values())) {
      const dir = join(parent, guestId);
      await tryMkdir(dir);
      for (const { controller, file, value } of values) {
        // A setting this kernel lacks (no CFS bandwidth, for one) leaves the others in force.
        if (this.#parents.get(controller) === parent) await writeFile(join(dir, file), value).catch(() => {});
      }
      await writeFile(join(dir, 'cgroup.procs'), String(pid)).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'ESRCH') throw error;
      });
    }
  }

  async release(guestId: string): Promise<void> {
    await Promise.all([...new Set(this.#parents.values())].map((parent) => remove(join(parent, guestId))));
  }

  async destroy(): Promise<void> {
    for (const parent of new Set(this.#parents.values())) {
      const entries = await readdir(parent, { withFileTypes: true }).catch(() => []);
      for (const entry of entries) if (entry.isDirectory()) await remove(join(parent, entry.name));
      await remove(parent);
    }
  }
}

/** A group is busy for a moment after its last process ended. */
async function remove(dir: string): Promise<void> {
  for (let attempt = 0; attempt < 50; attempt++) {
    try {
      await rmdir(dir);
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EBUSY') return;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}
