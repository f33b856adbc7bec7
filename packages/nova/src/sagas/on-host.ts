import type { HostAgent } from '@cairn/host/interface/agent';
import { isCairnError } from '@cairn/kit/errors/errors';
import type { Logger } from '@cairn/kit/log/log';
import type { NovaDeps } from '../app/deps.ts';
import { insertLeftovers, type Leftover } from '../store/leftover.ts';

/** After so many tries a host that is away is forsaken. */
const TRIES = 3;

/**
 * Takes something off a host. A host that stays away is forsaken, so that a dead machine holds up no server's end: what it keeps is written
 * down as `leftovers`, and removed when it is back (hosts/reconcile.ts). Other errors come through, and are tried again.
 */
export async function clearOnHost(
  deps: NovaDeps,
  host: string,
  step: { readonly attempt: number; readonly log: Logger },
  leftovers: readonly Leftover[],
  work: (agent: HostAgent) => Promise<void>,
): Promise<void> {
  try {
    await work(deps.hosts.get(host));
  } catch (error) {
    if (!isCairnError(error, 'Unavailable') || (step.attempt < TRIES && deps.hosts.names().includes(host))) throw error;
    step.log.warn({ host, leftovers, err: error }, 'a host is away; what it holds is removed when it is back');
    await deps.env.store.write((tx) => insertLeftovers(tx, host, leftovers, deps.env.clock.nowMs()));
  }
}

/** Takes released ports off their hosts. Where one is away neutron brings it in line when it is back, so nobody waits for it. */
export async function clearPorts(deps: NovaDeps, step: { readonly attempt: number; readonly log: Logger }, portIds: readonly string[]): Promise<void> {
  if (portIds.length === 0) return;
  try {
    await deps.faces.neutron.makeGone(portIds);
  } catch (error) {
    if (!isCairnError(error, 'Unavailable') || step.attempt < TRIES) throw error;
    step.log.warn({ portIds, err: error }, 'ports could not be taken off a host that is away; its network is brought in line when it is back');
  }
}

const OPEN = new Set(['running', 'paused']);
/** A guest's process has its disks and cards in hand: changes go through it. */
export const isOpen = (state: string): boolean => OPEN.has(state);

/** How long a guest may take to let go of a device: as long as upstream's eight tries of 20 s. One whose system is still starting lets nothing go. */
export const DETACH_WAIT_MS = 160_000;
