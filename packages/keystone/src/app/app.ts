import { join } from 'node:path';
import type { Env } from '@cairn/kit/env';
import { Changes } from '../cache/changes.ts';
import type { KeystoneOptions } from '../options.ts';
import { createBackends } from '../identity-backends/backends.ts';
import { sqlBackend } from '../identity-backends/sql.ts';
import { fernetFormat } from '../token/format.ts';
import { jwsFormat } from '../token/jws.ts';
import { JwsKeyRepository } from '../token/jws-keys.ts';
import { KeyRepository } from '../token/key-repository.ts';
import { createApplicationCredentials } from './application-credentials.ts';
import { createAssignments } from './assignments.ts';
import { createAuthMethods } from './auth-methods/index.ts';
import { createPeople } from './auth-methods/people.ts';
import { createAuth } from './auth.ts';
import { createAuthorizations } from './authorization.ts';
import { createCatalog } from './catalog.ts';
import { createCompliance } from './compliance.ts';
import type { Core } from './core.ts';
import { createSecrets } from './secrets.ts';
import { createCredentials } from './credentials.ts';
import { createDomains } from './domains.ts';
import { createEffectiveRoles } from './effective-roles.ts';
import { createEc2Tokens } from './ec2-tokens.ts';
import { createIdentityProviders } from './federation/identity-providers.ts';
import { createK2k } from './federation/k2k.ts';
import { createFederatedLogins } from './federation/logins.ts';
import { createMappedLogins } from './federation/mapped.ts';
import { createMappings } from './federation/mappings.ts';
import { createServiceProviders } from './federation/service-providers.ts';
import { createShadowUsers } from './federation/shadow-users.ts';
import { createDomainConfigs } from './domain-config.ts';
import { createEndpointFilters } from './endpoint-filters.ts';
import { createEndpointPolicies } from './endpoint-policies.ts';
import { createGroups } from './groups.ts';
import { createKeys } from './keys.ts';
import { createLimits } from './limits.ts';
import { createLookups } from './lookups.ts';
import { createOAuth1 } from './oauth1.ts';
import { createPasswords } from './passwords.ts';
import { createPolicies } from './policies.ts';
import { createPolicyExplanations } from './policy-explanations.ts';
import { createProjects } from './projects.ts';
import { createReceipts } from './receipts.ts';
import { createRevocations } from './revocations.ts';
import { createRoleAssignments } from './role-assignments.ts';
import { createRoles } from './roles.ts';
import { createTokens } from './tokens.ts';
import { createTrusts } from './trusts.ts';
import { createUsers } from './users.ts';

/** `[credential]`: the keys of upstream's credential repository. */
const MAX_CREDENTIAL_KEYS = 3;

export type KeystoneApp = ReturnType<typeof createApp>;

/** Puts keystone's parts together. */
export function createApp(env: Env, options: KeystoneOptions) {
  const core: Core = { env, options, changes: new Changes(env.store) };
  const repository = (name: string, maxActiveKeys: number): KeyRepository =>
    new KeyRepository({ directory: join(options.dataDir, 'keystone', name), maxActiveKeys, clock: env.clock, ids: env.ids });
  const tokenKeys = repository('fernet-keys', options.maxActiveKeys);
  const credentialKeys = repository('credential-keys', MAX_CREDENTIAL_KEYS);

  const passwords = createPasswords({ clock: env.clock, cost: options.bcryptCost, proofTtlMs: options.passwordProofTtlMs });
  const compliance = createCompliance(core, { passwords });
  const revocations = createRevocations(core);
  const domainConfigs = createDomainConfigs(core);
  const backends = createBackends(core, { domainConfigs, sql: sqlBackend(core, { compliance }) });
  const effectiveRoles = createEffectiveRoles(core, { backends });
  const projects = createProjects(core);
  const users = createUsers(core, { passwords, revocations, compliance, backends });
  const groups = createGroups(core, { revocations, backends });
  const roles = createRoles(core);
  const identityProviders = createIdentityProviders(core, { projects, users });
  const policies = createPolicies(core);
  const domains = createDomains(core, { projects, users, groups, roles, identityProviders, domainConfigs });
  const lookups = createLookups(core, { compliance, backends });
  const applicationCredentials = createApplicationCredentials(core, { passwords, roles, effectiveRoles });
  const trusts = createTrusts(core, { effectiveRoles, revocations, lookups });
  const oauth1 = createOAuth1(core, { effectiveRoles });
  const authorizations = createAuthorizations(core, { lookups, effectiveRoles, trusts, applicationCredentials, oauth1, revocations });
  const jwsKeys =
    options.tokenProvider === 'jws'
      ? new JwsKeyRepository({ directory: join(options.dataDir, 'keystone', 'jws-keys'), maxActiveKeys: options.maxActiveKeys, clock: env.clock })
      : undefined;
  const format = jwsKeys ? jwsFormat(jwsKeys) : fernetFormat({ keys: tokenKeys, ids: env.ids });
  const tokens = createTokens(core, { format, authorizations, revocations });
  const people = createPeople(lookups, env.clock);
  const assignments = createAssignments(core, { effectiveRoles });
  const mappings = createMappings(core);
  const serviceProviders = createServiceProviders(core);
  const shadowUsers = createShadowUsers(core, { identityProviders, revocations });
  const mapped = createMappedLogins(core, {
    lookups,
    people,
    projects,
    groups,
    backends,
    assignments,
    effectiveRoles,
    identityProviders,
    mappings,
    shadowUsers,
  });
  const credentials = createCredentials(core, { keys: credentialKeys });
  const authMethods = createAuthMethods(core, { people, lookups, passwords, compliance, tokens, applicationCredentials, credentials, oauth1, mapped });
  const receipts = createReceipts(core, { keys: tokenKeys, lookups });
  return {
    core,
    options,
    policyExplanations: createPolicyExplanations({ policies: options.policiesOfServices, authorizations, users, projects }),
    tokenKeys,
    credentialKeys,
    secrets: createSecrets(core.env, credentialKeys),
    keys: createKeys(core, { tokenKeys: jwsKeys ? [jwsKeys, tokenKeys] : [tokenKeys], credentialKeys, credentials }),
    passwords,
    effectiveRoles,
    projects,
    domains,
    users,
    groups,
    roles,
    assignments,
    roleAssignments: createRoleAssignments(core, { effectiveRoles, backends }),
    identityProviders,
    mappings,
    shadowUsers,
    mapped,
    federatedLogins: createFederatedLogins(core, { keys: tokenKeys }),
    serviceProviders,
    k2k: createK2k(core, { tokens, lookups, effectiveRoles, serviceProviders }),
    catalog: createCatalog(core),
    credentials,
    oauth1,
    ec2Tokens: createEc2Tokens(core, { lookups, credentials, trusts, applicationCredentials, oauth1, tokens }),
    policies,
    endpointFilters: createEndpointFilters(core),
    endpointPolicies: createEndpointPolicies(core, { policies }),
    domainConfigs,
    backends,
    applicationCredentials,
    trusts,
    revocations,
    limits: createLimits(core),
    tokens,
    auth: createAuth(core, { methods: authMethods, people, lookups, tokens, trusts, authorizations, receipts }),
  };
}
