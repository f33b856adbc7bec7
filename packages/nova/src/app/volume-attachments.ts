import { isAdmin } from '@cairn/kit/context/context';
import type { VolumeFacts } from '@cairn/cinder/face';
import { CairnError, forbidden, invalidInput, isCairnError, notFound } from '@cairn/kit/errors/errors';
import type { Version } from '@cairn/kit/http/microversion';
import type { NovaSagas } from '../sagas/index.ts';
import {
  type BlockDeviceRow,
  blockDevicesOf,
  blockDevicesOfVolume,
  insertBlockDevices,
  isMapping,
  type NewBlockDevice,
  patchBlockDevice,
} from '../store/block-device.ts';
import { imageOf } from '../store/server.ts';
import { isDeviceName, isTrue, missingDeviceNames } from './block-devices.ts';
import { type Caller, targetOf } from './caller.ts';
import type { NovaDeps } from './deps.ts';
import { ACTION_RULES, checkAction } from './server-states.ts';
import { beginAction, storedContext, visibleServer } from './servers.ts';
import { swapVolume } from './volume-swap.ts';

/** What a request to attach says. */
export interface AttachVolume {
  readonly volumeId: string;
  readonly device?: string | null;
  readonly tag?: string;
  readonly delete_on_termination?: boolean | string;
}

/** The body of a PUT: what may not change may be repeated. */
export interface UpdateAttachment {
  readonly volumeId: string;
  readonly id?: string;
  readonly serverId?: string;
  readonly device?: string | null;
  readonly tag?: string;
  readonly delete_on_termination?: boolean | string;
}

export interface VolumeAttachmentsApp {
  /** A server's volumes, in the order in which they came. */
  list(caller: Caller, serverId: string, page: { readonly offset: number; readonly limit: number }): Promise<readonly BlockDeviceRow[]>;
  get(caller: Caller, serverId: string, volumeId: string): Promise<BlockDeviceRow>;
  attach(caller: Caller, serverId: string, asked: AttachVolume, version: Version): Promise<NewBlockDevice>;
  update(caller: Caller, serverId: string, volumeId: string, asked: UpdateAttachment, version: Version): Promise<void>;
  detach(caller: Caller, serverId: string, volumeId: string): Promise<void>;
}

const POLICY = 'os_compute_api:os-volumes-attachments';
const BUSES = new Set(['virtio', 'scsi', 'ide', 'sata', 'usb']);

