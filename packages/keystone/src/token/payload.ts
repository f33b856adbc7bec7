import { Double, type Packable, pack, type Unpacked, unpack } from './msgpack.ts';

/** What a token says, before anything is looked up. */
export interface Claims {
  readonly userId: string;
  /** Authentication methods, in upstream's order of reading (last configured first). */
  readonly methods: readonly string[];
  /** The token's own audit id, then that of the first token of its chain, if another. */
  readonly auditIds: readonly string[];
  readonly expiresAtMs: number;
  readonly projectId?: string;
  readonly domainId?: string;
  readonly system?: string;
  readonly trustId?: string;
  readonly applicationCredentialId?: string;
  /** OAuth1. */
  readonly accessTokenId?: string;
  /** Set for a federated user, together with groupIds and protocolId. */
  readonly identityProviderId?: string;
  readonly protocolId?: string;
  readonly groupIds?: readonly string[];
}

/** Upstream's default `[auth] methods`, whose places are the bits in a token; what Cairn adds comes after them. */
const METHODS = ['external', 'password', 'token', 'oauth1', 'mapped', 'application_credential', 'totp', 'ec2credential', 'saml2', 'openid'] as const;

/** Found in tokens, but not offered by upstream's default configuration. */
const UNLISTED: readonly string[] = ['ec2credential', 'saml2', 'openid'];
/** The methods that a user may name when asking for a token. */
export const AUTH_METHODS: readonly string[] = METHODS.filter((method) => !UNLISTED.includes(method));

export const methodBits = (methods: readonly string[]): number => METHODS.reduce((bits, method, i) => (methods.includes(method) ? bits | (1 << i) : bits), 0);
const isMethod = (name: string): boolean => (METHODS as readonly string[]).includes(name);
/** Methods as a payload keeps them: a protocol that has no place of its own is `mapped`, and the payload names it. */
export const keptMethods = (methods: readonly string[], protocolId: string | undefined): string[] =>
  methodsOf(protocolBits(methods, protocolId)).map((method) =>
    method === 'mapped' && protocolId !== undefined && !isMethod(protocolId) ? protocolId : method,
  );
const protocolBits = (methods: readonly string[], protocolId: string | undefined): number =>
  methodBits(methods.map((method) => (method === protocolId && !isMethod(method) ? 'mapped' : method)));
/** Last configured first, as upstream reads them. */
export const methodsOf = (bits: number): string[] => METHODS.filter((_, i) => bits & (1 << i)).toReversed();

const UUID_HEX = /^[0-9a-f]{32}$/;

/** An id as upstream packs it: whether it is 16 bytes of a UUID, and those, or else the text itself. */
export const packId = (id: string | undefined): Packable => (id !== undefined && UUID_HEX.test(id) ? [true, Buffer.from(id, 'hex')] : [false, id ?? null]);
const packAudit = (auditIds: readonly string[]): Packable => auditIds.map((id) => Buffer.from(id, 'base64url'));
const packUuid = (id: string): Packable => (UUID_HEX.test(id) ? Buffer.from(id, 'hex') : id);

/** The payload versions of keystone/token/token_formatters.py by what they carry. */
const UNSCOPED = 0;
const DOMAIN = 1;
const PROJECT = 2;
const TRUST = 3;
const FEDERATED = 4;
const FEDERATED_PROJECT = 5;
const FEDERATED_DOMAIN = 6;
const OAUTH = 7;
const SYSTEM = 8;
const APPLICATION_CREDENTIAL = 9;

export function packClaims(claims: Claims): Buffer {
  const user = packId(claims.userId);
  const methods = protocolBits(claims.methods, claims.protocolId);
  const expires = new Double(claims.expiresAtMs / 1000);
  const audit = packAudit(claims.auditIds);
  const { projectId, domainId } = claims;
  if (claims.accessTokenId !== undefined) return pack([OAUTH, user, methods, packId(projectId), packId(claims.accessTokenId), expires, audit]);
  if (claims.trustId !== undefined) return pack([TRUST, user, methods, packId(projectId), expires, audit, packUuid(claims.trustId)]);
  if (claims.identityProviderId !== undefined) {
    const federated: Packable[] = [(claims.groupIds ?? []).map(packId), packId(claims.identityProviderId), claims.protocolId ?? null, expires, audit];
    if (projectId !== undefined) return pack([FEDERATED_PROJECT, user, methods, packId(projectId), ...federated]);
    if (domainId !== undefined) return pack([FEDERATED_DOMAIN, user, methods, packId(domainId), ...federated]);
    return pack([FEDERATED, user, methods, ...federated]);
  }
  if (claims.applicationCredentialId !== undefined)
    return pack([APPLICATION_CREDENTIAL, user, methods, packId(projectId), expires, audit, packId(claims.applicationCredentialId)]);
  if (projectId !== undefined) return pack([PROJECT, user, methods, packId(projectId), expires, audit]);
  if (domainId !== undefined) return pack([DOMAIN, user, methods, packUuid(domainId), expires, audit]);
  if (claims.system !== undefined) return pack([SYSTEM, user, methods, claims.system, expires, audit]);
  return pack([UNSCOPED, user, methods, expires, audit]);
}

