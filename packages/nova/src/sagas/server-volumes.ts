import type { Context } from '@cairn/kit/context/context';
import type { Db, Tx } from '@cairn/kit/store/store';
import type { NovaDeps } from '../app/deps.ts';
import { blockDevicesOf, patchBlockDevice } from '../store/block-device.ts';

/** Starts the volumes that a server's mapping asks for, on the server's host; each has its mapping's id. */
export async function createVolumes(deps: NovaDeps, tx: Tx, ctx: Context, serverId: string, host: string): Promise<void> {
  for (const device of await blockDevicesOf(tx, serverId)) {
    if (device.create_volume === 0) continue;
    await deps.faces.cinder.createVolume(tx, ctx, {
      id: device.id,
      name: device.source_type === 'blank' ? `${serverId}-blank-vol` : '',
      sizeGb: device.volume_size_gb ?? 1,
      host,
      ...(device.image_id === null ? {} : { imageId: device.image_id }),
      ...(device.snapshot_id === null ? {} : { snapshotId: device.snapshot_id }),
      ...(device.volume_type === null ? {} : { volumeType: device.volume_type }),
    });
    await patchBlockDevice(tx, device.id, { volume_id: device.id });
  }
}

/** Takes back what createVolumes began: nobody asked for the volumes by themselves. */
export async function discardVolumes(deps: NovaDeps, tx: Tx, ctx: Context, serverId: string): Promise<void> {
  for (const device of await blockDevicesOf(tx, serverId)) {
    if (device.create_volume === 0) continue;
    if (device.attachment_id !== null) await deps.faces.cinder.detach(tx, device.attachment_id);
    await deps.faces.cinder.deleteVolume(tx, ctx, device.id);
    await patchBlockDevice(tx, device.id, { volume_id: null });
  }
}

/** Waits for new volumes, reserves them, and connects all of a server's volumes to its host. */
export async function readyVolumes(
  deps: NovaDeps,
  db: Db,
  ctx: Context,
  serverId: string,
  host: string,
  signal: AbortSignal,
): Promise<readonly { readonly id: string; readonly diskId: string; readonly sizeGb: number }[]> {
  const { cinder } = deps.faces;
  const devices = (await blockDevicesOf(db, serverId)).filter((device) => device.destination_type === 'volume');
  return await Promise.all(
    devices.map(async (device) => {
      const attachmentId = device.attachment_id as string;
      if (device.create_volume === 1) {
        await cinder.untilAvailable(device.id, signal);
        await deps.env.store.write((tx) => cinder.reserve(tx, ctx, { id: attachmentId, volumeId: device.id, serverId }));
      }
      const { diskId, sizeGb } = await cinder.connect(attachmentId, host);
      return { id: device.id, diskId, sizeGb };
    }),
  );
}

/** Connects volumes that a server has already to the host that it comes up on. */
export async function connectVolumes(
  deps: NovaDeps,
  db: Db,
  serverId: string,
  host: string,
): Promise<readonly { readonly id: string; readonly diskId: string; readonly sizeGb: number }[]> {
  const devices = (await blockDevicesOf(db, serverId)).filter((device) => device.attachment_id !== null);
  return await Promise.all(
    devices.map(async (device) => {
      const { diskId, sizeGb } = await deps.faces.cinder.connect(device.attachment_id as string, host);
      return { id: device.id, diskId, sizeGb };
    }),
  );
}

/** The guest has the volumes that were connected to its host. */
export async function completeVolumes(deps: NovaDeps, tx: Tx, serverId: string): Promise<void> {
  for (const device of await blockDevicesOf(tx, serverId)) {
    if (device.attachment_id !== null) await deps.faces.cinder.complete(tx, device.attachment_id, device.device_name ?? '');
  }
}

/** A host has a server's volumes no longer, whatever is still running there: what other hosts keep of them is closed to it. */
export async function disconnectVolumes(deps: NovaDeps, db: Db, serverId: string, host: string | null): Promise<void> {
  if (host === null) return;
  for (const { attachment_id: id } of await blockDevicesOf(db, serverId)) if (id !== null) await deps.faces.cinder.disconnect(id, host);
}

/** A server's volumes are its guest's on this host from now on, and no other's. */
export async function handVolumesOver(deps: NovaDeps, db: Db, serverId: string, host: string): Promise<void> {
  for (const { attachment_id: id } of await blockDevicesOf(db, serverId)) if (id !== null) await deps.faces.cinder.handOver(id, host);
}
