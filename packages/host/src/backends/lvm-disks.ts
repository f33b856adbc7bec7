import type { Readable } from 'node:stream';
import { conflict, invalidInput, isCairnError, notFound } from '@cairn/kit/errors/errors';
import type { Logger } from '@cairn/kit/log/log';
import { asPublic } from '../disks/faults.ts';
import { checkId } from '../disks/layout.ts';
import { Locks } from '../disks/locks.ts';
import type { ImageFile } from '../disks/qemu-img.ts';
import type { DiskResolver, OpenDisks } from '../hypervisor/open-disks.ts';
import type { DiskInfo, ExportFormat, ImageSource, KeptDisks, NewDisk, ReceivedDisk } from '../interface/disks.ts';
import type { ProcessUser } from '../process/command.ts';
import { LvmCommand, type LvmSpec } from './lvm-command.ts';
import { LvmCopies } from './lvm-copies.ts';
import { LvmFilling, snapshotOf } from './lvm-filling.ts';
import { LvmGroup } from './lvm-group.ts';
import { diskVolume, isLeftover, leftover, type LvmDisk, LvmInventory, sizeTag, snapshotVolume, tagsFor } from './lvm-inventory.ts';
import type { DiskRoom } from './room.ts';
import { Scratch } from './scratch.ts';

const GIB = 2 ** 30;

export interface LvmDisksOptions {
  readonly spec: LvmSpec;
  /** Whose volumes these are: hosts of one machine share its volume group. */
  readonly host: string;
  /** Whose volume group it is, of the clouds of this machine. */
  readonly cloud: string;
  /** For files on the way in and out; emptied at every start. */
  readonly scratchDir: string;
  readonly user?: ProcessUser;
  readonly openDisks: OpenDisks;
  readonly log: Logger;
  /** An image of glance as a file that was judged. */
  readonly imageFile: (image: ImageSource) => Promise<ImageFile & { readonly virtualSizeBytes: number }>;
  /** The secret of an encrypted disk. */
  readonly diskKey?: (keyId: string) => Promise<string>;
}

/**
 * Disks as logical volumes of a volume group of this machine, `volume-<id>` as upstream names them. What a disk is, is said by tags of its volume, so
 * there is nothing beside the group that could be lost or differ. What is being made is `work-...` until it is whole, and then renamed.
 *
 * Thin: snapshots and copies are volumes of the pool which share their data. Thick: a snapshot is one of LVM's old kind, and a copy is a whole copy.
 */
export class LvmDisks implements KeptDisks, DiskRoom {
  readonly disks = this;
  readonly #options: LvmDisksOptions;
  readonly #lvm: LvmCommand;
  readonly #group: LvmGroup;
  readonly #inventory: LvmInventory;
  readonly #scratch: Scratch;
  readonly #copies: LvmCopies;
  readonly #filling: LvmFilling;
  readonly #isThin: boolean;
  readonly #locks = new Locks();

  constructor(options: LvmDisksOptions) {
    const { spec, host, cloud, log, user, scratchDir, diskKey, imageFile } = options;
    this.#options = options;
    this.#isThin = spec.provisioning === 'thin';
    this.#lvm = new LvmCommand(spec);
    this.#group = new LvmGroup(this.#lvm, spec, cloud, log);
    this.#inventory = new LvmInventory(this.#lvm, host);
    this.#scratch = new Scratch(scratchDir, user);
    const [lvm, inventory, scratch] = [this.#lvm, this.#inventory, this.#scratch];
    const copies = new LvmCopies({ lvm, inventory, scratch, ...(user && { user }), ...(diskKey && { diskKey }) });
    this.#copies = copies;
    this.#filling = new LvmFilling({
      ...{ host, isThin: this.#isThin, lvm, inventory, copies, scratch, imageFile },
      origin: (diskId) => this.#settled(diskId),
      isOpen: (diskId) => this.#isOpen(diskId),
      rounded: (bytes) => this.#rounded(bytes),
    });
  }

  /** A group that is not there keeps no host from starting: its disks are not there until it is. */
  async start(): Promise<void> {
    await this.#scratch.start();
    try {
      await this.#group.open();
      await this.#tidy();
    } catch (error) {
      const { name, volumeGroup } = this.#options.spec;
      this.#options.log.warn({ backend: name, volumeGroup, err: error }, 'a volume group cannot be used');
    }
  }

