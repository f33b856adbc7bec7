import { conflict } from '@cairn/kit/errors/errors';
import type { GuestDisk, GuestNic } from '../interface/guests.ts';
import { cryptNodeName, nodeName } from './blockdev.ts';
import {
  type Device,
  diskDevice,
  diskDeviceId,
  busPlaces,
  hotPluggable,
  netdev,
  netdevId,
  nicDevice,
  nicDeviceId,
  SCSI_CONTROLLER,
  USB_CONTROLLER,
} from './devices.ts';
import { withSecret } from './disk-secrets.ts';
import { asFault } from './faults.ts';
import type { Guest, Machine } from './guest.ts';
import { credentialsId } from './imports.ts';
import { askForDisk, lendDisk } from './launch.ts';
import { type Qmp, QmpError } from './qmp.ts';
import type { GuestRecord } from './record.ts';
import { diskKey, freeSlot, needsSlot, nicKey } from './slots.ts';
import { throttle } from './throttle.ts';

/**
 * Guests drop the request to let a device go while they boot, so it is made again: firmware knows none, and Linux throws away what came before it
 * listens. QEMU passes on each (from 7.2.2 on; before, it refused further ones until the guest had answered the first).
 */
const ASK_AGAIN_MS = 2000;

export const without = <T>(object: Readonly<Record<string, T>>, key: string): Record<string, T> =>
  Object.fromEntries(Object.entries(object).filter(([k]) => k !== key));

export const withId = (guest: Guest, diskId: string): readonly string[] => [...new Set([...(guest.known().encrypted ?? []), diskId])];

const machineKind = (record: GuestRecord): 'q35' | 'pc' => record.spec.machine ?? 'q35';

/** A guest that is off takes a device with its next start; one whose memory is saved cannot. */
async function pluggable(guest: Guest, doing: string): Promise<Machine | undefined> {
  // A start under way is waited for, so that a device is neither lost nor doubled.
  if (!guest.machine) await guest.life.idle();
  guest.known();
  if (guest.state === 'suspended') throw conflict(`Cannot ${doing}: the server is suspended.`);
  return guest.machine;
}

export async function attachDisk(guest: Guest, disk: GuestDisk): Promise<void> {
  const machine = await pluggable(guest, 'attach a disk');
  const record = guest.known();
  if (!machine || record.spec.disks.some((d) => d.diskId === disk.diskId)) return;
  if (record.spec.disks.some((d) => d.device === disk.device)) throw conflict(`The server already has a disk ${disk.device}.`);
  if (!hotPluggable(disk)) throw conflict(`A disk on the ${disk.bus} bus can be attached only while the server is off.`);
  requireController(record, disk);
  const key = diskKey(disk);
  const slots = needsSlot(disk) ? { ...record.slots, [key]: freeSlot(record.slots, key, record.ports) } : record.slots;
  const disks = [...record.spec.disks, disk];
  const places = { ...busPlaces(disks), ...record.places };
  // Remembered first: whatever a crash leaves in QEMU can then be found and removed.
  await guest.update({ spec: { ...record.spec, disks }, slots, places, layers: { ...record.layers, [disk.diskId]: [] } });
  try {
    const opened = await askForDisk(guest, record.uid, disk);
    const { diskId } = disk;
    const { keyId } = opened;
    await guest.update({ layers: { ...guest.known().layers, [diskId]: opened.layers }, ...(keyId !== undefined && { encrypted: withId(guest, diskId) }) });
    await lendDisk(guest, record.uid, opened);
    const device = diskDevice(disk, opened.node['node-name'], slots, places[key] ?? 0, machineKind(record));
    if (disk.location) await machine.qmp.execute('object-add', guest.context.imports.credentials(guest.guestId, diskId, disk.location));
    const add = (): Promise<unknown> => machine.qmp.execute('blockdev-add', opened.node);
    await (keyId === undefined ? add() : withSecret(guest, machine.qmp, { diskId, keyId }, add));
    await addDevice(machine.qmp, device);
    await throttle(machine.qmp, [disk]);
  } catch (error) {
    if (guest.machine === machine) await dropNodes(guest, machine.qmp, disk.diskId);
    await forgetDisk(guest, disk);
    throw asFault(error, `The disk cannot be attached as ${disk.device}`);
  }
}

