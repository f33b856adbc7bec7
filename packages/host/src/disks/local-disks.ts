import { randomBytes } from 'node:crypto';
import { open, readdir, rm, statfs, truncate } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { conflict, invalidInput, notFound } from '@cairn/kit/errors/errors';
import { type Logger, silentLog } from '@cairn/kit/log/log';
import type { DiskLayer, DiskResolver, ImageResolver, OpenableDisk, OpenDisks } from '../hypervisor/open-disks.ts';
import {
  type DiskFormat,
  type ExportFormat,
  type DiskInfo,
  type KeptDisks,
  type ImageSource,
  LUKS_HEADER_BYTES,
  type NewDisk,
  type ReceivedDisk,
} from '../interface/disks.ts';
import type { ProcessUser } from '../process/command.ts';
import { DiskStore } from './disk-store.ts';
import { asPublic } from './faults.ts';
import { containerBytes, Filling } from './filling.ts';
import { ImageCache } from './image-cache.ts';
import { BASES, Layout, checkId } from './layout.ts';
import { LiveState } from './live.ts';
import { Locks } from './locks.ts';
import { Merger, diskKey } from './merger.ts';
import { type ImageFile, isEmptyLayer, QemuImg } from './qemu-img.ts';
import type { DiskRecord, Layer } from './record.ts';
import { TopLayers } from './top-layer.ts';

const GIB = 2 ** 30;
/** More snapshots than this are refused. */
const LONGEST_CHAIN = 200;

export interface LocalDisksOptions {
  /** Directory of all disks; made when it is not there. */
  readonly dataDir: string;
  readonly openDisks: OpenDisks;
  /** Streams an image's data when it is not a file of this host. */
  readonly openImage: (imageId: string) => Promise<Readable>;
  /** The secret of an encrypted disk. */
  readonly diskKey?: (keyId: string) => Promise<string>;
  /**
   * Whom qemu-img runs as, and whose group may pass through the directories (guests' group). Without it: whoever runs Cairn.
   */
  readonly user?: ProcessUser;
  readonly log?: Logger;
  /** Makes names for files; for tests. */
  readonly token?: () => string;
}

/**
 * Disks in files. Each disk is a chain of layers: the top is written, the others are shared and never change. See README.md for the
 * reasons. What a guest has open is changed by the guest's QEMU (OpenDisks), all else by qemu-img or by hand.
 */
export class LocalDisks implements KeptDisks {
  readonly #options: LocalDisksOptions;
  readonly #layout: Layout;
  readonly #locks = new Locks();
  readonly #live = new LiveState();
  readonly #qemuImg: QemuImg;
  readonly #images: ImageCache;
  readonly #store: DiskStore;
  readonly #merger: Merger;
  readonly #tops: TopLayers;
  readonly #filling: Filling;

