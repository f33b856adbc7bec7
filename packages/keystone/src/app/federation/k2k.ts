import { forbiddenAction, forbiddenSilently, invalid, notFoundText } from '../../errors.ts';
import type { SamlIdpOptions } from '../../federation/provider-options.ts';
import { createSamlIdp, type SamlIdp } from '../../federation/saml-idp.ts';
import { ecpResponse } from '../../federation/saml-xml.ts';
import { groupsByIds } from '../../store/groups.ts';
import type { Core } from '../core.ts';
import type { EffectiveRoles } from '../effective-roles.ts';
import type { Lookups } from '../lookups.ts';
import type { Tokens } from '../tokens.ts';
import type { ServiceProvider, ServiceProviders } from './service-providers.ts';

export type K2k = ReturnType<typeof createK2k>;

interface Parts {
  readonly tokens: Tokens;
  readonly lookups: Lookups;
  readonly effectiveRoles: EffectiveRoles;
  readonly serviceProviders: ServiceProviders;
}

/** This keystone as identity provider for others: a token here becomes an assertion there (keystone/api/_shared/saml.py). */
export function createK2k(core: Core, parts: Parts) {
  const { env } = core;
  const { samlIdp } = core.options.federation;
  const idp = samlIdp && make(samlIdp);

  /** A key or a certificate that is no use stops the start. */
  function make(options: SamlIdpOptions): SamlIdp {
    try {
      return createSamlIdp(options, { nowMs: () => env.clock.nowMs(), randomId: () => `_${env.ids.bytes(16).toString('hex')}` });
    } catch (error) {
      throw invalid(`Option identity.federation.samlIdp: ${error instanceof Error ? error.message : String(error)}.`, 'federation');
    }
  }

  function configured(): SamlIdp {
    if (!idp) throw notFoundText('This cloud is not configured as a SAML identity provider.');
    return idp;
  }

  /** The assertion for a service provider, in a response; and as enhanced clients carry it. */
  async function respond(tokenId: string, spId: string): Promise<{ readonly response: string; readonly envelope: string; readonly sp: ServiceProvider }> {
    const sp = await parts.serviceProviders.get(spId);
    if (!sp.enabled) throw forbiddenSilently(`service provider ${spId} is disabled`);
    const { authorization, claims } = await parts.tokens.validate(tokenId);
    const { project, user } = authorization;
    if (!project) throw forbiddenAction('Use a project scoped token when attempting to create a SAML assertion');
    // the other cloud would not know of the limits that such a token carries
    if (authorization.trust || authorization.applicationCredential || claims.accessTokenId !== undefined) {
      throw forbiddenAction('Using a delegated token to create a SAML assertion');
    }
    const response = configured().respond(
      {
        user: user.name,
        userDomain: user.domain.name,
        roles: authorization.roles.map((role) => role.name),
        project: project.name,
        projectDomain: project.domain.name,
        groups: await groupsOf(user.id),
      },
      sp.spUrl,
    );
    return { response, envelope: ecpResponse(response, `${sp.relayStatePrefix}${env.ids.hex()}`), sp };
  }

  async function groupsOf(userId: string): Promise<string[]> {
    const { groupIds } = await parts.effectiveRoles.memberships(env.store.read, userId);
    const groups: string[] = [];
    for (const group of await groupsByIds(env.store.read, groupIds)) {
      const domain = await parts.lookups.projectById(group.domain_id);
      groups.push(`JSON:${JSON.stringify({ name: group.name, domain: { name: domain?.name } })}`);
    }
    return groups;
  }

  return { respond, metadata: (): string => configured().metadata() };
}
