import type { CairnError } from '@cairn/kit/errors/errors';
import type { Db, Tx } from '@cairn/kit/store/store';
import { fromJson, toJson } from '@cairn/kit/store/values';
import { groupKey, userKey } from '../cache/changes.ts';
import { crossBackend, domainNotFound, duplicate, groupNotFound, invalid, notFoundText, readOnlyDirectory, userNotFound } from '../errors.ts';
import { deleteAssignments } from '../store/assignments.ts';
import { expiriesOf } from '../store/federated-users.ts';
import * as store from '../store/groups.ts';
import type { GroupPage, IdentityBackend } from '../identity-backends/backend.ts';
import { type Backends, listedBackend } from '../identity-backends/backends.ts';
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

export const groupModel = (row: GroupTable): Group => ({
  id: row.id,
  domainId: row.domain_id,
  name: row.name,
  description: row.description,
  extra: fromJson<Extra>(row.extra),
});

export function createGroups(core: Core, parts: { readonly revocations: Revocations; readonly backends: Backends }) {
  const { env } = core;
  const { backends } = parts;
  const { read } = env.store;

  async function create(group: NewGroup, who: Initiator): Promise<Group> {
    const name = group.name.trim();
    const conflict = (): CairnError => duplicate('group', name, group.domainId);
    if (!(await backends.ofDomain(group.domainId)).writable) throw readOnlyDirectory();
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
    return groupModel(row);
  }

  async function find(id: string): Promise<Group | undefined> {
    const row = await store.findGroup(read, id);
    if (row) return groupModel(row);
    return await (await backends.elsewhere('group', id))?.group(id);
  }

  async function get(id: string): Promise<Group> {
    const found = await find(id);
    if (!found) throw groupNotFound(id);
    return found;
  }

  /** Refuses to change a group of a program that is only read. */
  async function checkWritable(id: string): Promise<void> {
    const elsewhere = await backends.elsewhere('group', id);
    if (elsewhere && !elsewhere.writable && (await elsewhere.group(id))) throw readOnlyDirectory();
  }

  /** The one back end of both, which must be there; a user of one program is no member of a group of another. */
  async function commonBackend(userId: string, groupId: string): Promise<IdentityBackend> {
    const ofUser = (await backends.elsewhere('user', userId)) ?? backends.sql;
    const ofGroup = (await backends.elsewhere('group', groupId)) ?? backends.sql;
    if (!(await ofGroup.group(groupId))) throw groupNotFound(groupId);
    if (!(await ofUser.user(userId))) throw userNotFound(userId);
    if (ofUser !== ofGroup) throw crossBackend(userId, groupId);
    return ofUser;
  }

  async function update(id: string, change: Partial<NewGroup>, who: Initiator): Promise<Group> {
    await checkWritable(id);
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
        return groupModel({ ...row, ...changed });
      },
    );
  }

  async function remove(id: string, who: Initiator): Promise<void> {
    await checkWritable(id);
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
    if (!(await commonBackend(userId, groupId)).writable) throw readOnlyDirectory();
    await env.store.write(async (tx) => {
      await checkBoth(tx, userId, groupId);
      await store.addMember(tx, userId, groupId);
      await touch(core, tx, [userKey(userId)]);
      await notify(core, tx, who, 'updated', 'group', groupId, { actor: { id: userId, type: 'user', actor_operation: 'added' } });
    });
  }

  async function removeMember(userId: string, groupId: string, who: Initiator): Promise<void> {
    if (!(await commonBackend(userId, groupId)).writable) throw readOnlyDirectory();
    await env.store.write(async (tx) => {
      await checkBoth(tx, userId, groupId);
      if (!(await store.removeMember(tx, userId, groupId))) throw noMember(userId, groupId);
      await parts.revocations.ofUser(tx, userId);
      await touch(core, tx, [userKey(userId)]);
      await notify(core, tx, who, 'updated', 'group', groupId, { actor: { id: userId, type: 'user', actor_operation: 'removed' } });
    });
  }

  /** `homeDomainId`: the caller's domain, which is listed where no domain is named and another program keeps it. */
  async function list(
    filters: readonly ListFilter[],
    paging: Paging,
    more: { readonly memberId?: string; readonly homeDomainId?: string | undefined } = {},
  ): Promise<GroupPage> {
    const { memberId, homeDomainId } = more;
    if (memberId === undefined) return await (await listedBackend(backends, { filters, homeDomainId })).groups(filters, paging);
    const backend = (await backends.elsewhere('user', memberId)) ?? backends.sql;
    if (!(await backend.user(memberId))) throw userNotFound(memberId);
    return await backend.groups(filters, paging, memberId);
  }

  return {
    create,
    update,
    remove,
    removeRow,
    addMember,
    removeMember,
    list,
    get,
    find,
    checkMember: async (userId: string, groupId: string): Promise<void> => {
      if (!(await (await commonBackend(userId, groupId)).isMember(userId, groupId))) throw noMember(userId, groupId);
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
