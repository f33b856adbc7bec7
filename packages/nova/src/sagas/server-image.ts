import { Readable } from 'node:stream';
import type { Context } from '@cairn/kit/context/context';
import { notFound } from '@cairn/kit/errors/errors';
import { defineSaga, type SagaDefinition, type SagaStep, type StepContext } from '@cairn/kit/saga/saga';
import type { NovaDeps } from '../app/deps.ts';
import { handOn } from '../app/inside.ts';
import { finishAction } from '../store/action.ts';
import { blockDevicesOf } from '../store/block-device.ts';
import { findServerBrief, patchServer } from '../store/server.ts';
import { actionDone, actionFailed } from './outcome.ts';

export interface ServerImageParams {
  readonly serverId: string;
  readonly ctx: Context;
  readonly imageId: string;
}

export interface VolumeImageParams extends ServerImageParams {
  readonly snapshotIds: readonly string[];
}

export interface BackupParams extends ServerImageParams {
  readonly backupType: string;
  /** How many backups of this type are kept, the new one among them. */
  readonly rotation: number;
}

/** Makes an image of a server's root disk, live: the host streams a complete copy into glance. */
export const serverImageSaga = (deps: NovaDeps): SagaDefinition<ServerImageParams> => imageSaga<ServerImageParams>(deps, 'nova.server.create_image');

/** The same for a backup, after which the oldest of its type go. */
export const serverBackupSaga = (deps: NovaDeps): SagaDefinition<BackupParams> =>
  imageSaga<BackupParams>(deps, 'nova.server.create_backup', {
    name: 'rotate',
    async do(step) {
      await rotate(deps, step);
    },
  });

/** Deletes what exceeds the rotation, oldest first, in the name of who asked. An image that cannot go stays, as with upstream. */
async function rotate(deps: NovaDeps, step: StepContext<BackupParams, unknown>): Promise<void> {
  const { serverId, ctx, backupType, rotation } = step.params;
  const glance = handOn(deps, ctx, 'glance');
  const query = new URLSearchParams({ image_type: 'backup', backup_type: backupType, instance_uuid: serverId, sort: 'created_at:desc', limit: '1000' });
  const { images } = (await glance('GET', `/v2/images?${query}`)) as { readonly images?: readonly { readonly id: string }[] };
  for (const image of (images ?? []).slice(rotation)) {
    await glance('DELETE', `/v2/images/${image.id}`).catch((error: unknown) =>
      step.log.warn({ serverId, imageId: image.id, err: error }, 'a backup past its rotation could not be deleted'),
    );
  }
}

function imageSaga<Params extends ServerImageParams>(deps: NovaDeps, name: string, after?: SagaStep<Params, unknown>): SagaDefinition<Params> {
  const { faces, env, hosts } = deps;
  return defineSaga<Params, unknown>({
    name,
    steps: [
      {
        name: 'begin',
        async commit(tx, step) {
          await patchServer(tx, step.params.serverId, { task_state: 'image_uploading', updated_at_ms: env.clock.nowMs() });
        },
      },
      {
        name: 'upload',
        deadlineMs: 3_600_000,
        async do(step) {
          const { serverId, imageId } = step.params;
          const [server, devices] = await Promise.all([findServerBrief(step.db, serverId), blockDevicesOf(step.db, serverId)]);
          const root = devices.find((device) => device.boot_index === 0);
          if (server?.host == null || root?.disk_id == null) throw notFound(`Instance ${serverId} could not be found.`);
          const { stream } = await hosts.get(server.host).disks.export(root.disk_id, { format: 'qcow2' });
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
      ...(after === undefined ? [] : [after]),
    ],
    async onDone(tx, step) {
      await actionDone(deps, tx, { serverId: step.params.serverId, requestId: step.params.ctx.requestId, event: 'snapshot.end' });
    },
    async onFailed(tx, step, failure) {
      // a snapshot that fails leaves its server as it is; the reason is with the action
      await actionFailed(deps, tx, {
        serverId: step.params.serverId,
        requestId: step.params.ctx.requestId,
        failure,
        event: 'snapshot.error',
        patch: (row) => ({ fault_json: row.fault_json }),
      });
      tx.afterCommit(() => void faces.glance.discard(step.params.imageId).catch(() => undefined));
    },
  });
}

/** Makes an image of a volume-backed server: snapshots of its volumes, and an image without data that names them. */
export function volumeImageSaga(deps: NovaDeps): SagaDefinition<VolumeImageParams> {
  const { faces, env } = deps;
  return defineSaga<VolumeImageParams, unknown>({
    name: 'nova.server.create_volume_image',
    steps: [
      {
        name: 'snapshots',
        deadlineMs: 1_800_000,
        async do(step) {
          await Promise.all(step.params.snapshotIds.map((id) => faces.cinder.untilSnapshotAvailable(id, step.signal)));
        },
      },
      {
        name: 'image',
        async do(step) {
          await faces.glance.upload(step.params.imageId, Readable.from([]), step.signal);
        },
        async commit(tx, step) {
          const { serverId, ctx } = step.params;
          await finishAction(tx, serverId, ctx.requestId, null, env.clock.nowMs());
        },
        async undo(step) {
          await faces.glance.discard(step.params.imageId);
        },
      },
    ],
    async onFailed(tx, step, failure) {
      const { serverId, ctx, snapshotIds, imageId } = step.params;
      step.log.warn({ serverId, reason: failure.message }, 'an image of a volume-backed server failed');
      // the snapshots were begun when the request was accepted
      for (const id of snapshotIds) await faces.cinder.deleteSnapshot(tx, ctx, id);
      await finishAction(tx, serverId, ctx.requestId, 'Error', env.clock.nowMs());
      tx.afterCommit(() => void faces.glance.discard(imageId).catch(() => undefined));
    },
  });
}
