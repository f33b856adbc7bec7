import { conflict } from '@cairn/kit/errors/errors';
import type { GuestDisk, GuestNic } from '../interface/guests.ts';
import type { GuestHardware } from '../interface/hardware.ts';
import { wantsUsb } from './machine-parts.ts';
import { diskKey, nicKey, type Slots, slotAddress } from './slots.ts';

/** A device as JSON: for `-device` and `device_add` alike. */
export type Device = { readonly driver: string; readonly id: string } & Readonly<Record<string, unknown>>;

export const diskDeviceId = (disk: Pick<GuestDisk, 'device'>): string => `disk-${disk.device}`;
export const nicDeviceId = (nic: Pick<GuestNic, 'tap'>): string => `nic-${nic.tap}`;
export const netdevId = (nic: Pick<GuestNic, 'tap'>): string => `net-${nic.tap}`;

export const SCSI_CONTROLLER = 'scsi0';
export const USB_CONTROLLER = 'usb0';
export const SATA_CONTROLLER = 'sata0';

/** The serial numbers that buses can carry are shorter than a UUID; guests see its beginning, as on upstream's hosts. */
const SERIAL_CHARACTERS: Readonly<Record<GuestDisk['bus'], number>> = { virtio: 20, ide: 20, sata: 20, scsi: 36, usb: 126 };

/** Buses that take and give up devices while the guest runs. */
export const hotPluggable = (disk: GuestDisk): boolean => disk.bus === 'virtio' || disk.bus === 'scsi' || disk.bus === 'usb';

/** The machine type that a device is placed in. */
export type MachineKind = 'q35' | 'pc';

/** The place of each disk on the buses that have places of their own, by `diskKey`: SCSI unit, SATA port, IDE position. */
export function busPlaces(disks: readonly GuestDisk[]): Readonly<Record<string, number>> {
  const places: Record<string, number> = {};
  for (const disk of disks) {
    if (disk.bus === 'virtio' || disk.bus === 'usb') continue;
    const position = letterPosition(disk.device);
    const taken = new Set(
      Object.entries(places)
        .filter(([key]) => sameBus(key, disk, disks))
        .map(([, place]) => place),
    );
    let place = position !== undefined && !taken.has(position) ? position : 0;
    while (taken.has(place)) place++;
    places[diskKey(disk)] = place;
  }
  return places;
}

const sameBus = (key: string, disk: GuestDisk, disks: readonly GuestDisk[]): boolean => disks.some((d) => diskKey(d) === key && family(d) === family(disk));
const family = (disk: GuestDisk): string => (disk.bus === 'sata' ? 'ide' : disk.bus);

/** sda is 0, sdb 1, sdaa 26. */
function letterPosition(device: string): number | undefined {
  const letters = /^[a-z]d([a-z]{1,2})$/.exec(device)?.[1];
  return letters === undefined ? undefined : [...letters].reduce((sum, letter) => sum * 26 + letter.charCodeAt(0) - 96, 0) - 1;
}

/** The frontend of a disk whose node is `drive`. */
export function diskDevice(disk: GuestDisk, drive: string, slots: Slots, place: number, machine: MachineKind): Device {
  const common = {
    id: diskDeviceId(disk),
    drive,
    // QEMU's 0 is for a kernel that is booted directly.
    ...(disk.bootIndex === undefined ? {} : { bootindex: disk.bootIndex + 1 }),
    ...(disk.serial === undefined ? {} : { serial: disk.serial.slice(0, SERIAL_CHARACTERS[disk.bus]) }),
    ...(disk.shared ? { 'share-rw': true } : {}),
    // while its host cannot be reached the guest stands still, and goes on where it was (Guest)
    ...(disk.location && disk.kind === 'disk' ? { werror: 'stop', rerror: 'stop' } : {}),
  };
  const cdrom = disk.kind === 'cdrom';
  switch (disk.bus) {
    case 'virtio': {
      const slot = slots[diskKey(disk)];
      if (slot === undefined) throw conflict(`No slot was given to ${disk.device}.`);
      return { driver: 'virtio-blk-pci', ...common, ...slotAddress(slot, machine), ...(cdrom || disk.readOnly ? {} : { 'write-cache': 'on' }) };
    }
    case 'scsi':
      return { driver: cdrom ? 'scsi-cd' : 'scsi-hd', ...common, bus: `${SCSI_CONTROLLER}.0`, channel: 0, 'scsi-id': place, lun: 0 };
    case 'usb':
      return { driver: 'usb-storage', ...common, bus: `${USB_CONTROLLER}.0`, removable: cdrom };
    case 'ide':
    case 'sata':
      return { driver: cdrom ? 'ide-cd' : 'ide-hd', ...common, ...ataAddress(disk, place, machine) };
  }
}

