/** What draining a host has to know of a server. */
export interface Guest {
  readonly id: string;
  readonly status: string;
  readonly task: string | null;
  readonly host: string | null;
}

/** How a server leaves its host: running, at rest with a confirmation afterwards, or not at all. */
export function wayOf({ status, task }: Pick<Guest, 'status' | 'task'>): 'live' | 'cold' | undefined {
  if (task !== null) return undefined;
  if (status === 'ACTIVE' || status === 'PAUSED') return 'live';
  return status === 'SHUTOFF' ? 'cold' : undefined;
}

/** Where a server is on its way. */
export type DrainState = 'waiting' | 'moving' | 'confirming' | 'moved' | 'stayed' | 'failed' | 'unmovable';

export interface DrainStep {
  readonly state: DrainState;
  /** What the cloud said when it refused. */
  readonly words?: string;
}

export interface DrainCalls {
  /** The server as it is now; undefined when it is gone. */
  show(id: string): Promise<Guest | undefined>;
  act(id: string, body: object): Promise<unknown>;
  pause(): Promise<void>;
}

/** Moves at the same time: each takes the host's network and disks. */
const AT_ONCE = 2;

/**
 * Moves every guest off a host, and tells of each where it is. Resolves when each was moved or will not be. An abort begins no further
 * moves; those that have begun go on in the cloud by themselves.
 */
export async function drain(
  guests: readonly Guest[],
  host: string,
  calls: DrainCalls,
  tell: (id: string, step: DrainStep) => void,
  signal: AbortSignal,
): Promise<void> {
  const waiting = [...guests];
  for (const { id } of guests) tell(id, { state: 'waiting' });
  const work = async (): Promise<void> => {
    for (let guest = waiting.shift(); guest !== undefined && !signal.aborted; guest = waiting.shift()) {
      const { id } = guest;
      try {
        tell(id, await moved(guest, host, calls, (step) => tell(id, step), signal));
      } catch (error) {
        tell(id, { state: 'failed', words: error instanceof Error ? error.message : String(error) });
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

async function moved(guest: Guest, host: string, calls: DrainCalls, tell: (step: DrainStep) => void, signal: AbortSignal): Promise<DrainStep> {
  // it may have changed since the list was read
  const fresh = await calls.show(guest.id);
  if (fresh === undefined || fresh.host !== host) return { state: 'moved' };
  const way = wayOf(fresh);
  if (way === undefined) return { state: 'unmovable' };
  tell({ state: 'moving' });
  await calls.act(guest.id, way === 'live' ? { 'os-migrateLive': { host: null, block_migration: 'auto' } } : { migrate: null });
  for (let confirmed = false; ; ) {
    await calls.pause();
    if (signal.aborted) return { state: 'moving' };
    const now = await calls.show(guest.id);
    if (now === undefined) return { state: 'moved' };
    if (now.task !== null || now.status === 'MIGRATING' || now.status === 'RESIZE') continue;
    if (now.status === 'ERROR') return { state: 'failed' };
    if (now.status === 'VERIFY_RESIZE') {
      if (!confirmed) {
        tell({ state: 'confirming' });
        await calls.act(guest.id, { confirmResize: null });
        confirmed = true;
      }
      continue;
    }
    return { state: now.host === host ? 'stayed' : 'moved' };
  }
}
