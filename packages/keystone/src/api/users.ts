import type { AnyOperation } from '@cairn/kit/http/operation';
import { ANYONE } from '@cairn/kit/http/operation';
import { extraOf } from '../app/core.ts';
import type { User } from '../app/users.ts';
import { badTimestamp, invalid } from '../errors.ts';
import type { PasswordExpiry } from '../store/users.ts';
import {
  type AnyRequest,
  collection,
  domainFor,
  domainTarget,
  equals,
  filtersOf,
  type KeystoneApp,
  member,
  naiveMicros,
  op,
  pagingOf,
  param,
  requireSameId,
  targetOf,
  unchecked,
  who,
} from './common.ts';
import { projectView } from './projects.ts';
import { parseTime } from './times.ts';
import { bodyOf, flagOrNull, flagValue, id64, name255, object, paging, queryFlag, queryOf, shortText, text, textOrNull } from './schemas.ts';

interface UserBody {
  readonly id?: string;
  readonly name?: string;
  readonly password?: string | null;
  readonly domain_id?: string;
  readonly enabled?: boolean;
  readonly default_project_id?: string | null;
  readonly options?: Readonly<Record<string, unknown>>;
  readonly federated?: readonly unknown[];
}

const KNOWN = [
  'id',
  'name',
  'password',
  'domain_id',
  'enabled',
  'default_project_id',
  'options',
  'federated',
  'password_expires_at',
  'tenants',
  'groups',
  'domains',
];

const options = object(
  {
    ignore_change_password_upon_first_use: flagOrNull,
    ignore_password_expiry: flagOrNull,
    ignore_lockout_failure_attempts: flagOrNull,
    lock_password: flagOrNull,
    ignore_user_inactivity: flagOrNull,
    multi_factor_auth_enabled: flagOrNull,
    multi_factor_auth_rules: { type: ['array', 'null'], items: { type: 'array', items: text, minItems: 1, uniqueItems: true }, uniqueItems: true },
  },
  { closed: true },
);
const properties = {
  name: name255,
  password: textOrNull,
  domain_id: id64,
  enabled: flagValue,
  default_project_id: textOrNull,
  description: textOrNull,
  federated: { type: 'array' },
  options,
};
const createBody = bodyOf<UserBody & { readonly name: string }>()('user', properties, { required: ['name'] });
const updateBody = bodyOf<UserBody>()('user', properties, { minProperties: 1 });
const passwordBody = bodyOf<{ readonly original_password: string; readonly password: string }>()(
  'user',
  { original_password: text, password: text },
  { required: ['original_password', 'password'], closed: true, openRoot: true },
);
const listQuery = queryOf({
  domain_id: id64,
  enabled: queryFlag,
  name: shortText,
  idp_id: text,
  protocol_id: text,
  unique_id: text,
  password_expires_at: text,
  ...paging,
});

export const userView = (user: User) => ({
  ...user.extra,
  id: user.id,
  name: user.name,
  domain_id: user.domainId,
  enabled: user.enabled,
  ...(user.defaultProjectId !== null && { default_project_id: user.defaultProjectId }),
  password_expires_at: user.passwordExpiresAtMs === null ? null : naiveMicros(user.passwordExpiresAtMs * 1000),
  options: user.options,
});

const OPERATORS = { lt: '<', lte: '<=', gt: '>', gte: '>=', eq: '=', neq: '<>' } as const;

/** `password_expires_at=lt:2026-12-08T22:02:00Z`. */
export function passwordExpiryOf(req: AnyRequest): { readonly expiry?: PasswordExpiry } {
  const given = req.query.get('password_expires_at');
  if (given === null) return {};
  const colon = given.slice(2, 4).includes(':') ? given.indexOf(':') : -1;
  const operator = colon < 0 ? 'eq' : given.slice(0, colon);
  const atMs = parseTime(given.slice(colon + 1));
  if (atMs === undefined) throw badTimestamp();
  if (!Object.hasOwn(OPERATORS, operator)) {
    throw invalid(
      `The given operator ${operator} is not valid. It must be one of the following: 'eq', 'neq', 'lt', 'lte', 'gt', or 'gte'.`,
      'password_expires_at',
    );
  }
  return { expiry: { operator: OPERATORS[operator as keyof typeof OPERATORS], atMs } };
}

async function userTarget(app: KeystoneApp, req: AnyRequest): Promise<Readonly<Record<string, unknown>>> {
  const user = await app.users.find(param(req, 'user_id'));
  return targetOf(req, user ? { user: userView(user) } : {});
}

/** No user is federated yet, so a list by federated attributes is empty. */
const asksForFederated = (req: AnyRequest): boolean => ['idp_id', 'protocol_id', 'unique_id'].some((field) => req.query.has(field));

function refuseFederated(body: UserBody): void {
  const [first] = body.federated ?? [];
  if (first === undefined) return;
  const idp = first !== null && typeof first === 'object' && 'idp_id' in first ? String(first.idp_id) : '';
  throw invalid(`Could not find Identity Provider: ${idp}`, 'federated');
}

const changeOf = (body: UserBody) => {
  const extra = extraOf({ ...body }, KNOWN);
  return {
    ...(body.name !== undefined && { name: body.name }),
    ...(body.password !== undefined && { password: body.password }),
    ...(body.domain_id !== undefined && { domainId: body.domain_id }),
    ...(body.enabled !== undefined && { enabled: body.enabled }),
    ...(body.default_project_id !== undefined && { defaultProjectId: body.default_project_id }),
    ...(body.options && { options: body.options }),
    ...(Object.keys(extra).length > 0 && { extra }),
  };
};