export async function detachDisk(guest: Guest, diskId: string, waitMs: number): Promise<void> {
  const machine = await pluggable(guest, 'detach a disk');
  const disk = guest.known().spec.disks.find((d) => d.diskId === diskId);
  if (!disk) return;
  if (machine) {
    if (!hotPluggable(disk)) throw conflict(`A disk on the ${disk.bus} bus can be detached only while the server is off.`);
    const beganMs = guest.context.clock.nowMs();
    try {
      await unplug(guest, machine, diskDeviceId(disk), waitMs, `disk ${disk.device}`);
      await dropNodes(guest, machine.qmp, diskId);
    } catch (error) {
      if (!(await ended(guest, machine))) throw asFault(error, `Disk ${disk.device} cannot be detached`);
      return detachDisk(guest, diskId, beganMs + waitMs - guest.context.clock.nowMs());
    }
  }
  await forgetDisk(guest, disk);
}

/** A disk that another host serves has grown there: QEMU comes to it again, sees its size, and tells the guest. */
export async function diskHasGrown(guest: Guest, diskId: string, sizeBytes: number): Promise<void> {
  const { machine, record } = guest;
  const [top] = record?.layers[diskId] ?? [];
  const isElsewhere = record?.spec.disks.some((disk) => disk.diskId === diskId && disk.location !== undefined);
  if (!machine || !record || !top || !isElsewhere) return;
  const root = record.encrypted?.includes(diskId) ? cryptNodeName(diskId) : nodeName(diskId, top);
  // the way to it was cut when it grew; a request finds that out, and the new one says the size
  await machine.qmp.execute('human-monitor-command', { 'command-line': `qemu-io ${nodeName(diskId, top)} "read -q 0 512"` });
  try {
    await machine.qmp.execute('block_resize', { 'node-name': root, size: sizeBytes });
  } catch (error) {
    throw asFault(error, 'The server cannot be shown that its disk has grown');
  }
}

export async function attachNic(guest: Guest, nic: GuestNic): Promise<void> {
  const machine = await pluggable(guest, 'attach a network interface');
  const record = guest.known();
  if (!machine || record.spec.nics.some((n) => n.portId === nic.portId)) return;
  const key = nicKey(nic);
  const slots = { ...record.slots, [key]: freeSlot(record.slots, key, record.ports) };
  await guest.update({ spec: { ...record.spec, nics: [...record.spec.nics, nic] }, slots });
  try {
    await machine.qmp.execute('netdev_add', netdev(nic));
    await addDevice(machine.qmp, nicDevice(nic, slots, machineKind(record)));
  } catch (error) {
    if (guest.machine === machine) await machine.qmp.execute('netdev_del', { id: netdevId(nic) }).catch(() => {});
    await forgetNic(guest, nic);
    throw asFault(error, 'The network interface cannot be attached');
  }
}

export async function detachNic(guest: Guest, portId: string, waitMs: number): Promise<void> {
  const machine = await pluggable(guest, 'detach a network interface');
  const nic = guest.known().spec.nics.find((n) => n.portId === portId);
  if (!nic) return;
  if (machine) {
    const beganMs = guest.context.clock.nowMs();
    try {
      await unplug(guest, machine, nicDeviceId(nic), waitMs, 'network interface');
      await tolerate(machine.qmp.execute('netdev_del', { id: netdevId(nic) }));
    } catch (error) {
      if (!(await ended(guest, machine))) throw asFault(error, 'The network interface cannot be detached');
      return detachNic(guest, portId, beganMs + waitMs - guest.context.clock.nowMs());
    }
  }
  await forgetNic(guest, nic);
}

/**
 * After a failure: true when the process has ended, or is ending, so that there is nothing to detach from (or another process to ask).
 * Whoever ends it is waited for.
 */
async function ended(guest: Guest, machine: Machine): Promise<boolean> {
  if (guest.machine === machine && !machine.ending && !machine.qmp.closed && !guest.hurried(machine)) return false;
  await guest.life.idle();
  return guest.machine !== machine;
}

function requireController(record: GuestRecord, disk: GuestDisk): void {
  const has = (bus: GuestDisk['bus']): boolean => record.spec.disks.some((d) => d.bus === bus);
  if ((disk.bus === 'scsi' || disk.bus === 'usb') && !has(disk.bus)) {
    throw conflict(
      `The server was started without a ${disk.bus === 'scsi' ? SCSI_CONTROLLER : USB_CONTROLLER} controller: a ${disk.bus} disk can be attached after a hard reboot with one.`,
    );
  }
}