export function createVolumeAttachmentsApp(deps: NovaDeps, sagas: NovaSagas): VolumeAttachmentsApp {
  const { env, faces } = deps;

  const attached = async (serverId: string, volumeId: string): Promise<BlockDeviceRow> => {
    const row = (await blockDevicesOf(env.store.read, serverId)).find((device) => device.volume_id === volumeId);
    if (row === undefined) throw notFound(`Instance ${serverId} is not attached to volume ${volumeId}`);
    return row;
  };

  /** A volume as the caller sees it. */
  const volumeOf = (caller: Caller, id: string): Promise<VolumeFacts> =>
    faces.cinder.volume(env.store.read, caller.ctx, id).catch((error: unknown) => {
      if (isCairnError(error, 'NotFound')) throw notFound(`Volume ${id} could not be found.`);
      throw error;
    });

  /** Changes what may change of a mapping; all else may be repeated. */
  async function change(serverId: string, volumeId: string, asked: UpdateAttachment): Promise<void> {
    const device = (await blockDevicesOf(env.store.read, serverId)).find((row) => row.volume_id === volumeId);
    if (device === undefined) throw notFound(`Volume ${volumeId} could not be found.`);
    const fixed: readonly (readonly [string, unknown, unknown])[] = [
      ['id', asked.id, volumeId],
      ['serverId', asked.serverId, serverId],
      ['device', asked.device, device.device_name],
      ['tag', asked.tag, device.tag],
    ];
    for (const [name, given, is] of fixed) if (given !== undefined && given !== is) throw invalidInput(`The ${name} property is not mutable`);
    if (asked.delete_on_termination === undefined) return;
    const keep = isTrue(asked.delete_on_termination) ? 1 : 0;
    await env.store.write((tx) => patchBlockDevice(tx, device.id, { delete_on_termination: keep }));
  }

  return {
    async list(caller, serverId, { offset, limit }) {
      const server = await visibleServer(env.store.read, caller, serverId);
      caller.authorize(`${POLICY}:index`, targetOf(server));
      // upstream cuts the page out of all mappings, local ones too, and drops those afterwards; the config drive is no mapping there
      return (await blockDevicesOf(env.store.read, server.id))
        .filter(isMapping)
        .slice(offset, offset + limit)
        .filter((device) => device.volume_id !== null);
    },

    async get(caller, serverId, volumeId) {
      const server = await visibleServer(env.store.read, caller, serverId);
      caller.authorize(`${POLICY}:show`, targetOf(server));
      return await attached(server.id, volumeId);
    },

    async attach(caller, serverId, asked, version) {
      const server = await visibleServer(env.store.read, caller, serverId);
      caller.authorize(`${POLICY}:create`, targetOf(server));
      checkAction(server, { ...ACTION_RULES.attachVolume }, isAdmin(caller.ctx));
      if (asked.device && !isDeviceName(asked.device)) throw invalidInput(`The supplied device path (${asked.device}) is invalid.`);
      const volume = await volumeOf(caller, asked.volumeId);
      if (volume.multiattach && version.before('2.60')) throw invalidInput('Multiattach volumes are only supported starting with compute API version 2.60.');
      const id = env.ids.uuid();
      const attachmentId = env.ids.uuid();
      let made: NewBlockDevice | undefined;
      await beginAction(deps, caller, {
        serverId,
        policy: `${POLICY}:create`,
        rule: ACTION_RULES.attachVolume,
        action: 'attach_volume',
        saga: sagas.volumeAttach,
        params: async (row, tx) => {
          const others = await blockDevicesOfVolume(tx, volume.id);
          if (others.length > 0 && !volume.multiattach) {
            throw invalidInput(`Invalid volume: volume ${volume.id} is already attached to instances: ${others.map((device) => device.server_id).join(' ')}`);
          }
          if (others.some((device) => device.server_id === row.id)) throw invalidInput(`Invalid volume: volume ${volume.id} already attached`);
          const offloaded = row.vm_state === 'shelved_offloaded';
          if (offloaded && asked.tag !== undefined) throw invalidInput('Tagged volume attachment is not supported for shelved-offloaded instances.');
          if (offloaded && volume.multiattach) throw invalidInput('Attaching multiattach volumes is not supported for shelved-offloaded instances.');
          const devices = await blockDevicesOf(tx, row.id);
          const wanted = imageOf(row).properties['hw_disk_bus'];
          const bus = wanted !== undefined && BUSES.has(wanted) ? wanted : 'virtio';
          const deviceName = missingDeviceNames([...devices, { id, device_name: null, disk_bus: bus, attachment_id: attachmentId }]).get(id);
          if (deviceName === undefined) throw forbidden('The maximum allowed number of disk devices (26) to attach to a single instance has been exceeded.');
          made = {
            id,
            server_id: row.id,
            source_type: 'volume',
            destination_type: 'volume',
            device_type: 'disk',
            disk_bus: bus,
            boot_index: null,
            // the host where it comes up names it
            device_name: offloaded ? null : deviceName,
            image_id: null,
            snapshot_id: null,
            volume_id: volume.id,
            volume_type: null,
            volume_size_gb: volume.sizeGb,
            attachment_id: attachmentId,
            disk_id: null,
            create_volume: 0,
            guest_format: null,
            delete_on_termination: isTrue(asked.delete_on_termination) ? 1 : 0,
            tag: asked.tag ?? null,
            created_at_ms: env.clock.nowMs(),
          };
          await insertBlockDevices(tx, [made]);
          try {
            await faces.cinder.reserve(tx, caller.ctx, { id: attachmentId, volumeId: volume.id, serverId: row.id });
          } catch (error) {
            if (isCairnError(error, 'Conflict') || isCairnError(error, 'InvalidInput'))
              throw new CairnError('InvalidInput', `Invalid volume: ${error.message}`, { cause: error });
            throw error;
          }
          return { serverId: row.id, deviceId: id, volumeId: volume.id, attachmentId, ctx: storedContext(caller) };
        },
      });
      return made as unknown as NewBlockDevice;
    },

    async update(caller, serverId, volumeId, asked, version) {
      const server = await visibleServer(env.store.read, caller, serverId);
      const swaps = version.before('2.85') || asked.volumeId !== volumeId;
      if (swaps) caller.authorize(`${POLICY}:swap`, {});
      else caller.authorize(`${POLICY}:update`, targetOf(server));
      // up to 2.84 there is nothing but the swap; from then on what else is asked comes first
      if (version.atLeast('2.85')) await change(server.id, volumeId, asked);
      if (swaps) await swapVolume(deps, sagas, caller, { serverId: server.id, oldId: volumeId, newId: asked.volumeId });
    },

    async detach(caller, serverId, volumeId) {
      const server = await visibleServer(env.store.read, caller, serverId);
      caller.authorize(`${POLICY}:delete`, targetOf(server));
      await volumeOf(caller, volumeId);
      const device = await attached(server.id, volumeId);
      if (device.boot_index === 0) throw invalidInput('Cannot detach a root device volume');
      await beginAction(deps, caller, {
        serverId,
        policy: `${POLICY}:delete`,
        rule: ACTION_RULES.detachVolume,
        action: 'detach_volume',
        saga: sagas.volumeDetach,
        params: async (row, tx) => {
          // a volume of an offloaded server may be no more than reserved
          const begins = row.vm_state !== 'shelved_offloaded';
          try {
            if (begins) await faces.cinder.beginDetaching(tx, caller.ctx, volumeId, row.id);
          } catch (error) {
            if (isCairnError(error, 'Conflict') || isCairnError(error, 'InvalidInput'))
              throw new CairnError('InvalidInput', `Invalid volume: ${error.message}`, { cause: error });
            throw error;
          }
          return { serverId: row.id, deviceId: device.id, volumeId, attachmentId: device.attachment_id as string, ctx: storedContext(caller) };
        },
      });
    },
  };
}
