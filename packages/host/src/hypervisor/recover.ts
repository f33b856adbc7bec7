import { rm, stat } from 'node:fs/promises';
import type { GuestState } from '../interface/guests.ts';
import { clearJobs } from './block-jobs.ts';
import type { HypervisorContext } from './context.ts';
import { dropSecret, dropSecretFiles } from './disk-secrets.ts';
import { Guest, type Machine } from './guest.ts';
import { layersEqual, layersInUse } from './layers-in-use.ts';
import { hasGone } from './live.ts';
import { reconcileDevices } from './plug.ts';
import { isParted, migrationStatus } from './post-copy.ts';
import { settleSwap } from './swap.ts';
import { bootId, findByArgument, isAlive, type ProcessIdentity } from './process-identity.ts';
import { GuestFiles, readRecord, recordedGuests, removeDirs } from './record.ts';

const ANSWER_MS = 5000;

/** Finds the guests of an earlier run: those that live are taken over, of those that do not the end is told. */
export async function recoverGuests(context: HypervisorContext): Promise<readonly Guest[]> {
  const ids = await recordedGuests(context.options.dataDir);
  const guests = await Promise.all(
    ids.map((guestId) =>
      recoverGuest(context, guestId).catch((error: unknown) => {
        context.log.error({ guest: guestId, err: error }, 'a guest could not be recovered');
        context.options.onEvent({
          kind: 'trouble',
          subject: `server ${guestId}`,
          message: 'The server could not be found again after a restart; see the log.',
        });
        return undefined;
      }),
    ),
  );
  return guests.filter((guest) => guest !== undefined);
}

async function recoverGuest(context: HypervisorContext, guestId: string): Promise<Guest | undefined> {
  const files = new GuestFiles(context.options.dataDir, context.options.runDir, guestId);
  const record = await readRecord(files);
  if (!record) {
    // Without a record nobody can say what this was: whatever runs there is ended.
    for (const { pid } of await findByArgument(`path=${files.qmpSocket},`)) process.kill(pid, 'SIGKILL');
    await removeDirs(files);
    return undefined;
  }
  const guest = new Guest(context, guestId, record);
  // what a start that was cut off left for QEMU to read
  await dropSecretFiles(guest);
  const identity = await findProcess(guest);
  // A template is made anew, and so is a guest whose CPUs have not run: nobody has it, and its disk is as it was.
  if (record.isTemplate || record.fastStart === 'coming') {
    if (identity) await guest.adopt(identity, ANSWER_MS);
    await guest.end('absent', 'it was not whole when Cairn ended');
    await guest.forget();
    return undefined;
  }
  if (!identity) {
    await settleEnded(guest);
    return guest.record ? guest : undefined;
  }
  for (const { diskId } of [...record.spec.disks, ...(record.swap ? [record.swap.disk] : [])]) context.holders.add(diskId, guestId);
  const machine = await guest.adopt(identity, ANSWER_MS);
  if (!machine) {
    await settleEnded(guest);
    return guest.record ? guest : undefined;
  }
  await guest.update({ process: identity });
  if (!machine.qmp.closed) await takeOver(guest, machine);
  return guest;
}

/** The process as written down, or, when Cairn ended before it could write, found by its argv. */
async function findProcess(guest: Guest): Promise<ProcessIdentity | undefined> {
  const record = guest.known();
  if (record.process) return isAlive(record.process) ? record.process : undefined;
  const [found] = await findByArgument(`path=${guest.files.qmpSocket},`, record.uid);
  return found;
}

/** The guest has no process. */
async function settleEnded(guest: Guest): Promise<void> {
  const { state, process: last } = guest.known();
  if (state === 'absent') {
    await guest.forget();
    return;
  }
  if (state !== 'running' && state !== 'paused') return;
  const restarted = last !== undefined && last.bootId !== bootId();
  const now: GuestState = restarted ? 'shutdown' : 'crashed';
  const reason = restarted ? 'the host restarted' : 'the process ended while Cairn was not running';
  await guest.end(now, reason);
  guest.tell(now, reason);
}

async function takeOver(guest: Guest, machine: Machine): Promise<void> {
  const { qmp } = machine;
  const { status } = await qmp.execute<{ status: string }>('query-status');
  const before = guest.state;
  // It went to another host, or its memory is on both: who moves it goes on with that, and nothing may be changed here.
  if (hasGone(guest) || isParted(await migrationStatus(qmp))) return;
  if (status === 'inmigrate') {
    // Cairn ended in the middle of a resume: the saved memory is whole, and the resume will be asked for again.
    await guest.end('suspended', 'suspended on request');
    return;
  }
  if (before === 'suspended' && (await stat(guest.files.memory).catch(() => undefined))) {
    if (status === 'postmigrate') {
      await guest.end('suspended', 'suspended on request');
      return;
    }
    // It was resumed, and runs: what was saved is of the past.
    await rm(guest.files.memory, { force: true });
  }
  for (const diskId of guest.known().encrypted ?? []) await dropSecret(qmp, diskId);
  if (guest.known().fastStart === 'there') {
    if (status === 'paused') {
      await qmp.execute('cont');
      await guest.update({ fastStart: 'started', state: 'running' });
      return;
    }
    await guest.update({ fastStart: 'started' });
  }
  await clearJobs(qmp);
  await reconcileDevices(guest, machine);
  await settleSwap(guest, machine);
  await reconcileLayers(guest, machine);
  // Cairn ended in the middle of a suspend that did not come to its end.
  if (status === 'postmigrate') await qmp.execute('cont');
  if (status === 'shutdown' || status === 'guest-panicked') {
    const now = status === 'shutdown' ? 'shutdown' : 'crashed';
    const reason = status === 'shutdown' ? 'the guest powered off while Cairn was not running' : 'the guest panicked while Cairn was not running';
    await guest.end(now, reason);
    guest.tell(now, reason);
    return;
  }
  // one whose disk on another host cannot be reached is sent on when it can
  const waits = status === 'io-error' && guest.known().spec.disks.some(({ location }) => location);
  if (waits) guest.sendOn(machine);
  const now: GuestState = waits || status === 'running' || status === 'postmigrate' ? 'running' : 'paused';
  if (before === now) return;
  await guest.update({ state: now, reason: 'found so after a restart of Cairn', startedAtMs: guest.record?.startedAtMs ?? guest.context.clock.nowMs() });
  if (before !== 'absent') guest.tell(now, 'found so after a restart of Cairn');
}

async function reconcileLayers(guest: Guest, machine: Machine): Promise<void> {
  for (const { diskId } of guest.known().spec.disks) {
    const remembered = guest.known().layers[diskId] ?? [];
    const layers = await layersInUse(guest, machine, diskId);
    if (!layersEqual(remembered, layers)) await guest.update({ layers: { ...guest.known().layers, [diskId]: layers } });
  }
}
