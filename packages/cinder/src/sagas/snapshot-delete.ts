import { defineSaga, type SagaDefinition } from '@cairn/kit/saga/saga';
import { disksAt } from '../app/backend.ts';
import type { CinderDeps } from '../app/deps.ts';
import { emitSnapshot } from '../app/events.ts';
import { deleteSnapshotRow, snapshotById, snapshotsOfVolume, updateSnapshot } from '../store/snapshots.ts';
import { changeUsage } from '../store/usage.ts';
import { volumeById } from '../store/volumes.ts';
import { DATA_DEADLINE_MS, leaveMessage, untilCopied } from './common.ts';
import type { SnapshotParams } from './snapshot-create.ts';

/** Lets go of a point in time; the last one of a disk that its volume has left takes the disk along. */
export function snapshotDeleteSaga(deps: CinderDeps): SagaDefinition<SnapshotParams> {
  const { env } = deps;
  return defineSaga<SnapshotParams, unknown>({
    name: 'cinder.snapshot.delete',
    steps: [
      {
        name: 'snapshot',
        deadlineMs: DATA_DEADLINE_MS,
        async do(step) {
          const row = await snapshotById(step.db, step.params.snapshotId);
          if (!row) return;
          await untilCopied(step, { snapshotId: row.id });
          const disks = await disksAt(deps, step.db, row.host, row.volume_id);
          await disks.removeSnapshot(row.disk_id, row.id);
          const volume = await volumeById(step.db, row.volume_id);
          const others = (await snapshotsOfVolume(step.db, row.volume_id)).some((other) => other.id !== row.id && other.disk_id === row.disk_id);
          if (volume?.disk_id !== row.disk_id && !others) await disks.remove(row.disk_id);
        },
      },
    ],
    async onDone(tx, step) {
      const { snapshotId, who } = step.params;
      const row = await snapshotById(tx, snapshotId);
      if (!row) return;
      await deleteSnapshotRow(tx, snapshotId);
      await changeUsage(tx, row.project_id, row.type_id, { snapshots: -1, snapshot_gb: -row.size_gb });
      await emitSnapshot(env, tx, who, 'delete.end', { ...row, status: 'deleted' });
    },
    async onFailed(tx, step) {
      const { snapshotId, who } = step.params;
      await updateSnapshot(tx, snapshotId, { status: 'error_deleting' }, env.clock.nowMs());
      const row = await snapshotById(tx, snapshotId);
      if (row)
        await leaveMessage(deps, tx, who, {
          action: 'deleteSnapshot',
          detail: 'snapshotDeleteFailed',
          resource: 'VOLUME_SNAPSHOT',
          resourceId: snapshotId,
          projectId: row.project_id,
        });
    },
  });
}
