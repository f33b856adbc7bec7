import type { ExportFormat } from '@cairn/host/interface/disks';
import { defineSaga, type SagaDefinition } from '@cairn/kit/saga/saga';
import type { Tx } from '@cairn/kit/store/store';
import type { Requester } from '../app/caller.ts';
import { disksAt } from '../app/backend.ts';
import type { CinderDeps } from '../app/deps.ts';
import { deleteKey } from '../app/keys.ts';
import { restingStatus, updateVolume, volumeById } from '../store/volumes.ts';
import { DATA_DEADLINE_MS, leaveMessage, needVolume } from './common.ts';

export interface VolumeUploadParams {
  readonly volumeId: string;
  /** A queued image that the request made. */
  readonly imageId: string;
  readonly format: ExportFormat;
  readonly who: Requester;
}

/** Copies a volume's data to an image. */
export function volumeUploadSaga(deps: CinderDeps): SagaDefinition<VolumeUploadParams> {
  const { env, faces } = deps;
  return defineSaga<VolumeUploadParams, unknown>({
    name: 'cinder.volume.upload',
    steps: [
      {
        name: 'upload',
        deadlineMs: DATA_DEADLINE_MS,
        async do(step) {
          const { volumeId, imageId, format } = step.params;
          const row = await needVolume(step.db, volumeId);
          const { stream } = await (await disksAt(deps, step.db, row.host, row.id)).export(row.disk_id, { format });
          try {
            await faces.glance.upload(imageId, stream, step.signal);
          } finally {
            stream.destroy();
          }
        },
        async undo(step) {
          await faces.glance.discard(step.params.imageId);
        },
      },
    ],
    async onDone(tx, step) {
      await goBack(tx, step.params.volumeId, env.clock.nowMs());
    },
    async onFailed(tx, step) {
      const { volumeId, who } = step.params;
      await goBack(tx, volumeId, env.clock.nowMs());
      await deleteKey(tx, step.params.imageId);
      const row = await volumeById(tx, volumeId);
      if (row)
        await leaveMessage(deps, tx, who, {
          action: 'copyVolumeToImage',
          detail: 'uploadFailed',
          resource: 'VOLUME',
          resourceId: volumeId,
          projectId: row.project_id,
        });
    },
  });
}

/** The volume is as it was before: in use while somebody has it. */
async function goBack(tx: Tx, volumeId: string, nowMs: number): Promise<void> {
  const row = await volumeById(tx, volumeId);
  if (!row) return;
  const status = restingStatus(row.attach_status);
  await updateVolume(tx, volumeId, { status, previous_status: null }, nowMs, { status: ['uploading'] });
}