  constructor(options: LocalDisksOptions) {
    this.#options = options;
    const log = options.log ?? silentLog;
    const token = options.token ?? (() => randomBytes(6).toString('hex'));
    const { user, openDisks, openImage, diskKey } = options;
    const layout = new Layout(options.dataDir, user);
    const qemuImg = new QemuImg(user ? { user } : {});
    this.#layout = layout;
    this.#qemuImg = qemuImg;
    this.#store = new DiskStore({ layout, token, log, keepsBase: (file) => this.#images.keeps(file) });
    this.#images = new ImageCache({ layout, qemuImg, openImage, token, log, isUsed: (file) => this.#store.use.isUsed(file) });
    const [store, live] = [this.#store, this.#live];
    this.#merger = new Merger({ store, layout, qemuImg, openDisks, locks: this.#locks, live, log });
    this.#tops = new TopLayers({ store, layout, openDisks, live });
    this.#filling = new Filling({ store, layout, images: this.#images, qemuImg, openDisks, live, tops: this.#tops, ...(diskKey && { diskKey }) });
  }

  /** Finds the disks of an earlier run and removes what a crash left half-made. Call it when the hypervisor has found its guests again. */
  async start(): Promise<void> {
    await this.load();
    this.tidy();
  }

  /** The first half of `start`, which touches nothing that a guest may have open. */
  async load(): Promise<void> {
    await this.#layout.prepare();
    for (const name of await readdir(this.#layout.path(this.#layout.work(''))))
      await rm(this.#layout.path(this.#layout.work(name)), { recursive: true, force: true });
    await this.#images.load();
    await this.#store.load();
  }

  /** The other half: begins to make chains short, which needs to know what guests have open. */
  tidy(): void {
    this.#merger.schedule(this.#store.all().map((record) => record.diskId));
  }

  /** Ends work in the background. Nothing is lost by it. */
  stop(): Promise<void> {
    return this.#merger.stop();
  }

  /** Resolves when the background has nothing to do; for tests. */
  idle(): Promise<void> {
    return this.#merger.idle();
  }

  async cacheImage(image: ImageSource): Promise<{ readonly virtualSizeBytes: number }> {
    const { virtualSizeBytes } = await this.#images.ensure(image);
    return { virtualSizeBytes };
  }

  /** An image as a file that was judged: for back ends that copy it. */
  async imageAsFile(image: ImageSource): Promise<ImageFile & { readonly virtualSizeBytes: number }> {
    const { file, format, virtualSizeBytes } = await this.#images.ensure(image);
    return { path: this.#layout.path(file), format, virtualSizeBytes };
  }

  async dropImage(imageId: string): Promise<void> {
    return this.#locks.run([imageKey(imageId)], () => this.#images.drop(imageId));
  }

  /** How a guest opens a disk: its layers, top first. Given to the hypervisor. */
  readonly resolve: DiskResolver = async (diskId) => {
    const found = this.#store.need(diskId);
    if (this.#live.has(diskId)) return this.#openable(found);
    return this.#withDisk(diskId, async () => {
      const record = this.#store.need(diskId);
      // Nobody has it open yet but the one who asks: the layer to come is the one to write.
      const settled = record.pending ? await this.#tops.settle(record) : record;
      return this.#openable(settled);
    });
  };

  /** The file of a cached kernel or ramdisk. Given to the hypervisor. */
  readonly imageFile: ImageResolver = async (imageId) => {
    const image = this.#images.get(imageId);
    if (!image) throw notFound(`Image ${imageId} is not on this host.`);
    if (image.format !== 'raw') throw conflict(`Image ${imageId} is no kernel or ramdisk: its format is ${image.format}.`);
    return this.#layout.path(image.file);
  };

  async create(disk: NewDisk): Promise<DiskInfo> {
    checkId('disk', disk.diskId);
    if (!Number.isSafeInteger(disk.sizeBytes) || disk.sizeBytes < 0)
      throw invalidInput('The size of a disk is a whole number of bytes.', { field: 'sizeBytes' });
    const { source } = disk;
    // The download does not hold up others who want the disk, and is shared between disks.
    if (source.kind === 'image' && !this.#store.get(disk.diskId)) await this.#images.ensure(source.image);
    const keys = [diskKey(disk.diskId)];
    if (source.kind === 'image') keys.push(imageKey(source.image.imageId));
    if (source.kind === 'snapshot' || source.kind === 'disk') {
      keys.push(diskKey(source.diskId));
    }
    const giving = source.kind === 'snapshot' || source.kind === 'disk' ? source.diskId : disk.diskId;
    return this.#locked(giving, keys, async () => {
      const found = this.#store.get(disk.diskId);
      if (found) return this.#describe(found);
      const started = await this.#filling.fill(disk, source);
      try {
        return await this.#describe(await this.#store.put({ ...beginning(disk), ...started }));
      } catch (error) {
        await this.#store.discard(started.layers[0] as Layer);
        throw error;
      }
    });
  }

  receive(disk: ReceivedDisk, data: Readable): Promise<DiskInfo> {
    return this.#withDisk(disk.diskId, async () => {
      const found = this.#store.get(disk.diskId);
      if (found) {
        data.destroy();
        return this.#describe(found);
      }
      const layer = await this.#filling.receive(disk, data);
      try {
        return await this.#describe(await this.#store.put({ ...beginning(disk), sizeBytes: containerBytes(disk), layers: [layer] }));
      } catch (error) {
        await this.#store.discard(layer);
        throw error;
      }
    });
  }

  /** True when nothing has been written to a disk since it was made of this snapshot. Not asked of a disk that is open in a guest. */
  isFresh(diskId: string, of: { readonly diskId: string; readonly snapshotId: string }): Promise<boolean> {
    return this.#withDisk(diskId, async () => {
      const record = this.#store.get(diskId);
      const snapshot = this.#store.get(of.diskId)?.snapshots.find((one) => one.snapshotId === of.snapshotId);
      if (!record || !snapshot || record.pending || record.snapshots.length > 0) return false;
      const [top, ...lower] = record.layers;
      const same = lower.length === snapshot.layers.length && lower.every((layer, i) => layer.file === snapshot.layers[i]?.file);
      return same && top !== undefined && (await isEmptyLayer(this.#layout.path(top.file)));
    });
  }

  remove(diskId: string): Promise<void> {
    return this.#withDisk(diskId, async () => {
      const record = this.#store.get(diskId);
      if (!record) return;
      if (this.#tops.isOpen(diskId)) throw conflict(`Disk ${diskId} is open in a guest.`);
      await this.#store.delete(record);
      // What was shared may now carry one disk alone.
      const shared = [record.layers, ...record.snapshots.map((s) => s.layers)].flat().filter((layer) => !layer.file.startsWith(`${BASES}/`));
      this.#merger.schedule(new Set(shared.flatMap((layer) => this.#store.usersOf(layer.file))));
    });
  }

