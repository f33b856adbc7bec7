import { type CairnError, invalidInput, isCairnError, notFound } from '@cairn/kit/errors/errors';
import type { ListPage, ListRequest, ListSpec } from '@cairn/kit/store/list';
import type { Db, Tx } from '@cairn/kit/store/store';
import { invalidVolume } from '../errors.ts';
import type { GroupSettleParams } from '../sagas/group-settle.ts';
import {
  groupById,
  groupHasSnapshots,
  GROUP_SNAPSHOTS,
  groupSnapshotById,
  GROUPS,
  insertGroup,
  insertGroupSnapshot,
  pageOfGroups,
  pageOfGroupSnapshots,
  snapshotsOfGroupSnapshot,
  typesOfGroups,
  updateGroup,
  updateGroupSnapshot,
  volumesOfGroup,
} from '../store/groups.ts';
import { hasSnapshots, updateSnapshot } from '../store/snapshots.ts';
import type { GroupRow, GroupSnapshotRow, GroupTypeRow, TypeRow, VolumeRow } from '../store/tables.ts';
import { typeById } from '../store/types.ts';
import { updateVolume, volumeById } from '../store/volumes.ts';
import type { CinderApp } from './app.ts';
import { type Caller, isVisible, requesterOf, targetOf } from './caller.ts';
import { emitGroup } from './events.ts';
import { getGroup, groupNotFound } from './group-lookup.ts';
import { getGroupType, groupSpecsOf } from './group-types.ts';
import { claimGroupQuota } from './quota.ts';
import { createSnapshot, deleteSnapshot } from './snapshots.ts';
import { getTypeByNameOrId, isTrueSpec, specsOf } from './types.ts';
import { createVolume } from './volume-create.ts';
import { deleteVolume } from './volume-delete.ts';

/** The group if the caller may see it. */
export { getGroup } from './group-lookup.ts';
/** Ids of the volumes and of the volume types of groups. */
export { typesOfGroups, volumesOfGroup } from '../store/groups.ts';

export const groupSnapshotNotFound = (id: string): CairnError => notFound(`GroupSnapshot ${id} could not be found.`, { type: 'GroupSnapshotNotFound' });
const invalidGroup = (reason: string): CairnError => invalidInput(`Invalid Group: ${reason}`, { type: 'InvalidGroup' });
const invalidGroupSnapshot = (reason: string): CairnError => invalidInput(`Invalid GroupSnapshot: ${reason}`, { type: 'InvalidGroupSnapshot' });

export const GROUP_LIST: ListSpec<GroupRow> = { ...GROUPS, unknownMarker: (marker) => groupNotFound(String(marker)) };
export const GROUP_SNAPSHOT_LIST: ListSpec<GroupSnapshotRow> = { ...GROUP_SNAPSHOTS, unknownMarker: (marker) => groupSnapshotNotFound(String(marker)) };
export const listGroups = (db: Db, request: ListRequest): Promise<ListPage<GroupRow>> => pageOfGroups(db, request, GROUP_LIST);
export const listGroupSnapshots = (db: Db, request: ListRequest): Promise<ListPage<GroupSnapshotRow>> => pageOfGroupSnapshots(db, request, GROUP_SNAPSHOT_LIST);

export async function getGroupSnapshot(db: Db, caller: Caller, id: string): Promise<GroupSnapshotRow> {
  const row = await groupSnapshotById(db, id);
  if (!row || !isVisible(caller.ctx, row)) throw groupSnapshotNotFound(id);
  caller.authorize('group:get_group_snapshot', targetOf(row));
  return row;
}

export interface NewGroup {
  readonly name: string | null;
  readonly description: string | null;
  readonly type: GroupTypeRow;
  /** Names or ids. */
  readonly volumeTypes: readonly string[];
  readonly availabilityZone: string | null;
}

