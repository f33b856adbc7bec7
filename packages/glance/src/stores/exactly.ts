import { Readable } from 'node:stream';
import { unavailable } from '@cairn/kit/errors/errors';

/**
 * A stream of exactly so many bytes, or one that ends with an error before it gives more. The length of an answer is told before its data:
 * one byte more, from a server that is not ours, would be read as the beginning of the next answer.
 */
export const exactly = (source: Readable, bytes: number): Readable => Readable.from(counted(source, bytes), { objectMode: false });

async function* counted(source: Readable, bytes: number): AsyncGenerator<Buffer> {
  let left = bytes;
  try {
    for await (const chunk of source as AsyncIterable<Buffer>) {
      if (chunk.length > left) throw unavailable('The data at its location is longer than was recorded for the image.');
      left -= chunk.length;
      yield chunk;
    }
    if (left > 0) throw unavailable('The data at its location is shorter than was recorded for the image.');
  } finally {
    source.destroy();
  }
}
