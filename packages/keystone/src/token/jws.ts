import { type KeyObject, sign, verify } from 'node:crypto';
import { tokenNotFound } from '../errors.ts';
import type { Decoded, TokenFormat } from './format.ts';
import type { JwsKeyRepository } from './jws-keys.ts';
import type { Claims } from './payload.ts';

/** Tokens that anybody with the public key can read and check: JSON Web Signatures under ES256 (keystone/token/providers/jws). */

const HEADER = Buffer.from('{"alg":"ES256","typ":"JWT"}').toString('base64url');
/** Longer than any token that fits in a header. */
const MAX_CHARS = 8192;
const FORM = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;
const SIGNATURE_BYTES = 64;

export function jwsEncode(key: KeyObject, claims: Claims, issuedAtMs: number): string {
  const payload = {
    sub: claims.userId,
    iat: issuedAtMs / 1000,
    exp: Math.floor(claims.expiresAtMs / 1000),
    openstack_methods: claims.methods,
    openstack_audit_ids: claims.auditIds,
    openstack_system: claims.system,
    openstack_domain_id: claims.domainId,
    openstack_project_id: claims.projectId,
    openstack_trust_id: claims.trustId,
    openstack_group_ids: claims.groupIds?.map((id) => ({ id })),
    openstack_idp_id: claims.identityProviderId,
    openstack_protocol_id: claims.protocolId,
    openstack_access_token_id: claims.accessTokenId,
    openstack_app_cred_id: claims.applicationCredentialId,
  };
  const signed = `${HEADER}.${Buffer.from(JSON.stringify(payload)).toString('base64url')}`;
  return `${signed}.${sign('sha256', Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
}

/** What the token says, if one of the keys belongs to its signature; the algorithm is ES256, whatever the header says. */
export function jwsDecode(keys: readonly KeyObject[], token: string): Decoded | undefined {
  if (token.length > MAX_CHARS || !FORM.test(token)) return undefined;
  const [header = '', payload = '', signature = ''] = token.split('.');
  const head = objectOf(header);
  if (head?.alg !== 'ES256' || head.crit !== undefined) return undefined;
  const bytes = Buffer.from(signature, 'base64url');
  // one text for one signature: no other spelling of the same bits
  if (bytes.length !== SIGNATURE_BYTES || bytes.toString('base64url') !== signature) return undefined;
  const signed = Buffer.from(`${header}.${payload}`);
  if (!keys.some((key) => verify('sha256', signed, { key, dsaEncoding: 'ieee-p1363' }, bytes))) return undefined;
  const claims = objectOf(payload);
  return claims && decodedOf(claims);
}

function objectOf(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
    return value !== null && typeof value === 'object' && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

const isTexts = (value: unknown): value is string[] => Array.isArray(value) && value.every((each) => typeof each === 'string');
const groupIdOf = (group: unknown): string | undefined => {
  const id: unknown = typeof group === 'object' && group !== null && 'id' in group ? group.id : group;
  return typeof id === 'string' ? id : undefined;
};

function decodedOf(payload: Readonly<Record<string, unknown>>): Decoded | undefined {
  const { sub, iat, exp, openstack_methods: methods, openstack_audit_ids: auditIds, openstack_group_ids: groups } = payload;
  if (typeof sub !== 'string' || typeof iat !== 'number' || typeof exp !== 'number' || !isTexts(methods) || !isTexts(auditIds) || auditIds.length === 0) {
    return undefined;
  }
  const text = (name: string): string | undefined => (typeof payload[name] === 'string' ? payload[name] : undefined);
  const groupIds = Array.isArray(groups) ? groups.map(groupIdOf).filter((id) => id !== undefined) : undefined;
  const optional: { -readonly [K in keyof Claims]?: Claims[K] | undefined } = {
    system: text('openstack_system'),
    domainId: text('openstack_domain_id'),
    projectId: text('openstack_project_id'),
    trustId: text('openstack_trust_id'),
    groupIds,
    identityProviderId: text('openstack_idp_id'),
    protocolId: text('openstack_protocol_id'),
    accessTokenId: text('openstack_access_token_id'),
    applicationCredentialId: text('openstack_app_cred_id'),
  };
  const said = Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined)) as Partial<Claims>;
  return { claims: { userId: sub, methods, auditIds, expiresAtMs: Math.floor(exp) * 1000, ...said }, issuedAtMs: Math.floor(iat) * 1000 };
}

export function jwsFormat(keys: JwsKeyRepository): TokenFormat {
  return {
    get generation() {
      return keys.generation;
    },
    encode: (claims, issuedAtMs) => jwsEncode(keys.signing(), claims, issuedAtMs),
    decode(id) {
      const decoded = jwsDecode(keys.publicKeys(), id) ?? (keys.refresh() ? jwsDecode(keys.publicKeys(), id) : undefined);
      if (!decoded) throw tokenNotFound('Could not find token.');
      return decoded;
    },
  };
}
