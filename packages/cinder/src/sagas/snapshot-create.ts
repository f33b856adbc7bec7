import { defineSaga, type SagaDefinition } from '@cairn/kit/saga/saga';
import type { Requester } from '../app/caller.ts';
import { disksAt } from '../app/backend.ts';
import type { CinderDeps } from '../app/deps.ts';
import { emitSnapshot } from '../app/events.ts';
import { snapshotById, updateSnapshot } from '../store/snapshots.ts';
import { DATA_DEADLINE_MS, leaveMessage } from './common.ts';
import { snapshotNotFound } from '../errors.ts';

export interface SnapshotParams {
  readonly snapshotId: string;
  readonly who: Requester;
}

/** Freezes a point in time of a volume's disk, in its guest if one has it open. */
export function snapshotCreateSaga(deps: CinderDeps): SagaDefinition<SnapshotParams> {
  const { env } = deps;
  return defineSaga<SnapshotParams, unknown>({
    name: 'cinder.snapshot.create',
    steps: [
      {
        name: 'snapshot',
        // of a volume that several servers may have it is a copy
        deadlineMs: DATA_DEADLINE_MS,
        async do(step) {
          const row = await snapshotById(step.db, step.params.snapshotId);
          if (!row) throw snapshotNotFound(step.params.snapshotId);
          const disks = await disksAt(deps, step.db, row.host, row.volume_id);
          await disks.snapshot(row.disk_id, row.id);
        },
        async undo(step) {
          const row = await snapshotById(step.db, step.params.snapshotId);
          if (row) await (await disksAt(deps, step.db, row.host, row.volume_id)).removeSnapshot(row.disk_id, row.id);
        },
      },
    ],
    async onDone(tx, step) {
      const { snapshotId, who } = step.params;
      await updateSnapshot(tx, snapshotId, { status: 'available', progress: '100%' }, env.clock.nowMs(), ['creating']);
      const row = await snapshotById(tx, snapshotId);
      if (row) await emitSnapshot(env, tx, who, 'create.end', row);
    },
    async onFailed(tx, step) {
      const { snapshotId, who } = step.params;
      await updateSnapshot(tx, snapshotId, { status: 'error' }, env.clock.nowMs(), ['creating']);
      const row = await snapshotById(tx, snapshotId);
      if (row)
        await leaveMessage(deps, tx, who, {
          action: 'createSnapshot',
          detail: 'snapshotCreateFailed',
          resource: 'VOLUME_SNAPSHOT',
          resourceId: snapshotId,
          projectId: row.project_id,
        });
    },
  });
}
