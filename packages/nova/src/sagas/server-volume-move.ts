import type { VolumeMove } from '@cairn/cinder/face';
import type { GuestDisk } from '@cairn/host/interface/guests';
import type { Context } from '@cairn/kit/context/context';
import { notFound } from '@cairn/kit/errors/errors';
import { defineSaga, type SagaDefinition } from '@cairn/kit/saga/saga';
import type { Db } from '@cairn/kit/store/store';
import type { NovaDeps } from '../app/deps.ts';
import { serverEvent } from '../app/server-events.ts';
import { guestDisk } from '../hosts/guest-spec.ts';
import { finishAction } from '../store/action.ts';
import { findBlockDevice, patchBlockDevice } from '../store/block-device.ts';
import { findServer, findServerBrief } from '../store/server.ts';
import { clearOnHost, isOpen } from './on-host.ts';

export interface VolumeMoveParams {
  readonly serverId: string;
  /** The mapping's id. */
  readonly deviceId: string;
  readonly move: VolumeMove;
  readonly ctx: Context;
}

/** As long as cinder gives copies of data. */
const COPY_DEADLINE_MS = 6 * 3600_000;

/** The running guest copies a volume to another disk and goes on there; then nova's and cinder's records say so, at once. */
export function volumeMoveSaga(deps: NovaDeps): SagaDefinition<VolumeMoveParams> {
  const { faces, env, hosts } = deps;

  /** The volume as the guest sees it, on its present disk or on the new one. */
  async function place(db: Db, { serverId, deviceId, move }: VolumeMoveParams, which: 'old' | 'new'): Promise<{ host: string; disk: GuestDisk }> {
    const [server, device] = await Promise.all([findServerBrief(db, serverId), findBlockDevice(db, deviceId)]);
    if (server?.host == null || device?.attachment_id == null) throw notFound(`Instance ${serverId} could not be found.`);
    const facts = await faces.cinder.connect(device.attachment_id, server.host, which === 'new' ? { move } : {});
    const disk = guestDisk({ ...device, disk_id: which === 'new' ? move.newDiskId : move.oldDiskId }, facts);
    if (disk === undefined) throw notFound(`Instance ${serverId} is not attached to volume ${move.volumeId}`);
    return { host: server.host, disk };
  }

  return defineSaga<VolumeMoveParams, unknown>({
    name: 'nova.volume.move',
    steps: [
      {
        name: 'swap_volume',
        deadlineMs: COPY_DEADLINE_MS,
        async do(step) {
          const { serverId, move } = step.params;
          const { host, disk } = await place(step.db, step.params, 'new');
          await hosts.get(host).guests.swapDisk(serverId, move.oldDiskId, disk, step.signal);
        },
        // the guest that has the new disk copies it back: what it wrote since is there alone
        async undo(step) {
          const { serverId, move } = step.params;
          const found = await place(step.db, step.params, 'old').catch(() => undefined);
          if (found === undefined) return;
          const { host, disk } = found;
          await clearOnHost(deps, host, step, [], async ({ guests }) => {
            if (isOpen((await guests.info(serverId)).state)) await guests.swapDisk(serverId, move.newDiskId, disk);
          });
        },
      },
    ],
    // rows change at the very end alone, when nothing can be taken back any more
    async onDone(tx, step) {
      const { serverId, deviceId, move, ctx } = step.params;
      await patchBlockDevice(tx, deviceId, { disk_id: move.newDiskId });
      await faces.cinder.endMove(tx, move, 'done');
      await finishAction(tx, serverId, ctx.requestId, null, env.clock.nowMs());
      const row = await findServer(tx, serverId);
      if (row !== undefined) await env.events.emit(tx, serverEvent('volume.swap', row, ctx.requestId, { volume_id: move.volumeId }));
    },
    async onFailed(tx, step) {
      const { serverId, move, ctx } = step.params;
      await faces.cinder.endMove(tx, move, 'failed');
      await finishAction(tx, serverId, ctx.requestId, 'Error', env.clock.nowMs());
    },
  });
}
