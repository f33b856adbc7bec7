import { existsSync } from 'node:fs';
import type { CommonFlags } from '../config.ts';
import { askControl } from '../daemon/control.ts';
import { running } from '../daemon/process.ts';
import { table } from '../terminal/progress.ts';
import { settingsOf } from './shared.ts';

/** What `cairn status --json` prints. */
export interface StatusReport {
  readonly running: boolean;
  readonly pid?: number;
  readonly url?: string;
  readonly uptimeSeconds?: number;
  readonly version?: string;
  readonly memoryMb?: number;
  readonly endpoints?: readonly { readonly service: string; readonly type: string; readonly url: string; readonly versions: string }[];
  readonly hosts?: readonly {
    readonly host: string;
    readonly hypervisor: string;
    readonly vcpus: number;
    readonly memoryMb: number;
    readonly diskGb: number;
    readonly guests: number;
  }[];
  readonly guests?: readonly { readonly id: string; readonly host: string; readonly state: string; readonly pid?: number }[];
  readonly sagas?: { readonly running: number };
  readonly data: string;
}

/** `cairn status`; exit code 3 when no cloud runs. */
export async function status(flags: CommonFlags & { json?: boolean }): Promise<void> {
  const { paths } = settingsOf(flags);
  const there = running(paths);
  let report: StatusReport = { running: false, data: paths.data };
  if (there) report = (await askControl(paths, { ask: 'status' })) as StatusReport;
  if (flags.json) process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  else if (!report.running) process.stdout.write(existsSync(paths.data) ? `The cloud in ${paths.data} is down.\n` : `There is no cloud in ${paths.data}.\n`);
  else {
    process.stdout.write(
      `up ${duration(report.uptimeSeconds ?? 0)}   process ${report.pid}   ${report.memoryMb} MB   version ${report.version}   data ${report.data}\n\n`,
    );
    process.stdout.write(
      `${table([['SERVICE', 'TYPE', 'VERSIONS', 'URL'], ...(report.endpoints ?? []).map((e) => [e.service, e.type, e.versions, e.url])])}\n\n`,
    );
    process.stdout.write(
      `${table([['HOST', 'HYPERVISOR', 'VCPUS', 'MEMORY', 'DISK', 'GUESTS'], ...(report.hosts ?? []).slice(0, 50).map((h) => [h.host, h.hypervisor, String(h.vcpus), `${h.memoryMb} MB`, `${Math.round(h.diskGb)} GB`, String(h.guests)])])}\n`,
    );
    if (report.guests?.length)
      process.stdout.write(
        `\n${table([['GUEST', 'HOST', 'STATE', 'PROCESS'], ...report.guests.slice(0, 100).map((g) => [g.id, g.host, g.state, g.pid === undefined ? '' : String(g.pid)])])}\n`,
      );
  }
  if (!report.running) process.exitCode = 3;
}

const duration = (seconds: number): string =>
  seconds < 120 ? `${Math.floor(seconds)} s` : seconds < 7_200 ? `${Math.floor(seconds / 60)} min` : `${Math.floor(seconds / 3_600)} h`;
