import type { DiskSource } from '@cairn/host/interface/disks';
import { defineSaga, type SagaDefinition, type SagaFailure } from '@cairn/kit/saga/saga';
import { diskIdAt, disksAt, serviceHost } from '../app/backend.ts';
import type { Requester } from '../app/caller.ts';
import type { CinderDeps } from '../app/deps.ts';
import { emitVolume } from '../app/events.ts';
import type { Complaint } from '../app/messages.ts';
import type { Pools } from '../app/pools.ts';
import { checkEncrypted, diskEncryption } from '../app/encryption.ts';
import { IMAGE_KEY } from '../app/image-source.ts';
import { specsOf } from '../app/types.ts';
import type { Pairs } from '../store/metadata.ts';
import { serviceOf } from '../store/services.ts';
import { typeById } from '../store/types.ts';
import { changePool } from '../store/usage.ts';
import { setVolumePairs, updateVolume, volumeById } from '../store/volumes.ts';
import { DATA_DEADLINE_MS, GIB, leaveMessage, needVolume, shareDisk } from './common.ts';

/** What a new volume is filled with. Copies are made on the storage of their origin. */
export type VolumeSource =
  | { readonly kind: 'blank' }
  | { readonly kind: 'image'; readonly imageId: string }
  | { readonly kind: 'snapshot'; readonly host: string; readonly diskId: string; readonly snapshotId: string }
  | { readonly kind: 'disk'; readonly host: string; readonly diskId: string };

export interface VolumeCreateParams {
  readonly volumeId: string;
  readonly sizeGb: number;
  readonly source: VolumeSource;
  /** Image metadata that the volume gets when it has the image's content. */
  readonly imageMetadata: Pairs;
  readonly bootable: boolean;
  /** The storage that must have it (its group's). */
  readonly host?: string;
  /** A host that has to reach it. */
  readonly reachedFrom?: string;
  readonly who: Requester;
}

/** Statuses that a volume has while this saga is under way. */
export const CREATING = ['creating', 'downloading'];

/** Chooses a storage and makes the volume's disk there. */
export function volumeCreateSaga(deps: CinderDeps, pools: Pools): SagaDefinition<VolumeCreateParams> {
  const { env, faces } = deps;
  return defineSaga<VolumeCreateParams, unknown>({
    name: 'cinder.volume.create',
    steps: [
      {
        name: 'schedule',
        async do(step) {
          const { volumeId, source, sizeGb, reachedFrom } = step.params;
          const host = source.kind === 'snapshot' || source.kind === 'disk' ? source.host : step.params.host;
          if (host === undefined) {
            const row = await needVolume(step.db, volumeId);
            const type = await typeById(step.db, row.type_id);
            const wish = { specs: type ? specsOf(type) : {}, zone: row.availability_zone, ...(reachedFrom !== undefined && { reachedFrom }) };
            return { host: await pools.choose(step.db, sizeGb, wish) };
          }
          await pools.check(step.db, host, sizeGb);
          return { host };
        },
        async commit(tx, step, output) {
          const { host } = output as { readonly host: string };
          const { volumeId, sizeGb, source } = step.params;
          const service = await serviceOf(tx, serviceHost(host), 'cinder-volume');
          const changed = await updateVolume(
            tx,
            volumeId,
            { host, disk_id: diskIdAt(host, volumeId), service_id: service?.id ?? null, ...(source.kind === 'image' && { status: 'downloading' }) },
            env.clock.nowMs(),
          );
          if (changed) await changePool(tx, host, { volumes: 1, gb: sizeGb });
        },
        async undoCommit(tx, step) {
          const { volumeId, sizeGb } = step.params;
          const row = await volumeById(tx, volumeId);
          if (!row || row.host === null) return;
          await changePool(tx, row.host, { volumes: -1, gb: -sizeGb });
          await updateVolume(tx, volumeId, { host: null, disk_id: volumeId, service_id: null }, env.clock.nowMs());
        },
      },
      {
        name: 'disk',
        deadlineMs: DATA_DEADLINE_MS,
        async do(step) {
          const { volumeId, sizeGb, source } = step.params;
          const row = await needVolume(step.db, volumeId);
          const disks = await disksAt(deps, step.db, row.host, row.id);
          const encryption = await diskEncryption(step.db, row);
          let from: DiskSource;
          if (source.kind === 'image') {
            const stored = encryption !== undefined && step.params.imageMetadata[IMAGE_KEY] !== undefined;
            from = { kind: 'image', image: { ...(await faces.glance.source(step.db, source.imageId)), ...(stored && { encrypted: true }) } };
          } else if (source.kind === 'snapshot') from = { kind: 'snapshot', diskId: source.diskId, snapshotId: source.snapshotId };
          else if (source.kind === 'disk') from = { kind: 'disk', diskId: source.diskId };
          else from = { kind: 'blank' };
          const made = await disks.create({ diskId: row.disk_id, sizeBytes: sizeGb * GIB, source: from, pool: 'volume', ...(encryption && { encryption }) });
          checkEncrypted(made, encryption);
          await shareDisk(disks, row, row.disk_id);
        },
        async undo(step) {
          const row = await volumeById(step.db, step.params.volumeId);
          if (row?.host != null) await (await disksAt(deps, step.db, row.host)).remove(row.disk_id);
        },
      },
    ],
    async onDone(tx, step) {
      const { volumeId, imageMetadata, bootable, who } = step.params;
      const nowMs = env.clock.nowMs();
      if (Object.keys(imageMetadata).length > 0) await setVolumePairs(tx, volumeId, 'image', imageMetadata, nowMs);
      const made = { launched_at_ms: nowMs, shared_targets: 0, ...(bootable && { bootable: 1 }) };
      // whoever was told that it may be had while its content comes keeps it
      if (!(await updateVolume(tx, volumeId, { ...made, status: 'available' }, nowMs, { status: CREATING }))) await updateVolume(tx, volumeId, made, nowMs);
      const row = await volumeById(tx, volumeId);
      if (row) await emitVolume(env, tx, who, 'create.end', row);
    },
    async onFailed(tx, step, failure) {
      const { volumeId, who } = step.params;
      await updateVolume(tx, volumeId, { status: 'error' }, env.clock.nowMs(), { status: [...CREATING, 'reserved', 'attaching'] });
      const row = await volumeById(tx, volumeId);
      // somebody took the request back: there is nothing to complain of
      if (!row || failure.kind === 'Cancelled') return;
      await leaveMessage(deps, tx, who, { ...complaint(step.params, failure), resource: 'VOLUME', resourceId: volumeId, projectId: row.project_id });
      await emitVolume(env, tx, who, 'create.error', row, { reason: failure.message });
    },
  });
}

function complaint(params: VolumeCreateParams, failure: SagaFailure): Pick<Complaint, 'action' | 'detail'> {
  if (failure.step === 'schedule') return { action: 'scheduleVolume', detail: 'noBackend' };
  if (params.source.kind !== 'image') return { action: 'createVolume', detail: 'createFailed' };
  return { action: 'copyImageToVolume', detail: failure.kind === 'InvalidInput' ? 'imageTooLarge' : 'unknown' };
}
