import { isCairnError } from '@cairn/kit/errors/errors';
import { domainNotFound, forbiddenSilently, mappedGroupNotFound, unauthenticated } from '../../errors.ts';
import { applyMapping, type Assertion, type DomainName, type Mapped, type Mapping, type MappedProject } from '../../federation/mapping.ts';
import { type FederatedCredential, recordFederated } from '../audit.ts';
import type { People } from '../auth-methods/people.ts';
import type { Proof } from '../auth-methods/method.ts';
import type { Backends } from '../../identity-backends/backends.ts';
import type { Assignments } from '../assignments.ts';
import type { Core, Initiator } from '../core.ts';
import type { EffectiveRoles } from '../effective-roles.ts';
import type { Groups } from '../groups.ts';
import type { Lookups } from '../lookups.ts';
import type { Projects } from '../projects.ts';
import type { Claims } from '../../token/payload.ts';
import type { IdentityProvider, IdentityProviders, Protocol } from './identity-providers.ts';
import type { Mappings } from './mappings.ts';
import { createProvision } from './provision.ts';
import type { ShadowUsers } from './shadow-users.ts';

/** What an identity provider has proved of somebody. Made only of verified assertions, never of anything that a request says by itself. */
export interface VerifiedAssertion {
  readonly idpId: string;
  readonly protocolId: string;
  /** How the identity provider calls itself: OIDC's issuer, SAML's entity id. */
  readonly issuer: string;
  /** Values by attribute, under the names that mappings know (see docs/identity-federation.md). */
  readonly attributes: Assertion;
}

export type MappedLogins = ReturnType<typeof createMappedLogins>;

interface Parts {
  readonly lookups: Lookups;
  readonly people: People;
  readonly projects: Projects;
  readonly groups: Groups;
  readonly backends: Backends;
  readonly assignments: Assignments;
  readonly effectiveRoles: EffectiveRoles;
  readonly identityProviders: IdentityProviders;
  readonly mappings: Mappings;
  readonly shadowUsers: ShadowUsers;
}

