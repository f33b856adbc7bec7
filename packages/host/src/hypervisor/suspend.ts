import { createReadStream, createWriteStream } from 'node:fs';
import { rename, rm, stat } from 'node:fs/promises';
import net from 'node:net';
import { pipeline } from 'node:stream/promises';
import { conflict, unavailable } from '@cairn/kit/errors/errors';
import type { GuestInfo, GuestSpec } from '../interface/guests.ts';
import { giveToGuest } from './account.ts';
import { asFault } from './faults.ts';
import type { Guest, Machine } from './guest.ts';
import { launch } from './launch.ts';
import type { Qmp } from './qmp.ts';
import { diskKey, nicKey } from './slots.ts';

/** Writing the memory of a large guest to a slow disk. */
const SAVE_MS = 3_600_000;
/** As fast as it goes: QEMU's default suits a network. (2 ** 40, since 1 << 40 is 256.) */
const BYTES_PER_SECOND = 2 ** 40;

/**
 * Saves the guest's memory and ends its process. QEMU may start no program and open no file of its choice, so it sends the memory through a
 * socket and Cairn writes the file.
 */
export function suspend(guest: Guest): Promise<GuestInfo> {
  guest.known();
  return guest.life.run(async () => {
    if (guest.state === 'suspended') return guest.info();
    const machine = guest.running('suspend the server');
    if (machine.over) throw conflict('Cannot suspend the server: its guest has just ended.');
    const wasRunning = guest.state === 'running';
    try {
      await machine.qmp.execute('stop');
      await saveMachine(guest, machine, guest.files.memory);
      // From here on it is suspended, whatever happens to the process.
      await guest.update({ state: 'suspended', reason: 'suspended on request' });
      await guest.end('suspended', 'suspended on request');
      return guest.info();
    } catch (error) {
      await rm(guest.files.memory, { force: true });
      if (guest.machine === machine && wasRunning) await machine.qmp.execute('cont').catch(() => {});
      throw asFault(error, 'The server cannot be suspended');
    }
  });
}

/** Starts the guest where it was suspended. `spec` must have the devices that it had then. */
export function resume(guest: Guest, spec: GuestSpec): Promise<GuestInfo> {
  guest.known();
  return guest.life.run(async () => {
    if (guest.machine) return guest.info();
    const record = guest.known();
    if (guest.state !== 'suspended') throw conflict(`Cannot resume the server: it is not suspended (its state is ${guest.state}).`);
    const before = devices(record.spec);
    if (devices(spec) !== before)
      throw conflict('Cannot resume the server: its devices are not those it was suspended with.', { detail: { before, now: devices(spec) } });
    const machine = await launch(guest, { ...spec, vcpus: record.spec.vcpus, memoryMb: record.spec.memoryMb }, { incoming: true });
    try {
      await loadMachine(guest, machine, guest.files.memory);
      await machine.qmp.execute('cont');
      await guest.update({ state: 'running', reason: 'resumed' });
      await rm(guest.files.memory, { force: true });
      return guest.info();
    } catch (error) {
      await guest.end('suspended', 'suspended on request');
      throw asFault(error, 'The server cannot be resumed');
    }
  });
}

const devices = (spec: GuestSpec): string =>
  JSON.stringify([
    spec.disks.map((d) => `${diskKey(d)} ${d.diskId} ${d.bus} ${d.kind}`).toSorted(),
    spec.nics.map((n) => `${nicKey(n)} ${n.mac.toLowerCase()} ${n.model}`).toSorted(),
    spec.machine ?? 'q35',
    spec.firmware,
  ]);

/** What of a machine is in its stream: everything, or everything but memory that is a file of its own. */
export interface Stream {
  readonly withoutMemory: boolean;
}
const WHOLE: Stream = { withoutMemory: false };

/** Writes a machine that stands still to a file. */
export async function saveMachine(guest: Guest, machine: Machine, file: string, stream: Stream = WHOLE): Promise<void> {
  const { memorySocket } = guest.files;
  const partial = `${file}.part`;
  await rm(memorySocket, { force: true });
  const server = net.createServer();
  const arrived = new Promise<net.Socket>((resolve) => server.once('connection', resolve));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(memorySocket, resolve);
  });
  try {
    // Its directory is root's, so nobody can have put another file in its place.
    await giveToGuest(guest.context.account, guest.record?.uid, memorySocket);
    const written = arrived.then((socket) => pipeline(socket, createWriteStream(partial, { mode: 0o600, flush: true })));
    written.catch(() => {});
    await migrate(guest, machine.qmp, 'migrate', `unix:${memorySocket}`, stream);
    await written;
    await rename(partial, file);
  } finally {
    server.close();
    await Promise.all([rm(partial, { force: true }), rm(memorySocket, { force: true })]);
  }
}

/** Reads into a machine that waits what was saved of one like it. */
export async function loadMachine(guest: Guest, machine: Machine, file: string, stream: Stream = WHOLE): Promise<void> {
  const { incomingSocket } = guest.files;
  if (!(await stat(file).catch(() => undefined))) throw unavailable('The saved memory of the server is gone; it can be started anew by a hard reboot.');
  await migrate(guest, machine.qmp, 'migrate-incoming', `unix:${incomingSocket}`, stream, async () => {
    const socket = net.connect(incomingSocket);
    // QEMU hangs up when it has what it needs; whether that was all, its event says.
    await pipeline(createReadStream(file), socket).catch(() => {});
  });
}

/** Runs a migration to its end; `during` is started once QEMU has accepted the command. */
async function migrate(
  guest: Guest,
  qmp: Qmp,
  command: 'migrate' | 'migrate-incoming',
  uri: string,
  stream: Stream,
  during?: () => Promise<void>,
): Promise<void> {
  await qmp.execute('migrate-set-capabilities', {
    capabilities: [
      { capability: 'events', state: true },
      // set for what reads such a stream, too: there is a little more in it
      { capability: 'x-ignore-shared', state: stream.withoutMemory },
      // left by a move to or from another host
      { capability: 'pause-before-switchover', state: false },
      { capability: 'postcopy-ram', state: false },
    ],
  });
  if (command === 'migrate') await qmp.execute('migrate-set-parameters', { 'max-bandwidth': BYTES_PER_SECOND });
  await guest.waiting(async (signal) => {
    const ended = qmp.waitFor(
      (e) => e.event === 'MIGRATION' && (e.data.status === 'completed' || e.data.status === 'failed' || e.data.status === 'cancelled'),
      SAVE_MS,
      signal,
    );
    ended.catch(() => {});
    await qmp.execute(command, { uri });
    const [event] = await Promise.all([ended, during?.()]);
    if (event?.data.status !== 'completed')
      throw unavailable('The memory of the server could not be moved.', { detail: await qmp.execute('query-migrate').catch(() => event) });
  });
}
