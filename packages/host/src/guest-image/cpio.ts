import { lstat, readFile, readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * A directory as a cpio archive in the "newc" form that the kernel unpacks as its first file system. Everything belongs to root and has
 * no date, in the order of names: the same tree gives the same bytes.
 */
export async function cpio(directory: string): Promise<Buffer> {
  const parts: Buffer[] = [];
  let inode = 1;
  const entry = (name: string, mode: number, data: Buffer): void => {
    const nameBytes = Buffer.from(`${name}\0`);
    const hex = (value: number): string => value.toString(16).padStart(8, '0');
    const links = (mode & 0o170000) === 0o040000 ? 2 : 1;
    const fields = [inode++, mode, 0, 0, links, 0, data.length, 0, 0, 0, 0, nameBytes.length, 0];
    const header = Buffer.concat([Buffer.from(`070701${fields.map(hex).join('')}`), nameBytes]);
    parts.push(padded(header), padded(data));
  };
  const walk = async (path: string, name: string): Promise<void> => {
    const stat = await lstat(path);
    if (stat.isDirectory()) {
      entry(name, stat.mode, Buffer.alloc(0));
      for (const child of (await readdir(path)).toSorted()) await walk(join(path, child), name === '.' ? child : `${name}/${child}`);
    } else if (stat.isSymbolicLink()) entry(name, stat.mode, Buffer.from(await readlink(path)));
    else entry(name, stat.mode, await readFile(path));
  };
  await walk(directory, '.');
  inode = 0;
  entry('TRAILER!!!', 0, Buffer.alloc(0));
  return Buffer.concat(parts);
}

const padded = (bytes: Buffer): Buffer => (bytes.length % 4 === 0 ? bytes : Buffer.concat([bytes, Buffer.alloc(4 - (bytes.length % 4))]));
