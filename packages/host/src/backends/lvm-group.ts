import { conflict, notFound, unavailable } from '@cairn/kit/errors/errors';
import type { Logger } from '@cairn/kit/log/log';
import type { LogicalVolume, LvmCommand, LvmSpec, VolumeGroup } from './lvm-command.ts';

const OWNER = 'cairn.cloud=';

/**
 * A volume group that belongs to this cloud. The group's own tag says so, for ever: also while the cloud is down no other one takes what it does not know
 * for leftovers. An operator who gives the group to another cloud removes the tag.
 */
export class LvmGroup {
  readonly #lvm: LvmCommand;
  readonly #spec: LvmSpec;
  readonly #tag: string;
  readonly #log: Logger;
  #opening: Promise<number> | undefined;

  constructor(lvm: LvmCommand, spec: LvmSpec, cloud: string, log: Logger) {
    this.#lvm = lvm;
    this.#spec = spec;
    this.#tag = `${OWNER}${cloud}`;
    this.#log = log;
  }

  /** Takes the group and makes its pool, where that is not done; its extents' size. A group that comes later is found when it is asked for again. */
  open(): Promise<number> {
    this.#opening ??= this.#open().catch((error: unknown) => {
      this.#opening = undefined;
      throw error;
    });
    return this.#opening;
  }

  /** What holds the disks' data, and how much of it is free. */
  async capacity(volumes: readonly LogicalVolume[]): Promise<{ readonly totalBytes: number; readonly freeBytes: number }> {
    if (this.#spec.provisioning === 'thick') {
      const group = await this.#need();
      return { totalBytes: group.sizeBytes, freeBytes: group.freeBytes };
    }
    const pool = volumes.find(({ name }) => name === this.#lvm.pool);
    if (!pool) throw unavailable(`Storage back end ${this.#spec.name} has lost its thin pool.`);
    return { totalBytes: pool.sizeBytes, freeBytes: pool.sizeBytes - pool.usedBytes };
  }

  async #open(): Promise<number> {
    const group = await this.#need();
    await this.#take(group.tags);
    if (this.#spec.provisioning === 'thin' && !(await this.#lvm.volumes()).some(({ name }) => name === this.#lvm.pool)) {
      await this.#lvm.makePool();
      this.#log.info({ pool: this.#lvm.pool }, 'made a thin pool of what was free in the volume group');
    }
    return group.extentBytes;
  }

  async #need(): Promise<VolumeGroup> {
    const group = await this.#lvm.facts();
    if (!group) throw notFound(`Storage back end ${this.#spec.name} needs a volume group that this host does not have.`, { detail: this.#spec.volumeGroup });
    return group;
  }

  /** Two that come at the same moment both see it, and both go. */
  async #take(tags: readonly string[]): Promise<void> {
    this.#refuse(tags);
    if (tags.includes(this.#tag)) return;
    await this.#lvm.tagGroup(this.#tag);
    try {
      this.#refuse((await this.#need()).tags);
    } catch (error) {
      await this.#lvm.untagGroup(this.#tag);
      throw error;
    }
  }

  #refuse(tags: readonly string[]): void {
    const other = tags.find((tag) => tag.startsWith(OWNER) && tag !== this.#tag);
    if (other === undefined) return;
    const { name, volumeGroup } = this.#spec;
    throw conflict(`The volume group of storage back end ${name} belongs to another cloud.`, {
      detail: { volumeGroup, fix: `when that cloud is gone: vgchange --deltag ${other} ${volumeGroup}` },
    });
  }
}
