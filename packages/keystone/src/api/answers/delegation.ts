import Type from 'typebox';
import { flag, nullable, options, resource, selfLink, text, textOrNull } from './envelope.ts';
import { role } from './people.ts';
import { accessRuleProperties } from './tokens.ts';

/** What users hand on: credentials, application credentials, trusts, OAuth1 accesses. */

export const credential = resource('Credential', { id: text, user_id: text, project_id: textOrNull, type: text, blob: text }, true);
export const ec2Credential = Type.Object(
  { user_id: text, tenant_id: textOrNull, access: text, secret: text, trust_id: textOrNull, links: selfLink },
  { title: 'Ec2Credential' },
);

const roleOf = Type.Object({ id: text, name: text, domain_id: textOrNull, description: textOrNull, options }, { additionalProperties: true });
export const accessRule = resource('AccessRule', accessRuleProperties);
const credentialProperties = {
  id: text,
  name: text,
  description: textOrNull,
  user_id: text,
  project_id: textOrNull,
  system: Type.Null(),
  expires_at: textOrNull,
  unrestricted: flag,
  roles: Type.Array(roleOf),
  access_rules: Type.Optional(Type.Array(Type.Object(accessRuleProperties))),
};
export const applicationCredential = resource('ApplicationCredential', credentialProperties);
/** The secret is shown once. */
export const newApplicationCredential = resource('NewApplicationCredential', { ...credentialProperties, secret: text });

const trustProperties = {
  id: text,
  trustor_user_id: text,
  trustee_user_id: text,
  project_id: textOrNull,
  impersonation: flag,
  expires_at: textOrNull,
  remaining_uses: nullable(Type.Integer()),
  deleted_at: Type.Null(),
  redelegated_trust_id: textOrNull,
  redelegation_count: Type.Integer(),
};
const rolesLinks = Type.Object({ self: text, next: Type.Null(), previous: Type.Null() });
export const trust = resource('Trust', trustProperties, true);
export const trustWithRoles = resource('TrustWithRoles', { ...trustProperties, roles: Type.Array(role), roles_links: rolesLinks }, true);
export const rolesOfTrust = Type.Object({ roles: Type.Array(role), links: rolesLinks });

const consumerProperties = { id: text, description: textOrNull };
export const consumer = resource('OAuth1Consumer', consumerProperties, true);
/** The secret is shown once. */
export const newConsumer = resource('NewOAuth1Consumer', { ...consumerProperties, secret: text }, true);
export const accessToken = Type.Object(
  { id: text, consumer_id: text, project_id: text, authorizing_user_id: text, expires_at: textOrNull, links: Type.Object({ roles: text, self: text }) },
  { title: 'OAuth1AccessToken' },
);
