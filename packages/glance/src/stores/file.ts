import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { link, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ImageInspector } from '@cairn/host/inspector/inspector';
import type { ImageFacts as Inspected } from '@cairn/host/inspector/inspector';
import { notFound, tooLarge } from '@cairn/kit/errors/errors';

/** What came out of taking data in. */
export interface Stored {
  readonly sizeBytes: number;
  readonly md5: string;
  readonly sha512: string;
  readonly inspected: Inspected;
}

/** Image data as files, one per key. A file appears under its name only when it is whole and on the disk. */
export class FileStore {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  path(key: string): string {
    return join(this.#folder, key);
  }

  /** Removes halves of uploads and data that no row names (`known`). */
  async prepare(known: ReadonlySet<string>): Promise<void> {
    // hosts run guests as unprivileged users that read base images here
    await mkdir(this.#folder, { recursive: true, mode: 0o711 });
    for (const name of await readdir(this.#folder)) if (!known.has(name)) await rm(join(this.#folder, name), { force: true, recursive: true });
  }

  /** Takes a stream in, hashing and inspecting on the way. Rejects with TooLarge past `limitBytes`; leaves nothing behind then. */
  async put(key: string, data: Readable, limitBytes: number, signal?: AbortSignal): Promise<Stored> {
    const half = `${this.path(key)}.part`;
    const md5 = createHash('md5');
    const sha512 = createHash('sha512');
    const inspector = new ImageInspector();
    let sizeBytes = 0;
    const tee = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        sizeBytes += chunk.length;
        if (sizeBytes > limitBytes) {
          done(tooLarge(`Image storage media is full or the image is larger than the limit of ${limitBytes} bytes.`));
          return;
        }
        md5.update(chunk);
        sha512.update(chunk);
        inspector.write(chunk);
        done(null, chunk);
      },
    });
    try {
      await pipeline(data, tee, createWriteStream(half, { mode: 0o644, highWaterMark: 1 << 20 }), ...(signal ? [{ signal }] : []));
      const file = await open(half, 'r');
      try {
        await file.datasync();
      } finally {
        await file.close();
      }
      await rename(half, this.path(key));
    } catch (error) {
      await rm(half, { force: true });
      throw error;
    }
    return { sizeBytes, md5: md5.digest('hex'), sha512: sha512.digest('hex'), inspected: inspector.end() };
  }

  /** Streams data, or `start..end` (inclusive) of it. */
  async read(key: string, range?: { readonly start: number; readonly end: number }): Promise<Readable> {
    await this.#size(key);
    return createReadStream(this.path(key), { ...range, highWaterMark: 1 << 18 });
  }

  async remove(key: string): Promise<void> {
    await rm(this.path(key), { force: true });
  }

  /** A second name for the same data, without a copy. */
  async duplicate(key: string, as: string): Promise<void> {
    await link(this.path(key), this.path(as));
  }

  async #size(key: string): Promise<number> {
    try {
      return (await stat(this.path(key))).size;
    } catch {
      throw notFound('The image data is not in the store.');
    }
  }
}
