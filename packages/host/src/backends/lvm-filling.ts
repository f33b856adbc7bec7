import type { Readable } from 'node:stream';
import { conflict, invalidInput, notFound } from '@cairn/kit/errors/errors';
import type { ImageFile } from '../disks/qemu-img.ts';
import { checkEncryption } from '../interface/disk-encryption.ts';
import { type DiskEncryption, type ImageSource, LUKS_HEADER_BYTES, type NewDisk, type ReceivedDisk } from '../interface/disks.ts';
import type { LogicalVolume, LvmCommand } from './lvm-command.ts';
import type { LvmCopies } from './lvm-copies.ts';
import { leftover, type LvmDisk, type LvmInventory, type LvmSnapshot, tagsFor } from './lvm-inventory.ts';
import type { Scratch } from './scratch.ts';

export interface LvmFillingOptions {
  readonly host: string;
  readonly isThin: boolean;
  readonly lvm: LvmCommand;
  readonly inventory: LvmInventory;
  readonly copies: LvmCopies;
  readonly scratch: Scratch;
  readonly imageFile: (image: ImageSource) => Promise<ImageFile & { readonly virtualSizeBytes: number }>;
  /** A disk that is there, with its device. */
  readonly origin: (diskId: string) => Promise<LvmDisk>;
  readonly isOpen: (diskId: string) => boolean;
  /** Whole extents. */
  readonly rounded: (bytes: number) => Promise<number>;
}

/** New disks: how each of their sources becomes a volume. */
export class LvmFilling {
  readonly #options: LvmFillingOptions;

  constructor(options: LvmFillingOptions) {
    this.#options = options;
  }

