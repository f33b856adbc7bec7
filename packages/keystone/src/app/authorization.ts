import type { Context } from '@cairn/kit/context/context';
import { applicationCredentialKey, type ChangeKey, domainKey, groupKey, idpKey, projectKey, ROLES, trustKey, userKey } from '../cache/changes.ts';
import { Facts, type Loaded } from '../cache/facts.ts';
import {
  applicationCredentialNotFound,
  forbiddenSilently,
  identityProviderNotFound,
  notFoundText,
  projectNotFound,
  tokenNotFound,
  unauthenticated,
  userNotFound,
} from '../errors.ts';
import { findIdp } from '../store/federation.ts';
import type { ProjectTable } from '../store/tables.ts';
import type { ApplicationCredential, ApplicationCredentials } from './application-credentials.ts';
import type { Core } from './core.ts';
import { type EffectiveRoles, type Held, withImplied } from './effective-roles.ts';
import type { Lookups } from './lookups.ts';
import type { AccessToken, OAuth1 } from './oauth1.ts';
import type { Revocations } from './revocations.ts';
import type { Role } from './roles.ts';
import type { Trust, Trusts } from './trusts.ts';
import type { User } from './users.ts';

/** For whom, and where. */
export interface Subject {
  readonly userId: string;
  readonly projectId?: string | undefined;
  readonly domainId?: string | undefined;
  readonly system?: string | undefined;
  readonly trustId?: string | undefined;
  readonly applicationCredentialId?: string | undefined;
  /** OAuth1. */
  readonly accessTokenId?: string | undefined;
  /** A federated user: where from, and which groups the mapping gave. */
  readonly identityProviderId?: string | undefined;
  readonly protocolId?: string | undefined;
  readonly groupIds?: readonly string[] | undefined;
}

export interface Named {
  readonly id: string;
  readonly name: string;
}

export interface Person extends Named {
  readonly domain: Named;
  readonly passwordExpiresAtMs: number | null;
}

/** What a subject may do now, as a token shows it. */
export interface Authorization {
  readonly user: Person;
  readonly project?: Named & { readonly domain: Named };
  readonly domain?: Named;
  readonly system?: 'all';
  readonly roles: readonly Role[];
  readonly trust?: { readonly trust: Trust; readonly trustor: Person };
  readonly applicationCredential?: ApplicationCredential;
  readonly accessToken?: AccessToken;
  /** When it ends by itself or must be worked out again: a trust's expiry, that of a membership. */
  readonly untilMs: number;
  /** Tokens issued up to then are revoked. */
  readonly revokedUpToMs: number | undefined;
  /** The caller as every service sees it, but for what belongs to the one request or token. */
  readonly context: Omit<Context, 'requestId' | 'methods' | 'expiresAtMs' | 'auditIds' | 'token'>;
}

export type Authorizations = ReturnType<typeof createAuthorizations>;

const SIZE = 20_000;

interface Parts {
  readonly lookups: Lookups;
  readonly effectiveRoles: EffectiveRoles;
  readonly trusts: Trusts;
  readonly applicationCredentials: ApplicationCredentials;
  readonly oauth1: OAuth1;
  readonly revocations: Revocations;
}

