import { type AnyOperation, AUTHENTICATED } from '@cairn/kit/http/operation';
import { extraOf } from '../app/core.ts';
import type { Role } from '../app/roles.ts';
import { roleNotFound } from '../errors.ts';
import Type from 'typebox';
import { many, one, selfLink } from './answers/envelope.ts';
import { role, roleLink } from './answers/people.ts';
import {
  type AnyRequest,
  collection,
  equals,
  filtersOf,
  type KeystoneApp,
  member,
  noTarget,
  op,
  param,
  requireSameId,
  targetOf,
  unchecked,
  v3,
  who,
} from './common.ts';
import { bodyOf, id64, id64OrNull, immutableOption, name255, queryOf, shortText, textOrNull } from './schemas.ts';

interface RoleBody {
  readonly id?: string;
  readonly name?: string;
  readonly description?: string | null;
  readonly domain_id?: string | null;
  readonly options?: Readonly<Record<string, unknown>>;
}

const KNOWN = ['id', 'name', 'description', 'domain_id', 'options'];
const properties = { name: name255, description: { ...textOrNull, maxLength: 255 }, domain_id: id64OrNull, options: immutableOption };
const createBody = bodyOf<RoleBody & { readonly name: string }>()('role', properties, { required: ['name'] });
const updateBody = bodyOf<RoleBody>()('role', properties, { minProperties: 1 });
const listQuery = queryOf({ name: shortText, domain_id: id64 });

export const roleView = (role: Role) => ({
  ...role.extra,
  id: role.id,
  name: role.name,
  domain_id: role.domainId,
  description: role.description,
  options: role.options,
});

const changeOf = (body: RoleBody) => {
  const extra = extraOf({ ...body }, KNOWN);
  return {
    ...(body.name !== undefined && { name: body.name }),
    ...(body.description !== undefined && { description: body.description }),
    ...(body.domain_id !== undefined && { domainId: body.domain_id }),
    ...(body.options && { options: body.options }),
    ...(Object.keys(extra).length > 0 && { extra }),
  };
};

/** A role and a domain's own role are under rules of their own: the one of the role of the path is asked here. */
async function authorizeRole(app: KeystoneApp, req: AnyRequest, verb: 'get' | 'update' | 'delete'): Promise<Role> {
  const id = param(req, 'role_id');
  const role = await app.roles.find(id);
  if (role?.domainId) req.authorize(`identity:${verb}_domain_role`, targetOf(req, { role: roleView(role) }));
  else req.authorize(`identity:${verb}_role`, targetOf(req, role ? { role: roleView(role) } : {}));
  if (!role) throw roleNotFound(id);
  return role;
}

const link = (req: AnyRequest, role: Role) => ({ id: role.id, links: { self: `${v3(req)}/roles/${role.id}` }, name: role.name });

/** Both roles of an inference rule, which must be there. */
async function inferenceTarget(app: KeystoneApp, req: AnyRequest): Promise<Readonly<Record<string, unknown>>> {
  const prior = await app.roles.get(param(req, 'prior_role_id'));
  const implied = req.params.implied_role_id === undefined ? undefined : await app.roles.get(req.params.implied_role_id);
  return targetOf(req, { prior_role: roleView(prior), ...(implied && { implied_role: roleView(implied) }) });
}

async function inferenceView(app: KeystoneApp, req: AnyRequest): Promise<Record<string, unknown>> {
  const prior = await app.roles.get(param(req, 'prior_role_id'));
  const implied = await app.roles.get(param(req, 'implied_role_id'));
  await app.roles.isImplied(prior.id, implied.id);
  return {
    role_inference: { prior_role: link(req, prior), implies: link(req, implied) },
    links: { self: `${v3(req)}/roles/${prior.id}/implies/${implied.id}` },
  };
}

const inferenceAnswer = Type.Object({ role_inference: Type.Object({ prior_role: roleLink, implies: roleLink }), links: selfLink });

const IMPLIED = '/v3/roles/{prior_role_id}/implies/{implied_role_id}';

