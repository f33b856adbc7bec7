import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { notFound } from '@cairn/kit/errors/errors';
import type { CacheRow } from '../store/data-tables.ts';
import * as rows from '../store/cache.ts';
import { imageById } from '../store/images.ts';
import type { ImageRow } from '../store/tables.ts';
import { fileSink } from '../stores/file-sink.ts';
import type { Sink } from '../stores/store.ts';
import type { DataDeps } from './deps.ts';

/** Cached data of images: what came from web servers stays for the next reader, and what an admin asks for is fetched beforehand. */
export class ImageCache {
  readonly #deps: DataDeps;
  /** Opens an image's data from its stores; set once the reader exists. */
  fetch: (row: ImageRow) => Promise<Readable> = async () => {
    throw notFound('The image data is not there.');
  };
  #working: Promise<void> | undefined;
  #stopped = false;
  readonly #coming = new Set<string>();

  constructor(deps: DataDeps) {
    this.#deps = deps;
  }

  async state(): Promise<{ readonly cached: CacheRow[]; readonly queued: CacheRow[] }> {
    const db = this.#deps.env.store.read;
    return { cached: await rows.cacheRows(db, 'cached'), queued: await rows.cacheRows(db, 'queued') };
  }

  /** Asks that an image be cached; one that is cached stays as it is. */
  async queue(imageId: string): Promise<void> {
    const { env } = this.#deps;
    await env.store.write(async (tx) => {
      if (await rows.cacheRow(tx, imageId)) return;
      const nowMs = env.clock.nowMs();
      await rows.putCacheRow(tx, { image_id: imageId, state: 'queued', size_bytes: 0, hits: 0, accessed_at_ms: nowMs, modified_at_ms: nowMs });
      tx.afterCommit(() => this.work());
    });
  }

  /** Removes an image from the cache or its queue. Returns whether it was there. */
  async drop(imageId: string): Promise<boolean> {
    const gone = await this.#deps.env.store.write((tx) => rows.dropCacheRows(tx, { imageId }));
    await this.#deps.cached.remove(imageId);
    return gone > 0;
  }

  async clear(state: CacheRow['state']): Promise<number> {
    const listed = await rows.cacheRows(this.#deps.env.store.read, state);
    const gone = await this.#deps.env.store.write((tx) => rows.dropCacheRows(tx, { state }));
    if (state === 'cached') for (const row of listed) await this.#deps.cached.remove(row.image_id);
    return gone;
  }

  /** Removes what was read longest ago until the rest fits. */
  async prune(): Promise<{ readonly files: number; readonly bytes: number }> {
    const db = this.#deps.env.store.read;
    let over = (await rows.cacheBytes(db)) - this.#deps.options.cacheMaxBytes;
    let [files, bytes] = [0, 0];
    if (over <= 0) return { files, bytes };
    for (const row of await rows.leastRecent(db)) {
      if (over <= 0) break;
      await this.drop(row.image_id);
      over -= row.size_bytes;
      bytes += row.size_bytes;
      files += 1;
    }
    return { files, bytes };
  }

  /** Removes files that no entry names, and entries without a file. */
  async clean(): Promise<void> {
    const { cached } = await this.state();
    const known = new Set(cached.map((row) => row.image_id));
    await this.#deps.cached.prepare((file) => known.has(file) || this.#coming.has(file.replace(/\.part$/, '')));
    for (const row of cached) if ((await this.#deps.cached.size(row.image_id)) !== row.size_bytes) await this.drop(row.image_id);
  }

  /** Lets a reader's whole stream pass, and keeps what passed. Trouble with the cache is no trouble of the reader's. */
  tee(row: ImageRow, source: Readable): Readable {
    if (this.#coming.has(row.id) || (row.size_bytes ?? 0) > this.#deps.options.cacheMaxBytes) return source;
    return Readable.from(this.#teeing(row, source), { objectMode: false });
  }

  async *#teeing(row: ImageRow, source: Readable): AsyncGenerator<Buffer> {
    this.#coming.add(row.id);
    const md5 = createHash('md5');
    let count = 0;
    let sink: Sink | undefined = await fileSink(this.#deps.cached.path(row.id)).catch(() => undefined);
    const give = async (error?: unknown): Promise<void> => {
      const open = sink;
      sink = undefined;
      if (error) this.#deps.env.log.warn({ imageId: row.id, err: String(error) }, 'an image was not cached');
      await open?.abort().catch(() => {});
    };
    try {
      for await (const chunk of source as AsyncIterable<Buffer>) {
        count += chunk.length;
        md5.update(chunk);
        await sink?.write(chunk).catch(give);
        yield chunk;
      }
      const whole = count === (row.size_bytes ?? 0) && (row.checksum === null || md5.digest('hex') === row.checksum);
      if (sink && whole) {
        const open = sink;
        sink = undefined;
        await this.#keep(row.id, count, open).catch(give);
      }
    } finally {
      await give();
      this.#coming.delete(row.id);
      source.destroy();
    }
  }

  async #keep(imageId: string, bytes: number, sink: Sink): Promise<void> {
    const { env } = this.#deps;
    await sink.finish();
    const nowMs = env.clock.nowMs();
    const kept = await env.store.write(async (tx) => {
      // deleted meanwhile: nothing may stay of it
      if (!(await imageById(tx, imageId))) return false;
      await rows.putCacheRow(tx, { image_id: imageId, state: 'cached', size_bytes: bytes, hits: 0, accessed_at_ms: nowMs, modified_at_ms: nowMs });
      return true;
    });
    if (!kept) await this.#deps.cached.remove(imageId);
    await this.prune();
  }

  /** Fetches what is queued, one image after the other, in the background. */
  work(): void {
    if (this.#stopped) return;
    this.#working ??= this.#workOff()
      .catch((error: unknown) => this.#deps.env.log.warn({ err: String(error) }, 'the queue of the image cache was left'))
      .finally(() => {
        this.#working = undefined;
      });
  }

  async #workOff(): Promise<void> {
    const { env } = this.#deps;
    const tried = new Set<string>();
    for (;;) {
      const next = (await rows.cacheRows(env.store.read, 'queued')).find((row) => !tried.has(row.image_id));
      if (!next || this.#stopped) return;
      tried.add(next.image_id);
      const row = await imageById(env.store.read, next.image_id);
      try {
        if (row?.status !== 'active') throw notFound('The image is not active any more.');
        await this.#fetch(row);
      } catch (error) {
        // it stays queued, for the next start or the next image that is asked for
        env.log.warn({ imageId: next.image_id, err: String(error) }, 'an image was not cached');
        if (!row) await this.drop(next.image_id);
      }
    }
  }

  async #fetch(row: ImageRow): Promise<void> {
    if (this.#coming.has(row.id)) return;
    this.#coming.add(row.id);
    const sink = await fileSink(this.#deps.cached.path(row.id));
    const md5 = createHash('md5');
    let count = 0;
    try {
      for await (const chunk of (await this.fetch(row)) as AsyncIterable<Buffer>) {
        count += chunk.length;
        md5.update(chunk);
        await sink.write(chunk);
      }
      if (row.checksum !== null && md5.digest('hex') !== row.checksum) throw new Error('the data is not what was recorded');
      await this.#keep(row.id, count, sink);
    } catch (error) {
      await sink.abort();
      throw error;
    } finally {
      this.#coming.delete(row.id);
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#working;
  }
}
