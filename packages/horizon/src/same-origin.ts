import type { IncomingHttpHeaders } from 'node:http';

/** The header that the console's own page puts on every request. A page of another origin cannot, without asking first (CORS), which is not allowed here. */
export const PAGE_HEADER = 'x-cairn-console';

/**
 * True for a request that the console's own page made: it has the page's header, and where the browser tells the origin, that is this very
 * host. `trustProxy`: the host is what the proxy in front says.
 */
export function isOwnPage(headers: IncomingHttpHeaders, trustProxy: boolean): boolean {
  if (headers[PAGE_HEADER] === undefined) return false;
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin') return false;
  const { origin } = headers;
  if (origin === undefined) return true;
  const host = (trustProxy && first(headers['x-forwarded-host'])) || headers.host;
  try {
    return host !== undefined && new URL(origin).host === new URL(`http://${host}`).host.replace(/:80$/, '');
  } catch {
    return false;
  }
}

/**
 * True for a form that one of this host's own pages sent: the browser says so, by where it comes from or by its origin. What says nothing was sent
 * by another program, or by a browser that hides where another site's form comes from.
 */
export function isOwnForm(headers: IncomingHttpHeaders, trustProxy: boolean): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site === 'same-origin';
  return headers.origin !== undefined && isOwnPage({ ...headers, [PAGE_HEADER]: '1' }, trustProxy);
}

const first = (value: string | string[] | undefined): string | undefined => (Array.isArray(value) ? value[0] : value)?.split(',')[0]?.trim();

/** True where the browser reached the cloud by https. */
export const isSecure = (headers: IncomingHttpHeaders, trustProxy: boolean): boolean => trustProxy && first(headers['x-forwarded-proto']) === 'https';