  /** Makes the volume `name`. */
  async fill(name: string, disk: NewDisk): Promise<void> {
    const { isThin, lvm, copies, imageFile, origin, isOpen } = this.#options;
    const { source, encryption } = disk;
    if (encryption) checkEncryption(encryption);
    switch (source.kind) {
      case 'blank': {
        if (disk.sizeBytes === 0) throw invalidInput('The size of a blank disk is not 0.', { field: 'sizeBytes' });
        // nothing is to be done to it
        if (isThin && !encryption) return lvm.create(name, disk.sizeBytes, this.#tags(disk, disk.sizeBytes));
        return this.#make(name, disk, disk.sizeBytes, (volume) => copies.encrypt(volume, encryption));
      }
      case 'image': {
        const { virtualSizeBytes, ...file } = await imageFile(source.image);
        const isStored = source.image.encrypted === true;
        return this.#make(name, disk, sizeOf(disk, isStored ? virtualSizeBytes - LUKS_HEADER_BYTES : virtualSizeBytes), async (volume) => {
          if (!isStored) await copies.encrypt(volume, encryption);
          await copies.write([{ path: file.path, format: file.format }], volume, virtualSizeBytes, isStored ? {} : { to: encryption?.keyId });
        });
      }
      case 'snapshot': {
        const from = await origin(source.diskId);
        checkAlike(encryption, from, source.diskId);
        const { volume, wholeBytes } = snapshotOf(from, source.diskId, source.snapshotId);
        const sizeBytes = sizeOf(disk, wholeBytes - headerBytes(from));
        if (isThin) return this.#clone(name, disk, volume, sizeBytes);
        return copies.reading(volume, wholeBytes, (image) => this.#make(name, disk, sizeBytes, (made) => copies.write([image], made, wholeBytes)));
      }
      case 'disk': {
        const from = await origin(source.diskId);
        const sizeBytes = sizeOf(disk, from.sizeBytes);
        if (source.recrypt) {
          if (isOpen(source.diskId)) throw conflict(`Disk ${source.diskId} is open in a guest.`);
          return copies.reading(from.volume, from.wholeBytes, (image) =>
            this.#make(name, disk, sizeBytes, async (volume) => {
              await copies.encrypt(volume, encryption);
              await copies.write([image], volume, from.sizeBytes, { from: from.keyId, to: encryption?.keyId });
            }),
          );
        }
        checkAlike(encryption, from, source.diskId);
        if (isThin) return this.#clone(name, disk, from.volume, sizeBytes);
        const copy = (image: ImageFile): Promise<void> => this.#make(name, disk, sizeBytes, (made) => copies.write([image], made, from.wholeBytes));
        return isOpen(source.diskId) ? this.atMoment(from, copy) : copies.reading(from.volume, from.wholeBytes, copy);
      }
      case 'files':
        throw conflict('Config drives are kept on the hosts themselves.');
    }
  }

  /** What another host exported becomes the volume `name`. */
  async receive(name: string, disk: ReceivedDisk, data: Readable): Promise<void> {
    const { scratch, copies } = this.#options;
    const sourceBytes = disk.sizeBytes + headerBytes(disk.encryption);
    await scratch.received(data, sourceBytes, (path) =>
      this.#make(name, disk, disk.sizeBytes, (volume) => copies.write([{ path, format: 'raw' }], volume, sourceBytes)),
    );
  }

  /** What a disk that guests write to holds at one moment. */
  async atMoment<T>(disk: LvmDisk, work: (image: ImageFile) => Promise<T>): Promise<T> {
    const { lvm, inventory, copies, host } = this.#options;
    const moment = leftover.work();
    await lvm.snapshot(disk.name, moment, tagsFor({ ...disk, host }), true);
    try {
      return await copies.reading(await inventory.volume(moment), disk.wholeBytes, work);
    } finally {
      await lvm.remove([moment]);
    }
  }

  /** A new volume that gets its name when `fill` has filled it. */
  async #make(name: string, disk: NewDisk | ReceivedDisk, sizeBytes: number, fill: (volume: LogicalVolume) => Promise<void>): Promise<void> {
    const { lvm, inventory, isThin } = this.#options;
    const wholeBytes = sizeBytes + headerBytes(disk.encryption);
    await this.#working(name, async (work) => {
      await lvm.create(work, wholeBytes, this.#tags(disk, wholeBytes));
      const volume = await inventory.volume(work);
      if (!isThin) await lvm.zero(volume, 0, volume.sizeBytes);
      await fill(volume);
    });
  }

  /** A new volume that shares its data with a thin one. */
  async #clone(name: string, disk: NewDisk, origin: LogicalVolume, sizeBytes: number): Promise<void> {
    const { lvm, rounded } = this.#options;
    const wholeBytes = sizeBytes + headerBytes(disk.encryption);
    const make = (made: string): Promise<void> => lvm.snapshot(origin.name, made, this.#tags(disk, wholeBytes), true);
    if ((await rounded(wholeBytes)) <= origin.sizeBytes) return make(name);
    await this.#working(name, async (work) => {
      await make(work);
      await lvm.extend(work, wholeBytes);
    });
  }

  async #working(name: string, make: (work: string) => Promise<void>): Promise<void> {
    const { lvm } = this.#options;
    const work = leftover.work();
    try {
      await make(work);
      await lvm.rename(work, name);
    } catch (error) {
      await lvm.remove([work]).catch(() => {});
      throw error;
    }
  }

  #tags(disk: NewDisk | ReceivedDisk, wholeBytes: number): readonly string[] {
    return tagsFor({ host: this.#options.host, wholeBytes, keyId: disk.encryption?.keyId });
  }
}

const headerBytes = (encrypted: { readonly keyId: string | undefined } | undefined): number => (encrypted?.keyId === undefined ? 0 : LUKS_HEADER_BYTES);

function sizeOf({ sizeBytes: asked }: NewDisk, sourceBytes: number): number {
  const sizeBytes = asked || sourceBytes;
  if (sizeBytes < sourceBytes)
    throw invalidInput(`A disk of ${sizeBytes} bytes is too small for its source, which has ${sourceBytes}.`, { field: 'sizeBytes' });
  return sizeBytes;
}

export function snapshotOf(disk: LvmDisk, diskId: string, snapshotId: string): LvmSnapshot {
  const found = disk.snapshots.find((one) => one.snapshotId === snapshotId);
  if (!found) throw notFound(`Disk ${diskId} has no snapshot ${snapshotId}.`);
  return found;
}

/** A copy of what is stored is encrypted if its origin is. */
function checkAlike(encryption: DiskEncryption | undefined, { keyId }: LvmDisk, diskId: string): void {
  if ((encryption === undefined) === (keyId === undefined)) return;
  throw conflict(`Disk ${diskId} is ${keyId === undefined ? 'not ' : ''}encrypted, and so is a copy of it.`);
}
