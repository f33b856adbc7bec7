import { defineSaga, type SagaDefinition } from '@cairn/kit/saga/saga';
import type { Requester } from '../app/caller.ts';
import { disksAt } from '../app/backend.ts';
import type { CinderDeps } from '../app/deps.ts';
import { emitVolume } from '../app/events.ts';
import { attachmentsOfVolume } from '../store/attachments.ts';
import { changePool, changeUsage } from '../store/usage.ts';
import { restingStatus, updateVolume, volumeById } from '../store/volumes.ts';
import { DATA_DEADLINE_MS, GIB, leaveMessage, needVolume, untilCopied } from './common.ts';

export interface VolumeExtendParams {
  readonly volumeId: string;
  readonly newSizeGb: number;
  readonly who: Requester;
}

/** Grows a volume's disk, in its guest if one has it open. The quota was taken when the request was accepted. */
export function volumeExtendSaga(deps: CinderDeps): SagaDefinition<VolumeExtendParams> {
  const { env } = deps;
  return defineSaga<VolumeExtendParams, unknown>({
    name: 'cinder.volume.extend',
    steps: [
      {
        name: 'resize',
        deadlineMs: DATA_DEADLINE_MS,
        async do(step) {
          await untilCopied(step, { volumeId: step.params.volumeId });
          const row = await needVolume(step.db, step.params.volumeId);
          const disks = await disksAt(deps, step.db, row.host, row.id);
          const sizeBytes = step.params.newSizeGb * GIB;
          // disks never shrink: one that an earlier, failed extension left larger will do
          const before = await disks.info(row.disk_id);
          if (before === undefined || before.sizeBytes < sizeBytes) await disks.resize(row.disk_id, sizeBytes);
        },
      },
    ],
    async onDone(tx, step) {
      const { volumeId, newSizeGb, who } = step.params;
      const row = await volumeById(tx, volumeId);
      if (!row) return;
      const more = newSizeGb - row.size_gb;
      // somebody may have let go of it meanwhile
      const status = restingStatus(row.attach_status);
      const nowMs = env.clock.nowMs();
      await updateVolume(tx, volumeId, { size_gb: newSizeGb, growing_gb: 0, previous_status: null }, nowMs);
      // a volume that is being deleted by force stays so
      await updateVolume(tx, volumeId, { status }, nowMs, { status: ['extending'] });
      await changeUsage(tx, row.project_id, row.type_id, { volume_gb: more, growing_gb: -row.growing_gb });
      if (row.host !== null) await changePool(tx, row.host, { gb: more });
      const now = { ...row, size_gb: newSizeGb, status };
      await emitVolume(env, tx, who, 'resize.end', now);
      if (status !== 'in-use') return;
      // nova shows the guest (and its own records) the new size
      const serverIds = (await attachmentsOfVolume(tx, volumeId)).flatMap((attachment) => (attachment.server_id === null ? [] : [attachment.server_id]));
      await emitVolume(env, tx, who, 'extended', now, { server_ids: serverIds, new_size: newSizeGb });
    },
    async onFailed(tx, step) {
      const { volumeId, who } = step.params;
      const row = await volumeById(tx, volumeId);
      if (!row) return;
      const nowMs = env.clock.nowMs();
      await updateVolume(tx, volumeId, { growing_gb: 0, previous_status: null }, nowMs);
      await updateVolume(tx, volumeId, { status: 'error_extending' }, nowMs, { status: ['extending'] });
      await changeUsage(tx, row.project_id, row.type_id, { growing_gb: -row.growing_gb });
      await leaveMessage(deps, tx, who, {
        action: 'extendVolume',
        detail: 'extendFailed',
        resource: 'VOLUME',
        resourceId: volumeId,
        projectId: row.project_id,
      });
    },
  });
}
