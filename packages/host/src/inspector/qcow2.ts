import { boundedSize, type Finding, type FormatReader, fits } from './facts.ts';

/**
 * qcow2 (docs/interop/qcow2.txt of QEMU). All numbers are big-endian. Offsets that matter:
 *
 *     0 magic "QFI\xfb"      4 version             8 backing file offset (u64)   16 backing file length
 *    20 cluster bits        24 virtual size (u64)  32 encryption method          36 L1 entries
 *    40 L1 offset (u64)     48 refcount table offset (u64)   56 refcount table clusters
 *    60 snapshots           64 snapshot table offset (u64)
 *    from version 3 on:
 *    72 incompatible features (u64)   100 header length      then header extensions: type, length, data padded to 8
 */
const MAGIC = Buffer.from('QFI\xfb', 'latin1');

/** Incompatible features that QEMU knows: dirty, corrupt, external data file, compression type, extended L2 entries. */
const DATA_FILE_BIT = 1n << 2n;
/** oslo.utils accepts bits 0 to 3; extended L2 (bit 4) it does not know, so neither do we. */
const KNOWN_FEATURES = 0b1111n;
const EXTENSION_END = 0;
const EXTENSION_DATA_FILE = 0x44415441;
const EXTENSION_BACKING_FORMAT = 0xe2792aca;
/** QEMU's own bounds (QCOW_MAX_L1_SIZE, QCOW_MAX_REFTABLE_SIZE, QCOW_MAX_SNAPSHOTS). */
const MAX_TABLE_BYTES = 32n * 1024n * 1024n;
const MAX_REFCOUNT_TABLE_BYTES = 8n * 1024n * 1024n;
const MAX_SNAPSHOTS = 65536;

export interface Qcow2Header {
  readonly version: number;
  readonly virtualSize: bigint;
  readonly backing: { readonly offset: bigint; readonly length: number } | undefined;
  readonly features: bigint;
  /** A header extension names a data file, whether or not the feature bit says to use it. */
  readonly namesDataFile: boolean;
  /** The backing file's format as the header says; without it QEMU would guess. */
  readonly backingFormat: string | undefined;
  readonly encryption: number;
  readonly clusterBits: number;
  readonly l1: { readonly entries: number; readonly offset: bigint };
  readonly refcounts: { readonly clusters: number; readonly offset: bigint };
  readonly snapshots: { readonly count: number; readonly offset: bigint };
}

/** Reads the header from an image's first bytes; `undefined` when it is no qcow2 or too short to be one. */
export function readQcow2Header(head: Buffer): Qcow2Header | undefined {
  if (head.length < 72 || !head.subarray(0, 4).equals(MAGIC)) return undefined;
  const version = head.readUInt32BE(4);
  const modern = version >= 3;
  if (modern && head.length < 104) return undefined;
  const backingOffset = head.readBigUInt64BE(8);
  return {
    version,
    backing: backingOffset === 0n ? undefined : { offset: backingOffset, length: head.readUInt32BE(16) },
    clusterBits: head.readUInt32BE(20),
    virtualSize: head.readBigUInt64BE(24),
    encryption: head.readUInt32BE(32),
    l1: { entries: head.readUInt32BE(36), offset: head.readBigUInt64BE(40) },
    refcounts: { offset: head.readBigUInt64BE(48), clusters: head.readUInt32BE(56) },
    snapshots: { count: head.readUInt32BE(60), offset: head.readBigUInt64BE(64) },
    features: modern ? head.readBigUInt64BE(72) : 0n,
    ...extensions(head, modern ? head.readUInt32BE(100) : 72),
  };
}

function extensions(head: Buffer, start: number): Pick<Qcow2Header, 'namesDataFile' | 'backingFormat'> {
  let namesDataFile = false;
  let backingFormat: string | undefined;
  for (let at = start; at + 8 <= head.length; ) {
    const type = head.readUInt32BE(at);
    const length = head.readUInt32BE(at + 4);
    if (type === EXTENSION_END) break;
    if (type === EXTENSION_DATA_FILE) namesDataFile = true;
    if (type === EXTENSION_BACKING_FORMAT) backingFormat = head.toString('latin1', at + 8, at + 8 + Math.min(length, 64));
    at += 8 + Math.ceil(length / 8) * 8;
  }
  return { namesDataFile, backingFormat };
}

/** What makes it unsafe to open an image with this header. `backingAllowed` for layers of our own, which always have one. */
export function judgeQcow2Header(header: Qcow2Header, sizeBytes: number, backingAllowed = false): readonly Finding[] {
  const findings: Finding[] = [];
  const add = (code: Finding['code'], text: string): void => void findings.push({ code, text });
  if (header.version !== 2 && header.version !== 3) add('version', 'its qcow2 version is not supported');
  if (header.backing && !backingAllowed) add('backing_file', 'it has a backing file');
  if (header.features & DATA_FILE_BIT || header.namesDataFile) add('data_file', 'it keeps its data in another file');
  if (header.features & ~KNOWN_FEATURES) add('unknown_features', 'it uses qcow2 features that are not known here');
  if (header.encryption !== 0) add('encrypted', 'it is encrypted');
  if (header.clusterBits < 9 || header.clusterBits > 21) {
    add('truncated', 'its cluster size is impossible');
    return findings;
  }
  const clusterBytes = 1n << BigInt(header.clusterBits);
  const l1Bytes = BigInt(header.l1.entries) * 8n;
  // One L1 entry maps a cluster full of L2 entries, each one cluster; QEMU grows the table ahead, so the need is a lower bound only.
  const perEntry = clusterBytes * (clusterBytes / 8n);
  const needed = (header.virtualSize + perEntry - 1n) / perEntry;
  if (l1Bytes > MAX_TABLE_BYTES || needed * 8n > MAX_TABLE_BYTES) add('huge_table', 'its L1 table is larger than any disk needs');
  else if (BigInt(header.l1.entries) < needed) add('truncated', 'its L1 table is too short for its size');
  else if (!fits(header.l1.offset, l1Bytes, sizeBytes)) add('truncated', 'its L1 table lies beyond the end of the file');
  const refcountBytes = BigInt(header.refcounts.clusters) * clusterBytes;
  if (refcountBytes > MAX_REFCOUNT_TABLE_BYTES) add('huge_table', 'its refcount table is larger than any disk needs');
  else if (!fits(header.refcounts.offset, refcountBytes, sizeBytes)) add('truncated', 'its refcount table lies beyond the end of the file');
  if (header.snapshots.count > MAX_SNAPSHOTS) add('huge_table', 'it has more internal snapshots than can be');
  else if (header.snapshots.count > 0 && !fits(header.snapshots.offset, BigInt(header.snapshots.count) * 40n, sizeBytes)) {
    add('truncated', 'its snapshot table lies beyond the end of the file');
  }
  return findings;
}

export const qcow2Reader: FormatReader = {
  read(image) {
    const magic = image.read(0, 4);
    if (!magic?.equals(MAGIC)) return undefined;
    const head = image.read(0, Math.min(image.sizeBytes, 64 * 1024)) ?? magic;
    const header = readQcow2Header(head);
    if (!header) return { format: 'qcow2', virtualSizeBytes: 0, findings: [{ code: 'truncated', text: 'the file ends within its header' }] };
    const findings = [...judgeQcow2Header(header, image.sizeBytes)];
    return { format: 'qcow2', virtualSizeBytes: boundedSize(header.virtualSize, findings), findings, variant: `v${header.version}` };
  },
};
