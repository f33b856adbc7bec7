import { randomBytes } from 'node:crypto';
import { open, readdir, rm, statfs, truncate, writeFile } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { type CairnError, conflict, invalidInput, isCairnError, notFound, unavailable } from '@cairn/kit/errors/errors';
import { type Logger, silentLog } from '@cairn/kit/log/log';
import type { DiskLayer, DiskResolver, ImageResolver, OpenDisks } from '../hypervisor/open-disks.ts';
import type { DiskFormat, DiskInfo, Disks, DiskSource, ImageSource, NewDisk } from '../interface/disks.ts';
import type { ProcessUser } from '../process/command.ts';
import { DiskStore } from './disk-store.ts';
import { ImageCache, sync } from './image-cache.ts';
import { writeIso } from './iso9660.ts';
import { BASES, Layout, checkId } from './layout.ts';
import { LiveState } from './live.ts';
import { Locks } from './locks.ts';
import { Merger, diskKey } from './merger.ts';
import { writeEmptyQcow2 } from './qcow2-file.ts';
import { QemuImg, isEmptyLayer } from './qemu-img.ts';
import type { DiskRecord, Layer } from './record.ts';

const GIB = 2 ** 30;
/** From here on a clone is a copy: every layer is a file that QEMU opens, and a look-up on the way to the data. */
const LONG_CHAIN = 32;
/** More snapshots than this are refused. */
const LONGEST_CHAIN = 200;

export interface LocalDisksOptions {
  /** Directory of all disks; made when it is not there. */
  readonly dataDir: string;
  readonly openDisks: OpenDisks;
  /** Streams an image's data when it is not a file of this host. */
  readonly openImage: (imageId: string) => Promise<Readable>;
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
export class LocalDisks implements Disks {
  readonly #options: LocalDisksOptions;
  readonly #layout: Layout;
  readonly #locks = new Locks();
  readonly #live = new LiveState();
  readonly #qemuImg: QemuImg;
  readonly #images: ImageCache;
  readonly #store: DiskStore;
  readonly #merger: Merger;

  constructor(options: LocalDisksOptions) {
    this.#options = options;
    const log = options.log ?? silentLog;
    const token = options.token ?? (() => randomBytes(6).toString('hex'));
    const { user, openDisks, openImage } = options;
    const layout = new Layout(options.dataDir, user);
    const qemuImg = new QemuImg(user ? { user } : {});
    this.#layout = layout;
    this.#qemuImg = qemuImg;
    this.#store = new DiskStore({ layout, token, log, keepsBase: (file) => this.#images.keeps(file) });
    this.#images = new ImageCache({ layout, qemuImg, openImage, token, log, isUsed: (file) => this.#store.use.isUsed(file) });
    this.#merger = new Merger({ store: this.#store, layout, qemuImg, openDisks, locks: this.#locks, live: this.#live, log });
  }

