import { unavailable } from '@cairn/kit/errors/errors';
import type { CopyOptions } from './open-disks.ts';
import { type Qmp, QmpError, type QmpEvent } from './qmp.ts';

interface JobInfo {
  readonly id: string;
  readonly status: string;
  readonly 'current-progress': number;
  readonly 'total-progress': number;
  readonly error?: string;
}

/** Looking at a long job's progress. */
const PROGRESS_MS = 1000;

let jobs = 0;

/**
 * Runs a block job to its end. `command` starts it with `job-id` and `auto-dismiss: false` added. A job that becomes ready (mirror,
 * commit of the top layer) is completed at once. Rejects with Unavailable when the job fails, with the signal's reason when it is cancelled.
 */
export async function runJob(qmp: Qmp, command: string, args: Readonly<Record<string, unknown>>, options: CopyOptions = {}): Promise<void> {
  const id = `cairn-${process.pid}-${++jobs}`;
  const { signal, onProgress } = options;
  if (signal?.aborted) throw signal.reason;
  const statuses: string[] = [];
  let wake: () => void = () => {};
  const stop = qmp.onEvent((event: QmpEvent) => {
    if (event.event !== 'JOB_STATUS_CHANGE' || event.data.id !== id) return;
    statuses.push(String(event.data.status));
    wake();
  });
  let cancelled = false;
  const cancel = (): void => {
    cancelled = true;
    qmp.execute('block-job-cancel', { device: id, force: true }).catch(() => {});
  };
  try {
    await qmp.execute(command, { ...args, 'job-id': id, 'auto-dismiss': false });
    signal?.addEventListener('abort', cancel, { once: true });
    for (;;) {
      const status = statuses.shift();
      if (status === 'concluded') break;
      // Cancelled between becoming ready and here: it concludes by itself.
      if (status === 'ready' && !cancelled) await qmp.execute('job-complete', { id });
      if (status !== undefined) continue;
      const progress = onProgress ? PROGRESS_MS : 3_600_000;
      await Promise.race([new Promise<void>((resolve) => (wake = resolve)), qmp.waitFor((e) => e.event === 'JOB_STATUS_CHANGE' && e.data.id === id, progress)]);
      if (onProgress && statuses.length === 0) {
        const job = (await qmp.execute<readonly JobInfo[]>('query-jobs')).find((j) => j.id === id);
        if (job) onProgress(job['current-progress'], job['total-progress']);
      }
    }
    const job = (await qmp.execute<readonly JobInfo[]>('query-jobs')).find((j) => j.id === id);
    await qmp.execute('job-dismiss', { id });
    if (cancelled) throw signal?.reason;
    if (job?.error !== undefined) throw unavailable('The work on the disk failed.', { detail: `${command}: ${job.error}` });
    if (job) onProgress?.(job['total-progress'], job['total-progress']);
  } finally {
    stop();
    signal?.removeEventListener('abort', cancel);
  }
}

/** After a restart of Cairn: nobody waits for the jobs that are left, and whoever asked for them asks again. */
export async function clearJobs(qmp: Qmp): Promise<void> {
  for (const { id, status } of await qmp.execute<readonly JobInfo[]>('query-jobs')) {
    if (!id.startsWith('cairn-')) continue;
    const concluded = qmp.waitFor((e) => e.event === 'JOB_STATUS_CHANGE' && e.data.id === id && e.data.status === 'concluded', 10_000);
    concluded.catch(() => {});
    if (status !== 'concluded') {
      await ignoreRefusal(qmp.execute('block-job-cancel', { device: id, force: true }));
      await concluded;
    }
    await ignoreRefusal(qmp.execute('job-dismiss', { id }));
  }
}

async function ignoreRefusal(work: Promise<unknown>): Promise<void> {
  await work.catch((error: unknown) => {
    if (!(error instanceof QmpError)) throw error;
  });
}
