import { createHash } from 'node:crypto';
import { checkId } from '../disks/layout.ts';
import { Locks } from '../disks/locks.ts';
import type { ImageCacheLimits } from '../interface/backends.ts';
import type { ImageSource } from '../interface/disks.ts';
import type { RbdCommand } from './rbd-command.ts';

const GIB = 2 ** 30;
const PREFIX = 'image-';
const SNAPSHOT = 'base';
const USED = 'cairn.used';

export interface ImageBase {
  readonly name: string;
  readonly snapshot: string;
  readonly sizeBytes: number;
}

/**
 * Images that disks of a pool were made from: the second disk of an image is a clone, whatever its size. They belong to no project. Those
 * used longest ago go when there are more than the limits allow (what clones stand on goes with the last of them), and one whose image has
 * other data now.
 */
export class ImageBases {
  readonly #rbd: RbdCommand;
  readonly #limits: ImageCacheLimits;
  readonly #make: (name: string, fill: (work: string) => Promise<void>) => Promise<void>;
  readonly #locks = new Locks();

  constructor(rbd: RbdCommand, limits: ImageCacheLimits, make: (name: string, fill: (work: string) => Promise<void>) => Promise<void>) {
    this.#rbd = rbd;
    this.#limits = limits;
    this.#make = make;
  }

  /** The image as a snapshot to clone; `fill` writes it to a new image of the pool when it is not there. */
  ensure(image: ImageSource, fill: (work: string) => Promise<void>): Promise<ImageBase> {
    const name = nameOf(image);
    return this.#locks.run([image.imageId], async () => {
      let found = await this.#rbd.image(name);
      if (!found) {
        await this.drop(image.imageId);
        await this.#make(name, async (work) => {
          await fill(work);
          await this.#rbd.snapshot(work, SNAPSHOT);
        });
        found = await this.#rbd.image(name);
        await this.#rbd.setMeta(name, USED, String(Date.now()));
        await this.#evict(name);
      } else await this.#rbd.setMeta(name, USED, String(Date.now()));
      return { name, snapshot: SNAPSHOT, sizeBytes: found?.sizeBytes ?? 0 };
    });
  }

  /** Forgets an image, whatever data it had. */
  async drop(imageId: string): Promise<void> {
    const own = `${PREFIX}${checkId('image', imageId)}.`;
    for (const image of await this.#rbd.images()) if (image.name.startsWith(own)) await this.#rbd.remove(image.name);
  }

  async #evict(keep: string): Promise<void> {
    const { imageCacheCount, imageCacheGb } = this.#limits;
    if (imageCacheCount === 0 && imageCacheGb === 0) return;
    const bases = (await this.#rbd.images()).filter((image) => image.name.startsWith(PREFIX));
    const used = await Promise.all(bases.map(async (base) => ({ base, atMs: Number((await this.#rbd.meta(base.name, USED)) ?? 0) })));
    let count = bases.length;
    let bytes = bases.reduce((sum, base) => sum + base.sizeBytes, 0);
    for (const { base } of used.toSorted((a, b) => a.atMs - b.atMs)) {
      const tooMany = (imageCacheCount > 0 && count > imageCacheCount) || (imageCacheGb > 0 && bytes > imageCacheGb * GIB);
      if (!tooMany) return;
      if (base.name === keep) continue;
      await this.#rbd.remove(base.name);
      count--;
      bytes -= base.sizeBytes;
    }
  }
}

/** An image that gets other data has another name. */
const nameOf = ({ imageId, sha512 }: ImageSource): string =>
  `${PREFIX}${checkId('image', imageId)}.${createHash('sha256')
    .update(sha512 ?? '')
    .digest('hex')
    .slice(0, 12)}`;