/** Makes a group: it gets a host, where all its volumes are to be. */
export async function createGroup(app: CinderApp, caller: Caller, ask: NewGroup): Promise<GroupRow> {
  const { env, options } = app.deps;
  const db = env.store.read;
  caller.authorize('group:create');
  const types: TypeRow[] = [];
  for (const one of ask.volumeTypes) types.push(await getTypeByNameOrId(db, caller.ctx, one));
  let host: string | null = null;
  try {
    host = await app.pools.choose(db, 1, { specs: Object.assign({}, ...types.map(specsOf)), zone: ask.availabilityZone });
  } catch (error) {
    if (!isCairnError(error, 'NoCapacity')) throw error;
  }
  return env.store.write(async (tx) => {
    const row = await newGroup(app, tx, caller, {
      name: ask.name,
      description: ask.description,
      group_type_id: ask.type.id,
      availability_zone: ask.availabilityZone ?? options.defaultAvailabilityZone,
      host,
      // upstream's scheduler tells the same by the group's status
      status: host === null ? 'error' : 'available',
    });
    await insertGroup(tx, row, [...new Set(types.map((type) => type.id))]);
    await emitGroup(env, tx, requesterOf(caller.ctx), 'create.end', row);
    return row;
  });
}

async function newGroup(
  app: CinderApp,
  tx: Tx,
  caller: Caller,
  set: Pick<GroupRow, 'name' | 'description' | 'group_type_id' | 'availability_zone' | 'host' | 'status'> & Partial<GroupRow>,
): Promise<GroupRow> {
  const { env, options } = app.deps;
  const projectId = caller.ctx.projectId;
  if (projectId === undefined) throw invalidInput('A group belongs to a project: use a token with a project scope.');
  await claimGroupQuota(tx, options.quotaDefaults, projectId);
  return {
    id: env.ids.uuid(),
    project_id: projectId,
    user_id: caller.ctx.userId,
    group_snapshot_id: null,
    source_group_id: null,
    replication_status: 'disabled',
    created_at_ms: env.clock.nowMs(),
    updated_at_ms: null,
    ...set,
  };
}

/** Makes a group with copies of all volumes of another one, or of a snapshot of one. */
export async function createGroupFrom(
  app: CinderApp,
  caller: Caller,
  ask: { readonly name: string | null; readonly description: string | null; readonly groupSnapshotId: string | null; readonly sourceGroupId: string | null },
): Promise<GroupRow> {
  const { env } = app.deps;
  caller.authorize('group:create');
  return env.store.write(async (tx) => {
    const snapshot = ask.groupSnapshotId === null ? undefined : await getGroupSnapshot(tx, caller, ask.groupSnapshotId);
    const source = await getGroup(tx, caller, snapshot?.group_id ?? ask.sourceGroupId ?? '');
    const frozen = snapshot ? await snapshotsOfGroupSnapshot(tx, snapshot.id) : [];
    const volumes = snapshot ? [] : await volumesOfGroup(tx, source.id);
    if (snapshot && frozen.length === 0) throw invalidGroup('Group snapshot is empty. No group will be created.');
    if (!snapshot && volumes.length === 0) throw invalidGroup('Source Group is empty. No group will be created.');
    const row = await newGroup(app, tx, caller, {
      name: ask.name,
      description: ask.description,
      group_type_id: source.group_type_id,
      availability_zone: source.availability_zone,
      host: source.host,
      status: 'creating',
      group_snapshot_id: snapshot?.id ?? null,
      source_group_id: snapshot ? null : source.id,
    });
    await insertGroup(tx, row, (await typesOfGroups(tx, [source.id])).get(source.id) ?? []);
    const parts: string[] = [];
    for (const one of [...frozen, ...volumes]) {
      const made = await createVolume(app, tx, caller, {
        name: one.name,
        description: one.description,
        size: one.size_gb,
        volumeType: one.type_id,
        ...('volume_id' in one ? { snapshotId: one.id } : { sourceVolumeId: one.id }),
        availabilityZone: row.availability_zone,
        groupId: row.id,
        followImageSnapshot: false,
      });
      if (made.saga_id !== null) parts.push(made.saga_id);
    }
    await settle(app, tx, caller, { kind: 'group', id: row.id, what: 'create', parts });
    return row;
  });
}

async function settle(app: CinderApp, tx: Tx, caller: Caller, params: Omit<GroupSettleParams, 'who'>): Promise<void> {
  const who = requesterOf(caller.ctx);
  await app.deps.env.sagas.start(
    tx,
    app.sagas.groupSettle,
    { ...params, who },
    { subject: `${params.kind}:${params.id}`, requestId: who.requestId, userId: who.userId, ...(who.projectId !== null && { projectId: who.projectId }) },
  );
}

