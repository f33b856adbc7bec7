import { type ListPage, type ListRequest, type ListSpec, listRows } from '@cairn/kit/store/list';
import { type Db, on, type Tx } from '@cairn/kit/store/store';
import { sql } from 'kysely';
import type { CinderTables, GroupRow, GroupSnapshotRow, GroupTypeRow, SnapshotRow, VolumeRow } from './tables.ts';

const q = (db: Db) => on<CinderTables>(db);
const newestFirst = [{ field: 'created_at', direction: 'desc' }] as const;

export const GROUP_TYPES: ListSpec<GroupTypeRow> = {
  table: 'cinder_group_type',
  id: 'id',
  columns: {
    id: 'id',
    name: 'name',
    description: { column: 'description', nullable: true },
    is_public: { column: 'is_public', type: 'boolean' },
    created_at: { column: 'created_at_ms', type: 'integer' },
    updated_at: { column: 'updated_at_ms', nullable: true, type: 'integer' },
  },
  defaultSort: newestFirst,
};
export const GROUPS: ListSpec<GroupRow> = {
  table: 'cinder_group',
  id: 'id',
  columns: {
    id: 'id',
    project_id: 'project_id',
    user_id: 'user_id',
    name: { column: 'name', nullable: true },
    description: { column: 'description', nullable: true },
    status: 'status',
    group_type_id: 'group_type_id',
    availability_zone: { column: 'availability_zone', nullable: true },
    host: { column: 'host', nullable: true },
    group_snapshot_id: { column: 'group_snapshot_id', nullable: true },
    source_group_id: { column: 'source_group_id', nullable: true },
    replication_status: { column: 'replication_status', nullable: true },
    created_at: { column: 'created_at_ms', type: 'integer' },
    updated_at: { column: 'updated_at_ms', nullable: true, type: 'integer' },
  },
  defaultSort: newestFirst,
};
export const GROUP_SNAPSHOTS: ListSpec<GroupSnapshotRow> = {
  table: 'cinder_group_snapshot',
  id: 'id',
  columns: {
    id: 'id',
    project_id: 'project_id',
    user_id: 'user_id',
    name: { column: 'name', nullable: true },
    description: { column: 'description', nullable: true },
    status: 'status',
    group_id: 'group_id',
    group_type_id: 'group_type_id',
    created_at: { column: 'created_at_ms', type: 'integer' },
    updated_at: { column: 'updated_at_ms', nullable: true, type: 'integer' },
  },
  defaultSort: newestFirst,
};

export const pageOfGroupTypes = (db: Db, request: ListRequest, spec: ListSpec<GroupTypeRow>): Promise<ListPage<GroupTypeRow>> => listRows(db, spec, request);
export const pageOfGroups = (db: Db, request: ListRequest, spec: ListSpec<GroupRow>): Promise<ListPage<GroupRow>> => listRows(db, spec, request);
export const pageOfGroupSnapshots = (db: Db, request: ListRequest, spec: ListSpec<GroupSnapshotRow>): Promise<ListPage<GroupSnapshotRow>> =>
  listRows(db, spec, request);

export const groupTypeById = (db: Db, id: string): Promise<GroupTypeRow | undefined> =>
  q(db).selectFrom('cinder_group_type').selectAll().where('id', '=', id).executeTakeFirst();
export const groupTypeByName = (db: Db, name: string): Promise<GroupTypeRow | undefined> =>
  q(db).selectFrom('cinder_group_type').selectAll().where('name', '=', name).executeTakeFirst();
export async function insertGroupType(tx: Tx, row: GroupTypeRow): Promise<void> {
  await q(tx).insertInto('cinder_group_type').values(row).execute();
}
export async function updateGroupType(tx: Tx, id: string, set: Partial<GroupTypeRow>, nowMs: number): Promise<void> {
  await q(tx)
    .updateTable('cinder_group_type')
    .set({ updated_at_ms: nowMs, ...set })
    .where('id', '=', id)
    .execute();
}
export async function deleteGroupTypeRow(tx: Tx, id: string): Promise<void> {
  await q(tx).deleteFrom('cinder_group_type').where('id', '=', id).execute();
}
export async function groupTypeIsUsed(db: Db, id: string): Promise<boolean> {
  return (await q(db).selectFrom('cinder_group').select('id').where('group_type_id', '=', id).limit(1).executeTakeFirst()) !== undefined;
}

