import type { VolumeMove } from '@cairn/cinder/face';
import { isCairnError } from '@cairn/kit/errors/errors';
import type { StoredEvent } from '@cairn/kit/events/events';
import { ownContext } from '../hosts/waiting-servers.ts';
import type { NovaSagas } from '../sagas/index.ts';
import { findAction, insertActions } from '../store/action.ts';
import { blockDevicesOf } from '../store/block-device.ts';
import { findServer } from '../store/server.ts';
import type { NovaDeps } from './deps.ts';
import { ACTION_RULES, checkAction } from './server-states.ts';

/**
 * Cinder moves a volume that a server has, and only the server's guest can copy it while it writes: what upstream's cinder asks for by
 * `PUT /servers/{id}/os-volume_attachments/{id}` comes here as an event. A server that cannot do it says so, and the volume stays where it is.
 */
export async function moveVolume(deps: NovaDeps, sagas: NovaSagas, event: StoredEvent): Promise<void> {
  const { env, faces } = deps;
  const { server_id: serverId, move } = event.payload as { readonly server_id: string; readonly move: VolumeMove };
  const { requestId } = move.who;
  await env.store.write(async (tx) => {
    // events come at least once
    if ((await findAction(tx, serverId, requestId))?.action === 'swap_volume') return;
    const row = await findServer(tx, serverId);
    const device = (await blockDevicesOf(tx, serverId)).find(({ volume_id, disk_id }) => volume_id === move.volumeId && disk_id === move.oldDiskId);
    const refused = row === undefined || row.deleted === 1 || device === undefined || !mayBegin(() => checkAction(row, ACTION_RULES.swapVolume, true));
    if (refused) {
      env.log.warn({ serverId, volumeId: move.volumeId }, 'a server cannot copy its volume to another disk at the moment: the volume stays where it is');
      await faces.cinder.endMove(tx, move, 'failed');
      return;
    }
    await insertActions(tx, [{ serverId, requestId, action: 'swap_volume', userId: move.who.userId, projectId: row.project_id, atMs: env.clock.nowMs() }]);
    await env.sagas.start(
      tx,
      sagas.volumeMove,
      { serverId, deviceId: device.id, move, ctx: ownContext(row, requestId) },
      { subject: `server:${serverId}`, requestId, userId: move.who.userId, projectId: row.project_id },
    );
  });
}

function mayBegin(check: () => void): boolean {
  try {
    check();
    return true;
  } catch (error) {
    if (isCairnError(error)) return false;
    throw error;
  }
}
