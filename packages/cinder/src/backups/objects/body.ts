import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import type { ObjectBody } from './object-store.ts';

const PIECE_BYTES = 1024 * 1024;

/** A body of pieces that can be made again. Reads all of them once. */
export async function bodyOf(pieces: () => AsyncIterable<Buffer>): Promise<ObjectBody> {
  const [md5, sha256] = [createHash('md5'), createHash('sha256')];
  let sizeBytes = 0;
  for await (const piece of pieces()) {
    md5.update(piece);
    sha256.update(piece);
    sizeBytes += piece.length;
  }
  return { sizeBytes, md5: md5.digest('hex'), sha256: sha256.digest('hex'), stream: () => Readable.from(pieces(), { objectMode: false }) };
}

/** What is in memory, piece by piece: others get their turn in between. */
export const bufferBody = (data: Buffer): Promise<ObjectBody> => bodyOf(() => piecesOf(data));

async function* piecesOf(data: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < data.length; at += PIECE_BYTES) {
    yield data.subarray(at, at + PIECE_BYTES);
    await turn();
  }
}
