import { chmod, chown, open, rm } from 'node:fs/promises';
import { invalidInput } from '@cairn/kit/errors/errors';
import { sync } from '../disks/image-cache.ts';
import { QemuImg } from '../disks/qemu-img.ts';
import type { ImageConverter } from '../interface/images.ts';
import type { ProcessUser } from '../process/command.ts';

/** Converts images by the one wrapper of qemu-img, as the user that qemu-img runs as. */
export class QemuImageConverter implements ImageConverter {
  readonly #qemuImg: QemuImg;
  readonly #user: ProcessUser | undefined;

  constructor(user?: ProcessUser) {
    this.#user = user;
    this.#qemuImg = new QemuImg(user ? { user } : {});
  }

  async convert({ from, to, sourceBytes, signal }: Parameters<ImageConverter['convert']>[0]): Promise<void> {
    await (await open(to.path, 'w', 0o600)).close();
    try {
      if (this.#user) await chown(to.path, this.#user.uid, this.#user.gid);
      await this.#qemuImg.convert([from], to.path, to.format, { sourceBytes, ...(signal && { signal }) }).catch((cause: unknown) => {
        signal?.throwIfAborted();
        throw invalidInput('The image is unacceptable: its data cannot be converted.', { type: 'ImageUnacceptable', detail: String(cause), cause });
      });
      if (this.#user) await chown(to.path, process.geteuid?.() ?? 0, process.getegid?.() ?? 0);
      await chmod(to.path, 0o644);
      await sync(to.path);
    } catch (error) {
      await rm(to.path, { force: true });
      throw error;
    }
  }
}
