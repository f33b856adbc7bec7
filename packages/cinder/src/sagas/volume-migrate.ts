import { conflict } from '@cairn/kit/errors/errors';
import { defineSaga, type SagaDefinition } from '@cairn/kit/saga/saga';
import type { Tx } from '@cairn/kit/store/store';
import { diskIdAt, disksAt, serviceHost } from '../app/backend.ts';
import type { Requester } from '../app/caller.ts';
import type { CinderDeps } from '../app/deps.ts';
import { checkEncrypted, diskEncryption } from '../app/encryption.ts';
import { emitVolume } from '../app/events.ts';
import type { Pools } from '../app/pools.ts';
import { isTrueSpec, specsOf } from '../app/types.ts';
import { serviceOf } from '../store/services.ts';
import type { VolumeRow } from '../store/tables.ts';
import { typeById } from '../store/types.ts';
import { changePool, changeUsage } from '../store/usage.ts';
import { updateVolume, volumeById } from '../store/volumes.ts';
import { DATA_DEADLINE_MS, GIB, leaveMessage, needVolume, subjectOf } from './common.ts';
import type { DiskRemoveParams } from './disk-remove.ts';

export interface VolumeMigrateParams {
  readonly volumeId: string;
  /** The storage that it goes to; chosen by the new type when absent. */
  readonly host?: string;
  /** The type that it gets on the way (a retype that its present storage does not satisfy). */
  readonly newTypeId?: string;
  /** For the disk on the new storage. */
  readonly newDiskId: string;
  readonly who: Requester;
}

/** Copies a volume's disk to another storage; only when all of it is there does the volume move. */
export function volumeMigrateSaga(deps: CinderDeps, pools: Pools, diskRemove: SagaDefinition<DiskRemoveParams>): SagaDefinition<VolumeMigrateParams> {
  const { env } = deps;
  return defineSaga<VolumeMigrateParams, unknown>({
    name: 'cinder.volume.migrate',
    steps: [
      {
        name: 'schedule',
        async do(step) {
          const { volumeId, host, newTypeId } = step.params;
          const row = await needVolume(step.db, volumeId);
          if (host !== undefined) {
            await pools.check(step.db, host, row.size_gb);
            return { host };
          }
          const type = await typeById(step.db, newTypeId ?? row.type_id);
          const chosen = await pools.choose(step.db, row.size_gb, { specs: type ? specsOf(type) : {}, zone: row.availability_zone });
          if (chosen === row.host) throw conflict(`Volume ${volumeId} is where it would go.`);
          return { host: chosen };
        },
        async commit(tx, step) {
          await updateVolume(tx, step.params.volumeId, { migration_status: 'migrating' }, env.clock.nowMs());
        },
      },
      {
        name: 'copy',
        deadlineMs: DATA_DEADLINE_MS,
        async do(step) {
          const { volumeId, newDiskId } = step.params;
          const { host } = step.outputs['schedule'] as { readonly host: string };
          const row = await needVolume(step.db, volumeId);
          if (row.attach_status !== 'detached') throw conflict(`Volume ${volumeId} is in use: it moves when no server has it.`);
          const target = await disksAt(deps, step.db, host);
          const diskId = diskIdAt(host, newDiskId);
          if (await target.info(diskId)) return;
          const { stream } = await (await disksAt(deps, step.db, row.host, row.id)).export(row.disk_id, { format: 'qcow2' });
          try {
            const encryption = await diskEncryption(step.db, row);
            checkEncrypted(
              await target.receive({ diskId, sizeBytes: row.size_gb * GIB, pool: 'volume', ...(encryption && { encryption }) }, stream),
              encryption,
            );
          } finally {
            stream.destroy();
          }
        },
        async undo(step) {
          const chosen = step.outputs['schedule'] as { readonly host: string } | undefined;
          if (chosen) await (await disksAt(deps, step.db, chosen.host)).remove(diskIdAt(chosen.host, step.params.newDiskId));
        },
      },
    ],
    async onDone(tx, step) {
      const { volumeId, newDiskId, newTypeId, who } = step.params;
      const { host } = step.outputs['schedule'] as { readonly host: string };
      const row = await volumeById(tx, volumeId);
      if (!row) return;
      const nowMs = env.clock.nowMs();
      const service = await serviceOf(tx, serviceHost(host), 'cinder-volume');
      if (row.host !== null) await changePool(tx, row.host, { volumes: -1, gb: -row.size_gb });
      await changePool(tx, host, { volumes: 1, gb: row.size_gb });
      await updateVolume(tx, volumeId, { host, disk_id: diskIdAt(host, newDiskId), service_id: service?.id ?? null, migration_status: 'success' }, nowMs);
      if (newTypeId !== undefined) await changeType(tx, row, newTypeId, nowMs);
      await goBack(tx, row, nowMs);
      await emitVolume(env, tx, who, 'migrate.end', { ...row, host });
      await env.sagas.start(tx, diskRemove, { volumeId, host: row.host, diskId: row.disk_id }, { subject: subjectOf(volumeId), requestId: who.requestId });
    },
    async onFailed(tx, step) {
      const { volumeId, newTypeId, who } = step.params;
      const row = await volumeById(tx, volumeId);
      if (!row) return;
      const nowMs = env.clock.nowMs();
      await updateVolume(tx, volumeId, { migration_status: newTypeId === undefined ? 'error' : null }, nowMs);
      await goBack(tx, row, nowMs);
      await leaveMessage(deps, tx, who, { action: 'scheduleVolume', detail: 'noBackend', resource: 'VOLUME', resourceId: volumeId, projectId: row.project_id });
    },
  });
}

/** The volume has the status that it had before; one that somebody deletes by force meanwhile stays so. */
async function goBack(tx: Tx, row: VolumeRow, nowMs: number): Promise<void> {
  const status = row.attach_status === 'attached' ? 'in-use' : 'available';
  await updateVolume(tx, row.id, { status, previous_status: null }, nowMs, { status: ['maintenance', 'retyping'] });
}

/** A volume that moves has no snapshots, so its own use is all there is to count. */
async function changeType(tx: Tx, row: VolumeRow, typeId: string, nowMs: number): Promise<void> {
  const type = await typeById(tx, typeId);
  const multiattach = type !== undefined && isTrueSpec(specsOf(type)['multiattach']);
  await updateVolume(tx, row.id, { type_id: typeId, multiattach: multiattach ? 1 : 0 }, nowMs);
  await changeUsage(tx, row.project_id, row.type_id, { volumes: -1, volume_gb: -row.size_gb });
  await changeUsage(tx, row.project_id, typeId, { volumes: 1, volume_gb: row.size_gb });
}
