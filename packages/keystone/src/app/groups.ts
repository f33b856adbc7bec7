import type { CairnError } from '@cairn/kit/errors/errors';
import type { Db, Tx } from '@cairn/kit/store/store';
import { fromJson, toJson } from '@cairn/kit/store/values';
import { groupKey, userKey } from '../cache/changes.ts';
import { domainNotFound, duplicate, groupNotFound, invalid, notFoundText, userNotFound } from '../errors.ts';
import { deleteAssignments } from '../store/assignments.ts';
import { expiriesOf } from '../store/federated-users.ts';
import * as store from '../store/groups.ts';
import type { ListFilter, Paging } from '../store/lists.ts';
import { findProject } from '../store/projects.ts';
import type { GroupTable } from '../store/tables.ts';
import { userIsThere } from '../store/users.ts';
import { type Core, type Extra, type Initiator, notify, touch, writeUnique } from './core.ts';
import type { Revocations } from './revocations.ts';

export interface Group {
  readonly id: string;
  readonly domainId: string;
  readonly name: string;
  readonly description: string | null;
  readonly extra: Extra;
}

export interface NewGroup {
  readonly name: string;
  readonly domainId: string;
  readonly description?: string | null;
  readonly extra?: Extra;
}

export type Groups = ReturnType<typeof createGroups>;

const modelOf = (row: GroupTable): Group => ({
  id: row.id,
  domainId: row.domain_id,
  name: row.name,
  description: row.description,
  extra: fromJson<Extra>(row.extra),
});

export function createGroups(core: Core, parts: { readonly revocations: Revocations }) {
  const { env, options } = core;
  const { read } = env.store;

  async function create(group: NewGroup, who: Initiator): Promise<Group> {
    const name = group.name.trim();
    const conflict = (): CairnError => duplicate('group', name, group.domainId);
    const row: GroupTable = {
      id: env.ids.hex(),
      domain_id: group.domainId,
      name,
      description: group.description === undefined ? '' : group.description,
      extra: toJson(group.extra ?? {}),
    };
    await writeUnique(core, conflict, async (tx) => {
      if (!(await findProject(tx, group.domainId))?.is_domain) throw domainNotFound(group.domainId);
      if (await store.findGroupByName(tx, name, group.domainId)) throw conflict();
      await store.insertGroup(tx, row);
      await notify(core, tx, who, 'created', 'group', row.id);
    });
    return modelOf(row);
  }

  async function update(id: string, change: Partial<NewGroup>, who: Initiator): Promise<Group> {
    let conflictName = '';
    let conflictDomain = '';
    return await writeUnique(
      core,
      () => duplicate('group', conflictName, conflictDomain),
      async (tx) => {
        const row = await rowOf(tx, id);
        const name = change.name?.trim() ?? row.name;
        conflictName = name;
        conflictDomain = row.domain_id;
        if (change.domainId !== undefined && change.domainId !== row.domain_id) throw invalid('Cannot change Domain ID', 'domain_id');
        if (name !== row.name && (await store.findGroupByName(tx, name, row.domain_id))) throw duplicate('group', name, row.domain_id);
        const changed = {
          name,
          extra: toJson({ ...fromJson<Extra>(row.extra), ...change.extra }),
          ...(change.description !== undefined && { description: change.description }),
        };
        await store.updateGroup(tx, id, changed);
        await notify(core, tx, who, 'updated', 'group', id);
        return modelOf({ ...row, ...changed });
      },
    );
  }

  async function remove(id: string, who: Initiator): Promise<void> {
    await env.store.write(async (tx) => {
      await rowOf(tx, id);
      await removeRow(tx, id, who);
    });
  }

  async function removeRow(tx: Tx, id: string, who: Initiator): Promise<void> {
    const members = await store.userIdsOfGroup(tx, id);
    await store.deleteGroup(tx, id);
    const lost = await deleteAssignments(tx, { actorId: id });
    // what the members' tokens owe to the group is gone with it
    if (lost.length > 0) for (const member of members) await parts.revocations.ofUser(tx, member);
    await touch(core, tx, [groupKey(id), ...members.map(userKey)]);
    await notify(core, tx, who, 'deleted', 'group', id);
  }

  async function checkBoth(db: Db, userId: string, groupId: string): Promise<void> {
    await rowOf(db, groupId);
    if (!(await userIsThere(db, userId))) throw userNotFound(userId);
  }

  async function addMember(userId: string, groupId: string, who: Initiator): Promise<void> {
    await env.store.write(async (tx) => {
      await checkBoth(tx, userId, groupId);
      await store.addMember(tx, userId, groupId);
      await touch(core, tx, [userKey(userId)]);
      await notify(core, tx, who, 'updated', 'group', groupId, { actor: { id: userId, type: 'user', actor_operation: 'added' } });
    });
  }

  async function removeMember(userId: string, groupId: string, who: Initiator): Promise<void> {
    await env.store.write(async (tx) => {
      await checkBoth(tx, userId, groupId);
      if (!(await store.removeMember(tx, userId, groupId))) throw noMember(userId, groupId);
      await parts.revocations.ofUser(tx, userId);
      await touch(core, tx, [userKey(userId)]);
      await notify(core, tx, who, 'updated', 'group', groupId, { actor: { id: userId, type: 'user', actor_operation: 'removed' } });
    });
  }

  async function list(filters: readonly ListFilter[], paging: Paging, memberId?: string): Promise<{ groups: Group[]; hasMore: boolean }> {
    if (memberId !== undefined && !(await userIsThere(read, memberId))) throw userNotFound(memberId);
    const page = await store.listGroups(
      read,
      filters,
      { ...paging, maxLimit: options.maxListLimit },
      memberId === undefined ? undefined : { userId: memberId, nowMs: env.clock.nowMs() },
    );
    return { groups: page.rows.map(modelOf), hasMore: page.hasMore };
  }

  return {
    create,
    update,
    remove,
    removeRow,
    addMember,
    removeMember,
    list,
    get: async (id: string): Promise<Group> => modelOf(await rowOf(read, id)),
    find: async (id: string): Promise<Group | undefined> => {
      const row = await store.findGroup(read, id);
      return row && modelOf(row);
    },
    checkMember: async (userId: string, groupId: string): Promise<void> => {
      await checkBoth(read, userId, groupId);
      if (await store.isMember(read, userId, groupId)) return;
      if (!(await expiriesOf(read, userId, env.clock.nowMs())).has(groupId)) throw noMember(userId, groupId);
    },
    /** When a user's memberships end that a mapping gave, by group. */
    expiries: (userId: string): Promise<Map<string, number>> => expiriesOf(read, userId, env.clock.nowMs()),
  };
}

const noMember = (userId: string, groupId: string): CairnError => notFoundText(`User '${userId}' not found in group '${groupId}'`);

async function rowOf(db: Db, id: string): Promise<GroupTable> {
  const row = await store.findGroup(db, id);
  if (!row) throw groupNotFound(id);
  return row;
}
