import { createHash } from 'node:crypto';
import { type IncomingHttpHeaders, type IncomingMessage, request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { pipeline } from 'node:stream';
import type { FastifyReply } from 'fastify';
import { DATA_HEADERS } from './headers.ts';
import type { Call } from './session.ts';

/** What the page calls a service, and the types that catalogs know it by; keystone is the cloud's own wherever the rest is. */
const TYPES: Readonly<Record<string, readonly string[]>> = {
  compute: ['compute'],
  network: ['network'],
  volume: ['block-storage', 'volumev3', 'block-store'],
  image: ['image'],
  placement: ['placement'],
};

interface CatalogEntry {
  readonly type: string;
  readonly endpoints: readonly { readonly interface: string; readonly url: string; readonly region: string }[];
}

/** Of the page's request: nothing that tells of its session or of this host. */
const SENT = /^(accept|content-type|content-length|range|openstack-api-version|x-openstack-[a-z-]+|x-image-meta-[a-z-]+)$/;
/** Of the service's answer: nothing that sets a cookie, hands a token over or leads elsewhere. */
const SHOWN = /^(content-type|content-length|content-range|etag|retry-after|openstack-api-version|x-openstack-request-id|x-compute-request-id)$/;

const CATALOG_HOLDS_MS = 60_000;
const MOST_CATALOGS = 1_000;
/** Without a byte for so long, a service of another region is taken for dead. */
const SILENCE_MS = 120_000;

/** The base of an endpoint, without its version and what follows: `https://south.example/volume/v3/abc` is `https://south.example/volume`. Undefined for what is no web address. */
export function baseOf(endpoint: string): string | undefined {
  try {
    const { protocol, origin, pathname, username } = new URL(endpoint);
    if ((protocol !== 'http:' && protocol !== 'https:') || username !== '') return undefined;
    return origin + pathname.replace(/\/v\d+(\.\d+)?(\/.*)?$/, '').replace(/\/+$/, '');
  } catch {
    return undefined;
  }
}

/** Where a region has a service, by the catalog of a token; undefined where it has none. */
export function endpointOf(catalog: readonly CatalogEntry[], region: string, service: string): string | undefined {
  const types = Object.hasOwn(TYPES, service) ? (TYPES[service] ?? []) : [];
  for (const type of types) {
    const urls = catalog.filter((entry) => entry.type === type).flatMap(({ endpoints }) => endpoints);
    const found = urls.find((endpoint) => endpoint.interface === 'public' && endpoint.region === region);
    if (found !== undefined) return baseOf(found.url);
  }
  return undefined;
}

/**
 * The way to the services of another region: where the token's own catalog says they are, as any client goes there with the token. The page
 * itself may speak to its own origin alone, and has no token. Redirects are not followed, and not shown.
 */
export class Regions {
  readonly #call: Call;
  readonly #nowMs: () => number;
  /** By a hash of the token. */
  readonly #catalogs = new Map<string, { readonly catalog: readonly CatalogEntry[]; readonly untilMs: number }>();

  constructor(call: Call, nowMs: () => number) {
    this.#call = call;
    this.#nowMs = nowMs;
  }

  /** Sends the request on to `path` of the region's service, and the answer back. */
  async pass(request: IncomingMessage, reply: FastifyReply, token: string, where: { region: string; service: string; path: string }): Promise<FastifyReply> {
    const catalog = await this.#catalogOf(token);
    if (catalog === undefined) return refuse(reply, 401, 'Sign in first.');
    const base = endpointOf(catalog, where.region, where.service);
    if (base === undefined) return refuse(reply, 404, `The region ${where.region} has no ${where.service} service in the catalog.`);
    if (leadsOut(where.path)) return refuse(reply, 400, 'The request is malformed.');
    const url = new URL(base + where.path);
    reply.hijack();
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
    const headers = { ...kept(request.headers, SENT), ...bodyOf(request), 'x-auth-token': token };
    const sent = send(url, { method: request.method ?? 'GET', headers, timeout: SILENCE_MS });
    sent.on('response', (answer) => {
      reply.raw.writeHead(shownStatus(answer.statusCode), { ...kept(answer.headers, SHOWN), ...DATA_HEADERS });
      pipeline(answer, reply.raw, () => {});
    });
    sent.on('timeout', () => sent.destroy(new Error('it is silent')));
    sent.on('error', (error) => {
      if (reply.raw.headersSent) return void reply.raw.destroy();
      reply.raw.writeHead(502, { 'content-type': 'application/json', ...DATA_HEADERS });
      reply.raw.end(JSON.stringify({ message: `The region ${where.region} does not answer: ${(error as NodeJS.ErrnoException).code ?? error.message}` }));
    });
    reply.raw.on('close', () => sent.destroy());
    pipeline(request, sent, () => {});
    return reply;
  }

  async #catalogOf(token: string): Promise<readonly CatalogEntry[] | undefined> {
    const key = createHash('sha256').update(token).digest('base64');
    const known = this.#catalogs.get(key);
    if (known !== undefined && known.untilMs > this.#nowMs()) return known.catalog;
    const answer = await this.#call({ method: 'GET', url: '/identity/v3/auth/catalog', token });
    if (answer.status !== 200) return undefined;
    const { catalog } = answer.body as { catalog: readonly CatalogEntry[] };
    const [oldest] = this.#catalogs.keys();
    if (this.#catalogs.size >= MOST_CATALOGS && oldest !== undefined) this.#catalogs.delete(oldest);
    this.#catalogs.delete(key);
    this.#catalogs.set(key, { catalog, untilMs: this.#nowMs() + CATALOG_HOLDS_MS });
    return catalog;
  }
}

/** True for a path with a segment of dots, in whatever escapes: it could end outside of the service, here or in a proxy on the way. */
export function leadsOut(target: string): boolean {
  let [path = ''] = target.split(/[?#]/, 1);
  // a proxy on the way may unescape once more than the service does
  for (let round = 0; round < 3; round += 1) {
    if (path.split(/[/\\]/).some((segment) => segment === '.' || segment === '..')) return true;
    path = path.replace(/%(25|2e|2f|5c)/gi, decodeURIComponent);
  }
  return false;
}

/** How the body is framed: said for every method, or its bytes would be taken for a request of their own behind a GET or DELETE. */
const bodyOf = ({ headers }: IncomingMessage): Record<string, string> =>
  headers['transfer-encoding'] !== undefined ? { 'transfer-encoding': 'chunked' } : { 'content-length': headers['content-length'] ?? '0' };
/** Redirects are not shown, nor what is no final status. */
const shownStatus = (status = 0): number => (status < 200 || status > 599 || (status >= 301 && status <= 308 && status !== 304) ? 502 : status);
const kept = (headers: IncomingHttpHeaders, which: RegExp): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).flatMap(([name, value]) => (typeof value === 'string' && which.test(name) ? [[name, value]] : [])));
const refuse = (reply: FastifyReply, status: number, message: string): FastifyReply =>
  reply.code(status).headers(DATA_HEADERS).type('application/json').send(JSON.stringify({ message }));
