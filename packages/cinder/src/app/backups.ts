import { type CairnError, invalidInput } from '@cairn/kit/errors/errors';
import type { ListPage, ListRequest, ListSpec } from '@cairn/kit/store/list';
import type { Db, Tx } from '@cairn/kit/store/store';
import { fromJson, toJson } from '@cairn/kit/store/values';
import { invalidSnapshot, invalidVolume } from '../errors.ts';
import { subjectOf } from '../sagas/common.ts';
import { BACKUPS, backupById, backupsOfVolume, insertBackup, pageOfBackups, updateBackup, withDependents } from '../store/backups.ts';
import { countRows } from '../store/count.ts';
import { indexPairs, type Pairs } from '../store/metadata.ts';
import { updateSnapshot } from '../store/snapshots.ts';
import type { BackupRow, VolumeRow } from '../store/tables.ts';
import { updateVolume } from '../store/volumes.ts';
import type { CinderApp } from './app.ts';
import { accountOf, type BackupFacts, backupNotFound } from './backup-facts.ts';
import { checkRestorable, getBackup, serviceIn, startRestore } from './backup-restore.ts';
import { type Caller, requesterOf, targetOf } from './caller.ts';
import { emitBackup } from './events.ts';
import { cloneKey } from './keys.ts';
import { claimBackupQuota } from './quota.ts';
import { getSnapshot } from './snapshots.ts';
import { createVolume } from './volume-create.ts';
import { checkPairs, getVolume } from './volumes.ts';

const invalidBackup = (reason: string): CairnError => invalidInput(`Invalid backup: ${reason}`, { type: 'InvalidBackup' });

/** What lists of backups may ask for. */
export const BACKUP_LIST: ListSpec<BackupRow> = { ...BACKUPS, unknownMarker: (marker) => backupNotFound(String(marker)) };
export const listBackups = (db: Db, request: ListRequest): Promise<ListPage<BackupRow>> => pageOfBackups(db, request, BACKUP_LIST);
export const countBackups = (db: Db, request: ListRequest): Promise<number> => countRows(db, BACKUP_LIST, request);
/** The backup if the caller may see it; which of these backups others build on. */
export { getBackup } from './backup-restore.ts';
export { withDependents } from '../store/backups.ts';

async function backupFor(db: Db, caller: Caller, id: string, rule: string): Promise<BackupRow> {
  const row = await getBackup(db, caller, id);
  caller.authorize(rule, targetOf(row));
  return row;
}

export interface NewBackup {
  readonly name: string | null;
  readonly description: string | null;
  readonly volumeId: string;
  readonly container: string | null;
  readonly incremental: boolean;
  readonly force: boolean;
  readonly snapshotId: string | null;
  readonly metadata: Pairs;
  readonly availabilityZone: string | null;
}