  /** Finds the disks of an earlier run and removes what a crash left half-made. Call it when the hypervisor has found its guests again. */
  async start(): Promise<void> {
    await this.#layout.prepare();
    for (const name of await readdir(this.#layout.path(this.#layout.work('')))) await rm(this.#layout.path(this.#layout.work(name)), { recursive: true, force: true });
    await this.#images.load();
    await this.#store.load();
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

  async dropImage(imageId: string): Promise<void> {
    return this.#locks.run([imageKey(imageId)], () => this.#images.drop(imageId));
  }

  /** How a guest opens a disk: its layers, top first. Given to the hypervisor. */
  readonly resolve: DiskResolver = async (diskId) => {
    const found = this.#store.need(diskId);
    if (this.#live.has(diskId)) return { layers: this.#absolute(found.layers) };
    return this.#withDisk(diskId, async () => {
      const record = this.#store.need(diskId);
      // Nobody has it open yet but the one who asks: the layer to come is the one to write.
      const settled = record.pending ? await this.#settle(record) : record;
      return { layers: this.#absolute(settled.layers) };
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
    if (!Number.isSafeInteger(disk.sizeBytes) || disk.sizeBytes < 0) throw invalidInput('The size of a disk is a whole number of bytes.', { field: 'sizeBytes' });
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
      const started = await this.#fill(disk, source);
      try {
        return await this.#describe(await this.#store.put({ version: 1, diskId: disk.diskId, pool: disk.pool, snapshots: [], ...started }));
      } catch (error) {
        await this.#store.discard(started.layers[0] as Layer);
        throw error;
      }
    });
  }

  remove(diskId: string): Promise<void> {
    return this.#withDisk(diskId, async () => {
      const record = this.#store.get(diskId);
      if (!record) return;
      if (this.#isOpen(diskId)) throw conflict(`Disk ${diskId} is open in a guest.`);
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
    if (!Number.isSafeInteger(sizeBytes) || sizeBytes % 512 !== 0) return Promise.reject(invalidInput('The size of a disk is a whole number of sectors.', { field: 'sizeBytes' }));
    return this.#withDisk(diskId, async () => {
      const record = await this.#settled(diskId);
      if (sizeBytes < record.sizeBytes) throw invalidInput('A disk cannot shrink.', { field: 'sizeBytes' });
      if (sizeBytes === record.sizeBytes) return this.#describe(record);
      const top = record.layers[0] as Layer;
      const openDisks = this.#options.openDisks;
      if (this.#isOpen(diskId)) await this.#live.during(diskId, () => openDisks.resize(diskId, sizeBytes));
      else if (top.format === 'raw') await truncate(this.#layout.path(top.file), sizeBytes);
      else {
        await this.#layout.lend(top.file);
        await this.#qemuImg.resize(this.#absolute(record.layers), sizeBytes);
      }
      return this.#describe(await this.#store.put({ ...record, sizeBytes }));
    });
  }

  async snapshot(diskId: string, snapshotId: string): Promise<void> {
    checkId('snapshot', snapshotId);
    return this.#withDisk(diskId, async () => {
      const record = await this.#settled(diskId);
      if (record.snapshots.some((s) => s.snapshotId === snapshotId)) return;
      if (record.layers.length >= LONGEST_CHAIN) throw conflict(`Disk ${diskId} has too many snapshots: remove some first.`);
      await this.#cover(record, snapshotId);
    });
  }

  removeSnapshot(diskId: string, snapshotId: string): Promise<void> {
    return this.#withDisk(diskId, async () => {
      if (!this.#store.get(diskId)) return;
      const record = await this.#settled(diskId);
      const snapshots = record.snapshots.filter((s) => s.snapshotId !== snapshotId);
      if (snapshots.length === record.snapshots.length) return;
      await this.#store.put({ ...record, snapshots });
      this.#merger.schedule([diskId]);
    });
  }

  revert(diskId: string, snapshotId: string): Promise<void> {
    return this.#withDisk(diskId, async () => {
      const record = await this.#settled(diskId);
      if (this.#isOpen(diskId)) throw conflict(`Disk ${diskId} is open in a guest: it goes back only when no guest has it.`);
      const newest = record.snapshots.at(-1);
      if (!record.snapshots.some((s) => s.snapshotId === snapshotId)) throw notFound(`Disk ${diskId} has no snapshot ${snapshotId}.`);
      if (newest?.snapshotId !== snapshotId) throw conflict('A disk goes back only to its newest snapshot.');
      const top = await this.#store.newOverlay(record, record.sizeBytes, newest.layers);
      await this.#store.put({ ...record, layers: [top, ...newest.layers] });
      this.#merger.schedule([diskId]);
    });
  }

