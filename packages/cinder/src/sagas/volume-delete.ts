import { defineSaga, type SagaDefinition } from '@cairn/kit/saga/saga';
import type { Requester } from '../app/caller.ts';
import { disksAt } from '../app/backend.ts';
import type { CinderDeps } from '../app/deps.ts';
import { emitSnapshot, emitVolume } from '../app/events.ts';
import { deleteKey } from '../app/keys.ts';
import { deleteSnapshotRow, snapshotsOfVolume } from '../store/snapshots.ts';
import { changePool, changeUsage } from '../store/usage.ts';
import { deleteVolumeRow, updateVolume, volumeById } from '../store/volumes.ts';
import { DATA_DEADLINE_MS, leaveMessage, untilCopied } from './common.ts';

export interface VolumeParams {
  readonly volumeId: string;
  readonly who: Requester;
}

/** Removes a volume's disk, and with it the snapshots that the request let go, too. */
export function volumeDeleteSaga(deps: CinderDeps): SagaDefinition<VolumeParams> {
  const { env } = deps;
  return defineSaga<VolumeParams, unknown>({
    name: 'cinder.volume.delete',
    steps: [
      {
        name: 'disk',
        deadlineMs: DATA_DEADLINE_MS,
        async do(step) {
          const row = await volumeById(step.db, step.params.volumeId);
          if (row?.host == null) return;
          await untilCopied(step, { volumeId: row.id });
          const snapshots = await snapshotsOfVolume(step.db, row.id);
          for (const snapshot of snapshots) await untilCopied(step, { snapshotId: snapshot.id });
          const disks = await disksAt(deps, step.db, row.host);
          for (const diskId of new Set([row.disk_id, ...snapshots.map((snapshot) => snapshot.disk_id)])) await disks.remove(diskId);
        },
      },
    ],
    async onDone(tx, step) {
      const { volumeId, who } = step.params;
      const row = await volumeById(tx, volumeId);
      if (!row) return;
      for (const snapshot of await snapshotsOfVolume(tx, volumeId)) {
        await deleteSnapshotRow(tx, snapshot.id);
        await changeUsage(tx, snapshot.project_id, snapshot.type_id, { snapshots: -1, snapshot_gb: -snapshot.size_gb });
        await emitSnapshot(env, tx, who, 'delete.end', { ...snapshot, status: 'deleted' });
      }
      await deleteVolumeRow(tx, volumeId);
      await deleteKey(tx, row.encryption_key_id);
      await changeUsage(tx, row.project_id, row.type_id, { volumes: -1, volume_gb: -row.size_gb });
      if (row.host !== null) await changePool(tx, row.host, { volumes: -1, gb: -row.size_gb });
      await emitVolume(env, tx, who, 'delete.end', { ...row, status: 'deleted' });
    },
    async onFailed(tx, step) {
      const { volumeId, who } = step.params;
      await updateVolume(tx, volumeId, { status: 'error_deleting' }, env.clock.nowMs());
      const row = await volumeById(tx, volumeId);
      if (row)
        await leaveMessage(deps, tx, who, {
          action: 'deleteVolume',
          detail: 'volumeDeleteFailed',
          resource: 'VOLUME',
          resourceId: volumeId,
          projectId: row.project_id,
        });
    },
  });
}
