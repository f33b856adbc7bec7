import type { DiskLimits, GuestDisk } from '../interface/guests.ts';
import { diskDeviceId } from './devices.ts';
import type { Qmp } from './qmp.ts';

/** QEMU's names (qapi/block-core.json, BlockIOThrottle): a limit, and its burst. */
const NAMES: readonly (readonly [keyof DiskLimits, string])[] = [
  ['bytesPerSecond', 'bps'],
  ['readBytesPerSecond', 'bps_rd'],
  ['writeBytesPerSecond', 'bps_wr'],
  ['operationsPerSecond', 'iops'],
  ['readOperationsPerSecond', 'iops_rd'],
  ['writeOperationsPerSecond', 'iops_wr'],
];
const BURSTS: readonly (readonly [keyof DiskLimits, string])[] = [
  ['burstBytesPerSecond', 'bps_max'],
  ['readBurstBytesPerSecond', 'bps_rd_max'],
  ['writeBurstBytesPerSecond', 'bps_wr_max'],
  ['burstOperationsPerSecond', 'iops_max'],
  ['readBurstOperationsPerSecond', 'iops_rd_max'],
  ['writeBurstOperationsPerSecond', 'iops_wr_max'],
];

/** What `block_set_io_throttle` is given; undefined where a disk has no limits. 0 means none for QEMU, too. */
export function throttleOf(disk: GuestDisk): Readonly<Record<string, unknown>> | undefined {
  const { limits } = disk;
  if (!limits) return undefined;
  const bursts = BURSTS.flatMap(([key, name]) => (limits[key] === undefined ? [] : [[name, limits[key]] as const]));
  if (NAMES.every(([key]) => !limits[key]) && bursts.length === 0) return undefined;
  return { ...base(disk), ...Object.fromEntries(bursts), ...(limits.operationBytes === undefined ? {} : { iops_size: limits.operationBytes }) };
}

const base = (disk: GuestDisk): Readonly<Record<string, unknown>> => ({
  // what reads and writes for a virtio disk is a device within it
  id: disk.bus === 'virtio' ? `/machine/peripheral/${diskDeviceId(disk)}/virtio-backend` : diskDeviceId(disk),
  ...Object.fromEntries(NAMES.map(([key, name]) => [name, disk.limits?.[key] ?? 0])),
});

/** Holds disks to their limits. A guest without its limits would take what others were promised, so a failure is one of the caller's. */
export async function throttle(qmp: Pick<Qmp, 'execute'>, disks: readonly GuestDisk[]): Promise<void> {
  for (const disk of disks) {
    const limits = throttleOf(disk);
    if (limits) await qmp.execute('block_set_io_throttle', limits);
  }
}

/** Another disk is in a device's place: its limits hold from now on, or none. */
export const rethrottle = async (qmp: Pick<Qmp, 'execute'>, disk: GuestDisk): Promise<void> => {
  await qmp.execute('block_set_io_throttle', throttleOf(disk) ?? base(disk));
};
