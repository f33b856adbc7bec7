import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { conflict } from '@cairn/kit/errors/errors';
import type { BackupRef, BackupWrite } from '../driver.ts';
import { bodyOf, bufferBody } from './body.ts';
import { HashCursor, HashFile, hashesText } from './hash-file.ts';
import { compressed, type Compression, type Extent, hashesName, labels, metadataName, metadataText, objectName } from './layout.ts';
import type { ObjectBody, ObjectStore } from './object-store.ts';

export interface ChunkOptions {
  /** Longest stretch of the volume in one object; a multiple of `blockBytes`. */
  readonly objectBytes: number;
  /** Changes are told block by block. */
  readonly blockBytes: number;
  readonly compression: Compression;
}

/** Objects on their way at once, by number and by bytes: increments have many small ones. */
const MOST_UPLOADS = 8;

/** The sums of the backup that an increment builds on, and the size of their blocks. */
export interface ParentHashes {
  readonly hashes: HashFile;
  readonly blockBytes: number;
}

/** Stores a raw stream in upstream's layout. */
export async function writeChunks(
  store: ObjectStore,
  container: string,
  ref: BackupRef,
  raw: Readable,
  ask: BackupWrite,
  options: ChunkOptions,
  parent: ParentHashes | undefined,
): Promise<{ readonly objects: number }> {
  const { blockBytes, objectBytes } = options;
  if (parent && parent.blockBytes !== blockBytes)
    throw conflict(`The hash block size has changed since the last backup, from ${parent.blockBytes} to ${blockBytes} bytes. Make a full backup.`);
  const hashes = await HashFile.open();
  const uploads = new Uploads(store, container, ref.place, options, ask.signal);
  try {
    const before = parent && new HashCursor(parent.hashes);
    const zeroes = Buffer.alloc(blockBytes);
    const zeroHash = createHash('sha256').update(zeroes).digest();
    let extent: Stretch | undefined;
    let at = 0;
    for await (const block of blocksOf(raw, blockBytes, ask.sizeBytes)) {
      ask.signal.throwIfAborted();
      const zero = block.length === zeroes.length && block.equals(zeroes) ? zeroes : undefined;
      const hash = zero ? zeroHash : createHash('sha256').update(block).digest();
      await hashes.add(hash);
      const old = before && (await before.next());
      if (old?.equals(hash)) {
        if (extent) await uploads.add(extent);
        extent = undefined;
      } else {
        extent ??= new Stretch(at);
        extent.add(block, zero);
      }
      at += block.length;
      if (at % objectBytes === 0) {
        if (extent) await uploads.add(extent);
        extent = undefined;
        await ask.onProgress?.(Math.floor((at * 100) / ask.sizeBytes), uploads.stored);
      }
    }
    if (extent) await uploads.add(extent);
    const extents = await uploads.end();
    const sums = await bodyOf(() => hashesText(labels(ref.id, ask), blockBytes, hashes));
    await store.put(container, hashesName(ref.place), sums, ask.signal);
    await store.put(container, metadataName(ref.place), await bufferBody(Buffer.from(metadataText(ref.id, ask, extents))), ask.signal);
    await ask.onProgress?.(100, extents.length);
    return { objects: extents.length };
  } finally {
    await uploads.settle();
    await hashes.close();
  }
}

/** Changed blocks that follow each other. Those that are zero take no room. */
class Stretch {
  readonly offset: number;
  readonly #blocks: Buffer[] = [];
  isZero = true;
  length = 0;

  constructor(offset: number) {
    this.offset = offset;
  }

  /** `zero`: a block of zeroes that is as long, where this is one. */
  add(block: Buffer, zero: Buffer | undefined): void {
    this.#blocks.push(zero ?? Buffer.from(block));
    this.isZero &&= zero !== undefined;
    this.length += block.length;
  }

