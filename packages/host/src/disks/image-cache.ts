import { createHash } from 'node:crypto';
import { constants, createWriteStream } from 'node:fs';
import { chmod, copyFile, link, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { type Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { invalidInput, unavailable } from '@cairn/kit/errors/errors';
import type { Logger } from '@cairn/kit/log/log';
import { ImageInspector, type ImageFacts, inspectFile } from '../inspector/inspector.ts';
import { judge } from '../inspector/judge.ts';
import type { ImageSource } from '../interface/disks.ts';
import { BASES, checkId, type Layout } from './layout.ts';
import type { QemuImg } from './qemu-img.ts';
import { type Layer, writeAtomically } from './record.ts';

/** An image that disks can be built on. `<imageId>.json` beside it holds this. */
export interface BaseImage extends Layer {
  readonly imageId: string;
  /** A multiple of 512. */
  readonly virtualSizeBytes: number;
  readonly sha512?: string;
}

export interface ImageCacheOptions {
  readonly layout: Layout;
  readonly qemuImg: QemuImg;
  readonly openImage: (imageId: string) => Promise<Readable>;
  readonly token: () => string;
  readonly log: Logger;
  /** Whether a disk still stands on the file. */
  readonly isUsed: (file: string) => boolean;
}

/**
 * The images of this host, each judged by the inspector before anything opens it. A file of the same file system is linked, so it costs
 * neither time nor space; therefore the file at `ImageSource.path` may be removed, but never changed in place. raw and qcow2 are kept as
 * they are, all else becomes raw once.
 */
export class ImageCache {
  readonly #options: ImageCacheOptions;
  readonly #images = new Map<string, BaseImage>();
  readonly #coming = new Map<string, Promise<BaseImage>>();

  constructor(options: ImageCacheOptions) {
    this.#options = options;
  }

  /** Finds what an earlier run cached. */
  async load(): Promise<void> {
    const { layout, log } = this.#options;
    for (const name of await readdir(layout.path(BASES))) {
      if (!name.endsWith('.json') || name.startsWith('.')) continue;
      try {
        const image = JSON.parse(await readFile(layout.path(`${BASES}/${name}`), 'utf8')) as BaseImage;
        await stat(layout.path(image.file));
        this.#images.set(image.imageId, image);
      } catch (error) {
        // It is fetched again when it is asked for.
        log.warn({ file: name, err: error }, 'a cached image is not usable');
        await rm(layout.path(`${BASES}/${name}`), { force: true });
      }
    }
  }

  get(imageId: string): BaseImage | undefined {
    return this.#images.get(imageId);
  }

  /** True for a file that is cached under a name, so that it stays even when no disk stands on it. */
  keeps(file: string): boolean {
    for (const image of this.#images.values()) if (image.file === file) return true;
    return false;
  }

  /** The image, fetched and judged if it is not there. Those who ask at the same time share one fetch. */
  ensure(image: ImageSource): Promise<BaseImage> {
    checkId('image', image.imageId);
    const found = this.#images.get(image.imageId);
    if (found && (image.sha512 === undefined || found.sha512 === undefined || found.sha512 === image.sha512)) return Promise.resolve(found);
    const coming = this.#coming.get(image.imageId);
    if (coming) return coming;
    const fetching = this.#fetch(image).finally(() => this.#coming.delete(image.imageId));
    this.#coming.set(image.imageId, fetching);
    return fetching;
  }

  /** Forgets an image. Its file stays as long as a disk stands on it. */
  async drop(imageId: string): Promise<void> {
    checkId('image', imageId);
    await this.#coming.get(imageId)?.catch(() => {});
    const image = this.#images.get(imageId);
    if (!image) return;
    const { layout, isUsed } = this.#options;
    await rm(layout.path(`${BASES}/${imageId}.json`), { force: true });
    this.#images.delete(imageId);
    if (!isUsed(image.file)) await rm(layout.path(image.file), { force: true });
  }

  async #fetch(image: ImageSource): Promise<BaseImage> {
    const { layout, token, qemuImg } = this.#options;
    const name = `${image.imageId}.${token()}`;
    const work = layout.work(name);
    const converted = `${work}.raw`;
    try {
      const facts = (await this.#takeFile(image, work)) ?? (await this.#takeStream(image, work));
      const verdict = judge(image.format, facts, { encrypted: image.encrypted === true });
      if (!verdict.ok)
        throw invalidInput(`Image ${image.imageId} is unacceptable: ${verdict.reason}`, {
          type: 'ImageUnacceptable',
          detail: { refused: verdict.refused, findings: verdict.findings },
        });
      // Readable by everybody who may pass through the directory, writable by nobody.
      await chmod(layout.path(work), 0o444);
      const native = verdict.driver === 'raw' || verdict.driver === 'qcow2';
      let made: Pick<BaseImage, 'format' | 'virtualSizeBytes'> & { readonly from: string };
      if (native) made = { format: verdict.driver, virtualSizeBytes: sectors(verdict.virtualSizeBytes), from: work };
      else {
        await this.#makeWritable(converted);
        await qemuImg
          .convert([{ path: layout.path(work), format: verdict.driver }], layout.path(converted), 'raw', { sourceBytes: image.sizeBytes })
          .catch((cause: unknown) => {
            throw invalidInput(`Image ${image.imageId} is unacceptable: its data cannot be converted.`, {
              type: 'ImageUnacceptable',
              detail: String(cause),
              cause,
            });
          });
        await chmod(layout.path(converted), 0o444);
        made = { format: 'raw', virtualSizeBytes: sectors((await stat(layout.path(converted))).size), from: converted };
      }
      await sync(layout.path(made.from));
      const file = `${BASES}/${name}.${made.format}`;
      await rename(layout.path(made.from), layout.path(file));
      const base: BaseImage = {
        imageId: image.imageId,
        file,
        format: made.format,
        virtualSizeBytes: made.virtualSizeBytes,
        ...(image.sha512 === undefined ? {} : { sha512: image.sha512 }),
      };
      const before = this.#images.get(image.imageId);
      await writeAtomically(layout.path(`${BASES}/${image.imageId}.json`), JSON.stringify(base));
      this.#images.set(image.imageId, base);
      if (before && !this.#options.isUsed(before.file)) await rm(layout.path(before.file), { force: true });
      return base;
    } finally {
      await rm(layout.path(work), { force: true });
      await rm(layout.path(converted), { force: true });
    }
  }

  async #makeWritable(file: string): Promise<void> {
    await (await open(this.#options.layout.path(file), 'wx', 0o600)).close();
    await this.#options.layout.lend(file);
  }

  /** Links or copies the file that the image is in. Undefined when it is not on this host (any longer). */
  async #takeFile(image: ImageSource, work: string): Promise<ImageFacts | undefined> {
    if (image.path === undefined) return undefined;
    const target = this.#options.layout.path(work);
    try {
      await link(image.path, target).catch(async (error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') throw error;
        // Another file system, or a file that is not ours to link.
        await copyFile(image.path as string, target, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
      });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw unavailable(`Image ${image.imageId} cannot be read on this host.`, { detail: String(error), cause: error });
    }
    const facts = await inspectFile(target);
    if (facts.sizeBytes !== image.sizeBytes)
      throw unavailable(`Image ${image.imageId} is damaged: it has not the length that was recorded for it.`, {
        detail: { path: image.path, sizeBytes: facts.sizeBytes },
      });
    return facts;
  }

  async #takeStream(image: ImageSource, work: string): Promise<ImageFacts> {
    const inspector = new ImageInspector();
    const hash = createHash('sha512');
    let sizeBytes = 0;
    const { imageId } = image;
    const watch = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        sizeBytes += chunk.length;
        if (sizeBytes > image.sizeBytes) return done(unavailable(`Image ${imageId} is damaged: its data is longer than was recorded for it.`));
        inspector.write(chunk);
        hash.update(chunk);
        done(null, chunk);
      },
    });
    await pipeline(await this.#options.openImage(imageId), watch, createWriteStream(this.#options.layout.path(work), { flags: 'wx', mode: 0o600 }));
    if (sizeBytes !== image.sizeBytes) throw unavailable(`Image ${imageId} came through incomplete: ${sizeBytes} of ${image.sizeBytes} bytes.`);
    if (image.sha512 !== undefined && hash.digest('hex') !== image.sha512.toLowerCase())
      throw unavailable(`Image ${imageId} is damaged: its checksum does not match.`);
    return inspector.end();
  }
}

/** QEMU rounds a raw file up to whole sectors. */
const sectors = (bytes: number): number => Math.ceil(bytes / 512) * 512;

/** Waits until a file's data is on the disk. */
export async function sync(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
