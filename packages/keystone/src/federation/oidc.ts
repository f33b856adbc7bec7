import { isCairnError, unavailable } from '@cairn/kit/errors/errors';
import { createRemoteJWKSet, customFetch as jwksFetch, errors as joseErrors, type JWTPayload, jwtVerify } from 'jose';
import * as client from 'openid-client';
import { unauthenticated } from '../errors.ts';
import type { Assertion } from './mapping.ts';
import type { OidcOptions } from './provider-options.ts';
import { type RequestInitLike, restrictedFetch, trustedOrigin } from './restricted-fetch.ts';

type Claims = Readonly<Record<string, unknown>>;

/** What a log-in in the browser keeps between its two halves. */
export interface OidcAttempt {
  readonly redirectUri: string;
  readonly state: string;
  readonly nonce: string;
  /** PKCE. */
  readonly verifier: string;
}

/** Signatures that are believed: none, and those with a shared secret, are not among them. */
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'Ed25519', 'EdDSA'];
/** The provider's description is asked for again after this. */
const DISCOVERY_TTL_MS = 3_600_000;
const DEFAULT_SKEW_SEC = 60;
/** Longer than any token that makes sense in a header. */
const MAX_TOKEN_CHARS = 16_384;

export type OidcClient = ReturnType<typeof createOidcClient>;

