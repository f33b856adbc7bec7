import { createReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { pipeline, Readable, type Transform } from 'node:stream';
import { createGunzip, createInflateRaw } from 'node:zlib';
import { CairnError } from '@cairn/kit/errors/errors';

const refused = (why: string): CairnError => new CairnError('UnsupportedMediaType', `The image cannot be unpacked: ${why}.`, { type: 'ImageDataRefused' });

/**
 * What is packed in a file, as a stream: gzip, or a ZIP archive of one file (upstream's image_decompression). Undefined for a file that is
 * not packed. The stream has no length of its own: whoever reads it sets a limit, as a small file may unpack to any size.
 */
export async function unpacked(path: string): Promise<Readable | undefined> {
  const file = await open(path, 'r');
  try {
    const head = Buffer.alloc(7);
    await file.read(head, 0, 7, 0);
    if (head[0] === 0x1f && head[1] === 0x8b && head[2] === 0x08) return through(createReadStream(path), createGunzip());
    if (head.readUInt32LE(0) === LOCAL_HEADER) return await zipEntry(file, path);
    if (head.toString('latin1', 2, 5) === '-lh') throw refused('LHA archives are not supported');
    return undefined;
  } finally {
    await file.close();
  }
}

const LOCAL_HEADER = 0x04034b50;
const CENTRAL_HEADER = 0x02014b50;
const END = 0x06054b50;

/** The one entry of a ZIP archive, found by the directory at its end (APPNOTE.TXT 4.3). The entry's name is not used for anything. */
async function zipEntry(file: FileHandle, path: string): Promise<Readable> {
  const { size } = await file.stat();
  const tail = Buffer.alloc(Math.min(size, 65_557));
  await file.read(tail, 0, tail.length, size - tail.length);
  const at = tail.lastIndexOf(Buffer.from([0x50, 0x4b, 0x05, 0x06]));
  if (at < 0 || at + 22 > tail.length || tail.readUInt32LE(at) !== END) throw refused('the ZIP archive has no directory');
  if (tail.readUInt16LE(at + 10) !== 1) throw refused('the archive does not contain exactly one file');
  const central = Buffer.alloc(46);
  await file.read(central, 0, 46, tail.readUInt32LE(at + 16));
  if (central.readUInt32LE(0) !== CENTRAL_HEADER) throw refused('the ZIP archive is damaged, or too large');
  const [flags, method, bytes, offset] = [central.readUInt16LE(8), central.readUInt16LE(10), central.readUInt32LE(20), central.readUInt32LE(42)];
  if ((flags & 1) !== 0) throw refused('the archive is encrypted');
  if (bytes === 0xffffffff || offset === 0xffffffff) throw refused('the archive is larger than ZIP can say without extensions');
  const local = Buffer.alloc(30);
  await file.read(local, 0, 30, offset);
  if (local.readUInt32LE(0) !== LOCAL_HEADER) throw refused('the ZIP archive is damaged');
  const start = offset + 30 + local.readUInt16LE(26) + local.readUInt16LE(28);
  if (bytes === 0 || start + bytes > size) throw refused('the ZIP archive is damaged');
  const raw = createReadStream(path, { start, end: start + bytes - 1 });
  if (method === 0) return raw;
  if (method !== 8) throw refused('the archive is packed in a way that is not supported');
  return through(raw, createInflateRaw());
}

/** Data that cannot be unpacked is the sender's fault, not ours. */
async function* unpacking(from: Readable, unpacker: Transform): AsyncGenerator<Buffer> {
  pipeline(from, unpacker, () => {});
  try {
    for await (const chunk of unpacker) yield chunk as Buffer;
  } catch (error) {
    if (String((error as NodeJS.ErrnoException).code ?? '').startsWith('Z_')) throw refused('its data is damaged');
    throw error;
  } finally {
    from.destroy();
    unpacker.destroy();
  }
}

const through = (from: Readable, unpacker: Transform): Readable => Readable.from(unpacking(from, unpacker), { objectMode: false });
