import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { notFound } from '@cairn/kit/errors/errors';
import type { BackendSpec } from '../interface/backends.ts';
import { ProcessError, run, type RunResult } from '../process/run.ts';

export type LvmSpec = Extract<BackendSpec, { driver: 'lvm' }>;

const QUICK_MS = 120_000;
/** Zeroing, by the byte: as slow as a busy disk. */
const zeroMs = (bytes: number): number => QUICK_MS + Math.ceil(bytes / (20 * 2 ** 20)) * 1000;
/** What just closed a volume, or only looked at it (udev does), may have it open for a moment. */
const TRIES = 10;
const AGAIN_MS = 500;
/** Part of the group that becomes the pool: the rest is for the pool's metadata to grow (upstream's share). */
const POOL_SHARE = '95%FREE';

/** One logical volume. */
export interface LogicalVolume {
  readonly name: string;
  /** A whole number of extents. */
  readonly sizeBytes: number;
  /** How much of the group it takes. */
  readonly usedBytes: number;
  readonly tags: readonly string[];
  /** Of the device, while it is active. */
  readonly device: { readonly major: number; readonly minor: number } | undefined;
  /** The volume that a thick snapshot belongs to. */
  readonly origin: string | undefined;
}

export interface VolumeGroup {
  readonly sizeBytes: number;
  readonly freeBytes: number;
  readonly extentBytes: number;
  readonly tags: readonly string[];
}

/**
 * One volume group, by the commands of lvm2. Each call is one process with an argv; names were checked by whoever calls. Guests' data is never looked
 * into for volume groups (lvm2's own default, said again here).
 */
export class LvmCommand {
  readonly group: string;
  readonly #isThin: boolean;
  readonly #nodes: string;

  constructor(spec: LvmSpec) {
    this.group = spec.volumeGroup;
    this.#isThin = spec.provisioning === 'thin';
    this.#nodes = join('/dev/cairn', spec.volumeGroup);
  }

  /** Upstream's name. */
  get pool(): string {
    return `${this.group}-pool`;
  }

  /** Undefined when there is no group of this name. */
  async facts(): Promise<VolumeGroup | undefined> {
    const { stdout } = await this.#lvm('vgs', [...REPORT, '-o', 'vg_name,vg_size,vg_free,vg_extent_size,vg_tags']);
    const line = rowsOf<'vg_name' | 'vg_size' | 'vg_free' | 'vg_extent_size' | 'vg_tags'>(stdout, 'vg').find((one) => one.vg_name === this.group);
    return (
      line && {
        sizeBytes: Number(line.vg_size),
        freeBytes: Number(line.vg_free),
        extentBytes: Number(line.vg_extent_size),
        tags: tagsOf(line.vg_tags),
      }
    );
  }

  /** All volumes, or those that lvm2's selection names. */
  async volumes(select?: string): Promise<readonly LogicalVolume[]> {
    const fields = 'lv_name,lv_size,data_percent,lv_tags,lv_kernel_major,lv_kernel_minor,origin,pool_lv';
    const { stdout } = await this.#lvm('lvs', [...REPORT, '-o', fields, ...(select === undefined ? [] : ['--select', select]), this.group]);
    type Field = 'lv_name' | 'lv_size' | 'data_percent' | 'lv_tags' | 'lv_kernel_major' | 'lv_kernel_minor' | 'origin' | 'pool_lv';
    return rowsOf<Field>(stdout, 'lv').map((line) => {
      const sizeBytes = Number(line.lv_size);
      const minor = Number(line.lv_kernel_minor);
      const isThick = line.pool_lv === '' && line.lv_name !== this.pool;
      return {
        name: line.lv_name,
        sizeBytes,
        usedBytes: isThick ? sizeBytes : Math.round((sizeBytes * Number(line.data_percent || 0)) / 100),
        tags: tagsOf(line.lv_tags),
        device: minor >= 0 ? { major: Number(line.lv_kernel_major), minor } : undefined,
        origin: isThick && line.origin !== '' ? line.origin : undefined,
      };
    });
  }

  /** The group's own tags. */
  async tagGroup(add: string): Promise<void> {
    await this.#lvm('vgchange', [`--addtag=${add}`, this.group]);
  }

  async untagGroup(tag: string): Promise<void> {
    await this.#lvm('vgchange', [`--deltag=${tag}`, this.group]);
  }

  async makePool(): Promise<void> {
    await this.#lvm('lvcreate', ['--type=thin-pool', `--extents=${POOL_SHARE}`, `--name=${this.pool}`, '--zero=y', this.group]);
  }

