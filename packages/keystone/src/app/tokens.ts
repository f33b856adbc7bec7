import type { Context } from '@cairn/kit/context/context';
import { auditKey } from '../cache/changes.ts';
import { Facts } from '../cache/facts.ts';
import { isCairnError } from '@cairn/kit/errors/errors';
import { tokenNotFound } from '../errors.ts';
import type { TokenFormat } from '../token/format.ts';
import { type Claims, keptMethods } from '../token/payload.ts';
import type { Authorization, Authorizations, Subject } from './authorization.ts';
import type { Core } from './core.ts';
import type { Revocations } from './revocations.ts';

/** A token that holds now. */
export interface Token {
  readonly id: string;
  readonly claims: Claims;
  readonly issuedAtMs: number;
  readonly authorization: Authorization;
  /** Of the key repository, when it was decrypted. */
  readonly keyGeneration: number;
}

export interface NewToken extends Subject {
  readonly methods: readonly string[];
  /** Default: the configured lifetime from now. Never later than the application credential's own expiry. */
  readonly expiresAtMs?: number | undefined;
  /** Audit id of the first token of the chain. */
  readonly parentAuditId?: string | undefined;
}

export type Tokens = ReturnType<typeof createTokens>;

const SIZE = 20_000;

/** Issues, validates and revokes tokens. They are not stored: what they say is in them, and what they mean is worked out anew when it changed. */
export function createTokens(core: Core, parts: { readonly format: TokenFormat; readonly authorizations: Authorizations; readonly revocations: Revocations }) {
  const { env, options, changes } = core;
  const { format, authorizations, revocations } = parts;
  const known = new Facts<Token>(changes, SIZE);

  async function issue(asked: NewToken): Promise<Token> {
    await changes.sync();
    const wanted = federationOf(asked);
    const { value: authorization, keys: factKeys, since } = await authorizations.of(wanted);
    const nowSec = Math.floor(env.clock.nowMs() / 1000);
    // a revocation of this very second would take the new token with it, so it says the next second
    const issuedAtMs = Math.max(nowSec * 1000, (authorization.revokedUpToMs ?? 0) + 1000);
    const credentialEndMs = authorization.applicationCredential?.expiresAtUs;
    const expiresAtMs = Math.min(
      wanted.expiresAtMs ?? (nowSec + options.tokenLifetimeSec) * 1000,
      credentialEndMs == null ? Number.MAX_SAFE_INTEGER : Math.floor(credentialEndMs / 1_000_000) * 1000,
    );
    const auditId = env.ids.bytes(16).toString('base64url');
    const { userId, projectId, domainId, system, trustId, applicationCredentialId, accessTokenId, identityProviderId, protocolId, groupIds } = wanted;
    const claims: Claims = {
      userId,
      methods: keptMethods(wanted.methods, protocolId),
      auditIds: wanted.parentAuditId === undefined ? [auditId] : [auditId, wanted.parentAuditId],
      expiresAtMs,
      ...(projectId !== undefined && { projectId }),
      ...(domainId !== undefined && { domainId }),
      ...(system !== undefined && { system }),
      ...(trustId !== undefined && { trustId }),
      ...(applicationCredentialId !== undefined && { applicationCredentialId }),
      ...(accessTokenId !== undefined && { accessTokenId }),
      ...(identityProviderId !== undefined && { identityProviderId }),
      ...(protocolId !== undefined && { protocolId }),
      ...(groupIds !== undefined && { groupIds }),
    };
    const token: Token = { id: format.encode(claims, issuedAtMs), claims, issuedAtMs, authorization, keyGeneration: format.generation };
    known.keep(token.id, since, { value: token, keys: [...factKeys, auditKey(auditId)] });
    return token;
  }

  const inTime = (expiresAtMs: number, windowSec: number): boolean => env.clock.nowMs() < expiresAtMs + windowSec * 1000;

  /** The token, if it holds; `windowSec` past its expiry too. Throws NotFound otherwise. */
  async function validate(id: string, windowSec = 0): Promise<Token> {
    const behind = changes.sync();
    if (behind) await behind;
    const token = known.peek(id);
    if (token && token.keyGeneration === format.generation && env.clock.nowMs() <= token.authorization.untilMs) {
      if (!inTime(token.claims.expiresAtMs, windowSec)) throw tokenNotFound();
      return token;
    }
    return await load(id, windowSec);
  }

  async function load(id: string, windowSec: number): Promise<Token> {
    const keyGeneration = format.generation;
    const { claims, issuedAtMs } = format.decode(id);
    if (!inTime(claims.expiresAtMs, windowSec)) throw tokenNotFound();
    const [auditId, chainId] = claims.auditIds;
    if (auditId === undefined) throw tokenNotFound();
    try {
      const { value: authorization, keys: factKeys, since } = await authorizations.of(subjectOf(claims));
      if (authorization.revokedUpToMs !== undefined && issuedAtMs <= authorization.revokedUpToMs) throw tokenNotFound();
      if (await revocations.isAuditRevoked(env.store.read, { issuedAtMs, auditId, auditChainId: chainId })) throw tokenNotFound();
      const token: Token = { id, claims, issuedAtMs, authorization, keyGeneration };
      known.keep(id, since, { value: token, keys: [...factKeys, auditKey(auditId)] });
      return token;
    } catch (error) {
      // a user who may not enter the scope any more has no token: upstream says it cannot be found
      if (isCairnError(error, 'Unauthorized')) throw tokenNotFound('Could not find token.');
      throw error;
    }
  }

  async function revoke(id: string): Promise<void> {
    const token = await validate(id);
    const auditId = token.claims.auditIds[0];
    if (auditId !== undefined) await env.store.write((tx) => revocations.ofAuditId(tx, auditId));
  }

  const contextOf = (token: Token, requestId: string): Context => ({
    ...token.authorization.context,
    requestId,
    methods: token.claims.methods,
    expiresAtMs: token.claims.expiresAtMs,
    auditIds: token.claims.auditIds,
    token: token.id,
  });

  return {
    issue,
    validate,
    revoke,
    contextOf,
    /** Drops what is known of tokens; they are worked out again when they come. For measurements. */
    forget: () => known.clear(),
  };
}

/** A token for the system, of a trust or of OAuth1 does not say that its user is federated: its payload has no place for that. */
const federationOf = (wanted: NewToken): NewToken =>
  wanted.system === undefined && wanted.trustId === undefined && wanted.accessTokenId === undefined
    ? wanted
    : { ...wanted, identityProviderId: undefined, protocolId: undefined, groupIds: undefined };

const subjectOf = (claims: Claims): Subject => claims;
