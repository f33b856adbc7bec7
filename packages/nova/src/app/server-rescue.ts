import { isAdmin } from '@cairn/kit/context/context';
import { invalidInput, isCairnError } from '@cairn/kit/errors/errors';
import type { Version } from '@cairn/kit/http/microversion';
import { STABLE_RESCUE } from '../hosts/guest-spec.ts';
import type { NovaSagas } from '../sagas/index.ts';
import { blockDevicesOf, insertBlockDevices } from '../store/block-device.ts';
import { imageOf, type ServerRow } from '../store/server.ts';
import { nextDeviceName } from './block-devices.ts';
import { type Caller, targetOf } from './caller.ts';
import type { NovaDeps } from './deps.ts';
import { isVolumeBacked } from './server-create.ts';
import { newPassword } from './server-names.ts';
import { checkVolumesAttached } from './server-rebuild.ts';
import { ACTION_RULES, checkAction, POWER } from './server-states.ts';
import { refuseTpm } from './server-hardware.ts';
import { beginAction, storedContext, visibleServer } from './servers.ts';

export interface RescueBody {
  readonly adminPass?: string;
  readonly rescue_image_ref?: string;
}

export interface ServerRescueApp {
  /** Accepts a rescue; returns the password of the rescue system's administrator. */
  rescue(caller: Caller, serverId: string, body: RescueBody, version: Version): Promise<string>;
  unrescue(caller: Caller, serverId: string): Promise<void>;
}

const BUSES = new Set(['virtio', 'scsi', 'ide', 'sata', 'usb']);

export function createServerRescueApp(deps: NovaDeps, sagas: NovaSagas): ServerRescueApp {
  const { env } = deps;
  const db = env.store.read;

  /** The image to boot from: the request's, or the one that the server was made from. */
  async function rescueImage(
    caller: Caller,
    server: ServerRow,
    asked: string | undefined,
  ): Promise<{ readonly id: string; readonly properties: Readonly<Record<string, string>> }> {
    const own = imageOf(server);
    const id = asked ?? own.properties['base_image_ref'] ?? server.image_id;
    const unsupported = () => invalidInput(`Requested rescue image '${id}' is not supported`);
    try {
      const image = await deps.faces.glance.image(db, caller.ctx, id);
      if (image.status !== 'active' || (asked !== undefined && image.properties['block_device_mapping'] !== undefined)) throw unsupported();
      return { id, properties: asked === undefined ? own.properties : image.properties };
    } catch (error) {
      if (isCairnError(error, 'NotFound') || isCairnError(error, 'Forbidden')) throw unsupported();
      throw error;
    }
  }

  return {
    async rescue(caller, serverId, body, version) {
      const server = await visibleServer(db, caller, serverId);
      caller.authorize('os_compute_api:os-rescue', targetOf(server));
      checkAction(server, ACTION_RULES.rescue, isAdmin(caller.ctx));
      const devices = await blockDevicesOf(db, server.id);
      const volumeBacked = isVolumeBacked(devices);
      const notRescuable = () => invalidInput(`Instance ${server.id} cannot be rescued: Cannot rescue a volume-backed instance`);
      // a server without an image of its own has none to be rescued with
      if (volumeBacked && body.rescue_image_ref === undefined) throw notRescuable();
      const image = await rescueImage(caller, server, body.rescue_image_ref);
      await checkVolumesAttached(deps, caller, devices, 'Conflict');
      const { hw_rescue_device: device, hw_rescue_bus: bus } = image.properties;
      if (volumeBacked && !(version.atLeast('2.87') && device !== undefined && bus !== undefined)) throw notRescuable();
      const stable = device !== undefined || bus !== undefined;
      await beginAction(deps, caller, {
        serverId,
        policy: 'os_compute_api:os-rescue',
        rule: ACTION_RULES.rescue,
        action: 'rescue',
        taskState: 'rescuing',
        event: 'rescue.start',
        saga: sagas.rescue,
        params: async (row, tx) => {
          refuseTpm(row, 'rescue');
          const wantedBus = stable ? bus : image.properties['hw_disk_bus'];
          const kind = stable && device === 'cdrom' ? 'cdrom' : 'disk';
          const diskBus = wantedBus !== undefined && BUSES.has(wantedBus) ? wantedBus : kind === 'cdrom' ? 'sata' : 'virtio';
          const taken = stable ? (await blockDevicesOf(tx, row.id)).map((one) => one.device_name) : [];
          const deviceName = nextDeviceName(taken, diskBus);
          if (deviceName === undefined) throw invalidInput(`Instance ${row.id} cannot be rescued: it has no room for another disk`);
          const id = env.ids.uuid();
          const diskId = env.ids.uuid();
          await insertBlockDevices(tx, [
            {
              id,
              server_id: row.id,
              source_type: 'rescue',
              destination_type: 'local',
              device_type: kind,
              disk_bus: diskBus,
              boot_index: null,
              device_name: null,
              image_id: image.id,
              snapshot_id: null,
              volume_id: null,
              volume_type: null,
              volume_size_gb: null,
              attachment_id: null,
              disk_id: diskId,
              create_volume: 0,
              guest_format: stable ? STABLE_RESCUE : null,
              delete_on_termination: 1,
              tag: null,
              created_at_ms: env.clock.nowMs(),
            },
          ]);
          return { serverId: row.id, ctx: storedContext(caller), deviceId: id, diskId, deviceName, ran: row.power_state === POWER.running };
        },
      });
      return body.adminPass ?? newPassword(env.ids);
    },

    async unrescue(caller, serverId) {
      await beginAction(deps, caller, {
        serverId,
        policy: 'os_compute_api:os-unrescue',
        rule: ACTION_RULES.unrescue,
        action: 'unrescue',
        taskState: 'unrescuing',
        event: 'unrescue.start',
        saga: sagas.unrescue,
        params: async (row, tx) => {
          const device = (await blockDevicesOf(tx, row.id)).find((one) => one.source_type === 'rescue');
          return { serverId: row.id, ctx: storedContext(caller), deviceId: device?.id ?? '', deviceName: device?.device_name ?? '' };
        },
      });
    },
  };
}
