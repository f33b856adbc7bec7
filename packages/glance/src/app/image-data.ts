import type { Readable } from 'node:stream';
import type { Context } from '@cairn/kit/context/context';
import { type CairnError, conflict, forbidden, invalidInput, isCairnError, notFound, tooLarge } from '@cairn/kit/errors/errors';
import type { Tx } from '@cairn/kit/store/store';
import { countHit, cacheRow } from '../store/cache.ts';
import type { LocationRow } from '../store/data-tables.ts';
import * as store from '../store/images.ts';
import * as rows from '../store/locations.ts';
import type { ImageRow } from '../store/tables.ts';
import { exactly } from '../stores/exactly.ts';
import { FileStore } from '../stores/file.ts';
import { type Stored, takeIn } from '../stores/intake.ts';
import type { ByteRange } from '../stores/store.ts';
import type { ImageCache } from './cache.ts';
import { removeData } from './data-removal.ts';
import type { DataDeps } from './deps.ts';
import type { Images } from './images.ts';
import { judged } from './judgement.ts';
import { storageFull } from './quotas.ts';
import { checked, type SignatureCheck } from './signatures.ts';

export interface UploadOptions {
  /** Id of the store; the default one when absent. */
  readonly store?: string;
  readonly signal?: AbortSignal;
  /** How long the data says it is. */
  readonly declaredBytes?: number;
}

const badTransition = (from: string, to: string): CairnError =>
  conflict(`Image status transition from ${from} to ${to} is not allowed`, { type: 'InvalidImageStatusTransition' });

/** What uploads of data do to an image: bytes in, staged, and out again. */
export class ImageData {
  readonly #deps: DataDeps;
  readonly #images: Images;
  readonly #cache: ImageCache;

  constructor(deps: DataDeps, images: Images, cache: ImageCache) {
    this.#deps = deps;
    this.#images = images;
    this.#cache = cache;
  }

  /**
   * Takes an image's data in: hashes, inspects, judges against the declared format, makes it active. A failure puts the image back
   * to queued, with nothing stored. Throws Conflict when the image has data already or is taking some in.
   */
  async upload(ctx: Context | undefined, id: string, data: Readable, options: UploadOptions = {}): Promise<void> {
    const { env, stores, quotas, signatures } = this.#deps;
    const target = options.store === undefined ? stores.default : stores.get(options.store);
    if (!target)
      throw invalidInput(`The store '${options.store}' is not one of this cloud's: GET /v2/info/stores lists them.`, { field: 'x-image-meta-store' });
    const key = env.ids.uuid();
    const row = await env.store.write(async (tx) => {
      const found = ctx ? await this.#images.own(tx, ctx, id, 'upload data to') : await store.imageById(tx, id);
      if (!found) throw notFound(`No image found with ID ${id}`);
      if (found.container_format === null || found.disk_format === null)
        throw invalidInput('Properties disk_format, container_format must be set prior to saving data.');
      if (ctx) await quotas.store(tx, ctx, options.declaredBytes);
      const left = await quotas.bytesLeft(tx, found.owner, id);
      if (left !== undefined && (options.declaredBytes ?? 0) > left) throw storageFull(options.declaredBytes ?? 0, left);
      await this.#turn(tx, found, 'saving');
      if (ctx) await quotas.uploading(tx, ctx);
      return { ...found, left };
    });
    try {
      const { properties } = await store.detailsOf(env.store.read, [id]);
      const signature = await signatures.check(id, properties.get(id) ?? {});
      const limits = this.#limits(options.signal, ctx !== undefined);
      const quota = row.left !== undefined && row.left < limits.limitBytes ? row.left : undefined;
      const stored = await takeIn(data, await target.sink(key), {
        ...limits,
        ...((signature || quota !== undefined) && { watch: watcher(signature, quota) }),
      });
      signature?.finish();
      const virtualSizeBytes = judged(row, stored.inspected);
      await env.store.write(async (tx) => {
        await quotas.settle(tx, ctx, row, stored.sizeBytes, options.declaredBytes !== undefined);
        await this.settle(tx, row, { store: target.id, key }, stored, virtualSizeBytes, ['saving']);
        if (ctx) await this.#images.emit(tx, ctx, 'image.upload', { ...row, status: 'active', size_bytes: stored.sizeBytes });
      });
    } catch (error) {
      if (!target.readOnly) await target.remove({ key, url: null });
      await this.#giveUp(id, 'saving', error, options.signal);
    }
  }