async function addDevice(qmp: Qmp, device: Device): Promise<void> {
  await qmp.execute('device_add', device);
}

/** Asks the guest to let a device go until it has, or `waitMs` are over. */
async function unplug(guest: Guest, machine: Machine, deviceId: string, waitMs: number, what: string): Promise<void> {
  const { clock } = guest.context;
  const deadlineMs = clock.nowMs() + waitMs;
  await guest.waiting(async (signal) => {
    for (;;) {
      const leftMs = deadlineMs - clock.nowMs();
      const deleted = machine.qmp.waitFor(
        (e) => e.event === 'DEVICE_DELETED' && e.data.device === deviceId,
        Math.max(1, Math.min(leftMs, ASK_AGAIN_MS)),
        signal,
      );
      deleted.catch(() => {});
      try {
        await machine.qmp.execute('device_del', { id: deviceId });
      } catch (error) {
        if (error instanceof QmpError && error.className === 'DeviceNotFound') return;
        // It was asked before and has not answered: the wait goes on.
        if (!(error instanceof QmpError && /in the process of unplug|is busy|blinking/i.test(error.message))) throw error;
      }
      if (await deleted) return;
      if (clock.nowMs() >= deadlineMs)
        throw conflict(
          `The server did not let go of its ${what} within ${Math.round(waitMs / 1000)} s. It may be in use, or the server's operating system does not answer; try again or shut it down.`,
        );
    }
  });
}

/** Removes the nodes of a disk's layers from QEMU, the top first. Those that belong to another node go with it. */
export async function dropNodes(guest: Guest, qmp: Qmp, diskId: string): Promise<void> {
  if (guest.record?.encrypted?.includes(diskId)) await tolerate(qmp.execute('blockdev-del', { 'node-name': cryptNodeName(diskId) }));
  for (const layer of guest.record?.layers[diskId] ?? []) await tolerate(qmp.execute('blockdev-del', { 'node-name': nodeName(diskId, layer) }));
  const known = [...(guest.record?.spec.disks ?? []), ...(guest.record?.swap ? [guest.record.swap.disk] : [])];
  const isElsewhere = known.some((disk) => disk.diskId === diskId && disk.location !== undefined);
  if (isElsewhere) await tolerate(qmp.execute('object-del', { id: credentialsId(diskId) }));
}

/** What is not there need not be removed. */
async function tolerate(work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!(error instanceof QmpError && /(not found|Failed to find|Cannot find|not owned by the monitor)/i.test(error.message))) throw error;
  }
}

async function forgetDisk(guest: Guest, disk: GuestDisk): Promise<void> {
  await guest.releaseDisk(disk.diskId);
  const { record } = guest;
  if (!record) return;
  await guest.update({
    spec: { ...record.spec, disks: record.spec.disks.filter((d) => d.diskId !== disk.diskId) },
    slots: without(record.slots, diskKey(disk)),
    places: without(record.places, diskKey(disk)),
    layers: without(record.layers, disk.diskId),
    ...(record.encrypted && { encrypted: record.encrypted.filter((diskId) => diskId !== disk.diskId) }),
  });
}

async function forgetNic(guest: Guest, nic: GuestNic): Promise<void> {
  const { record } = guest;
  if (!record) return;
  await guest.update({ spec: { ...record.spec, nics: record.spec.nics.filter((n) => n.portId !== nic.portId) }, slots: without(record.slots, nicKey(nic)) });
}

/** After a restart of Cairn: devices that are remembered and that QEMU does not have are forgotten, with what is left of them. */
export async function reconcileDevices(guest: Guest, machine: Machine): Promise<void> {
  const children = await machine.qmp.execute<readonly { readonly name: string }[]>('qom-list', { path: '/machine/peripheral' });
  const there = new Set(children.map((child) => child.name));
  for (const disk of guest.known().spec.disks) {
    if (there.has(diskDeviceId(disk))) continue;
    await dropNodes(guest, machine.qmp, disk.diskId);
    await forgetDisk(guest, disk);
  }
  for (const nic of guest.known().spec.nics) {
    if (there.has(nicDeviceId(nic))) continue;
    await tolerate(machine.qmp.execute('netdev_del', { id: netdevId(nic) }));
    await forgetNic(guest, nic);
  }
}
