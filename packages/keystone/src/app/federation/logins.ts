import { createHash } from 'node:crypto';
import { invalid, unauthenticated } from '../../errors.ts';
import { createOidcClient, type OidcClient } from '../../federation/oidc.ts';
import { createSeals } from '../../federation/seal.ts';
import { useOnce } from '../../store/federation-logins.ts';
import type { KeyRepository } from '../../token/key-repository.ts';
import type { Core } from '../core.ts';
import type { VerifiedAssertion } from './mapped.ts';

/** What a browser keeps for us while it is at the identity provider; sealed. */
interface Attempt {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
  readonly redirectUri: string;
  /** The dashboard that gets the token. */
  readonly origin: string;
}

/** Sends a browser to an identity provider, with what it is to keep meanwhile. */
export interface Departure {
  readonly location: string;
  readonly cookie: { readonly name: string; readonly value: string; readonly maxAgeSec: number };
}

/** A browser that came back with a proof that holds. */
export interface Arrival {
  readonly assertion: VerifiedAssertion;
  readonly origin: string;
}

export type FederatedLogins = ReturnType<typeof createFederatedLogins>;

/** How long somebody may take to log in at the identity provider. */
const ATTEMPT_SEC = 600;
const OIDC = 'oidc';

const hash = (text: string): string => createHash('sha256').update(text).digest('hex');
const cookieName = (state: string): string => `cairn_sso_${hash(state).slice(0, 16)}`;

/**
 * Log-ins at identity providers that the operator has configured. What upstream leaves to modules of the web server happens here, so that every
 * attribute a mapping sees comes from an assertion that was verified. Nothing is stored for somebody who has not proved anything yet.
 */
export function createFederatedLogins(core: Core, parts: { readonly keys: KeyRepository }) {
  const { env, options } = core;
  const { federation } = options;
  const seals = createSeals({ keys: parts.keys, nowMs: () => env.clock.nowMs(), randomBytes: (length) => env.ids.bytes(length) });
  const oidc = new Map<string, OidcClient>();
  const key = (idpId: string, protocolId: string): string => JSON.stringify([idpId, protocolId]);
  for (const [idpId, provider] of Object.entries(federation.providers)) {
    if (provider.oidc) oidc.set(key(idpId, provider.oidc.protocol ?? 'openid'), createOidcClient(provider.oidc));
  }

  const random = (): string => env.ids.bytes(32).toString('base64url');

  /** The page that a token may go to, as `origin` names it. Throws InvalidInput without one, Unauthorized for one that is not trusted. */
  function trustedOrigin(given: string | null): string {
    if (!given) throw invalid('Request must have an origin query parameter', 'origin');
    const origin = unquoted(given);
    if (!federation.trustedDashboards.some((trusted) => lowerCaseHost(trusted) === origin)) throw unauthenticated(`${origin} is not a trusted dashboard host`);
    return origin;
  }

  /** Identity providers that log people in by a protocol. */
  const providersOf = (protocolId: string): string[] => Object.keys(federation.providers).filter((idpId) => oidc.has(key(idpId, protocolId)));

  /** Starts a log-in in the browser. */
  async function depart(idpId: string, protocolId: string, origin: string, redirectUri: string): Promise<Departure> {
    const client = oidc.get(key(idpId, protocolId));
    if (!client) throw unauthenticated(`no log-in is configured for identity provider ${idpId} and protocol ${protocolId}`);
    const attempt: Attempt = { state: random(), nonce: random(), verifier: random(), redirectUri, origin };
    const location = await client.start(attempt);
    const value = seals.seal(`${OIDC} ${key(idpId, protocolId)}`, attempt);
    return { location: location.href, cookie: { name: cookieName(attempt.state), value, maxAgeSec: ATTEMPT_SEC } };
  }

  /** The browser is back: the state must be one that this very browser was sent away with, and a state is good once. */
  async function arrive(idpId: string, protocolId: string, query: URLSearchParams, cookieOf: (name: string) => string | undefined): Promise<Arrival> {
    const client = oidc.get(key(idpId, protocolId));
    const state = query.get('state');
    const sealed = state === null ? undefined : cookieOf(cookieName(state));
    const attempt = sealed === undefined ? undefined : (seals.open(`${OIDC} ${key(idpId, protocolId)}`, sealed, ATTEMPT_SEC) as Attempt | undefined);
    if (!client || !attempt || attempt.state !== state) throw unauthenticated('the browser was not sent to the identity provider from here, or too long ago');
    const attributes = await client.finish(attempt, query);
    await once(`state ${hash(attempt.state)}`, ATTEMPT_SEC * 1000);
    return { assertion: { idpId, protocolId, issuer: client.issuer, attributes }, origin: attempt.origin };
  }

  /** A token of the identity provider that somebody shows. */
  async function bearer(idpId: string, protocolId: string, token: string): Promise<VerifiedAssertion> {
    const client = oidc.get(key(idpId, protocolId));
    if (!client) throw unauthenticated(`no bearer tokens are taken for identity provider ${idpId} and protocol ${protocolId}`);
    return { idpId, protocolId, issuer: client.issuer, attributes: await client.bearer(token) };
  }

  /** Throws Unauthorized for a proof that was used before. */
  async function once(id: string, lifetimeMs: number): Promise<void> {
    const nowMs = env.clock.nowMs();
    if (!(await env.store.write((tx) => useOnce(tx, id, nowMs + lifetimeMs, nowMs)))) throw unauthenticated('the proof was used before');
  }

  return { trustedOrigin, providersOf, depart, arrive, bearer, cookieName };
}

/** Python's `urllib.parse.unquote_plus`, which upstream applies to what the query has already decoded. */
function unquoted(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return text;
  }
}

/** An address with the host in lower case, the rest as it is. */
export function lowerCaseHost(url: string): string {
  const parts = /^([a-z][a-z0-9+.-]*:\/\/)([^/?#]*)(.*)$/i.exec(url);
  return parts ? `${parts[1]}${(parts[2] as string).toLowerCase()}${parts[3]}` : url;
}