/** From a verified assertion to a user here (keystone/auth/plugins/mapped.py). */
export function createMappedLogins(core: Core, parts: Parts) {
  const { identityProviders, mappings, lookups } = parts;
  const provision = createProvision(core, parts);

  async function enabledIdp(id: string): Promise<IdentityProvider> {
    const idp = await identityProviders.get(id);
    if (!idp.enabled) throw forbiddenSilently(`identity provider ${id} is disabled`);
    return idp;
  }

  /** Makes the log-in: the user with groups, and whatever the mapping provisions. */
  const prove = (assertion: VerifiedAssertion, who: Initiator): Promise<Proof> =>
    recorded(who, { identityProvider: assertion.idpId }, () => loggedIn(assertion, who));

  /** Tells the audit what came of it. */
  async function recorded(who: Initiator, credential: FederatedCredential, work: () => Promise<Proof>): Promise<Proof> {
    let proof: Proof;
    try {
      proof = await work();
    } catch (error) {
      await recordFederated(core, who, 'failure', credential);
      throw error;
    }
    await recordFederated(core, who, 'success', { ...credential, userId: proof.userId, groupIds: proof.groupIds });
    return proof;
  }

  async function loggedIn(assertion: VerifiedAssertion, who: Initiator): Promise<Proof> {
    const idp = await enabledIdp(assertion.idpId);
    const protocol = await identityProviders.getProtocol(idp.id, assertion.protocolId);
    const mapping = await mappings.get(protocol.mappingId);
    const { mapped, groupIds } = await evaluate(idp, protocol, mapping, assertion);
    if (mapped.user.type === 'local') return { userId: await localUser(mapped) };
    return await federatedUser(idp, protocol, mapping, mapped, groupIds, assertion, who);
  }

  async function evaluate(
    idp: IdentityProvider,
    protocol: Protocol,
    mapping: Mapping,
    assertion: VerifiedAssertion,
  ): Promise<{ mapped: Mapped; groupIds: string[] }> {
    checkRemoteId(idp, protocol, assertion);
    let mapped: Mapped;
    try {
      mapped = applyMapping(mapping, assertion.attributes);
    } catch (error) {
      // a mapping that does not fit is a log-in that fails
      if (isCairnError(error, 'InvalidInput')) throw unauthenticated(error.message);
      throw error;
    }
    await checkGroups(mapped.groupIds, mapping.id);
    const groupIds = new Set(mapped.groupIds);
    for (const group of mapped.groups) {
      const id = await groupIdByName(group.name, await domainIdOf(group.domain));
      if (id !== undefined) groupIds.add(id);
    }
    return { mapped, groupIds: [...groupIds] };
  }

  /** The assertion must come from one of the names that the identity provider is registered under, if there are any. */
  function checkRemoteId(idp: IdentityProvider, protocol: Protocol, assertion: VerifiedAssertion): void {
    if (idp.remoteIds.length === 0) return;
    const attribute = protocol.remoteIdAttribute || core.options.federation.remoteIdAttribute;
    const said = attribute ? assertion.attributes[attribute] : assertion.issuer;
    const remoteId = typeof said === 'string' ? said : said?.[0];
    if (remoteId === undefined) throw unauthenticated('Could not find Identity Provider identifier in environment');
    if (!idp.remoteIds.includes(remoteId)) throw forbiddenSilently('Incoming identity provider identifier not included among the accepted identifiers.');
  }

  async function checkGroups(groupIds: readonly string[], mappingId: string): Promise<void> {
    for (const groupId of groupIds) if (!(await parts.groups.find(groupId))) throw mappedGroupNotFound(groupId, mappingId);
  }

  /** A group that is not there is passed over. */
  async function groupIdByName(name: string, domainId: string): Promise<string | undefined> {
    const is = (field: string, value: string) => ({ field, comparator: 'equals' as const, ignoreCase: false, value });
    const backend = await parts.backends.ofDomain(domainId);
    return (await backend.groups([is('domain_id', domainId), is('name', name)], { limit: 1 })).groups[0]?.id;
  }

  async function domainIdOf(domain: DomainName): Promise<string> {
    const row = domain.id === undefined ? await lookups.domainByName(domain.name ?? '') : await lookups.projectById(domain.id);
    if (!row?.is_domain) throw domainNotFound(domain.id ?? domain.name ?? '');
    return row.id;
  }

  async function localUser(mapped: Mapped): Promise<string> {
    const { id, name, domain } = mapped.user;
    const found = await parts.people.enabledPersonOf({ ...(id && { id }), ...(name && { name }), ...(domain && { domain }) });
    if (!found) throw unauthenticated('the local user that the mapping names is unknown or disabled');
    return found.user.id;
  }

  async function federatedUser(
    idp: IdentityProvider,
    protocol: Protocol,
    mapping: Mapping,
    mapped: Mapped,
    groupIds: readonly string[],
    assertion: VerifiedAssertion,
    who: Initiator,
  ): Promise<Proof> {
    const remoteUser = assertion.attributes.REMOTE_USER;
    const { user } = mapped;
    const named = user.name || (typeof remoteUser === 'string' ? remoteUser : remoteUser?.[0]);
    const id = user.id || named;
    if (!id) {
      throw unauthenticated(
        'Could not map user while setting ephemeral user identity. Either mapping rules must specify user id/name or the assertion a subject.',
      );
    }
    const ownDomainId = user.domain ? await domainIdOf(user.domain) : idp.domainId;
    const planned = await provision.plan(mapped.projects, {
      userDomainId: ownDomainId,
      idpId: idp.id,
      domainIdOf: (project: MappedProject) => (project.domain ? domainIdOf(project.domain) : Promise.resolve(idp.domainId)),
    });
    const person = { uniqueId: quoteId(id), name: named || id, email: user.email, domainId: ownDomainId, groupIds };
    if (person.uniqueId.length > 255 || person.name.length > 255)
      throw unauthenticated('the id or the name that the mapping gives is longer than 255 characters');
    const userId = await parts.shadowUsers.shadow(idp, protocol.id, person, who);
    await provision.carryOut(planned, userId, { sync: mapping.schemaVersion === '3.0', who });
    return { userId, identityProviderId: idp.id, protocolId: protocol.id, groupIds };
  }

  /** A federated user's token is shown for another one: what it rests on must still be there. */
  const proveAgain = (claims: Claims, who: Initiator): Promise<Proof> =>
    recorded(who, { identityProvider: claims.identityProviderId ?? '', userId: claims.userId, groupIds: claims.groupIds, token: claims.auditIds[0] }, () =>
      stillHolds(claims),
    );

  async function stillHolds(claims: Claims): Promise<Proof> {
    const { userId, identityProviderId = '', protocolId = '', groupIds = [], expiresAtMs } = claims;
    await enabledIdp(identityProviderId);
    const mapping = await mappings.get((await identityProviders.getProtocol(identityProviderId, protocolId)).mappingId);
    await checkGroups(groupIds, mapping.id);
    return { userId, identityProviderId, protocolId, groupIds, expiresAtMs };
  }

  return { prove, proveAgain };
}

/** Python's `urllib.parse.quote`: an id that is safe in a URL. */
const quoteId = (id: string): string =>
  encodeURIComponent(id.toWellFormed())
    .replaceAll('%2F', '/')
    .replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
