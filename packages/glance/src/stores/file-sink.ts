import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Sink } from './store.ts';

/** The disk is kept at work while data comes in: waiting for all of it at the end would double the time. */
const SYNC_EVERY = 32 << 20;

/** Writes a file that appears under its name only when it is whole and on the disk. */
export async function fileSink(path: string, mode = 0o644): Promise<Sink> {
  const half = `${path}.part`;
  const file: FileHandle = await open(half, 'w', mode);
  let position = 0;
  let unsynced = 0;
  let syncing: Promise<void> | undefined;
  let failed: unknown;
  let closed = false;
  const close = async (): Promise<void> => {
    if (closed) return;
    closed = true;
    await syncing;
    await file.close();
  };
  return {
    async write(block) {
      const at = position;
      position += block.length;
      unsynced += block.length;
      for (let done = 0; done < block.length; ) done += (await file.write(block, done, block.length - done, at + done)).bytesWritten;
      if (unsynced >= SYNC_EVERY && !syncing) {
        unsynced = 0;
        syncing = file
          .datasync()
          .catch((error: unknown) => {
            failed ??= error;
          })
          .finally(() => {
            syncing = undefined;
          });
      }
      if (failed) throw failed;
    },
    async finish() {
      await syncing;
      await file.datasync();
      await close();
      if (failed) throw failed;
      await rename(half, path);
      await syncDirectory(dirname(path));
    },
    async abort() {
      await close();
      await rm(half, { force: true });
    },
  };
}

/** Waits until names that were given or taken in a directory are on the disk. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
