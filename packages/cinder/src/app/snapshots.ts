import { invalidInput } from '@cairn/kit/errors/errors';
import type { ListPage, ListRequest, ListSpec } from '@cairn/kit/store/list';
import type { Db, Tx } from '@cairn/kit/store/store';
import { toJson } from '@cairn/kit/store/values';
import { invalidSnapshot, invalidVolume, orList, snapshotNotFound } from '../errors.ts';
import { subjectOf } from '../sagas/common.ts';
import { countRows } from '../store/count.ts';
import type { Pairs } from '../store/metadata.ts';
import { insertSnapshot, latestSnapshotOf, pageOfSnapshots, setSnapshotPairs, snapshotById, SNAPSHOTS, updateSnapshot } from '../store/snapshots.ts';
import type { SnapshotRow, VolumeRow } from '../store/tables.ts';
import { typeById } from '../store/types.ts';
import type { CinderApp } from './app.ts';
import { type Caller, isVisible, requesterOf, targetOf } from './caller.ts';
import { emitSnapshot } from './events.ts';
import { claimQuota } from './quota.ts';
import { refuseFrozen } from './services.ts';
import { isMigrating } from './volume-migrate.ts';
import { checkPairs, pairsOf } from './volumes.ts';

/** What lists of snapshots may ask for. */
export const SNAPSHOT_LIST: ListSpec<SnapshotRow> = { ...SNAPSHOTS, unknownMarker: (marker) => snapshotNotFound(String(marker)) };

export const listSnapshots = (db: Db, request: ListRequest): Promise<ListPage<SnapshotRow>> => pageOfSnapshots(db, request, SNAPSHOT_LIST);
/** How many a list has in all, whatever the page. */
export const countSnapshots = (db: Db, request: ListRequest): Promise<number> => countRows(db, SNAPSHOT_LIST, request);

/** The snapshot if the caller may see it; NotFound otherwise. */
export async function getSnapshot(db: Db, caller: Caller, id: string): Promise<SnapshotRow> {
  const row = await snapshotById(db, id);
  if (!row || !isVisible(caller.ctx, row)) throw snapshotNotFound(id);
  caller.authorize('volume:get_snapshot', targetOf(row));
  return row;
}

export async function snapshotFor(db: Db, caller: Caller, id: string, rule: string): Promise<SnapshotRow> {
  const row = await getSnapshot(db, caller, id);
  caller.authorize(rule, targetOf(row));
  return row;
}

export interface NewSnapshot {
  readonly id?: string;
  readonly name: string | null;
  readonly description: string | null;
  readonly metadata: Pairs;
  /** Also while somebody has the volume. */
  readonly inUse: boolean;
  /** The group's snapshot that it is a part of. */
  readonly groupSnapshotId?: string;
}

/** Accepts a snapshot of a volume. It belongs to the caller's project, as upstream's does. */
export async function createSnapshot(app: CinderApp, tx: Tx, caller: Caller, volume: VolumeRow, ask: NewSnapshot): Promise<SnapshotRow> {
  const { env, options } = app.deps;
  const { ctx } = caller;
  await refuseFrozen(tx, volume.host);
  caller.authorize('volume:create_snapshot', targetOf(volume));
  if (volume.host === null) throw invalidVolume('The snapshot cannot be created because volume has not been scheduled to any host.');
  if (volume.status === 'maintenance') throw invalidVolume('The snapshot cannot be created when the volume is in maintenance mode.');
  if (volume.status === 'error') throw invalidVolume('The snapshot cannot be created when the volume is in error status.');
  checkPairs(ask.metadata);
  const fitting = ask.inUse ? ['available', 'in-use'] : ['available'];
  if (!fitting.includes(volume.status))
    throw invalidVolume(`Volume ${volume.id} status must be ${fitting.join(', ')}, but current status is: ${volume.status}.`);
  if (isMigrating(volume)) throw invalidVolume(`Volume ${volume.id} cannot be snapshotted while it is migrating.`);
  const projectId = ctx.projectId ?? volume.project_id;
  const type = (await typeById(tx, volume.type_id)) ?? { id: volume.type_id, name: volume.type_id };
  await claimQuota(tx, options.quotaDefaults, { projectId, type, change: { snapshots: 1, snapshot_gb: volume.size_gb }, resource: 'snapshots' });
  // the newest is told by its time, so no two of a volume have the same
  const before = await latestSnapshotOf(tx, volume.id);
  const createdAtMs = Math.max(env.clock.nowMs(), (before?.created_at_ms ?? 0) + 1);
  const id = ask.id ?? env.ids.uuid();
  const who = requesterOf(ctx);
  const sagaId = await env.sagas.start(
    tx,
    app.sagas.snapshotCreate,
    { snapshotId: id, who },
    { subject: subjectOf(volume.id), requestId: who.requestId, userId: who.userId, projectId },
  );
  const row: SnapshotRow = {
    id,
    volume_id: volume.id,
    project_id: projectId,
    user_id: ctx.userId,
    name: ask.name,
    description: ask.description,
    status: 'creating',
    progress: '0%',
    size_gb: volume.size_gb,
    type_id: volume.type_id,
    host: volume.host,
    disk_id: volume.disk_id,
    availability_zone: volume.availability_zone,
    bootable: volume.bootable,
    group_snapshot_id: ask.groupSnapshotId ?? null,
    use_quota: 1,
    metadata: toJson(ask.metadata),
    image_metadata: volume.image_metadata,
    saga_id: sagaId,
    encryption_key_id: volume.encryption_key_id,
    created_at_ms: createdAtMs,
    updated_at_ms: null,
  };
  await insertSnapshot(tx, row, ask.metadata);
  await emitSnapshot(env, tx, who, 'create.start', row);
  return row;
}

