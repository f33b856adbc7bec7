import { finished, type Readable } from 'node:stream';

/**
 * Gives the memory of bytes that nobody needs any more back at once. V8 counts what stands outside of its heap, and marks the whole heap for
 * every 64 MB of it that were allocated: with long streams of data that costs more than all else they do.
 * @param bytes must be the owner's alone; a view of a part of some memory is left as it is
 */
export function release(bytes: Uint8Array): void {
  const { buffer } = bytes;
  if (buffer instanceof ArrayBuffer && bytes.byteLength === buffer.byteLength) buffer.transfer(0);
}

/**
 * Hands each piece of a stream over as it comes, and waits with the next where that takes time. (Iterating a stream joins what has come
 * meanwhile, which copies it.) Resolves at the stream's end. Rejects when it fails or breaks off, or with what `take` fails with; then the
 * stream is paused and not destroyed.
 */
export function eachPiece(stream: Readable, take: (piece: Buffer) => Promise<void> | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    let busy = false;
    /** The end came while a piece was being taken. */
    let ended: { readonly error: unknown } | undefined;
    const settle = (error: unknown): void => {
      stream.off('data', hear);
      forget();
      if (error === undefined) resolve();
      else reject(error);
    };
    const end = (error: unknown): void => {
      if (busy) ended ??= { error };
      else settle(error);
    };
    const fail = (error: unknown): void => {
      stream.pause();
      settle(error);
    };
    const hear = (piece: Buffer): void => {
      let taken: Promise<void> | undefined;
      try {
        taken = take(piece);
      } catch (error) {
        fail(error);
        return;
      }
      if (!taken) return;
      busy = true;
      stream.pause();
      taken.then(() => {
        busy = false;
        if (ended) settle(ended.error);
        else stream.resume();
      }, fail);
    };
    const forget = finished(stream, { writable: false }, (error) => end(error ?? undefined));
    stream.on('data', hear);
  });
}