  /** The image has data: it becomes active, with this as its one location. */
  async settle(
    tx: Tx,
    row: ImageRow,
    at: { readonly store: string; readonly key: string },
    stored: Pick<Stored, 'sizeBytes' | 'md5' | 'hash'>,
    virtualSizeBytes: number | null,
    from: readonly string[],
  ): Promise<void> {
    const nowMs = this.#deps.env.clock.nowMs();
    const done = await store.updateImage(
      tx,
      row.id,
      {
        status: 'active',
        size_bytes: stored.sizeBytes,
        virtual_size_bytes: virtualSizeBytes,
        checksum: stored.md5,
        os_hash_algo: 'sha512',
        os_hash_value: stored.hash,
        updated_at_ms: nowMs,
      },
      from,
    );
    if (!done) throw notFound(`Image ${row.id} could not be found after upload. The image may have been deleted during the upload.`, { status: 410 });
    // a location that was added while the image had no data does not go before the data
    await rows.deleteLocationsOf(tx, row.id);
    await rows.insertLocation(tx, this.locationRow(row.id, at.store, at.key, 0));
  }

  locationRow(imageId: string, storeId: string, key: string, position: number): LocationRow {
    const nowMs = this.#deps.env.clock.nowMs();
    return { id: key, image_id: imageId, position, store: storeId, data_key: key, url: null, metadata: '{}', created_at_ms: nowMs };
  }

  /** Keeps data for an import that follows; the image is `uploading` then. */
  async stage(ctx: Context, id: string, data: Readable, { signal, declaredBytes }: UploadOptions = {}): Promise<void> {
    const { env, staging, quotas } = this.#deps;
    const file = env.ids.uuid();
    await env.store.write(async (tx) => {
      const row = await this.#images.own(tx, ctx, id, 'modify');
      await quotas.stage(tx, ctx, declaredBytes);
      await this.#turn(tx, row, 'uploading');
      await quotas.uploading(tx, ctx);
    });
    try {
      const stored = await staging.take(file, data, this.#limits(signal, true));
      const nowMs = env.clock.nowMs();
      await env.store.write(async (tx) => {
        if (!(await store.updateImage(tx, id, { size_bytes: stored.sizeBytes, updated_at_ms: nowMs }, ['uploading'])))
          throw notFound(`Image ${id} was deleted while its data was being staged.`);
        await rows.insertStaged(tx, { image_id: id, file, size_bytes: stored.sizeBytes, md5: stored.md5, sha512: stored.hash, created_at_ms: nowMs });
      });
    } catch (error) {
      await staging.remove(file);
      await this.#giveUp(id, 'uploading', error, signal);
    }
  }

  /**
   * Data of an image to read, from the cache or from the heaviest store that has it and answers. A whole signed image's last
   * piece comes only once its signature was verified.
   * @param prefer ids of stores to try first
   */
  async open(row: ImageRow, range?: ByteRange, prefer: readonly string[] = []): Promise<Readable> {
    const { env, signatures } = this.#deps;
    const stream = await this.#open(row, range, prefer);
    if (range) return stream;
    try {
      const { properties } = await store.detailsOf(env.store.read, [row.id]);
      const signature = await signatures.check(row.id, properties.get(row.id) ?? {});
      return signature ? checked(stream, signature) : stream;
    } catch (error) {
      stream.destroy();
      throw error;
    }
  }

  /** Reads a whole image for its signature (GlanceFace, verifySignature). */
  async verify(row: ImageRow, trusted: readonly string[] | undefined, signal?: AbortSignal): Promise<void> {
    const { env, signatures } = this.#deps;
    const { properties } = await store.detailsOf(env.store.read, [row.id]);
    const check = await signatures.required(row.id, properties.get(row.id) ?? {}, trusted);
    for await (const chunk of await this.#open(row, undefined, [])) {
      signal?.throwIfAborted();
      check.update(chunk as Buffer);
    }
    check.finish();
  }

  async #open(row: ImageRow, range: ByteRange | undefined, prefer: readonly string[]): Promise<Readable> {
    const { env, cached } = this.#deps;
    const entry = await cacheRow(env.store.read, row.id);
    if (entry?.state === 'cached' && prefer.length === 0) {
      const file = new FileStore({ id: 'cache', description: '', weight: 0, directories: [cached.directory] });
      const stream = await file.read({ key: row.id, url: null }, range).catch(() => undefined);
      if (stream) {
        await env.store.write((tx) => countHit(tx, row.id, env.clock.nowMs()));
        return stream;
      }
    }
    return this.openStores(row, range, prefer, true);
  }