export const userOperations: readonly AnyOperation[] = [
  op({
    id: 'keystone.user.list',
    method: 'GET',
    path: '/v3/users',
    summary: 'List users',
    policy: 'identity:list_users',
    target: domainTarget,
    query: listQuery,
    handle: async (app, req) => {
      const filters = filtersOf(req, ['domain_id', 'enabled', 'name'], ['enabled']);
      if (req.ctx.domainId !== undefined) filters.push(equals('domain_id', req.ctx.domainId));
      const page = pagingOf(req);
      const expiry = passwordExpiryOf(req);
      if (asksForFederated(req)) return collection(req, 'users', []);
      const { users, hasMore } = await app.users.list(filters, page, expiry);
      return collection(req, 'users', users.map(userView), { hasMore, ...page });
    },
  }),
  op({
    id: 'keystone.user.create',
    method: 'POST',
    path: '/v3/users',
    summary: 'Create a user',
    policy: 'identity:create_user',
    target: (_app, req) => targetOf(req, { user: unchecked(req, 'user') }),
    success: 201,
    body: createBody,
    handle: async (app, req) => {
      const body = req.body.user;
      refuseFederated(body);
      const user = await app.users.create(
        { ...changeOf(body), name: body.name, domainId: domainFor(req, body.domain_id), extra: extraOf({ ...body }, KNOWN, true) },
        who(req),
      );
      return member(req, 'user', 'users', userView(user));
    },
  }),
  op({
    id: 'keystone.user.show',
    method: 'GET',
    path: '/v3/users/{user_id}',
    summary: 'Show a user',
    policy: 'identity:get_user',
    target: userTarget,
    handle: async (app, req) => member(req, 'user', 'users', userView(await app.users.get(param(req, 'user_id')))),
  }),
  op({
    id: 'keystone.user.update',
    method: 'PATCH',
    path: '/v3/users/{user_id}',
    summary: 'Update a user',
    policy: 'identity:update_user',
    target: userTarget,
    body: updateBody,
    handle: async (app, req) => {
      const body = req.body.user;
      await app.users.get(param(req, 'user_id'));
      requireSameId(req, 'user_id', body);
      refuseFederated(body);
      const user = await app.users.update(param(req, 'user_id'), changeOf(body), who(req));
      return member(req, 'user', 'users', { ...userView(user), extra: user.extra });
    },
  }),
  op({
    id: 'keystone.user.delete',
    method: 'DELETE',
    path: '/v3/users/{user_id}',
    summary: 'Delete a user',
    policy: 'identity:delete_user',
    target: userTarget,
    success: 204,
    handle: async (app, req) => {
      await app.users.remove(param(req, 'user_id'), who(req));
    },
  }),
  op({
    id: 'keystone.user.change_password',
    method: 'POST',
    path: '/v3/users/{user_id}/password',
    summary: "Change one's own password",
    policy: ANYONE,
    success: 204,
    body: passwordBody,
    handle: async (app, req) => {
      const { original_password: original, password } = req.body.user;
      await app.users.changePassword(param(req, 'user_id'), original, password, {
        requestId: req.requestId,
        userId: req.maybeCtx?.userId,
        projectId: req.maybeCtx?.projectId,
      });
    },
  }),
  op({
    id: 'keystone.user.projects',
    method: 'GET',
    path: '/v3/users/{user_id}/projects',
    summary: 'List the projects on which a user has a role',
    policy: 'identity:list_user_projects',
    target: userTarget,
    handle: async (app, req) => {
      const filters = filtersOf(req, ['domain_id', 'enabled', 'name'], ['enabled']);
      const views = (await app.assignments.projectsOfUser(param(req, 'user_id')))
        .map(projectView)
        .filter((view) => filters.every((filter) => matches(view, filter)));
      return collection(req, 'projects', views);
    },
  }),
  op({
    id: 'keystone.user.groups',
    method: 'GET',
    path: '/v3/users/{user_id}/groups',
    summary: 'List the groups that a user is in',
    policy: 'identity:list_groups_for_user',
    target: userTarget,
    handle: async (app, req) => {
      const filters = filtersOf(req, ['name']);
      if (req.ctx.domainId !== undefined) filters.push(equals('domain_id', req.ctx.domainId));
      const page = pagingOf(req);
      const { groups, hasMore } = await app.groups.list(filters, page, param(req, 'user_id'));
      const views = groups.map((group) => ({
        ...group.extra,
        id: group.id,
        name: group.name,
        domain_id: group.domainId,
        description: group.description,
        membership_expires_at: null,
      }));
      return collection(req, 'groups', views, { hasMore, ...page });
    },
  }),
];

/** A condition on a view, where the list is not a page of a table. */
function matches(view: Readonly<Record<string, unknown>>, filter: ReturnType<typeof filtersOf>[number]): boolean {
  const have = view[filter.field];
  if (filter.comparator === 'equals' || typeof filter.value !== 'string') return have === filter.value;
  const [value, wanted] = filter.ignoreCase ? [String(have).toLowerCase(), filter.value.toLowerCase()] : [String(have), filter.value];
  return filter.comparator === 'contains' ? value.includes(wanted) : filter.comparator === 'startswith' ? value.startsWith(wanted) : value.endsWith(wanted);
}