export const groupById = (db: Db, id: string): Promise<GroupRow | undefined> =>
  q(db).selectFrom('cinder_group').selectAll().where('id', '=', id).executeTakeFirst();
export async function insertGroup(tx: Tx, row: GroupRow, typeIds: readonly string[]): Promise<void> {
  await q(tx).insertInto('cinder_group').values(row).execute();
  if (typeIds.length > 0)
    await q(tx)
      .insertInto('cinder_group_volume_type')
      .values(typeIds.map((type_id) => ({ group_id: row.id, type_id })))
      .execute();
}
/** Changes a group, with `from` only while it has one of these statuses. Returns whether it did. */
export async function updateGroup(tx: Tx, id: string, set: Partial<GroupRow>, nowMs: number, from?: readonly string[]): Promise<boolean> {
  let query = q(tx)
    .updateTable('cinder_group')
    .set({ updated_at_ms: nowMs, ...set })
    .where('id', '=', id);
  if (from) query = query.where('status', 'in', from);
  return Number((await query.executeTakeFirst()).numUpdatedRows) > 0;
}
export async function deleteGroupRow(tx: Tx, id: string): Promise<void> {
  await q(tx).deleteFrom('cinder_group_volume_type').where('group_id', '=', id).execute();
  await q(tx).deleteFrom('cinder_group').where('id', '=', id).execute();
}

/** Ids of the volume types of these groups. */
export async function typesOfGroups(db: Db, ids: readonly string[]): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>();
  if (ids.length === 0) return found;
  for (const row of await q(db).selectFrom('cinder_group_volume_type').selectAll().where('group_id', 'in', ids).orderBy('type_id').execute())
    found.set(row.group_id, [...(found.get(row.group_id) ?? []), row.type_id]);
  return found;
}
export async function typeHasGroups(db: Db, typeId: string): Promise<boolean> {
  return (await q(db).selectFrom('cinder_group_volume_type').select('group_id').where('type_id', '=', typeId).limit(1).executeTakeFirst()) !== undefined;
}

export const volumesOfGroup = (db: Db, groupId: string): Promise<VolumeRow[]> =>
  q(db).selectFrom('cinder_volume').selectAll().where('group_id', '=', groupId).orderBy('created_at_ms').orderBy('id').execute();
export const snapshotsOfGroupSnapshot = (db: Db, id: string): Promise<SnapshotRow[]> =>
  q(db).selectFrom('cinder_snapshot').selectAll().where('group_snapshot_id', '=', id).orderBy('created_at_ms').orderBy('id').execute();

export const groupSnapshotById = (db: Db, id: string): Promise<GroupSnapshotRow | undefined> =>
  q(db).selectFrom('cinder_group_snapshot').selectAll().where('id', '=', id).executeTakeFirst();
export async function insertGroupSnapshot(tx: Tx, row: GroupSnapshotRow): Promise<void> {
  await q(tx).insertInto('cinder_group_snapshot').values(row).execute();
}
export async function updateGroupSnapshot(tx: Tx, id: string, set: Partial<GroupSnapshotRow>, nowMs: number): Promise<void> {
  await q(tx)
    .updateTable('cinder_group_snapshot')
    .set({ updated_at_ms: nowMs, ...set })
    .where('id', '=', id)
    .execute();
}
export async function deleteGroupSnapshotRow(tx: Tx, id: string): Promise<void> {
  await q(tx).deleteFrom('cinder_group_snapshot').where('id', '=', id).execute();
}
export async function groupHasSnapshots(db: Db, groupId: string): Promise<boolean> {
  return (await q(db).selectFrom('cinder_group_snapshot').select('id').where('group_id', '=', groupId).limit(1).executeTakeFirst()) !== undefined;
}

/** How many groups a project has. */
export async function groupUse(db: Db, projectId: string): Promise<number> {
  const row = await q(db).selectFrom('cinder_group').select(sql<number>`count(*)`.as('count')).where('project_id', '=', projectId).executeTakeFirst();
  return Number(row?.count ?? 0);
}
