import { createHash } from 'node:crypto';
import { invalid, notFoundText, unauthenticated } from '../../errors.ts';
import type { Assertion } from '../../federation/mapping.ts';
import { createOidcClient, type OidcClient } from '../../federation/oidc.ts';
import { createSamlServiceProvider, responseInEnvelope, type SamlExpectation, type SamlServiceProvider } from '../../federation/saml-sp.ts';
import { authnRequest, ecpRequest, spMetadata } from '../../federation/saml-xml.ts';
import { createSeals } from '../../federation/seal.ts';
import { insertSession, takeSession, useOnce } from '../../store/federation-logins.ts';
import type { KeyRepository } from '../../token/key-repository.ts';
import type { Core } from '../core.ts';
import type { VerifiedAssertion } from './mapped.ts';

/** What a browser keeps for us while it is at an OpenID Connect provider; sealed. */
interface Attempt {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
  readonly redirectUri: string;
  /** The dashboard that gets the token. */
  readonly origin: string;
}

/** The same for a SAML identity provider. */
interface SamlAttempt {
  /** SAML's relay state. */
  readonly state: string;
  readonly requestId: string;
  readonly origin: string;
}

/** Sends a browser to an identity provider, with what it is to keep meanwhile. */
export interface Departure {
  readonly location: string;
  /** `crossSite`: the browser must send it along with a form that the identity provider's page posts. */
  readonly cookie: { readonly name: string; readonly value: string; readonly maxAgeSec: number; readonly crossSite: boolean };
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
const SAML = 'saml';
const ECP = 'ecp';
/** How long a client may take from its proof to the request for the token. */
const SESSION_SEC = 120;

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
  const saml = new Map<string, SamlServiceProvider>();
  const spEntityIds = new Map<string, string>();
  const key = (idpId: string, protocolId: string): string => JSON.stringify([idpId, protocolId]);
  for (const [idpId, provider] of Object.entries(federation.providers))
    usable(idpId, () => {
      if (provider.oidc) oidc.set(key(idpId, provider.oidc.protocol ?? 'openid'), createOidcClient(provider.oidc));
      if (provider.saml) {
        const name = key(idpId, provider.saml.protocol ?? 'saml2');
        saml.set(
          name,
          createSamlServiceProvider(provider.saml, () => env.clock.nowMs()),
        );
        if (provider.saml.spEntityId !== undefined) spEntityIds.set(name, provider.saml.spEntityId);
      }
    });

  /** Our addresses for a protocol of an identity provider are below `base`; the metadata's names us unless the operator does. */
  const spOf = (idpId: string, protocolId: string, base: string) => ({
    acsUrl: `${base}/acs`,
    spEntityId: spEntityIds.get(key(idpId, protocolId)) ?? `${base}/metadata`,
  });

  const random = (): string => env.ids.bytes(32).toString('base64url');

  /** The page that a token may go to, as `origin` names it. Throws InvalidInput without one, Unauthorized for one that is not trusted. */
  function trustedOrigin(given: string | null): string {
    if (!given) throw invalid('Request must have an origin query parameter', 'origin');
    const origin = unquoted(given);
    if (!federation.trustedDashboards.some((trusted) => lowerCaseHost(trusted) === origin)) throw unauthenticated(`${origin} is not a trusted dashboard host`);
    return origin;
  }

  /** Identity providers that log people in by a protocol. */
  const providersOf = (protocolId: string): string[] =>
    Object.keys(federation.providers).filter((idpId) => oidc.has(key(idpId, protocolId)) || saml.has(key(idpId, protocolId)));

  /** Starts a log-in in the browser. `base` is our address of the protocol. */
  async function depart(idpId: string, protocolId: string, origin: string, base: string): Promise<Departure> {
    const client = oidc.get(key(idpId, protocolId));
    const provider = saml.get(key(idpId, protocolId));
    if (!client && provider) return departSaml(provider, idpId, protocolId, origin, base);
    if (!client) throw unauthenticated(`no log-in is configured for identity provider ${idpId} and protocol ${protocolId}`);
    const attempt: Attempt = { state: random(), nonce: random(), verifier: random(), redirectUri: `${base}/callback`, origin };
    const location = await client.start(attempt);
    const value = seals.seal(`${OIDC} ${key(idpId, protocolId)}`, attempt);
    return { location: location.href, cookie: { name: cookieName(attempt.state), value, maxAgeSec: ATTEMPT_SEC, crossSite: false } };
  }