/** The protocol's own name in place of `mapped`. */
const named = (claims: Claims): Claims => ({ ...claims, methods: keptMethods(claims.methods, claims.protocolId) });

/** Throws RangeError for a payload that is none of keystone's. */
export function unpackClaims(data: Buffer): Claims {
  const value = unpack(data);
  if (!Array.isArray(value)) throw new RangeError('a payload is an array');
  const fields = new Fields(value);
  const version = fields.integer();
  const userId = fields.id();
  const base = { userId, methods: methodsOf(fields.integer()) };
  switch (version) {
    case UNSCOPED:
      return { ...base, ...fields.times() };
    case DOMAIN:
      return { ...base, domainId: fields.uuid(), ...fields.times() };
    case PROJECT:
      return { ...base, projectId: fields.id(), ...fields.times() };
    case TRUST: {
      const projectId = fields.optionalId();
      return { ...base, ...(projectId !== undefined && { projectId }), ...fields.times(), trustId: fields.uuid() };
    }
    case FEDERATED:
      return named({ ...base, ...fields.federation(), ...fields.times() });
    case FEDERATED_PROJECT:
      return named({ ...base, projectId: fields.id(), ...fields.federation(), ...fields.times() });
    case FEDERATED_DOMAIN:
      return named({ ...base, domainId: fields.id(), ...fields.federation(), ...fields.times() });
    case OAUTH:
      return { ...base, projectId: fields.id(), accessTokenId: fields.id(), ...fields.times() };
    case SYSTEM:
      return { ...base, system: fields.text(), ...fields.times() };
    case APPLICATION_CREDENTIAL: {
      const projectId = fields.optionalId();
      return { ...base, ...(projectId !== undefined && { projectId }), ...fields.times(), applicationCredentialId: fields.id() };
    }
    default:
      throw new RangeError(`payload version ${version} is not known`);
  }
}

/** Reads a payload's fields one after another. */
class Fields {
  readonly #values: readonly Unpacked[];
  #at = 0;

  constructor(values: readonly Unpacked[]) {
    this.#values = values;
  }

  integer(): number {
    const value = this.#next();
    if (typeof value !== 'number' || !Number.isInteger(value)) throw new RangeError('an integer is expected');
    return value;
  }

  text(): string {
    const value = this.#next();
    if (typeof value === 'string') return value;
    if (Buffer.isBuffer(value)) return value.toString('utf8');
    throw new RangeError('text is expected');
  }

  id(): string {
    return idOf(this.#next()) ?? fail('an id is expected');
  }

  optionalId(): string | undefined {
    return idOf(this.#next());
  }

  /** An id that is packed without saying whether it is bytes. */
  uuid(): string {
    const value = this.#next();
    if (Buffer.isBuffer(value)) return value.length === 16 ? value.toString('hex') : value.toString('utf8');
    return typeof value === 'string' ? value : fail('an id is expected');
  }

  times(): { expiresAtMs: number; auditIds: string[] } {
    const expires = this.#next();
    const audit = this.#next();
    if (typeof expires !== 'number' || !Array.isArray(audit) || audit.length === 0) throw new RangeError('an expiry and audit ids are expected');
    return {
      expiresAtMs: Math.floor(expires) * 1000,
      auditIds: audit.map((id) => (Buffer.isBuffer(id) ? id.toString('base64url') : fail('an audit id is bytes'))),
    };
  }

  federation(): { groupIds: string[]; identityProviderId: string; protocolId: string } {
    const groups = this.#next();
    if (!Array.isArray(groups)) throw new RangeError('group ids are expected');
    return { groupIds: groups.map((group) => idOf(group) ?? fail('a group id is expected')), identityProviderId: this.id(), protocolId: this.text() };
  }

  #next(): Unpacked {
    const value = this.#values[this.#at++];
    return value === undefined ? fail('a field is missing') : value;
  }
}

/** Undefined for an id that is null. Throws RangeError for what is no id. */
export function idOf(value: Unpacked): string | undefined {
  if (!Array.isArray(value) || value.length !== 2) throw new RangeError('an id is expected');
  const [isUuid, id] = value;
  if (Buffer.isBuffer(id)) return isUuid === true ? id.toString('hex') : id.toString('utf8');
  return typeof id === 'string' ? id : undefined;
}

function fail(message: string): never {
  throw new RangeError(message);
}
