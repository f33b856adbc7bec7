import { conflict } from '@cairn/kit/errors/errors';
import type { SagaDefinition } from '@cairn/kit/saga/saga';
import type { Tx } from '@cairn/kit/store/store';
import { fromJson, toJson } from '@cairn/kit/store/values';
import type { DiskRemoveParams } from '../sagas/disk-remove.ts';
import { leaveMessage, subjectOf } from '../sagas/common.ts';
import { attachmentsOfVolume, updateAttachment } from '../store/attachments.ts';
import { serviceOf } from '../store/services.ts';
import type { VolumeRow } from '../store/tables.ts';
import { typeById } from '../store/types.ts';
import { changePool, changeUsage } from '../store/usage.ts';
import { restingStatus, updateVolume, volumeById } from '../store/volumes.ts';
import type { VolumeMove } from '../face.ts';
import { serviceHost } from './backend.ts';
import type { CinderDeps } from './deps.ts';
import { emitVolume } from './events.ts';
import { deleteKey } from './keys.ts';
import { isTrueSpec, specsOf } from './types.ts';

/**
 * The end of a volume's way to another disk: everything that the row says of its disk changes at once. A disk of a volume in use is moved by nova (the event
 * `volume.move`), which ends it in the transaction in which its server has the new one.
 */
export async function finishMove(deps: CinderDeps, tx: Tx, diskRemove: SagaDefinition<DiskRemoveParams>, move: VolumeMove): Promise<void> {
  const { env } = deps;
  const { volumeId, oldDiskId, newDiskId, storage, newTypeId, newKeyId, who } = move;
  const row = await volumeById(tx, volumeId);
  if (row?.disk_id === newDiskId) return;
  if (!row || row.disk_id !== oldDiskId || row.migration_status !== 'migrating') throw conflict(`Volume ${volumeId} is not being moved any longer.`);
  const nowMs = env.clock.nowMs();
  const service = await serviceOf(tx, serviceHost(storage), 'cinder-volume');
  if (row.host !== null) await changePool(tx, row.host, { volumes: -1, gb: -row.size_gb });
  await changePool(tx, storage, { volumes: 1, gb: row.size_gb });
  const moved = { host: storage, disk_id: newDiskId, service_id: service?.id ?? null, migration_status: 'success' };
  await updateVolume(tx, volumeId, moved, nowMs);
  if (newTypeId !== undefined) await changeType(tx, row, newTypeId, newKeyId ?? null, nowMs);
  const now = (await volumeById(tx, volumeId)) as VolumeRow;
  for (const attachment of await attachmentsOfVolume(tx, volumeId)) {
    const info = fromJson<Record<string, unknown>, undefined>(attachment.connection_info, undefined);
    if (!info) continue;
    const encrypted = now.encryption_key_id !== null;
    await updateAttachment(tx, attachment.id, { connection_info: toJson({ ...info, disk_id: newDiskId, host: storage, encrypted }) }, nowMs);
  }
  await goBack(tx, row, nowMs);
  await emitVolume(env, tx, who, newTypeId === undefined ? 'migrate.end' : 'retype', now);
  await env.sagas.start(tx, diskRemove, { volumeId, host: row.host, diskId: oldDiskId }, { subject: subjectOf(volumeId), requestId: who.requestId });
}

/** The volume stays where it is, as it was. */
export async function abandonMove(deps: CinderDeps, tx: Tx, move: Pick<VolumeMove, 'volumeId' | 'newTypeId' | 'newKeyId' | 'who'>): Promise<void> {
  const { volumeId, newTypeId, newKeyId, who } = move;
  const row = await volumeById(tx, volumeId);
  if (newKeyId !== undefined && newKeyId !== row?.encryption_key_id) await deleteKey(tx, newKeyId);
  if (!row) return;
  const nowMs = deps.env.clock.nowMs();
  await updateVolume(tx, volumeId, { migration_status: newTypeId === undefined ? 'error' : null }, nowMs);
  await goBack(tx, row, nowMs);
  await leaveMessage(deps, tx, who, { action: 'scheduleVolume', detail: 'noBackend', resource: 'VOLUME', resourceId: volumeId, projectId: row.project_id });
}

/** The volume has the status that it had before; one that somebody deletes by force meanwhile stays so. */
async function goBack(tx: Tx, row: VolumeRow, nowMs: number): Promise<void> {
  const status = restingStatus(row.attach_status);
  await updateVolume(tx, row.id, { status, previous_status: null }, nowMs, { status: ['maintenance', 'retyping'] });
}

/** A volume that moves has no snapshots, so its own use is all there is to count. */
async function changeType(tx: Tx, row: VolumeRow, typeId: string, keyId: string | null, nowMs: number): Promise<void> {
  const type = await typeById(tx, typeId);
  const multiattach = type !== undefined && isTrueSpec(specsOf(type)['multiattach']);
  await updateVolume(tx, row.id, { type_id: typeId, multiattach: multiattach ? 1 : 0, encryption_key_id: keyId }, nowMs);
  if (keyId !== row.encryption_key_id) await deleteKey(tx, row.encryption_key_id);
  await changeUsage(tx, row.project_id, row.type_id, { volumes: -1, volume_gb: -row.size_gb });
  await changeUsage(tx, row.project_id, typeId, { volumes: 1, volume_gb: row.size_gb });
}
