import type { DevicePlace, GuestDisk, GuestPlaces, GuestSpec } from '../interface/guests.ts';
import { diskKey, needsSlot, nicKey, placeAll, type Slots, slotNumber } from './slots.ts';

/**
 * Where the devices of a guest are that has, or had last, these slots. A root port of q35 is the only device of a bus of its own, which firmware numbers
 * in the order of the ports, from 1 on; there is no other bridge before them (command-line.ts).
 */
export function placesOf(spec: Pick<GuestSpec, 'disks' | 'nics' | 'machine'>, before: Slots): GuestPlaces {
  const machine = spec.machine ?? 'q35';
  const { slots } = placeAll(spec.disks, spec.nics, before, machine);
  const inSlot = (key: string): DevicePlace => {
    const slot = slots[key] as number;
    return { bus: 'pci', address: machine === 'pc' ? `0000:00:${hex(slotNumber(slot))}.0` : `0000:${hex(slot + 1)}:00.0` };
  };
  const placeOf = (disk: GuestDisk): DevicePlace => (needsSlot(disk) ? inSlot(diskKey(disk)) : { bus: disk.bus === 'virtio' ? 'pci' : disk.bus });
  return {
    disks: Object.fromEntries(spec.disks.map((disk) => [disk.diskId, placeOf(disk)])),
    nics: Object.fromEntries(spec.nics.map((nic) => [nic.portId, inSlot(nicKey(nic))])),
  };
}

const hex = (value: number): string => value.toString(16).padStart(2, '0');
