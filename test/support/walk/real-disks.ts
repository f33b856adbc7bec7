import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { blockNode, type ImageFile } from '@cairn/host/disks/qemu-img';
import type { DiskRecord } from '@cairn/host/disks/record';
import { type Content, SLOT_BYTES, SLOT_OFFSETS, type Write } from './contents.ts';

const run = promisify(execFile);
/** A merge in the background holds the files for a moment. */
const TRIES = 100;

interface Layers {
  readonly chain: readonly ImageFile[];
  readonly sizeBytes: number;
}

/** The files that a disk, or a snapshot of it, is made of, in the host's folder that has it. */
export function findLayers(folders: readonly string[], diskId: string, snapshotId: string | undefined): Layers {
  for (const folder of folders) {
    const root = join(folder, 'disks');
    const file = join(root, 'volumes', diskId, 'disk.json');
    if (!existsSync(file)) continue;
    const record = JSON.parse(readFileSync(file, 'utf8')) as DiskRecord;
    const found = snapshotId === undefined ? record : record.snapshots.find((snapshot) => snapshot.snapshotId === snapshotId);
    if (!found) throw new Error(`disk ${diskId} has no snapshot ${snapshotId}`);
    return { chain: found.layers.map((layer) => ({ path: join(root, layer.file), format: layer.format })), sizeBytes: found.sizeBytes };
  }
  throw new Error(`no host has disk ${diskId}`);
}

const nodeOf = ({ chain }: Layers): string => `json:${JSON.stringify(blockNode(chain))}`;

/** Writes to a disk that nobody uses. */
export async function writeTo(find: () => Layers, { slot, byte }: Omit<Write, 'volumeId'>): Promise<void> {
  const at = `${SLOT_OFFSETS[slot]} ${SLOT_BYTES}`;
  for (let tries = 1; ; tries += 1) {
    const layers = find();
    try {
      await run('qemu-io', [nodeOf(layers), '-c', `write -P ${byte} ${at}`, '-c', 'flush']);
      // a merge that ended meanwhile put another file on top
      const after = find();
      if (after.chain[0]?.path === layers.chain[0]?.path) return;
    } catch (error) {
      if (tries === TRIES) throw error;
    }
    await sleep(100);
  }
}

/** Which of these a disk holds, byte for byte. */
export async function heldBy(find: () => Layers, contents: readonly Content[]): Promise<Content | undefined> {
  const directory = mkdtempSync(join(tmpdir(), 'cairn-walk-'));
  try {
    for (const [i, content] of contents.entries()) if (await holds(find, content, join(directory, String(i)))) return content;
    return undefined;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function holds(find: () => Layers, content: Content, path: string): Promise<boolean> {
  const file = await open(path, 'wx');
  try {
    await file.truncate(find().sizeBytes);
    for (const [slot, byte] of content.entries()) if (byte !== 0) await file.write(Buffer.alloc(SLOT_BYTES, byte), 0, SLOT_BYTES, SLOT_OFFSETS[slot]);
  } finally {
    await file.close();
  }
  for (let tries = 1; ; tries += 1) {
    try {
      // guests that have it open do not write to it
      await run('qemu-img', ['compare', '-U', '-q', nodeOf(find()), `json:${JSON.stringify({ driver: 'raw', file: { driver: 'file', filename: path } })}`]);
      return true;
    } catch (error) {
      const { code } = error as { code?: unknown };
      if (code === 1) return false;
      if (tries === TRIES) throw error;
      await sleep(100);
    }
  }
}
