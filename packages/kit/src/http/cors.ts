import type { Answer, Exchange } from './exchange.ts';
import { header } from './exchange.ts';

/** Which web pages of other origins may call the cloud, and what they may send and read (oslo.middleware, [cors]). */
export interface CorsOptions {
  /** Origins as browsers send them: `https://console.example.org`, no path. `*` allows every origin. */
  readonly allowedOrigins: readonly string[];
  /** May such a page's requests carry cookies and other credentials of the browser? Default true. */
  readonly allowCredentials?: boolean;
  /** Answer headers that a page may read. */
  readonly exposeHeaders?: readonly string[];
  /** How long a browser may remember the answer to a preflight; 0 leaves it to the browser. Default 3600. */
  readonly maxAgeSec?: number;
  readonly allowMethods?: readonly string[];
  /** Request headers that a page may send, besides the simple ones. */
  readonly allowHeaders?: readonly string[];
}

/** Every service's own defaults together. */
export const CORS_ALLOW_HEADERS: readonly string[] = [
  'X-Auth-Token',
  'X-Openstack-Request-Id',
  'X-Subject-Token',
  'X-Identity-Status',
  'X-Roles',
  'X-Service-Catalog',
  'X-User-Id',
  'X-Tenant-Id',
  'X-Project-Id',
  'X-Project-Name',
  'X-Project-Domain-Id',
  'X-Project-Domain-Name',
  'X-Domain-Id',
  'X-Domain-Name',
  'Openstack-Auth-Receipt',
  'Content-MD5',
  'X-Image-Meta-Checksum',
  'X-Storage-Token',
  'Accept-Encoding',
  'X-Trace-Info',
  'X-Trace-HMAC',
  'X-OpenStack-Nova-API-Version',
  'OpenStack-API-Version',
];
export const CORS_EXPOSE_HEADERS: readonly string[] = [
  'X-Auth-Token',
  'X-Openstack-Request-Id',
  'X-Subject-Token',
  'X-Service-Token',
  'Openstack-Auth-Receipt',
  'X-Image-Meta-Checksum',
  'X-OpenStack-Nova-API-Version',
  'OpenStack-API-Version',
];
export const CORS_ALLOW_METHODS: readonly string[] = ['GET', 'PUT', 'POST', 'DELETE', 'PATCH', 'HEAD'];
const SIMPLE_HEADERS = ['accept', 'accept-language', 'content-type', 'cache-control', 'content-language', 'expires', 'last-modified', 'pragma'];

/** The part of a request that matters here. */
export type CorsRequest = Pick<Exchange, 'method' | 'headers'>;

/**
 * Makes what the server does to each answer: nothing for a request that names no origin or one that is not allowed; else the headers of
 * the W3C's recommendation. An OPTIONS request that the service refuses is answered 200 without a body, as oslo.middleware does: a
 * preflight carries no token.
 */
export function corsOf(options: CorsOptions): (request: CorsRequest, answer: Answer) => Answer {
  const origins = new Set(options.allowedOrigins);
  const methods = new Set(options.allowMethods ?? CORS_ALLOW_METHODS);
  const headers = new Set([...(options.allowHeaders ?? CORS_ALLOW_HEADERS).map((name) => name.toLowerCase()), ...SIMPLE_HEADERS]);
  const expose = (options.exposeHeaders ?? CORS_EXPOSE_HEADERS).join(',');
  const maxAgeSec = options.maxAgeSec ?? 3600;

  /** What the answer says of the origin; undefined where it may not call. */
  const permission = (origin: string | undefined): Record<string, string> | undefined => {
    if (origin === undefined) return undefined;
    const named = origins.has(origin) ? origin : origins.has('*') ? '*' : undefined;
    if (named === undefined) return undefined;
    return {
      'access-control-allow-origin': named,
      ...((options.allowCredentials ?? true) && { 'access-control-allow-credentials': 'true' }),
    };
  };

  return (request, answer) => {
    const preflight = request.method === 'OPTIONS';
    const refused = preflight && (answer.status < 200 || answer.status >= 300);
    const base: Answer = refused ? { status: 200, headers: idOf(answer), body: undefined } : answer;
    const may = permission(header(request.headers, 'origin'));
    if (!may) return base;
    if (!preflight) return withHeaders(base, { ...may, ...(expose !== '' && { 'access-control-expose-headers': expose }) });
    const method = header(request.headers, 'access-control-request-method');
    if (method === undefined || !methods.has(method)) return base;
    const asked = (header(request.headers, 'access-control-request-headers') ?? '')
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== '');
    if (!asked.every((name) => headers.has(name.toLowerCase()))) return base;
    return withHeaders(base, {
      ...may,
      ...(maxAgeSec > 0 && { 'access-control-max-age': String(maxAgeSec) }),
      'access-control-allow-methods': method,
      ...(asked.length > 0 && { 'access-control-allow-headers': asked.join(',') }),
    });
  };
}

const idOf = (answer: Answer): Record<string, string | string[]> => {
  const id = answer.headers['x-openstack-request-id'];
  return id === undefined ? {} : { 'x-openstack-request-id': id };
};

/** The answer depends on the origin from here on, which caches must know. */
function withHeaders(answer: Answer, more: Readonly<Record<string, string>>): Answer {
  const name = Object.keys(answer.headers).find((key) => key.toLowerCase() === 'vary');
  const before = name === undefined ? undefined : String(answer.headers[name]);
  const headers = { ...answer.headers, ...more };
  if (name !== undefined) delete headers[name];
  return { ...answer, headers: { ...headers, vary: before === undefined ? 'Origin' : /\borigin\b/i.test(before) ? before : `${before}, Origin` } };
}
