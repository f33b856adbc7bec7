import type { StoredEvent } from '@cairn/kit/events/events';
import { ownContext } from '../hosts/waiting-servers.ts';
import type { NovaSagas } from '../sagas/index.ts';
import { findServer } from '../store/server.ts';
import { findServerPort, removeServerPort } from '../store/server-port.ts';
import { givePortRoomBack } from '../topology/port-room.ts';
import type { NovaDeps } from './deps.ts';

/**
 * Somebody deleted a port that a server has: what it held in placement is free at once, and the guest loses its card. Upstream's neutron says
 * `network-vif-deleted` of it; its nova takes the card away and keeps the room until the server is deleted (compute/manager.py).
 */
export async function portVanished(
  deps: NovaDeps,
  sagas: NovaSagas,
  { resourceId: portId, requestId }: Pick<StoredEvent, 'resourceId' | 'requestId'>,
): Promise<void> {
  const { env } = deps;
  // nova's own deletions forget the port as they delete it
  if ((await findServerPort(env.store.read, portId)) === undefined) return;
  await env.store.write(async (tx) => {
    const mine = await findServerPort(tx, portId);
    if (mine === undefined || (await deps.faces.neutron.port(tx, portId)) !== undefined) return;
    await removeServerPort(tx, portId);
    const row = await findServer(tx, mine.server_id);
    if (row === undefined || row.deleted === 1) return;
    await givePortRoomBack(deps, tx, row, portId);
    if (row.host === null || row.task_state === 'deleting') return;
    const by = requestId ?? `req-${env.ids.uuid()}`;
    await env.sagas.start(
      tx,
      sagas.interfaceDetach,
      { serverId: row.id, ctx: ownContext(row, by), portId },
      { subject: `server:${row.id}`, requestId: by, projectId: row.project_id },
    );
  });
}
