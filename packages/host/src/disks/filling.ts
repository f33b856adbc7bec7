import { randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rm, truncate, writeFile } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { conflict, invalidInput, notFound, unavailable } from '@cairn/kit/errors/errors';
import type { OpenDisks } from '../hypervisor/open-disks.ts';
import { checkEncryption } from '../interface/disk-encryption.ts';
import {
  type DiskEncryption,
  type DiskFormat,
  type ExportFormat,
  type DiskSource,
  LUKS_HEADER_BYTES,
  type NewDisk,
  type ReceivedDisk,
} from '../interface/disks.ts';
import type { DiskStore } from './disk-store.ts';
import { type ImageCache, sync } from './image-cache.ts';
import { writeIso } from './iso9660.ts';
import type { Layout } from './layout.ts';
import type { LiveState } from './live.ts';
import { writeLuks } from './luks.ts';
import { asPublic } from './faults.ts';
import { checkStandalone, writeEmptyQcow2 } from './qcow2-file.ts';
import type { QemuImg } from './qemu-img.ts';
import type { DiskRecord, Layer } from './record.ts';
import type { TopLayers } from './top-layer.ts';

/** From here on a clone is a copy: every layer is a file that QEMU opens, and a look-up on the way to the data. */
const LONG_CHAIN = 32;

export interface FillingOptions {
  readonly store: DiskStore;
  readonly layout: Layout;
  readonly images: ImageCache;
  readonly qemuImg: QemuImg;
  readonly openDisks: OpenDisks;
  readonly live: LiveState;
  readonly tops: TopLayers;
  /** The secret of an encrypted disk. */
  readonly diskKey?: (keyId: string) => Promise<string>;
}

type Filled = Pick<DiskRecord, 'sizeBytes' | 'layers'>;

/** Gives new disks their content, and copies disks whole. All under the locks of the disks and images that take part. */
export class Filling {
  readonly #options: FillingOptions;

  constructor(options: FillingOptions) {
    this.#options = options;
  }

  /** The first layers of a new disk, from its source. */
  async fill(disk: NewDisk, source: DiskSource): Promise<Filled> {
    if (source.kind === 'disk' && source.recrypt) return this.#recrypted(disk, source.diskId);
    if (disk.encryption) return this.#encrypted(disk, disk.encryption, source);
    return this.#plain(disk, source);
  }