  function departSaml(provider: SamlServiceProvider, idpId: string, protocolId: string, origin: string, base: string): Departure {
    const attempt: SamlAttempt = { state: random(), requestId: `_${env.ids.bytes(20).toString('hex')}`, origin };
    const { acsUrl, spEntityId } = spOf(idpId, protocolId, base);
    const request = authnRequest({ id: attempt.requestId, issuer: spEntityId, acsUrl, atMs: env.clock.nowMs(), binding: 'HTTP-POST' });
    const location = provider.redirect(request, attempt.state);
    const value = seals.seal(`${SAML} ${key(idpId, protocolId)}`, attempt);
    return { location, cookie: { name: cookieName(attempt.state), value, maxAgeSec: ATTEMPT_SEC, crossSite: true } };
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

  /** The browser is back with a form of the SAML identity provider. */
  async function arriveSaml(
    idpId: string,
    protocolId: string,
    form: URLSearchParams,
    base: string,
    cookieOf: (name: string) => string | undefined,
  ): Promise<Arrival> {
    const state = form.get('RelayState');
    const sealed = state === null ? undefined : cookieOf(cookieName(state));
    const attempt = sealed === undefined ? undefined : (seals.open(`${SAML} ${key(idpId, protocolId)}`, sealed, ATTEMPT_SEC) as SamlAttempt | undefined);
    if (!attempt || attempt.state !== state) throw unauthenticated('the browser was not sent to the identity provider from here, or too long ago');
    const xml = Buffer.from(form.get('SAMLResponse') ?? '', 'base64').toString('utf8');
    return { assertion: await samlAssertion(idpId, protocolId, xml, base, attempt.requestId), origin: attempt.origin };
  }

  /** A verified assertion, for the first time. */
  async function samlAssertion(idpId: string, protocolId: string, xml: string, base: string, requestId: string | undefined): Promise<VerifiedAssertion> {
    const provider = saml.get(key(idpId, protocolId));
    if (!provider) throw unauthenticated(`no SAML log-in is configured for identity provider ${idpId} and protocol ${protocolId}`);
    const expected: SamlExpectation = { ...spOf(idpId, protocolId, base), requestId };
    const { attributes, assertionId, endsAtMs } = await provider.verify(xml, expected);
    await once(`assertion ${hash(JSON.stringify([provider.entityId, assertionId]))}`, endsAtMs - env.clock.nowMs());
    return { idpId, protocolId, issuer: provider.entityId, attributes };
  }

  /** The request that a client without a browser takes to the identity provider itself; undefined where SAML is not configured. */
  function ecpStart(idpId: string, protocolId: string, base: string): string | undefined {
    if (!saml.has(key(idpId, protocolId))) return undefined;
    const { acsUrl, spEntityId } = spOf(idpId, protocolId, base);
    // the id proves by itself that the request is ours: nothing has to be kept for a stranger
    const id = `_${seals.seal(`${ECP} ${key(idpId, protocolId)}`, '')}`;
    return ecpRequest({ id, issuer: spEntityId, acsUrl, atMs: env.clock.nowMs(), binding: 'PAOS' }, 'ecp');
  }

  /** The client is back with an envelope. Returns what it may fetch its token with, once. */
  async function ecpFinish(
    idpId: string,
    protocolId: string,
    envelope: string,
    base: string,
  ): Promise<{ readonly session: string; readonly maxAgeSec: number }> {
    const xml = await responseInEnvelope(envelope);
    // whether the assertion really answers this request is checked with its signature
    const requestId = /\sInResponseTo\s*=\s*["']([^"']*)["']/.exec(xml)?.[1];
    if (requestId !== undefined && seals.open(`${ECP} ${key(idpId, protocolId)}`, requestId.slice(1), ATTEMPT_SEC) === undefined) {
      throw unauthenticated('the SAML response answers no request of ours, or one too long ago');
    }
    const { attributes } = await samlAssertion(idpId, protocolId, xml, base, requestId);
    const session = random();
    const nowMs = env.clock.nowMs();
    const row = { id: hash(session), idp_id: idpId, protocol_id: protocolId, assertion: JSON.stringify(attributes), expires_at_ms: nowMs + SESSION_SEC * 1000 };
    await env.store.write((tx) => insertSession(tx, row, nowMs));
    return { session, maxAgeSec: SESSION_SEC };
  }

  /** What a client proved a moment ago; undefined where there is nothing, or not any more. */
  async function resume(idpId: string, protocolId: string, session: string): Promise<VerifiedAssertion | undefined> {
    const provider = saml.get(key(idpId, protocolId));
    const row = provider && (await env.store.write((tx) => takeSession(tx, hash(session), env.clock.nowMs())));
    if (!provider || row?.idp_id !== idpId || row.protocol_id !== protocolId) return undefined;
    return { idpId, protocolId, issuer: provider.entityId, attributes: JSON.parse(row.assertion) as Assertion };
  }

  /** What a SAML identity provider must know of us. */
  function metadata(idpId: string, protocolId: string, base: string): string {
    if (!saml.has(key(idpId, protocolId))) throw notFoundText('No SAML log-in is configured for this identity provider and protocol.');
    const { acsUrl, spEntityId } = spOf(idpId, protocolId, base);
    return spMetadata(spEntityId, acsUrl);
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

  return { trustedOrigin, providersOf, depart, arrive, arriveSaml, bearer, cookieName, ecpStart, ecpFinish, resume, metadata };
}

/** Options that are no use stop the start, with the words of whoever found out. */
function usable(idpId: string, make: () => void): void {
  try {
    make();
  } catch (error) {
    if (error instanceof RangeError) throw invalid(`Option identity.federation.providers.${idpId}: ${error.message}.`, 'federation');
    throw error;
  }
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
