import { type ClientRequest, type IncomingHttpHeaders, type IncomingMessage, request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { LookupFunction } from 'node:net';
import { type Readable, Transform } from 'node:stream';
import { type CairnError, invalidInput, isCairnError, tooLarge, unavailable } from '../errors/errors.ts';
import type { FetchGuard, Target } from './fetch-policy.ts';

export interface FetchOptions {
  readonly method?: 'GET' | 'HEAD';
  /** Sent to the first host alone: a redirect to another origin carries none of them. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Longest body; more is TooLarge. */
  readonly maxBytes?: number;
  /** Default 5; each is judged like the first URL. */
  readonly maxRedirects?: number;
  /** Until the head of the answer is there. Default 30 000, for each hop. */
  readonly answerTimeoutMs?: number;
  /** Longest pause between two pieces of the body. Default 60 000. */
  readonly idleTimeoutMs?: number;
  /** For the whole fetch, body included. Default 6 hours. */
  readonly deadlineMs?: number;
  readonly signal?: AbortSignal;
  /** Certificate authorities instead of the system's (PEM); for tests and private mirrors. */
  readonly ca?: string;
}

export interface Fetched {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** `Content-Length`, when the server says it. */
  readonly sizeBytes: number | undefined;
  /** Ends with an error when the connection breaks off, the body is longer than allowed, or time is up. */
  readonly stream: Readable;
  /** Where the answer came from, after redirects. */
  readonly url: string;
}

const REDIRECTS = new Set([301, 302, 303, 307, 308]);
const DEADLINE_MS = 6 * 3600_000;

/**
 * The one way by which Cairn fetches what a user named. The guard judges the URL and every redirect; the connection goes to the very
 * addresses that were judged; proxies of the environment, cookies and credentials play no part. Rejects with InvalidInput for what is
 * refused, Unavailable for what failed on the way, and TooLarge. Answers of 400 and more are Unavailable, too, except when 404: InvalidInput.
 */
export async function guardedFetch(guard: FetchGuard, url: string, options: FetchOptions = {}): Promise<Fetched> {
  const deadline = AbortSignal.timeout(options.deadlineMs ?? DEADLINE_MS);
  const signal = options.signal ? AbortSignal.any([options.signal, deadline]) : deadline;
  let next = url;
  let headers = options.headers ?? {};
  for (let hops = 0; ; hops++) {
    const target = await guard.check(next);
    const answer = await connect(target, headers, options, signal);
    const status = answer.statusCode ?? 0;
    const location = answer.headers.location;
    if (!REDIRECTS.has(status) || location === undefined) return received(answer, status, target, options, signal);
    answer.destroy();
    if (hops >= (options.maxRedirects ?? 5)) throw invalidInput('The URL is not allowed: it redirects too often.', { type: 'UrlRefused' });
    next = redirected(location, target.url);
    const to = new URL(next);
    if (target.url.protocol === 'https:' && to.protocol !== 'https:')
      throw invalidInput('The URL is not allowed: it redirects from https to a connection without protection.', { type: 'UrlRefused' });
    if (to.origin !== target.url.origin) headers = {};
  }
}

/** A relative redirect is resolved; an absolute one is left as it is spelled, for the guard to judge. */
function redirected(location: string, from: URL): string {
  if (/^[A-Za-z][A-Za-z0-9+.-]*:/.test(location)) return parseable(location);
  if (/^(?:\/\/|\\|\/\\)/.test(location)) return parseable(`${from.protocol}${location}`);
  return new URL(location, from).href;
}

function parseable(text: string): string {
  if (URL.canParse(text)) return text;
  throw invalidInput('The URL is not allowed: it redirects to what is no URL.', { type: 'UrlRefused' });
}

function connect(target: Target, headers: Readonly<Record<string, string>>, options: FetchOptions, signal: AbortSignal): Promise<IncomingMessage> {
  const { url, port, addresses } = target;
  // the name is not resolved a second time: these are the addresses that were judged
  const pinned: LookupFunction = (_host, asked, callback) => {
    const fitting = addresses.filter((a) => !asked.family || asked.family === a.family || asked.family === `IPv${a.family}`);
    const first = fitting[0];
    if (!first) callback(Object.assign(new Error('no address of the family asked for'), { code: 'ENOTFOUND' }), '', 4);
    else if (asked.all) callback(null, [...fitting]);
    else callback(null, first.address, first.family);
  };
  const secure = url.protocol === 'https:';
  return new Promise((resolve, reject) => {
    const sent: ClientRequest = (secure ? httpsRequest : httpRequest)({
      host: url.hostname.replace(/^\[|\]$/g, ''),
      port,
      path: url.pathname + url.search,
      method: options.method ?? 'GET',
      headers: { 'user-agent': 'cairn', accept: '*/*', ...headers, host: url.host },
      lookup: pinned,
      agent: false,
      signal,
      maxHeaderSize: 32_768,
      ...(secure && options.ca !== undefined && { ca: options.ca }),
    });
    const timer = setTimeout(() => sent.destroy(new Error('no answer in time')), options.answerTimeoutMs ?? 30_000);
    sent.once('socket', (socket) =>
      socket.once('connect', () => {
        if (!addresses.some((a) => a.address === socket.remoteAddress || `::ffff:${a.address}` === socket.remoteAddress) && !literal(url, socket.remoteAddress))
          sent.destroy(new Error('connected to an address that was not judged'));
      }),
    );
    sent.once('response', (answer) => {
      clearTimeout(timer);
      resolve(answer);
    });
    sent.once('error', (error) => {
      clearTimeout(timer);
      reject(failed(error, signal));
    });
    sent.end();
  });
}

/** An IPv6 literal may come back in another spelling. */
const literal = (url: URL, remote: string | undefined): boolean =>
  remote !== undefined &&
  url.hostname.startsWith('[') &&
  new URL(`http://[${remote.replace(/%.*$/, '')}]`).hostname === new URL(`http://${url.hostname}`).hostname;

function received(answer: IncomingMessage, status: number, target: Target, options: FetchOptions, signal: AbortSignal): Fetched {
  if (status < 200 || status >= 300) {
    answer.destroy();
    const text = `The server answered with status ${status}.`;
    throw status === 404 || status === 410 || status === 416 ? invalidInput(text, { type: 'UrlNotThere' }) : unavailable(text, { type: 'UrlFailed' });
  }
  const length = answer.headers['content-length'];
  const sizeBytes = length !== undefined && /^\d+$/.test(length) ? Number(length) : undefined;
  const maxBytes = options.maxBytes ?? Number.POSITIVE_INFINITY;
  if (sizeBytes !== undefined && sizeBytes > maxBytes && options.method !== 'HEAD') {
    answer.destroy();
    throw tooLarge(`The data at the URL is longer than the ${maxBytes} bytes that are allowed.`);
  }
  let count = 0;
  const limited = new Transform({
    readableHighWaterMark: 1 << 18,
    transform(chunk: Buffer, _encoding, done) {
      count += chunk.length;
      if (count > maxBytes) done(tooLarge(`The data at the URL is longer than the ${maxBytes} bytes that are allowed.`));
      else done(null, chunk);
    },
  });
  answer.setTimeout(options.idleTimeoutMs ?? 60_000, () => answer.destroy(new Error('the server went silent')));
  answer.once('error', (error) => limited.destroy(failed(error, signal)));
  answer.once('aborted', () => limited.destroy(failed(new Error('the connection ended early'), signal)));
  limited.once('close', () => answer.destroy());
  answer.pipe(limited);
  return { status, headers: answer.headers, sizeBytes, stream: limited, url: target.url.href };
}

function failed(error: unknown, signal: AbortSignal): Error {
  if (isCairnError(error)) return error satisfies CairnError;
  if (signal.aborted) {
    const reason = signal.reason as Error | undefined;
    return reason?.name === 'TimeoutError' ? unavailable('The fetch took longer than is allowed.') : (reason ?? unavailable('The fetch was given up.'));
  }
  return unavailable('The data at the URL could not be fetched.', { type: 'UrlFailed', detail: String(error), cause: error });
}