export interface SnapshotDeletion {
  readonly force?: boolean;
  /** The group's snapshot goes as a whole. */
  readonly withGroup?: boolean;
}

/** Accepts the deletion of a snapshot. Returns its saga. */
export async function deleteSnapshot(app: CinderApp, tx: Tx, caller: Caller, row: SnapshotRow, options: SnapshotDeletion = {}): Promise<string> {
  const { env } = app.deps;
  const { force = false, withGroup = false } = options;
  caller.authorize('volume:delete_snapshot', targetOf(row));
  await refuseFrozen(tx, row.host);
  const fitting = ['available', 'error'];
  if ((!force && !fitting.includes(row.status)) || (row.group_snapshot_id !== null && !withGroup)) {
    throw invalidSnapshot(`Snapshot ${force ? '' : `status must be ${orList(fitting)} and`} must not be part of a group.`);
  }
  await updateSnapshot(tx, row.id, { status: 'deleting' }, env.clock.nowMs());
  const who = requesterOf(caller.ctx);
  await emitSnapshot(env, tx, who, 'delete.start', { ...row, status: 'deleting' });
  return env.sagas.start(
    tx,
    app.sagas.snapshotDelete,
    { snapshotId: row.id, who },
    { subject: subjectOf(row.volume_id), requestId: who.requestId, userId: who.userId, projectId: row.project_id },
  );
}

export interface SnapshotChange {
  readonly name?: string | null;
  readonly description?: string | null;
}

export async function updateSnapshotBy(app: CinderApp, caller: Caller, id: string, change: SnapshotChange): Promise<SnapshotRow> {
  const { env } = app.deps;
  return env.store.write(async (tx) => {
    await snapshotFor(tx, caller, id, 'volume:update_snapshot');
    await updateSnapshot(
      tx,
      id,
      { ...(change.name !== undefined && { name: change.name }), ...(change.description !== undefined && { description: change.description }) },
      env.clock.nowMs(),
    );
    const row = (await snapshotById(tx, id)) as SnapshotRow;
    await emitSnapshot(env, tx, requesterOf(caller.ctx), 'update.end', row);
    return row;
  });
}

/** Sets a snapshot's status, whatever it is. */
export async function resetSnapshotStatus(app: CinderApp, caller: Caller, id: string, status: string): Promise<void> {
  const { env } = app.deps;
  await env.store.write(async (tx) => {
    const row = await getSnapshot(tx, caller, id);
    await updateSnapshot(tx, row.id, { status }, env.clock.nowMs());
    await emitSnapshot(env, tx, requesterOf(caller.ctx), 'reset_status.end', { ...row, status });
  });
}

/** What whoever makes or removes a snapshot may report, by the status that it has. */
const NEXT_STATUSES: Readonly<Record<string, readonly string[]>> = { creating: ['creating', 'available', 'error'], deleting: ['deleting', 'error_deleting'] };

/** Takes a report of how far a snapshot has come; `progress` like `80%`. */
export async function reportSnapshot(app: CinderApp, caller: Caller, id: string, status: string, progress: string | undefined): Promise<void> {
  const { env } = app.deps;
  await env.store.write(async (tx) => {
    const row = await snapshotFor(tx, caller, id, 'snapshot_extension:snapshot_actions:update_snapshot_status');
    const allowed = NEXT_STATUSES[row.status];
    if (!allowed) throw invalidInput(`Snapshot status ${row.status} not allowed for update_snapshot_status`);
    if (!allowed.includes(status))
      throw invalidInput(`Provided snapshot status ${status} not allowed for snapshot with status ${row.status}.`, { field: 'status' });
    await updateSnapshot(tx, row.id, { status, ...(progress !== undefined && { progress }) }, env.clock.nowMs());
  });
}

/** Writes a snapshot's metadata: adds and changes, or with `replace` makes it exactly this. */
export async function writeSnapshotMetadata(app: CinderApp, caller: Caller, id: string, pairs: Pairs, replace: boolean): Promise<Pairs> {
  const { env } = app.deps;
  return env.store.write(async (tx) => {
    const row = await snapshotFor(tx, caller, id, 'volume:update_snapshot_metadata');
    checkPairs(pairs);
    const all = replace ? pairs : { ...pairsOf(row.metadata), ...pairs };
    await setSnapshotPairs(tx, id, all, env.clock.nowMs());
    return all;
  });
}

export async function removeSnapshotMetadata(app: CinderApp, caller: Caller, id: string, key: string, absent: () => Error): Promise<void> {
  const { env } = app.deps;
  await env.store.write(async (tx) => {
    const row = await getSnapshot(tx, caller, id);
    const { [key]: gone, ...rest } = pairsOf(row.metadata);
    if (gone === undefined) throw absent();
    caller.authorize('volume:delete_snapshot_metadata', targetOf(row));
    await setSnapshotPairs(tx, id, rest, env.clock.nowMs());
  });
}