/** Works out what a subject may do (keystone/models/token_model.py), and keeps it until one of the facts behind it changes. */
export function createAuthorizations(core: Core, parts: Parts) {
  const kept = new Facts<Authorization>(core.changes, SIZE);
  const { read } = core.env.store;
  const { lookups, effectiveRoles } = parts;

  async function domainOf(id: string): Promise<ProjectTable> {
    const row = await lookups.projectById(id);
    if (!row) throw notFoundText(`Could not find domain: ${id}.`);
    return row;
  }

  async function personOf(user: User): Promise<Person> {
    const domain = await domainOf(user.domainId);
    return { id: user.id, name: user.name, passwordExpiresAtMs: user.passwordExpiresAtMs, domain: { id: domain.id, name: domain.name } };
  }

  async function load(subject: Subject): Promise<Loaded<Authorization>> {
    const keys = new Set<ChangeKey>([ROLES, userKey(subject.userId)]);
    const secret = await lookups.userById(subject.userId);
    if (!secret) throw userNotFound(subject.userId);
    const { user } = secret;
    const userDomain = await domainOf(user.domainId);
    keys.add(domainKey(user.domainId));
    const project = subject.projectId === undefined ? undefined : await enabledProject(subject.projectId, keys);
    const domain = subject.domainId === undefined ? undefined : await domainOf(subject.domainId);
    if (domain) {
      keys.add(domainKey(domain.id));
      if (!domain.enabled) throw disabled('domain', domain.id);
    }
    if (!userDomain.enabled) throw disabled('domain', userDomain.id);
    const { inactiveFromMs = Number.MAX_SAFE_INTEGER, believedUntilMs = Number.MAX_SAFE_INTEGER } = user;
    if (!user.enabled || core.env.clock.nowMs() >= inactiveFromMs) throw unauthenticated(`user ${user.id} is disabled`);
    const trust = subject.trustId === undefined ? undefined : await trustOf(subject.trustId, user, keys);
    const credential = subject.applicationCredentialId === undefined ? undefined : await parts.applicationCredentials.find(subject.applicationCredentialId);
    if (subject.applicationCredentialId !== undefined) {
      keys.add(applicationCredentialKey(subject.applicationCredentialId));
      if (!credential) throw applicationCredentialNotFound(subject.applicationCredentialId);
    }
    const access = subject.accessTokenId === undefined ? undefined : await parts.oauth1.accessToken(subject.accessTokenId);
    if (access) keys.add(parts.oauth1.keyOf(access.id));
    // a federated user's token ends with the identity provider
    if (subject.identityProviderId !== undefined) {
      keys.add(idpKey(subject.identityProviderId));
      if (!(await findIdp(read, subject.identityProviderId))) throw identityProviderNotFound(subject.identityProviderId);
    }
    const { roles, untilMs } = await rolesOf(subject, project?.row, trust?.trust, credential ?? access, keys);
    const person = await personOf(user);
    const seen = trust?.trust.impersonation ? trust.trustor : person;
    const revokedUpToMs = await parts.revocations.revokedUpTo(read, {
      userIds: [user.id, ...(trust ? [trust.trust.trustorUserId, trust.trust.trusteeUserId] : [])],
      projectId: subject.projectId,
      domainIds: [user.domainId, ...(project ? [project.named.domain.id] : []), ...(domain ? [domain.id] : [])],
      roleIds: roles.map((role) => role.id),
      trustId: subject.trustId,
    });
    const value: Authorization = {
      user: person,
      roles,
      untilMs: Math.min(
        untilMs,
        inactiveFromMs - 1,
        believedUntilMs,
        trust?.believedUntilMs ?? Number.MAX_SAFE_INTEGER,
        trust?.trust.expiresAtMs ?? Number.MAX_SAFE_INTEGER,
      ),
      revokedUpToMs,
      ...(project && { project: project.named }),
      ...(domain && { domain: { id: domain.id, name: domain.name } }),
      ...(subject.system !== undefined && { system: 'all' }),
      ...(trust && { trust }),
      ...(credential && { applicationCredential: credential }),
      ...(access && { accessToken: access }),
      context: {
        userId: seen.id,
        userName: seen.name,
        userDomainId: seen.domain.id,
        userDomainName: seen.domain.name,
        roles: roles.map((role) => role.name),
        roleIds: roles.map((role) => role.id),
        isAdminProject: domain === undefined,
        ...(project && {
          projectId: project.named.id,
          projectName: project.named.name,
          projectDomainId: project.named.domain.id,
          projectDomainName: project.named.domain.name,
        }),
        ...(domain && { domainId: domain.id, domainName: domain.name }),
        ...(subject.system !== undefined && { systemScope: 'all' }),
        ...(subject.trustId !== undefined && { trustId: subject.trustId }),
        ...(access && { accessTokenId: access.id }),
        ...(credential && {
          applicationCredentialId: credential.id,
          applicationCredentialRestricted: !credential.unrestricted,
          ...(credential.accessRules.length > 0 && { accessRules: credential.accessRules.map(({ service, method, path }) => ({ service, method, path })) }),
        }),
      },
    };
    return { value, keys: [...keys] };
  }

  async function enabledProject(id: string, keys: Set<ChangeKey>): Promise<{ row: ProjectTable; named: Named & { domain: Named } }> {
    keys.add(projectKey(id));
    const row = await lookups.projectById(id);
    if (!row || row.is_domain) throw projectNotFound(id);
    const domain = await domainOf(row.domain_id);
    keys.add(domainKey(domain.id));
    if (!row.enabled) throw disabled('project', id);
    if (!domain.enabled) throw disabled('domain', domain.id);
    return { row, named: { id: row.id, name: row.name, domain: { id: domain.id, name: domain.name } } };
  }

  async function trustOf(id: string, user: User, keys: Set<ChangeKey>): Promise<{ trust: Trust; trustor: Person; believedUntilMs: number }> {
    for (const link of await parts.trusts.pedigree(read, id, true)) {
      for (const key of [trustKey(link.id), userKey(link.trustorUserId), userKey(link.trusteeUserId)]) keys.add(key);
    }
    const trust = await parts.trusts.get(id, { allowSpent: true });
    if (user.id !== trust.trusteeUserId) throw forbiddenSilently('user is not a trustee');
    const trustor = await lookups.userById(trust.trustorUserId);
    if (!trustor) throw userNotFound(trust.trustorUserId);
    const trustorDomain = await domainOf(trustor.user.domainId);
    keys.add(domainKey(trustorDomain.id));
    if (!trustorDomain.enabled) throw tokenNotFound('Trustor domain is disabled.');
    if (!trustor.user.enabled) throw forbiddenSilently('the trustor is disabled');
    return { trust, trustor: await personOf(trustor.user), believedUntilMs: trustor.user.believedUntilMs ?? Number.MAX_SAFE_INTEGER };
  }

  /** Roles of the scope; none where there must be some is refused. */
  async function rolesOf(
    subject: Subject,
    project: ProjectTable | undefined,
    trust: Trust | undefined,
    grant: ApplicationCredential | AccessToken | undefined,
    keys: Set<ChangeKey>,
  ): Promise<{ readonly roles: Role[]; readonly untilMs: number }> {
    const book = await effectiveRoles.book();
    const rolesBy = (ids: readonly string[]): Role[] =>
      ids
        .map((id) => book.roles.get(id))
        .filter((role) => role !== undefined)
        .toSorted((a, b) => (a.name < b.name ? -1 : 1));
    const { userId } = subject;
    if (trust) {
      const lent = await trustRoles(trust, project, keys);
      return { roles: rolesBy(lent.roleIds), untilMs: lent.untilMs };
    }
    if (subject.system === undefined && subject.domainId === undefined && !project) return { roles: [], untilMs: Number.MAX_SAFE_INTEGER };
    const { groupIds: alsoGroupIds } = subject;
    const held = project
      ? await effectiveRoles.onProject(read, userId, project, { alsoGroupIds })
      : subject.domainId !== undefined
        ? await effectiveRoles.onDomain(read, userId, subject.domainId, alsoGroupIds)
        : await effectiveRoles.onSystem(read, userId);
    for (const groupId of held.groupIds) keys.add(groupKey(groupId));
    // of what was granted, with all that it implies, only what is still held
    const granted = grant && ('roleIds' in grant ? withImplied(book, grant.roleIds) : grant.roles.map((role) => role.id));
    const ids = granted ? granted.filter((id) => held.roleIds.includes(id)) : held.roleIds;
    if (ids.length === 0) throw unauthenticated(`user ${userId} has no access to the scope`);
    return { roles: rolesBy(ids), untilMs: held.untilMs };
  }

  /** What the trust lends, as far as the first trustor of its chain still holds it; a lost role ends the trust. */
  async function trustRoles(trust: Trust, project: ProjectTable | undefined, keys: Set<ChangeKey>): Promise<Held> {
    if (!project) throw projectNotFound(String(trust.projectId));
    const book = await effectiveRoles.book();
    const original = (await parts.trusts.pedigree(read, trust.id, true)).at(-1) ?? trust;
    const held = await effectiveRoles.onProject(read, original.trustorUserId, project, { stripDomainRoles: false });
    for (const groupId of held.groupIds) keys.add(groupKey(groupId));
    const lent = withImplied(book, trust.roleIds);
    if (lent.some((id) => !held.roleIds.includes(id))) throw forbiddenSilently('the trustee has no delegated roles');
    return { ...held, roleIds: lent.filter((id) => book.roles.get(id)?.domainId === null) };
  }

  return {
    /** Throws NotFound for what is gone or disabled, Unauthorized for what is not allowed, Forbidden for a trust that does not hold. */
    async of(subject: Subject): Promise<Loaded<Authorization> & { readonly since: number }> {
      const since = core.changes.newest;
      const id = idOf(subject);
      const known = kept.peek(id);
      if (known && core.env.clock.nowMs() <= known.untilMs) return { value: known, keys: keysOf.get(known) ?? [], since };
      const loaded = await load(subject);
      keysOf.set(loaded.value, loaded.keys);
      kept.keep(id, since, loaded);
      return { ...loaded, since };
    },
  };
}

/** What an authorization rests on, for the tokens that rest on it in turn. */
const keysOf = new WeakMap<Authorization, readonly ChangeKey[]>();

const idOf = (s: Subject): string =>
  `${s.userId}|${s.projectId ?? ''}|${s.domainId ?? ''}|${s.system ?? ''}|${s.trustId ?? ''}|${s.applicationCredentialId ?? ''}|${s.accessTokenId ?? ''}|${s.identityProviderId ?? ''}|${s.protocolId ?? ''}|${s.groupIds?.join() ?? ''}`;

const disabled = (what: string, id: string) => notFoundText(`Unable to validate token because ${what} ${id} is disabled`);
