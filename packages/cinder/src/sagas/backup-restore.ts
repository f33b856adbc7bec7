import { conflict } from '@cairn/kit/errors/errors';
import { defineSaga, type SagaDefinition } from '@cairn/kit/saga/saga';
import { fromJson } from '@cairn/kit/store/values';
import { type BackupFacts, backupNotFound, chainOf } from '../app/backup-facts.ts';
import type { Requester } from '../app/caller.ts';
import { diskIdAt, disksAt } from '../app/backend.ts';
import type { CinderDeps } from '../app/deps.ts';
import { checkEncrypted, diskEncryption, storedBytes } from '../app/encryption.ts';
import { emitBackup, emitVolume } from '../app/events.ts';
import { deleteKey } from '../app/keys.ts';
import type { Account } from '../backups/driver.ts';
import type { BackupDrivers } from '../backups/drivers.ts';
import { backupById, updateBackup } from '../store/backups.ts';
import type { Pairs } from '../store/metadata.ts';
import { setVolumePairs, updateVolume, volumeById } from '../store/volumes.ts';
import { DATA_DEADLINE_MS, GIB, leaveMessage, needVolume, shareDisk, subjectOf } from './common.ts';
import type { DiskRemoveParams } from './disk-remove.ts';

export interface BackupRestoreParams {
  readonly backupId: string;
  readonly volumeId: string;
  /** For the disk that takes the place of the volume's, on the same storage. */
  readonly newDiskId: string;
  /** The volume was made for this. */
  readonly isNew: boolean;
  /** Of an encrypted backup: the key that the volume has with its content. */
  readonly newKeyId?: string;
  readonly account?: Account;
  readonly who: Requester;
}

/** Gives a volume the content of a backup: a new disk is filled, and only when all of it was proved right takes the old one's place. */
export function backupRestoreSaga(deps: CinderDeps, backups: BackupDrivers, diskRemove: SagaDefinition<DiskRemoveParams>): SagaDefinition<BackupRestoreParams> {
  const { env } = deps;
  return defineSaga<BackupRestoreParams, unknown>({
    name: 'cinder.backup.restore',
    steps: [
      {
        name: 'new-disk',
        deadlineMs: DATA_DEADLINE_MS,
        async do(step) {
          const { backupId, volumeId, newDiskId } = step.params;
          const volume = await needVolume(step.db, volumeId);
          if (volume.host === null) throw conflict(`Volume ${volumeId} could not be made, so there is nothing to restore to.`);
          const keyId = step.params.newKeyId ?? null;
          const backup = await backupById(step.db, backupId);
          if (!backup) throw backupNotFound(backupId);
          const driver = backups.of(backup);
          const chain = await chainOf(step.db, backup, driver, step.params.account);
          const data = await driver.read(chain, storedBytes(volume.size_gb, keyId), step.signal);
          let wrong: unknown;
          data.on('error', (error) => {
            wrong = error;
          });
          try {
            const disks = await disksAt(deps, step.db, volume.host, volumeId);
            const encryption = await diskEncryption(step.db, { ...volume, encryption_key_id: keyId });
            const disk = {
              diskId: diskIdAt(volume.host, newDiskId),
              sizeBytes: volume.size_gb * GIB,
              pool: 'volume',
              ...(encryption && { encryption }),
            } as const;
            checkEncrypted(await disks.receive(disk, data), encryption);
            await shareDisk(disks, volume, disk.diskId);
          } catch (error) {
            // what is wrong with the backup says more than that the disk could not be made
            throw wrong ?? error;
          } finally {
            data.destroy();
          }
        },
        async undo(step) {
          const row = await volumeById(step.db, step.params.volumeId);
          if (row?.host != null) await (await disksAt(deps, step.db, row.host)).remove(diskIdAt(row.host, step.params.newDiskId));
        },
      },
    ],
    async onDone(tx, step) {
      const { backupId, volumeId, newDiskId, isNew, newKeyId, who } = step.params;
      const nowMs = env.clock.nowMs();
      const [backup, volume] = [await backupById(tx, backupId), await volumeById(tx, volumeId)];
      await updateBackup(tx, backupId, { status: 'available' }, nowMs, ['restoring']);
      if (volume?.host == null) return;
      const facts = fromJson<BackupFacts>(backup?.facts ?? '{}');
      await updateVolume(tx, volumeId, { disk_id: diskIdAt(volume.host, newDiskId), ...(facts.bootable !== undefined && { bootable: facts.bootable }) }, nowMs);
      await updateVolume(tx, volumeId, { status: 'available', ...(isNew && { launched_at_ms: volume.launched_at_ms ?? nowMs }) }, nowMs, {
        status: ['restoring-backup'],
      });
      if (newKeyId !== undefined) {
        await updateVolume(tx, volumeId, { encryption_key_id: newKeyId }, nowMs);
        await deleteKey(tx, volume.encryption_key_id);
      }
      if (facts.metadata) await setVolumePairs(tx, volumeId, 'user', { ...fromJson<Pairs>(volume.metadata), ...facts.metadata }, nowMs);
      if (facts.imageMetadata) await setVolumePairs(tx, volumeId, 'image', facts.imageMetadata, nowMs);
      await env.sagas.start(
        tx,
        diskRemove,
        { volumeId, host: volume.host, diskId: volume.disk_id },
        { subject: subjectOf(volumeId), requestId: who.requestId },
      );
      if (backup) await emitBackup(env, tx, who, 'restore.end', { ...backup, status: 'available' });
      await emitVolume(env, tx, who, 'restore.end', { ...volume, status: 'available' });
    },
    async onFailed(tx, step, failure) {
      const { backupId, volumeId, newKeyId, who } = step.params;
      await deleteKey(tx, newKeyId ?? null);
      const nowMs = env.clock.nowMs();
      await updateBackup(tx, backupId, { status: 'available', fail_reason: failure.message.slice(0, 255) }, nowMs, ['restoring']);
      await updateVolume(tx, volumeId, { status: 'error_restoring' }, nowMs, { status: ['restoring-backup'] });
      const row = await backupById(tx, backupId);
      if (row)
        await leaveMessage(deps, tx, who, {
          action: 'restoreBackup',
          detail: 'backupRestoreFailed',
          resource: 'VOLUME_BACKUP',
          resourceId: backupId,
          projectId: row.project_id,
        });
    },
  });
}
