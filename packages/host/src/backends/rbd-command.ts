import { notFound, unavailable } from '@cairn/kit/errors/errors';
import { convertWithCluster, targetFormat } from '../disks/qemu-img.ts';
import type { BackendSpec } from '../interface/backends.ts';
import type { ExportFormat } from '../interface/disks.ts';
import { ProcessError, run } from '../process/run.ts';
import { escapeOption } from '../process/command.ts';

export type RbdSpec = Extract<BackendSpec, { driver: 'rbd' }>;

/** What `rbd` exits with: the errors of Linux. */
const [ENOENT, EBUSY, EEXIST, ENOTEMPTY] = [2, 16, 17, 39];
const QUICK_MS = 60_000;

export interface RbdSnapshot {
  readonly name: string;
  readonly sizeBytes: number;
}

export interface RbdImage {
  readonly name: string;
  readonly sizeBytes: number;
  readonly usedBytes: number;
  /** Oldest first. */
  readonly snapshots: readonly RbdSnapshot[];
}

/**
 * One pool of a Ceph cluster, by the commands `rbd` and `ceph`, and by qemu-img. Each call is one process with an argv; names were checked by
 * whoever calls. Snapshots may go while clones stand on them (`clone format 2`).
 */
export class RbdCommand {
  readonly #spec: RbdSpec;

  constructor(spec: RbdSpec) {
    this.#spec = spec;
  }

  /** An image with its snapshots; undefined when there is none. */
  async image(name: string): Promise<RbdImage | undefined> {
    const found = await this.#images([`--image=${name}`]);
    return found.find((image) => image.name === name);
  }

  images(): Promise<readonly RbdImage[]> {
    return this.#images([]);
  }

  /** False when it is there already. */
  create(name: string, sizeBytes: number): Promise<boolean> {
    return this.#unless(EEXIST, ['create', this.#at(name), `--size=${sizeBytes}B`]);
  }

  clone(name: string, snapshot: string, copy: string): Promise<boolean> {
    return this.#unless(EEXIST, ['clone', `${this.#at(name)}@${snapshot}`, this.#at(copy), '--rbd-default-clone-format=2']);
  }

  async resize(name: string, sizeBytes: number): Promise<void> {
    await this.#rbd(['resize', this.#at(name), `--size=${sizeBytes}B`, '--no-progress']);
  }

  async rename(name: string, to: string): Promise<void> {
    await this.#rbd(['rename', this.#at(name), this.#at(to)]);
  }

  snapshot(name: string, snapshot: string): Promise<boolean> {
    return this.#unless(EEXIST, ['snap', 'create', `${this.#at(name)}@${snapshot}`, '--no-progress']);
  }

  removeSnapshot(name: string, snapshot: string): Promise<boolean> {
    return this.#unless(ENOENT, ['snap', 'rm', `${this.#at(name)}@${snapshot}`, '--no-progress']);
  }

  async rollBack(name: string, snapshot: string): Promise<void> {
    await this.#rbd(['snap', 'rollback', `${this.#at(name)}@${snapshot}`, '--no-progress']);
  }

