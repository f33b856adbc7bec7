import { constants, createReadStream } from 'node:fs';
import { access, copyFile, link, mkdir, open, readdir, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { notFound } from '@cairn/kit/errors/errors';
import { fileSink, syncDirectory } from './file-sink.ts';
import type { ByteRange, DataRef, ImageStore, Sink } from './store.ts';

export interface FileStoreOptions {
  readonly id: string;
  readonly description: string;
  readonly weight: number;
  readonly directories: readonly string[];
}

/** Keys are UUIDs: nothing else in a directory is ours to remove. */
const OURS = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(?:\.part)?$/;

/** Image data as files, one per key, in one or several directories. A file appears under its name only when it is whole and on the disk. */
export class FileStore implements ImageStore {
  readonly id: string;
  readonly type = 'file' as const;
  readonly description: string;
  readonly weight: number;
  readonly readOnly = false;
  readonly #directories: readonly string[];

  constructor(options: FileStoreOptions) {
    this.id = options.id;
    this.description = options.description;
    this.weight = options.weight;
    this.#directories = options.directories;
  }

  async prepare(known: ReadonlySet<string>): Promise<void> {
    for (const directory of this.#directories) {
      // hosts run guests as unprivileged users that read base images here
      await mkdir(directory, { recursive: true, mode: 0o711 });
      for (const name of await readdir(directory)) if (OURS.test(name) && !known.has(name)) await rm(join(directory, name), { force: true });
    }
  }

  async sink(key: string): Promise<Sink> {
    return fileSink(join(await this.#roomiest(), key));
  }

  /** A second name for the same data on one file system, which costs nothing; a copy on another. Files never change in place. */
  async adopt(key: string, path: string): Promise<boolean> {
    const directory = await this.#roomiest();
    const target = join(directory, key);
    await rm(target, { force: true });
    try {
      await link(path, target);
    } catch {
      // another file system: whole first, then under its name
      const half = `${target}.part`;
      try {
        await copyFile(path, half, constants.COPYFILE_FICLONE);
        const file = await open(half, 'r+');
        try {
          await file.chmod(0o644);
          await file.datasync();
        } finally {
          await file.close();
        }
        await link(half, target);
      } finally {
        await rm(half, { force: true });
      }
    }
    await syncDirectory(directory);
    return true;
  }

  async read(ref: DataRef, range?: ByteRange): Promise<Readable> {
    return createReadStream(await this.path(ref), { ...range, highWaterMark: 1 << 19 });
  }

  async remove(ref: DataRef): Promise<void> {
    if (ref.key !== null) for (const directory of this.#directories) await rm(join(directory, ref.key), { force: true });
  }

  url(ref: DataRef): string {
    return `file://${join(this.#directories[0] as string, ref.key ?? '')}`;
  }

  async path(ref: DataRef): Promise<string> {
    for (const directory of this.#directories) {
      const path = join(directory, ref.key ?? '');
      try {
        await access(path);
        return path;
      } catch {
        // the next directory may have it
      }
    }
    throw notFound('The image data is not in the store.');
  }

  properties(): object {
    return { data_dir: this.#directories.join(','), chunk_size: 65_536, thin_provisioning: false };
  }

  /** The directory with the most free space. */
  async #roomiest(): Promise<string> {
    const [first, ...others] = this.#directories as readonly [string, ...string[]];
    if (others.length === 0) return first;
    let best = { directory: first, free: -1 };
    for (const directory of this.#directories) {
      const { bavail, bsize } = await statfs(directory);
      if (bavail * bsize > best.free) best = { directory, free: bavail * bsize };
    }
    return best.directory;
  }
}
