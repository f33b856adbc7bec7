import { systemContext } from '@cairn/kit/context/context';
import { type CairnError, conflict, isCairnError, notFound } from '@cairn/kit/errors/errors';
import { historyOf } from '@cairn/kit/saga/history';
import type { Db } from '@cairn/kit/store/store';
import type { AttachmentFacts, CinderFace, SnapshotFacts, VolumeFacts } from '../face.ts';
import { invalidVolume } from '../errors.ts';
import { subjectOf } from '../sagas/common.ts';
import { attachmentById, attachmentsOfServer, attachmentsOfVolume, updateAttachment } from '../store/attachments.ts';
import { snapshotById } from '../store/snapshots.ts';
import type { AttachmentRow, SnapshotRow, VolumeRow } from '../store/tables.ts';
import { namesOfTypes } from '../store/types.ts';
import { updateVolume, volumeById } from '../store/volumes.ts';
import type { CinderApp } from './app.ts';
import { completeAttachment, connectAttachment, endAttachment, releaseAttachment, reserveVolume } from './attachments.ts';
import { boundHost } from './backend.ts';
import { requesterOf, serviceCaller } from './caller.ts';
import type { CinderDeps } from './deps.ts';
import { secretOf } from './keys.ts';
import { frontEndQos } from './qos.ts';
import { createSnapshot, deleteSnapshot, getSnapshot } from './snapshots.ts';
import { closeWay, handOver, letSeveralHave, locationFrom } from './remote.ts';
import { getTypeByNameOrId } from './types.ts';
import { createVolume } from './volume-create.ts';
import { deleteVolume } from './volume-delete.ts';
import { reimage } from './volume-image.ts';
import { abandonMove, finishMove } from './volume-move.ts';
import { getVolume, pairsOf } from './volumes.ts';

