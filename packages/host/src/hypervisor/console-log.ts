import { open, stat, truncate, writeFile } from 'node:fs/promises';
import type { GuestFiles } from './record.ts';

/** How much of the console's end is kept. */
export const CONSOLE_BYTES = 2 ** 20;
/** QEMU's own messages: a guest can provoke them. */
const QEMU_LOG_BYTES = 256 * 1024;

/** The end of the console's log: the last `lines`, or all that is kept (1 MiB). Bytes that are no UTF-8 become U+FFFD. */
export async function readConsole(files: GuestFiles, lines?: number): Promise<string> {
  const now = await tail(files.consoleLog, CONSOLE_BYTES);
  const before = now.length < CONSOLE_BYTES ? await tail(files.consoleLogBefore, CONSOLE_BYTES - now.length) : Buffer.alloc(0);
  const text = Buffer.concat([before, now]).toString('utf8');
  return lines === undefined ? text : lastLines(text, lines);
}

/** The last `count` pieces between line feeds. As upstream's: what follows the last line feed counts as one, even when it is empty. */
export function lastLines(text: string, count: number): string {
  return count === 0 ? '' : text.split('\n').slice(-count).join('\n');
}

/**
 * Cuts logs that have grown: the console's end is put aside and the file emptied. QEMU appends (O_APPEND), so it goes on at the new end.
 * What is written between reading and emptying is lost: a few lines of a guest that prints more than 1 MiB between two looks.
 */
export async function trimLogs(files: GuestFiles): Promise<void> {
  if ((await sizeOf(files.consoleLog)) > CONSOLE_BYTES) {
    const kept = await tail(files.consoleLog, CONSOLE_BYTES);
    await truncate(files.consoleLog, 0);
    await writeFile(files.consoleLogBefore, kept, { mode: 0o600 });
  }
  if ((await sizeOf(files.qemuLog)) > QEMU_LOG_BYTES) await truncate(files.qemuLog, 0);
}

const sizeOf = async (path: string): Promise<number> => (await stat(path).catch(() => undefined))?.size ?? 0;

async function tail(path: string, bytes: number): Promise<Buffer> {
  const file = await open(path, 'r').catch(() => undefined);
  if (!file) return Buffer.alloc(0);
  try {
    const { size } = await file.stat();
    const length = Math.min(size, bytes);
    const { bytesRead, buffer } = await file.read(Buffer.alloc(length), 0, length, size - length);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