/** Accepts a backup of a volume, or of a snapshot of it. */
export async function createBackup(app: CinderApp, tx: Tx, caller: Caller, ask: NewBackup): Promise<BackupRow> {
  const { env, options } = app.deps;
  const { ctx } = caller;
  const volume = await getVolume(tx, caller, ask.volumeId);
  caller.authorize('backup:create', targetOf(volume));
  const snapshot = ask.snapshotId ? await getSnapshot(tx, caller, ask.snapshotId) : undefined;
  if (snapshot) {
    if (snapshot.volume_id !== volume.id) throw invalidVolume(`Volume ${volume.id} does not match with snapshot.volume_id ${snapshot.volume_id}.`);
    if (snapshot.status !== 'available') throw invalidSnapshot(`Snapshot to be backed up must be available, but the current status is "${snapshot.status}".`);
  } else if (volume.status !== 'available' && volume.status !== 'in-use') {
    throw invalidVolume(`Volume to be backed up must be available or in-use, but the current status is "${volume.status}".`);
  } else if (volume.status === 'in-use' && !ask.force) throw invalidVolume('Backing up an in-use volume must use the force flag.');
  checkPairs(ask.metadata);
  const projectId = ctx.projectId ?? volume.project_id;
  await claimBackupQuota(tx, options.quotaDefaults, projectId, volume.size_gb);
  const { host } = await serviceIn(app, tx, ask.availabilityZone);
  const driver = app.backups.forNew();
  const parent = ask.incremental ? await parentOf(tx, volume, projectId, driver.service, snapshot?.created_at_ms) : undefined;
  const nowMs = env.clock.nowMs();
  const id = env.ids.uuid();
  const { container, place } = driver.placeFor({ id, volumeId: volume.id, container: ask.container, nowMs });
  const row: BackupRow = {
    id,
    volume_id: volume.id,
    snapshot_id: snapshot?.id ?? null,
    parent_id: parent?.id ?? null,
    project_id: projectId,
    user_id: ctx.userId,
    name: ask.name,
    description: ask.description,
    status: 'creating',
    fail_reason: null,
    size_gb: volume.size_gb,
    container,
    availability_zone: ask.availabilityZone,
    host,
    service: driver.service,
    service_metadata: place,
    object_count: 0,
    restore_volume_id: null,
    encryption_key_id: volume.encryption_key_id === null ? null : await cloneKey(app.deps, tx, volume.encryption_key_id, volume.project_id),
    metadata: toJson(ask.metadata),
    facts: toJson({
      bootable: volume.bootable,
      imageMetadata: fromJson<Pairs>(volume.image_metadata),
      name: volume.name,
      metadata: fromJson<Pairs>(volume.metadata),
      ...(volume.encryption_key_id !== null && { typeId: volume.type_id }),
    } satisfies BackupFacts),
    data_timestamp_ms: snapshot?.created_at_ms ?? nowMs,
    created_at_ms: nowMs,
    updated_at_ms: null,
  };
  if (snapshot) await updateSnapshot(tx, snapshot.id, { status: 'backing-up' }, nowMs);
  else await updateVolume(tx, volume.id, { status: 'backing-up', previous_status: volume.status }, nowMs);
  await insertBackup(tx, row, ask.metadata);
  const who = requesterOf(ctx);
  await emitBackup(env, tx, who, 'create.start', row);
  await env.sagas.start(
    tx,
    app.sagas.backupCreate,
    { backupId: row.id, volumeId: volume.id, previousStatus: volume.status, account: accountOf(ctx, row), who },
    { subject: subjectOf(volume.id), requestId: who.requestId, userId: who.userId, projectId },
  );
  return row;
}

/** The newest backup that an increment can build on. */
async function parentOf(tx: Tx, volume: VolumeRow, projectId: string, service: string, beforeMs: number | undefined): Promise<BackupRow> {
  const fitting = (await backupsOfVolume(tx, volume.id, projectId)).find(
    (one) => one.status === 'available' && one.service === service && (beforeMs === undefined || (one.data_timestamp_ms ?? 0) < beforeMs),
  );
  if (!fitting) throw invalidBackup('No backups available to do an incremental backup.');
  return fitting;
}

/** Accepts the deletion of a backup. */
export async function deleteBackup(app: CinderApp, tx: Tx, caller: Caller, id: string, force: boolean): Promise<void> {
  const { env } = app.deps;
  const row = await getBackup(tx, caller, id);
  caller.authorize('backup:delete', targetOf(row));
  if (!force && row.status !== 'available' && row.status !== 'error') throw invalidBackup('Backup status must be available or error');
  if ((await withDependents(tx, [row.id])).size > 0) throw invalidBackup('Incremental backups exist for this backup.');
  await serviceIn(app, tx, row.availability_zone);
  await updateBackup(tx, row.id, { status: 'deleting' }, env.clock.nowMs());
  const who = requesterOf(caller.ctx);
  await emitBackup(env, tx, who, 'delete.start', { ...row, status: 'deleting' });
  // a backup that is being made ends first: both have the volume as their subject
  await env.sagas.start(
    tx,
    app.sagas.backupDelete,
    { backupId: row.id, account: accountOf(caller.ctx, row), who },
    { subject: subjectOf(row.volume_id), requestId: who.requestId, userId: who.userId, projectId: row.project_id },
  );
}

export interface Restoring {
  readonly backupId: string;
  readonly volumeId: string;
  readonly volumeName: string | null;
}

