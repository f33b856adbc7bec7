import { PassThrough, type Readable } from 'node:stream';
import { CairnError, gone, invalidInput, isCairnError, notFound } from '@cairn/kit/errors/errors';
import type { FetchGuard } from '@cairn/kit/net/fetch-policy';
import { guardedFetch } from '@cairn/kit/net/guarded-fetch';
import type { ByteRange, DataRef, ImageStore, Sink } from './store.ts';

export interface HttpStoreOptions {
  readonly id: string;
  readonly description: string;
  readonly weight: number;
  readonly guard: FetchGuard;
}

/** Data that stays on web servers. Read only; every URL goes through the guarded fetcher, each time. */
export class HttpStore implements ImageStore {
  readonly id: string;
  readonly type = 'http' as const;
  readonly description: string;
  readonly weight: number;
  readonly readOnly = true;
  readonly #guard: FetchGuard;

  constructor(options: HttpStoreOptions) {
    this.id = options.id;
    this.description = options.description;
    this.weight = options.weight;
    this.#guard = options.guard;
  }

  async prepare(): Promise<void> {}

  async sink(): Promise<Sink> {
    throw gone('Error in store configuration. Adding images to store is disabled.');
  }

  async read(ref: DataRef, range?: ByteRange): Promise<Readable> {
    try {
      const answer = await guardedFetch(this.#guard, ref.url ?? '', { ...(range && { headers: { range: `bytes=${range.start}-${range.end}` } }) });
      return range && answer.status !== 206 ? part(answer.stream, range) : answer.stream;
    } catch (error) {
      if (isCairnError(error) && error.type === 'UrlNotThere') throw notFound('The image data is not at its location any more.');
      // what is refused now was allowed once: to the reader the data is out of reach
      if (isCairnError(error) && (error.type === 'UrlRefused' || error.type === 'UrlUnresolved'))
        throw new CairnError('Unavailable', 'The image data cannot be reached.', { cause: error });
      throw error;
    }
  }

  /** Asks by HEAD, and by GET where that tells nothing. */
  async sizeOf(url: string): Promise<number> {
    for (const method of ['HEAD', 'GET'] as const) {
      const answer = await guardedFetch(this.#guard, url, { method, deadlineMs: 30_000 }).catch((error: unknown) => {
        if (method === 'HEAD' && isCairnError(error) && error.type !== 'UrlRefused') return undefined;
        throw error;
      });
      answer?.stream.destroy();
      if (answer?.sizeBytes) return answer.sizeBytes;
    }
    throw invalidInput('Invalid location: the server does not tell how long the data is.');
  }

  async remove(): Promise<void> {}

  url(ref: DataRef): string {
    return ref.url ?? '';
  }

  properties(): object {
    return {};
  }
}

/** A part of a whole, for servers that know no ranges. */
function part(whole: Readable, range: ByteRange): Readable {
  let at = 0;
  const out = new PassThrough();
  whole.on('data', (chunk: Buffer) => {
    const from = Math.max(0, range.start - at);
    const to = Math.min(chunk.length, range.end + 1 - at);
    at += chunk.length;
    if (to > from && !out.write(chunk.subarray(from, to))) {
      whole.pause();
      out.once('drain', () => whole.resume());
    }
    if (at > range.end) {
      out.end();
      whole.destroy();
    }
  });
  whole.once('end', () => out.end());
  whole.once('error', (error) => out.destroy(error));
  out.once('close', () => whole.destroy());
  return out;
}
