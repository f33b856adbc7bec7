import { copyFile, open, rm } from 'node:fs/promises';
import { inspectFile } from '../inspector/inspector.ts';
import type { ImageConverter } from '../interface/images.ts';
import { emptyQcow2 } from './disks.ts';

/** Converts without any tool, as far as the size: a raw image stays what it is, another one's content is not read. */
export const simulatedConverter: ImageConverter = {
  async convert({ from, to, signal }) {
    signal?.throwIfAborted();
    if (from.format === to.format) {
      await copyFile(from.path, to.path);
      return;
    }
    const { virtualSizeBytes } = await inspectFile(from.path);
    await rm(to.path, { force: true });
    const file = await open(to.path, 'wx', 0o644);
    try {
      if (to.format === 'raw') await file.truncate(virtualSizeBytes);
      else await file.writeFile(emptyQcow2(virtualSizeBytes));
      await file.datasync();
    } finally {
      await file.close();
    }
  },
};