/** Accepts the deletion of a group, with its volumes if asked. */
export async function deleteGroup(app: CinderApp, caller: Caller, row: GroupRow, withVolumes: boolean): Promise<void> {
  const { env } = app.deps;
  await env.store.write(async (tx) => {
    caller.authorize('group:delete', targetOf(row));
    const now = (await groupById(tx, row.id)) ?? row;
    if (!withVolumes && now.status !== 'available' && now.status !== 'error')
      throw invalidGroup(`Group status must be available or error, but current status is: ${now.status}`);
    if (await groupHasSnapshots(tx, row.id)) throw invalidGroup('Group has existing snapshots.');
    const volumes = await volumesOfGroup(tx, row.id);
    if (volumes.length > 0 && !withVolumes) throw invalidGroup(`Group ${row.id} still contains volumes. The delete-volumes flag is required to delete it.`);
    for (const volume of volumes) {
      if (volume.attach_status === 'attached') throw invalidGroup(`Volume in group ${row.id} is attached. Need to detach first.`);
      if (await hasSnapshots(tx, volume.id)) throw invalidGroup('Volume in group still has dependent snapshots.');
    }
    await updateGroup(tx, row.id, { status: 'deleting' }, env.clock.nowMs());
    await emitGroup(env, tx, requesterOf(caller.ctx), 'delete.start', { ...now, status: 'deleting' });
    const parts: string[] = [];
    for (const volume of volumes) parts.push(await deleteVolume(app, tx, caller, volume, { force: true, withGroup: true }));
    await settle(app, tx, caller, { kind: 'group', id: row.id, what: 'delete', parts });
  });
}

export interface GroupChange {
  readonly name?: string | null;
  readonly description?: string | null;
  readonly addVolumes?: readonly string[];
  readonly removeVolumes?: readonly string[];
}

const ADDABLE = ['available', 'in-use'];
const REMOVABLE = ['available', 'in-use', 'error', 'error_deleting'];

/** Renames a group, and puts volumes in or takes them out: no data moves. */
export async function changeGroup(app: CinderApp, caller: Caller, row: GroupRow, change: GroupChange): Promise<void> {
  const { env } = app.deps;
  await env.store.write(async (tx) => {
    caller.authorize('group:update', targetOf(row));
    const [add, remove] = [change.addVolumes ?? [], change.removeVolumes ?? []];
    const both = add.filter((id) => remove.includes(id));
    if (both.length > 0) throw invalidVolume(`UUIDs ${both.join(', ')} are in both add and remove volume list.`);
    const volumes = await volumesOfGroup(tx, row.id);
    const leaving = remove.map((id) => leavingVolume(volumes, row, id));
    const coming: VolumeRow[] = [];
    for (const id of add) if (!volumes.some((one) => one.id === id)) coming.push(await comingVolume(tx, caller, row, id));
    const changesNothing = change.name === undefined && change.description === undefined && coming.length === 0 && leaving.length === 0;
    if (changesNothing) throw invalidGroup(`Cannot update group ${row.id} because no valid name, description, add_volumes, or remove_volumes were provided.`);
    const nowMs = env.clock.nowMs();
    const fitting = coming.length === 0 && leaving.length === 0 ? undefined : ['available'];
    const set = { ...(change.name !== undefined && { name: change.name }), ...(change.description !== undefined && { description: change.description }) };
    if (!(await updateGroup(tx, row.id, { ...set, status: 'available' }, nowMs, fitting ?? ['available', 'error', 'updating'])))
      throw invalidGroup('Group status must be available.');
    for (const volume of coming) await updateVolume(tx, volume.id, { group_id: row.id }, nowMs);
    for (const volume of leaving) await updateVolume(tx, volume.id, { group_id: null }, nowMs);
    await emitGroup(env, tx, requesterOf(caller.ctx), 'update.end', row);
  });
}

function leavingVolume(volumes: readonly VolumeRow[], group: GroupRow, id: string): VolumeRow {
  const volume = volumes.find((one) => one.id === id);
  if (!volume) throw invalidVolume(`Cannot remove volume ${id} from group ${group.id} because it is not in the group.`);
  if (!REMOVABLE.includes(volume.status))
    throw invalidVolume(
      `Cannot remove volume ${id} from group ${group.id} because volume is in an invalid state: ${volume.status}. Valid states are: ('${REMOVABLE.join("', '")}').`,
    );
  return volume;
}

