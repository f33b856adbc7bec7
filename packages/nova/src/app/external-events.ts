import type { StoredEvent } from '@cairn/kit/events/events';
import { ownContext } from '../hosts/waiting-servers.ts';
import type { NovaSagas } from '../sagas/index.ts';
import { finishAction, insertActions } from '../store/action.ts';
import { blockDevicesOfVolume, patchBlockDevice } from '../store/block-device.ts';
import { findServer } from '../store/server.ts';
import type { NovaDeps } from './deps.ts';
import { serverEvent } from './server-events.ts';
import { portVanished } from './vanished-ports.ts';

/** One event that another service tells of a server. */
export interface ExternalEvent {
  readonly name: string;
  readonly server_uuid: string;
  readonly status?: string;
  readonly tag?: string;
}

/** What came of an event: 200, 400 without the tag that it needs, 404 for an unknown server, 422 for one on no host. */
export interface ExternalEventAnswer {
  readonly code: 200 | 400 | 404 | 422;
  readonly status: string;
}

const GIB = 2 ** 30;
const NEEDS_TAG = new Set(['volume-extended', 'power-update', 'accelerator-request-bound']);

/** Events from other services (nova/api/openstack/compute/server_external_events.py). Within this cloud they come by the outbox as well. */
export class ExternalEvents {
  readonly #deps: NovaDeps;
  readonly #sagas: NovaSagas;

  constructor(deps: NovaDeps, sagas: NovaSagas) {
    this.#deps = deps;
    this.#sagas = sagas;
  }

  async take(event: ExternalEvent, requestId: string, userId: string): Promise<ExternalEventAnswer> {
    const { env } = this.#deps;
    const server = await findServer(env.store.read, event.server_uuid);
    if (server === undefined || server.deleted === 1) return { code: 404, status: 'failed' };
    if (NEEDS_TAG.has(event.name) && event.tag === undefined) return { code: 400, status: 'failed' };
    if (server.host === null) return { code: 422, status: 'failed' };
    // other ports, powers and accelerators are this cloud's own to know: its reconcilers see them without being told
    if (event.name === 'network-vif-deleted' && event.tag !== undefined) await portVanished(this.#deps, this.#sagas, { resourceId: event.tag, requestId });
    if (event.name === 'volume-extended') {
      const volumeId = event.tag as string;
      const size = await this.#deps.faces.cinder.volume(env.store.read, ownContext(server, requestId), volumeId).catch(() => undefined);
      if (size !== undefined) await this.volumeExtended(volumeId, size.sizeGb, [server.id], requestId, userId);
    }
    return { code: 200, status: 'completed' };
  }

  /** An attached volume has grown, and its guest knows: the records and the users' list of actions are told. */
  async volumeExtended(volumeId: string, sizeGb: number, serverIds: readonly string[], requestId: string, userId: string): Promise<void> {
    const { env } = this.#deps;
    await this.#showGuests(volumeId, sizeGb, serverIds);
    await env.store.write(async (tx) => {
      const devices = (await blockDevicesOfVolume(tx, volumeId)).filter((device) => serverIds.includes(device.server_id));
      const nowMs = env.clock.nowMs();
      for (const device of devices) {
        const row = await findServer(tx, device.server_id);
        if (row === undefined || row.deleted === 1) continue;
        await patchBlockDevice(tx, device.id, { volume_size_gb: sizeGb });
        await insertActions(tx, [{ serverId: row.id, requestId, action: 'extend_volume', userId, projectId: row.project_id, atMs: nowMs }]);
        await finishAction(tx, row.id, requestId, null, nowMs);
        await env.events.emit(tx, serverEvent('volume.extend', row, requestId, { volume_id: volumeId, size: sizeGb }));
      }
    });
  }

  /** Guests learn the size of a disk from the host that keeps it; those of other hosts are told. */
  async #showGuests(volumeId: string, sizeGb: number, serverIds: readonly string[]): Promise<void> {
    const { env, hosts } = this.#deps;
    for (const device of await blockDevicesOfVolume(env.store.read, volumeId)) {
      const server = serverIds.includes(device.server_id) ? await findServer(env.store.read, device.server_id) : undefined;
      if (server?.host == null || device.disk_id === null) continue;
      try {
        await hosts.get(server.host).guests.diskHasGrown(server.id, device.disk_id, sizeGb * GIB);
      } catch (error) {
        env.log.warn(
          { serverId: server.id, volumeId, err: error },
          'a guest could not be shown that its volume has grown; it sees it when it is started again',
        );
      }
    }
  }

  /** Cinder's own word that an attached volume has grown. */
  async heard(event: StoredEvent): Promise<void> {
    const { server_ids: serverIds, new_size: size } = event.payload as { readonly server_ids?: readonly string[]; readonly new_size?: number };
    if (event.type !== 'volume.extended' || serverIds === undefined || size === undefined) return;
    await this.volumeExtended(event.resourceId, size, serverIds, event.requestId ?? `req-${this.#deps.env.ids.uuid()}`, event.userId ?? '');
  }
}