/** Accepts that a volume gets the content of a backup: the named one, or a new one. */
export async function restoreBackup(
  app: CinderApp,
  tx: Tx,
  caller: Caller,
  id: string,
  ask: { readonly volumeId: string | null; readonly name: string | null },
): Promise<Restoring> {
  const row = await getBackup(tx, caller, id);
  caller.authorize('backup:restore', targetOf(row));
  if (row.status !== 'available') throw invalidBackup('Backup status must be available');
  const isNew = ask.volumeId === null;
  const volume =
    ask.volumeId === null
      ? await createVolume(app, tx, caller, {
          size: row.size_gb,
          name: ask.name ?? `restore_backup_${id}`,
          description: 'auto-created_from_restore_from_backup',
          volumeType: fromJson<BackupFacts>(row.facts).typeId ?? null,
          followImageSnapshot: false,
        })
      : await getVolume(tx, caller, ask.volumeId);
  if (!isNew && volume.status !== 'available') throw invalidVolume('Volume to be restored to must be available');
  if (row.size_gb > volume.size_gb) throw invalidVolume(`volume size ${volume.size_gb} is too small to restore backup of size ${row.size_gb}.`);
  await checkRestorable(tx, row, volume.type_id);
  await startRestore(app, tx, caller, row, volume, isNew);
  return { backupId: row.id, volumeId: volume.id, volumeName: volume.name };
}

export interface BackupChange {
  readonly name?: string | null;
  readonly description?: string | null;
  readonly metadata?: Pairs;
}

export async function changeBackup(app: CinderApp, caller: Caller, id: string, change: BackupChange): Promise<BackupRow> {
  const { env } = app.deps;
  return env.store.write(async (tx) => {
    await backupFor(tx, caller, id, 'backup:update');
    if (change.metadata) {
      checkPairs(change.metadata);
      await indexPairs(tx, id, 'backup', change.metadata);
    }
    await updateBackup(
      tx,
      id,
      {
        ...(change.name !== undefined && { name: change.name }),
        ...(change.description !== undefined && { description: change.description }),
        ...(change.metadata && { metadata: toJson(change.metadata) }),
      },
      env.clock.nowMs(),
    );
    return (await backupById(tx, id)) as BackupRow;
  });
}

/** Sets a backup's status, whatever it is. */
export async function resetBackupStatus(app: CinderApp, caller: Caller, id: string, status: string): Promise<void> {
  const { env } = app.deps;
  await env.store.write(async (tx) => {
    const row = await getBackup(tx, caller, id);
    caller.authorize('volume_extension:backup_admin_actions:reset_status', targetOf(row));
    await serviceIn(app, tx, row.availability_zone);
    await updateBackup(tx, row.id, { status }, env.clock.nowMs());
    await emitBackup(env, tx, requesterOf(caller.ctx), 'reset_status.end', { ...row, status });
  });
}

/** The part of a record that another cloud, or this one after a loss, finds the backup again by. */
const EXPORTED = [
  'id',
  'volume_id',
  'snapshot_id',
  'parent_id',
  'container',
  'availability_zone',
  'object_count',
  'encryption_key_id',
  'facts',
  'service_metadata',
] as const;

export async function exportRecord(app: CinderApp, caller: Caller, id: string): Promise<{ readonly service: string; readonly url: string }> {
  const row = await backupFor(app.deps.env.store.read, caller, id, 'backup:export-import');
  if (row.status !== 'available') throw invalidBackup(`Backup status must be available and not ${row.status}.`);
  const record = {
    ...Object.fromEntries(EXPORTED.map((key) => [key, row[key]])),
    size: row.size_gb,
    display_name: row.name,
    display_description: row.description,
    metadata: fromJson(row.metadata),
    created_at: new Date(row.created_at_ms).toISOString(),
    data_timestamp: row.data_timestamp_ms === null ? null : new Date(row.data_timestamp_ms).toISOString(),
    driver_info: {},
  };
  return { service: row.service ?? '', url: Buffer.from(JSON.stringify(record)).toString('base64') };
}