async function comingVolume(tx: Tx, caller: Caller, group: GroupRow, id: string): Promise<VolumeRow> {
  const refuse = (why: string): CairnError => invalidVolume(`Cannot add volume ${id} to group ${group.id} because ${why}.`);
  const volume = await volumeById(tx, id);
  if (!volume || !isVisible(caller.ctx, volume)) throw refuse('volume cannot be found');
  if (volume.group_id !== null) throw refuse(`volume is already in group ${volume.group_id}`);
  const types = (await typesOfGroups(tx, [group.id])).get(group.id) ?? [];
  if (!types.includes(volume.type_id)) throw refuse(`volume type ${volume.type_id} is not supported by the group`);
  if (!ADDABLE.includes(volume.status)) throw refuse(`volume is in an invalid state: ${volume.status}. Valid states are: ('${ADDABLE.join("', '")}')`);
  if (volume.host !== group.host) throw invalidVolume('Volume is not local to this node.');
  return volume;
}

const GROUP_STATUSES = ['error', 'available', 'creating', 'deleting', 'deleted', 'updating', 'error_deleting'];

export async function resetGroupStatus(app: CinderApp, caller: Caller, id: string, status: string): Promise<void> {
  const row = await getGroup(app.deps.env.store.read, caller, id);
  caller.authorize('group:reset_status', targetOf(row));
  if (!GROUP_STATUSES.includes(status))
    throw invalidInput(`Group status: ${status} is invalid, valid status are: ${GROUP_STATUSES.join(', ')}.`, { field: 'status' });
  await app.deps.env.store.write((tx) => updateGroup(tx, id, { status }, app.deps.env.clock.nowMs()));
}

/** Accepts a snapshot of every volume of a group. */
export async function createGroupSnapshot(
  app: CinderApp,
  caller: Caller,
  group: GroupRow,
  ask: { readonly name: string | null; readonly description: string | null },
): Promise<GroupSnapshotRow> {
  const { env } = app.deps;
  return env.store.write(async (tx) => {
    caller.authorize('group:create_group_snapshot', targetOf(group));
    const volumes = await volumesOfGroup(tx, group.id);
    if (volumes.length === 0) throw invalidGroup('Group is empty. No group snapshot will be created.');
    const row: GroupSnapshotRow = {
      id: env.ids.uuid(),
      project_id: caller.ctx.projectId ?? group.project_id,
      user_id: caller.ctx.userId,
      name: ask.name,
      description: ask.description,
      status: 'creating',
      group_id: group.id,
      group_type_id: group.group_type_id,
      created_at_ms: env.clock.nowMs(),
      updated_at_ms: null,
    };
    await insertGroupSnapshot(tx, row);
    const parts: string[] = [];
    for (const volume of volumes) {
      const made = await createSnapshot(app, tx, caller, volume, {
        name: ask.name,
        description: ask.description,
        metadata: {},
        inUse: true,
        groupSnapshotId: row.id,
      });
      if (made.saga_id !== null) parts.push(made.saga_id);
    }
    await settle(app, tx, caller, { kind: 'group_snapshot', id: row.id, what: 'create', parts });
    return row;
  });
}

export async function deleteGroupSnapshot(app: CinderApp, caller: Caller, id: string): Promise<void> {
  const { env } = app.deps;
  await env.store.write(async (tx) => {
    const row = await getGroupSnapshot(tx, caller, id);
    caller.authorize('group:delete_group_snapshot', targetOf(row));
    if (row.status !== 'available' && row.status !== 'error')
      throw invalidGroupSnapshot('GroupSnapshot status must be available or error, and no Group can be currently using it as source for its creation.');
    const nowMs = env.clock.nowMs();
    await updateGroupSnapshot(tx, id, { status: 'deleting' }, nowMs);
    const parts: string[] = [];
    for (const snapshot of await snapshotsOfGroupSnapshot(tx, id)) {
      await updateSnapshot(tx, snapshot.id, { status: 'deleting' }, nowMs);
      parts.push(await deleteSnapshot(app, tx, caller, snapshot, { force: true, withGroup: true }));
    }
    await settle(app, tx, caller, { kind: 'group_snapshot', id, what: 'delete', parts });
  });
}

