import type { AnyOperation } from '@cairn/kit/http/operation';
import { ANYONE, Reply } from '@cairn/kit/http/operation';
import { Type } from 'typebox';
import type { AuthRequest } from '../app/auth-methods/method.ts';
import type { Person } from '../app/authorization.ts';
import type { Token } from '../app/tokens.ts';
import type { Claims } from '../token/payload.ts';
import { expecting, invalid, tokenNotFound } from '../errors.ts';
import { isoMicros } from '@cairn/kit/clock/clock';
import { type AnyRequest, callOf, headerOf, type KeystoneApp, naiveMicros, op } from './common.ts';
import { object, type Schema, text } from './schemas.ts';

const domainReference: Schema = object({ id: text, name: text });
const userReference: Schema = object({ id: text, name: text, password: text, domain: domainReference });

/** `auth` (keystone/auth/schema.py). */
const issueBody = Type.Unsafe<{ readonly auth?: AuthRequest }>(
  object({
    auth: object(
      {
        identity: object(
          {
            methods: { type: 'array', items: text },
            password: object({ user: userReference }),
            totp: object({ user: object({ id: text, name: text, passcode: {}, domain: domainReference }) }),
            token: object({ id: text }, { required: ['id'] }),
            application_credential: object({ id: text, name: text, secret: text, user: object({ id: text, name: text, domain: domainReference }) }),
          },
          { required: ['methods'] },
        ),
        scope: {
          type: ['object', 'string'],
          properties: {
            project: object({ id: text, name: text, domain: domainReference }),
            domain: domainReference,
            'OS-TRUST:trust': object({ id: text }),
            system: object({ all: { enum: [true, 'True', 'TRUE', 'true', '1', 1] } }),
          },
        },
      },
      { required: ['identity'] },
    ),
  }),
);

/** What the schema does not say: every reference has an id or a name. */
function checkReferences(auth: AuthRequest): void {
  const user = auth.identity.password?.user;
  check('identity/password/user', user);
  check('identity/password/user/domain', user?.domain);
  if (typeof auth.scope !== 'object') return;
  check('scope/project', auth.scope.project);
  check('scope/project/domain', auth.scope.project?.domain);
  check('scope/domain', auth.scope.domain);
}

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

/** A token as an answer: its body, and its text in the header. */
export const answer = async (app: KeystoneApp, req: AnyRequest, token: Token, status: number): Promise<Reply> =>
  new Reply(await tokenView(app, token, !req.query.has('nocatalog')), { status, headers: { 'X-Subject-Token': token.id } });

/** The token that a request is about. */
async function subject(app: KeystoneApp, req: AnyRequest): Promise<Token> {
  const id = headerOf(req, 'x-subject-token');
  if (!id) throw tokenNotFound('No token in the request');
  const expiredToo = /^(1|t|true|on|y|yes)$/i.test(req.query.get('allow_expired')?.trim() ?? '');
  const token = await app.tokens.validate(id, expiredToo ? app.options.allowExpiredWindowSec : 0);
  // whoever validates a token that rules limit must say that they will be kept to
  const knowsRules = Number(headerOf(req, 'openstack-identity-access-rules') ?? 0) >= 1;
  if (token.authorization.applicationCredential?.accessRules.length && !knowsRules) throw tokenNotFound();
  return token;
}

/** The rule's target: whose token it is. Without one in the request there is none. */
async function subjectTarget(app: KeystoneApp, req: AnyRequest): Promise<Readonly<Record<string, unknown>>> {
  if (headerOf(req, 'x-subject-token') === undefined) return {};
  const { authorization } = await subject(app, req);
  return { target: { token: { user_id: authorization.user.id, user: { domain: { id: authorization.user.domain.id } } } } };
}

export const tokenOperations: readonly AnyOperation[] = [
  op({
    id: 'keystone.token.issue',
    method: 'POST',
    path: '/v3/auth/tokens',
    summary: 'Authenticate and get a token',
    policy: ANYONE,
    success: 201,
    body: issueBody,
    bodyOptional: true,
    handle: async (app, req) => {
      const auth = req.body?.auth;
      if (!auth) throw expecting('auth', 'request body');
      checkReferences(auth);
      return await answer(app, req, await app.auth.authenticate(auth, callOf(req)), 201);
    },
  }),
  op({
    id: 'keystone.token.validate',
    method: 'GET',
    path: '/v3/auth/tokens',
    summary: 'Validate a token and show what it says',
    policy: 'identity:validate_token',
    target: subjectTarget,
    handle: async (app, req) => await answer(app, req, await subject(app, req), 200),
  }),
  op({
    id: 'keystone.token.check',
    method: 'HEAD',
    path: '/v3/auth/tokens',
    summary: 'Check that a token is valid',
    policy: 'identity:check_token',
    target: subjectTarget,
    handle: async (app, req) => await answer(app, req, await subject(app, req), 200),
  }),
  op({
    id: 'keystone.token.revoke',
    method: 'DELETE',
    path: '/v3/auth/tokens',
    summary: 'Revoke a token',
    policy: 'identity:revoke_token',
    target: subjectTarget,
    success: 204,
    handle: async (app, req) => {
      await app.tokens.revoke((await subject(app, req)).id);
    },
  }),
];

const check = (field: string, reference: { readonly id?: string; readonly name?: string } | undefined): void => {
  if (reference && reference.id === undefined && reference.name === undefined)
    throw invalid(`Invalid input for field ${field}: id or name must be present.`, field);
};