  async info(diskId: string): Promise<DiskInfo | undefined> {
    const record = this.#store.get(diskId);
    return record && this.#describe(record);
  }

  async list(): Promise<readonly DiskInfo[]> {
    return Promise.all(this.#store.all().map((record) => this.#describe(record)));
  }

  resize(diskId: string, sizeBytes: number): Promise<DiskInfo> {
    if (!Number.isSafeInteger(sizeBytes) || sizeBytes % 512 !== 0)
      return Promise.reject(invalidInput('The size of a disk is a whole number of sectors.', { field: 'sizeBytes' }));
    return this.#withDisk(diskId, async () => {
      const record = await this.#tops.settled(diskId);
      const wholeBytes = sizeBytes + headerBytes(record);
      if (wholeBytes < record.sizeBytes) throw invalidInput('A disk cannot shrink.', { field: 'sizeBytes' });
      if (wholeBytes === record.sizeBytes) return this.#describe(record);
      const top = record.layers[0] as Layer;
      if (await this.#resizeInGuest(diskId, sizeBytes)) {
        // and the record follows
      } else if (top.format === 'raw') await truncate(this.#layout.path(top.file), wholeBytes);
      else {
        await this.#layout.lend(top.file);
        await this.#qemuImg.resize(this.#absolute(record.layers), wholeBytes);
      }
      return this.#describe(await this.#store.put({ ...record, sizeBytes: wholeBytes }));
    });
  }

