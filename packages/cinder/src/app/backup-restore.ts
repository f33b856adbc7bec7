import { CairnError } from '@cairn/kit/errors/errors';
import type { Db, Tx } from '@cairn/kit/store/store';
import { fromJson } from '@cairn/kit/store/values';
import { subjectOf } from '../sagas/common.ts';
import { backupById, updateBackup } from '../store/backups.ts';
import { services } from '../store/services.ts';
import type { BackupRow, VolumeRow } from '../store/tables.ts';
import { updateVolume } from '../store/volumes.ts';
import type { CinderApp } from './app.ts';
import { invalidVolume } from '../errors.ts';
import { accountOf, type BackupFacts, backupNotFound } from './backup-facts.ts';
import { type Caller, isVisible, requesterOf, targetOf } from './caller.ts';
import { encryptionOfType } from './encryption.ts';
import { emitBackup } from './events.ts';
import { cloneKey } from './keys.ts';

/** The backup if the caller may see it; NotFound otherwise. */
export async function getBackup(db: Db, caller: Caller, id: string): Promise<BackupRow> {
  const row = await backupById(db, id);
  if (!row || !isVisible(caller.ctx, row)) throw backupNotFound(id);
  caller.authorize('backup:get', targetOf(row));
  return row;
}

/** The backup service that takes work in a zone. */
export async function serviceIn(app: CinderApp, db: Db, zone: string | null): Promise<{ readonly host: string }> {
  const found = (await services(db)).find(
    (one) => one.binary === 'cinder-backup' && one.disabled === 0 && (zone === null || zone === '' || one.availability_zone === zone),
  );
  if (!found || !app.backups.chosen) throw new CairnError('Unavailable', 'Service cinder-backup could not be found.', { status: 503, type: 'ServiceNotFound' });
  return { host: found.host };
}

/**
 * A backup holds what was stored: that of an encrypted volume goes to one of the same type, which says how it is encrypted (upstream's
 * EncryptedBackupOperationFailed), and that of another one to no encrypted volume.
 */
export async function checkRestorable(db: Db, row: BackupRow, typeId: string): Promise<void> {
  const from = fromJson<BackupFacts>(row.facts).typeId;
  const differs = row.encryption_key_id === null ? (await encryptionOfType(db, typeId)) !== undefined : from !== typeId;
  if (!differs) return;
  throw invalidVolume(
    row.encryption_key_id === null
      ? 'the backup is not encrypted, so it cannot be restored to a volume of an encrypted type.'
      : `the backup is of an encrypted volume, so it can be restored to volumes of the type ${from ?? 'of its volume'} alone.`,
  );
}

/** The volume is being restored from here on; a new one is made empty first, by its own saga. */
export async function startRestore(app: CinderApp, tx: Tx, caller: Caller, row: BackupRow, volume: VolumeRow, isNew: boolean): Promise<void> {
  const { env } = app.deps;
  const { host } = await serviceIn(app, tx, row.availability_zone);
  const nowMs = env.clock.nowMs();
  await updateBackup(tx, row.id, { status: 'restoring', restore_volume_id: volume.id, host }, nowMs);
  await updateVolume(tx, volume.id, { status: 'restoring-backup' }, nowMs);
  const newKeyId = row.encryption_key_id === null ? undefined : await cloneKey(app.deps, tx, row.encryption_key_id, volume.project_id);
  const who = requesterOf(caller.ctx);
  await emitBackup(env, tx, who, 'restore.start', { ...row, status: 'restoring' });
  const sagaId = await env.sagas.start(
    tx,
    app.sagas.backupRestore,
    {
      backupId: row.id,
      volumeId: volume.id,
      newDiskId: env.ids.uuid(),
      isNew,
      ...(newKeyId !== undefined && { newKeyId }),
      account: accountOf(caller.ctx, row),
      who,
    },
    { subject: subjectOf(volume.id), requestId: who.requestId, userId: who.userId, projectId: volume.project_id },
  );
  await updateVolume(tx, volume.id, { saga_id: sagaId }, nowMs);
}
