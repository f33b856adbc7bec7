import type { Readable } from 'node:stream';
import { BLOCK_BYTES, BLOCKS_PER_DATA, BLOCKS_PER_INDEX, dataKey, getIndex, IndexPart, indexKey, type Manifest, putManifest, sha256 } from './format.ts';
import type { BackupStore } from './store.ts';

export interface BackupWrite {
  readonly id: string;
  readonly volumeId: string;
  readonly sizeBytes: number;
  /** Increments say what they build on. */
  readonly parent?: Manifest;
  readonly signal: AbortSignal;
  /** Called now and then with 0 to 100. */
  readonly onProgress?: (percent: number, objects: number) => Promise<void>;
}

export interface BackupWritten {
  readonly objects: number;
  /** Bytes of volume data that were stored; the rest is zero or was there already. */
  readonly storedBytes: number;
}

const ZERO = Buffer.alloc(BLOCK_BYTES);

/** Stores a raw stream as a backup. Holds one data and two index objects in memory, whatever the size. */
export async function writeBackup(store: BackupStore, raw: Readable, ask: BackupWrite): Promise<BackupWritten> {
  const { id, parent } = ask;
  await store.remove(id);
  const chain = [...(parent?.chain ?? []), id];
  const generation = chain.length - 1;
  const parts = Math.ceil(ask.sizeBytes / (BLOCK_BYTES * BLOCKS_PER_INDEX));
  const indexes: (string | null)[] = [];
  const pack = new DataPack(store, id);
  let [before, part, used, at] = [undefined as IndexPart | undefined, new IndexPart(), false, 0];
  const beginPart = async (): Promise<void> => {
    [part, used] = [new IndexPart(), false];
    before = parent && (await getIndex(store, parent, indexes.length));
  };
  const endPart = async (): Promise<void> => {
    if (used) await store.put(indexKey(id, indexes.length), part.bytes);
    indexes.push(used ? sha256(part.bytes).toString('hex') : null);
    at = 0;
    await ask.onProgress?.(Math.floor((indexes.length * 100) / parts), pack.objects);
  };
  await beginPart();
  for await (const block of blocksOf(raw)) {
    ask.signal.throwIfAborted();
    if (indexes.length >= parts) throw new Error('the volume has more data than its size says');
    if (!block.equals(ZERO)) {
      const hash = sha256(block);
      const old = before?.place(at);
      part.set(at, old?.hash.equals(hash) ? old : { hash, generation, ...(await pack.add(block)) });
      used = true;
    }
    at += 1;
    if (at === BLOCKS_PER_INDEX) {
      await endPart();
      if (indexes.length < parts) await beginPart();
    }
  }
  // what does not come is zero
  if (at > 0) await endPart();
  while (indexes.length < parts) indexes.push(null);
  await pack.end();
  await putManifest(store, { version: 1, id, volumeId: ask.volumeId, sizeBytes: ask.sizeBytes, chain, indexes, dataObjects: pack.objects });
  return { objects: pack.objects + indexes.filter((one) => one !== null).length + 1, storedBytes: pack.storedBytes };
}

/** Blocks on their way into data objects. */
class DataPack {
  readonly #store: BackupStore;
  readonly #id: string;
  #blocks: Buffer[] = [];
  objects = 0;
  storedBytes = 0;

  constructor(store: BackupStore, id: string) {
    this.#store = store;
    this.#id = id;
  }

  async add(block: Buffer): Promise<{ readonly object: number; readonly slot: number }> {
    const place = { object: this.objects, slot: this.#blocks.length };
    this.#blocks.push(Buffer.from(block));
    this.storedBytes += block.length;
    if (this.#blocks.length === BLOCKS_PER_DATA) await this.end();
    return place;
  }

  async end(): Promise<void> {
    if (this.#blocks.length === 0) return;
    await this.#store.put(dataKey(this.#id, this.objects), Buffer.concat(this.#blocks));
    this.objects += 1;
    this.#blocks = [];
  }
}

/** A stream cut into blocks; the last is filled up with zeroes. A block is the caller's until it asks for the next. */
async function* blocksOf(raw: Readable): AsyncGenerator<Buffer> {
  const held = Buffer.alloc(BLOCK_BYTES);
  let filled = 0;
  for await (const chunk of raw as AsyncIterable<Buffer>) {
    let from = 0;
    while (from < chunk.length) {
      if (filled === 0 && chunk.length - from >= BLOCK_BYTES) {
        yield chunk.subarray(from, from + BLOCK_BYTES);
        from += BLOCK_BYTES;
        continue;
      }
      const taken = chunk.copy(held, filled, from, Math.min(chunk.length, from + BLOCK_BYTES - filled));
      from += taken;
      filled += taken;
      if (filled < BLOCK_BYTES) continue;
      yield held;
      filled = 0;
    }
  }
  if (filled > 0) yield held.fill(0, filled);
}
