import type { AnyOperation } from '@cairn/kit/http/operation';
import { extraOf } from '../app/core.ts';
import type { Group } from '../app/groups.ts';
import { many, one } from './answers/envelope.ts';
import { group, user } from './answers/people.ts';
import {
  type AnyRequest,
  collection,
  domainFor,
  equals,
  filtersOf,
  type KeystoneApp,
  member,
  op,
  pagingOf,
  param,
  requireSameId,
  targetOf,
  unchecked,
  who,
} from './common.ts';
import { bodyOf, id64, name255, paging, queryOf, shortText, textOrNull } from './schemas.ts';
import { passwordExpiryOf, userView } from './users.ts';

interface GroupBody {
  readonly id?: string;
  readonly name?: string;
  readonly description?: string | null;
  readonly domain_id?: string;
}

const KNOWN = ['id', 'name', 'description', 'domain_id'];
const properties = { name: { ...name255, maxLength: 64 }, description: textOrNull };
const createBody = bodyOf<GroupBody & { readonly name: string }>()('group', { ...properties, domain_id: id64 }, { required: ['name'] });
const updateBody = bodyOf<GroupBody>()('group', properties, { minProperties: 1 });
const listQuery = queryOf({ domain_id: id64, name: shortText, ...paging });

const groupView = (group: Group) => ({ ...group.extra, id: group.id, name: group.name, domain_id: group.domainId, description: group.description });

const changeOf = (body: GroupBody) => {
  const extra = extraOf({ ...body }, KNOWN);
  return {
    ...(body.name !== undefined && { name: body.name }),
    ...(body.description !== undefined && { description: body.description }),
    ...(body.domain_id !== undefined && { domainId: body.domain_id }),
    ...(Object.keys(extra).length > 0 && { extra }),
  };
};

async function groupTarget(app: KeystoneApp, req: AnyRequest): Promise<Readonly<Record<string, unknown>>> {
  const group = await app.groups.find(param(req, 'group_id'));
  const user = req.params.user_id === undefined ? undefined : await app.users.find(req.params.user_id);
  return targetOf(req, { ...(group && { group: groupView(group) }), ...(user && { user: userView(user) }) });
}

export const groupOperations: readonly AnyOperation[] = [
  op({
    id: 'keystone.group.list',
    method: 'GET',
    path: '/v3/groups',
    answer: many('groups', group),
    summary: 'List groups',
    policy: 'identity:list_groups',
    target: (_app, req) => targetOf(req, req.ctx.domainId === undefined ? {} : { group: { domain_id: req.ctx.domainId } }),
    query: listQuery,
    handle: async (app, req) => {
      const filters = filtersOf(req, ['domain_id', 'name']);
      if (req.ctx.domainId !== undefined) filters.push(equals('domain_id', req.ctx.domainId));
      const page = pagingOf(req);
      const { groups, hasMore } = await app.groups.list(filters, page, { homeDomainId: req.ctx.projectDomainId });
      return collection(req, 'groups', groups.map(groupView), { hasMore, ...page });
    },
  }),
  op({
    id: 'keystone.group.create',
    method: 'POST',
    path: '/v3/groups',
    answer: one('group', group),
    summary: 'Create a group',
    policy: 'identity:create_group',
    target: (_app, req) => targetOf(req, { group: unchecked(req, 'group') }),
    success: 201,
    body: createBody,
    handle: async (app, req) => {
      const body = req.body.group;
      const group = await app.groups.create(
        { ...changeOf(body), name: body.name, domainId: domainFor(req, body.domain_id), extra: extraOf({ ...body }, KNOWN, true) },
        who(req),
      );
      return member(req, 'group', 'groups', groupView(group));
    },
  }),
  op({
    id: 'keystone.group.show',
    method: 'GET',
    path: '/v3/groups/{group_id}',
    answer: one('group', group),
    summary: 'Show a group',
    policy: 'identity:get_group',
    target: groupTarget,
    handle: async (app, req) => member(req, 'group', 'groups', groupView(await app.groups.get(param(req, 'group_id')))),
  }),
  op({
    id: 'keystone.group.update',
    method: 'PATCH',
    path: '/v3/groups/{group_id}',
    answer: one('group', group),
    summary: 'Update a group',
    policy: 'identity:update_group',
    target: groupTarget,
    body: updateBody,
    handle: async (app, req) => {
      requireSameId(req, 'group_id', req.body.group);
      return member(req, 'group', 'groups', groupView(await app.groups.update(param(req, 'group_id'), changeOf(req.body.group), who(req))));
    },
  }),
  op({
    id: 'keystone.group.delete',
    method: 'DELETE',
    path: '/v3/groups/{group_id}',
    summary: 'Delete a group',
    policy: 'identity:delete_group',
    target: groupTarget,
    success: 204,
    answer: 'none',
    handle: async (app, req) => {
      await app.groups.remove(param(req, 'group_id'), who(req));
    },
  }),
  op({
    id: 'keystone.group.users',
    method: 'GET',
    path: '/v3/groups/{group_id}/users',
    answer: many('users', user),
    summary: 'List the users of a group',
    policy: 'identity:list_users_in_group',
    target: groupTarget,
    handle: async (app, req) => {
      const groupId = param(req, 'group_id');
      await app.groups.get(groupId);
      const filters = filtersOf(req, ['domain_id', 'enabled', 'name'], ['enabled']);
      if (req.ctx.domainId !== undefined) filters.push(equals('domain_id', req.ctx.domainId));
      const page = pagingOf(req);
      const { users, hasMore } = await app.users.list(filters, page, { groupId, ...passwordExpiryOf(req) });
      return collection(req, 'users', users.map(userView), { hasMore, ...page });
    },
  }),
  op({
    id: 'keystone.group.user.check',
    method: 'GET',
    path: '/v3/groups/{group_id}/users/{user_id}',
    summary: 'Check that a user is in a group',
    policy: 'identity:check_user_in_group',
    target: groupTarget,
    success: 204,
    answer: 'none',
    handle: (app, req) => app.groups.checkMember(param(req, 'user_id'), param(req, 'group_id')),
  }),
  op({
    id: 'keystone.group.user.add',
    method: 'PUT',
    path: '/v3/groups/{group_id}/users/{user_id}',
    summary: 'Add a user to a group',
    policy: 'identity:add_user_to_group',
    target: groupTarget,
    success: 204,
    answer: 'none',
    handle: (app, req) => app.groups.addMember(param(req, 'user_id'), param(req, 'group_id'), who(req)),
  }),
  op({
    id: 'keystone.group.user.remove',
    method: 'DELETE',
    path: '/v3/groups/{group_id}/users/{user_id}',
    summary: 'Remove a user from a group',
    policy: 'identity:remove_user_from_group',
    target: groupTarget,
    success: 204,
    answer: 'none',
    handle: (app, req) => app.groups.removeMember(param(req, 'user_id'), param(req, 'group_id'), who(req)),
  }),
];
