import { type CairnError, conflict, isCairnError, noCapacity, unavailable } from '@cairn/kit/errors/errors';
import { QmpClosed, QmpTimeout } from './qmp.ts';

/** Turns what a conversation with QEMU threw into a domain error: `what` says, for the user, what was not done. */
export function asFault(error: unknown, what: string): CairnError {
  if (isCairnError(error)) return error;
  if (error instanceof QmpClosed) return unavailable(`${what}: the server's process ended meanwhile.`, { detail: error.message, cause: error });
  if (error instanceof QmpTimeout) return unavailable(`${what}: the server's process does not answer.`, { detail: error.message, cause: error });
  return unavailable(`${what}.`, { detail: error instanceof Error ? error.message : error, cause: error });
}

/** Why QEMU ended at its start, from what it said. Its own words may hold paths and stay private. */
export function startFault(said: string): CairnError {
  const detail = said.trim().slice(-2000);
  if (/cannot set up guest memory|Cannot allocate memory/i.test(said))
    return noCapacity('The host has not enough free memory to start the server.', { detail });
  if (/Failed to get ".*" lock|Is another process using the image/i.test(said))
    return conflict('The server cannot be started: one of its disks is in use by another process.', { detail });
  if (/Permission denied/i.test(said)) return unavailable('The server cannot be started: the host refuses its process access to a file or device.', { detail });
  if (/could not configure \/dev\/net\/tun|TUNSETIFF|Device or resource busy/i.test(said))
    return unavailable('The server cannot be started: a network device is missing or in use.', { detail });
  return unavailable('The server cannot be started: the hypervisor refused its configuration.', { detail });
}
