import type { GuestState } from '@cairn/host/interface/guests';
import { POWER } from '../app/server-states.ts';

const POWER_OF: Readonly<Record<GuestState, number>> = {
  running: POWER.running,
  paused: POWER.paused,
  shutdown: POWER.shutdown,
  crashed: POWER.crashed,
  suspended: POWER.suspended,
  absent: POWER.nostate,
};

/** Nova's number for what a hypervisor says of a guest. */
export const powerOf = (state: GuestState): number => POWER_OF[state];

/** There is no guest that runs, stands still or sleeps any more. */
export const hasEnded = (power: number): boolean => power === POWER.shutdown || power === POWER.crashed || power === POWER.nostate;