export const roleOperations: readonly AnyOperation[] = [
  op({
    id: 'keystone.role.list',
    method: 'GET',
    path: '/v3/roles',
    answer: many('roles', role),
    summary: 'List roles, or those of a domain',
    policy: AUTHENTICATED,
    asks: 'identity:list_roles',
    query: listQuery,
    handle: async (app, req) => {
      const ofDomain = req.query.get('domain_id');
      req.authorize(ofDomain ? 'identity:list_domain_roles' : 'identity:list_roles', noTarget(app, req));
      const filters = filtersOf(req, ['name', 'domain_id']);
      if (!ofDomain) filters.push(equals('domain_id', null));
      return collection(req, 'roles', (await app.roles.list(filters)).map(roleView));
    },
  }),
  op({
    id: 'keystone.role.create',
    method: 'POST',
    path: '/v3/roles',
    answer: one('role', role),
    summary: 'Create a role',
    policy: AUTHENTICATED,
    asks: 'identity:create_role',
    success: 201,
    body: createBody,
    handle: async (app, req) => {
      const body = req.body.role;
      if (body.domain_id) req.authorize('identity:create_domain_role', targetOf(req, { role: unchecked(req, 'role') }));
      else req.authorize('identity:create_role', noTarget(app, req));
      const role = await app.roles.create({ ...changeOf(body), name: body.name, extra: extraOf({ ...body }, KNOWN, true) }, who(req));
      return member(req, 'role', 'roles', roleView(role));
    },
  }),
  op({
    id: 'keystone.role.show',
    method: 'GET',
    path: '/v3/roles/{role_id}',
    answer: one('role', role),
    summary: 'Show a role',
    policy: AUTHENTICATED,
    asks: 'identity:get_role',
    handle: async (app, req) => member(req, 'role', 'roles', roleView(await authorizeRole(app, req, 'get'))),
  }),
  op({
    id: 'keystone.role.update',
    method: 'PATCH',
    path: '/v3/roles/{role_id}',
    answer: one('role', role),
    summary: 'Update a role',
    policy: AUTHENTICATED,
    asks: 'identity:update_role',
    body: updateBody,
    handle: async (app, req) => {
      await authorizeRole(app, req, 'update');
      requireSameId(req, 'role_id', req.body.role);
      return member(req, 'role', 'roles', roleView(await app.roles.update(param(req, 'role_id'), changeOf(req.body.role), who(req))));
    },
  }),
  op({
    id: 'keystone.role.delete',
    method: 'DELETE',
    path: '/v3/roles/{role_id}',
    summary: 'Delete a role',
    policy: AUTHENTICATED,
    asks: 'identity:delete_role',
    success: 204,
    answer: 'none',
    handle: async (app, req) => {
      await authorizeRole(app, req, 'delete');
      await app.roles.remove(param(req, 'role_id'), who(req));
    },
  }),
  op({
    id: 'keystone.role.implied.list',
    method: 'GET',
    path: '/v3/roles/{prior_role_id}/implies',
    answer: Type.Object({ role_inference: Type.Object({ prior_role: roleLink, implies: Type.Array(roleLink) }), links: selfLink }),
    summary: 'List the roles that a role implies',
    policy: 'identity:list_implied_roles',
    target: inferenceTarget,
    handle: async (app, req) => {
      const prior = await app.roles.get(param(req, 'prior_role_id'));
      const implies = (await app.roles.impliedBy(prior.id)).map((role) => link(req, role));
      return { role_inference: { prior_role: link(req, prior), implies }, links: { self: `${v3(req)}/roles/${prior.id}/implies` } };
    },
  }),
  op({
    id: 'keystone.role.implied.show',
    method: 'GET',
    path: IMPLIED,
    answer: inferenceAnswer,
    summary: 'Show an inference rule',
    policy: 'identity:get_implied_role',
    target: inferenceTarget,
    handle: inferenceView,
  }),
  op({
    id: 'keystone.role.implied.check',
    method: 'HEAD',
    path: IMPLIED,
    summary: 'Check that a role implies another',
    policy: 'identity:check_implied_role',
    target: inferenceTarget,
    success: 204,
    answer: 'none',
    handle: async (app, req) => {
      await inferenceView(app, req);
    },
  }),
  op({
    id: 'keystone.role.implied.create',
    method: 'PUT',
    path: IMPLIED,
    answer: inferenceAnswer,
    summary: 'Make a role imply another',
    policy: 'identity:create_implied_role',
    target: inferenceTarget,
    success: 201,
    handle: async (app, req) => {
      await app.roles.imply(param(req, 'prior_role_id'), param(req, 'implied_role_id'));
      return await inferenceView(app, req);
    },
  }),
  op({
    id: 'keystone.role.implied.delete',
    method: 'DELETE',
    path: IMPLIED,
    summary: 'Remove an inference rule',
    policy: 'identity:delete_implied_role',
    target: inferenceTarget,
    success: 204,
    answer: 'none',
    handle: (app, req) => app.roles.unimply(param(req, 'prior_role_id'), param(req, 'implied_role_id')),
  }),
  op({
    id: 'keystone.role.inferences',
    method: 'GET',
    path: '/v3/role_inferences',
    answer: Type.Object({ role_inferences: Type.Array(Type.Object({ prior_role: roleLink, implies: Type.Array(roleLink) })) }),
    summary: 'List all inference rules',
    policy: 'identity:list_role_inference_rules',
    target: noTarget,
    handle: async (app, req) => ({
      role_inferences: (await app.roles.inferences()).map(({ prior, implies }) => ({
        prior_role: link(req, prior),
        implies: implies.map((role) => link(req, role)),
      })),
    }),
  }),
];