  take(): Buffer {
    const data = Buffer.concat(this.#blocks, this.length);
    this.#blocks.length = 0;
    return data;
  }
}

/** A stretch as its object has it. */
interface Packed {
  readonly md5: string;
  readonly compression: Compression;
  readonly body: ObjectBody;
}

async function pack(data: Buffer, compression: Compression): Promise<Packed> {
  const [{ md5 }, packed] = await Promise.all([bufferBody(data), compressed(data, compression)]);
  return { md5, compression: packed.compression, body: await bufferBody(packed.data) };
}

/** Stretches on their way into objects, some at a time. The first failure is told by the next call. */
class Uploads {
  readonly #store: ObjectStore;
  readonly #container: string;
  readonly #prefix: string;
  readonly #options: ChunkOptions;
  readonly #signal: AbortSignal;
  readonly #extents: Extent[] = [];
  readonly #running = new Set<Promise<void>>();
  #zero: Promise<Packed> | undefined;
  #bytes = 0;
  #number = 0;
  #failure: { readonly error: unknown } | undefined;
  stored = 0;

  constructor(store: ObjectStore, container: string, prefix: string, options: ChunkOptions, signal: AbortSignal) {
    this.#store = store;
    this.#container = container;
    this.#prefix = prefix;
    this.#options = options;
    this.#signal = signal;
  }

  async add(stretch: Stretch): Promise<void> {
    while (this.#running.size >= MOST_UPLOADS || (this.#running.size > 0 && this.#bytes + stretch.length > 2 * this.#options.objectBytes))
      await Promise.race(this.#running);
    this.#check();
    this.#number += 1;
    const index = this.#number - 1;
    this.#bytes += stretch.length;
    const job = this.#put(stretch, index)
      .catch((error: unknown) => {
        this.#failure ??= { error };
      })
      .finally(() => {
        this.#bytes -= stretch.length;
        this.#running.delete(job);
      });
    this.#running.add(job);
  }

  async #put(stretch: Stretch, index: number): Promise<void> {
    const name = objectName(this.#prefix, index + 1);
    const { offset, length } = stretch;
    const { md5, compression, body } = await this.#packed(stretch);
    await this.#store.put(this.#container, name, body, this.#signal);
    this.#extents[index] = { name, offset, length, compression, md5 };
    this.stored += 1;
  }

  /** What is unused in a volume is zero, stretch after stretch of the same length. */
  #packed(stretch: Stretch): Promise<Packed> {
    const { compression, objectBytes } = this.#options;
    if (!stretch.isZero || stretch.length !== objectBytes) return pack(stretch.take(), compression);
    this.#zero ??= pack(Buffer.alloc(objectBytes), compression);
    return this.#zero;
  }

  #check(): void {
    if (this.#failure) throw this.#failure.error;
  }

  async end(): Promise<readonly Extent[]> {
    await this.settle();
    this.#check();
    return this.#extents;
  }

  /** When none is on its way any more. */
  async settle(): Promise<void> {
    await Promise.all(this.#running);
  }
}

/** A stream cut into blocks up to `sizeBytes`: what does not come is zero, and the last one may be shorter. A block is the caller's until the next. */
async function* blocksOf(raw: Readable, blockBytes: number, sizeBytes: number): AsyncGenerator<Buffer> {
  const held = Buffer.alloc(blockBytes);
  let [filled, at] = [0, 0];
  for await (const chunk of raw as AsyncIterable<Buffer>) {
    if (at + filled + chunk.length > sizeBytes) throw new Error('the volume has more data than its size says');
    for (let from = 0; from < chunk.length; ) {
      if (filled === 0 && chunk.length - from >= blockBytes) {
        yield chunk.subarray(from, from + blockBytes);
        from += blockBytes;
        at += blockBytes;
        continue;
      }
      const taken = chunk.copy(held, filled, from, Math.min(chunk.length, from + blockBytes - filled));
      from += taken;
      filled += taken;
      if (filled < blockBytes) continue;
      yield held;
      filled = 0;
      at += blockBytes;
    }
  }
  held.fill(0, filled);
  for (; at < sizeBytes; at += blockBytes) {
    yield held.subarray(0, Math.min(blockBytes, sizeBytes - at));
    held.fill(0);
  }
}
