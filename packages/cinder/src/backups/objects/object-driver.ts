import { Readable } from 'node:stream';
import { invalidInput, isCairnError } from '@cairn/kit/errors/errors';
import { type Account, type BackupDriver, type BackupRef } from '../driver.ts';
import { qcow2Image } from '../qcow2.ts';
import { damaged } from '../read.ts';
import { ChunkContent, overlaid, type Segment, segmentsOf } from './chunk-read.ts';
import { type ChunkOptions, writeChunks } from './chunk-write.ts';
import { HashFile, readHashes } from './hash-file.ts';
import { hashesName, isObjectOf, isPrefix, type Metadata, metadataName, prefixOf, readMetadata } from './layout.ts';
import type { ObjectStore } from './object-store.ts';

export interface ObjectDriverOptions extends ChunkOptions {
  /** Upstream's class. */
  readonly service: string;
  readonly defaultContainer: string;
  /** Part of the objects' names. */
  readonly availabilityZone: string;
  /** Why a container of this name cannot be; undefined for one that can. */
  readonly wrongContainer: (name: string) => string | undefined;
  /** The store as an account of the cloud sees it. */
  readonly storeFor: (account: Account) => ObjectStore;
}

const LONGEST_METADATA_BYTES = 512 * 2 ** 20;
const REMOVED_AT_ONCE = 8;

/** Backups as objects of a store, in upstream's layout. */
export function objectBackups(options: ObjectDriverOptions): BackupDriver {
  const containerOf = (ref: Pick<BackupRef, 'container'>): string => ref.container ?? options.defaultContainer;

  async function metadataOf(store: ObjectStore, ref: BackupRef, signal: AbortSignal): Promise<Metadata> {
    try {
      const text = await store.get(containerOf(ref), metadataName(ref.place), LONGEST_METADATA_BYTES, signal);
      return readMetadata(ref.id, ref, text.toString('utf8'));
    } catch (error) {
      throw isCairnError(error, 'NotFound') ? damaged(ref.id, `${metadataName(ref.place)} is missing`) : error;
    }
  }

  /** The sums of a backup's blocks, in a file that is the caller's. */
  async function hashesOf(store: ObjectStore, ref: BackupRef, signal: AbortSignal): Promise<{ readonly hashes: HashFile; readonly blockBytes: number }> {
    try {
      return await store.read(
        containerOf(ref),
        hashesName(ref.place),
        async (data) => {
          const hashes = await HashFile.open();
          try {
            return { hashes, blockBytes: await readHashes(ref.id, data, hashes) };
          } catch (error) {
            await hashes.close();
            throw error;
          }
        },
        signal,
      );
    } catch (error) {
      throw isCairnError(error, 'NotFound') ? damaged(ref.id, `${hashesName(ref.place)} is missing`) : error;
    }
  }

  async function remove(ref: BackupRef, signal: AbortSignal): Promise<void> {
    const store = options.storeFor(ref.account);
    const container = containerOf(ref);
    const names = (await store.list(container, ref.place, signal)).filter((name) => isObjectOf(ref.place, name));
    // what makes it a backup goes first
    const [last, rest] = [names.filter((name) => name === metadataName(ref.place)), names.filter((name) => name !== metadataName(ref.place))];
    for (const name of last) await store.remove(container, name, signal);
    for (let at = 0; at < rest.length; at += REMOVED_AT_ONCE)
      await Promise.all(rest.slice(at, at + REMOVED_AT_ONCE).map((name) => store.remove(container, name, signal)));
  }

  async function* image(chain: readonly BackupRef[], sizeBytes: number, signal: AbortSignal): AsyncGenerator<Buffer> {
    const last = chain.at(-1);
    if (!last) throw new Error('no backup to read');
    const store = options.storeFor(last.account);
    let segments: Segment[] = [];
    for (const ref of chain) segments = overlaid(segments, segmentsOf(containerOf(ref), (await metadataOf(store, ref, signal)).extents));
    const { hashes, blockBytes } = await hashesOf(store, last, signal);
    try {
      const content = new ChunkContent(last.id, { store, segments, hashes, blockBytes, signal });
      if (content.sizeBytes > sizeBytes) throw new Error('the disk is smaller than the backup');
      yield* qcow2Image(sizeBytes, content);
    } catch (error) {
      throw isCairnError(error, 'NotFound') ? damaged(last.id, String(error.detail ?? 'an object is missing')) : error;
    } finally {
      await hashes.close();
    }
  }

  return {
    service: options.service,
    hasContainers: true,
    placeFor({ id, volumeId, container, nowMs }) {
      const wrong = container === null || container === '' ? undefined : options.wrongContainer(container);
      if (wrong !== undefined) throw invalidInput(`Invalid backup: the container "${container}" cannot be: ${wrong}.`, { type: 'InvalidBackup' });
      return { container: container || options.defaultContainer, place: prefixOf(id, volumeId, options.availabilityZone, nowMs) };
    },
    importedPlace({ container, place }) {
      if (place === null || !isPrefix(place)) return undefined;
      const name = container || options.defaultContainer;
      return options.wrongContainer(name) === undefined ? { container: name, place } : undefined;
    },
    async write(ref, raw, ask) {
      const store = options.storeFor(ref.account);
      await store.makeContainer(containerOf(ref), ask.signal);
      // a try before this one may have been cut off
      await remove(ref, ask.signal);
      const parent = ask.parent && (await hashesOf(store, ask.parent, ask.signal));
      try {
        return await writeChunks(store, containerOf(ref), ref, raw, ask, options, parent);
      } finally {
        await parent?.hashes.close();
      }
    },
    async read(chain, sizeBytes, signal) {
      return Readable.from(image(chain, sizeBytes, signal), { objectMode: false, highWaterMark: 1024 * 1024 });
    },
    async inspect(ref, signal) {
      const store = options.storeFor(ref.account);
      const { extents, facts } = await metadataOf(store, ref, signal);
      const names = new Set(await store.list(containerOf(ref), ref.place, signal));
      const missing = [hashesName(ref.place), ...extents.map(({ name }) => name)].find((name) => !names.has(name));
      if (missing !== undefined) throw damaged(ref.id, `${missing} is missing`);
      const end = extents.at(-1);
      return { objects: extents.length, sizeBytes: end ? end.offset + end.length : 0, facts };
    },
    remove,
  };
}
