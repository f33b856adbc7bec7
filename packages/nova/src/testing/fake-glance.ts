import type { Readable } from 'node:stream';
import type { GlanceFace, ImageFacts, NewImage } from '@cairn/glance/face';
import { conflict, invalidInput, notFound } from '@cairn/kit/errors/errors';
import type { Db, Store } from '@cairn/kit/store/store';
import { FakeTable } from './fake-table.ts';

/** An image service of a few lines: facts without data. */
export class FakeGlance implements GlanceFace {
  readonly images = new FakeTable<ImageFacts>('image');
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  async addImage(image: Partial<ImageFacts> & { readonly id: string }): Promise<void> {
    await this.#store.write((tx) => this.images.put(tx, { ...BLANK, ...image }));
  }

  async image(db: Db, ctx: { readonly projectId?: string }, imageId: string): Promise<ImageFacts> {
    const image = await this.images.find(db, imageId);
    if (image === undefined || (image.visibility !== 'public' && image.owner !== ctx.projectId)) throw notFound(`Image ${imageId} could not be found.`);
    return image;
  }

  async named(db: Db, _ctx: unknown, name: string): Promise<readonly ImageFacts[]> {
    return (await this.images.all(db)).filter((image) => image.name === name).slice(0, 2);
  }

  async source(db: Db, imageId: string) {
    const image = await this.images.find(db, imageId);
    if (image?.status !== 'active') throw conflict(`Image ${imageId} is not active.`);
    return { imageId, format: 'qcow2' as const, sizeBytes: image.sizeBytes ?? 0 };
  }

  async open(): Promise<Readable> {
    throw new Error('images of tests have no data');
  }

  /** An image is as it was signed when its `img_signature` says so, and its certificate is trusted when it is in the list itself. */
  async verifySignature(imageId: string, trusted: readonly string[] | undefined): Promise<void> {
    const { properties } = (await this.images.find(this.#store.read, imageId)) ?? BLANK;
    if (properties['img_signature'] !== 'good') throw invalidInput(`Signature verification failed for image ${imageId}.`);
    const certificate = properties['img_signature_certificate_uuid'] ?? '';
    if (trusted?.includes(certificate) === false) throw invalidInput(`Image signature certificate validation failed for certificate: ${certificate}.`);
  }

  async create(...[tx, ctx, image]: Parameters<GlanceFace['create']>): Promise<ImageFacts> {
    const made = {
      ...BLANK,
      ...(image as NewImage & { visibility?: string }),
      visibility: image.visibility ?? 'private',
      owner: ctx.projectId ?? null,
      status: 'queued',
      sizeBytes: null,
    };
    await this.images.put(tx, made);
    return made;
  }

  async upload(imageId: string, data: Readable): Promise<void> {
    let sizeBytes = 0;
    for await (const chunk of data) sizeBytes += (chunk as Buffer).length;
    await this.#store.write(async (tx) => {
      const image = await this.images.find(tx, imageId);
      if (image === undefined) throw notFound(`Image ${imageId} could not be found.`);
      await this.images.put(tx, { ...image, status: 'active', sizeBytes });
    });
  }

  async setProperties(...[tx, imageId, properties]: Parameters<GlanceFace['setProperties']>): Promise<void> {
    const image = await this.images.find(tx, imageId);
    if (image !== undefined) await this.images.put(tx, { ...image, properties: { ...image.properties, ...(properties as Record<string, string>) } });
  }

  async discard(imageId: string): Promise<void> {
    await this.#store.write((tx) => this.images.remove(tx, imageId));
  }
}

const BLANK: Omit<ImageFacts, 'id'> = {
  name: null,
  status: 'active',
  visibility: 'public',
  owner: null,
  protected: false,
  diskFormat: 'qcow2',
  containerFormat: 'bare',
  sizeBytes: 1_000_000,
  virtualSizeBytes: null,
  minDiskGb: 0,
  minRamMb: 0,
  checksum: null,
  osHashAlgo: null,
  osHashValue: null,
  tags: [],
  properties: {},
  createdAtMs: 0,
  updatedAtMs: 0,
};
