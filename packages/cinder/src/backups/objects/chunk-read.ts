import { createHash } from 'node:crypto';
import { conflict } from '@cairn/kit/errors/errors';
import { CLUSTER_BYTES, CLUSTERS_PER_TABLE, type ImageContent } from '../qcow2.ts';
import { damaged } from '../read.ts';
import { HASH_BYTES, type HashFile } from './hash-file.ts';
import { decompressed, type Extent } from './layout.ts';
import type { ObjectStore } from './object-store.ts';

/** A stretch of the volume in the newest backup of the chain that has it. */
export interface Segment {
  readonly from: number;
  readonly to: number;
  readonly container: string;
  readonly extent: Extent;
}

export const segmentsOf = (container: string, extents: readonly Extent[]): Segment[] =>
  extents.map((extent) => ({ from: extent.offset, to: extent.offset + extent.length, container, extent }));

/** Both lists are in order and free of overlaps; so is what comes out, with `above` wherever it covers `below`. */
export function overlaid(below: readonly Segment[], above: readonly Segment[]): Segment[] {
  const rest: Segment[] = [];
  let at = 0;
  for (const segment of below) {
    let { from } = segment;
    while ((above[at]?.to ?? Number.POSITIVE_INFINITY) <= from) at += 1;
    for (let i = at; (above[i]?.from ?? Number.POSITIVE_INFINITY) < segment.to; i += 1) {
      const over = above[i] as Segment;
      if (over.from > from) rest.push({ ...segment, from, to: over.from });
      from = Math.max(from, over.to);
    }
    if (from < segment.to) rest.push({ ...segment, from });
  }
  return [...rest, ...above].toSorted((a, b) => a.from - b.from);
}

/** Decompressed objects that are kept at hand. */
const KEPT_BYTES = 160 * 2 ** 20;
/** What compression may add to what cannot be compressed. */
const SPARE_BYTES = 2 ** 20;

/** The volume as the chain's last backup has it. Every block is held against its SHA-256 before it is given out. */
export class ChunkContent implements ImageContent {
  readonly #id: string;
  readonly #store: ObjectStore;
  readonly #segments: readonly Segment[];
  readonly #hashes: HashFile;
  readonly #blockBytes: number;
  readonly #sizeBytes: number;
  readonly #signal: AbortSignal;
  readonly #kept = new Map<string, Buffer>();
  #keptBytes = 0;
  /** The volume is read from its beginning to its end. */
  #at = 0;

  constructor(
    id: string,
    ask: {
      readonly store: ObjectStore;
      readonly segments: readonly Segment[];
      readonly hashes: HashFile;
      readonly blockBytes: number;
      readonly signal: AbortSignal;
    },
  ) {
    this.#id = id;
    this.#store = ask.store;
    this.#segments = ask.segments;
    this.#hashes = ask.hashes;
    this.#blockBytes = ask.blockBytes;
    this.#signal = ask.signal;
    const fits = CLUSTER_BYTES % ask.blockBytes === 0 || (ask.blockBytes % CLUSTER_BYTES === 0 && (CLUSTER_BYTES * CLUSTERS_PER_TABLE) % ask.blockBytes === 0);
    if (!fits) throw conflict(`Backup ${id} has hashes for blocks of ${ask.blockBytes} bytes, which Cairn does not read: powers of two up to 512 MiB are.`);
    this.#sizeBytes = Math.max(0, ask.segments.at(-1)?.to ?? 0);
    if (Math.ceil(this.#sizeBytes / ask.blockBytes) > ask.hashes.count) throw damaged(id, 'there are fewer sums than blocks');
  }

  /** Of the volume, at most: its last block may be shorter. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  get tables(): number {
    return Math.ceil(this.#sizeBytes / (CLUSTER_BYTES * CLUSTERS_PER_TABLE));
  }

  async used(table: number): Promise<readonly number[]> {
    const from = table * CLUSTER_BYTES * CLUSTERS_PER_TABLE;
    const blocks = (CLUSTER_BYTES * CLUSTERS_PER_TABLE) / this.#blockBytes;
    const sums = await this.#hashes.read(from / this.#blockBytes, blocks);
    const zero = createHash('sha256').update(Buffer.alloc(this.#blockBytes)).digest();
    const found = new Set<number>();
    for (let block = 0; block * HASH_BYTES < sums.length; block += 1) {
      if (sums.compare(zero, 0, HASH_BYTES, block * HASH_BYTES, (block + 1) * HASH_BYTES) === 0) continue;
      const first = Math.floor((block * this.#blockBytes) / CLUSTER_BYTES);
      const last = Math.ceil(((block + 1) * this.#blockBytes) / CLUSTER_BYTES);
      for (let cluster = first; cluster < last; cluster += 1) found.add(cluster);
    }
    return [...found];
  }

  async *data(table: number, used: readonly number[]): AsyncGenerator<Buffer> {
    const from = table * CLUSTER_BYTES * CLUSTERS_PER_TABLE;
    const unit = Math.max(CLUSTER_BYTES, this.#blockBytes);
    const perUnit = unit / CLUSTER_BYTES;
    for (let i = 0; i < used.length; i += perUnit) {
      const at = from + (used[i] as number) * CLUSTER_BYTES;
      const bytes = await this.#checked(at, unit);
      for (let cluster = 0; cluster < perUnit; cluster += 1) yield bytes.subarray(cluster * CLUSTER_BYTES, (cluster + 1) * CLUSTER_BYTES);
    }
  }

  async #checked(at: number, length: number): Promise<Buffer> {
    this.#signal.throwIfAborted();
    const bytes = await this.#bytes(at, length);
    const sums = await this.#hashes.read(at / this.#blockBytes, length / this.#blockBytes);
    for (let block = 0; block * HASH_BYTES < sums.length; block += 1) {
      const from = block * this.#blockBytes;
      const to = Math.min(from + this.#blockBytes, this.#sizeBytes - at);
      const sum = createHash('sha256')
        .update(bytes.subarray(from, Math.max(from, to)))
        .digest();
      if (sum.compare(sums, block * HASH_BYTES, (block + 1) * HASH_BYTES) !== 0) throw damaged(this.#id, `the block at ${at + from}`);
    }
    return bytes;
  }

  async #bytes(from: number, length: number): Promise<Buffer> {
    const out = Buffer.alloc(length);
    const to = from + length;
    while (this.#at < this.#segments.length && (this.#segments[this.#at] as Segment).to <= from) this.#at += 1;
    for (let i = this.#at; i < this.#segments.length; i += 1) {
      const segment = this.#segments[i] as Segment;
      if (segment.from >= to) break;
      const data = await this.#object(segment);
      const [first, last] = [Math.max(from, segment.from), Math.min(to, segment.to)];
      data.copy(out, first - from, first - segment.extent.offset, last - segment.extent.offset);
    }
    return out;
  }

  async #object({ container, extent }: Segment): Promise<Buffer> {
    const key = `${container}/${extent.name}`;
    let data = this.#kept.get(key);
    if (data) this.#kept.delete(key);
    else {
      const raw = await this.#store.get(container, extent.name, extent.length + SPARE_BYTES, this.#signal);
      data = await decompressed(this.#id, extent, raw);
      for (const [old, bytes] of this.#kept) {
        if (this.#keptBytes + data.length <= KEPT_BYTES) break;
        this.#kept.delete(old);
        this.#keptBytes -= bytes.length;
      }
      this.#keptBytes += data.length;
    }
    // the one that was used last is the last to go
    this.#kept.set(key, data);
    return data;
  }
}
