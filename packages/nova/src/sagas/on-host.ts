import type { HostAgent } from '@cairn/host/interface/agent';
import { isCairnError } from '@cairn/kit/errors/errors';
import type { Logger } from '@cairn/kit/log/log';
import type { NovaDeps } from '../app/deps.ts';

/** After so many tries a host that is away is forsaken. */
const TRIES = 3;

/**
 * Takes something off a host. A host that stays away is forsaken, so that a dead machine holds up no server's end: when it is back, its
 * orphans are found and removed (hosts/reconcile.ts). Other errors come through, and are tried again.
 */
export async function clearOnHost(
  deps: NovaDeps,
  host: string,
  step: { readonly attempt: number; readonly log: Logger },
  work: (agent: HostAgent) => Promise<void>,
): Promise<void> {
  try {
    await work(deps.hosts.get(host));
  } catch (error) {
    if (!isCairnError(error, 'Unavailable') || (step.attempt < TRIES && deps.hosts.names().includes(host))) throw error;
    step.log.warn({ host, err: error }, 'a host is away; what it holds is removed when it is back');
  }
}
