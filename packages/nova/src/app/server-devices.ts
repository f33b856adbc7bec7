import { forbidden } from '@cairn/kit/errors/errors';
import type { NewBlockDevice } from '../store/block-device.ts';
import { type BlockDevice, isEphemeral, isSwap, nextDeviceName } from './block-devices.ts';

/** Buses that guests can have disks on; any other is given virtio's. */
const BUSES = new Set(['virtio', 'scsi', 'ide', 'sata', 'usb']);
const busOr = (bus: string | undefined, fallback: string): string => (bus !== undefined && BUSES.has(bus) ? bus : fallback);

export interface DevicePlan {
  readonly serverId: string;
  readonly imageProperties: Readonly<Record<string, string>>;
  readonly configDrive: boolean;
  readonly nowMs: number;
  readonly mintId: () => string;
}

/** The root disk comes first, then ephemeral disks, swap, and the rest in the request's order. */
const rank = (device: BlockDevice): number => (device.bootIndex === 0 ? 0 : isEphemeral(device) ? 1 : isSwap(device) ? 2 : 3);

/**
 * The rows of a server's disks, with all ids minted and names given in the order that the guest finds the disks. Names that a request
 * gives are not honoured, as with upstream's libvirt driver: the guest numbers its disks by itself.
 */
export function deviceRows(devices: readonly BlockDevice[], plan: DevicePlan): readonly NewBlockDevice[] {
  const imageBus = busOr(plan.imageProperties['hw_disk_bus'], 'virtio');
  const taken: string[] = [];
  const name = (bus: string): string => {
    const next = nextDeviceName(taken, bus);
    if (next === undefined) throw forbidden('The maximum allowed number of disk devices (26) to attach to a single instance has been exceeded.');
    taken.push(next);
    return next;
  };
  const rows = [...devices]
    .sort((a, b) => rank(a) - rank(b))
    .map((device): NewBlockDevice => {
      const bus = busOr(device.diskBus, device.deviceType === 'cdrom' ? busOr(plan.imageProperties['hw_cdrom_bus'], imageBus) : imageBus);
      const isVolume = device.destinationType === 'volume';
      const id = plan.mintId();
      return {
        id,
        server_id: plan.serverId,
        source_type: device.sourceType,
        destination_type: device.destinationType,
        device_type: device.deviceType === 'cdrom' ? 'cdrom' : 'disk',
        disk_bus: bus,
        boot_index: device.bootIndex,
        device_name: name(bus),
        image_id: device.imageId ?? null,
        snapshot_id: device.snapshotId ?? null,
        // a volume that is to be made gets this row's id, and shows here when it is
        volume_id: device.volumeId ?? null,
        volume_type: device.volumeType ?? null,
        volume_size_gb: device.volumeSize ?? null,
        attachment_id: isVolume ? plan.mintId() : null,
        disk_id: isVolume ? null : id,
        create_volume: isVolume && device.volumeId === undefined ? 1 : 0,
        guest_format: device.guestFormat ?? null,
        delete_on_termination: device.deleteOnTermination ? 1 : 0,
        tag: device.tag ?? null,
        created_at_ms: plan.nowMs,
      };
    });
  if (plan.configDrive) rows.push(configDriveRow(plan, name('virtio')));
  return rows;
}

/** A virtio disk and no CD-ROM: guests without a driver for q35's SATA find it too (cloud kernels have none). */
function configDriveRow(plan: DevicePlan, deviceName: string): NewBlockDevice {
  const id = plan.mintId();
  return {
    id,
    server_id: plan.serverId,
    source_type: 'files',
    destination_type: 'local',
    device_type: 'disk',
    disk_bus: 'virtio',
    boot_index: null,
    device_name: deviceName,
    image_id: null,
    snapshot_id: null,
    volume_id: null,
    volume_type: null,
    volume_size_gb: null,
    attachment_id: null,
    disk_id: id,
    create_volume: 0,
    guest_format: null,
    delete_on_termination: 1,
    tag: null,
    created_at_ms: plan.nowMs,
  };
}