/** What other services ask of cinder. */
export function createFace(app: CinderApp): CinderFace {
  const { deps } = app;
  const { env } = deps;
  const nobody = requesterOf(systemContext('req-cinder'));
  return {
    async volume(db, ctx, volumeId) {
      return volumeFacts(deps, db, await getVolume(db, serviceCaller(ctx), volumeId));
    },
    async snapshot(db, ctx, snapshotId) {
      return snapshotFacts(await getSnapshot(db, serviceCaller(ctx), snapshotId));
    },
    async volumeTypeName(db, ctx, idOrName) {
      try {
        return (await getTypeByNameOrId(db, ctx, idOrName)).name;
      } catch (error) {
        if (isCairnError(error, 'NotFound')) return undefined;
        throw error;
      }
    },
    diskKey: (keyId) => secretOf(deps, env.store.read, keyId),
    async createVolume(tx, ctx, volume) {
      if (await volumeById(tx, volume.id)) return;
      await createVolume(app, tx, serviceCaller(ctx), {
        id: volume.id,
        name: volume.name,
        size: volume.sizeGb,
        imageRef: volume.imageId ?? null,
        snapshotId: volume.snapshotId ?? null,
        sourceVolumeId: volume.sourceVolumeId ?? null,
        volumeType: volume.volumeType ?? null,
        availabilityZone: volume.availabilityZone ?? null,
        ...(volume.host !== undefined && { reachedFrom: volume.host }),
        followImageSnapshot: true,
      });
    },
    async untilAvailable(volumeId, signal) {
      const row = await settledRow(app, () => volumeById(env.store.read, volumeId), signal);
      if (!row) throw notFound(`Volume ${volumeId} could not be found.`);
      if (['error', 'deleting', 'error_deleting'].includes(row.status))
        throw await failureOf(app, volumeId, app.sagas.volumeCreate.name, `Volume ${volumeId} did not become available: its status is ${row.status}.`);
    },
    async reserve(tx, ctx, attachment) {
      if (await attachmentById(tx, attachment.id)) return;
      const caller = serviceCaller(ctx);
      const volume = await getVolume(tx, caller, attachment.volumeId);
      await reserveVolume(deps, tx, caller, volume, { id: attachment.id, serverId: attachment.serverId, mode: attachment.mode ?? 'null', byCompute: true });
    },
    async connect(attachmentId, host, { comes = false, move } = {}) {
      const found = await attachmentById(env.store.read, attachmentId);
      const row = found && (await volumeById(env.store.read, found.volume_id));
      if (!found || !row) throw notFound(`Volume attachment ${attachmentId} could not be found.`);
      const volume = move ? { ...row, host: move.storage, disk_id: move.newDiskId } : row;
      // a guest that comes finds the disk in the hands of the host that keeps it, where it is there now
      const waits = comes && found.attached_host === boundHost(deps, volume.host);
      await letSeveralHave(deps, volume);
      const location = await locationFrom(deps, volume, found, { host, waits });
      let mode = found.attach_mode;
      const isAttached = found.attach_status === 'attached' && found.connection_info !== null;
      if (isAttached && found.attached_host !== host && !comes) {
        await env.store.write((tx) => updateAttachment(tx, attachmentId, { attached_host: host }, env.clock.nowMs()));
      } else if (!isAttached && (found.connection_info === null || found.attached_host !== host)) {
        mode = (await env.store.write((tx) => connectAttachment(deps, tx, nobody, attachmentId, { host, platform: 'x86_64', os_type: 'linux' }))).attach_mode;
      }
      const qosSpecs = await frontEndQos(env.store.read, volume.type_id);
      return {
        diskId: volume.disk_id,
        sizeGb: volume.size_gb,
        multiattach: volume.multiattach === 1,
        readOnly: mode === 'ro',
        ...(qosSpecs && { qosSpecs }),
        ...(location && { location }),
      };
    },
    async handOver(attachmentId, host) {
      const found = await attachmentById(env.store.read, attachmentId);
      const volume = found && (await volumeById(env.store.read, found.volume_id));
      if (found && volume) await handOver(deps, volume, found, host);
    },
    async disconnect(attachmentId, host) {
      const found = await attachmentById(env.store.read, attachmentId);
      const volume = found && (await volumeById(env.store.read, found.volume_id));
      if (found && volume) await closeWay(deps, volume, found, host);
    },
    async moved(tx, attachmentId, host) {
      await updateAttachment(tx, attachmentId, { attached_host: host }, env.clock.nowMs());
    },
    complete: (tx, attachmentId, device) => completeAttachment(deps, tx, nobody, attachmentId, device),
    release: (tx, attachmentId) => releaseAttachment(deps, tx, nobody, attachmentId),
    async beginDetaching(tx, ctx, volumeId, _serverId) {
      const volume = await getVolume(tx, serviceCaller(ctx), volumeId);
      const begun = await updateVolume(tx, volume.id, { status: 'detaching' }, env.clock.nowMs(), { status: ['in-use'], attachStatus: 'attached' });
      if (!begun) throw invalidVolume("Unable to detach volume. Volume status must be 'in-use' and attach_status must be 'attached' to detach.");
    },
    async rollDetaching(tx, volumeId) {
      await updateVolume(tx, volumeId, { status: 'in-use' }, env.clock.nowMs(), { status: ['detaching'] });
    },
    async detach(tx, attachmentId) {
      const row = await attachmentById(tx, attachmentId);
      if (row) await endAttachment(deps, tx, nobody, attachmentId, row.volume_id);
    },
    async reimage(tx, ctx, { volumeId, imageId }) {
      const caller = serviceCaller(ctx);
      await reimage(app, tx, caller, await getVolume(tx, caller, volumeId), imageId, { reserved: true, inUse: true });
    },
    async untilReimaged(volumeId, signal) {
      const row = await settledRow(app, () => volumeById(env.store.read, volumeId), signal);
      if (!row) throw notFound(`Volume ${volumeId} could not be found.`);
      if (row.status === 'error')
        throw await failureOf(app, volumeId, app.sagas.volumeReimage.name, `Volume ${volumeId} did not get the image's content: its status is error.`);
    },
    async endMove(tx, move, outcome) {
      if (outcome === 'done') {
        await finishMove(deps, tx, app.sagas.diskRemove, move);
        return;
      }
      const row = await volumeById(tx, move.volumeId);
      // told twice, or after somebody has taken it back
      if (row?.disk_id === move.newDiskId) return;
      if (row?.migration_status === 'migrating') await abandonMove(deps, tx, move);
      await env.sagas.start(
        tx,
        app.sagas.diskRemove,
        { volumeId: move.volumeId, host: move.storage, diskId: move.newDiskId },
        { subject: subjectOf(move.volumeId), requestId: move.who.requestId },
      );
    },
    async attachmentsOfServer(db, serverId) {
      return (await attachmentsOfServer(db, serverId)).map(attachmentFacts);
    },
    async deleteVolume(tx, ctx, volumeId) {
      const row = await volumeById(tx, volumeId);
      if (!row || row.status === 'deleting') return;
      // the server that it was made for goes, and nobody is left who could answer a refusal: a volume that others have, or that has
      // snapshots, stays (as with upstream's nova, which logs that)
      try {
        await deleteVolume(app, tx, serviceCaller(ctx), row, { force: true });
      } catch (error) {
        if (!isCairnError(error)) throw error;
        env.log.warn({ volumeId, reason: error.message }, 'a volume was to go with its server and stays');
      }
    },
    async createSnapshot(tx, ctx, snapshot) {
      if (await snapshotById(tx, snapshot.id)) return;
      const caller = serviceCaller(ctx);
      const volume = await getVolume(tx, caller, snapshot.volumeId);
      await createSnapshot(app, tx, caller, volume, { id: snapshot.id, name: snapshot.name, description: null, metadata: {}, inUse: snapshot.force });
    },
    async untilSnapshotAvailable(snapshotId, signal) {
      const row = await settledRow(app, () => snapshotById(env.store.read, snapshotId), signal);
      if (!row) throw notFound(`Snapshot ${snapshotId} could not be found.`);
      if (row.status !== 'available')
        throw await failureOf(
          app,
          row.volume_id,
          app.sagas.snapshotCreate.name,
          `Snapshot ${snapshotId} did not become available: its status is ${row.status}.`,
        );
    },
    async deleteSnapshot(tx, ctx, snapshotId) {
      const row = await snapshotById(tx, snapshotId);
      if (row && row.status !== 'deleting') await deleteSnapshot(app, tx, serviceCaller(ctx), row, { force: true });
    },
  };
}