  /** An active volume. A thin one reads as zeroes; what a thick one holds is whatever its place on the disk held. */
  async create(name: string, sizeBytes: number, tags: readonly string[]): Promise<void> {
    const named = [`--name=${name}`, ...tags.map((tag) => `--addtag=${tag}`)];
    if (this.#isThin) await this.#lvm('lvcreate', ['--type=thin', `--virtualsize=${sizeBytes}b`, `--thinpool=${this.pool}`, ...named, this.group]);
    else await this.#lvm('lvcreate', ['--type=linear', `--size=${sizeBytes}b`, '--wipesignatures=n', '--zero=n', ...named, this.group]);
  }

  /** What `origin` holds at this moment. Of thin volumes it is a volume like others; a thick one has room for all that is written to its origin. */
  async snapshot(origin: string, name: string, tags: readonly string[], isActive: boolean): Promise<void> {
    const named = [`--name=${name}`, ...tags.map((tag) => `--addtag=${tag}`), this.#at(origin)];
    if (this.#isThin) await this.#lvm('lvcreate', ['--snapshot', ...(isActive ? ['--setactivationskip=n', '--activate=y'] : []), ...named]);
    // more than it can use is cut down to what it can
    else await this.#lvm('lvcreate', ['--snapshot', '--extents=110%ORIGIN', ...named]);
  }

  async extend(name: string, sizeBytes: number): Promise<void> {
    await this.#lvm('lvextend', [`--size=${sizeBytes}b`, this.#at(name)]);
  }

  async rename(name: string, to: string): Promise<void> {
    await this.#lvm('lvrename', [this.group, name, to]);
  }

  async retag(name: string, tags: { readonly remove: readonly string[]; readonly add: readonly string[] }): Promise<void> {
    await this.#lvm('lvchange', [...tags.remove.map((tag) => `--deltag=${tag}`), ...tags.add.map((tag) => `--addtag=${tag}`), this.#at(name)]);
  }

  /** Makes the device of a volume; its numbers are told by `volumes`. */
  async activate(name: string): Promise<void> {
    await this.#lvm('lvchange', ['--activate=y', '--ignoreactivationskip', this.#at(name)]);
  }

  async deactivate(name: string): Promise<void> {
    await this.#patiently(() => this.#lvm('lvchange', ['--activate=n', this.#at(name)]));
    await rm(join(this.#nodes, name), { force: true });
  }

  /** Removes volumes, all or none of them being there; thick snapshots before what they are of. */
  async remove(names: readonly string[]): Promise<void> {
    if (names.length === 0) return;
    await this.#patiently(() => this.#lvm('lvremove', ['--force', ...names.map((name) => this.#at(name))]));
    await Promise.all(names.map((name) => rm(join(this.#nodes, name), { force: true })));
  }

  /** Overwrites a range of an active volume with zeroes. */
  async zero({ name, device }: LogicalVolume, offset: number, length: number): Promise<void> {
    if (length <= 0) return;
    const path = await this.node({ name, device });
    await run('blkdiscard', ['--zeroout', `--offset=${offset}`, `--length=${length}`, path], { timeoutMs: zeroMs(length) });
  }

  /**
   * A device file of an active volume which is Cairn's own: what udev makes of its own ones (their owner, above all) is none of this one. It is in /dev,
   * since device files elsewhere need not work. A file that is there and still right is left as it is: guests may have it.
   */
  async node({ name, device }: Pick<LogicalVolume, 'name' | 'device'>): Promise<string> {
    if (!device) throw notFound(`The volume ${name} of the volume group is not active.`);
    await mkdir(this.#nodes, { recursive: true, mode: 0o711 });
    const path = join(this.#nodes, name);
    const now = await stat(path).catch(() => undefined);
    if (now?.isBlockDevice() && now.rdev === deviceNumber(device)) return path;
    await rm(path, { force: true });
    await run('mknod', ['--mode=0600', path, 'b', String(device.major), String(device.minor)]);
    return path;
  }

  /** Device files of volumes that are not there any more. */
  async dropNodes(names: readonly string[]): Promise<void> {
    const there = await readdir(this.#nodes).catch(() => []);
    await Promise.all(there.filter((name) => !names.includes(name)).map((name) => rm(join(this.#nodes, name), { force: true })));
  }

  #at(name: string): string {
    return `${this.group}/${name}`;
  }

  async #patiently(work: () => Promise<unknown>): Promise<void> {
    for (let left = TRIES; ; left--) {
      try {
        await work();
        return;
      } catch (error) {
        if (left === 0 || !(error instanceof ProcessError) || !/ in use|is used by another device|is open|busy/i.test(error.stderr)) throw error;
        await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
      }
    }
  }

  #lvm(command: string, args: readonly string[]): Promise<RunResult> {
    return run('lvm', [command, '--config=devices/scan_lvs=0', ...args], { timeoutMs: QUICK_MS, env: { LVM_SUPPRESS_FD_WARNINGS: '1' } });
  }
}

const REPORT = ['--reportformat=json', '--units=b', '--nosuffix'];

function rowsOf<Field extends string>(stdout: string, kind: string): readonly Readonly<Record<Field, string>>[] {
  const { report } = JSON.parse(stdout) as { readonly report: readonly Readonly<Record<string, readonly Readonly<Record<Field, string>>[]>>[] };
  return report.flatMap((one) => one[kind] ?? []);
}

const tagsOf = (text: string): readonly string[] => text.split(',').filter((tag) => tag !== '');

/** As stat tells it (makedev of glibc). */
const deviceNumber = ({ major, minor }: { readonly major: number; readonly minor: number }): number =>
  Number((BigInt(major & 0xfff) << 8n) | (BigInt(major & ~0xfff) << 32n) | BigInt(minor & 0xff) | (BigInt(minor & ~0xff) << 12n));
