import { conflict, notFound } from '@cairn/kit/errors/errors';
import type { GuestDisk } from '../interface/guests.ts';
import { runJob } from './block-jobs.ts';
import { rootNodeName } from './blockdev.ts';
import { diskDeviceId } from './devices.ts';
import { withSecret } from './disk-secrets.ts';
import { asFault } from './faults.ts';
import type { Guest, Machine } from './guest.ts';
import { askForDisk, lendDisk } from './launch.ts';
import { dropNodes, withId, without } from './plug.ts';
import { rethrottle } from './throttle.ts';

/**
 * Gives a guest another disk with the same content while it runs: QEMU copies the one to the other and every write to both, and then the guest's device turns
 * from the one to the other at once. What is copied is what the guest sees, so either may be encrypted. The record names the new disk from before it is opened;
 * whose place it is in at a restart, QEMU says (`settleSwap`).
 */
export async function swapDisk(guest: Guest, diskId: string, disk: GuestDisk, signal?: AbortSignal): Promise<void> {
  if (!guest.machine) await guest.life.idle();
  const machine = guest.running('move a disk of the server');
  const record = guest.known();
  if (record.spec.disks.some((d) => d.diskId === disk.diskId)) return;
  const old = record.spec.disks.find((d) => d.diskId === diskId);
  if (!old) throw notFound(`The server has no disk ${diskId}.`);
  if (record.swap) throw conflict('Another disk of the server is being moved: this one follows when that is done.');
  if (old.device !== disk.device || old.bus !== disk.bus) throw conflict(`The disk takes the place of ${old.device}, and cannot have another.`);
  if (old.shared || disk.shared) throw conflict('A disk that several servers write to cannot be moved while they run.');
  await guest.update({ swap: { diskId, disk }, layers: { ...record.layers, [disk.diskId]: [] } });
  try {
    const opened = await askForDisk(guest, record.uid, disk);
    const { keyId } = opened;
    await guest.update({
      layers: { ...guest.known().layers, [disk.diskId]: opened.layers },
      ...(keyId !== undefined && { encrypted: withId(guest, disk.diskId) }),
    });
    await lendDisk(guest, record.uid, opened);
    if (disk.location) await machine.qmp.execute('object-add', guest.context.imports.credentials(guest.guestId, disk.diskId, disk.location));
    const add = (): Promise<unknown> => machine.qmp.execute('blockdev-add', opened.node);
    await (keyId === undefined ? add() : withSecret(guest, machine.qmp, { diskId: disk.diskId, keyId }, add));
    const [before, after] = [await sizeOf(guest, machine, diskId), await sizeOf(guest, machine, disk.diskId)];
    if (after !== before) throw conflict(`The disk that is to take the place of ${old.device} has another size.`);
    // from now on each write of the guest goes to both
    const job = { device: rootOf(guest, diskId), target: rootOf(guest, disk.diskId), sync: 'full', 'copy-mode': 'write-blocking' };
    await runJob(machine.qmp, 'blockdev-mirror', job, signal ? { signal } : {});
    await settleSwap(guest, machine);
    await rethrottle(machine.qmp, disk);
  } catch (error) {
    if (guest.machine === machine) await settleSwap(guest, machine);
    else await forget(guest, disk.diskId);
    if (guest.record?.spec.disks.some((d) => d.diskId === disk.diskId)) return;
    if (signal?.aborted) throw signal.reason;
    throw asFault(error, `The disk ${old.device} of the server cannot be moved while it runs`);
  }
}

const rootOf = (guest: Guest, diskId: string): string => {
  const { layers, encrypted } = guest.known();
  const top = layers[diskId]?.[0];
  if (!top) throw conflict(`Disk ${diskId} is not open in the server.`);
  return rootNodeName(diskId, top, encrypted);
};

/** What the guest has of a disk that is open, in bytes. */
async function sizeOf(guest: Guest, machine: Machine, diskId: string): Promise<number> {
  const name = rootOf(guest, diskId);
  const nodes = await machine.qmp.execute<readonly { readonly 'node-name'?: string; readonly image: { readonly 'virtual-size': number } }[]>(
    'query-named-block-nodes',
    { flat: true },
  );
  const node = nodes.find((one) => one['node-name'] === name);
  if (!node) throw conflict(`Disk ${diskId} is not open in the server.`);
  return node.image['virtual-size'];
}

/** Brings the record in line with what the guest's device stands on, and closes the disk that is not in use. No copying is under way. */
export async function settleSwap(guest: Guest, machine: Machine): Promise<void> {
  const { swap, spec, layers } = guest.known();
  if (!swap) return;
  const { disk } = swap;
  const blocks = await machine.qmp.execute<readonly { readonly qdev?: string; readonly inserted?: { readonly 'node-name'?: string } }[]>('query-block');
  const inUse = blocks.find(({ qdev }) => (qdev ?? '').split('/').includes(diskDeviceId(disk)))?.inserted?.['node-name'];
  const hasTurned = (layers[disk.diskId] ?? []).length > 0 && inUse === rootOf(guest, disk.diskId);
  const over = hasTurned ? swap.diskId : disk.diskId;
  await dropNodes(guest, machine.qmp, over);
  if (hasTurned) await guest.update({ spec: { ...spec, disks: spec.disks.map((d) => (d.diskId === swap.diskId ? disk : d)) } });
  await forget(guest, over);
}

async function forget(guest: Guest, diskId: string): Promise<void> {
  await guest.releaseDisk(diskId);
  const { record } = guest;
  if (!record) return;
  await guest.update({
    swap: undefined,
    layers: without(record.layers, diskId),
    ...(record.encrypted && { encrypted: record.encrypted.filter((id) => id !== diskId) }),
  });
}
