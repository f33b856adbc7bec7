import { defineSaga, type SagaDefinition } from '@cairn/kit/saga/saga';
import type { Tx } from '@cairn/kit/store/store';
import type { Requester } from '../app/caller.ts';
import { disksAt } from '../app/backend.ts';
import type { CinderDeps } from '../app/deps.ts';
import { backupNotFound, factsOf, refOf } from '../app/backup-facts.ts';
import { storedBytes } from '../app/encryption.ts';
import { emitBackup } from '../app/events.ts';
import type { Account } from '../backups/driver.ts';
import type { BackupDrivers } from '../backups/drivers.ts';
import { backupById, updateBackup } from '../store/backups.ts';
import { snapshotById, updateSnapshot } from '../store/snapshots.ts';
import type { BackupRow } from '../store/tables.ts';
import { restingStatus, updateVolume, volumeById } from '../store/volumes.ts';
import { DATA_DEADLINE_MS, leaveMessage, needVolume } from './common.ts';

export interface BackupCreateParams {
  readonly backupId: string;
  readonly volumeId: string;
  /** What the volume goes back to, for a backup of the volume itself. */
  readonly previousStatus: string;
  readonly account?: Account;
  readonly who: Requester;
}

/** Copies a volume, or a snapshot of it, to the backup store. */
export function backupCreateSaga(deps: CinderDeps, backups: BackupDrivers): SagaDefinition<BackupCreateParams> {
  const { env } = deps;
  return defineSaga<BackupCreateParams, unknown>({
    name: 'cinder.backup.create',
    steps: [
      {
        name: 'copy',
        deadlineMs: DATA_DEADLINE_MS,
        async do(step) {
          const { backupId, volumeId, account, who } = step.params;
          const row = await backupById(step.db, backupId);
          if (!row) throw backupNotFound(backupId);
          const driver = backups.of(row);
          const volume = await needVolume(step.db, volumeId);
          const snapshot = row.snapshot_id === null ? undefined : await snapshotById(step.db, row.snapshot_id);
          const disks = await disksAt(deps, step.db, snapshot?.host ?? volume.host, volumeId);
          const before = row.parent_id === null ? undefined : await backupById(step.db, row.parent_id);
          const { stream } = await disks.export(snapshot?.disk_id ?? volume.disk_id, { format: 'raw', ...(snapshot && { snapshotId: snapshot.id }) });
          let told = 0;
          try {
            const { objects } = await driver.write(refOf(row, account), stream, {
              volumeId,
              sizeBytes: storedBytes(row.size_gb, row.encryption_key_id),
              ...(before && { parent: refOf(before, account) }),
              parentId: row.parent_id,
              name: row.name,
              description: row.description,
              createdAtMs: row.created_at_ms,
              facts: factsOf(row),
              signal: step.signal,
              async onProgress(percent, stored) {
                if (percent < told + 5 && percent < 100) return;
                told = percent;
                await env.store.write(async (tx) => {
                  await updateBackup(tx, backupId, { object_count: stored }, env.clock.nowMs());
                  await emitBackup(env, tx, who, 'createprogress', row, { backup_percent: percent });
                });
              },
            });
            return { objects };
          } finally {
            stream.destroy();
          }
        },
        async undo(step) {
          const row = await backupById(step.db, step.params.backupId);
          if (!row) return;
          try {
            await backups.of(row).remove(refOf(row, step.params.account), step.signal);
          } catch (error) {
            // the volume is not kept waiting for a store that does not answer: the row says where the objects are, and they go with it
            step.log.warn({ backup: row.id, err: error }, 'objects of a backup that failed could not be removed; they go when the backup is deleted');
          }
        },
      },
    ],
    async onDone(tx, step) {
      const { backupId, who } = step.params;
      const { objects } = step.outputs['copy'] as { readonly objects: number };
      const nowMs = env.clock.nowMs();
      await updateBackup(tx, backupId, { object_count: objects, fail_reason: null }, nowMs);
      // one that is being deleted meanwhile stays so
      await updateBackup(tx, backupId, { status: 'available' }, nowMs, ['creating']);
      const row = await backupById(tx, backupId);
      if (!row) return;
      await goBack(tx, row, step.params, nowMs);
      await emitBackup(env, tx, who, 'create.end', row);
    },
    async onFailed(tx, step, failure) {
      const { backupId, who } = step.params;
      const nowMs = env.clock.nowMs();
      await updateBackup(tx, backupId, { status: 'error', fail_reason: failure.message.slice(0, 255) }, nowMs, ['creating']);
      const row = await backupById(tx, backupId);
      if (!row) return;
      await goBack(tx, row, step.params, nowMs);
      await leaveMessage(deps, tx, who, {
        action: 'createBackup',
        detail: 'backupCreateFailed',
        resource: 'VOLUME_BACKUP',
        resourceId: backupId,
        projectId: row.project_id,
      });
    },
  });
}

/** The volume (or snapshot) is as it was before; somebody may have let go of it meanwhile. */
async function goBack(tx: Tx, row: BackupRow, params: BackupCreateParams, nowMs: number): Promise<void> {
  if (row.snapshot_id !== null) {
    await updateSnapshot(tx, row.snapshot_id, { status: 'available' }, nowMs, ['backing-up']);
    return;
  }
  const volume = await volumeById(tx, params.volumeId);
  const status = restingStatus(volume?.attach_status ?? 'detached');
  await updateVolume(tx, params.volumeId, { status, previous_status: null }, nowMs, { status: ['backing-up'] });
}
