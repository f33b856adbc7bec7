import { createHash } from 'node:crypto';
import { ReadStream } from 'node:fs';
import { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { ImageInspector, type ImageFacts as Inspected } from '@cairn/host/inspector/inspector';
import { tooLarge } from '@cairn/kit/errors/errors';
import { eachPiece, release } from '@cairn/kit/http/streams';
import type { Sink } from './store.ts';
import { type ThreadHash, threadHash } from './hashing.ts';

/** What came out of taking data in. */
export interface Stored {
  readonly sizeBytes: number;
  readonly md5: string;
  /** Of the algorithm that was asked for; SHA-512 by default. */
  readonly hash: string;
  readonly inspected: Inspected;
}

export interface IntakeOptions {
  readonly limitBytes: number;
  readonly signal?: AbortSignal;
  /** Default sha512. */
  readonly algorithm?: string;
  /** Sees every piece of the data before it is stored; throws to refuse. */
  readonly watch?: (chunk: Buffer) => void;
  /** Leaves the rest of a refused stream unread instead of destroying it: a request's stream is its connection, and the refusal has to go out by it. */
  readonly keepSource?: boolean;
  /** Told now and then how many bytes have come. */
  readonly progress?: (bytes: number) => void;
}

const BLOCK = 2 << 20;
/** Blocks that one upload may have under way: they bound its memory. */
const DEPTH = 6;
const KEPT = 6;
const spare: Buffer<SharedArrayBuffer>[] = [];
const takeBlock = (): Buffer<SharedArrayBuffer> => spare.pop() ?? Buffer.from(new SharedArrayBuffer(BLOCK));
const giveBlock = (block: Buffer<SharedArrayBuffer>): void => {
  if (spare.length < KEPT) spare.push(block);
};

/** A sink that keeps nothing, for hashing alone. */
export const nowhere: Sink = { write: async () => {}, finish: async () => {}, abort: async () => {} };

/**
 * Takes a stream into a sink: hashed by threads and inspected on the way, in blocks of fixed number and size, so that memory stays the same
 * whatever the length. Rejects with TooLarge past `limitBytes`; then, and after any other failure, the sink has kept nothing.
 */
export async function takeIn(data: Readable, sink: Sink, options: IntakeOptions): Promise<Stored> {
  const algorithms = ['md5', options.algorithm ?? 'sha512'] as const;
  const inspector = new ImageInspector();
  let sizeBytes = 0;
  let block: Buffer<SharedArrayBuffer> | undefined;
  let filled = 0;
  let hashes: ThreadHash[] | undefined;
  let failure: unknown;
  const underWay = new Set<Promise<void>>();
  // their pieces are nobody else's
  const own = data instanceof IncomingMessage || data instanceof ReadStream;
  const abort = (): void => void data.destroy(options.signal?.reason instanceof Error ? options.signal.reason : new Error('the upload was given up'));
  options.signal?.addEventListener('abort', abort, { once: true });

  const flush = async (): Promise<void> => {
    if (!block || filled === 0) return;
    const full = block;
    const part = full.subarray(0, filled);
    block = undefined;
    filled = 0;
    hashes ??= algorithms.map((algorithm, lane) => threadHash(algorithm, lane));
    const work = Promise.all([sink.write(part), ...hashes.map((h) => h.update(part))])
      .then(() => giveBlock(full))
      .catch((error: unknown) => {
        failure ??= error;
      })
      .finally(() => underWay.delete(work));
    underWay.add(work);
    if (underWay.size >= DEPTH) await Promise.race(underWay);
    if (failure) throw failure;
  };

  /** Puts bytes into as many blocks as they need; those that are full go. */
  const fill = async (bytes: Buffer): Promise<void> => {
    for (let at = 0; at < bytes.length; ) {
      at += put(bytes, at);
      if (filled === BLOCK) await flush();
    }
    taken(bytes);
  };

  /** Puts what fits into the block; how much that was. */
  const put = (bytes: Buffer, at: number): number => {
    block ??= takeBlock();
    const length = Math.min(bytes.length - at, BLOCK - filled);
    bytes.copy(block, filled, at, at + length);
    filled += length;
    return length;
  };

  const taken = (bytes: Buffer): void => {
    if (own) release(bytes);
    options.progress?.(sizeBytes);
  };

  const take = (bytes: Buffer): Promise<void> | undefined => {
    sizeBytes += bytes.length;
    if (sizeBytes > options.limitBytes) throw tooLarge(`Image storage media is full or the image is larger than the limit of ${options.limitBytes} bytes.`);
    options.watch?.(bytes);
    inspector.write(bytes);
    if (filled + bytes.length >= BLOCK) return fill(bytes);
    put(bytes, 0);
    taken(bytes);
    return undefined;
  };

  try {
    options.signal?.throwIfAborted();
    await eachPiece(data, take);
    options.signal?.throwIfAborted();
    if (!hashes) {
      const whole = block ? block.subarray(0, filled) : Buffer.alloc(0);
      const [md5 = '', hash = ''] = algorithms.map((algorithm) => createHash(algorithm).update(whole).digest('hex'));
      if (filled > 0) await sink.write(whole);
      await sink.finish();
      return { sizeBytes, md5, hash, inspected: inspector.end() };
    }
    await flush();
    await Promise.all(underWay);
    if (failure) throw failure;
    const [[md5 = '', hash = '']] = await Promise.all([Promise.all(hashes.map((h) => h.digest())), sink.finish()]);
    return { sizeBytes, md5, hash, inspected: inspector.end() };
  } catch (error) {
    if (!options.keepSource) data.destroy();
    await Promise.all(underWay);
    for (const hash of hashes ?? []) hash.drop();
    await sink.abort();
    throw error;
  } finally {
    if (block) giveBlock(block);
    options.signal?.removeEventListener('abort', abort);
  }
}
