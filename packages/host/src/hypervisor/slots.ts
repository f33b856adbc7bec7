import { conflict } from '@cairn/kit/errors/errors';
import type { GuestDisk, GuestNic } from '../interface/guests.ts';

/** Which hot-plug slot each device sits in, by `diskKey` and `nicKey`. Kept with the guest, so slots stay across restarts. */
export type Slots = Readonly<Record<string, number>>;

export const diskKey = (disk: Pick<GuestDisk, 'device'>): string => `disk:${disk.device}`;
export const nicKey = (nic: Pick<GuestNic, 'portId'>): string => `nic:${nic.portId}`;

/** Slots left free for what is plugged in later. Each costs a guest some 40 ms of start time under TCG. */
const FREE_SLOTS = 8;
/** On `pc` there are no ports: slots are addresses of the one PCI bus, 3 to 25. */
export const PC_SLOTS = 23;
/** Three of q35's root bus addresses with eight ports each would be 24; more are there, but no guest needs them all. */
const MAX_PORTS = 64;

/** A disk takes a slot of its own only on virtio; the other buses have places of their own. */
export const needsSlot = (disk: GuestDisk): boolean => disk.bus === 'virtio';

/**
 * Gives every device of a starting guest its slot. Devices keep the slots they had. New ones come in the order of their names
 * (disks) and as listed (NICs), disks first, so that guests which name devices by their address see them in that order.
 */
export function placeAll(
  disks: readonly GuestDisk[],
  nics: readonly GuestNic[],
  before: Slots,
  machine: 'q35' | 'pc',
): { readonly slots: Slots; readonly ports: number } {
  const wanted = [...disks.filter(needsSlot).map(diskKey).toSorted(byName), ...nics.map(nicKey)];
  const slots: Record<string, number> = {};
  for (const key of wanted) {
    const kept = before[key];
    if (kept !== undefined) slots[key] = kept;
  }
  const most = machine === 'pc' ? PC_SLOTS : MAX_PORTS;
  for (const key of wanted) slots[key] ??= freeSlot(slots, key, most);
  const highest = Math.max(-1, ...Object.values(slots));
  return { slots, ports: machine === 'pc' ? PC_SLOTS : Math.min(MAX_PORTS, Math.max(highest + 1, wanted.length + FREE_SLOTS)) };
}

/** A slot for one more device among `ports`; throws Conflict when none is left. */
export function freeSlot(slots: Slots, key: string, ports: number): number {
  const taken = new Set(Object.values(slots));
  const free = Array.from({ length: ports }, (_, slot) => slot).filter((slot) => !taken.has(slot));
  const [first] = free;
  if (first === undefined) throw conflict(`The server has no free slot for another device: all ${ports} are taken. A hard reboot makes room for more.`);
  // Between the neighbours of its kind where possible, so that the order of names is the order of addresses.
  let above = -1;
  let below = Number.POSITIVE_INFINITY;
  for (const [other, slot] of Object.entries(slots)) {
    if (kindOf(other) !== kindOf(key)) continue;
    if (kindOf(key) === 'nic' || byName(other, key) < 0) above = Math.max(above, slot);
    else below = Math.min(below, slot);
  }
  return free.find((slot) => slot > above && slot < below) ?? free.find((slot) => slot > above) ?? first;
}

const kindOf = (key: string): string => key.slice(0, key.indexOf(':'));

/** vdb before vdaa: shorter names come first, as the kernel counts. */
const byName = (a: string, b: string): number => a.length - b.length || (a < b ? -1 : a > b ? 1 : 0);

/** Where in the machine a slot is: on q35 a root port of its own (hot-plug), on pc an address of the PCI bus. */
export function slotAddress(slot: number, machine: 'q35' | 'pc'): { readonly bus: string; readonly addr?: string } {
  return machine === 'pc' ? { bus: 'pci.0', addr: `0x${slotNumber(slot).toString(16)}` } : { bus: portId(slot) };
}

/** The address of a slot on the PCI bus of `pc`. */
export const slotNumber = (slot: number): number => slot + 3;

export const portId = (slot: number): string => `port${slot}`;
