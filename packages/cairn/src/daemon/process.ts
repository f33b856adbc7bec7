import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Paths } from './paths.ts';

/** What the running cloud wrote about its process. */
export interface Running {
  readonly pid: number;
  /** Start time in clock ticks since boot: a pid alone may have been used again. */
  readonly startTicks: string;
  readonly url: string;
  readonly startedAtMs: number;
}

/** Start time of a process in ticks, or undefined when it is gone or a zombie (proc(5), fields 3 and 22 of stat). */
export function startTicksOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

/** The cloud that runs on this data directory, if any. */
export function running(paths: Paths): Running | undefined {
  try {
    const facts = JSON.parse(readFileSync(paths.pid, 'utf8')) as Running;
    return startTicksOf(facts.pid) === facts.startTicks ? facts : undefined;
  } catch {
    return undefined;
  }
}

/** Takes the data directory for this process; throws when another cloud runs on it. */
export function claim(paths: Paths, url: string): void {
  const other = running(paths);
  if (other && other.pid !== process.pid) throw new Error(`a cloud already runs on ${paths.data} (process ${other.pid}); "cairn status" shows it`);
  mkdirSync(paths.run, { recursive: true, mode: 0o755 });
  const facts: Running = { pid: process.pid, startTicks: startTicksOf(process.pid) ?? '', url, startedAtMs: Date.now() };
  writeFileSync(paths.pid, JSON.stringify(facts), { mode: 0o644 });
}

export function unclaim(paths: Paths): void {
  rmSync(paths.pid, { force: true });
}

/** One line of progress of the starting cloud. */
export interface Progress {
  readonly kind: 'progress';
  readonly text: string;
}
export type DaemonMessage =
  | Progress
  | { readonly kind: 'ready'; readonly url: string; readonly milliseconds: number }
  | { readonly kind: 'failed'; readonly text: string };

/**
 * Starts `cairn serve` as a process of its own, in its own session, logging to the data directory, and reports its progress until
 * it is ready. Its thread pool is larger than usual: password hashes and the syncs of commits share it. Rejects with the reason when it fails to start.
 */
export function startDaemon(
  paths: Paths,
  main: string,
  args: readonly string[],
  onProgress: (text: string) => void,
): Promise<{ url: string; milliseconds: number; pid: number }> {
  mkdirSync(dirname(paths.log), { recursive: true });
  const output = openSync(`${paths.log}.stderr`, 'a', 0o600);
  const child = spawn(process.execPath, [...process.execArgv, main, 'serve', ...args], {
    detached: true,
    stdio: ['ignore', output, output, 'ipc'],
    env: { UV_THREADPOOL_SIZE: '8', ...process.env },
  });
  closeSync(output);
  return new Promise((resolve, reject) => {
    const done = (): void => {
      child.removeAllListeners();
      if (child.connected) child.disconnect();
      child.unref();
    };
    child.on('message', (message: DaemonMessage) => {
      if (message.kind === 'progress') onProgress(message.text);
      if (message.kind === 'ready') {
        done();
        resolve({ url: message.url, milliseconds: message.milliseconds, pid: child.pid ?? 0 });
      }
      if (message.kind === 'failed') {
        done();
        reject(new Error(message.text));
      }
    });
    child.once('error', (error) => {
      done();
      reject(error);
    });
    child.once('exit', (code, signal) => {
      done();
      reject(new Error(`the cloud's process ended while starting (${signal ?? `exit code ${code}`}); see ${paths.log}.stderr and ${paths.log}`));
    });
  });
}

/** Waits until a process is gone. */
export async function untilGone(pid: number, startTicks: string, limitMs: number): Promise<boolean> {
  const endMs = Date.now() + limitMs;
  while (startTicksOf(pid) === startTicks) {
    if (Date.now() > endMs) return false;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return true;
}