/** Logs in at one OpenID Connect provider and checks what it says. Throws RangeError for options that are no use. */
export function createOidcClient(options: OidcOptions) {
  const origins = new Set([trustedOrigin(options.issuer), ...(options.endpointOrigins ?? []).map(trustedOrigin)]);
  const restricted = restrictedFetch(origins);
  const skewSec = options.clockSkewSec ?? DEFAULT_SKEW_SEC;
  const audiences = options.audiences?.length ? [...options.audiences] : [options.clientId];
  let known: { readonly config: Promise<client.Configuration>; readonly sinceMs: number } | undefined;
  let keys: { readonly uri: string; readonly set: ReturnType<typeof createRemoteJWKSet> } | undefined;

  const authentication = (): client.ClientAuth => {
    const way = options.clientAuthentication ?? (options.clientSecret === undefined ? 'none' : 'basic');
    if (way === 'none' || options.clientSecret === undefined) return client.None();
    return way === 'post' ? client.ClientSecretPost(options.clientSecret) : client.ClientSecretBasic(options.clientSecret);
  };

  async function discover(): Promise<client.Configuration> {
    const found = await client.discovery(new URL(options.issuer), options.clientId, { [client.clockTolerance]: skewSec }, authentication(), {
      [client.customFetch]: (url, init) => restricted(url, init as RequestInitLike),
      // the signature of ID tokens counts even though they come from the token endpoint; plain http is kept to loopback by `trustedOrigin`
      execute: [client.enableNonRepudiationChecks, ...(options.issuer.startsWith('http:') ? [client.allowInsecureRequests] : [])],
    });
    const { issuer } = found.serverMetadata();
    if (issuer !== options.issuer) throw unavailable('The identity provider cannot be reached.', { detail: { reason: `it says that it is ${issuer}` } });
    return found;
  }

  async function configuration(): Promise<client.Configuration> {
    if (!known || performance.now() - known.sinceMs > DISCOVERY_TTL_MS) {
      const config = discover();
      const entry = { config, sinceMs: performance.now() };
      known = entry;
      config.catch(() => {
        if (known === entry) known = undefined;
      });
    }
    return await known.config;
  }

  /** The address that starts a log-in in the browser: authorization code with PKCE. */
  async function start(attempt: OidcAttempt): Promise<URL> {
    return await asked(async () =>
      client.buildAuthorizationUrl(await configuration(), {
        redirect_uri: attempt.redirectUri,
        scope: (options.scopes ?? ['openid', 'email', 'profile']).join(' '),
        state: attempt.state,
        nonce: attempt.nonce,
        code_challenge: await client.calculatePKCECodeChallenge(attempt.verifier),
        code_challenge_method: 'S256',
        response_type: 'code',
      }),
    );
  }

  /** The other half: exchanges the code, and checks issuer, audience, nonce, state, signature and times of the ID token. */
  async function finish(attempt: OidcAttempt, query: URLSearchParams): Promise<Assertion> {
    return await asked(async () => {
      const config = await configuration();
      const tokens = await client.authorizationCodeGrant(config, new URL(`${attempt.redirectUri}?${query}`), {
        expectedState: attempt.state,
        expectedNonce: attempt.nonce,
        pkceCodeVerifier: attempt.verifier,
        idTokenExpected: true,
      });
      const claims = tokens.claims();
      if (!claims) throw unauthenticated('the provider gave no ID token');
      return attributesOf(await withUserInfo(config, claims as Claims, tokens.access_token));
    });
  }

  /** A token that somebody shows: an access or ID token that is a JWT for one of our audiences, or else one that the provider vouches for. */
  async function bearer(token: string): Promise<Assertion> {
    if (token.length > MAX_TOKEN_CHARS || !/^[\x21-\x7e]+$/.test(token)) throw unauthenticated('the bearer token is too long, or no token');
    return await asked(async () => {
      const config = await configuration();
      const isJwt = token.split('.').length === 3 && token.startsWith('ey');
      const claims = isJwt ? await verified(config, token) : await introspected(config, token);
      return attributesOf(await withUserInfo(config, claims, token));
    });
  }

  async function verified(config: client.Configuration, token: string): Promise<Claims> {
    const uri = config.serverMetadata().jwks_uri;
    if (uri === undefined) throw unauthenticated('the provider names no keys');
    if (keys?.uri !== uri) {
      keys = { uri, set: createRemoteJWKSet(new URL(uri), { [jwksFetch]: (url, init) => restricted(url, init as RequestInitLike) }) };
    }
    const { payload } = await jwtVerify(token, keys.set, {
      issuer: options.issuer,
      audience: audiences,
      algorithms: ALGORITHMS,
      clockTolerance: skewSec,
      requiredClaims: ['sub', 'exp', 'iat'],
    });
    return payload satisfies JWTPayload as Claims;
  }

  async function introspected(config: client.Configuration, token: string): Promise<Claims> {
    if (!options.introspection || config.serverMetadata().introspection_endpoint === undefined) {
      throw unauthenticated('the bearer token is no JWT, and the provider is not asked about others');
    }
    const answer = await client.tokenIntrospection(config, token, { token_type_hint: 'access_token' });
    const { active, iss, aud, client_id, sub, exp } = answer;
    const nowSec = Date.now() / 1000;
    if (active !== true) throw unauthenticated('the provider says that the token is not active');
    if (iss !== undefined && iss !== options.issuer) throw unauthenticated(`the token is of the issuer ${iss}`);
    // for us: made for one of our audiences, or for our own client where it names none
    const forUs = aud === undefined ? client_id !== undefined && audiences.includes(client_id) : [aud].flat().some((one) => audiences.includes(one));
    if (!forUs) throw unauthenticated('the token is for somebody else');
    if (typeof sub !== 'string' || sub === '') throw unauthenticated('the provider does not say whose the token is');
    if (typeof exp === 'number' && exp + skewSec <= nowSec) throw unauthenticated('the token has expired');
    return answer as Claims;
  }

  async function withUserInfo(config: client.Configuration, claims: Claims, accessToken: string): Promise<Claims> {
    if (!options.userInfo || config.serverMetadata().userinfo_endpoint === undefined) return claims;
    // the subject must be the same; what the token itself says counts more
    return { ...(await client.fetchUserInfo(config, accessToken, String(claims.sub))), ...claims };
  }

  /** Attributes under the names that mappings know from mod_auth_openidc: `OIDC-email`, `OIDC_CLAIM_email`, `HTTP_OIDC_EMAIL`. */
  function attributesOf(claims: Claims): Assertion {
    const attributes: [string, string[]][] = [];
    for (const [claim, value] of Object.entries({ ...claims, iss: options.issuer })) {
      const values = valuesOf(value);
      if (values.length === 0) continue;
      const shouted = claim.toUpperCase().replace(/[^A-Z0-9]/g, '_');
      attributes.push([`OIDC-${claim}`, values], [`OIDC_CLAIM_${claim}`, values], [`HTTP_OIDC_${shouted}`, values]);
    }
    attributes.push(['REMOTE_USER', valuesOf(claims[options.remoteUserClaim ?? 'sub'])]);
    return Object.fromEntries(attributes);
  }

  return { issuer: options.issuer, start, finish, bearer };
}

const valuesOf = (value: unknown): string[] => {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) return value.flatMap((item) => (Array.isArray(item) ? [JSON.stringify(item)] : valuesOf(item)));
  return [typeof value === 'string' ? value : typeof value === 'object' ? JSON.stringify(value) : String(value)];
};

/** Errors of the libraries as ours: what the provider or a token says wrong is a log-in that fails, silence is Unavailable. */
async function asked<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (isCairnError(error)) throw error;
    const inner = error instanceof Error && isCairnError(error.cause) ? error.cause : undefined;
    if (inner) throw inner;
    const reason = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    if (isSilence(error)) throw unavailable('The identity provider cannot be reached.', { detail: { reason } });
    throw unauthenticated(reason);
  }
}

function isSilence(error: unknown): boolean {
  if (error instanceof joseErrors.JWKSTimeout) return true;
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    if (at.name === 'TimeoutError' || at.name === 'AbortError' || (at instanceof TypeError && at.message === 'fetch failed')) return true;
    const { code } = at as { code?: string };
    if (code === 'OAUTH_TIMEOUT') return true;
  }
  return false;
}
