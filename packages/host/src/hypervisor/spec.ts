import { invalidInput } from '@cairn/kit/errors/errors';
import type { GuestDisk, GuestNic, GuestSpec } from '../interface/guests.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const DEVICE = /^[a-z]{2,8}[0-9]{0,3}$/;
const MAC = /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i;
const LINK = /^[A-Za-z0-9_.-]{1,15}$/;
const CPU_MODEL = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const NIC_MODELS: readonly string[] = ['virtio', 'e1000', 'e1000e', 'rtl8139'];
const BUSES: readonly string[] = ['virtio', 'scsi', 'ide', 'sata', 'usb'];

/** q35 without an IOMMU addresses this many. */
const MAX_VCPUS = 255;
const KERNEL_COMMAND_LINE_BYTES = 4096;

const require = (holds: boolean, message: string): void => {
  if (!holds) throw invalidInput(message);
};

/** Refuses what QEMU could misread or only refuse in its own words. All text of a spec that reaches QEMU passes here. */
export function checkSpec(spec: GuestSpec): void {
  checkGuestId(spec.guestId);
  require(Number.isInteger(spec.vcpus) && spec.vcpus >= 1 && spec.vcpus <= MAX_VCPUS, `vcpus must be 1 to ${MAX_VCPUS}, not ${spec.vcpus}.`);
  require(Number.isInteger(spec.memoryMb) && spec.memoryMb >= 1, `memoryMb must be a whole number above 0, not ${spec.memoryMb}.`);
  require(spec.firmware === 'bios' || spec.firmware === 'uefi', 'firmware must be bios or uefi.');
  require(spec.machine === undefined || spec.machine === 'q35' || spec.machine === 'pc', 'The machine type must be q35 or pc.');
  require(spec.cpuModel === undefined || CPU_MODEL.test(spec.cpuModel), 'The CPU model is not a name of a model.');
  const tpm = spec.hardware?.tpm;
  require(tpm === undefined || /^[0-9a-f]{64}$/.test(tpm.secret), 'The secret of a TPM is 64 hexadecimal digits.');
  const cells = spec.hardware?.numa?.cells ?? [];
  require(cells.length === 0 || cells.reduce((sum, cell) => sum + cell.memoryMb, 0) === spec.memoryMb, 'The NUMA nodes of a server have all of its memory.');
  for (const disk of spec.disks) checkDisk(disk);
  for (const nic of spec.nics) checkNic(nic);
  unique(
    'device name',
    spec.disks.map((d) => d.device),
  );
  unique(
    'boot index',
    spec.disks.flatMap((d) => (d.bootIndex === undefined ? [] : [String(d.bootIndex)])),
  );
  unique(
    'disk',
    spec.disks.map((d) => d.diskId),
  );
  unique(
    'port',
    spec.nics.map((n) => n.portId),
  );
  unique(
    'tap',
    spec.nics.map((n) => n.tap),
  );
  const line = spec.kernel?.commandLine ?? '';
  require(!/[\x00-\x1f\x7f]/.test(line), 'The kernel command line holds control characters.');
  require(Buffer.byteLength(line) <= KERNEL_COMMAND_LINE_BYTES, `The kernel command line is longer than ${KERNEL_COMMAND_LINE_BYTES} bytes.`);
}

/** A guest's id becomes a directory name and part of argv. */
export function checkGuestId(guestId: string): void {
  require(UUID.test(guestId), 'A guest is named by a UUID.');
}

export function checkDisk(disk: GuestDisk): void {
  require(disk.diskId.length > 0, 'A disk has no id.');
  require(DEVICE.test(disk.device), `${JSON.stringify(disk.device)} is not a device name such as vda.`);
  require(BUSES.includes(disk.bus), `${JSON.stringify(disk.bus)} is not a disk bus.`);
  require(disk.kind === 'disk' || disk.kind === 'cdrom', 'A disk is of the kind disk or cdrom.');
  require(disk.bootIndex === undefined || (Number.isInteger(disk.bootIndex) && disk.bootIndex >= 0), 'A boot index is a whole number.');
  require(disk.serial === undefined || !/[\x00-\x1f\x7f]/.test(disk.serial), 'A disk serial holds control characters.');
}

export function checkNic(nic: GuestNic): void {
  require(MAC.test(nic.mac), `${JSON.stringify(nic.mac)} is not a MAC address.`);
  require(LINK.test(nic.tap), `${JSON.stringify(nic.tap)} is not the name of a link.`);
  require(NIC_MODELS.includes(nic.model), `${JSON.stringify(nic.model)} is not a network card model.`);
}

function unique(what: string, values: readonly string[]): void {
  const seen = new Set<string>();
  for (const value of values) {
    require(!seen.has(value), `The ${what} ${JSON.stringify(value)} is named twice.`);
    seen.add(value);
  }
}
