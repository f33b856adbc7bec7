import Type from 'typebox';
import { flag, nullable, resource, text, textOrNull } from './envelope.ts';

/** Identity providers and their protocols, mappings, service providers. */

export const identityProvider = Type.Object(
  {
    id: text,
    domain_id: text,
    enabled: flag,
    description: textOrNull,
    remote_ids: Type.Array(text),
    authorization_ttl: nullable(Type.Integer()),
    links: Type.Object({ self: text, protocols: text }),
  },
  { title: 'IdentityProvider' },
);

const protocolProperties = { id: text, mapping_id: text, links: Type.Object({ self: text, identity_provider: text }) };
export const protocol = Type.Object(protocolProperties, { title: 'FederationProtocol' });
/** A protocol as lists show it. */
export const listedProtocol = Type.Object({ ...protocolProperties, idp_id: text, remote_id_attribute: textOrNull }, { title: 'ListedFederationProtocol' });

export const mapping = resource('FederationMapping', {
  id: text,
  rules: Type.Array(Type.Object({ local: Type.Array(Type.Any()), remote: Type.Array(Type.Any()) }, { additionalProperties: true })),
  schema_version: text,
});
export const serviceProvider = resource('ServiceProvider', {
  id: text,
  enabled: flag,
  description: textOrNull,
  auth_url: text,
  sp_url: text,
  relay_state_prefix: text,
});
