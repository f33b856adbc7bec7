import { randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { chmod, chown, mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { checkStandalone } from '../disks/qcow2-file.ts';
import { type ImageFile, QemuImg } from '../disks/qemu-img.ts';
import type { ProcessUser } from '../process/command.ts';

/** A generous guess of 20 MiB/s on a busy machine. */
export const copyMs = (bytes: number): number => 120_000 + Math.ceil(bytes / (20 * 2 ** 20)) * 1000;

/** Files on the way into a back end and out of it. What comes from users is read by the confined qemu-img alone, and goes on as raw. */
export class Scratch {
  readonly #directory: string;
  readonly #qemuImg: QemuImg;
  readonly #user: ProcessUser | undefined;

  constructor(directory: string, user: ProcessUser | undefined) {
    this.#directory = directory;
    this.#user = user;
    this.#qemuImg = new QemuImg(user ? { user } : {});
  }

  /** Removes what a crash left. */
  async start(): Promise<void> {
    await rm(this.#directory, { recursive: true, force: true });
    await mkdir(this.#directory, { recursive: true, mode: 0o711 });
    await chmod(this.#directory, 0o711);
  }

  /** An empty file while `work` runs. */
  async file<T>(work: (path: string) => Promise<T>): Promise<T> {
    const path = join(this.#directory, randomBytes(8).toString('hex'));
    try {
      await (await open(path, 'wx', 0o600)).close();
      if (this.#user) await chown(path, this.#user.uid, this.#user.gid);
      return await work(path);
    } finally {
      await rm(path, { force: true });
    }
  }

  /** An image's content as a raw file while `work` runs. */
  async raw<T>(image: ImageFile, sizeBytes: number, work: (path: string) => Promise<T>): Promise<T> {
    if (image.format === 'raw') return work(image.path);
    return this.file(async (path) => {
      await this.#qemuImg.convert([image], path, 'raw', { sourceBytes: sizeBytes });
      return work(path);
    });
  }

  /** What another host exported as qcow2, as a raw file while `work` runs. */
  received<T>(data: Readable, sizeBytes: number, work: (path: string) => Promise<T>): Promise<T> {
    return this.file(async (path) => {
      await pipeline(data, createWriteStream(path, { flags: 'r+', highWaterMark: 2 ** 20 }));
      await checkStandalone(path, sizeBytes);
      return this.raw({ path, format: 'qcow2' }, sizeBytes, work);
    });
  }

  /** What `fill` writes into a file, as a stream. The file has no name any more when the stream begins: it goes with its last reader. */
  stream(fill: (path: string) => Promise<void>): Promise<{ readonly stream: Readable; readonly sizeBytes: number }> {
    return this.file(async (path) => {
      await fill(path);
      const file = await open(path, 'r');
      const { size } = await file.stat();
      return { stream: file.createReadStream({ highWaterMark: 2 ** 20 }), sizeBytes: size };
    });
  }
}