  /** Grows a disk in the guest that has it open; false: none has, or it ended meanwhile. */
  async #resizeInGuest(diskId: string, sizeBytes: number): Promise<boolean> {
    if (!this.#tops.isOpen(diskId)) return false;
    try {
      await this.#live.during(diskId, () => this.#options.openDisks.resize(diskId, sizeBytes));
      return true;
    } catch (error) {
      if (this.#tops.isOpen(diskId)) throw error;
      return false;
    }
  }

  async snapshot(diskId: string, snapshotId: string): Promise<void> {
    checkId('snapshot', snapshotId);
    return this.#withDisk(diskId, async () => {
      const record = await this.#tops.settled(diskId);
      if (record.snapshots.some((s) => s.snapshotId === snapshotId)) return;
      if (record.layers.length >= LONGEST_CHAIN) throw conflict(`Disk ${diskId} has too many snapshots: remove some first.`);
      if (record.shared) await this.#copyAside(record, snapshotId);
      else await this.#tops.cover(record, snapshotId);
    });
  }

  removeSnapshot(diskId: string, snapshotId: string): Promise<void> {
    return this.#withDisk(diskId, async () => {
      if (!this.#store.get(diskId)) return;
      const record = await this.#tops.settled(diskId);
      const snapshots = record.snapshots.filter((s) => s.snapshotId !== snapshotId);
      if (snapshots.length === record.snapshots.length) return;
      await this.#store.put({ ...record, snapshots });
      this.#merger.schedule([diskId]);
    });
  }

  revert(diskId: string, snapshotId: string): Promise<void> {
    return this.#withDisk(diskId, async () => {
      const record = await this.#tops.settled(diskId);
      if (this.#tops.isOpen(diskId)) throw conflict(`Disk ${diskId} is open in a guest: it goes back only when no guest has it.`);
      const newest = record.snapshots.at(-1);
      if (!record.snapshots.some((s) => s.snapshotId === snapshotId)) throw notFound(`Disk ${diskId} has no snapshot ${snapshotId}.`);
      if (newest?.snapshotId !== snapshotId) throw conflict('A disk goes back only to its newest snapshot.');
      if (record.shared) {
        await this.#put({ ...record, layers: [await this.#filling.copied(record, newest.layers, 'raw')] });
        return;
      }
      const top = await this.#store.newOverlay(record, record.sizeBytes, newest.layers);
      await this.#store.put({ ...record, layers: [top, ...newest.layers] });
      this.#merger.schedule([diskId]);
    });
  }

  share(diskId: string): Promise<void> {
    return this.#withDisk(diskId, async () => {
      const record = await this.#tops.settled(diskId);
      if (record.shared) return;
      const isOneRaw = record.layers.length === 1 && record.layers[0]?.format === 'raw';
      if (!isOneRaw && this.#tops.isOpen(diskId)) throw conflict(`Disk ${diskId} is open in a guest that has to end before several can have it.`);
      await this.#put({ ...record, shared: true, layers: isOneRaw ? record.layers : [await this.#filling.copied(record, undefined, 'raw')] });
      // what it stood on may now carry another alone
      this.#merger.schedule(new Set(record.layers.flatMap((layer) => this.#store.usersOf(layer.file))));
    });
  }

  /** A snapshot of a disk whose top layer stays: what it holds now, copied. */
  async #copyAside(record: DiskRecord, snapshotId: string): Promise<void> {
    const layer = await this.#filling.copied(record, undefined, 'qcow2');
    await this.#put({ ...record, snapshots: [...record.snapshots, { snapshotId, sizeBytes: record.sizeBytes, layers: [layer] }] }, layer);
    await this.#layout.freeze(layer.file);
  }

  /** As the store's, for a record with a new layer, which goes when the record cannot be written. */
  async #put(record: DiskRecord, made: Layer = record.layers[0] as Layer): Promise<void> {
    try {
      await this.#store.put(record);
    } catch (error) {
      if (!this.#store.use.isUsed(made.file)) await this.#store.discard(made);
      throw error;
    }
  }

  export(
    diskId: string,
    options: { readonly format: ExportFormat; readonly snapshotId?: string },
  ): Promise<{ readonly stream: Readable; readonly sizeBytes: number }> {
    return this.#withDisk(diskId, async () => {
      const record = await this.#tops.settled(diskId);
      const snapshot = options.snapshotId === undefined ? undefined : record.snapshots.find((s) => s.snapshotId === options.snapshotId);
      if (options.snapshotId !== undefined && !snapshot) throw notFound(`Disk ${diskId} has no snapshot ${options.snapshotId}.`);
      const work = this.#layout.work(`export.${randomBytes(6).toString('hex')}`);
      try {
        await (await open(this.#layout.path(work), 'wx', 0o600)).close();
        await this.#layout.lend(work);
        await this.#filling.exportTo(record, snapshot?.layers, work, options.format);
        const file = await open(this.#layout.path(work), 'r');
        // Nameless from here on: it goes with its last reader, even when that is a crash.
        await rm(this.#layout.path(work));
        return { stream: file.createReadStream({ highWaterMark: 1024 * 1024 }), sizeBytes: (await file.stat()).size };
      } catch (error) {
        await rm(this.#layout.path(work), { force: true });
        throw asPublic(error, `Disk ${diskId} cannot be copied at the moment.`);
      }
    });
  }

  async capacity(): Promise<{ readonly totalGb: number; readonly freeGb: number }> {
    const { blocks, bavail, bsize } = await statfs(this.#options.dataDir);
    return { totalGb: (blocks * bsize) / GIB, freeGb: (bavail * bsize) / GIB };
  }

  #openable(record: DiskRecord): OpenableDisk {
    return { layers: this.#absolute(record.layers), ...(record.keyId !== undefined && { keyId: record.keyId }) };
  }

  #absolute(layers: readonly Layer[]): readonly { readonly path: string; readonly format: DiskFormat }[] {
    return layers.map(({ file, format }) => ({ format, path: this.#layout.path(file) })) satisfies readonly DiskLayer[];
  }

  async #withDisk<T>(diskId: string, work: () => Promise<T>): Promise<T> {
    checkId('disk', diskId);
    return this.#locked(diskId, [diskKey(diskId)], work);
  }

  #locked<T>(diskId: string, keys: readonly string[], work: () => Promise<T>): Promise<T> {
    return this.#merger.giveWay(diskId, (hasLock) =>
      this.#locks.run(keys, () => {
        hasLock();
        return work();
      }),
    );
  }

  async #describe(record: DiskRecord): Promise<DiskInfo> {
    const { diskId, keyId } = record;
    return {
      diskId,
      pool: record.pool,
      sizeBytes: record.sizeBytes - headerBytes(record),
      format: (record.layers[0] as Layer).format,
      usedBytes: await this.#store.usedBytes(record),
      snapshots: record.snapshots.map((s) => s.snapshotId),
      ...(keyId !== undefined && { keyId }),
    };
  }
}

/** How much of the disk guests do not see. */
const headerBytes = (record: DiskRecord): number => (record.keyId === undefined ? 0 : LUKS_HEADER_BYTES);

/** What a record says whatever the disk's content. */
const beginning = (disk: NewDisk | ReceivedDisk): Pick<DiskRecord, 'version' | 'diskId' | 'pool' | 'snapshots' | 'keyId'> => ({
  version: 1,
  diskId: disk.diskId,
  pool: disk.pool,
  snapshots: [],
  ...(disk.encryption && { keyId: disk.encryption.keyId }),
});

const imageKey = (imageId: string): string => `image:${checkId('image', imageId)}`;
