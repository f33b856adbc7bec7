import { open } from 'node:fs/promises';
import { basename, dirname, relative } from 'node:path';
import type { DiskFormat } from '../interface/disks.ts';

/**
 * Makes empty qcow2 files (docs/interop/qcow2.txt of QEMU; version 3, clusters of 64 KiB, refcounts of 16 bits, as qemu-img does by
 * default). A new layer is on the way of every server and snapshot: this takes a millisecond, qemu-img with its confinement 10 to 30.
 * Nothing but these fields is ever written here; the tests hold them against `qemu-img check` and `qemu-img info`.
 */
const CLUSTER_BITS = 16;
const CLUSTER = 1 << CLUSTER_BITS;
/** One L1 entry leads to a cluster of L2 entries, each one cluster of the disk. */
const BYTES_PER_L1_ENTRY = CLUSTER * (CLUSTER / 8);
/** QEMU's bound on an L1 table (32 MiB), far above any disk here. */
const MAX_SIZE_BYTES = 2 ** 50;
const HEADER_BYTES = 104;
const EXTENSION_BACKING_FORMAT = 0xe2792aca;
const MAX_NAME_BYTES = 1023;

/** The name by which a qcow2 refers to a file below it: relative, so that the data directory can be moved. Without a colon, so never a protocol. */
export function backingName(path: string, below: string): string {
  const name = dirname(path) === dirname(below) ? basename(below) : relative(dirname(path), below);
  if (Buffer.byteLength(name) > MAX_NAME_BYTES || /[:\0]/.test(name)) throw new Error(`not a name for a backing file: ${name}`);
  return name;
}

/**
 * Makes `path`, which is there and empty, a qcow2 of the given virtual size without any content of its own; reads go to `below` where given
 * (which is not opened, so a guest may have it).
 */
export async function writeEmptyQcow2(path: string, sizeBytes: number, below?: { readonly path: string; readonly format: DiskFormat }): Promise<void> {
  if (!Number.isSafeInteger(sizeBytes) || sizeBytes <= 0 || sizeBytes % 512 !== 0 || sizeBytes > MAX_SIZE_BYTES)
    throw new Error(`not a size for a qcow2: ${sizeBytes}`);
  const l1Entries = Math.ceil(sizeBytes / BYTES_PER_L1_ENTRY);
  const l1Clusters = Math.ceil((l1Entries * 8) / CLUSTER);
  // Header, refcount table, one refcount block (enough for the first 2 GiB of the file), L1 table.
  const [refcountTable, refcountBlock, l1Table] = [CLUSTER, 2 * CLUSTER, 3 * CLUSTER];
  const clusters = 3 + l1Clusters;

  const name = Buffer.from(below ? backingName(path, below.path) : '');
  const format = Buffer.from(below?.format ?? '');
  const formatBytes = below ? 8 + Math.ceil(format.length / 8) * 8 : 0;
  const nameAt = HEADER_BYTES + formatBytes + 8;
  const header = Buffer.alloc(nameAt + name.length);
  header.write('QFI\xfb', 0, 'latin1');
  header.writeUInt32BE(3, 4);
  if (below) {
    header.writeBigUInt64BE(BigInt(nameAt), 8);
    header.writeUInt32BE(name.length, 16);
    header.writeUInt32BE(EXTENSION_BACKING_FORMAT, HEADER_BYTES);
    header.writeUInt32BE(format.length, HEADER_BYTES + 4);
    format.copy(header, HEADER_BYTES + 8);
    name.copy(header, nameAt);
  }
  header.writeUInt32BE(CLUSTER_BITS, 20);
  header.writeBigUInt64BE(BigInt(sizeBytes), 24);
  header.writeUInt32BE(l1Entries, 36);
  header.writeBigUInt64BE(BigInt(l1Table), 40);
  header.writeBigUInt64BE(BigInt(refcountTable), 48);
  header.writeUInt32BE(1, 56);
  const REFCOUNT_ORDER = 4;
  header.writeUInt32BE(REFCOUNT_ORDER, 96);
  header.writeUInt32BE(HEADER_BYTES, 100);
  const firstBlock = Buffer.alloc(8);
  firstBlock.writeBigUInt64BE(BigInt(refcountBlock));
  const refcounts = Buffer.alloc(2 * clusters);
  for (let i = 0; i < clusters; i++) refcounts.writeUInt16BE(1, 2 * i);

  const file = await open(path, 'r+');
  try {
    await file.truncate(clusters * CLUSTER);
    await file.write(refcounts, 0, refcounts.length, refcountBlock);
    await file.write(firstBlock, 0, firstBlock.length, refcountTable);
    await file.write(header, 0, header.length, 0);
  } finally {
    await file.close();
  }
}

/** Throws unless the file is a qcow2 image of this size that stands on nothing else: no backing file, no external data (qemu's docs/interop/qcow2.rst). */
export async function checkStandalone(path: string, sizeBytes: number): Promise<void> {
  const file = await open(path, 'r');
  try {
    const header = Buffer.alloc(80);
    const { bytesRead } = await file.read(header, 0, header.length, 0);
    const externalData = header.readBigUInt64BE(72) & 4n;
    const version = header.readUInt32BE(4);
    if (bytesRead < header.length || header.toString('latin1', 0, 4) !== 'QFI\xfb' || (version !== 2 && version !== 3))
      throw new Error('the data is no qcow2 image');
    if (header.readBigUInt64BE(8) !== 0n || (version === 3 && externalData !== 0n)) throw new Error('the image stands on other files');
    if (header.readBigUInt64BE(24) !== BigInt(sizeBytes)) throw new Error(`the image has ${header.readBigUInt64BE(24)} bytes, not ${sizeBytes}`);
  } finally {
    await file.close();
  }
}
