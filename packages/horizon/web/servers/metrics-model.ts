import type { UsagePoint } from './usage-feed.ts';

/** What GET /servers/{id}/diagnostics tells (2.48 and later): the parts that are drawn. null is what the host does not know. */
export interface Diagnostics {
  readonly state: string;
  /** Seconds. */
  readonly uptime: number | null;
  /** Nanoseconds of processor time since the start, by virtual CPU. */
  readonly cpu_details: readonly { readonly time: number | null }[];
  readonly nic_details: readonly { readonly rx_octets: number | null; readonly tx_octets: number | null }[];
  readonly disk_details: readonly { readonly read_bytes: number | null; readonly write_bytes: number | null }[];
  /** MiB. */
  readonly memory_details: { readonly maximum: number | null; readonly used: number | null };
}

/** Diagnostics as they were at a moment: sums of counters. */
export interface Sample {
  readonly atMs: number;
  readonly cpuNs: number;
  readonly cpus: number;
  readonly received: number;
  readonly sent: number;
  readonly read: number;
  readonly written: number;
  readonly memoryMib: number | null;
}

/** One moment of the charts: rates since the one before. null where they are not known. */
export interface Point {
  readonly atSec: number;
  /** Of all virtual CPUs together, 0 to 100. */
  readonly cpuPercent: number | null;
  /** Bytes in a second. */
  readonly received: number | null;
  readonly sent: number | null;
  readonly read: number | null;
  readonly written: number | null;
  readonly memoryMib: number | null;
}

const sum = <T>(rows: readonly T[], value: (row: T) => number | null): number => rows.reduce((all, row) => all + (value(row) ?? 0), 0);

export const sampleOf = (facts: Diagnostics, atMs: number): Sample => ({
  atMs,
  cpuNs: sum(facts.cpu_details, ({ time }) => time),
  cpus: facts.cpu_details.length,
  received: sum(facts.nic_details, ({ rx_octets }) => rx_octets),
  sent: sum(facts.nic_details, ({ tx_octets }) => tx_octets),
  read: sum(facts.disk_details, ({ read_bytes }) => read_bytes),
  written: sum(facts.disk_details, ({ write_bytes }) => write_bytes),
  memoryMib: facts.memory_details.used,
});

/** The course of the samples. Counters that fell belong to a guest that was started anew: nothing is known about the time between. */
export function pointsOf(samples: readonly Sample[]): readonly Point[] {
  return samples.slice(1).map((now, index) => {
    const before = samples[index] as Sample;
    const seconds = (now.atMs - before.atMs) / 1000;
    const rate = (value: (sample: Sample) => number): number | null => {
      const grown = value(now) - value(before);
      return grown < 0 || seconds <= 0 ? null : grown / seconds;
    };
    const cpu = rate(({ cpuNs }) => cpuNs);
    return {
      atSec: now.atMs / 1000,
      cpuPercent: cpu === null || now.cpus === 0 ? null : Math.min(100, cpu / 1e7 / now.cpus),
      received: rate((sample) => sample.received),
      sent: rate((sample) => sample.sent),
      read: rate((sample) => sample.read),
      written: rate((sample) => sample.written),
      memoryMib: now.memoryMib,
    };
  });
}

/** What the host remembers of the time before somebody looked, and then what was seen. The hosts' memory has processor and memory alone. */
export function courseOf(past: readonly UsagePoint[], seen: readonly Point[]): readonly Point[] {
  const fromSec = seen[0]?.atSec ?? Number.POSITIVE_INFINITY;
  const before = past
    .map(({ atMs, cpuPercent, memoryMib }) => ({ atSec: atMs / 1000, cpuPercent, memoryMib, received: null, sent: null, read: null, written: null }))
    .filter(({ atSec }) => atSec < fromSec);
  return [...before, ...seen];
}
