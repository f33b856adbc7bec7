import { unavailable } from '@cairn/kit/errors/errors';
import type { Guest, Machine } from './guest.ts';
import { type Qmp, QmpError } from './qmp.ts';

/**
 * Post-copy: a guest that changes its memory faster than it can be sent goes on at the other host with what is there, and what is missing is
 * fetched as it is touched. From the switch on neither host has the whole of it: there is no way back, and a channel that breaks is made again.
 */

const PARTED = ['postcopy-active', 'postcopy-paused', 'postcopy-recover'];
/** QEMU notices that a channel is gone when it next uses it. */
const NOTICE_MS = 60_000;
const LOOK_MS = 20;

/** How long one who is to hurry may take to begin. */
const BEGIN_MS = 10_000;

/** Machines that are being sent, and whether somebody asked them to hurry. */
const sending = new WeakMap<Machine, { hurried: boolean }>();

export async function migrationStatus(qmp: Qmp): Promise<string> {
  return (await qmp.execute<{ status?: string }>('query-migrate')).status ?? 'none';
}

/** True while the guest's memory is on two hosts. */
export const isParted = (status: string): boolean => PARTED.includes(status);

/** True where this migration may go on by post-copy. */
export async function mayPostCopy(qmp: Qmp): Promise<boolean> {
  const all = await qmp.execute<readonly { readonly capability: string; readonly state: boolean }[]>('query-migrate-capabilities');
  return all.some(({ capability, state }) => capability === 'postcopy-ram' && state);
}

/**
 * The other side: missing memory is fetched by a right of the kernel's (userfaultfd) that unprivileged processes have only where the operator
 * gives it to them. Where QEMU finds that it has not, the guest comes without, and the log says why.
 */
export async function allowPostCopy(guest: Guest, qmp: Qmp): Promise<void> {
  try {
    await qmp.execute('migrate-set-capabilities', { capabilities: [{ capability: 'postcopy-ram', state: true }] });
  } catch (error) {
    if (!(error instanceof QmpError)) throw error;
    guest.context.log.warn(
      { guest: guest.guestId, err: error },
      'no post-copy to this host: its kernel keeps userfaultfd from guests (sysctl vm.unprivileged_userfaultfd=1 gives it); guests in a hurry stand still instead',
    );
  }
}

/** This side: switches, or will as soon as memory is on its way. */
export async function startPostCopy(machine: Machine): Promise<void> {
  const now = sending.get(machine);
  if (now) now.hurried = true;
  await switchOver(machine.qmp);
}

/** This side, before memory is on its way: a wish to hurry is kept until then. Returns the way to stop. */
export function beginSending(machine: Machine): () => void {
  const { qmp } = machine;
  const now = { hurried: false };
  sending.set(machine, now);
  const stop = qmp.onEvent(({ event, data }) => {
    // who waits for the migration hears of QEMU's end
    if (event === 'MIGRATION' && data.status === 'active' && now.hurried) switchOver(qmp).catch(() => {});
  });
  return () => {
    stop();
    sending.delete(machine);
  };
}

/** Waits until the machine is being sent, or long enough: who is asked to hurry may still be waiting for the other side. */
export async function sendingBegun(guest: Guest, machine: Machine): Promise<void> {
  const { clock } = guest.context;
  for (const endMs = clock.nowMs() + BEGIN_MS; !sending.has(machine) && clock.nowMs() < endMs; ) await clock.sleep(LOOK_MS);
}

/** Too early, or too late, is no matter: the one is tried again, and the other has it all. */
async function switchOver(qmp: Qmp): Promise<void> {
  await qmp.execute('migrate-start-postcopy').catch((error: unknown) => {
    if (!(error instanceof QmpError)) throw error;
  });
}

/** The other side: waits until the guest can go on, with all of its memory or with part of it. False: it did not come. */
export async function canGoOn(guest: Guest, qmp: Qmp): Promise<boolean> {
  const { clock } = guest.context;
  for (const endMs = clock.nowMs() + NOTICE_MS; ; await clock.sleep(LOOK_MS)) {
    const state = await migrationStatus(qmp);
    if (['completed', 'cancelled', 'failed'].includes(state)) return state === 'completed';
    // its devices are there when it no longer waits
    const { status: run } = await qmp.execute<{ status: string }>('query-status');
    if (isParted(state) && run !== 'inmigrate') return true;
    if (clock.nowMs() > endMs) throw unavailable('The migration of the server does not end.', { detail: { state, run } });
  }
}

/** Either side: waits until QEMU has noticed that the channel is gone. Resolves with false when all was over before. */
export async function broken(guest: Guest, qmp: Qmp): Promise<boolean> {
  const { clock } = guest.context;
  for (const endMs = clock.nowMs() + NOTICE_MS; ; await clock.sleep(LOOK_MS)) {
    const state = await migrationStatus(qmp);
    if (state === 'postcopy-paused') return true;
    if (!isParted(state)) return false;
    if (clock.nowMs() > endMs) throw unavailable('The memory of the server is still on its way.', { detail: state });
  }
}

/** The other side, after the channel broke: takes another one. */
export async function reopen(guest: Guest): Promise<void> {
  const { qmp } = guest.running('receive the rest of the server');
  if (await broken(guest, qmp)) await qmp.execute('migrate-recover', { uri: `unix:${guest.files.incomingSocket}` });
}
