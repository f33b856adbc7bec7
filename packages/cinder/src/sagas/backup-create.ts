import { defineSaga, type SagaDefinition } from '@cairn/kit/saga/saga';
import type { Tx } from '@cairn/kit/store/store';
import type { Requester } from '../app/caller.ts';
import { disksAt } from '../app/backend.ts';
import type { CinderDeps } from '../app/deps.ts';
import { backupNotFound } from '../app/backup-facts.ts';
import { storedBytes } from '../app/encryption.ts';
import { emitBackup } from '../app/events.ts';
import { getManifest } from '../backups/format.ts';
import type { BackupStore } from '../backups/store.ts';
import { writeBackup } from '../backups/write.ts';
import { backupById, placeOf, updateBackup } from '../store/backups.ts';
import { snapshotById, updateSnapshot } from '../store/snapshots.ts';
import type { BackupRow } from '../store/tables.ts';
import { restingStatus, updateVolume, volumeById } from '../store/volumes.ts';
import { DATA_DEADLINE_MS, leaveMessage, needVolume, needStore } from './common.ts';

export interface BackupCreateParams {
  readonly backupId: string;
  readonly volumeId: string;
  /** What the volume goes back to, for a backup of the volume itself. */
  readonly previousStatus: string;
  readonly who: Requester;
}

/** Copies a volume, or a snapshot of it, to the backup store. */
export function backupCreateSaga(deps: CinderDeps, backups: BackupStore | undefined): SagaDefinition<BackupCreateParams> {
  const { env } = deps;
  return defineSaga<BackupCreateParams, unknown>({
    name: 'cinder.backup.create',
    steps: [
      {
        name: 'copy',
        deadlineMs: DATA_DEADLINE_MS,
        async do(step) {
          const store = needStore(backups);
          const { backupId, volumeId, who } = step.params;
          const row = await backupById(step.db, backupId);
          if (!row) throw backupNotFound(backupId);
          const volume = await needVolume(step.db, volumeId);
          const snapshot = row.snapshot_id === null ? undefined : await snapshotById(step.db, row.snapshot_id);
          const disks = await disksAt(deps, step.db, snapshot?.host ?? volume.host, volumeId);
          const before = row.parent_id === null ? undefined : await backupById(step.db, row.parent_id);
          const parent = before && (await getManifest(store, placeOf(before)));
          const { stream } = await disks.export(snapshot?.disk_id ?? volume.disk_id, { format: 'raw', ...(snapshot && { snapshotId: snapshot.id }) });
          let told = 0;
          try {
            const { objects } = await writeBackup(store, stream, {
              id: backupId,
              volumeId,
              sizeBytes: storedBytes(row.size_gb, row.encryption_key_id),
              ...(parent && { parent }),
              signal: step.signal,
              async onProgress(percent) {
                if (percent < told + 20 && percent < 100) return;
                told = percent;
                await env.store.write((tx) => emitBackup(env, tx, who, 'createprogress', row, { backup_percent: percent }));
              },
            });
            return { objects };
          } finally {
            stream.destroy();
          }
        },
        async undo(step) {
          await backups?.remove(step.params.backupId);
        },
      },
    ],
    async onDone(tx, step) {
      const { backupId, who } = step.params;
      const { objects } = step.outputs['copy'] as { readonly objects: number };
      const nowMs = env.clock.nowMs();
      await updateBackup(tx, backupId, { object_count: objects, service: needStore(backups).service, fail_reason: null }, nowMs);
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
      await updateBackup(tx, backupId, { status: 'error', fail_reason: failure.message.slice(0, 255), service: backups?.service ?? null }, nowMs, ['creating']);
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
