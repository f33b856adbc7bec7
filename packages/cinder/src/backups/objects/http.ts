import { type IncomingMessage, request as httpRequest, Agent as HttpAgent } from 'node:http';
import { request as httpsRequest, Agent as HttpsAgent } from 'node:https';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type CairnError, conflict, isCairnError, notFound, unavailable } from '@cairn/kit/errors/errors';
import type { Clock } from '@cairn/kit/clock/clock';

export interface HttpOptions {
  readonly clock: Clock;
  /** Requests that are made for one answer, the first one included. */
  readonly attempts: number;
  /** Pause after the first failure; doubled after each further one. */
  readonly backoffMs: number;
  /** Longest silence of the server. */
  readonly timeoutMs: number;
  /** Certificate authorities instead of the system's, PEM. */
  readonly ca: string | undefined;
}

export interface Call {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string | number>>;
  readonly body?: () => Readable;
}

/** What the other side answers to a call that did not go well; `take` of 2xx is not asked. */
export class Refused extends Error {
  readonly status: number;
  readonly retryAfterSec: number | undefined;

  constructor(call: Call, status: number, text: string, retryAfterSec: number | undefined) {
    super(`${call.method} ${call.url.origin}${call.url.pathname}: ${status} ${text}`);
    this.status = status;
    this.retryAfterSec = retryAfterSec;
  }
}

const LONGEST_PAUSE_MS = 60_000;
const PASSING = new Set([408, 425, 429, 500, 502, 503, 504]);
const BROKEN = new Set(['ENOTFOUND', 'ERR_TLS_CERT_ALTNAME_INVALID', 'DEPTH_ZERO_SELF_SIGNED_CERT', 'SELF_SIGNED_CERT_IN_CHAIN', 'CERT_HAS_EXPIRED']);
const BROKEN_TLS = new Set(['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'ERR_SSL_WRONG_VERSION_NUMBER', 'EPROTO']);

/**
 * Calls of object stores, which the operator has named: no redirect is followed. What may go by (no connection, a broken one, silence, 5xx, 429) is
 * tried again after a pause that grows.
 */
export class HttpClient {
  readonly #options: HttpOptions;
  readonly #http = new HttpAgent({ keepAlive: true, maxSockets: 16 });
  readonly #https: HttpsAgent;

  constructor(options: HttpOptions) {
    this.#options = options;
    this.#https = new HttpsAgent({ keepAlive: true, maxSockets: 16, ...(options.ca !== undefined && { ca: options.ca }) });
  }

  /** `make` is asked for each try, as tokens and signatures grow old. Throws Refused, or CairnErrors. */
  async send<T>(make: () => Promise<Call>, take: (answer: IncomingMessage) => Promise<T>, signal: AbortSignal): Promise<T> {
    const { attempts, backoffMs, clock } = this.#options;
    for (let tried = 1; ; tried += 1) {
      signal.throwIfAborted();
      try {
        return await this.#once(await make(), take, signal);
      } catch (error) {
        signal.throwIfAborted();
        const passing = error instanceof Refused ? PASSING.has(error.status) : !isCairnError(error) || error.kind === 'Unavailable';
        if (!passing || tried >= attempts) throw error instanceof Refused || isCairnError(error) ? error : unreachable(error);
        const asked = error instanceof Refused ? error.retryAfterSec : undefined;
        await clock.sleep(Math.min(LONGEST_PAUSE_MS, Math.max(backoffMs * 2 ** (tried - 1), (asked ?? 0) * 1000)), signal);
      }
    }
  }

  async #once<T>(call: Call, take: (answer: IncomingMessage) => Promise<T>, signal: AbortSignal): Promise<T> {
    const secure = call.url.protocol === 'https:';
    const answer = Promise.withResolvers<IncomingMessage>();
    const sent = (secure ? httpsRequest : httpRequest)(call.url, {
      method: call.method,
      headers: call.headers,
      agent: secure ? this.#https : this.#http,
      timeout: this.#options.timeoutMs,
      signal,
    });
    sent.once('response', answer.resolve);
    sent.on('error', answer.reject);
    sent.once('timeout', () => sent.destroy(new Error(`nothing came for ${this.#options.timeoutMs / 1000} seconds`)));
    // a server may answer, and hang up, before it has read everything
    if (call.body) pipeline(call.body(), sent).catch((error: unknown) => sent.destroy(error as Error));
    else sent.end();
    const got = await answer.promise;
    try {
      const status = got.statusCode ?? 0;
      if (status >= 200 && status < 300) return await take(got);
      throw new Refused(call, status, await beginningOf(got), Number(got.headers['retry-after']) || undefined);
    } finally {
      if (!got.readableEnded) got.destroy();
    }
  }

  close(): void {
    this.#http.destroy();
    this.#https.destroy();
  }
}

const SHOWN_BYTES = 2_048;

async function beginningOf(answer: IncomingMessage): Promise<string> {
  let text = '';
  try {
    for await (const piece of answer as AsyncIterable<Buffer>) {
      text += piece.toString('utf8');
      if (text.length > SHOWN_BYTES) break;
    }
  } catch {
    // what came is enough
  }
  return `${answer.statusMessage ?? ''} ${text.slice(0, SHOWN_BYTES).replace(/\s+/g, ' ')}`.trim();
}

/** All of a body that has at most `maxBytes`; fails when the connection breaks off. */
export async function allOf(answer: Readable, maxBytes: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of answer as AsyncIterable<Buffer>) {
    length += piece.length;
    if (length > maxBytes) throw conflict('An object in the backup store is longer than it should be.');
    pieces.push(piece);
  }
  return Buffer.concat(pieces, length);
}

/** Reads an answer that has nothing of interest, so that its connection can be used again. */
export async function drained(answer: Readable): Promise<void> {
  answer.resume();
  for await (const _ of answer) continue;
}

function unreachable(error: unknown): CairnError {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  if (BROKEN_TLS.has(code) || BROKEN.has(code))
    return conflict('The object storage of backups cannot be reached safely: its name is unknown, or its certificate is not trusted. Ask the operator.', {
      detail: String(error),
      cause: error,
    });
  return unavailable('The object storage of backups does not answer. Try again later.', { detail: String(error), cause: error });
}

/** A refusal in words for users; the URL is the operators' and stays in the detail. */
export function inWords(error: unknown): unknown {
  if (!(error instanceof Refused)) return error;
  const options = { detail: error.message, cause: error };
  const { status } = error;
  if (status === 404) return notFound('The object storage of backups has no such object.', options);
  if (status === 401) return conflict('The object storage of backups does not know who Cairn is (401): its credentials are wrong. Ask the operator.', options);
  if (status === 403)
    return conflict('The object storage of backups does not allow this (403). Use a container that you may write to, or ask the operator.', options);
  if (status === 413 || status === 507)
    return conflict(`The object storage of backups has no room for this (${status}): a quota is used up, or the storage is full.`, options);
  if (PASSING.has(status)) return unavailable(`The object storage of backups answers with status ${status}. Try again later.`, options);
  return conflict(`The object storage of backups refuses this with status ${status}. Ask the operator.`, options);
}
