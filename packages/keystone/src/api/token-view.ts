import { isoMicros } from '@cairn/kit/clock/clock';
import { Reply } from '@cairn/kit/http/operation';
import type { Person } from '../app/authorization.ts';
import type { Token } from '../app/tokens.ts';
import type { Claims } from '../token/payload.ts';
import { type KeystoneApp, naiveMicros } from './common.ts';

const personView = (person: Person): Record<string, unknown> => ({
  domain: person.domain,
  id: person.id,
  name: person.name,
  password_expires_at: person.passwordExpiresAtMs === null ? null : naiveMicros(person.passwordExpiresAtMs * 1000),
});

/** A user whom an identity provider vouches for. */
const federatedView = (person: Person, claims: Claims): Record<string, unknown> => ({
  domain: person.domain,
  id: person.id,
  name: person.name,
  'OS-FEDERATION': {
    groups: (claims.groupIds ?? []).map((id) => ({ id })),
    identity_provider: { id: claims.identityProviderId },
    protocol: { id: claims.protocolId },
  },
});

/** The token's body (keystone/common/render_token.py). */
export async function tokenView(app: KeystoneApp, token: Token, withCatalog: boolean): Promise<Record<string, unknown>> {
  const { claims, authorization } = token;
  const { user, project, domain, system, trust, accessToken, applicationCredential } = authorization;
  const federated = claims.identityProviderId !== undefined;
  const roles =
    trust || federated
      ? authorization.roles.map((role) => ({ id: role.id, name: role.name, domain_id: role.domainId, description: role.description, options: role.options }))
      : authorization.roles.map(({ id, name }) => ({ id, name }));
  const view: Record<string, unknown> = {
    methods: claims.methods,
    user: federated ? federatedView(user, claims) : personView(trust?.trust.impersonation ? trust.trustor : user),
    audit_ids: claims.auditIds,
    expires_at: isoMicros(claims.expiresAtMs),
    issued_at: isoMicros(token.issuedAtMs),
  };
  if (system) Object.assign(view, { roles, system: { all: true } });
  else if (domain) Object.assign(view, { domain, roles });
  else if (trust) {
    Object.assign(view, {
      'OS-TRUST:trust': {
        id: trust.trust.id,
        trustor_user: { id: trust.trust.trustorUserId },
        trustee_user: { id: trust.trust.trusteeUserId },
        impersonation: trust.trust.impersonation,
      },
      project,
      roles,
    });
  } else if (project) Object.assign(view, { project, is_domain: false, roles });
  if (withCatalog && (system || domain || project)) view.catalog = await app.catalog.view(trust ? trust.trust.trustorUserId : user.id, project?.id);
  const serviceProviders = await app.serviceProviders.enabled();
  if (serviceProviders.length > 0) view.service_providers = serviceProviders.map(({ id, authUrl, spUrl }) => ({ auth_url: authUrl, id, sp_url: spUrl }));
  if (accessToken) view['OS-OAUTH1'] = { access_token_id: accessToken.id, consumer_id: accessToken.consumerId };
  if (applicationCredential) {
    const { id, name, unrestricted, accessRules } = applicationCredential;
    view.application_credential = { id, name, restricted: !unrestricted, ...(accessRules.length > 0 && { access_rules: accessRules }) };
  }
  return { token: view };
}

/**
 * A token's body as text. Most of it is the catalog, which is the same object for as long as nothing in it changes: its text is made once, and
 * that of a token which is shown again and again once too. Each text hangs on the objects that it was made from, so none outlives them.
 */

interface Shown {
  readonly catalog: object | undefined;
  readonly providers: object;
  readonly text: string;
}

const catalogs = new WeakMap<object, string>();
const withCatalog = new WeakMap<Token, Shown>();
const withoutCatalog = new WeakMap<Token, Shown>();

function catalogText(catalog: object): string {
  let text = catalogs.get(catalog);
  if (text === undefined) catalogs.set(catalog, (text = JSON.stringify(catalog)));
  return text;
}

/** `{"token": {...}}`. */
async function tokenText(app: KeystoneApp, token: Token, wantsCatalog: boolean): Promise<string> {
  const { user, trust, project, system, domain } = token.authorization;
  const catalog = wantsCatalog && (system || domain || project) ? await app.catalog.view(trust ? trust.trust.trustorUserId : user.id, project?.id) : undefined;
  const providers = await app.serviceProviders.enabled();
  const kept = wantsCatalog ? withCatalog : withoutCatalog;
  const shown = kept.get(token);
  if (shown && shown.catalog === catalog && shown.providers === providers) return shown.text;
  const plain = JSON.stringify(await tokenView(app, token, false));
  const text = catalog === undefined ? plain : `${plain.slice(0, -2)},"catalog":${catalogText(catalog)}}}`;
  kept.set(token, { catalog, providers, text });
  return text;
}

/** A token as an answer: its body, and its text in the header. */
export const tokenAnswer = async (app: KeystoneApp, token: Token, status: number, wantsCatalog: boolean): Promise<Reply> =>
  new Reply(await tokenText(app, token, wantsCatalog), { status, headers: { 'content-type': 'application/json', 'X-Subject-Token': token.id } });