  async stop(): Promise<void> {}

  /** Called for each guest that opens a disk, before it does. */
  readonly resolve: DiskResolver = (diskId) =>
    this.#with([diskId], async () => {
      const disk = await this.#settled(diskId);
      const { device, ...layer } = await this.#copies.image(disk.volume, disk.wholeBytes);
      // one that is bounded does not grow while it is open
      const bound = disk.volume.sizeBytes === disk.wholeBytes ? {} : device;
      return { layers: [{ format: 'raw', path: layer.path, device: bound }], ...(disk.keyId !== undefined && { keyId: disk.keyId }) };
    });

  async cacheImage(image: ImageSource): Promise<{ readonly virtualSizeBytes: number }> {
    const { virtualSizeBytes } = await this.#options.imageFile(image);
    return { virtualSizeBytes };
  }

  /** Images are the host's own disks' to keep. */
  async dropImage(): Promise<void> {}

  create(disk: NewDisk): Promise<DiskInfo> {
    const { source } = disk;
    if (!Number.isSafeInteger(disk.sizeBytes) || disk.sizeBytes < 0 || disk.sizeBytes % 512 !== 0)
      return Promise.reject(invalidInput('The size of a disk is a whole number of sectors.', { field: 'sizeBytes' }));
    const keys = source.kind === 'snapshot' || source.kind === 'disk' ? [disk.diskId, source.diskId] : [disk.diskId];
    return this.#with(keys, async () => {
      const name = this.#name(disk.diskId);
      const found = await this.#inventory.disk(name);
      if (!found) await this.#filling.fill(name, disk);
      return this.#describe(found ?? (await this.#need(disk.diskId)));
    });
  }

  receive(disk: ReceivedDisk, data: Readable): Promise<DiskInfo> {
    return this.#with([disk.diskId], async () => {
      const name = this.#name(disk.diskId);
      const found = await this.#inventory.disk(name);
      if (found) data.destroy();
      else await this.#filling.receive(name, disk, data);
      return this.#describe(found ?? (await this.#need(disk.diskId)));
    });
  }

  remove(diskId: string): Promise<void> {
    return this.#with([diskId], async () => {
      const disk = await this.#inventory.disk(this.#name(diskId));
      if (!disk) return;
      if (this.#isOpen(diskId)) throw conflict(`Disk ${diskId} is open in a guest.`);
      await this.#lvm.remove([...disk.snapshots.map(({ volume }) => volume.name), disk.volume.name]);
    });
  }

  async info(diskId: string): Promise<DiskInfo | undefined> {
    const name = this.#name(diskId);
    return this.#public(async () => {
      const disk = await this.#inventory.disk(name);
      return disk && this.#describe(disk);
    });
  }

  async list(): Promise<readonly DiskInfo[]> {
    try {
      return await this.#public(async () => (await this.#inventory.disks()).map((disk) => this.#describe(disk)));
    } catch (error) {
      // a host without such a group
      if (isCairnError(error, 'NotFound')) return [];
      throw error;
    }
  }

  resize(diskId: string, sizeBytes: number): Promise<DiskInfo> {
    if (!Number.isSafeInteger(sizeBytes) || sizeBytes % 512 !== 0)
      return Promise.reject(invalidInput('The size of a disk is a whole number of sectors.', { field: 'sizeBytes' }));
    return this.#with([diskId], async () => {
      const disk = await this.#settled(diskId);
      const wholeBytes = sizeBytes + (disk.wholeBytes - disk.sizeBytes);
      if (wholeBytes < disk.wholeBytes) throw invalidInput('A disk cannot shrink.', { field: 'sizeBytes' });
      if (wholeBytes === disk.wholeBytes) return this.#describe(disk);
      const isOpen = this.#isOpen(diskId);
      const extents = await this.#rounded(wholeBytes);
      if (isOpen && (extents !== wholeBytes || (await this.#rounded(disk.wholeBytes)) !== disk.wholeBytes))
        throw conflict(`Disk ${diskId} is open in a guest, and grows then by whole extents of its volume group alone: let the guest go of it first.`);
      await this.#grow(disk, wholeBytes, extents);
      if (isOpen) await this.#showGrown(diskId, sizeBytes);
      await this.#lvm.retag(disk.name, { remove: [sizeTag(disk.wholeBytes)], add: [sizeTag(wholeBytes)] });
      return this.#describe(await this.#need(diskId));
    });
  }

  async snapshot(diskId: string, snapshotId: string): Promise<void> {
    checkId('snapshot', snapshotId);
    return this.#with([diskId], async () => {
      const disk = await this.#settled(diskId);
      if (disk.snapshots.some((one) => one.snapshotId === snapshotId)) return;
      const number = (disk.snapshots.at(-1)?.number ?? 0) + 1;
      const tags = tagsFor({ ...this.#facts(disk), snapshot: { of: disk.name, snapshotId, number } });
      await this.#lvm.snapshot(disk.name, snapshotVolume(diskId, snapshotId), tags, false);
    });
  }

  async removeSnapshot(diskId: string, snapshotId: string): Promise<void> {
    checkId('snapshot', snapshotId);
    return this.#with([diskId], async () => {
      const disk = await this.#inventory.disk(this.#name(diskId));
      const snapshot = disk?.snapshots.find((one) => one.snapshotId === snapshotId);
      if (snapshot) await this.#lvm.remove([snapshot.volume.name]);
    });
  }

  revert(diskId: string, snapshotId: string): Promise<void> {
    return this.#with([diskId], async () => {
      const disk = await this.#settled(diskId);
      if (this.#isOpen(diskId)) throw conflict(`Disk ${diskId} is open in a guest: it goes back only when no guest has it.`);
      const snapshot = snapshotOf(disk, diskId, snapshotId);
      if (snapshot !== disk.snapshots.at(-1)) throw conflict('A disk goes back only to its newest snapshot.');
      // a disk that grew since stays as large
      if (this.#isThin) {
        const back = leftover.back(disk.name);
        await this.#lvm.snapshot(snapshot.volume.name, back, tagsFor(this.#facts(disk)), true);
        if (snapshot.volume.sizeBytes < disk.volume.sizeBytes) await this.#lvm.extend(back, disk.volume.sizeBytes);
        const gone = leftover.gone(disk.name);
        await this.#lvm.rename(disk.name, gone);
        await this.#lvm.rename(back, disk.name);
        await this.#lvm.remove([gone]);
        return;
      }
      await this.#copies.reading(snapshot.volume, snapshot.wholeBytes, (image) => this.#copies.write([image], disk.volume, snapshot.wholeBytes));
      await this.#lvm.zero(disk.volume, snapshot.wholeBytes, disk.volume.sizeBytes - snapshot.wholeBytes);
    });
  }

  /** Block devices bear several writers as they are. */
  async share(diskId: string): Promise<void> {
    return this.#with([diskId], async () => void (await this.#need(diskId)));
  }

  export(diskId: string, options: { readonly format: ExportFormat; readonly snapshotId?: string }): ReturnType<KeptDisks['export']> {
    return this.#with([diskId], async () => {
      const disk = await this.#settled(diskId);
      const { snapshotId, format } = options;
      const { volume, wholeBytes } = snapshotId === undefined ? disk : snapshotOf(disk, diskId, snapshotId);
      const convert = (image: ImageFile): ReturnType<KeptDisks['export']> => this.#copies.stream(image, format, wholeBytes);
      const isWritten = snapshotId === undefined && this.#isOpen(diskId);
      return isWritten ? this.#filling.atMoment(disk, convert) : this.#copies.reading(volume, wholeBytes, convert);
    });
  }

  async capacity(): Promise<{ readonly totalGb: number; readonly freeGb: number }> {
    const { totalBytes, freeBytes } = await this.#public(async () => this.#group.capacity(this.#isThin ? await this.#lvm.volumes() : []));
    return { totalGb: totalBytes / GIB, freeGb: freeBytes / GIB };
  }

  /** A disk whose volume is active, and whole after a crash in the middle of growing. */
  async #settled(diskId: string): Promise<LvmDisk> {
    const disk = await this.#need(diskId);
    if (!disk.volume.device) {
      await this.#lvm.activate(disk.name);
      return this.#settled(diskId);
    }
    const beyond = (await this.#rounded(disk.wholeBytes)) - disk.volume.sizeBytes;
    // room that was added and is not yet the disk's holds what others left in it
    if (beyond < 0 && !this.#isThin) await this.#lvm.zero(disk.volume, disk.wholeBytes, disk.volume.sizeBytes - disk.wholeBytes);
    return disk;
  }

  /** Makes the volume larger; what is new of it reads as zeroes. The disk has its size when its tag says so. */
  async #grow({ name, volume, wholeBytes: before, snapshots }: LvmDisk, wholeBytes: number, extents: number): Promise<void> {
    if (extents <= volume.sizeBytes) return;
    if (this.#isThin) return this.#lvm.extend(name, wholeBytes);
    // a volume that has thick snapshots grows only while its device is not there
    const mustRest = snapshots.length > 0;
    if (mustRest && this.#isOpen(this.#idOf(name)))
      throw conflict(`Disk ${this.#idOf(name)} has snapshots and is open in a guest: let the guest go of it, or remove them first.`);
    if (mustRest) await this.#lvm.deactivate(name);
    await this.#lvm.extend(name, wholeBytes);
    // they need room for all that may be written now; more than they can use is cut down to what they can
    for (const one of snapshots) await this.#lvm.extend(one.volume.name, one.volume.usedBytes + (extents - volume.sizeBytes) * 2);
    if (mustRest) await this.#lvm.activate(name);
    const now = await this.#inventory.volume(name);
    await this.#lvm.zero(now, before, now.sizeBytes - before);
  }

  /** Tells the guests that have it. */
  async #showGrown(diskId: string, sizeBytes: number): Promise<void> {
    try {
      await this.#options.openDisks.resize(diskId, sizeBytes);
    } catch (error) {
      if (this.#isOpen(diskId)) throw error;
    }
  }

  /** Removes what a crash left half-made, and finishes what was as good as done. */
  async #tidy(): Promise<void> {
    const own = await this.#inventory.own();
    const there = new Set(own.map(({ name }) => name));
    for (const { name } of own.filter(isLeftover)) {
      const disk = leftover.diskOf(name);
      const isDone = disk !== undefined && !there.has(disk) && name === leftover.back(disk);
      await (isDone ? this.#lvm.rename(name, disk) : this.#lvm.remove([name])).catch((error: unknown) =>
        this.#options.log.warn({ volume: name, err: error }, 'what a crash left in a volume group could not be removed'),
      );
    }
    await this.#lvm.dropNodes((await this.#lvm.volumes()).map(({ name }) => name));
  }

  async #rounded(bytes: number): Promise<number> {
    const extentBytes = await this.#group.open();
    return Math.ceil(bytes / extentBytes) * extentBytes;
  }

  #facts({ wholeBytes, keyId }: LvmDisk): { readonly host: string; readonly wholeBytes: number; readonly keyId: string | undefined } {
    return { host: this.#options.host, wholeBytes, keyId };
  }

  #isOpen(diskId: string): boolean {
    return this.#options.openDisks.holder(diskId) !== undefined;
  }

  #describe({ name, sizeBytes, volume, snapshots, keyId }: LvmDisk): DiskInfo {
    return {
      ...{ diskId: this.#idOf(name), pool: 'volume', format: 'raw', sizeBytes, usedBytes: volume.usedBytes },
      snapshots: snapshots.map((one) => one.snapshotId),
      ...(keyId !== undefined && { keyId }),
    };
  }

  #idOf(name: string): string {
    return `${this.#options.spec.name}.${diskVolume.id(name)}`;
  }

  #name(diskId: string): string {
    const own = `${this.#options.spec.name}.`;
    if (!checkId('disk', diskId).startsWith(own)) throw notFound(`Disk ${diskId} is not on storage back end ${this.#options.spec.name}.`);
    return diskVolume.name(diskId.slice(own.length));
  }

  async #need(diskId: string): Promise<LvmDisk> {
    const disk = await this.#inventory.disk(this.#name(diskId));
    if (!disk) throw notFound(`Disk ${diskId} is not on storage back end ${this.#options.spec.name}.`);
    return disk;
  }

  /** With nobody else at these disks. */
  #with<T>(diskIds: readonly string[], work: () => Promise<T>): Promise<T> {
    const own = `${this.#options.spec.name}.`;
    for (const id of diskIds) if (!checkId('disk', id).startsWith(own)) return Promise.reject(notFound(`Disk ${id} is not on this storage back end.`));
    return this.#locks.run(diskIds, () => this.#public(work));
  }

  async #public<T>(work: () => Promise<T>): Promise<T> {
    try {
      await this.#group.open();
      return await work();
    } catch (error) {
      throw asPublic(error, `Storage back end ${this.#options.spec.name} could not do what was asked of it.`);
    }
  }
}
