import type { GuestDisk } from '@cairn/host/interface/guests';
import type { Context } from '@cairn/kit/context/context';
import { conflict, notFound } from '@cairn/kit/errors/errors';
import { defineSaga, type SagaDefinition } from '@cairn/kit/saga/saga';
import type { Db } from '@cairn/kit/store/store';
import type { NovaDeps } from '../app/deps.ts';
import { serverEvent } from '../app/server-events.ts';
import { guestDisk } from '../hosts/guest-spec.ts';
import { finishAction } from '../store/action.ts';
import { findBlockDevice, patchBlockDevice } from '../store/block-device.ts';
import { findServer, findServerBrief } from '../store/server.ts';
import { clearOnHost, isOpen } from './on-host.ts';

/** One of the two volumes, with the attachment that it has to the server. */
export interface SwapSide {
  readonly volumeId: string;
  readonly attachmentId: string;
}

export interface VolumeSwapParams {
  readonly serverId: string;
  /** The mapping's id. */
  readonly deviceId: string;
  readonly old: SwapSide;
  readonly new: SwapSide;
  readonly ctx: Context;
}

/** As long as cinder gives copies of data. */
const COPY_DEADLINE_MS = 6 * 3600_000;

interface Place {
  readonly host: string;
  readonly disk: GuestDisk;
  readonly readOnly: boolean;
}

/** The running guest copies a volume to another one and goes on there; then nova's and cinder's records say so, at once. */
export function volumeSwapSaga(deps: NovaDeps): SagaDefinition<VolumeSwapParams> {
  const { faces, env, hosts } = deps;

  /** One of the volumes as the guest sees it in the mapping's place, connected to the guest's host. */
  async function place(db: Db, params: VolumeSwapParams, which: 'old' | 'new'): Promise<Place> {
    const { serverId, deviceId } = params;
    const side = params[which];
    const [server, device] = await Promise.all([findServerBrief(db, serverId), findBlockDevice(db, deviceId)]);
    if (server?.host == null || device === undefined) throw notFound(`Instance ${serverId} could not be found.`);
    const facts = await faces.cinder.connect(side.attachmentId, server.host);
    const disk = guestDisk({ ...device, volume_id: side.volumeId, disk_id: facts.diskId }, facts);
    if (disk === undefined) throw notFound(`Instance ${serverId} is not attached to volume ${side.volumeId}`);
    return { host: server.host, disk, readOnly: facts.readOnly };
  }

  return defineSaga<VolumeSwapParams, unknown>({
    name: 'nova.volume.swap',
    steps: [
      {
        name: 'connect',
        async do(step) {
          const { disk, readOnly } = await place(step.db, step.params, 'new');
          if (readOnly) throw conflict(`Volume ${step.params.new.volumeId} is read-only: nothing can be copied to it.`);
          return { diskId: disk.diskId };
        },
      },
      {
        name: 'swap_volume',
        deadlineMs: COPY_DEADLINE_MS,
        async do(step) {
          const { serverId, deviceId } = step.params;
          const { host, disk } = await place(step.db, step.params, 'new');
          const device = await findBlockDevice(step.db, deviceId);
          if (device?.disk_id == null) throw notFound(`Instance ${serverId} is not attached to volume ${step.params.old.volumeId}`);
          await hosts.get(host).guests.swapDisk(serverId, device.disk_id, disk, step.signal);
        },
        // the guest that has the new volume copies it back: what it wrote since is there alone
        async undo(step) {
          const { serverId } = step.params;
          const { diskId: newDiskId } = (step.outputs['connect'] ?? {}) as { readonly diskId?: string };
          const before = await place(step.db, step.params, 'old').catch(() => undefined);
          if (before === undefined || newDiskId === undefined) return;
          await clearOnHost(deps, before.host, step, [], async ({ guests }) => {
            if (isOpen((await guests.info(serverId)).state)) await guests.swapDisk(serverId, newDiskId, before.disk);
          });
        },
      },
    ],
    // rows change at the very end alone, when nothing can be taken back any more
    async onDone(tx, step) {
      const { serverId, deviceId, old, new: now, ctx } = step.params;
      const { diskId } = step.outputs['connect'] as { readonly diskId: string };
      const device = await findBlockDevice(tx, deviceId);
      const { volumeId: volume_id, attachmentId: attachment_id } = now;
      await patchBlockDevice(tx, deviceId, { source_type: 'volume', snapshot_id: null, volume_id, attachment_id, disk_id: diskId });
      await faces.cinder.complete(tx, attachment_id, device?.device_name ?? '');
      await faces.cinder.detach(tx, old.attachmentId);
      await finishAction(tx, serverId, ctx.requestId, null, env.clock.nowMs());
      const row = await findServer(tx, serverId);
      if (row !== undefined)
        await env.events.emit(tx, serverEvent('volume.swap', row, ctx.requestId, { old_volume_id: old.volumeId, new_volume_id: volume_id }));
    },
    async onFailed(tx, step) {
      const { serverId, old, new: now, ctx } = step.params;
      await faces.cinder.detach(tx, now.attachmentId);
      await faces.cinder.rollDetaching(tx, old.volumeId);
      await finishAction(tx, serverId, ctx.requestId, 'Error', env.clock.nowMs());
    },
  });
}
