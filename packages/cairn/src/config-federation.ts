import { readFileSync } from 'node:fs';
import { invalidInput } from '@cairn/kit/errors/errors';
import type { FederationOptions } from '@cairn/keystone/options';
import type { ProviderOptions } from '@cairn/keystone/federation/provider-options';
import Type, { type Static } from 'typebox';

const closed = { additionalProperties: false };
const option = <T extends object>(rest: T, description: string) => ({ ...rest, description });
const texts = Type.Array(Type.String({ minLength: 1 }));
const skew = Type.Optional(Type.Integer({ minimum: 0, maximum: 600 }));

const Oidc = Type.Object(
  {
    protocol: Type.Optional(Type.String({ minLength: 1 })),
    issuer: Type.String({ minLength: 1 }),
    clientId: Type.String({ minLength: 1 }),
    clientSecret: Type.Optional(Type.String()),
    clientSecretFile: Type.Optional(Type.String()),
    clientAuthentication: Type.Optional(Type.Enum(['basic', 'post', 'none'])),
    scopes: Type.Optional(texts),
    audiences: Type.Optional(texts),
    introspection: Type.Optional(Type.Boolean()),
    userInfo: Type.Optional(Type.Boolean()),
    remoteUserClaim: Type.Optional(Type.String({ minLength: 1 })),
    endpointOrigins: Type.Optional(texts),
    clockSkewSeconds: skew,
  },
  closed,
);

const Saml = Type.Object(
  {
    protocol: Type.Optional(Type.String({ minLength: 1 })),
    entityId: Type.String({ minLength: 1 }),
    ssoUrl: Type.Optional(Type.String({ minLength: 1 })),
    certificateFiles: Type.Array(Type.String({ minLength: 1 }), { minItems: 1 }),
    spEntityId: Type.Optional(Type.String({ minLength: 1 })),
    unsolicited: Type.Optional(Type.Boolean()),
    sha1: Type.Optional(Type.Boolean()),
    remoteUserAttribute: Type.Optional(Type.String({ minLength: 1 })),
    clockSkewSeconds: skew,
  },
  closed,
);

/** Options of log-ins at identity providers; docs/identity-federation.md explains them. */
export const FederationSchema = Type.Object(
  {
    trustedDashboards: Type.Array(
      Type.String({ pattern: '^https?://' }),
      option({ default: [] }, 'Pages that may be given a token after a log-in in the browser, in full: `https://dashboard.example.org/auth/websso/`'),
    ),
    membershipMinutes: Type.Integer(
      option({ default: 0, minimum: 0 }, 'How long memberships of groups that a mapping gives outlive the token, where the identity provider has no setting'),
    ),
    mappingVersion: Type.Enum(['1.0', '2.0', '3.0'], option({ default: '1.0' }, 'Schema version of mappings that name none')),
    remoteIdAttribute: Type.String(
      option({ default: '' }, 'Attribute that holds the remote id of an identity provider, where the protocol names none; its issuer when empty'),
    ),
    providers: Type.Record(
      Type.String(),
      Type.Object({ oidc: Type.Optional(Oidc), saml: Type.Optional(Saml) }, closed),
      option({ default: {} }, 'How to log in at identity providers, by their ids in keystone: see [Federation](identity-federation.md)'),
    ),
    samlIdp: Type.Object(
      {
        entityId: Type.String(option({ default: '' }, 'Entity id of this cloud as SAML identity provider for other keystones; it is none when empty')),
        ssoUrl: Type.String(option({ default: '' }, 'Its single sign-on address, for its metadata')),
        certificateFile: Type.String(option({ default: '' }, 'File with its certificate (PEM)')),
        keyFile: Type.String(option({ default: '' }, 'File with its private key (PEM)')),
        assertionSeconds: Type.Integer(option({ default: 3600, minimum: 1 }, 'How long its assertions hold')),
        organizationName: Type.String(option({ default: '' }, 'Name of the organization, for its metadata')),
        organizationDisplayName: Type.String(option({ default: '' }, 'The same as it is shown; the name when empty')),
        organizationUrl: Type.String(option({ default: '' }, 'URL of the organization')),
      },
      closed,
    ),
  },
  closed,
);

type Federation = Static<typeof FederationSchema>;

/** Where keystone's page brings the token of a single sign-on, below the cloud's own address. */
const CONSOLE_PAGE = '/console/session/sso';

/** The same with the cloud's own console as a trusted dashboard, where its address is known. */
export const withConsole = (federation: Federation, publicUrl: string): Federation =>
  publicUrl === '' ? federation : { ...federation, trustedDashboards: [...federation.trustedDashboards, publicUrl + CONSOLE_PAGE] };

/** The ways to sign in to the console at identity providers; none while the console is no trusted dashboard. */
export const singleSignOn = ({ trustedDashboards, providers }: Federation): readonly { readonly provider: string; readonly protocol: string }[] =>
  !trustedDashboards.some((page) => page.endsWith(CONSOLE_PAGE))
    ? []
    : Object.entries(providers).flatMap(([provider, { oidc, saml }]) => [
        ...(oidc ? [{ provider, protocol: oidc.protocol ?? 'openid' }] : []),
        ...(saml ? [{ provider, protocol: saml.protocol ?? 'saml2' }] : []),
      ]);

/** keystone's options from the cloud's. Reads the files that they name. `publicUrl` is the identity service's, or ''. Throws InvalidInput. */
export function federationOptions(federation: Federation, publicUrl: string): FederationOptions {
  const { samlIdp } = federation;
  return {
    trustedDashboards: federation.trustedDashboards,
    defaultAuthorizationTtlMin: federation.membershipMinutes,
    defaultSchemaVersion: federation.mappingVersion,
    remoteIdAttribute: federation.remoteIdAttribute,
    publicUrl,
    providers: Object.fromEntries(Object.entries(federation.providers).map(([id, provider]) => [id, providerOptions(id, provider)])),
    ...(samlIdp.entityId !== '' && {
      samlIdp: {
        entityId: samlIdp.entityId,
        ssoUrl: samlIdp.ssoUrl,
        certificate: readOption('samlIdp.certificateFile', samlIdp.certificateFile),
        privateKey: readOption('samlIdp.keyFile', samlIdp.keyFile),
        assertionLifetimeSec: samlIdp.assertionSeconds,
        ...(samlIdp.organizationName !== '' && {
          organization: {
            name: samlIdp.organizationName,
            displayName: samlIdp.organizationDisplayName || samlIdp.organizationName,
            url: samlIdp.organizationUrl,
          },
        }),
      },
    }),
  };
}

function providerOptions(id: string, { oidc, saml }: Federation['providers'][string]): ProviderOptions {
  const at = `providers.${id}`;
  return {
    ...(oidc && {
      oidc: {
        ...oidc,
        clientSecret: oidc.clientSecretFile === undefined ? oidc.clientSecret : readOption(`${at}.oidc.clientSecretFile`, oidc.clientSecretFile).trim(),
        clockSkewSec: oidc.clockSkewSeconds,
      },
    }),
    ...(saml && {
      saml: {
        ...saml,
        certificates: saml.certificateFiles.map((file) => readOption(`${at}.saml.certificateFiles`, file)),
        clockSkewSec: saml.clockSkewSeconds,
      },
    }),
  };
}

function readOption(path: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw invalidInput(`Option identity.federation.${path}: the file ${file} cannot be read (${(error as Error).message}).`, {
      field: `identity/federation/${path.replaceAll('.', '/')}`,
    });
  }
}
