import type { Context } from '@cairn/kit/context/context';
import { notFound } from '@cairn/kit/errors/errors';
import { defineSaga, type SagaDefinition } from '@cairn/kit/saga/saga';
import type { NovaDeps } from '../app/deps.ts';
import { serverEvent } from '../app/server-events.ts';
import { guestDisk } from '../hosts/guest-spec.ts';
import { finishAction } from '../store/action.ts';
import { findBlockDevice, patchBlockDevice, removeBlockDevice } from '../store/block-device.ts';
import { findServer, findServerBrief } from '../store/server.ts';
import { clearOnHost, DETACH_WAIT_MS, isOpen } from './on-host.ts';

export interface VolumeParams {
  readonly serverId: string;
  /** The mapping's id. */
  readonly deviceId: string;
  readonly volumeId: string;
  readonly attachmentId: string;
  readonly ctx: Context;
}

/**
 * Connects a reserved volume to the server's host, and plugs it into the guest if that runs. A server that is on no host, offloaded from a shelf, has
 * it at once, as upstream (_attach_volume_shelved_offloaded of nova.compute.api): it is connected where the server comes up.
 */
export function volumeAttachSaga(deps: NovaDeps): SagaDefinition<VolumeParams> {
  const { faces, env, hosts } = deps;
  return defineSaga<VolumeParams, unknown>({
    name: 'nova.volume.attach',
    steps: [
      {
        name: 'connect',
        // a volume that several servers may have is copied whole before the first has it
        deadlineMs: 1_800_000,
        async do(step) {
          const server = await findServerBrief(step.db, step.params.serverId);
          if (server === undefined) throw notFound(`Instance ${step.params.serverId} could not be found.`);
          if (server.host === null) return null;
          const { diskId, sizeGb } = await faces.cinder.connect(step.params.attachmentId, server.host);
          return { diskId, sizeGb };
        },
        async commit(tx, step, output) {
          if (output === null) return;
          const { diskId, sizeGb } = output as { readonly diskId: string; readonly sizeGb: number };
          await patchBlockDevice(tx, step.params.deviceId, { disk_id: diskId, volume_size_gb: sizeGb });
        },
        async undoCommit(tx, step) {
          await patchBlockDevice(tx, step.params.deviceId, { disk_id: null });
        },
      },
      {
        name: 'attach',
        deadlineMs: 120_000,
        async do(step) {
          const { serverId, deviceId, attachmentId } = step.params;
          const [server, device] = await Promise.all([findServerBrief(step.db, serverId), findBlockDevice(step.db, deviceId)]);
          if (server === undefined || device === undefined) throw notFound(`Instance ${serverId} could not be found.`);
          if (server.host === null) return;
          const { guests } = hosts.get(server.host);
          const facts = await faces.cinder.connect(attachmentId, server.host);
          const disk = guestDisk(device, facts);
          if (disk !== undefined && isOpen((await guests.info(serverId)).state)) await guests.attachDisk(serverId, disk);
        },
        async commit(tx, step) {
          const { serverId, deviceId, attachmentId, volumeId, ctx } = step.params;
          const device = await findBlockDevice(tx, deviceId);
          await faces.cinder.complete(tx, attachmentId, device?.device_name ?? undefined);
          await finishAction(tx, serverId, ctx.requestId, null, env.clock.nowMs());
          const row = await findServer(tx, serverId);
          if (row !== undefined) await env.events.emit(tx, serverEvent('volume.attach', row, ctx.requestId, { volume_id: volumeId }));
        },
        async undo(step) {
          const [server, device] = await Promise.all([findServerBrief(step.db, step.params.serverId), findBlockDevice(step.db, step.params.deviceId)]);
          if (server?.host == null || device?.disk_id == null) return;
          const diskId = device.disk_id;
          await clearOnHost(deps, server.host, step, [], async ({ guests }) => {
            if (isOpen((await guests.info(server.id)).state)) await guests.detachDisk(server.id, diskId, DETACH_WAIT_MS);
          });
        },
      },
    ],
    async onFailed(tx, step) {
      await removeBlockDevice(tx, step.params.deviceId);
      await faces.cinder.detach(tx, step.params.attachmentId);
      await finishAction(tx, step.params.serverId, step.params.ctx.requestId, 'Error', env.clock.nowMs());
    },
  });
}

/** Unplugs a volume from the guest if that runs, and gives it back. One that was to go with a server goes when it leaves that server on no host, as upstream. */
export function volumeDetachSaga(deps: NovaDeps): SagaDefinition<VolumeParams> {
  const { faces, env, hosts } = deps;
  return defineSaga<VolumeParams, unknown>({
    name: 'nova.volume.detach',
    steps: [
      {
        name: 'detach',
        deadlineMs: 240_000,
        async do(step) {
          const { serverId, deviceId } = step.params;
          const [server, device] = await Promise.all([findServerBrief(step.db, serverId), findBlockDevice(step.db, deviceId)]);
          if (server?.host == null || device?.disk_id == null) return;
          const { guests } = hosts.get(server.host);
          if (isOpen((await guests.info(serverId)).state)) await guests.detachDisk(serverId, device.disk_id, DETACH_WAIT_MS);
        },
        // a disk that the guest let go is plugged in again
        async undo(step) {
          const { serverId, deviceId, attachmentId } = step.params;
          const [server, device] = await Promise.all([findServerBrief(step.db, serverId), findBlockDevice(step.db, deviceId)]);
          if (server?.host == null || device === undefined) return;
          const { host } = server;
          await clearOnHost(deps, host, step, [], async ({ guests }) => {
            const disk = guestDisk(device, await faces.cinder.connect(attachmentId, host));
            if (disk !== undefined && isOpen((await guests.info(serverId)).state)) await guests.attachDisk(serverId, disk);
          });
        },
      },
    ],
    // rows change at the very end alone, when nothing can be taken back any more
    async onDone(tx, step) {
      const { serverId, deviceId, attachmentId, volumeId, ctx } = step.params;
      const [row, device] = [await findServer(tx, serverId), await findBlockDevice(tx, deviceId)];
      await removeBlockDevice(tx, deviceId);
      await faces.cinder.detach(tx, attachmentId);
      if (row?.host === null && device?.delete_on_termination === 1) await faces.cinder.deleteVolume(tx, ctx, volumeId);
      await finishAction(tx, serverId, ctx.requestId, null, env.clock.nowMs());
      if (row !== undefined) await env.events.emit(tx, serverEvent('volume.detach', row, ctx.requestId, { volume_id: volumeId }));
    },
    async onFailed(tx, step) {
      await faces.cinder.rollDetaching(tx, step.params.volumeId);
      await finishAction(tx, step.params.serverId, step.params.ctx.requestId, 'Error', env.clock.nowMs());
    },
  });
}
