import { Readable } from 'node:stream';
import { CairnError } from '@cairn/kit/errors/errors';
import { BLOCK_BYTES, BLOCKS_PER_INDEX, dataKey, getIndex, getManifest, type Manifest, sha256 } from './format.ts';
import type { BackupStore } from './store.ts';

/** A backup whose data is not what was stored. */
export const damaged = (id: string, detail: string): CairnError =>
  new CairnError('Conflict', `Backup ${id} is damaged in the backup store: a checksum does not match.`, { detail, type: 'BackupDamaged' });

const CLUSTER = BLOCK_BYTES;
const REFCOUNTS_PER_BLOCK = CLUSTER / 2;
/** Data objects that are kept at hand: increments jump between those of several backups. */
const KEPT_OBJECTS = 8;
const COPIED = 1n << 63n;

/**
 * A backup as a standalone qcow2 image of `sizeBytes` (format: qemu's docs/interop/qcow2.rst; version 3, 64 KiB clusters), made while it is read:
 * zeroes take no room, memory is constant, and every block is checked against its SHA-256 before it is given out.
 */
export async function backupAsQcow2(store: BackupStore, backupId: string, sizeBytes: number): Promise<Readable> {
  const manifest = await getManifest(store, backupId).catch((error: unknown) => {
    throw damaged(backupId, String(error));
  });
  if (manifest.sizeBytes > sizeBytes) throw new Error('the disk is smaller than the backup');
  return Readable.from(image(store, manifest, sizeBytes), { objectMode: false, highWaterMark: 1024 * 1024 });
}

async function* image(store: BackupStore, manifest: Manifest, sizeBytes: number): AsyncGenerator<Buffer> {
  const index = async (at: number) => {
    try {
      return await getIndex(store, manifest, at);
    } catch (error) {
      throw damaged(manifest.id, String(error));
    }
  };
  const counts: number[] = [];
  for (let at = 0; at < manifest.indexes.length; at += 1) {
    const part = await index(at);
    let count = 0;
    if (part) for (let block = 0; block < BLOCKS_PER_INDEX; block += 1) if (part.place(block)) count += 1;
    counts.push(count);
  }
  const l1Entries = Math.max(1, Math.ceil(sizeBytes / (CLUSTER * BLOCKS_PER_INDEX)));
  const l1Clusters = Math.ceil((l1Entries * 8) / CLUSTER);
  const dataClusters = counts.reduce((sum, count) => sum + count + (count > 0 ? 1 : 0), 0);
  // the refcounts count their own clusters, too
  let [blocks, tables] = [1, 1];
  for (;;) {
    const total = 1 + tables + blocks + l1Clusters + dataClusters;
    const needed = Math.ceil(total / REFCOUNTS_PER_BLOCK);
    const needTables = Math.ceil((needed * 8) / CLUSTER);
    if (needed === blocks && needTables === tables) break;
    [blocks, tables] = [Math.max(blocks, needed), Math.max(tables, needTables)];
  }
  const total = 1 + tables + blocks + l1Clusters + dataClusters;
  const l1At = 1 + tables + blocks;

  const header = Buffer.alloc(CLUSTER);
  header.write('QFI\xfb', 0, 'latin1');
  header.writeUInt32BE(3, 4);
  header.writeUInt32BE(16, 20);
  header.writeBigUInt64BE(BigInt(sizeBytes), 24);
  header.writeUInt32BE(l1Entries, 36);
  header.writeBigUInt64BE(BigInt(l1At * CLUSTER), 40);
  header.writeBigUInt64BE(BigInt(CLUSTER), 48);
  header.writeUInt32BE(tables, 56);
  header.writeUInt32BE(4, 96);
  header.writeUInt32BE(104, 100);
  yield header;
  const table = Buffer.alloc(tables * CLUSTER);
  for (let i = 0; i < blocks; i += 1) table.writeBigUInt64BE(BigInt((1 + tables + i) * CLUSTER), i * 8);
  yield table;
  for (let i = 0; i < blocks; i += 1) {
    const refcounts = Buffer.alloc(CLUSTER);
    const here = Math.min(REFCOUNTS_PER_BLOCK, Math.max(0, total - i * REFCOUNTS_PER_BLOCK));
    for (let entry = 0; entry < here; entry += 1) refcounts.writeUInt16BE(1, entry * 2);
    yield refcounts;
  }
  const l1 = Buffer.alloc(l1Clusters * CLUSTER);
  let next = l1At + l1Clusters;
  for (const [at, count] of counts.entries()) {
    if (count === 0) continue;
    l1.writeBigUInt64BE(BigInt(next * CLUSTER) | COPIED, at * 8);
    next += 1 + count;
  }
  yield l1;

  const data = new DataReader(store, manifest);
  next = l1At + l1Clusters;
  for (const [at, count] of counts.entries()) {
    if (count === 0) continue;
    const part = await index(at);
    if (!part) throw damaged(manifest.id, `index ${at} is gone`);
    const l2 = Buffer.alloc(CLUSTER);
    next += 1;
    for (let block = 0; block < BLOCKS_PER_INDEX; block += 1) {
      if (!part.place(block)) continue;
      l2.writeBigUInt64BE(BigInt(next * CLUSTER) | COPIED, block * 8);
      next += 1;
    }
    yield l2;
    for (let block = 0; block < BLOCKS_PER_INDEX; block += 1) {
      const place = part.place(block);
      if (!place) continue;
      const bytes = await data.block(place.generation, place.object, place.slot);
      if (!sha256(bytes).equals(place.hash)) throw damaged(manifest.id, `block ${block} of index ${at}`);
      yield bytes;
    }
  }
}

class DataReader {
  readonly #store: BackupStore;
  readonly #manifest: Manifest;
  readonly #kept = new Map<string, Buffer>();

  constructor(store: BackupStore, manifest: Manifest) {
    this.#store = store;
    this.#manifest = manifest;
  }

  async block(generation: number, object: number, slot: number): Promise<Buffer> {
    const id = this.#manifest.chain[generation];
    if (id === undefined) throw damaged(this.#manifest.id, `no generation ${generation}`);
    const key = dataKey(id, object);
    let bytes = this.#kept.get(key);
    if (!bytes) {
      bytes = await this.#store.get(key);
      const [oldest] = this.#kept.keys();
      if (oldest !== undefined && this.#kept.size >= KEPT_OBJECTS) this.#kept.delete(oldest);
      this.#kept.set(key, bytes);
    }
    const block = bytes.subarray(slot * BLOCK_BYTES, (slot + 1) * BLOCK_BYTES);
    if (block.length !== BLOCK_BYTES) throw damaged(this.#manifest.id, `${key} is too short`);
    return block;
  }
}
