import { chown, open, writeFile } from 'node:fs/promises';
import { unavailable } from '@cairn/kit/errors/errors';
import { luksHeader } from '../disks/luks.ts';
import { type ImageFile, QemuImg } from '../disks/qemu-img.ts';
import type { DeviceFacts } from '../hypervisor/open-disks.ts';
import type { DiskEncryption, ExportFormat } from '../interface/disks.ts';
import type { ProcessUser } from '../process/command.ts';
import type { LogicalVolume, LvmCommand } from './lvm-command.ts';
import { leftover, type LvmInventory } from './lvm-inventory.ts';
import type { Scratch } from './scratch.ts';

export interface LvmCopiesOptions {
  readonly lvm: LvmCommand;
  readonly inventory: LvmInventory;
  readonly scratch: Scratch;
  /** Whom qemu-img runs as. */
  readonly user?: ProcessUser;
  /** The secret of an encrypted disk. */
  readonly diskKey?: (keyId: string) => Promise<string>;
}

/** Data into logical volumes and out of them. Whoever calls sees to it that no guest writes to them meanwhile. */
export class LvmCopies {
  readonly #options: LvmCopiesOptions;
  readonly #qemuImg: QemuImg;

  constructor(options: LvmCopiesOptions) {
    this.#options = options;
    this.#qemuImg = new QemuImg(options.user ? { user: options.user } : {});
  }

  /** The first bytes of an active volume as something to read. */
  async image(volume: LogicalVolume, wholeBytes: number): Promise<ImageFile & { readonly device: DeviceFacts }> {
    return { path: await this.#options.lvm.node(volume), format: 'raw', device: { sizeBytes: wholeBytes } };
  }

  /** An encrypted volume begins with a header; the rest of it is what nobody has written yet. */
  async encrypt(volume: LogicalVolume, encryption: DiskEncryption | undefined): Promise<void> {
    if (!encryption) return;
    const header = await luksHeader(await this.#secret(encryption.keyId), encryption);
    const file = await open(await this.#options.lvm.node(volume), 'r+');
    try {
      await file.write(header, 0, header.length, 0);
      await file.sync();
    } finally {
      await file.close();
    }
  }

  /** Writes to the beginning of a volume. Keys are named by their ids. */
  async write(
    chain: readonly ImageFile[],
    volume: LogicalVolume,
    sourceBytes: number,
    keys: { readonly from?: string | undefined; readonly to?: string | undefined } = {},
  ): Promise<void> {
    // a new one reads as zeroes
    const isZero = leftover.isWork(volume.name);
    await this.#lent(volume, (device) =>
      this.#withSecret(keys.from, (from) => this.#withSecret(keys.to, (to) => this.#qemuImg.fill(chain, device, { sourceBytes, isZero, from, to }))),
    );
  }

  /** While `work` runs, qemu-img may read the volume; where its device is not there, it is for so long. */
  async reading<T>(volume: LogicalVolume, wholeBytes: number, work: (image: ImageFile) => Promise<T>): Promise<T> {
    const { lvm, inventory } = this.#options;
    if (volume.device) return this.#lent(volume, async () => work(await this.image(volume, wholeBytes)));
    await lvm.activate(volume.name);
    try {
      const active = await inventory.volume(volume.name);
      return await this.#lent(active, async () => work(await this.image(active, wholeBytes)));
    } finally {
      await lvm.deactivate(volume.name);
    }
  }

  /** What an image holds, in any format. */
  stream(image: ImageFile, format: ExportFormat, sourceBytes: number): ReturnType<Scratch['stream']> {
    return this.#options.scratch.stream((path) => this.#qemuImg.convert([image], path, format, { sourceBytes }));
  }

  /** Lets qemu-img's user open a volume. */
  async #lent<T>(volume: LogicalVolume, work: (device: string) => Promise<T>): Promise<T> {
    const { lvm, user } = this.#options;
    const device = await lvm.node(volume);
    if (!user) return work(device);
    await chown(device, user.uid, user.gid);
    try {
      return await work(device);
    } finally {
      await chown(device, 0, 0);
    }
  }

  /** qemu-img reads secrets from files alone. */
  async #withSecret<T>(keyId: string | undefined, work: (file: string | undefined) => Promise<T>): Promise<T> {
    if (keyId === undefined) return work(undefined);
    const secret = await this.#secret(keyId);
    return this.#options.scratch.file(async (path) => {
      await writeFile(path, secret);
      return work(path);
    });
  }

  async #secret(keyId: string): Promise<string> {
    const { diskKey } = this.#options;
    if (!diskKey) throw unavailable('This host has nobody to ask for the keys of encrypted disks.');
    return diskKey(keyId);
  }
}