/** The row once the saga that makes its resource has ended; at once when it has ended before. */
async function settledRow<Row extends { readonly saga_id: string | null; readonly status: string }>(
  app: CinderApp,
  read: () => Promise<Row | undefined>,
  signal: AbortSignal | undefined,
): Promise<Row | undefined> {
  signal?.throwIfAborted();
  const before = await read();
  if (!before || before.saga_id === null || !['creating', 'downloading', 'reserved'].includes(before.status)) return before;
  const end = app.deps.env.sagas.settled(before.saga_id);
  if (signal) {
    const aborted = Promise.withResolvers<never>();
    const onAbort = (): void => aborted.reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      await Promise.race([end, aborted.promise]);
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  } else await end;
  return read();
}

/** Why the last saga of a name failed for a volume, in its words for the user. */
async function failureOf(app: CinderApp, volumeId: string, saga: string, otherwise: string): Promise<CairnError> {
  const [last] = await historyOf(app.deps.env.store.read, { subject: subjectOf(volumeId) }, { names: [saga], limit: 1 });
  return conflict(last?.failure ? `${otherwise} ${last.failure.message}` : otherwise, { type: 'VolumeNotCreated' });
}

async function volumeFacts(deps: CinderDeps, db: Db, row: VolumeRow): Promise<VolumeFacts> {
  const names = await namesOfTypes(db, [row.type_id]);
  const imageMetadata = pairsOf(row.image_metadata);
  return {
    id: row.id,
    name: row.name ?? '',
    status: row.status,
    sizeGb: row.size_gb,
    projectId: row.project_id,
    availabilityZone: row.availability_zone ?? '',
    bootable: row.bootable === 1,
    multiattach: row.multiattach === 1,
    encrypted: row.encryption_key_id !== null,
    volumeType: names.get(row.type_id) ?? null,
    host: boundHost(deps, row.host),
    imageId: imageMetadata['image_id'] ?? null,
    imageMetadata,
    migrationStatus: row.migration_status,
    attachments: (await attachmentsOfVolume(db, row.id)).map(attachmentFacts),
  };
}

const attachmentFacts = (row: AttachmentRow): AttachmentFacts => ({
  id: row.id,
  volumeId: row.volume_id,
  serverId: row.server_id,
  host: row.attached_host,
  device: row.mountpoint,
  mode: row.attach_mode === 'ro' ? 'ro' : 'rw',
  status: row.attach_status,
});

const snapshotFacts = (row: SnapshotRow): SnapshotFacts => ({ id: row.id, volumeId: row.volume_id, status: row.status, sizeGb: row.size_gb });