  export(diskId: string, options: { readonly format: DiskFormat; readonly snapshotId?: string }): Promise<{ readonly stream: Readable; readonly sizeBytes: number }> {
    return this.#withDisk(diskId, async () => {
      const record = await this.#settled(diskId);
      const snapshot = options.snapshotId === undefined ? undefined : record.snapshots.find((s) => s.snapshotId === options.snapshotId);
      if (options.snapshotId !== undefined && !snapshot) throw notFound(`Disk ${diskId} has no snapshot ${options.snapshotId}.`);
      const work = this.#layout.work(`export.${randomBytes(6).toString('hex')}`);
      try {
        await (await open(this.#layout.path(work), 'wx', 0o600)).close();
        await this.#layout.lend(work);
        await this.#copyTo(record, snapshot?.layers, work, options.format);
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

  /** The first layers of a new disk, from its source. */
  async #fill(disk: NewDisk, source: DiskSource): Promise<Pick<DiskRecord, 'sizeBytes' | 'layers'>> {
    switch (source.kind) {
      case 'blank': {
        if (disk.sizeBytes === 0 || disk.sizeBytes % 512 !== 0) throw invalidInput('The size of a blank disk is a whole number of sectors, and not 0.', { field: 'sizeBytes' });
        return { sizeBytes: disk.sizeBytes, layers: [await this.#store.newRaw(disk, disk.sizeBytes)] };
      }
      case 'files': {
        const image = writeIso(source.label, new Map(Object.entries(source.files).map(([path, base64]) => [path, Buffer.from(base64, 'base64')])));
        const layer = await this.#store.newFile(disk, 'raw');
        await writeFile(this.#layout.path(layer.file), image);
        return { sizeBytes: image.length, layers: [layer] };
      }
      case 'image': {
        const base = await this.#images.ensure(source.image);
        return this.#over(disk, base.virtualSizeBytes, [{ file: base.file, format: base.format }]);
      }
      case 'snapshot': {
        const origin = this.#store.need(source.diskId);
        const snapshot = origin.snapshots.find((s) => s.snapshotId === source.snapshotId);
        if (!snapshot) throw notFound(`Disk ${source.diskId} has no snapshot ${source.snapshotId}.`);
        if (snapshot.layers.length < LONG_CHAIN) return this.#over(disk, snapshot.sizeBytes, snapshot.layers);
        return this.#copy(disk, { ...origin, sizeBytes: snapshot.sizeBytes }, snapshot.layers);
      }
      case 'disk': {
        const origin = await this.#settled(source.diskId);
        if (origin.layers.length >= LONG_CHAIN) return this.#copy(disk, origin, undefined);
        return this.#over(disk, origin.sizeBytes, await this.#frozen(origin));
      }
    }
  }

  #size(disk: NewDisk, sourceBytes: number): number {
    const sizeBytes = disk.sizeBytes || sourceBytes;
    if (sizeBytes < sourceBytes) throw invalidInput(`A disk of ${sizeBytes} bytes is too small for its source, which has ${sourceBytes}.`, { field: 'sizeBytes' });
    if (sizeBytes % 512 !== 0) throw invalidInput('The size of a disk is a whole number of sectors.', { field: 'sizeBytes' });
    return sizeBytes;
  }

  async #over(disk: NewDisk, sourceBytes: number, layers: readonly Layer[]): Promise<Pick<DiskRecord, 'sizeBytes' | 'layers'>> {
    const sizeBytes = this.#size(disk, sourceBytes);
    return { sizeBytes, layers: [await this.#store.newOverlay(disk, sizeBytes, layers), ...layers] };
  }

  /** A copy of a whole chain in one layer. */
  async #copy(disk: NewDisk, origin: DiskRecord, layers: readonly Layer[] | undefined): Promise<Pick<DiskRecord, 'sizeBytes' | 'layers'>> {
    const sizeBytes = this.#size(disk, origin.sizeBytes);
    const layer = await this.#store.newFile(disk, 'qcow2');
    try {
      await this.#copyTo(origin, layers, layer.file, 'qcow2');
      if (sizeBytes > origin.sizeBytes) await this.#qemuImg.resize(this.#absolute([layer]), sizeBytes);
      return { sizeBytes, layers: [layer] };
    } catch (error) {
      await this.#store.discard(layer);
      throw error;
    }
  }

  /** Writes a disk (or the given layers of it) to an existing empty file, whole. */
  async #copyTo(record: DiskRecord, layers: readonly Layer[] | undefined, file: string, format: DiskFormat): Promise<void> {
    const path = this.#layout.path(file);
    const { openDisks } = this.#options;
    if (layers === undefined && this.#isOpen(record.diskId)) {
      if (format === 'raw') await truncate(path, record.sizeBytes);
      else await writeEmptyQcow2(path, record.sizeBytes);
      await this.#live.during(record.diskId, () => openDisks.backupTo(record.diskId, { format, path }));
    } else {
      const chain = layers ?? record.layers;
      if (layers === undefined) await this.#layout.lend((record.layers[0] as Layer).file);
      await this.#qemuImg.convert(this.#absolute(chain), path, format, { sourceBytes: record.sizeBytes });
    }
    await sync(path);
  }

  /** The disk's content as layers that do not change any more; the disk goes on in a new one. */
  async #frozen(record: DiskRecord): Promise<readonly Layer[]> {
    const [top, ...rest] = record.layers;
    // Nothing was written since the last time: what lies below is the content.
    const unwritten = top?.format === 'qcow2' && rest.length > 0 && !this.#isOpen(record.diskId) && (await isEmptyLayer(this.#layout.path(top.file)));
    if (unwritten) return rest;
    await this.#cover(record, undefined);
    return record.layers;
  }

  /** Puts a new layer on top of a disk, in its guest if one has it open; what was on top does not change any more. */
  async #cover(record: DiskRecord, snapshotId: string | undefined): Promise<DiskRecord> {
    const { diskId } = record;
    if (this.#options.openDisks.holders(diskId).length > 1) throw conflict(`Disk ${diskId} is open in several guests: that has to end first.`);
    const layer = await this.#store.newOverlay(record, record.sizeBytes, record.layers);
    const pending = { ...record, pending: { layer, ...(snapshotId === undefined ? {} : { snapshotId }) } };
    try {
      if (this.#isOpen(diskId)) await this.#store.put(pending);
    } catch (error) {
      await this.#store.discard(layer);
      throw error;
    }
    return this.#settle(pending);
  }

  async #settled(diskId: string): Promise<DiskRecord> {
    const record = this.#store.need(diskId);
    return record.pending ? this.#settle(record) : record;
  }

  /** Carries a new top layer through: asks the guest to move to it, if one has the disk open, and records it. */
  async #settle(record: DiskRecord): Promise<DiskRecord> {
    const { diskId, pending, ...rest } = record;
    if (!pending) return record;
    const { openDisks } = this.#options;
    const [target] = this.#absolute([pending.layer]);
    // A guest may end and another begin meanwhile. The last look at the holder and the record's change have no guest between them: who
    // comes then waits for the disk's lock in `resolve`.
    for (let attempt = 1; target && this.#isOpen(diskId); attempt++) {
      try {
        await this.#live.during(diskId, () => openDisks.snapshotTo(diskId, target));
        break;
      } catch (error) {
        if (!this.#isOpen(diskId)) continue;
        const top = await this.#live.during(diskId, () => openDisks.layers(diskId)).then((layers) => layers[0], () => undefined);
        if (top && 'path' in top && top.path === target.path) break;
        if (attempt < 3) continue;
        // The guest writes where it wrote before, for certain: as if nothing had been.
        if (top && 'path' in top && top.path === this.#absolute(record.layers)[0]?.path) await this.#store.put({ ...rest, diskId });
        throw asPublic(error, `Disk ${diskId} could not be given a new layer in its guest.`);
      }
    }
    const { snapshotId } = pending;
    const snapshots = snapshotId === undefined ? record.snapshots : [...record.snapshots, { snapshotId, sizeBytes: record.sizeBytes, layers: record.layers }];
    const done = await this.#store.put({ ...rest, diskId, layers: [pending.layer, ...record.layers], snapshots });
    await this.#layout.freeze((record.layers[0] as Layer).file);
    return done;
  }

  #isOpen(diskId: string): boolean {
    return this.#options.openDisks.holder(diskId) !== undefined;
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
    const { diskId, sizeBytes } = record;
    return { diskId, sizeBytes, format: (record.layers[0] as Layer).format, usedBytes: await this.#store.usedBytes(record), snapshots: record.snapshots.map((s) => s.snapshotId) };
  }
}

const imageKey = (imageId: string): string => `image:${checkId('image', imageId)}`;

/** Errors of programs and the file system name paths: only their log entry may. */
function asPublic(error: unknown, message: string): CairnError {
  return isCairnError(error) ? error : unavailable(message, { detail: String(error), cause: error });
}
