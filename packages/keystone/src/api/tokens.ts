import type { AnyOperation } from '@cairn/kit/http/operation';
import { ANYONE, type Reply } from '@cairn/kit/http/operation';
import { Type } from 'typebox';
import type { AuthRequest } from '../app/auth-methods/method.ts';
import type { Token } from '../app/tokens.ts';
import { expecting, invalid, tokenNotFound } from '../errors.ts';
import { tokenBody } from './answers/tokens.ts';
import { type AnyRequest, callOf, headerOf, type KeystoneApp, op } from './common.ts';
import { object, type Schema, text } from './schemas.ts';
import { tokenAnswer } from './token-view.ts';

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

/** A token as an answer: its body, and its text in the header. */
export const answer = (app: KeystoneApp, req: AnyRequest, token: Token, status: number): Promise<Reply> =>
  tokenAnswer(app, token, status, !req.query.has('nocatalog'));

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
    answer: tokenBody,
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
    answer: tokenBody,
    summary: 'Validate a token and show what it says',
    policy: 'identity:validate_token',
    target: subjectTarget,
    handle: async (app, req) => await answer(app, req, await subject(app, req), 200),
  }),
  op({
    id: 'keystone.token.check',
    method: 'HEAD',
    path: '/v3/auth/tokens',
    answer: 'none',
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
    answer: 'none',
    handle: async (app, req) => {
      await app.tokens.revoke((await subject(app, req)).id);
    },
  }),
];

const check = (field: string, reference: { readonly id?: string; readonly name?: string } | undefined): void => {
  if (reference && reference.id === undefined && reference.name === undefined)
    throw invalid(`Invalid input for field ${field}: id or name must be present.`, field);
};
