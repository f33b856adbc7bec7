import { readFile } from 'node:fs/promises';
import type { GuestDiagnostics, GuestNic } from '../interface/guests.ts';
import { run } from '../process/run.ts';
import { diskDeviceId } from './devices.ts';
import { asFault } from './faults.ts';
import type { Guest } from './guest.ts';

interface BlockStats {
  readonly qdev?: string;
  readonly stats: {
    readonly rd_bytes: number;
    readonly rd_operations: number;
    readonly wr_bytes: number;
    readonly wr_operations: number;
    readonly failed_rd_operations?: number;
    readonly failed_wr_operations?: number;
    readonly failed_flush_operations?: number;
  };
}

type NicCounters = GuestDiagnostics['nics'][number];

/** What the guest has used since its process began. Memory is the process's resident memory; NIC counters are seen from the guest. */
export async function diagnose(guest: Guest): Promise<GuestDiagnostics> {
  const machine = guest.running('diagnose the server');
  const { spec, startedAtMs } = guest.known();
  const { pid } = machine.process.identity;
  try {
    const [blocks, cpus, status, nics] = await Promise.all([
      machine.qmp.execute<readonly BlockStats[]>('query-blockstats'),
      machine.qmp.execute<readonly { readonly 'thread-id': number }[]>('query-cpus-fast'),
      readFile(`/proc/${pid}/status`, 'utf8'),
      Promise.all(spec.nics.map((nic) => counters(guest, nic))),
    ]);
    const cpuTimes = await Promise.all(cpus.map((cpu) => threadTimeNs(pid, cpu['thread-id'])));
    return {
      state: guest.state,
      uptimeSeconds: startedAtMs === undefined ? 0 : Math.max(0, Math.floor((guest.context.clock.nowMs() - startedAtMs) / 1000)),
      cpuTimeNs: cpuTimes.reduce((sum, time) => sum + time, 0),
      memoryMb: spec.memoryMb,
      memoryUsedMb: Math.round(Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0) / 1024),
      disks: spec.disks.map((disk) => {
        const stats = blocks.find((block) => (block.qdev ?? '').split('/').includes(diskDeviceId(disk)) || block.qdev === diskDeviceId(disk))?.stats;
        return {
          device: disk.device,
          readBytes: stats?.rd_bytes ?? 0,
          readRequests: stats?.rd_operations ?? 0,
          writeBytes: stats?.wr_bytes ?? 0,
          writeRequests: stats?.wr_operations ?? 0,
          errors: (stats?.failed_rd_operations ?? 0) + (stats?.failed_wr_operations ?? 0) + (stats?.failed_flush_operations ?? 0),
        };
      }),
      nics,
    };
  } catch (error) {
    throw asFault(error, 'The server cannot be diagnosed');
  }
}

/** Time a thread has been on a CPU, from the scheduler's own account. */
async function threadTimeNs(pid: number, threadId: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/task/${threadId}/schedstat`, 'utf8').catch(() => '0');
  return Number(text.split(' ')[0]) || 0;
}

interface LinkStats {
  readonly stats64?: {
    readonly rx: { readonly bytes: number; readonly packets: number; readonly errors: number; readonly dropped: number };
    readonly tx: { readonly bytes: number; readonly packets: number; readonly errors: number; readonly dropped: number };
  };
}

/** What the tap receives, the guest has sent. */
async function counters(guest: Guest, nic: GuestNic): Promise<NicCounters> {
  const { netns } = guest.context.options;
  const output = await run('ip', ['-j', '-s', 'link', 'show', 'dev', nic.tap], { netns, timeoutMs: 5000 }).catch(() => undefined);
  const [link] = output ? (JSON.parse(output.stdout) as readonly LinkStats[]) : [];
  const { rx, tx } = link?.stats64 ?? { rx: undefined, tx: undefined };
  return {
    mac: nic.mac,
    rxBytes: tx?.bytes ?? 0,
    rxPackets: tx?.packets ?? 0,
    rxErrors: tx?.errors ?? 0,
    rxDrops: tx?.dropped ?? 0,
    txBytes: rx?.bytes ?? 0,
    txPackets: rx?.packets ?? 0,
    txErrors: rx?.errors ?? 0,
    txDrops: rx?.dropped ?? 0,
  };
}
