import { open, readdir, rm, rmdir, stat, truncate, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { notFound } from '@cairn/kit/errors/errors';
import type { Logger } from '@cairn/kit/log/log';
import type { DiskFormat } from '../interface/disks.ts';
import { LayerUse, chains } from './layers.ts';
import { BASES, type Layout, POOL_DIRECTORY, type Pool } from './layout.ts';
import { writeEmptyQcow2 } from './qcow2-file.ts';
import type { ImageFile } from './qemu-img.ts';
import { type DiskRecord, type Layer, readRecord, writeAtomically } from './record.ts';

export interface DiskStoreOptions {
  readonly layout: Layout;
  readonly token: () => string;
  readonly log: Logger;
  /** Whether the image cache wants to keep a base that no disk stands on. */
  readonly keepsBase: (file: string) => boolean;
}

/** The records of all disks and the files they name: what is written, what goes when its last user goes, what a crash left over. */
export class DiskStore {
  readonly #options: DiskStoreOptions;
  readonly #records = new Map<string, DiskRecord>();
  readonly use = new LayerUse();

  constructor(options: DiskStoreOptions) {
    this.#options = options;
  }

  get(diskId: string): DiskRecord | undefined {
    return this.#records.get(diskId);
  }

  need(diskId: string): DiskRecord {
    const record = this.#records.get(diskId);
    if (!record) throw notFound(`Disk ${diskId} is not on this host.`);
    return record;
  }

  all(): readonly DiskRecord[] {
    return [...this.#records.values()];
  }

  /** The disks that have the layer in one of their chains. */
  usersOf(file: string): readonly string[] {
    return this.use.disksOf(file);
  }

  absolute(layers: readonly Layer[]): readonly (Layer & ImageFile & { readonly format: DiskFormat })[] {
    return layers.map((layer) => ({ ...layer, path: this.#options.layout.path(layer.file) }));
  }

  /** Writes a disk's record; the disk is so from here on. Files that it named and nobody names any longer go. */
  async put(record: DiskRecord): Promise<DiskRecord> {
    await writeAtomically(this.#options.layout.path(`${this.#directory(record)}/disk.json`), JSON.stringify(record));
    const before = this.#records.get(record.diskId);
    this.#records.set(record.diskId, record);
    this.use.add(record);
    if (before) await this.#release(before);
    return record;
  }

  /** Forgets a disk, with all files that no other disk stands on. */
  async delete(record: DiskRecord): Promise<void> {
    await rm(this.#options.layout.path(`${this.#directory(record)}/disk.json`), { force: true });
    this.#records.delete(record.diskId);
    await this.#release(record);
    await this.#removeEmpty(this.#directory(record));
  }

  /** An empty file for a new layer of a disk, which qemu-img may write. */
  async newFile(disk: { readonly pool: Pool; readonly diskId: string }, format: DiskFormat): Promise<Layer> {
    const { layout, token } = this.#options;
    const directory = layout.diskDirectory(disk.pool, disk.diskId);
    await layout.makeDirectory(directory);
    const layer: Layer = { file: `${directory}/${token()}.${format}`, format };
    await (await open(layout.path(layer.file), 'wx', 0o600)).close();
    await layout.lend(layer.file);
    return layer;
  }

  /** A new, empty layer over `below`. */
  async newOverlay(disk: { readonly pool: Pool; readonly diskId: string }, sizeBytes: number, below: readonly Layer[]): Promise<Layer> {
    const layer = await this.newFile(disk, 'qcow2');
    try {
      await writeEmptyQcow2(this.#options.layout.path(layer.file), sizeBytes, this.absolute(below)[0]);
      return layer;
    } catch (error) {
      await this.discard(layer);
      throw error;
    }
  }

  /** A new sparse raw layer. No process. */
  async newRaw(disk: { readonly pool: Pool; readonly diskId: string }, sizeBytes: number): Promise<Layer> {
    const layer = await this.newFile(disk, 'raw');
    await truncate(this.#options.layout.path(layer.file), sizeBytes);
    return layer;
  }

  /** Removes a layer that came into no record. */
  async discard(layer: Layer): Promise<void> {
    await rm(this.#options.layout.path(layer.file), { force: true });
    await this.#removeEmpty(dirname(layer.file));
  }

  /** Bytes that the disk's own files take. */
  async usedBytes(record: DiskRecord): Promise<number> {
    const own = `${this.#directory(record)}/`;
    const files = new Set(
      chains(record)
        .flatMap((chain) => chain.map((layer) => layer.file))
        .filter((file) => file.startsWith(own)),
    );
    let bytes = 0;
    for (const file of files)
      bytes += await stat(this.#options.layout.path(file)).then(
        (s) => s.blocks * 512,
        () => 0,
      );
    return bytes;
  }

  /** Reads all records, then removes what no record names: what a crash left half-made, or not yet removed. */
  async load(): Promise<void> {
    const { layout, log } = this.#options;
    let allRead = true;
    for (const pool of Object.keys(POOL_DIRECTORY) as Pool[]) {
      for (const diskId of await readdir(layout.path(POOL_DIRECTORY[pool]))) {
        try {
          const record = await readRecord(layout.path(`${POOL_DIRECTORY[pool]}/${diskId}/disk.json`));
          if (!record) continue;
          this.#records.set(record.diskId, record);
          this.use.add(record);
        } catch (error) {
          allRead = false;
          log.error({ disk: diskId, err: error }, "a disk's record cannot be read: the disk is left alone");
        }
      }
    }
    // With one record unknown nobody can say which files are needed.
    if (allRead) await this.#sweep();
  }

  async #sweep(): Promise<void> {
    const { layout, keepsBase, log } = this.#options;
    for (const directory of Object.values(POOL_DIRECTORY)) {
      for (const diskId of await readdir(layout.path(directory))) {
        for (const name of await readdir(layout.path(`${directory}/${diskId}`)).catch(() => [])) {
          const file = `${directory}/${diskId}/${name}`;
          if (name === 'disk.json' || this.use.isUsed(file)) continue;
          log.info({ file }, 'removing a file that belongs to no disk');
          await rm(layout.path(file), { force: true });
        }
        await this.#removeEmpty(`${directory}/${diskId}`);
      }
    }
    for (const name of await readdir(layout.path(BASES))) {
      const file = `${BASES}/${name}`;
      if (name.endsWith('.json') || this.use.isUsed(file) || keepsBase(file)) continue;
      log.info({ file }, 'removing an image that no disk stands on');
      await rm(layout.path(file), { force: true });
    }
  }

  async #release(record: DiskRecord): Promise<void> {
    this.use.remove(record);
    for (const file of new Set(chains(record).flatMap((chain) => chain.map((layer) => layer.file)))) {
      if (this.use.isUsed(file)) continue;
      if (file.startsWith(`${BASES}/`) && this.#options.keepsBase(file)) continue;
      await unlink(this.#options.layout.path(file)).catch(ignoreAbsence);
      // The directory of a disk that is gone lives as long as others stand on its layers.
      if (!file.startsWith(`${BASES}/`)) await this.#removeEmpty(dirname(file));
    }
  }

  async #removeEmpty(directory: string): Promise<void> {
    await rmdir(this.#options.layout.path(directory)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'ENOENT' && error.code !== 'EEXIST') throw error;
    });
  }

  #directory(record: DiskRecord): string {
    return this.#options.layout.diskDirectory(record.pool, record.diskId);
  }
}

const ignoreAbsence = (error: NodeJS.ErrnoException): void => {
  if (error.code !== 'ENOENT') throw error;
};
