import { isoMicros } from '@cairn/kit/clock/clock';
import type { AnyOperation } from '@cairn/kit/http/operation';
import type { AccessToken } from '../app/oauth1.ts';
import type { Role } from '../app/roles.ts';
import { notFoundText, roleNotFound, unauthenticated } from '../errors.ts';
import { accessToken } from './answers/delegation.ts';
import { many, one } from './answers/envelope.ts';
import { grantedRole as grantedRoleAnswer } from './answers/people.ts';
import { type AnyRequest, collection, type KeystoneApp, listing, noTarget, op, param, v3, who, withSelf } from './common.ts';
import { requireUndelegated } from './delegation.ts';
import { roleView } from './roles.ts';

const PATH = '/v3/users/{user_id}/OS-OAUTH1/access_tokens';
const ONE = `${PATH}/{access_token_id}`;
const REFUSAL = 'OAuth access tokens cannot be managed';

function view(req: AnyRequest, token: AccessToken) {
  const self = `${v3(req)}/users/${token.userId}/OS-OAUTH1/access_tokens/${token.id}`;
  return {
    id: token.id,
    consumer_id: token.consumerId,
    project_id: token.projectId,
    authorizing_user_id: token.userId,
    expires_at: token.expiresAtMs === null ? null : isoMicros(token.expiresAtMs),
    links: { roles: `${self}/roles`, self },
  };
}

const grantedRole = (role: Role): Omit<ReturnType<typeof roleView>, 'description'> => {
  const { description: _description, ...rest } = roleView(role);
  return rest;
};

/** The access token of the path, which must be the user's. */
async function tokenOf(app: KeystoneApp, req: AnyRequest): Promise<AccessToken> {
  const token = await app.oauth1.accessToken(param(req, 'access_token_id'));
  if (token.userId !== param(req, 'user_id')) throw notFoundText('Access token not found');
  return token;
}

/** What a user has given OAuth1 consumers access to. */
export const oauth1AccessTokenOperations: readonly AnyOperation[] = [
  op({
    id: 'keystone.oauth1_access_token.list',
    method: 'GET',
    path: PATH,
    answer: many('access_tokens', accessToken),
    summary: 'List the access that a user gave',
    policy: 'identity:list_access_tokens',
    target: noTarget,
    handle: async (app, req) => {
      requireUndelegated(req, REFUSAL);
      const tokens = await app.oauth1.accessTokensOf(param(req, 'user_id'));
      return listing(
        req,
        'access_tokens',
        tokens.map((token) => view(req, token)),
      );
    },
  }),
  op({
    id: 'keystone.oauth1_access_token.show',
    method: 'GET',
    path: ONE,
    answer: one('access_token', accessToken),
    summary: 'Show the access that a user gave a consumer',
    policy: 'identity:get_access_token',
    target: noTarget,
    handle: async (app, req) => {
      requireUndelegated(req, REFUSAL);
      return { access_token: view(req, await tokenOf(app, req)) };
    },
  }),
  op({
    id: 'keystone.oauth1_access_token.delete',
    method: 'DELETE',
    path: ONE,
    summary: 'Take access back from a consumer; tokens got with it end',
    // upstream's own choice of rule; without a credential in the target it leaves admins
    policy: 'identity:ec2_delete_credential',
    target: noTarget,
    success: 204,
    answer: 'none',
    handle: async (app, req) => {
      requireUndelegated(req, REFUSAL);
      await app.oauth1.deleteAccessToken(param(req, 'user_id'), param(req, 'access_token_id'), who(req));
    },
  }),
  op({
    id: 'keystone.oauth1_access_token.roles',
    method: 'GET',
    path: `${ONE}/roles`,
    answer: many('roles', grantedRoleAnswer),
    summary: 'List the roles that a user lent a consumer',
    policy: 'identity:list_access_token_roles',
    target: noTarget,
    handle: async (app, req) => {
      const token = await tokenOf(app, req);
      return collection(req, 'roles', (await app.roles.byIds(token.roleIds)).map(grantedRole));
    },
  }),
  op({
    id: 'keystone.oauth1_access_token.role',
    method: 'GET',
    path: `${ONE}/roles/{role_id}`,
    answer: one('role', grantedRoleAnswer),
    summary: 'Show a role that a user lent a consumer',
    policy: 'identity:get_access_token_role',
    target: noTarget,
    handle: async (app, req) => {
      const token = await app.oauth1.accessToken(param(req, 'access_token_id'));
      if (token.userId !== param(req, 'user_id')) throw unauthenticated('User IDs do not match');
      const id = param(req, 'role_id');
      if (!token.roleIds.includes(id)) throw roleNotFound(id);
      return { role: withSelf(req, 'roles', grantedRole(await app.roles.get(id))) };
    },
  }),
];
