import { open } from 'node:fs/promises';
import type { Clock } from '@cairn/kit/clock/clock';
import { unavailable } from '@cairn/kit/errors/errors';
import type { ProcessUser } from '../process/command.ts';
import { start } from '../process/run.ts';
import { identify, isAlive, type ProcessIdentity } from './process-identity.ts';
import type { Qmp } from './qmp.ts';

/** How a process ended, as far as is known: of one that an earlier Cairn started, nothing is. */
export interface ProcessEnd {
  readonly code: number | undefined;
  readonly signal: NodeJS.Signals | undefined;
}

/** A guest's QEMU process. It is not tied to Cairn: it lives on when Cairn ends. */
export interface QemuProcess {
  readonly identity: ProcessIdentity;
  /** True once it is known to have ended. */
  readonly hasEnded: () => boolean;
  /** Settles when it has ended; of a process that is no child, only once `watchForeign` saw it. */
  readonly ended: Promise<ProcessEnd>;
}

export interface SpawnOptions {
  readonly qemu: string;
  readonly args: readonly string[];
  readonly netns: string | undefined;
  readonly user: ProcessUser | undefined;
  /** Open files that QEMU gets as 3 and up. */
  readonly inherit?: readonly number[];
  /** Gets what QEMU says. */
  readonly logPath: string;
}

/** Starts QEMU. Resolves when the process exists. */
export async function spawnQemu(options: SpawnOptions): Promise<QemuProcess> {
  const log = await open(options.logPath, 'a', 0o600);
  try {
    const child = start(options.qemu, options.args, {
      netns: options.netns,
      user: options.user,
      powerless: !options.user && process.geteuid?.() === 0,
      stdio: ['ignore', log.fd, log.fd, ...(options.inherit ?? [])],
      cwd: '/',
    });
    child.unref();
    const state: { end?: ProcessEnd } = {};
    const ended = new Promise<ProcessEnd>((resolve) => {
      child.once('exit', (code, signal) => {
        state.end = { code: code ?? undefined, signal: signal ?? undefined };
        resolve(state.end);
      });
    });
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', (cause) => reject(unavailable('QEMU could not be started.', { detail: cause, cause })));
    });
    const pid = child.pid ?? 0;
    const identity = identify(pid) ?? { pid, startTicks: 0, bootId: '' };
    return { identity, hasEnded: () => state.end !== undefined, ended };
  } finally {
    await log.close();
  }
}

/** A process that an earlier Cairn started: it is no child, so its end is found by looking, every `everyMs`. */
export function adoptProcess(identity: ProcessIdentity, clock: Clock, everyMs = 1000): QemuProcess & { readonly look: () => void; readonly stop: () => void } {
  let end: ProcessEnd | undefined;
  let finish: (end: ProcessEnd) => void = () => {};
  const ended = new Promise<ProcessEnd>((resolve) => {
    finish = resolve;
  });
  let stopped = false;
  const look = (): void => {
    if (end || stopped || isAlive(identity)) return;
    end = { code: undefined, signal: undefined };
    finish(end);
  };
  const again = (): void => {
    look();
    if (!end && !stopped) clock.after(everyMs, again);
  };
  again();
  return {
    identity,
    hasEnded: () => {
      look();
      return end !== undefined;
    },
    ended,
    look,
    stop: () => {
      stopped = true;
    },
  };
}

/** How long QEMU may take to write out what its disks hold back, before it is killed. */
const QUIT_MS = 5000;
/** A killed process still waits for the I/O it is in. */
const KILL_MS = 20_000;
const LOOK_MS = 2;

/**
 * Ends the process: by `quit`, which closes its disks in order, and where that takes too long or there is no one to talk to, by SIGKILL.
 * Resolves when it is gone.
 */
export async function endQemu(process_: QemuProcess, qmp: Qmp | undefined, clock: Clock): Promise<void> {
  const { identity } = process_;
  if (qmp && !qmp.closed && !process_.hasEnded()) {
    // Its answer is of no interest: the process's end is.
    qmp.execute('quit', undefined, QUIT_MS).catch(() => {});
    if (await gone(process_, clock, QUIT_MS)) return;
  }
  if (isAlive(identity)) {
    try {
      process.kill(identity.pid, 'SIGKILL');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
  if (!(await gone(process_, clock, KILL_MS)))
    throw unavailable('The server cannot be stopped: its process is stuck in the kernel, most likely waiting for a disk.', { detail: identity });
}

async function gone(process_: QemuProcess, clock: Clock, withinMs: number): Promise<boolean> {
  const deadlineMs = clock.nowMs() + withinMs;
  for (;;) {
    if (process_.hasEnded() || !isAlive(process_.identity)) return true;
    if (clock.nowMs() > deadlineMs) return false;
    await clock.sleep(LOOK_MS);
  }
}