  /** Removes an image and its snapshots. One that clones stand on goes to the trash, and from there when the last of them has gone. */
  async remove(name: string): Promise<void> {
    if (!(await this.#unless(ENOENT, ['snap', 'purge', this.#at(name), '--no-progress']))) return;
    try {
      await this.#unless(ENOENT, ['rm', this.#at(name), '--no-progress']);
    } catch (error) {
      if (!hasCode(error, EBUSY, ENOTEMPTY)) throw error;
      if (/watchers/.test((error as ProcessError).stderr)) throw error;
      await this.#rbd(['trash', 'mv', this.#at(name)]);
    }
    await this.emptyTrash();
  }

  /** Removes what is in the trash and has no clones any longer. A parent may go only after its child, so it is looked at again. */
  async emptyTrash(): Promise<void> {
    for (let removed = true; removed; ) {
      removed = false;
      const trash = JSON.parse(await this.#rbd(['trash', 'ls', `--pool=${this.#spec.pool}`, '--format=json'])) as readonly { id: string; name: string }[];
      for (const { id, name } of trash) {
        if (!/^(?:volume|image|work)-/.test(name)) continue;
        removed ||= await this.#rbd(['trash', 'rm', `${this.#spec.pool}/${id}`, '--no-progress']).then(
          () => true,
          (error: unknown) => {
            // somebody else took it, or clones are still there
            if (hasCode(error, EBUSY, ENOTEMPTY, ENOENT)) return false;
            throw error;
          },
        );
      }
    }
  }

  async setMeta(name: string, key: string, value: string): Promise<void> {
    await this.#unless(ENOENT, ['image-meta', 'set', this.#at(name), key, value]);
  }

  async meta(name: string, key: string): Promise<string | undefined> {
    try {
      return (await this.#rbd(['image-meta', 'get', this.#at(name), key])).trim();
    } catch (error) {
      if (hasCode(error, ENOENT)) return undefined;
      throw error;
    }
  }

  /** The pool's room in GiB, as clients of it see it: after replication. */
  async capacity(): Promise<{ readonly totalGb: number; readonly freeGb: number }> {
    const { pool } = this.#spec;
    const { stdout } = await this.#run('ceph', [...this.#access(), 'df', '--format=json'], QUICK_MS);
    const all = JSON.parse(stdout) as {
      readonly pools: readonly { readonly name: string; readonly stats: { readonly stored: number; readonly max_avail: number } }[];
    };
    const stats = all.pools.find((one) => one.name === pool)?.stats;
    if (!stats) throw notFound(`The Ceph cluster of storage back end ${this.#spec.name} has no pool of the configured name.`);
    return { totalGb: (stats.max_avail + stats.stored) / 2 ** 30, freeGb: stats.max_avail / 2 ** 30 };
  }

  /** Copies a raw file into an image of at least its size. */
  async write(path: string, name: string, timeoutMs: number): Promise<void> {
    const target = Object.entries(this.node(name)).map(([key, value]) => `file.${key}=${escapeOption(value)}`);
    await this.#answered(() => convertWithCluster(['-n', '-f', 'raw', '--target-image-opts', path, ['driver=raw', ...target].join()], timeoutMs));
  }

  /** Copies an image, or a snapshot of one, into a file that is there. */
  async read(name: string, snapshot: string | undefined, path: string, format: ExportFormat, timeoutMs: number): Promise<void> {
    const source = JSON.stringify({ driver: 'raw', file: { ...this.node(name), ...(snapshot !== undefined && { snapshot }) } });
    await this.#answered(() => convertWithCluster([...targetFormat(format), `json:${source}`, path], timeoutMs));
  }

  /** QEMU's block node of an image. */
  node(name: string): Readonly<Record<'driver' | 'pool' | 'image' | 'conf' | 'user', string>> {
    const { pool, configFile, user } = this.#spec;
    return { driver: 'rbd', pool, image: name, conf: configFile, user };
  }

  async #images(which: readonly string[]): Promise<readonly RbdImage[]> {
    interface Line {
      readonly name: string;
      readonly snapshot?: string;
      readonly provisioned_size: number;
      readonly used_size: number;
    }
    let text: string;
    try {
      text = await this.#rbd(['du', `--pool=${this.#spec.pool}`, ...which, '--format=json']);
    } catch (error) {
      if (hasCode(error, ENOENT)) return [];
      throw error;
    }
    const byName = new Map<string, { sizeBytes: number; usedBytes: number; snapshots: RbdSnapshot[] }>();
    for (const line of (JSON.parse(text) as { readonly images: readonly Line[] }).images) {
      const image = byName.get(line.name) ?? { sizeBytes: 0, usedBytes: 0, snapshots: [] };
      byName.set(line.name, image);
      image.usedBytes += line.used_size;
      if (line.snapshot === undefined) image.sizeBytes = line.provisioned_size;
      else image.snapshots.push({ name: line.snapshot, sizeBytes: line.provisioned_size });
    }
    return [...byName].map(([name, image]) => ({ name, ...image }));
  }

  /** True when it was done, false when it ended with `code`. */
  async #unless(code: number, args: readonly string[]): Promise<boolean> {
    try {
      await this.#rbd(args);
      return true;
    } catch (error) {
      if (hasCode(error, code)) return false;
      throw error;
    }
  }

  #at(name: string): string {
    return `${this.#spec.pool}/${name}`;
  }

  #access(): readonly string[] {
    return [`--conf=${this.#spec.configFile}`, `--id=${this.#spec.user}`];
  }

  async #rbd(args: readonly string[]): Promise<string> {
    return (await this.#run('rbd', [...this.#access(), ...args], QUICK_MS)).stdout;
  }

  #run(command: string, args: readonly string[], timeoutMs: number): Promise<{ readonly stdout: string }> {
    return this.#answered(() => run(command, args, { timeoutMs, dieWithParent: true, maxOutputBytes: 64 * 2 ** 20 }));
  }

  async #answered<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof ProcessError && error.reason === 'exit') throw error;
      throw unavailable(`Storage back end ${this.#spec.name} does not answer.`, { detail: String(error), cause: error });
    }
  }
}

const hasCode = (error: unknown, ...codes: readonly number[]): boolean =>
  error instanceof ProcessError && error.code !== undefined && codes.includes(error.code);
