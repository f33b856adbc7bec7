import { Readable } from 'node:stream';
import { CairnError } from '@cairn/kit/errors/errors';
import { BLOCK_BYTES, BLOCKS_PER_INDEX, dataKey, getIndex, getManifest, type IndexPart, type Manifest, sha256 } from './format.ts';
import { type ImageContent, qcow2Image } from './qcow2.ts';
import type { BackupStore } from './store.ts';

/** A backup whose data is not what was stored. */
export const damaged = (id: string, detail: string): CairnError =>
  new CairnError('Conflict', `Backup ${id} is damaged in the backup store: a checksum does not match.`, { detail, type: 'BackupDamaged' });

/** Data objects that are kept at hand: increments jump between those of several backups. */
const KEPT_OBJECTS = 8;

/** A backup as a standalone qcow2 image of `sizeBytes`, made while it is read; every block is checked against its SHA-256 before it is given out. */
export async function backupAsQcow2(store: BackupStore, backupId: string, sizeBytes: number): Promise<Readable> {
  const manifest = await getManifest(store, backupId).catch((error: unknown) => {
    throw damaged(backupId, String(error));
  });
  if (manifest.sizeBytes > sizeBytes) throw new Error('the disk is smaller than the backup');
  return Readable.from(qcow2Image(sizeBytes, contentOf(store, manifest)), { objectMode: false, highWaterMark: 1024 * 1024 });
}

/** One index tells of what one L2 table tells of. */
function contentOf(store: BackupStore, manifest: Manifest): ImageContent {
  const data = new DataReader(store, manifest);
  const index = async (at: number): Promise<IndexPart | undefined> => {
    try {
      return await getIndex(store, manifest, at);
    } catch (error) {
      throw damaged(manifest.id, String(error));
    }
  };
  return {
    tables: manifest.indexes.length,
    async used(at) {
      const part = await index(at);
      if (!part) return [];
      const found: number[] = [];
      for (let block = 0; block < BLOCKS_PER_INDEX; block += 1) if (part.place(block)) found.push(block);
      return found;
    },
    async *data(at, used) {
      const part = await index(at);
      for (const block of used) {
        const place = part?.place(block);
        if (!place) throw damaged(manifest.id, `index ${at} has changed`);
        const bytes = await data.block(place.generation, place.object, place.slot);
        if (!sha256(bytes).equals(place.hash)) throw damaged(manifest.id, `block ${block} of index ${at}`);
        yield bytes;
      }
    },
  };
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
