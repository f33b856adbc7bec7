import { randomBytes } from 'node:crypto';
import type { Readable } from 'node:stream';
import { type CairnError, conflict, invalidInput, notFound } from '@cairn/kit/errors/errors';
import type { Logger } from '@cairn/kit/log/log';
import { asPublic } from '../disks/faults.ts';
import { checkId } from '../disks/layout.ts';
import { Locks } from '../disks/locks.ts';
import type { ImageFile } from '../disks/qemu-img.ts';
import type { DiskResolver, OpenDisks } from '../hypervisor/open-disks.ts';
import type { DiskInfo, ExportFormat, ImageSource, KeptDisks, NewDisk, ReceivedDisk } from '../interface/disks.ts';
import type { ProcessUser } from '../process/command.ts';
import { ImageBases } from './image-bases.ts';
import type { RbdBridges } from './rbd-bridges.ts';
import { RbdCommand, type RbdImage, type RbdSpec } from './rbd-command.ts';
import type { DiskRoom } from './room.ts';
import { copyMs, Scratch } from './scratch.ts';

export interface RbdDisksOptions {
  readonly spec: RbdSpec;
  /** Names this host's half-made images in the pool. */
  readonly host: string;
  /** For files on the way in and out; emptied at every start. */
  readonly scratchDir: string;
  readonly user?: ProcessUser;
  readonly openDisks: OpenDisks;
  readonly log: Logger;
  readonly bridges: RbdBridges;
  /** Tells a guest that its disk has grown. */
  readonly showGrown: (guestId: string, diskId: string, sizeBytes: number) => Promise<void>;
  /** An image of glance as a file that was judged. */
  readonly imageFile: (image: ImageSource) => Promise<ImageFile & { readonly virtualSizeBytes: number }>;
}

/**
 * Disks as images of a Ceph pool. A disk is the image `volume-<id>`, as upstream's driver names it; what is being made is `work-<host>-...`
 * until it is whole, and then renamed, so a crash leaves nothing half-made under a disk's name.
 */
export class RbdDisks implements KeptDisks, DiskRoom {
  readonly disks = this;
  readonly #options: RbdDisksOptions;
  readonly #rbd: RbdCommand;
  readonly #scratch: Scratch;
  readonly #locks = new Locks();
  readonly #bases: ImageBases;
  readonly #prefix: string;

  constructor(options: RbdDisksOptions) {
    this.#options = options;
    this.#rbd = new RbdCommand(options.spec);
    this.#scratch = new Scratch(options.scratchDir, options.user);
    this.#bases = new ImageBases(this.#rbd, options.spec, (name, fill) => this.#make(name, fill));
    this.#prefix = `work-${checkId('host', options.host)}-`;
  }

