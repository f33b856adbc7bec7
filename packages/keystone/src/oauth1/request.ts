import { expecting, invalid } from '../errors.ts';
import { decoded, isSignature, sign, SIGNATURE_METHODS } from './signature.ts';

/** A request that says to be signed by OAuth 1.0a, read and in form (oauthlib's checks, which upstream uses), its signature not looked at yet. */
export interface OAuthRequest {
  readonly consumerId: string;
  readonly token: string | undefined;
  readonly verifier: string | undefined;
  readonly callback: string | undefined;
  /** Do these secrets make the signature? */
  isSignedBy(consumerSecret: string, tokenSecret?: string): boolean;
}

const LIFETIME_SEC = 600;
const KEY = /^[0-9a-f]{32}$/;
const NONCE = /^[0-9a-f]+$/;

/** Letters and digits that nobody takes for one another: what verifiers are made of. */
export const VERIFIER_CHARS = [...'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789'].filter((char) => !'jiIl1oO0'.includes(char)).join('');

const refused = (kind: string, detail: string): Error => invalid(`Validation failed with errors: ${kind}, detail message is: ${detail}.`, 'Authorization');
const badRequest = (detail: string): Error => refused('invalid_request', detail);

/** `OAuth realm="x", oauth_token="y"` as it is written: nothing is decoded. Throws InvalidInput where it is no such header. */
export function oauthHeader(authorization: string | undefined): Map<string, string> {
  if (authorization === undefined) throw expecting('Authorization', 'request headers');
  const scheme = /^OAuth +/i.exec(authorization)?.[0];
  const items = scheme === undefined ? null : authorization.slice(scheme.length).match(/(?:[^",]|"(?:\\.|[^"\\])*")+/g);
  const found = new Map<string, string>();
  for (const item of items ?? []) {
    const at = item.indexOf('=');
    if (at < 0) throw invalid('Malformed authorization header', 'Authorization');
    const value = item.slice(at + 1).trim();
    found.set(item.slice(0, at).trim(), /^".*"$/.test(value) ? value.slice(1, -1) : value);
  }
  if (found.size === 0) throw invalid('Malformed authorization header', 'Authorization');
  return found;
}

/** Reads a request; throws InvalidInput in oauthlib's words for what is missing or of a wrong form. */
export function oauthRequest(
  given: { readonly method: string; readonly url: string; readonly authorization: string | undefined },
  nowMs: number,
): OAuthRequest {
  const header = [...oauthHeader(given.authorization)].map(([key, value]) => [key, key.startsWith('oauth_') ? decoded(value) : value] as const);
  const at = given.url.indexOf('?');
  const query = at < 0 ? [] : [...new URLSearchParams(given.url.slice(at + 1))];
  const all: [string, string][] = [];
  for (const [key, value] of [...header, ...query]) {
    if (value === undefined) throw badRequest('Malformed parameter');
    all.push([key, value]);
  }
  const isOAuth = ([key]: readonly [string, unknown]): boolean => key.startsWith('oauth_');
  if (header.some(isOAuth) && query.some(isOAuth)) throw badRequest('oauth_ params must come from only 1 signature type');
  const oauth = all.filter(isOAuth);
  if (oauth.length === 0) throw badRequest('Missing mandatory OAuth parameters.');
  const params = new Map(oauth);
  if (params.size !== oauth.length) throw badRequest('Duplicate OAuth1 entries.');
  const signature = params.get('oauth_signature');
  const consumerId = params.get('oauth_consumer_key');
  const nonce = params.get('oauth_nonce');
  const timestamp = params.get('oauth_timestamp');
  const method = params.get('oauth_signature_method');
  if (!signature || !consumerId || !nonce || !timestamp || !method) throw badRequest('Missing mandatory OAuth parameters.');
  if (!SIGNATURE_METHODS.includes(method)) throw refused('invalid_signature_method', `Invalid signature, it is not one of ${SIGNATURE_METHODS.join(', ')}`);
  if ((params.get('oauth_version') ?? '1.0') !== '1.0') throw badRequest('Invalid OAuth version.');
  if (timestamp.length !== 10) throw badRequest('Invalid timestamp size');
  if (!/^\d{10}$/.test(timestamp)) throw badRequest('Timestamp must be an integer.');
  if (Math.abs(nowMs / 1000 - Number(timestamp)) > LIFETIME_SEC)
    throw badRequest(`Timestamp given is invalid, differ from allowed by over ${LIFETIME_SEC} seconds.`);
  if (!KEY.test(consumerId)) throw badRequest('Invalid client key format.');
  if (!NONCE.test(nonce)) throw badRequest('Invalid nonce format.');
  const signed = all.filter(([key]) => key !== 'oauth_signature' && key !== 'realm');
  return {
    consumerId,
    token: params.get('oauth_token'),
    verifier: params.get('oauth_verifier'),
    callback: params.get('oauth_callback'),
    isSignedBy: (consumerSecret, tokenSecret) =>
      isSignature(signature, sign(method, { method: given.method, url: given.url, params: signed }, consumerSecret, tokenSecret)),
  };
}

/** Checks of an access token request that come before its secrets are looked up. */
export function checkAccessForm(request: OAuthRequest): void {
  if (!request.token) throw badRequest('Missing resource owner.');
  if (!KEY.test(request.token)) throw badRequest('Invalid resource owner key format.');
  if (!request.verifier) throw badRequest('Missing verifier.');
  if (request.verifier.length !== 8 || [...request.verifier].some((char) => !VERIFIER_CHARS.includes(char))) throw badRequest('Invalid verifier format.');
}

export const isKey = (text: string | undefined): text is string => text !== undefined && KEY.test(text);
export const missingCallback = (): Error => badRequest('Missing callback URI.');
