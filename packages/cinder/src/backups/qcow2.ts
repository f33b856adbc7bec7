/*
 * A standalone qcow2 image made while it is read (format: qemu's docs/interop/qcow2.rst; version 3, 64 KiB clusters). Zeroes take no room.
 */

export const CLUSTER_BYTES = 65_536;
/** Clusters that one L2 table tells of: 512 MiB. */
export const CLUSTERS_PER_TABLE = 8_192;
const REFCOUNTS_PER_BLOCK = CLUSTER_BYTES / 2;
const COPIED = 1n << 63n;

/** The content of an image, asked for in order: once for what is used, and once for the data. */
export interface ImageContent {
  /** How many L2 tables' worth there is of content; what comes after is zero. */
  readonly tables: number;
  /** Which clusters of a table are not zero, by their numbers in it, ascending. Equal answers each time. */
  used(table: number): Promise<readonly number[]>;
  /** Those clusters, in that order. */
  data(table: number, used: readonly number[]): AsyncIterable<Buffer>;
}

export async function* qcow2Image(sizeBytes: number, content: ImageContent): AsyncGenerator<Buffer> {
  const counts: number[] = [];
  for (let at = 0; at < content.tables; at += 1) counts.push((await content.used(at)).length);
  const l1Entries = Math.max(1, Math.ceil(sizeBytes / (CLUSTER_BYTES * CLUSTERS_PER_TABLE)));
  const l1Clusters = Math.ceil((l1Entries * 8) / CLUSTER_BYTES);
  const dataClusters = counts.reduce((sum, count) => sum + count + (count > 0 ? 1 : 0), 0);
  // the refcounts count their own clusters, too
  let [blocks, tables] = [1, 1];
  for (;;) {
    const needed = Math.ceil((1 + tables + blocks + l1Clusters + dataClusters) / REFCOUNTS_PER_BLOCK);
    const needTables = Math.ceil((needed * 8) / CLUSTER_BYTES);
    if (needed === blocks && needTables === tables) break;
    [blocks, tables] = [Math.max(blocks, needed), Math.max(tables, needTables)];
  }
  const total = 1 + tables + blocks + l1Clusters + dataClusters;
  const l1At = 1 + tables + blocks;

  const header = Buffer.alloc(CLUSTER_BYTES);
  header.write('QFI\xfb', 0, 'latin1');
  header.writeUInt32BE(3, 4);
  header.writeUInt32BE(16, 20);
  header.writeBigUInt64BE(BigInt(sizeBytes), 24);
  header.writeUInt32BE(l1Entries, 36);
  header.writeBigUInt64BE(BigInt(l1At * CLUSTER_BYTES), 40);
  header.writeBigUInt64BE(BigInt(CLUSTER_BYTES), 48);
  header.writeUInt32BE(tables, 56);
  header.writeUInt32BE(4, 96);
  header.writeUInt32BE(104, 100);
  yield header;
  const table = Buffer.alloc(tables * CLUSTER_BYTES);
  for (let i = 0; i < blocks; i += 1) table.writeBigUInt64BE(BigInt((1 + tables + i) * CLUSTER_BYTES), i * 8);
  yield table;
  for (let i = 0; i < blocks; i += 1) {
    const refcounts = Buffer.alloc(CLUSTER_BYTES);
    const here = Math.min(REFCOUNTS_PER_BLOCK, Math.max(0, total - i * REFCOUNTS_PER_BLOCK));
    for (let entry = 0; entry < here; entry += 1) refcounts.writeUInt16BE(1, entry * 2);
    yield refcounts;
  }
  const l1 = Buffer.alloc(l1Clusters * CLUSTER_BYTES);
  let next = l1At + l1Clusters;
  for (const [at, count] of counts.entries()) {
    if (count === 0) continue;
    l1.writeBigUInt64BE(BigInt(next * CLUSTER_BYTES) | COPIED, at * 8);
    next += 1 + count;
  }
  yield l1;

  next = l1At + l1Clusters;
  for (const [at, count] of counts.entries()) {
    if (count === 0) continue;
    const used = await content.used(at);
    if (used.length !== count) throw new Error('the content of an image changed while it was read');
    const l2 = Buffer.alloc(CLUSTER_BYTES);
    next += 1;
    for (const cluster of used) {
      l2.writeBigUInt64BE(BigInt(next * CLUSTER_BYTES) | COPIED, cluster * 8);
      next += 1;
    }
    yield l2;
    yield* content.data(at, used);
  }
}
