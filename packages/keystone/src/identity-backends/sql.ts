import type { Compliance } from '../app/compliance.ts';
import type { Core } from '../app/core.ts';
import { type Group, groupModel } from '../app/groups.ts';
import { userModel, userSecretOf } from '../app/users.ts';
import { expiriesOf } from '../store/federated-users.ts';
import { findGroup, groupIdsOfUser, isMember, listGroups, userIdsOfGroup } from '../store/groups.ts';
import type { ListFilter, Paging } from '../store/lists.ts';
import { findUser, findUserByName, listUsers, passwordExpiries, type UserWithPassword } from '../store/users.ts';
import type { GroupPage, IdentityBackend, UserListing, UserPage } from './backend.ts';

/** keystone's own tables, for every domain that has no other back end. */
export function sqlBackend(core: Core, parts: { readonly compliance: Compliance }): IdentityBackend {
  const { env, options } = core;
  const { read } = env.store;
  const paged = (paging: Paging) => ({ ...paging, maxLimit: options.maxListLimit });
  const secretOf = (row: UserWithPassword | undefined) => row && userSecretOf(parts.compliance, row, env.clock.nowMs());

  return {
    writable: true,
    user: async (id) => secretOf(await findUser(read, id)),
    userByName: async (name, domainId) => secretOf(await findUserByName(read, name, domainId)),
    async users(filters: readonly ListFilter[], paging: Paging, more: UserListing = {}): Promise<UserPage> {
      const page = await listUsers(read, filters, paged(paging), more);
      const expiries = await passwordExpiries(
        read,
        page.rows.map((row) => row.id),
      );
      const nowMs = env.clock.nowMs();
      return { users: page.rows.map((row) => userModel(parts.compliance, row, expiries.get(row.id) ?? null, nowMs)), hasMore: page.hasMore };
    },
    async group(id: string): Promise<Group | undefined> {
      const row = await findGroup(read, id);
      return row && groupModel(row);
    },
    async groups(filters: readonly ListFilter[], paging: Paging, memberId?: string): Promise<GroupPage> {
      const page = await listGroups(read, filters, paged(paging), memberId === undefined ? undefined : { userId: memberId, nowMs: env.clock.nowMs() });
      return { groups: page.rows.map(groupModel), hasMore: page.hasMore };
    },
    groupIdsOf: (userId) => groupIdsOfUser(read, userId),
    userIdsOf: (groupId) => userIdsOfGroup(read, groupId),
    isMember: async (userId, groupId) => (await isMember(read, userId, groupId)) || (await expiriesOf(read, userId, env.clock.nowMs())).has(groupId),
  };
}
