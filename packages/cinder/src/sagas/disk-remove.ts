import { defineSaga, type SagaDefinition } from '@cairn/kit/saga/saga';
import { disksAt } from '../app/backend.ts';
import type { CinderDeps } from '../app/deps.ts';
import { snapshotsOfVolume } from '../store/snapshots.ts';
import { DATA_DEADLINE_MS, untilCopied } from './common.ts';

export interface DiskRemoveParams {
  readonly volumeId: string;
  readonly host: string | null;
  /** A disk that the volume does not have any more. */
  readonly diskId: string;
}

/** Removes a disk that a volume has left, unless snapshots of its old content keep it; then it goes with the last of them. */
export function diskRemoveSaga(deps: CinderDeps): SagaDefinition<DiskRemoveParams> {
  return defineSaga<DiskRemoveParams, unknown>({
    name: 'cinder.disk.remove',
    steps: [
      {
        name: 'disk',
        deadlineMs: DATA_DEADLINE_MS,
        // nobody asks again: a disk that cannot be removed now would stay for good
        attempts: 500,
        async do(step) {
          const { volumeId, host, diskId } = step.params;
          if (host === null) return;
          await untilCopied(step, { volumeId });
          const kept = (await snapshotsOfVolume(step.db, volumeId)).some((snapshot) => snapshot.disk_id === diskId);
          const disks = await disksAt(deps, step.db, host);
          // no attachment leads to it any more
          await disks.unserve(diskId);
          if (!kept) await disks.remove(diskId);
        },
      },
    ],
  });
}
