import { defineSaga, type SagaDefinition } from '@cairn/kit/saga/saga';
import type { Requester } from '../app/caller.ts';
import { disksAt } from '../app/backend.ts';
import type { CinderDeps } from '../app/deps.ts';
import { checkEncrypted, diskEncryption } from '../app/encryption.ts';
import type { Pairs } from '../store/metadata.ts';
import { setVolumePairs, updateVolume, volumeById } from '../store/volumes.ts';
import { DATA_DEADLINE_MS, GIB, leaveMessage, needVolume, shareDisk, subjectOf } from './common.ts';
import type { DiskRemoveParams } from './disk-remove.ts';

export interface VolumeReimageParams {
  readonly volumeId: string;
  readonly imageId: string;
  /** The disk that takes the place of the volume's. */
  readonly newDiskId: string;
  readonly oldDiskId: string;
  /** To go back to: available, in-use, reserved or error. */
  readonly previousStatus: string;
  readonly imageMetadata: Pairs;
  readonly who: Requester;
}

/** Gives a volume an image's content: a new disk is made, and only then takes the old one's place. */
export function volumeReimageSaga(deps: CinderDeps, diskRemove: SagaDefinition<DiskRemoveParams>): SagaDefinition<VolumeReimageParams> {
  const { env, faces } = deps;
  return defineSaga<VolumeReimageParams, unknown>({
    name: 'cinder.volume.reimage',
    steps: [
      {
        name: 'new-disk',
        deadlineMs: DATA_DEADLINE_MS,
        async do(step) {
          const { volumeId, imageId, newDiskId } = step.params;
          const row = await needVolume(step.db, volumeId);
          const image = await faces.glance.source(step.db, imageId);
          const encryption = await diskEncryption(step.db, row);
          const disks = await disksAt(deps, step.db, row.host, row.id);
          const made = await disks.create({
            diskId: newDiskId,
            sizeBytes: row.size_gb * GIB,
            source: { kind: 'image', image },
            pool: 'volume',
            ...(encryption && { encryption }),
          });
          checkEncrypted(made, encryption);
          await shareDisk(disks, row, newDiskId);
        },
        async undo(step) {
          const row = await volumeById(step.db, step.params.volumeId);
          if (row?.host != null) await (await disksAt(deps, step.db, row.host)).remove(step.params.newDiskId);
        },
      },
    ],
    // the new disk has taken its place: from here on nothing fails, and the old one goes by itself
    async onDone(tx, step) {
      const { volumeId, newDiskId, oldDiskId, imageMetadata, previousStatus, who } = step.params;
      const nowMs = env.clock.nowMs();
      const row = await volumeById(tx, volumeId);
      if (!row) return;
      await updateVolume(
        tx,
        volumeId,
        { disk_id: newDiskId, bootable: 1, status: previousStatus === 'error' ? 'available' : previousStatus, previous_status: null },
        nowMs,
      );
      await setVolumePairs(tx, volumeId, 'image', imageMetadata, nowMs);
      await env.sagas.start(tx, diskRemove, { volumeId, host: row.host, diskId: oldDiskId }, { subject: subjectOf(volumeId), requestId: who.requestId });
    },
    async onFailed(tx, step) {
      const { volumeId, who } = step.params;
      await updateVolume(tx, volumeId, { status: 'error' }, env.clock.nowMs());
      const row = await volumeById(tx, volumeId);
      if (row)
        await leaveMessage(deps, tx, who, {
          action: 'reimageVolume',
          detail: 'reimageFailed',
          resource: 'VOLUME',
          resourceId: volumeId,
          projectId: row.project_id,
        });
    },
  });
}