const SNAPSHOT_STATUSES = ['error', 'available', 'creating', 'deleting', 'deleted', 'error_deleting', 'updating', 'backing-up', 'restoring', 'unmanaging'];

export async function resetGroupSnapshotStatus(app: CinderApp, caller: Caller, id: string, status: string): Promise<void> {
  const row = await getGroupSnapshot(app.deps.env.store.read, caller, id);
  caller.authorize('group:reset_group_snapshot_status', targetOf(row));
  if (!SNAPSHOT_STATUSES.includes(status))
    throw invalidInput(`Group snapshot status: ${status} is invalid, valid statuses are: ${SNAPSHOT_STATUSES.join(', ')}.`, { field: 'status' });
  await app.deps.env.store.write((tx) => updateGroupSnapshot(tx, id, { status }, app.deps.env.clock.nowMs()));
}

export type ReplicationVerb = 'enable' | 'disable' | 'failover';
const READY: Readonly<Record<ReplicationVerb, readonly string[]>> = {
  enable: ['disabled', 'enabled'],
  disable: ['enabled', 'error'],
  failover: ['enabled', 'failed-over'],
};

const list = (items: readonly string[]): string => `['${items.join("', '")}']`;

/** Checks as upstream does. No storage here replicates, so a group of a type that asks for it ends in error. */
export async function replicate(app: CinderApp, caller: Caller, id: string, verb: ReplicationVerb, evenAttached: boolean): Promise<void> {
  const { env } = app.deps;
  await env.store.write(async (tx) => {
    const row = await getGroup(tx, caller, id);
    caller.authorize(`group:${verb}_replication`, targetOf(row));
    await checkReplicated(tx, row);
    const statuses = verb === 'disable' ? ['available', 'error'] : ['available'];
    const what = `Cannot ${verb === 'failover' ? 'failover' : verb} replication for group`;
    if (!statuses.includes(row.status)) throw invalidGroup(`Group ${id} status must be ${list(statuses)}, but current status is: ${row.status}. ${what}.`);
    if (!READY[verb].includes(row.replication_status ?? ''))
      throw invalidGroup(`Group ${id} replication status must be ${list(READY[verb])}, but current status is: ${row.replication_status}. ${what}.`);
    for (const volume of await volumesOfGroup(tx, id)) {
      if (verb !== 'disable' && !ADDABLE.includes(volume.status))
        throw invalidVolume(`Volume ${volume.id} status must be ${list(ADDABLE)}, but current status is: ${volume.status}. ${what}.`);
      if (verb === 'failover' && volume.status === 'in-use' && !evenAttached)
        throw invalidVolume(`Volume ${volume.id} is attached but allow_attached_volume flag is False. Cannot failover replication for group.`);
    }
    await updateGroup(tx, id, { replication_status: 'error' }, env.clock.nowMs());
  });
}

export async function replicationTargets(app: CinderApp, caller: Caller, id: string): Promise<object> {
  const row = await getGroup(app.deps.env.store.read, caller, id);
  caller.authorize('group:list_replication_targets', targetOf(row));
  await checkReplicated(app.deps.env.store.read, row);
  return { replication_targets: [] };
}

async function checkReplicated(db: Db, row: GroupRow): Promise<void> {
  const specs = groupSpecsOf(await getGroupType(db, row.group_type_id));
  if (!isTrueSpec(specs['group_replication_enabled']) && !isTrueSpec(specs['consistent_group_replication_enabled']))
    throw invalidInput(`Invalid group type: Group ${row.id} is not a replication group type.`, { type: 'InvalidGroupType' });
  for (const typeId of (await typesOfGroups(db, [row.id])).get(row.id) ?? []) {
    const type = await typeById(db, typeId);
    if (type && !isTrueSpec(specsOf(type)['replication_enabled']))
      throw invalidInput(`Invalid volume type: Volume type ${typeId} does not have 'replication_enabled' spec key set to '<is> True'.`, {
        type: 'InvalidVolumeType',
      });
  }
}
