import { invalidInput } from '@cairn/kit/errors/errors';
import { type BlockDeviceRow, blockDevicesOfVolume } from '../store/block-device.ts';
import { findServer, type ServerRow } from '../store/server.ts';
import type { NovaDeps } from './deps.ts';

/** Snapshots of attached volumes that another service asks the guest's host for (nova/compute/api.py, volume_snapshot_create). */
export class AssistedSnapshots {
  readonly #deps: NovaDeps;

  constructor(deps: NovaDeps) {
    this.#deps = deps;
  }

  /** A point in time of an attached volume's disk, by the guest that has it open. */
  async create(volumeId: string, snapshotId: string): Promise<void> {
    const { device, server } = await this.#attached(volumeId, true);
    await this.#deps.hosts.get(server.host as string).disks.snapshot(device.disk_id as string, snapshotId);
  }

  async remove(volumeId: string, snapshotId: string): Promise<void> {
    const { device, server } = await this.#attached(volumeId, false);
    await this.#deps.hosts.get(server.host as string).disks.removeSnapshot(device.disk_id as string, snapshotId);
  }

  async #attached(volumeId: string, alone: boolean): Promise<{ readonly device: BlockDeviceRow; readonly server: ServerRow }> {
    const db = this.#deps.env.store.read;
    const devices = await blockDevicesOfVolume(db, volumeId);
    const [device] = devices;
    if (device === undefined) throw invalidInput(`No volume Block Device Mapping with id ${volumeId}.`);
    if (alone && devices.length > 1) throw invalidInput('Block Device Mapping is attached to multiple servers.');
    const server = await findServer(db, device.server_id);
    if (server?.host == null || device.disk_id === null) throw invalidInput(`Instance ${device.server_id} is not ready`);
    if (alone && !['active', 'stopped', 'paused', 'suspended'].includes(server.vm_state)) {
      throw invalidInput(`Instance ${server.id} in vm_state ${server.vm_state}. Cannot volume_snapshot_create while the instance is in this state.`);
    }
    return { device, server };
  }
}
