import { rm } from 'node:fs/promises';
import { conflict } from '@cairn/kit/errors/errors';
import type { GuestInfo, GuestSpec } from '../interface/guests.ts';
import { asFault } from './faults.ts';
import type { Guest, Machine } from './guest.ts';
import { launch } from './launch.ts';
import { QmpClosed } from './qmp.ts';

/** A guest that is still booting ignores the power button, so it is pressed again and again. */
const PRESS_AGAIN_MS = 5000;

export function start(guest: Guest, spec: GuestSpec): Promise<GuestInfo> {
  return guest.life.run(async () => {
    if (guest.machine?.over) await guest.end(guest.machine.over, 'the guest powered off');
    if (!guest.machine) {
      await launch(guest, spec);
      await rm(guest.files.memory, { force: true });
    }
    return guest.info();
  });
}

export function shutDown(guest: Guest, graceMs: number): Promise<GuestInfo> {
  guest.known();
  if (graceMs <= 0) guest.hurry();
  return guest.life.run(async () => {
    guest.known();
    const { machine } = guest;
    if (machine) {
      const byItself = await powerOff(guest, machine, graceMs);
      await guest.end('shutdown', byItself ? 'the guest powered off when asked' : 'powered off');
    } else if (guest.state === 'crashed') {
      await guest.update({ state: 'shutdown', reason: 'powered off' });
    }
    return guest.info();
  });
}

export function remove(guest: Guest): Promise<void> {
  guest.hurry();
  return guest.life.run(async () => {
    if (guest.machine) await guest.end('absent', 'removed');
    if (guest.record) await guest.forget();
  });
}

export function rebootSoft(guest: Guest, graceMs: number): Promise<GuestInfo> {
  guest.known();
  return guest.life.run(async () => {
    const machine = guest.running('reboot the server');
    try {
      await powerOff(guest, machine, graceMs);
      machine.over = undefined;
      await machine.qmp.execute('system_reset');
      await machine.qmp.execute('cont');
      await guest.update({ state: 'running', reason: 'rebooted' });
      return guest.info();
    } catch (error) {
      throw asFault(error, 'The server cannot be rebooted');
    }
  });
}

export function rebootHard(guest: Guest, spec: GuestSpec): Promise<GuestInfo> {
  guest.hurry();
  return guest.life.run(async () => {
    if (guest.machine) await guest.end('shutdown', 'rebooting');
    await launch(guest, spec);
    await rm(guest.files.memory, { force: true });
    return guest.info();
  });
}

export function pause(guest: Guest): Promise<GuestInfo> {
  return switchCpus(guest, 'stop', 'paused', 'pause the server');
}

export function unpause(guest: Guest): Promise<GuestInfo> {
  return switchCpus(guest, 'cont', 'running', 'unpause the server');
}

function switchCpus(guest: Guest, command: 'stop' | 'cont', state: 'paused' | 'running', doing: string): Promise<GuestInfo> {
  guest.known();
  return guest.life.run(async () => {
    const machine = guest.running(doing);
    if (machine.over) throw conflict(`Cannot ${doing}: its guest has just ended.`);
    try {
      await machine.qmp.execute(command);
      if (guest.state !== state) await guest.update({ state, reason: `${state} on request` });
      return guest.info();
    } catch (error) {
      throw asFault(error, `Cannot ${doing}`);
    }
  });
}

/** Presses the power button and waits. True when the guest has powered off; false when it did not in time, or cannot (it is paused). */
async function powerOff(guest: Guest, machine: Machine, graceMs: number): Promise<boolean> {
  const { clock } = guest.context;
  const deadlineMs = clock.nowMs() + graceMs;
  return guest
    .waiting(async (signal) => {
      while (machine.over === undefined) {
        const leftMs = deadlineMs - clock.nowMs();
        if (leftMs <= 0 || guest.state !== 'running') return false;
        const over = machine.qmp.waitFor((e) => e.event === 'SHUTDOWN' || e.event === 'GUEST_PANICKED', Math.min(leftMs, PRESS_AGAIN_MS), signal);
        // The wait is rejected when the process goes; whoever then asks for the next thing is told.
        over.catch(() => {});
        await machine.qmp.execute('system_powerdown');
        await over;
      }
      return true;
    })
    .catch((error: unknown) => {
      if (error instanceof QmpClosed || guest.machine !== machine) return true;
      if (isInterruption(error)) return false;
      throw asFault(error, 'The server cannot be powered off');
    });
}

const isInterruption = (error: unknown): boolean => error instanceof Error && error.name === 'Conflict';
