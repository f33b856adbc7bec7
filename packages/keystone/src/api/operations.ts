import type { AnyOperation } from '@cairn/kit/http/operation';
import { applicationCredentialOperations } from './application-credentials.ts';
import { catalogOperations } from './catalog.ts';
import { credentialOperations } from './credentials.ts';
import { domainOperations } from './domains.ts';
import { refusingEc2Tokens } from './ec2-ban.ts';
import { ec2CredentialOperations } from './ec2-credentials.ts';
import { ec2TokenOperations } from './ec2-tokens.ts';
import { domainConfigOperations } from './domain-config.ts';
import { endpointFilterOperations } from './endpoint-filters.ts';
import { endpointPolicyOperations } from './endpoint-policies.ts';
import { grantOperations } from './grants.ts';
import { groupOperations } from './groups.ts';
import { federationAuthOperations } from './federation-auth.ts';
import { identityProviderOperations } from './identity-providers.ts';
import { k2kOperations } from './k2k.ts';
import { limitOperations } from './limits.ts';
import { oauth1AccessTokenOperations } from './oauth1-access-tokens.ts';
import { oauth1Operations } from './oauth1.ts';
import { mappingOperations } from './mappings.ts';
import { oauth2Operations } from './oauth2.ts';
import { policyOperations } from './policies.ts';
import { policyExplanationOperations } from './policy-explanations.ts';
import { postOnlyOperations } from './post-only.ts';
import { projectOperations } from './projects.ts';
import { revokeEventOperations } from './revoke-events.ts';
import { roleAssignmentOperations } from './role-assignments.ts';
import { roleOperations } from './roles.ts';
import { scopeOperations } from './scopes.ts';
import { serviceProviderOperations } from './service-providers.ts';
import { tokenOperations } from './tokens.ts';
import { tombstoneOperations } from './tombstones.ts';
import { trustOperations } from './trusts.ts';
import { userOperations } from './users.ts';
import { versionOperations } from './versions.ts';

const all: readonly AnyOperation[] = [
  ...versionOperations(() => all),
  ...tombstoneOperations,
  ...postOnlyOperations,
  ...policyExplanationOperations,
  ...revokeEventOperations,
  ...tokenOperations,
  ...scopeOperations,
  ...domainOperations,
  ...projectOperations,
  ...userOperations,
  ...groupOperations,
  ...roleOperations,
  ...grantOperations,
  ...roleAssignmentOperations,
  ...catalogOperations,
  ...credentialOperations,
  ...ec2CredentialOperations,
  ...ec2TokenOperations,
  ...oauth1Operations,
  ...oauth1AccessTokenOperations,
  ...policyOperations,
  ...endpointFilterOperations,
  ...endpointPolicyOperations,
  ...domainConfigOperations,
  ...applicationCredentialOperations,
  ...trustOperations,
  ...limitOperations,
  ...identityProviderOperations,
  ...mappingOperations,
  ...serviceProviderOperations,
  ...oauth2Operations,
  ...federationAuthOperations,
  ...k2kOperations,
];

/** Every API call of keystone. */
export const operations: readonly AnyOperation[] = all.map(refusingEc2Tokens);
