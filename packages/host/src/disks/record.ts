import { randomBytes } from 'node:crypto';
import { open, readFile, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { DiskFormat } from '../interface/disks.ts';
import type { Pool } from './layout.ts';

/** One file of a disk, by its name below the data directory. Nobody ever guesses a format: it stands here. */
export interface Layer {
  readonly file: string;
  readonly format: DiskFormat;
}

export interface SnapshotRecord {
  readonly snapshotId: string;
  readonly sizeBytes: number;
  /** Top first. */
  readonly layers: readonly Layer[];
}

/** What `disk.json` says: the disk is there when this file is. */
export interface DiskRecord {
  readonly version: 1;
  readonly diskId: string;
  readonly pool: Pool;
  /** Virtual size of the top layer: of an encrypted disk, its header included. */
  readonly sizeBytes: number;
  /** The layer that is written comes first, then what backs it, down to the base. Never empty. */
  readonly layers: readonly Layer[];
  /** What the layers hold is a LUKS disk, opened by this secret. */
  readonly keyId?: string;
  /** Several guests may write to it at once: `layers` is one raw layer, and stays so. */
  readonly shared?: boolean;
  /** Oldest first. */
  readonly snapshots: readonly SnapshotRecord[];
  /**
   * A new top layer that a running guest was asked to move to. Whether it did or not, the disk with this layer on top has the right
   * content: without the move the layer is empty. So it is always carried through, never taken back.
   */
  readonly pending?: { readonly layer: Layer; readonly snapshotId?: string };
}

/** Writes a small file so that after a crash there is the old one or the new one, whole. */
export async function writeAtomically(path: string, text: string): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(4).toString('hex')}`);
  try {
    const file = await open(temporary, 'wx', 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  const directory = await open(dirname(path), 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

const isLayer = (value: unknown): value is Layer => {
  const layer = value as Partial<Layer> | null;
  return (
    typeof layer === 'object' &&
    layer !== null &&
    typeof layer.file === 'string' &&
    !layer.file.includes('..') &&
    (layer.format === 'raw' || layer.format === 'qcow2')
  );
};
const isChain = (value: unknown): value is readonly Layer[] => Array.isArray(value) && value.length > 0 && value.every(isLayer);

/** Reads a disk's record. Undefined when there is none; throws when it cannot be understood. */
export async function readRecord(path: string): Promise<DiskRecord | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const record = JSON.parse(text) as DiskRecord;
  const sound =
    record.version === 1 &&
    typeof record.diskId === 'string' &&
    Number.isSafeInteger(record.sizeBytes) &&
    isChain(record.layers) &&
    (record.keyId === undefined || typeof record.keyId === 'string') &&
    (record.shared === undefined || typeof record.shared === 'boolean') &&
    Array.isArray(record.snapshots) &&
    record.snapshots.every((s) => typeof s.snapshotId === 'string' && Number.isSafeInteger(s.sizeBytes) && isChain(s.layers)) &&
    (record.pending === undefined || isLayer(record.pending.layer));
  if (!sound) throw new Error(`${path} is not a disk's record of this version`);
  return record;
}
