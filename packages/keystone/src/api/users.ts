import type { AnyOperation } from '@cairn/kit/http/operation';
import { ANYONE } from '@cairn/kit/http/operation';
import { extraOf } from '../app/core.ts';
import type { FederatedIdentity } from '../app/federation/shadow-users.ts';
import type { User } from '../app/users.ts';
import { badTimestamp, invalid } from '../errors.ts';
import type { FederatedFilter, PasswordExpiry } from '../store/users.ts';
import { many, one } from './answers/envelope.ts';
import { membership, project, user } from './answers/people.ts';
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
  readonly federated?: readonly FederatedIdentity[];
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
  federated: {
    type: 'array',
    items: object(
      {
        idp_id: text,
        protocols: {
          type: 'array',
          items: object({ protocol_id: text, unique_id: { ...text, maxLength: 255 } }, { required: ['protocol_id', 'unique_id'] }),
          minItems: 1,
        },
      },
      { required: ['idp_id', 'protocols'] },
    ),
  },
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

/** `idp_id=`, `protocol_id=`, `unique_id=`. */
function federatedFilterOf(req: AnyRequest): FederatedFilter | undefined {
  const given = (['idp_id', 'protocol_id', 'unique_id'] as const).flatMap((field) => {
    const value = req.query.get(field);
    return value === null ? [] : [[field, value] as const];
  });
  return given.length === 0 ? undefined : Object.fromEntries(given);
}

/** `federated`, for a user whom identity providers know. */
async function federatedPart(app: KeystoneApp, userId: string): Promise<{ readonly federated?: readonly FederatedIdentity[] }> {
  const federated = await app.shadowUsers.of(userId);
  return federated.length === 0 ? {} : { federated };
}

const expiryView = (atMs: number | undefined): string | null => (atMs === undefined ? null : naiveMicros(atMs * 1000));

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
    answer: many('users', user),
    summary: 'List users',
    policy: 'identity:list_users',
    target: domainTarget,
    query: listQuery,
    handle: async (app, req) => {
      const filters = filtersOf(req, ['domain_id', 'enabled', 'name'], ['enabled']);
      if (req.ctx.domainId !== undefined) filters.push(equals('domain_id', req.ctx.domainId));
      const page = pagingOf(req);
      const expiry = passwordExpiryOf(req);
      const { users, hasMore } = await app.users.list(filters, page, { ...expiry, federated: federatedFilterOf(req), homeDomainId: req.ctx.projectDomainId });
      return collection(req, 'users', users.map(userView), { hasMore, ...page });
    },
  }),
  op({
    id: 'keystone.user.create',
    method: 'POST',
    path: '/v3/users',
    answer: one('user', user),
    summary: 'Create a user',
    policy: 'identity:create_user',
    target: (_app, req) => targetOf(req, { user: unchecked(req, 'user') }),
    success: 201,
    body: createBody,
    handle: async (app, req) => {
      const body = req.body.user;
      const federated = body.federated ?? [];
      await app.shadowUsers.check(federated);
      const user = await app.users.create(
        { ...changeOf(body), name: body.name, domainId: domainFor(req, body.domain_id), extra: extraOf({ ...body }, KNOWN, true) },
        who(req),
      );
      if (federated.length > 0) await app.shadowUsers.put(user.id, user.name, federated);
      return member(req, 'user', 'users', { ...userView(user), ...(federated.length > 0 && { federated }) });
    },
  }),
  op({
    id: 'keystone.user.show',
    method: 'GET',
    path: '/v3/users/{user_id}',
    answer: one('user', user),
    summary: 'Show a user',
    policy: 'identity:get_user',
    target: userTarget,
    handle: async (app, req) => {
      const user = await app.users.get(param(req, 'user_id'));
      return member(req, 'user', 'users', { ...userView(user), ...(await federatedPart(app, user.id)) });
    },
  }),
  op({
    id: 'keystone.user.update',
    method: 'PATCH',
    path: '/v3/users/{user_id}',
    answer: one('user', user),
    summary: 'Update a user',
    policy: 'identity:update_user',
    target: userTarget,
    body: updateBody,
    handle: async (app, req) => {
      const body = req.body.user;
      await app.users.get(param(req, 'user_id'));
      requireSameId(req, 'user_id', body);
      const federated = body.federated ?? [];
      await app.shadowUsers.check(federated);
      const user = await app.users.update(param(req, 'user_id'), changeOf(body), who(req));
      if (federated.length > 0) await app.shadowUsers.put(user.id, user.name, federated);
      return member(req, 'user', 'users', { ...userView(user), ...(await federatedPart(app, user.id)), extra: user.extra });
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
    answer: 'none',
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
    answer: 'none',
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
    answer: many('projects', project),
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
    answer: many('groups', membership),
    summary: 'List the groups that a user is in',
    policy: 'identity:list_groups_for_user',
    target: userTarget,
    handle: async (app, req) => {
      const filters = filtersOf(req, ['name']);
      if (req.ctx.domainId !== undefined) filters.push(equals('domain_id', req.ctx.domainId));
      const page = pagingOf(req);
      const { groups, hasMore } = await app.groups.list(filters, page, { memberId: param(req, 'user_id') });
      const expiries = await app.groups.expiries(param(req, 'user_id'));
      const views = groups.map((group) => ({
        ...group.extra,
        id: group.id,
        name: group.name,
        domain_id: group.domainId,
        description: group.description,
        membership_expires_at: expiryView(expiries.get(group.id)),
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
