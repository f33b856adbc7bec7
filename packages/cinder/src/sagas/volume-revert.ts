import { defineSaga, type SagaDefinition } from '@cairn/kit/saga/saga';
import type { Requester } from '../app/caller.ts';
import { disksAt } from '../app/backend.ts';
import type { CinderDeps } from '../app/deps.ts';
import { emitVolume } from '../app/events.ts';
import { updateSnapshot } from '../store/snapshots.ts';
import { updateVolume, volumeById } from '../store/volumes.ts';
import { DATA_DEADLINE_MS, leaveMessage, needVolume } from './common.ts';

export interface VolumeRevertParams {
  readonly volumeId: string;
  readonly snapshotId: string;
  readonly who: Requester;
}

/** Puts a volume back to its newest snapshot. */
export function volumeRevertSaga(deps: CinderDeps): SagaDefinition<VolumeRevertParams> {
  const { env } = deps;
  return defineSaga<VolumeRevertParams, unknown>({
    name: 'cinder.volume.revert',
    steps: [
      {
        name: 'revert',
        // the disk of a volume that several servers may have is written anew
        deadlineMs: DATA_DEADLINE_MS,
        async do(step) {
          const row = await needVolume(step.db, step.params.volumeId);
          await (await disksAt(deps, step.db, row.host, row.id)).revert(row.disk_id, step.params.snapshotId);
        },
      },
    ],
    async onDone(tx, step) {
      const { volumeId, snapshotId, who } = step.params;
      const nowMs = env.clock.nowMs();
      await updateVolume(tx, volumeId, { status: 'available' }, nowMs, { status: ['reverting'] });
      await updateSnapshot(tx, snapshotId, { status: 'available' }, nowMs, ['restoring']);
      const row = await volumeById(tx, volumeId);
      if (row) await emitVolume(env, tx, who, 'revert.end', row);
    },
    async onFailed(tx, step) {
      const { volumeId, snapshotId, who } = step.params;
      const nowMs = env.clock.nowMs();
      await updateVolume(tx, volumeId, { status: 'error' }, nowMs, { status: ['reverting'] });
      await updateSnapshot(tx, snapshotId, { status: 'available' }, nowMs, ['restoring']);
      const row = await volumeById(tx, volumeId);
      if (row)
        await leaveMessage(deps, tx, who, {
          action: 'revertVolume',
          detail: 'revertFailed',
          resource: 'VOLUME',
          resourceId: volumeId,
          projectId: row.project_id,
        });
    },
  });
}
