import { Readable } from 'node:stream';
import type { Context } from '@cairn/kit/context/context';
import { notFound } from '@cairn/kit/errors/errors';
import { defineSaga, type SagaDefinition } from '@cairn/kit/saga/saga';
import type { NovaDeps } from '../app/deps.ts';
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

/** Makes an image of a server's root disk, live: the host streams a complete copy into glance. */
export function serverImageSaga(deps: NovaDeps): SagaDefinition<ServerImageParams> {
  const { faces, env, hosts } = deps;
  return defineSaga<ServerImageParams, unknown>({
    name: 'nova.server.create_image',
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
        async commit(tx, step) {
          await actionDone(deps, tx, { serverId: step.params.serverId, requestId: step.params.ctx.requestId, event: 'snapshot.end' });
        },
        async undo(step) {
          await faces.glance.discard(step.params.imageId);
        },
      },
    ],
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