/** q35 has six SATA ports of its own, also for what asks for IDE; pc has two IDE channels of two, and gets a SATA controller where asked. */
function ataAddress(disk: GuestDisk, place: number, machine: MachineKind): { readonly bus: string; readonly unit: number } {
  const idePc = machine === 'pc' && disk.bus === 'ide';
  const most = idePc ? 4 : 6;
  if (place >= most) throw conflict(`The ${disk.bus} bus holds ${most} disks at most.`);
  if (idePc) return { bus: `ide.${place >> 1}`, unit: place & 1 };
  return { bus: machine === 'pc' ? `${SATA_CONTROLLER}.${place}` : `ide.${place}`, unit: 0 };
}

const SCSI_DRIVERS = { 'virtio-scsi': 'virtio-scsi-pci', lsilogic: 'lsi53c895a', lsisas1068: 'mptsas1068', lsisas1078: 'megasas' } as const;

/** Controllers that these disks need and the machine does not have by itself; each at an address of the root bus that nothing else takes. */
export function controllers(disks: readonly GuestDisk[], machine: MachineKind, hardware?: GuestHardware): readonly Device[] {
  const bus = machine === 'pc' ? 'pci.0' : 'pcie.0';
  const needed: Device[] = [];
  if (disks.some((d) => d.bus === 'scsi')) needed.push({ driver: SCSI_DRIVERS[hardware?.scsi ?? 'virtio-scsi'], id: SCSI_CONTROLLER, bus, addr: '0x1b' });
  if (disks.some((d) => d.bus === 'usb') || wantsUsb(hardware))
    needed.push({ driver: hardware?.usb === 'nec-xhci' ? 'nec-usb-xhci' : 'qemu-xhci', id: USB_CONTROLLER, bus, addr: '0x1c' });
  if (machine === 'pc' && disks.some((d) => d.bus === 'sata')) needed.push({ driver: 'ahci', id: SATA_CONTROLLER, bus, addr: '0x1e' });
  return needed;
}

const NIC_DRIVERS: Readonly<Record<GuestNic['model'], string>> = { virtio: 'virtio-net-pci', e1000: 'e1000', e1000e: 'e1000e', rtl8139: 'rtl8139' };

/** A network card. Guests boot from disks, so no boot ROM is loaded. */
export function nicDevice(nic: GuestNic, slots: Slots, machine: MachineKind): Device {
  const slot = slots[nicKey(nic)];
  if (slot === undefined) throw conflict(`No slot was given to port ${nic.portId}.`);
  const mtu = nic.model === 'virtio' && nic.mtu >= 68 && nic.mtu <= 65_535 ? { host_mtu: nic.mtu } : {};
  return {
    driver: NIC_DRIVERS[nic.model],
    id: nicDeviceId(nic),
    netdev: netdevId(nic),
    mac: nic.mac.toLowerCase(),
    romfile: '',
    ...mtu,
    ...slotAddress(slot, machine),
  };
}

/** The tap that a card is connected to; it exists and belongs to the guests' group. */
export function netdev(nic: GuestNic): { readonly type: 'tap' } & Readonly<Record<string, unknown>> {
  return { type: 'tap', id: netdevId(nic), ifname: nic.tap, script: 'no', downscript: 'no', vhost: false };
}
