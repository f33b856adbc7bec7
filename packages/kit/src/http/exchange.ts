import { PassThrough, type Readable } from 'node:stream';
import type { Context } from '../context/context.ts';
import { CairnError } from '../errors/errors.ts';
import type { JsonText } from './operation.ts';

/** One request as the pipeline sees it, whether it came over HTTP or from inside the process. */
export interface Exchange {
  readonly requestId: string;
  readonly method: string;
  /** Path within the service, with the query. */
  readonly url: string;
  readonly baseUrl: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly params: Readonly<Record<string, string>>;
  readonly remoteAddress: string;
  readonly signal: AbortSignal;
  /** Set for calls from inside: the caller is known already. */
  readonly ctx?: Context;
  readJson(limitBytes: number): Promise<unknown>;
  /** False where the request certainly has no body. */
  readonly hasBody: boolean;
  readonly stream: Readable;
}

/** The answer before it is written anywhere. */
export interface Answer {
  readonly status: number;
  readonly headers: Record<string, string | string[]>;
  /** undefined: no body. A string goes as it is. */
  readonly body: string | Buffer | Readable | JsonText | undefined;
}

export const header = (headers: Exchange['headers'], name: string): string | undefined => {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
};

/** Collects a JSON body up to a limit. An empty body is undefined. Rejects when the client breaks off. */
export async function readJson(stream: Readable, limitBytes: number): Promise<unknown> {
  const body = await collect(stream, limitBytes);
  return body.length === 0 ? undefined : parseJson(body);
}

/** All of a stream. Listeners cost half of what iterating does. */
function collect(stream: Readable, limitBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const done = (): void => {
      stream.off('data', take).off('end', end).off('error', reject).off('close', gone);
    };
    const take = (chunk: Buffer): void => {
      size += chunk.length;
      chunks.push(chunk);
      if (size <= limitBytes) return;
      done();
      stream.on('error', () => undefined).resume();
      reject(new CairnError('TooLarge', `Request is too large. Larger than max_request_body_size (${limitBytes}).`, { type: 'RequestTooLarge' }));
    };
    const end = (): void => {
      done();
      resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, size));
    };
    const gone = (): void => reject(new CairnError('Unavailable', 'The client went away.'));
    if (stream.readableEnded) end();
    else if (stream.destroyed) gone();
    else stream.on('data', take).once('end', end).once('error', reject).once('close', gone);
  });
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false });

export function parseJson(data: Buffer): unknown {
  let text: string;
  try {
    text = utf8.decode(data);
  } catch {
    throw new CairnError('InvalidInput', 'Malformed request body: it is not UTF-8.', { type: 'MalformedRequestBody' });
  }
  if (text.trim() === '') return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new CairnError('InvalidInput', 'Malformed request body', { type: 'MalformedRequestBody' });
  }
  // own __proto__ keys would travel on into objects that are spread or merged
  if (text.includes('__proto__')) dropProto(value);
  // a NUL cannot be stored by PostgreSQL and has no use in any field
  if (text.includes('\\u0000')) throw new CairnError('InvalidInput', 'Malformed request body: it contains a NUL character.', { type: 'MalformedRequestBody' });
  return value;
}

function dropProto(value: unknown, depth = 0): void {
  if (value === null || typeof value !== 'object' || depth > 100) return;
  if (Object.hasOwn(value, '__proto__')) delete (value as Record<string, unknown>)['__proto__'];
  for (const child of Object.values(value)) dropProto(child, depth + 1);
}

/** A stream that ends at once, for requests without a body. */
export const noBody = (): Readable => new PassThrough().end();
