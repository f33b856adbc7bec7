import { createHash } from 'node:crypto';
import type { BackupStore } from './store.ts';

/*
 * A backup in the store:
 *   <id>/manifest.json    written last: without it there is no backup
 *   <id>/index-00000      40 bytes for each block of 64 KiB, one object for each 512 MiB; absent where all is zero
 *   <id>/data-00000       blocks that this backup has itself, 256 to an object
 * An index is complete: for blocks that have not changed it points into the data of the backups before. So restoring reads one index, whatever
 * the number of increments, and making an increment reads the index of its parent alone.
 */

export const BLOCK_BYTES = 65_536;
/** Blocks that one index object tells of; what one L2 table of qcow2 tells of, too. */
export const BLOCKS_PER_INDEX = 8_192;
export const BLOCKS_PER_DATA = 256;
const ENTRY_BYTES = 40;
const ZERO_GENERATION = 0xffff;

export interface Manifest {
  readonly version: 1;
  readonly id: string;
  readonly volumeId: string;
  readonly sizeBytes: number;
  /** Ids of the backups that the index points into, the oldest (full) one first, this one last. */
  readonly chain: readonly string[];
  /** SHA-256 of each index object, hex; null where all its blocks are zero. */
  readonly indexes: readonly (string | null)[];
  readonly dataObjects: number;
  /** SHA-256 over all the fields above. */
  readonly sum: string;
}

/** Where a block's content is. */
export interface Place {
  readonly hash: Buffer;
  readonly generation: number;
  readonly object: number;
  readonly slot: number;
}

export const sha256 = (data: Buffer | string): Buffer => createHash('sha256').update(data).digest();

export const indexKey = (id: string, at: number): string => `${id}/index-${String(at).padStart(5, '0')}`;
export const dataKey = (id: string, at: number): string => `${id}/data-${String(at).padStart(5, '0')}`;
const manifestKey = (id: string): string => `${id}/manifest.json`;

/** One index object in the making: all zero until told otherwise. */
export class IndexPart {
  readonly bytes: Buffer;

  constructor(bytes?: Buffer) {
    this.bytes = bytes ?? Buffer.alloc(BLOCKS_PER_INDEX * ENTRY_BYTES, 0xff);
    if (this.bytes.length !== BLOCKS_PER_INDEX * ENTRY_BYTES) throw new Error('an index of the backup has the wrong length');
  }

  /** undefined: zeroes. */
  place(at: number): Place | undefined {
    const from = at * ENTRY_BYTES;
    const generation = this.bytes.readUInt16BE(from + 32);
    if (generation === ZERO_GENERATION) return undefined;
    return {
      hash: this.bytes.subarray(from, from + 32),
      generation,
      object: this.bytes.readUInt32BE(from + 34),
      slot: this.bytes.readUInt16BE(from + 38),
    };
  }

  set(at: number, place: Place): void {
    const from = at * ENTRY_BYTES;
    place.hash.copy(this.bytes, from);
    this.bytes.writeUInt16BE(place.generation, from + 32);
    this.bytes.writeUInt32BE(place.object, from + 34);
    this.bytes.writeUInt16BE(place.slot, from + 38);
  }
}

const sumOf = (manifest: Omit<Manifest, 'sum'>): string =>
  sha256(
    JSON.stringify([manifest.version, manifest.id, manifest.volumeId, manifest.sizeBytes, manifest.chain, manifest.indexes, manifest.dataObjects]),
  ).toString('hex');

export async function putManifest(store: BackupStore, manifest: Omit<Manifest, 'sum'>): Promise<void> {
  await store.put(manifestKey(manifest.id), Buffer.from(JSON.stringify({ ...manifest, sum: sumOf(manifest) })));
}

/** Throws when it is missing or damaged. */
export async function getManifest(store: BackupStore, id: string): Promise<Manifest> {
  const manifest = JSON.parse((await store.get(manifestKey(id))).toString('utf8')) as Manifest;
  if (manifest.version !== 1 || manifest.id !== id || manifest.sum !== sumOf(manifest)) throw new Error(`the manifest of backup ${id} is damaged`);
  return manifest;
}

/** An index object, checked; undefined where all is zero or the backup does not reach so far. */
export async function getIndex(store: BackupStore, manifest: Manifest, at: number): Promise<IndexPart | undefined> {
  const sum = manifest.indexes[at];
  if (sum === undefined || sum === null) return undefined;
  const bytes = await store.get(indexKey(manifest.id, at));
  if (sha256(bytes).toString('hex') !== sum) throw new Error(`index ${at} of backup ${manifest.id} is damaged`);
  return new IndexPart(bytes);
}
