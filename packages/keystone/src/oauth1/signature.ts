import { createHmac, timingSafeEqual } from 'node:crypto';

/** RFC 5849: the signature under a request of OAuth 1.0a. */

/** RFC 3986, as RFC 5849 3.6 asks for it. */
const encoded = (text: string): string => encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);

/** Percent signs resolved; undefined for what is no UTF-8. */
export function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

const HASHES: Readonly<Record<string, string>> = { 'HMAC-SHA1': 'sha1', 'HMAC-SHA256': 'sha256', 'HMAC-SHA512': 'sha512' };
/** RSA is left out: consumers have no keys (upstream knows the names and refuses every such signature). */
export const SIGNATURE_METHODS: readonly string[] = [...Object.keys(HASHES), 'PLAINTEXT', 'RSA-SHA1', 'RSA-SHA256', 'RSA-SHA512'];

/** Scheme and host in lower case, no default port, no query (RFC 5849 3.4.1.2). */
export function baseUri(url: string): string {
  const parts = /^([a-z][a-z0-9+.-]*):\/\/([^/?#]*)([^?#]*)/i.exec(url);
  if (!parts) return '';
  const scheme = (parts[1] ?? '').toLowerCase();
  const port = { http: ':80', https: ':443' }[scheme];
  let host = (parts[2] ?? '').toLowerCase();
  if (port && host.endsWith(port)) host = host.slice(0, -port.length);
  return `${scheme}://${host}${parts[3] || '/'}`;
}

export interface Signable {
  readonly method: string;
  readonly url: string;
  /** From the Authorization header and the query, decoded, without oauth_signature and realm. */
  readonly params: readonly (readonly [string, string])[];
}

/** RFC 5849 3.4.1. */
export function baseString({ method, url, params }: Signable): string {
  const pairs = params.map(([key, value]) => [encoded(key), encoded(value)] as const);
  const order = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
  const sorted = pairs.toSorted((a, b) => order(a[0], b[0]) || order(a[1], b[1]));
  const query = sorted.map(([key, value]) => `${key}=${value}`).join('&');
  return [method.toUpperCase(), baseUri(url), query].map(encoded).join('&');
}

/** The signature that the holder of both secrets makes; undefined for a method that there is not. */
export function sign(method: string, request: Signable, consumerSecret: string, tokenSecret = ''): string | undefined {
  const key = `${encoded(consumerSecret)}&${encoded(tokenSecret)}`;
  if (method === 'PLAINTEXT') return key;
  const hash = HASHES[method];
  return hash === undefined ? undefined : createHmac(hash, key).update(baseString(request)).digest('base64');
}

export function isSignature(given: string, expected: string | undefined): boolean {
  if (expected === undefined) return false;
  const [left, right] = [Buffer.from(given), Buffer.from(expected)];
  return left.length === right.length && timingSafeEqual(left, right);
}
