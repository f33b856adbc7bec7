import { conflict } from '@cairn/kit/errors/errors';
import { defineSaga, type SagaDefinition } from '@cairn/kit/saga/saga';
import type { Db } from '@cairn/kit/store/store';
import { diskIdAt, disksAt } from '../app/backend.ts';
import type { Requester } from '../app/caller.ts';
import type { CinderDeps } from '../app/deps.ts';
import { checkEncrypted, diskEncryption } from '../app/encryption.ts';
import type { Pools } from '../app/pools.ts';
import { specsOf } from '../app/types.ts';
import { abandonMove, finishMove } from '../app/volume-move.ts';
import type { VolumeMove } from '../face.ts';
import { attachmentsOfVolume } from '../store/attachments.ts';
import type { AttachmentRow, VolumeRow } from '../store/tables.ts';
import { typeById } from '../store/types.ts';
import { updateVolume, volumeById } from '../store/volumes.ts';
import { DATA_DEADLINE_MS, GIB, needVolume } from './common.ts';
import type { DiskRemoveParams } from './disk-remove.ts';

export interface VolumeMigrateParams {
  readonly volumeId: string;
  /** The storage that it goes to; chosen by the new type when absent. */
  readonly host?: string;
  /** The type that it gets on the way (a retype that its present storage does not satisfy, or that changes its encryption). */
  readonly newTypeId?: string;
  /** What the volume holds is encrypted otherwise on the way, or no longer. */
  readonly recrypt?: boolean;
  /** The new key, of a type that is encrypted otherwise. */
  readonly newKeyId?: string;
  /** For the disk on the new storage. */
  readonly newDiskId: string;
  readonly who: Requester;
}

/** How the volume goes: `server` names the one that has it. */
type Way = { readonly server?: string };

/**
 * Copies a volume's disk to another storage; only when all of it is there does the volume move. The disk of a volume in use is copied by the guest that has it:
 * here an empty one is made, and nova is told by an event, to which it answers with `endMove` of the face.
 */
export function volumeMigrateSaga(deps: CinderDeps, pools: Pools, diskRemove: SagaDefinition<DiskRemoveParams>): SagaDefinition<VolumeMigrateParams> {
  const { env } = deps;

  async function copyClosed(db: Db, row: VolumeRow, params: VolumeMigrateParams, storage: string): Promise<void> {
    const sizeBytes = row.size_gb * GIB;
    const encryption = await encryptionAfter(db, row, params);
    const [here, there] = [await disksAt(deps, db, row.host, row.id), await disksAt(deps, db, storage)];
    const diskId = diskIdAt(storage, params.newDiskId);
    // encrypted otherwise where it is, and then brought to where it goes
    const from = params.recrypt === true ? diskIdAt(row.host ?? '', params.newDiskId) : row.disk_id;
    if (from !== diskId && (await there.info(diskId))) {
      if (from !== row.disk_id) await here.remove(from);
      return;
    }
    if (params.recrypt === true) {
      const source = { kind: 'disk', diskId: row.disk_id, recrypt: true } as const;
      checkEncrypted(await here.create({ diskId: from, sizeBytes, source, pool: 'volume', ...(encryption && { encryption }) }), encryption);
      if (storage === row.host) return;
    }
    const { stream } = await here.export(from, { format: 'qcow2' });
    try {
      checkEncrypted(await there.receive({ diskId, sizeBytes, pool: 'volume', ...(encryption && { encryption }) }, stream), encryption);
    } finally {
      stream.destroy();
    }
    if (from !== row.disk_id) await here.remove(from);
  }

  /** A disk for what the guest that has the volume will copy. */
  async function makeTarget(db: Db, row: VolumeRow, attachments: readonly AttachmentRow[], params: VolumeMigrateParams, storage: string): Promise<Way> {
    const [attachment, another] = attachments;
    if (!attachment || another) throw conflict(`Volume ${row.id} is in use by several servers: it moves when one of them at most has it.`);
    if (attachment.by_compute === 0 || attachment.server_id === null || attachment.attach_status !== 'attached')
      throw conflict(`Volume ${row.id} is in use, and not by a server that could copy it.`);
    const encryption = await encryptionAfter(db, row, params);
    const disk = { diskId: diskIdAt(storage, params.newDiskId), sizeBytes: row.size_gb * GIB, source: { kind: 'blank' }, pool: 'volume' } as const;
    checkEncrypted(await (await disksAt(deps, db, storage)).create({ ...disk, ...(encryption && { encryption }) }), encryption);
    return { server: attachment.server_id };
  }

  return defineSaga<VolumeMigrateParams, unknown>({
    name: 'cinder.volume.migrate',
    steps: [
      {
        name: 'schedule',
        async do(step) {
          const { volumeId, host, newTypeId } = step.params;
          const row = await needVolume(step.db, volumeId);
          if (host !== undefined) {
            if (host !== row.host) await pools.check(step.db, host, row.size_gb);
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
        async do(step): Promise<Way> {
          const { host } = step.outputs['schedule'] as { readonly host: string };
          const row = await needVolume(step.db, step.params.volumeId);
          const attachments = await attachmentsOfVolume(step.db, row.id);
          if (attachments.length > 0) return makeTarget(step.db, row, attachments, step.params, host);
          await copyClosed(step.db, row, step.params, host);
          return {};
        },
        async undo(step) {
          const { volumeId, newDiskId, recrypt } = step.params;
          const chosen = step.outputs['schedule'] as { readonly host: string } | undefined;
          if (!chosen) return;
          const row = await volumeById(step.db, volumeId);
          for (const storage of new Set([chosen.host, ...(recrypt === true && row?.host != null ? [row.host] : [])]))
            await (await disksAt(deps, step.db, storage)).remove(diskIdAt(storage, newDiskId));
        },
      },
    ],
    async onDone(tx, step) {
      const { volumeId, newDiskId, newTypeId, newKeyId, who } = step.params;
      const { host } = step.outputs['schedule'] as { readonly host: string };
      const { server } = step.outputs['copy'] as Way;
      const row = await needVolume(tx, volumeId);
      const keyId = newTypeId === undefined || step.params.recrypt === true ? newKeyId : (row.encryption_key_id ?? undefined);
      const move: VolumeMove = {
        volumeId,
        oldDiskId: row.disk_id,
        newDiskId: diskIdAt(host, newDiskId),
        storage: host,
        ...(newTypeId !== undefined && { newTypeId }),
        ...(keyId !== undefined && { newKeyId: keyId }),
        who,
      };
      if (server === undefined) {
        await finishMove(deps, tx, diskRemove, move);
        return;
      }
      await env.events.emit(tx, {
        type: 'volume.move',
        projectId: row.project_id,
        userId: who.userId,
        requestId: who.requestId,
        resource: 'volume',
        resourceId: volumeId,
        payload: { server_id: server, move },
      });
    },
    onFailed: (tx, step) => abandonMove(deps, tx, step.params),
  });
}

/** How the disk is encrypted when the volume has moved. */
async function encryptionAfter(db: Db, row: VolumeRow, { newTypeId, recrypt, newKeyId }: VolumeMigrateParams): ReturnType<typeof diskEncryption> {
  const keyId = recrypt === true ? (newKeyId ?? null) : row.encryption_key_id;
  return diskEncryption(db, { type_id: newTypeId ?? row.type_id, encryption_key_id: keyId });
}
