import { findRow, updateRows } from '@cairn/kit/store/rows';
import { insertRow } from '@cairn/kit/store/insert';
import { type ListPage, type ListRequest, type ListSpec, listRows } from '@cairn/kit/store/list';
import { type Db, on, type Tx } from '@cairn/kit/store/store';
import { toJson } from '@cairn/kit/store/values';
import { sql } from 'kysely';
import { dropPairs, indexPairs, type Pairs } from './metadata.ts';
import type { CinderTables, VolumeRow } from './tables.ts';

const q = (db: Db) => on<CinderTables>(db);

/** How volumes are listed; fields have upstream's names of columns. */
export const VOLUMES: ListSpec<VolumeRow> = {
  table: 'cinder_volume',
  id: 'id',
  columns: {
    id: 'id',
    project_id: 'project_id',
    user_id: 'user_id',
    display_name: { column: 'name', nullable: true },
    display_description: { column: 'description', nullable: true },
    size: { column: 'size_gb', type: 'integer' },
    status: 'status',
    attach_status: 'attach_status',
    migration_status: { column: 'migration_status', nullable: true },
    availability_zone: { column: 'availability_zone', nullable: true },
    volume_type_id: 'type_id',
    host: { column: 'host', nullable: true },
    service_uuid: { column: 'service_id', nullable: true },
    bootable: { column: 'bootable', type: 'boolean' },
    multiattach: { column: 'multiattach', type: 'boolean' },
    snapshot_id: { column: 'snapshot_id', nullable: true },
    source_volid: { column: 'source_volume_id', nullable: true },
    group_id: { column: 'group_id', nullable: true },
    use_quota: { column: 'use_quota', type: 'boolean' },
    created_at: { column: 'created_at_ms', type: 'integer' },
    updated_at: { column: 'updated_at_ms', nullable: true, type: 'integer' },
    launched_at: { column: 'launched_at_ms', nullable: true, type: 'integer' },
  },
  defaultSort: [{ field: 'created_at', direction: 'desc' }],
};

export const pageOfVolumes = (db: Db, request: ListRequest, spec: ListSpec<VolumeRow>): Promise<ListPage<VolumeRow>> => listRows(db, spec, request);

export const volumeById = (db: Db, id: string): Promise<VolumeRow | undefined> => findRow<VolumeRow>(db, 'cinder_volume', { id });

/** The volume that has a disk. */
export const volumeByDisk = (db: Db, host: string, diskId: string): Promise<VolumeRow | undefined> =>
  q(db).selectFrom('cinder_volume').selectAll().where('disk_id', '=', diskId).where('host', '=', host).executeTakeFirst();

export async function insertVolume(tx: Tx, row: VolumeRow, metadata: Pairs): Promise<void> {
  await insertRow(tx, 'cinder_volume', row);
  if (Object.keys(metadata).length > 0) await indexPairs(tx, row.id, 'user', metadata);
}

/** What a change of a volume may depend on. */
export interface VolumeWhere {
  readonly status?: readonly string[];
  readonly attachStatusNot?: string;
  readonly attachStatus?: string;
}

/** The status of a volume that nothing is being done with: what its attachments make of it. */
export const restingStatus = (attachStatus: string): string =>
  attachStatus === 'attached' ? 'in-use' : ['attaching', 'detaching', 'reserved'].includes(attachStatus) ? attachStatus : 'available';

/** Changes a volume, if it is as `where` says. Returns whether it did. */
export async function updateVolume(tx: Tx, id: string, set: Partial<VolumeRow>, nowMs: number, where: VolumeWhere = {}): Promise<boolean> {
  const change = { updated_at_ms: nowMs, ...set };
  if (where.attachStatusNot === undefined)
    return (await updateRows<VolumeRow>(tx, 'cinder_volume', change, { id, status: where.status, attach_status: where.attachStatus })) > 0;
  let query = q(tx).updateTable('cinder_volume').set(change).where('id', '=', id).where('attach_status', '!=', where.attachStatusNot);
  if (where.status) query = query.where('status', 'in', where.status);
  if (where.attachStatus !== undefined) query = query.where('attach_status', '=', where.attachStatus);
  return Number((await query.executeTakeFirst()).numUpdatedRows) > 0;
}

/** Makes the user's or the image's metadata of a volume exactly this. */
export async function setVolumePairs(tx: Tx, id: string, kind: 'user' | 'image', pairs: Pairs, nowMs: number): Promise<void> {
  await updateVolume(tx, id, kind === 'user' ? { metadata: toJson(pairs) } : { image_metadata: toJson(pairs) }, nowMs);
  await indexPairs(tx, id, kind, pairs);
}

/** Removes a volume's row with all that hangs on it. */
export async function deleteVolumeRow(tx: Tx, id: string): Promise<void> {
  await dropPairs(tx, id);
  await q(tx).deleteFrom('cinder_attachment').where('volume_id', '=', id).execute();
  await q(tx).deleteFrom('cinder_transfer').where('volume_id', '=', id).execute();
  await q(tx).deleteFrom('cinder_volume').where('id', '=', id).execute();
}

/** Is a volume made of this volume or snapshot at this moment? */
export async function isBeingCopied(db: Db, origin: { readonly volumeId: string } | { readonly snapshotId: string }): Promise<boolean> {
  const [column, id] = 'volumeId' in origin ? (['source_volume_id', origin.volumeId] as const) : (['snapshot_id', origin.snapshotId] as const);
  const found = await q(db)
    .selectFrom('cinder_volume')
    .select('id')
    .where(column, '=', id)
    .where('launched_at_ms', 'is', null)
    // nova may have a volume whose content still comes
    .where('status', 'in', ['creating', 'downloading', 'reserved', 'attaching'])
    .limit(1)
    .executeTakeFirst();
  return found !== undefined;
}

export async function typeHasVolumes(db: Db, typeId: string): Promise<boolean> {
  return (await q(db).selectFrom('cinder_volume').select('id').where('type_id', '=', typeId).limit(1).executeTakeFirst()) !== undefined;
}

/** Volumes and snapshots of each project on a host, for os-hosts. */
export async function useOfHost(
  db: Db,
  host: string,
): Promise<readonly { project_id: string; volumes: number; gigabytes: number; snapshots: number; snapshot_gigabytes: number }[]> {
  const volumes = await q(db)
    .selectFrom('cinder_volume')
    .select(['project_id', sql<number>`count(*)`.as('count'), sql<number>`sum(size_gb)`.as('gb')])
    .where('host', '=', host)
    .groupBy('project_id')
    .orderBy('project_id')
    .execute();
  const snapshots = await q(db)
    .selectFrom('cinder_snapshot')
    .innerJoin('cinder_volume', 'cinder_volume.id', 'cinder_snapshot.volume_id')
    .select(['cinder_snapshot.project_id', sql<number>`count(*)`.as('count'), sql<number>`sum(cinder_snapshot.size_gb)`.as('gb')])
    .where('cinder_volume.host', '=', host)
    .groupBy('cinder_snapshot.project_id')
    .execute();
  const byProject = new Map(snapshots.map((row) => [row.project_id, row]));
  return volumes.map((row) => {
    const own = byProject.get(row.project_id);
    return {
      project_id: row.project_id,
      volumes: Number(row.count),
      gigabytes: Number(row.gb),
      snapshots: Number(own?.count ?? 0),
      snapshot_gigabytes: Number(own?.gb ?? 0),
    };
  });
}