  /** A cluster that does not answer keeps no host from starting: its disks are not there until it does. */
  async start(): Promise<void> {
    await this.#scratch.start();
    await this.#options.bridges.start();
    try {
      for (const image of await this.#rbd.images()) if (image.name.startsWith(this.#prefix)) await this.#rbd.remove(image.name);
    } catch (error) {
      this.#options.log.warn({ backend: this.#options.spec.name, err: error }, 'a storage back end does not answer');
    }
  }

  stop(): Promise<void> {
    return this.#options.bridges.stop();
  }

  readonly resolve: DiskResolver = async (diskId) => this.#options.bridges.open(diskId, this.#rbd.node((await this.#need(diskId)).name));

  async cacheImage(image: ImageSource): Promise<{ readonly virtualSizeBytes: number }> {
    return { virtualSizeBytes: (await this.#base(image)).sizeBytes };
  }

  dropImage(imageId: string): Promise<void> {
    return this.#bases.drop(imageId);
  }

  create(disk: NewDisk): Promise<DiskInfo> {
    if (!Number.isSafeInteger(disk.sizeBytes) || disk.sizeBytes < 0 || disk.sizeBytes % 512 !== 0)
      return Promise.reject(invalidInput('The size of a disk is a whole number of sectors.', { field: 'sizeBytes' }));
    if (disk.encryption) return Promise.reject(this.#unencrypted());
    return this.#with(disk.diskId, async (name) => {
      const found = await this.#rbd.image(name);
      if (found) return describe(disk.diskId, found);
      const { source } = disk;
      switch (source.kind) {
        case 'blank':
          if (disk.sizeBytes === 0) throw invalidInput('The size of a blank disk is not 0.', { field: 'sizeBytes' });
          await this.#rbd.create(name, disk.sizeBytes);
          break;
        case 'image': {
          const base = await this.#base(source.image);
          await this.#cloneOf(base.name, base.snapshot, base.sizeBytes, name, disk.sizeBytes);
          break;
        }
        case 'snapshot': {
          const origin = await this.#need(source.diskId);
          const snapshot = origin.snapshots.find((one) => one.name === source.snapshotId);
          if (!snapshot) throw notFound(`Disk ${source.diskId} has no snapshot ${source.snapshotId}.`);
          await this.#cloneOf(origin.name, snapshot.name, snapshot.sizeBytes, name, disk.sizeBytes);
          break;
        }
        case 'disk': {
          const origin = await this.#need(source.diskId);
          // only the clone needs it: it goes with it
          const moment = `${WORK}${randomBytes(6).toString('hex')}`;
          await this.#rbd.snapshot(origin.name, moment);
          try {
            await this.#cloneOf(origin.name, moment, origin.sizeBytes, name, disk.sizeBytes);
          } finally {
            await this.#rbd.removeSnapshot(origin.name, moment);
          }
          break;
        }
        case 'files':
          throw conflict('Config drives are kept on the hosts themselves.');
      }
      return describe(disk.diskId, await this.#need(disk.diskId));
    });
  }

  receive(disk: ReceivedDisk, data: Readable): Promise<DiskInfo> {
    if (disk.encryption) return Promise.reject(this.#unencrypted());
    return this.#with(disk.diskId, async (name) => {
      const found = await this.#rbd.image(name);
      if (found) data.destroy();
      else {
        await this.#make(name, (work) =>
          this.#scratch.received(data, disk.sizeBytes, async (path) => {
            await this.#rbd.create(work, disk.sizeBytes);
            await this.#rbd.write(path, work, copyMs(disk.sizeBytes));
          }),
        );
      }
      return describe(disk.diskId, found ?? (await this.#need(disk.diskId)));
    });
  }

  remove(diskId: string): Promise<void> {
    return this.#with(diskId, async (name) => {
      if (this.#isOpen(diskId)) throw conflict(`Disk ${diskId} is open in a guest.`);
      await this.#options.bridges.close(diskId);
      await this.#rbd.remove(name);
    });
  }

  async info(diskId: string): Promise<DiskInfo | undefined> {
    const image = await this.#rbd.image(this.#name(diskId));
    return image && describe(diskId, image);
  }

  async list(): Promise<readonly DiskInfo[]> {
    const { name } = this.#options.spec;
    const images = await this.#rbd.images();
    return images.filter((image) => image.name.startsWith(DISK)).map((image) => describe(`${name}.${image.name.slice(DISK.length)}`, image));
  }

