import { unavailable } from '@cairn/kit/errors/errors';

const TIMEOUT_MS = 10_000;
const MAX_BYTES = 1 << 20;

const isLoopback = (hostname: string): boolean => /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(hostname);

/** An origin that an operator names: https, or http on a loopback address. Throws RangeError for any other. */
export function trustedOrigin(text: string): string {
  if (!URL.canParse(text)) throw new RangeError(`${text} is no URL`);
  const url = new URL(text);
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopback(url.hostname)))
    throw new RangeError(`${text} is neither https nor on a loopback address`);
  if (url.username !== '' || url.password !== '') throw new RangeError(`${text} has a user or a password in it`);
  return url.origin;
}

export interface RequestInitLike {
  readonly method?: string | undefined;
  readonly headers?: unknown;
  readonly body?: unknown;
  readonly signal?: unknown;
}

/**
 * `fetch` that reaches the given origins alone, follows no redirect, waits ten seconds and reads a megabyte. What the origins are comes from the
 * operator, so that nothing that a provider or a token names leads anywhere else.
 */
export function restrictedFetch(origins: ReadonlySet<string>): (url: string | URL, init?: RequestInitLike) => Promise<Response> {
  return async (target, init = {}) => {
    const url = new URL(target);
    if (!origins.has(url.origin))
      throw unavailable('The identity provider cannot be reached.', { detail: { reason: `${url.origin} is not among the origins of the provider` } });
    const response = await fetch(url, { ...(init as RequestInit), redirect: 'manual', signal: AbortSignal.timeout(TIMEOUT_MS) });
    const body = response.body ? await limited(response.body) : null;
    // the body is read already; these statuses cannot have one
    return new Response(response.status === 204 || response.status === 304 ? null : body, { status: response.status, headers: response.headers });
  };
}

async function limited(stream: ReadableStream<Uint8Array>): Promise<Buffer<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of stream) {
    size += chunk.length;
    if (size > MAX_BYTES) throw unavailable('The identity provider cannot be reached.', { detail: { reason: 'its answer is too long' } });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