  async #plain(disk: NewDisk, source: DiskSource): Promise<Filled> {
    switch (source.kind) {
      case 'blank': {
        checkBlank(disk);
        return { sizeBytes: disk.sizeBytes, layers: [await this.#options.store.newRaw(disk, disk.sizeBytes)] };
      }
      case 'files': {
        const image = writeIso(source.label, new Map(Object.entries(source.files).map(([path, base64]) => [path, Buffer.from(base64, 'base64')])));
        const layer = await this.#options.store.newFile(disk, 'raw');
        await writeFile(this.#options.layout.path(layer.file), image);
        return { sizeBytes: image.length, layers: [layer] };
      }
      case 'image': {
        const base = await this.#options.images.ensure(source.image);
        return this.#over(disk, base.virtualSizeBytes, [{ file: base.file, format: base.format }]);
      }
      case 'snapshot': {
        const origin = this.#options.store.need(source.diskId);
        checkAlike(disk, origin);
        const snapshot = origin.snapshots.find((s) => s.snapshotId === source.snapshotId);
        if (!snapshot) throw notFound(`Disk ${source.diskId} has no snapshot ${source.snapshotId}.`);
        if (snapshot.layers.length < LONG_CHAIN) return this.#over(disk, snapshot.sizeBytes, snapshot.layers);
        return this.#copy(disk, { ...origin, sizeBytes: snapshot.sizeBytes }, snapshot.layers);
      }
      case 'disk': {
        const origin = await this.#options.tops.settled(source.diskId);
        checkAlike(disk, origin);
        if (origin.shared || origin.layers.length >= LONG_CHAIN) return this.#copy(disk, origin, undefined);
        return this.#over(disk, origin.sizeBytes, await this.#options.tops.frozen(origin));
      }
    }
  }

  /** What is encrypted already is taken as it is stored, header included; a header is written, or an image encrypted, where there was none. */
  async #encrypted(disk: NewDisk, encryption: DiskEncryption, source: DiskSource): Promise<Filled> {
    checkEncryption(encryption);
    if (source.kind === 'snapshot' || source.kind === 'disk' || (source.kind === 'image' && source.image.encrypted))
      return this.#plain({ ...disk, sizeBytes: disk.sizeBytes && disk.sizeBytes + LUKS_HEADER_BYTES }, source);
    if (source.kind === 'files') throw invalidInput('Disks of files are not encrypted.');
    if (source.kind === 'blank') checkBlank(disk);
    const base = source.kind === 'image' ? await this.#options.images.ensure(source.image) : undefined;
    const sizeBytes = this.#size(disk, base?.virtualSizeBytes ?? 512);
    return this.#luks(disk, encryption, sizeBytes, async (path, secret) => {
      if (!base) return;
      const chain = this.#options.store.absolute([{ file: base.file, format: base.format }]);
      await this.#withSecretFile(secret, (to) => this.#options.qemuImg.recrypt(chain, path, { to }, { sourceBytes: base.virtualSizeBytes }));
    });
  }

  /** A new LUKS disk in a layer of its own, which `write` fills. */
  async #luks(disk: NewDisk, encryption: DiskEncryption, sizeBytes: number, write: (path: string, secret: string) => Promise<void>): Promise<Filled> {
    const { store, layout } = this.#options;
    const secret = await this.#secret(encryption.keyId);
    const layer = await store.newFile(disk, 'raw');
    try {
      const path = layout.path(layer.file);
      await writeLuks(path, sizeBytes, secret, encryption);
      await write(path, secret);
      await sync(path);
      return { sizeBytes: sizeBytes + LUKS_HEADER_BYTES, layers: [layer] };
    } catch (error) {
      await store.discard(layer);
      throw error;
    }
  }

  /** What a guest would see of a closed disk, in a new disk whose encryption is another. */
  async #recrypted(disk: NewDisk, originId: string): Promise<Filled> {
    const { store, layout, tops, qemuImg } = this.#options;
    const origin = await tops.settled(originId);
    if (tops.isOpen(originId)) throw conflict(`Disk ${originId} is open in a guest.`);
    const sourceBytes = origin.sizeBytes - (origin.keyId === undefined ? 0 : LUKS_HEADER_BYTES);
    const sizeBytes = this.#size(disk, sourceBytes);
    await layout.lend((origin.layers[0] as Layer).file);
    const chain = store.absolute(origin.layers);
    const withOrigin = async (work: (from: string | undefined) => Promise<void>): Promise<void> =>
      origin.keyId === undefined ? work(undefined) : this.#withSecretFile(await this.#secret(origin.keyId), work);
    if (disk.encryption) {
      return this.#luks(disk, disk.encryption, sizeBytes, (path, secret) =>
        this.#withSecretFile(secret, (to) => withOrigin((from) => qemuImg.recrypt(chain, path, { from, to }, { sourceBytes }))),
      );
    }
    const layer = await store.newFile(disk, 'qcow2');
    try {
      const path = layout.path(layer.file);
      await withOrigin((from) => qemuImg.recrypt(chain, path, { from }, { sourceBytes }));
      if (sizeBytes > sourceBytes) await qemuImg.resize(store.absolute([layer]), sizeBytes);
      await sync(path);
      return { sizeBytes, layers: [layer] };
    } catch (error) {
      await store.discard(layer);
      throw error;
    }
  }

  async #secret(keyId: string): Promise<string> {
    const { diskKey } = this.#options;
    if (!diskKey) throw unavailable('This host has nobody to ask for the keys of encrypted disks.');
    return diskKey(keyId);
  }

  /** qemu-img reads secrets from files alone: this one is its own user's, and goes at once when it is done, or at the next start. */
  async #withSecretFile(secret: string, work: (path: string) => Promise<void>): Promise<void> {
    const { layout } = this.#options;
    const file = layout.work(`key.${randomBytes(8).toString('hex')}`);
    try {
      await writeFile(layout.path(file), secret, { mode: 0o600, flag: 'wx' });
      await layout.lend(file);
      await work(layout.path(file));
    } finally {
      await rm(layout.path(file), { force: true });
    }
  }

  #size(disk: NewDisk, sourceBytes: number): number {
    const sizeBytes = disk.sizeBytes || sourceBytes;
    if (sizeBytes < sourceBytes)
      throw invalidInput(`A disk of ${sizeBytes} bytes is too small for its source, which has ${sourceBytes}.`, { field: 'sizeBytes' });
    if (sizeBytes % 512 !== 0) throw invalidInput('The size of a disk is a whole number of sectors.', { field: 'sizeBytes' });
    return sizeBytes;
  }

  async #over(disk: NewDisk, sourceBytes: number, layers: readonly Layer[]): Promise<Filled> {
    const sizeBytes = this.#size(disk, sourceBytes);
    return { sizeBytes, layers: [await this.#options.store.newOverlay(disk, sizeBytes, layers), ...layers] };
  }

  /** A copy of a whole chain in one layer. */
  async #copy(disk: NewDisk, origin: DiskRecord, layers: readonly Layer[] | undefined): Promise<Filled> {
    const sizeBytes = this.#size(disk, origin.sizeBytes);
    if (layers === undefined) this.#checkStill(origin);
    const layer = await this.#options.store.newFile(disk, 'qcow2');
    try {
      await this.copyTo(origin, layers, layer.file, 'qcow2');
      // A guest's QEMU may have written it.
      await this.#options.layout.lend(layer.file);
      if (sizeBytes > origin.sizeBytes) await this.#options.qemuImg.resize(this.#options.store.absolute([layer]), sizeBytes);
      return { sizeBytes, layers: [layer] };
    } catch (error) {
      await this.#options.store.discard(layer);
      throw error;
    }
  }

  /** No moment of a disk can be copied while several guests write to it. */
  #checkStill({ diskId }: DiskRecord): void {
    if (this.#options.openDisks.holders(diskId).length > 1) throw conflict(`Disk ${diskId} is open in several guests: that has to end first.`);
  }

  /** What a disk holds, or held at a snapshot, as one new layer. */
  async copied(record: DiskRecord, layers: readonly Layer[] | undefined, format: DiskFormat): Promise<Layer> {
    if (layers === undefined) this.#checkStill(record);
    const { store, layout } = this.#options;
    const layer = await store.newFile(record, format);
    try {
      await this.copyTo(record, layers, layer.file, format);
      if (format === 'raw') await truncate(layout.path(layer.file), record.sizeBytes);
      return layer;
    } catch (error) {
      await store.discard(layer);
      throw asPublic(error, `Disk ${record.diskId} cannot be copied at the moment.`);
    }
  }

  /** The layer of a disk that came from another host. */
  async receive(disk: ReceivedDisk, data: Readable): Promise<Layer> {
    const { store, layout } = this.#options;
    const layer = await store.newFile(disk, 'qcow2');
    const path = layout.path(layer.file);
    try {
      await pipeline(data, createWriteStream(path, { flags: 'w', highWaterMark: 1024 * 1024 }));
      await checkStandalone(path, containerBytes(disk));
      await sync(path);
      return layer;
    } catch (error) {
      await store.discard(layer);
      throw asPublic(error, `Disk ${disk.diskId} could not be brought to this host.`);
    }
  }

  /** As copyTo, in any format: what guests' QEMU cannot write itself is converted from a copy. */
  async exportTo(record: DiskRecord, layers: readonly Layer[] | undefined, file: string, format: ExportFormat): Promise<void> {
    if (format === 'raw' || format === 'qcow2') return this.copyTo(record, layers, file, format);
    const { layout, qemuImg } = this.#options;
    const copy = `${file}.copy`;
    try {
      await writeFile(layout.path(copy), '', { mode: 0o600, flag: 'wx' });
      await layout.lend(copy);
      await this.copyTo(record, layers, copy, 'qcow2');
      // a guest's QEMU may have written it
      await layout.lend(copy);
      await qemuImg.convert([{ path: layout.path(copy), format: 'qcow2' }], layout.path(file), format, { sourceBytes: record.sizeBytes });
      await sync(layout.path(file));
    } finally {
      await rm(layout.path(copy), { force: true });
    }
  }

  /** Writes a disk (or the given layers of it) to an existing empty file, whole. */
  async copyTo(record: DiskRecord, layers: readonly Layer[] | undefined, file: string, format: DiskFormat): Promise<void> {
    const path = this.#options.layout.path(file);
    const { openDisks, tops } = this.#options;
    if (layers === undefined && tops.isOpen(record.diskId)) {
      if (format === 'raw') await truncate(path, record.sizeBytes);
      else await writeEmptyQcow2(path, record.sizeBytes);
      await this.#options.live.during(record.diskId, () => openDisks.backupTo(record.diskId, { format, path }));
    } else {
      const chain = layers ?? record.layers;
      if (layers === undefined) await this.#options.layout.lend((record.layers[0] as Layer).file);
      await this.#options.qemuImg.convert(this.#options.store.absolute(chain), path, format, { sourceBytes: record.sizeBytes });
    }
    await sync(path);
  }
}

/** What a disk's layers hold, where a guest sees `sizeBytes`. */
export const containerBytes = (disk: Pick<ReceivedDisk, 'sizeBytes' | 'encryption'>): number => disk.sizeBytes + (disk.encryption ? LUKS_HEADER_BYTES : 0);

function checkBlank({ sizeBytes }: NewDisk): void {
  if (sizeBytes === 0 || sizeBytes % 512 !== 0) throw invalidInput('The size of a blank disk is a whole number of sectors, and not 0.', { field: 'sizeBytes' });
}

/** A copy of what is stored is encrypted if its origin is. */
function checkAlike(disk: NewDisk, origin: DiskRecord): void {
  if ((disk.encryption === undefined) === (origin.keyId === undefined)) return;
  throw conflict(`Disk ${origin.diskId} is ${origin.keyId === undefined ? 'not ' : ''}encrypted, and so is a copy of it.`);
}
