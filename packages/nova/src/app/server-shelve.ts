import { conflict, invalidInput } from '@cairn/kit/errors/errors';
import type { NovaSagas } from '../sagas/index.ts';
import { blockDevicesOf, patchBlockDevice } from '../store/block-device.ts';
import { allComputeNodes } from '../store/compute-node.ts';
import { type ServerPatch } from '../store/server.ts';
import { missingDeviceNames } from './block-devices.ts';
import { type Caller, targetOf } from './caller.ts';
import type { NovaDeps } from './deps.ts';
import { isVolumeBacked } from './server-create.ts';
import type { MakeImage } from './server-images.ts';
import { checkZoneAvailable, zoneOfHost } from './server-placement.ts';
import { ACTION_RULES, POWER, statusOf } from './server-states.ts';
import { refuseTpm } from './server-hardware.ts';
import { beginAction, storedContext, visibleServer } from './servers.ts';

/** Where a shelved server is to come up. `zone` null unpins it; undefined leaves its zone as it is. */
export interface UnshelveWish {
  readonly zone?: string | null;
  readonly host?: string;
}

export interface ServerShelveApp {
  shelve(caller: Caller, serverId: string): Promise<void>;
  offload(caller: Caller, serverId: string): Promise<void>;
  unshelve(caller: Caller, serverId: string, wish: UnshelveWish): Promise<void>;
}

export function createServerShelveApp(deps: NovaDeps, sagas: NovaSagas, makeImage: MakeImage): ServerShelveApp {
  const { env, options } = deps;
  return {
    async shelve(caller, serverId) {
      await beginAction(deps, caller, {
        serverId,
        policy: 'os_compute_api:os-shelve:shelve',
        rule: ACTION_RULES.shelve,
        action: 'shelve',
        taskState: 'shelving',
        event: 'shelve.start',
        saga: sagas.shelve,
        params: async (row, tx) => {
          refuseTpm(row, 'shelve');
          const volumeBacked = isVolumeBacked(await blockDevicesOf(tx, row.id));
          const imageId = volumeBacked ? null : env.ids.uuid();
          if (imageId !== null) {
            const form = { diskFormat: 'qcow2', containerFormat: 'bare', minDiskGb: row.root_gb, extra: {} };
            await makeImage(tx, caller, row, imageId, { name: `${row.name}-shelved` }, form);
          }
          return {
            serverId: row.id,
            ctx: storedContext(caller),
            imageId,
            vmState: row.vm_state,
            ran: row.power_state === POWER.running && row.vm_state === 'active',
            // nothing of a volume-backed server would be kept on its host
            offloads: volumeBacked || options.shelvedOffloadMs === 0,
          };
        },
      });
    },

    async offload(caller, serverId) {
      await beginAction(deps, caller, {
        serverId,
        policy: 'os_compute_api:os-shelve:shelve_offload',
        rule: ACTION_RULES.shelveOffload,
        action: 'shelveOffload',
        taskState: 'shelving_offloading',
        event: 'shelve_offload.start',
        saga: sagas.offload,
        params: (row) => ({ serverId: row.id, ctx: storedContext(caller) }),
      });
    },

    async unshelve(caller, serverId, wish) {
      const db = env.store.read;
      const server = await visibleServer(db, caller, serverId);
      caller.authorize('os_compute_api:os-shelve:unshelve', targetOf(server));
      const common = {
        serverId,
        policy: 'os_compute_api:os-shelve:unshelve',
        rule: ACTION_RULES.unshelve,
        action: 'unshelve',
        event: 'unshelve.start',
      } as const;
      const placed = wish.zone !== undefined || wish.host !== undefined;
      if (placed && server.vm_state !== 'shelved_offloaded' && server.vm_state === 'shelved')
        throw conflict(
          `Specifying an availability zone or a host when unshelving server "${server.id}" with status "${server.vm_state}" is not supported. The server status must be SHELVED_OFFLOADED.`,
          { detail: statusOf(server) },
        );
      if (wish.zone) await checkZoneAvailable(deps, db, wish.zone);
      const zone = wish.zone === undefined ? server.pinned_az : wish.zone;
      if (wish.host !== undefined) {
        caller.authorize('os_compute_api:os-shelve:unshelve_to_host', targetOf(server));
        if (!(await allComputeNodes(db)).some((node) => node.host === wish.host)) throw invalidInput(`Compute host ${wish.host} could not be found.`);
        const actual = (await zoneOfHost(db, wish.host)) ?? options.defaultAvailabilityZone;
        if (zone !== null && actual !== zone) throw conflict(`Host "${wish.host}" is not in the availability zone "${zone}".`);
      }
      if (server.vm_state === 'shelved') {
        await beginAction(deps, caller, {
          ...common,
          taskState: 'unshelving',
          saga: sagas.unshelveHere,
          params: (row) => ({ serverId: row.id, ctx: storedContext(caller), imageId: row.shelved_image_id }),
        });
        return;
      }
      const patch: ServerPatch = wish.zone === undefined ? {} : { pinned_az: wish.zone };
      await beginAction(deps, caller, {
        ...common,
        taskState: 'unshelving',
        patch,
        saga: sagas.unshelve,
        params: async (row, tx) => {
          const devices = await blockDevicesOf(tx, row.id);
          // volumes that came while it was on no host
          for (const [deviceId, name] of missingDeviceNames(devices)) await patchBlockDevice(tx, deviceId, { device_name: name });
          return {
            serverId: row.id,
            ctx: storedContext(caller),
            hasVolumes: devices.some((device) => device.destination_type === 'volume'),
            zone,
            shownZone: row.availability_zone,
            pinnedBefore: row.pinned_az,
            forcedHost: wish.host ?? null,
            forcedNode: null,
            imageId: row.shelved_image_id,
          };
        },
      });
    },
  };
}
