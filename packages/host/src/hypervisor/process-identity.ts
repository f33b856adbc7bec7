import { readFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';

/** Names one process for ever: a process id alone is used again after its process ended. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks from the start of the machine to the start of the process. */
  readonly startTicks: number;
  readonly bootId: string;
}

/** A value that differs each time the machine starts. */
export const bootId = (): string => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();

/** Fields of /proc/PID/stat from the third (state) on; nothing when there is no such process. The second, the name, may hold anything. */
function statFields(pid: number): readonly string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}

/** Nothing when the process has ended. */
export function identify(pid: number): ProcessIdentity | undefined {
  const fields = statFields(pid);
  const startTicks = Number(fields?.[19]);
  return fields && fields[0] !== 'Z' && Number.isFinite(startTicks) ? { pid, startTicks, bootId: bootId() } : undefined;
}

/** True while that very process runs (a zombie does not). */
export function isAlive(process: ProcessIdentity): boolean {
  const now = identify(process.pid);
  return now !== undefined && now.startTicks === process.startTicks && now.bootId === process.bootId;
}

/**
 * The processes whose argv holds `marker` as part of one argument: how a QEMU is found whose id was not written down in time.
 * With `uid`, only that user's.
 */
export async function findByArgument(marker: string, uid?: number): Promise<readonly ProcessIdentity[]> {
  const found: ProcessIdentity[] = [];
  for (const name of await readdir('/proc')) {
    if (!/^[0-9]+$/.test(name)) continue;
    const pid = Number(name);
    const argv = await readFile(`/proc/${name}/cmdline`, 'utf8').catch(() => '');
    if (pid === process.pid || !argv.includes(marker)) continue;
    const status = await readFile(`/proc/${name}/status`, 'utf8').catch(() => '');
    const owner = Number(/^Uid:\s+(\d+)/m.exec(status)?.[1] ?? Number.NaN);
    if (uid !== undefined && owner !== uid) continue;
    const identity = identify(pid);
    if (identity) found.push(identity);
  }
  return found;
}