  /** The same, past the cache; with `keep` what comes whole from afar is kept in it. */
  async openStores(row: ImageRow, range?: ByteRange, prefer: readonly string[] = [], keep = false): Promise<Readable> {
    const { env, stores } = this.#deps;
    let problem: unknown = notFound(`Image ${row.id} has no data.`);
    for (const location of await this.#ordered(row.id, prefer)) {
      const home = stores.get(location.store);
      if (!home) continue;
      try {
        const data = await home.read({ key: location.data_key, url: location.url }, range);
        const stream = home.type === 'http' ? exactly(data, range ? range.end - range.start + 1 : (row.size_bytes ?? 0)) : data;
        return keep && home.type === 'http' && !range ? this.#cache.tee(row, stream) : stream;
      } catch (error) {
        env.log.warn({ imageId: row.id, store: home.id, err: String(error) }, 'image data could not be read');
        problem = error;
      }
    }
    throw problem;
  }

  /** A file of this machine that has the image's data, if one has. */
  async path(imageId: string): Promise<string | undefined> {
    for (const location of await this.#ordered(imageId, [])) {
      const path = await this.#deps.stores
        .get(location.store)
        ?.path?.({ key: location.data_key, url: location.url })
        .catch(() => undefined);
      if (path !== undefined) return path;
    }
    return undefined;
  }

  /** Removes an image's data from one of several stores. */
  async removeFrom(ctx: Context, storeId: string, imageId: string): Promise<void> {
    const { env, stores } = this.#deps;
    if (!stores.get(storeId)) throw conflict(`The selected store ${storeId} is not available on this node.`);
    await env.store.write(async (tx) => {
      const row = await this.#images.visible(tx, ctx, imageId);
      if (row.status !== 'active') throw conflict("It's not allowed to remove image data from store if image status is not 'active'");
      const locations = await rows.locationsOf(tx, imageId);
      if (locations.length === 1) throw forbidden('Cannot delete image data from the only store containing it. Consider deleting the image instead.');
      const gone = locations.find((l) => l.store === storeId);
      if (!gone) throw notFound(`Image ${imageId} is not stored in store ${storeId}.`);
      await rows.deleteLocation(tx, gone.id);
      await store.updateImage(tx, imageId, { updated_at_ms: env.clock.nowMs() });
      await this.#images.emit(tx, ctx, 'image.update', row);
      tx.afterCommit(() => void removeData(this.#deps, gone));
    });
  }

  async #ordered(imageId: string, prefer: readonly string[]): Promise<LocationRow[]> {
    const { env, stores } = this.#deps;
    const weight = (l: LocationRow): number => (l.store !== null && prefer.includes(l.store) ? Number.MAX_SAFE_INTEGER : (stores.get(l.store)?.weight ?? 0));
    return (await rows.locationsOf(env.store.read, imageId)).sort((a, b) => weight(b) - weight(a));
  }

  async #turn(tx: Tx, row: ImageRow, status: 'saving' | 'uploading'): Promise<void> {
    if (!(await store.updateImage(tx, row.id, { status, updated_at_ms: this.#deps.env.clock.nowMs() }, ['queued']))) throw badTransition(row.status, status);
  }

  /** @param keepSource the data is a request's: see `IntakeOptions` */
  #limits(signal: AbortSignal | undefined, keepSource: boolean) {
    return { limitBytes: this.#deps.options.imageSizeCapBytes, keepSource, ...(signal && { signal }) };
  }

  async #giveUp(id: string, status: 'saving' | 'uploading', error: unknown, signal: AbortSignal | undefined): Promise<never> {
    const { env } = this.#deps;
    await env.store.write((tx) => store.updateImage(tx, id, { status: 'queued', size_bytes: null, updated_at_ms: env.clock.nowMs() }, [status]));
    throw dataFailure(error, signal);
  }
}

/** Looks at each piece of an upload: for its signature, and that a project's storage holds it. */
function watcher(signature: SignatureCheck | undefined, quotaBytes: number | undefined): (chunk: Buffer) => void {
  let bytes = 0;
  return (chunk) => {
    bytes += chunk.length;
    if (quotaBytes !== undefined && bytes > quotaBytes) throw storageFull(bytes, quotaBytes);
    signature?.update(chunk);
  };
}

/** What went wrong with somebody's data, in words. */
export function dataFailure(error: unknown, signal?: AbortSignal): unknown {
  if (isCairnError(error) && !signal?.aborted) return error;
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOSPC' || code === 'EDQUOT') return tooLarge('Image storage media is full: the image was not stored.');
  if (signal?.aborted || code === 'ERR_STREAM_PREMATURE_CLOSE' || code === 'ECONNRESET')
    return invalidInput('The upload ended before all of the data had come.');
  return error;
}