  resize(diskId: string, sizeBytes: number): Promise<DiskInfo> {
    if (!Number.isSafeInteger(sizeBytes) || sizeBytes % 512 !== 0)
      return Promise.reject(invalidInput('The size of a disk is a whole number of sectors.', { field: 'sizeBytes' }));
    return this.#with(diskId, async (name) => {
      const image = await this.#need(diskId);
      if (sizeBytes < image.sizeBytes) throw invalidInput('A disk cannot shrink.', { field: 'sizeBytes' });
      if (sizeBytes > image.sizeBytes) await this.#rbd.resize(name, sizeBytes);
      const { bridges, openDisks, showGrown } = this.#options;
      if (this.#isOpen(diskId)) {
        await bridges.renew(diskId);
        for (const guestId of openDisks.holders(diskId)) await showGrown(guestId, diskId, sizeBytes);
      }
      return describe(diskId, { ...image, sizeBytes });
    });
  }

  async snapshot(diskId: string, snapshotId: string): Promise<void> {
    checkId('snapshot', snapshotId);
    return this.#with(diskId, async (name) => {
      await this.#need(diskId);
      await this.#rbd.snapshot(name, snapshotId);
    });
  }

  async removeSnapshot(diskId: string, snapshotId: string): Promise<void> {
    checkId('snapshot', snapshotId);
    return this.#with(diskId, async (name) => {
      await this.#rbd.removeSnapshot(name, snapshotId);
    });
  }

  revert(diskId: string, snapshotId: string): Promise<void> {
    return this.#with(diskId, async (name) => {
      const image = await this.#need(diskId);
      if (this.#isOpen(diskId)) throw conflict(`Disk ${diskId} is open in a guest: it goes back only when no guest has it.`);
      const { snapshots } = describe(diskId, image);
      if (!snapshots.includes(snapshotId)) throw notFound(`Disk ${diskId} has no snapshot ${snapshotId}.`);
      if (snapshots.at(-1) !== snapshotId) throw conflict('A disk goes back only to its newest snapshot.');
      // back to the snapshot's size, too: a disk that grew since stays as large
      await this.#rbd.rollBack(name, snapshotId);
      const now = await this.#need(diskId);
      if (now.sizeBytes < image.sizeBytes) await this.#rbd.resize(name, image.sizeBytes);
    });
  }

  /** A cluster's images bear several writers as they are. */
  async share(diskId: string): Promise<void> {
    await this.#need(diskId);
  }

  export(diskId: string, options: { readonly format: ExportFormat; readonly snapshotId?: string }): ReturnType<KeptDisks['export']> {
    return this.#with(diskId, async (name) => {
      const image = await this.#need(diskId);
      const { snapshotId, format } = options;
      if (snapshotId !== undefined && !image.snapshots.some((one) => one.name === snapshotId)) throw notFound(`Disk ${diskId} has no snapshot ${snapshotId}.`);
      const read = (from: string | undefined) => this.#scratch.stream((path) => this.#rbd.read(name, from, path, format, copyMs(image.sizeBytes)));
      if (snapshotId !== undefined || !this.#isOpen(diskId)) return read(snapshotId);
      // a guest goes on writing: all of the copy is of one moment
      const moment = `${WORK}${randomBytes(6).toString('hex')}`;
      await this.#rbd.snapshot(name, moment);
      try {
        return await read(moment);
      } finally {
        await this.#rbd.removeSnapshot(name, moment);
      }
    });
  }

  capacity(): Promise<{ readonly totalGb: number; readonly freeGb: number }> {
    return this.#rbd.capacity();
  }

  #base(image: ImageSource): ReturnType<ImageBases['ensure']> {
    return this.#bases.ensure(image, async (work) => {
      const file = await this.#options.imageFile(image);
      await this.#rbd.create(work, file.virtualSizeBytes);
      await this.#scratch.raw(file, file.virtualSizeBytes, (path) => this.#rbd.write(path, work, copyMs(file.virtualSizeBytes)));
    });
  }

  async #cloneOf(origin: string, snapshot: string, originBytes: number, name: string, asked: number): Promise<void> {
    const sizeBytes = asked || originBytes;
    if (sizeBytes < originBytes)
      throw invalidInput(`A disk of ${sizeBytes} bytes is too small for its source, which has ${originBytes}.`, { field: 'sizeBytes' });
    if (sizeBytes === originBytes) await this.#rbd.clone(origin, snapshot, name);
    else {
      await this.#make(name, async (work) => {
        await this.#rbd.clone(origin, snapshot, work);
        await this.#rbd.resize(work, sizeBytes);
      });
    }
  }

  /** Has an image filled under a name of its own, which it loses for `name` when it is whole. */
  async #make(name: string, fill: (work: string) => Promise<void>): Promise<void> {
    const work = `${this.#prefix}${randomBytes(6).toString('hex')}`;
    try {
      await fill(work);
      await this.#rbd.rename(work, name);
    } catch (error) {
      await this.#rbd.remove(work).catch(() => {});
      throw error;
    }
  }

  #unencrypted(): CairnError {
    return conflict(`Storage back end ${this.#options.spec.name} does not keep encrypted disks: choose a volume type of another back end.`);
  }

  #isOpen(diskId: string): boolean {
    return this.#options.openDisks.holder(diskId) !== undefined;
  }

  #name(diskId: string): string {
    const own = `${this.#options.spec.name}.`;
    if (!checkId('disk', diskId).startsWith(own)) throw notFound(`Disk ${diskId} is not on storage back end ${this.#options.spec.name}.`);
    return `${DISK}${diskId.slice(own.length)}`;
  }

  async #need(diskId: string): Promise<RbdImage> {
    const image = await this.#rbd.image(this.#name(diskId));
    if (!image) throw notFound(`Disk ${diskId} is not on storage back end ${this.#options.spec.name}.`);
    return image;
  }

  async #with<T>(diskId: string, work: (name: string) => Promise<T>): Promise<T> {
    const name = this.#name(diskId);
    try {
      return await this.#locks.run([name], () => work(name));
    } catch (error) {
      throw asPublic(error, `Storage back end ${this.#options.spec.name} could not do what disk ${diskId} needs.`);
    }
  }
}

const DISK = 'volume-';
/** Snapshots that stand for a moment of a copy, and for nothing that a user made. */
const WORK = 'work-';

const describe = (diskId: string, image: RbdImage): DiskInfo => ({
  diskId,
  pool: 'volume',
  format: 'raw',
  sizeBytes: image.sizeBytes,
  usedBytes: image.usedBytes,
  snapshots: image.snapshots.map((snapshot) => snapshot.name).filter((name) => !name.startsWith(WORK)),
});
