import { readFile } from 'node:fs/promises';
import type { Clock, Timer } from '@cairn/kit/clock/clock';
import type { Logger } from '@cairn/kit/log/log';
import { type GuestUsage, USAGE_EVERY_MS, USAGE_KEPT_MS, type UsageQuestion, type UsageSample } from '../interface/guests.ts';
import type { ProcessIdentity } from './process-identity.ts';

/** A guest with a process, as the sampler has to know it. */
export interface SampledGuest {
  readonly guestId: string;
  readonly vcpus: number;
  readonly process: ProcessIdentity;
}

export interface UsageOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** The guests that run now. */
  readonly running: () => readonly SampledGuest[];
}

/** /proc counts processor time in these, whatever the kernel was built with (USER_HZ). */
const TICK_NS = 1e7;
/** Memory in /proc/PID/stat is counted in pages; guests' QEMUs are x86-64's. */
const PAGE_BYTES = 4096;

/** Times and memory of a process from `/proc/PID/stat`; undefined when it has ended and its number is another's. */
export function usageOf(stat: string, startTicks: number): Omit<UsageSample, 'atMs'> | undefined {
  // the name, in parentheses, may hold anything
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (Number(fields[19]) !== startTicks) return undefined;
  return {
    cpuTimeNs: (Number(fields[11]) + Number(fields[12])) * TICK_NS,
    memoryUsedMb: Math.round((Number(fields[21]) * PAGE_BYTES) / 2 ** 20),
  };
}

/**
 * Looks at what the processes of all guests have used, one file of the kernel's each and no question to any QEMU, and keeps the last half hour: some 10 kB
 * for each guest that ran in it.
 */
export class UsageSampler {
  readonly #options: UsageOptions;
  readonly #kept = new Map<string, { vcpus: number; samples: UsageSample[] }>();
  #timer: Timer | undefined;

  constructor(options: UsageOptions) {
    this.#options = options;
  }

  start(): void {
    this.stop();
    const { clock, log } = this.#options;
    this.#timer = clock.after(USAGE_EVERY_MS, () => {
      const timer = this.#timer;
      void this.sample()
        .catch((error: unknown) => log.warn({ err: error }, 'what guests use could not be seen'))
        .then(() => timer === this.#timer && this.start());
    });
  }

  /** No more looks; what was seen stays. */
  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** One look at all guests. */
  async sample(): Promise<void> {
    const { clock, running } = this.#options;
    await Promise.all(
      running().map(async ({ guestId, vcpus, process }) => {
        const stat = await readFile(`/proc/${process.pid}/stat`, 'utf8').catch(() => undefined);
        const usage = stat === undefined ? undefined : usageOf(stat, process.startTicks);
        if (usage === undefined) return;
        const kept = this.#kept.get(guestId) ?? { vcpus, samples: [] };
        kept.vcpus = vcpus;
        kept.samples.push({ atMs: clock.nowMs(), ...usage });
        this.#kept.set(guestId, kept);
      }),
    );
    const oldestMs = clock.nowMs() - USAGE_KEPT_MS;
    for (const [guestId, kept] of this.#kept) {
      kept.samples = kept.samples.filter(({ atMs }) => atMs >= oldestMs);
      if (kept.samples.length === 0) this.#kept.delete(guestId);
    }
  }

  usage({ guestIds, sinceMs }: UsageQuestion): readonly GuestUsage[] {
    return [...(guestIds ?? this.#kept.keys())].flatMap((guestId) => {
      const kept = this.#kept.get(guestId);
      return kept === undefined ? [] : [{ guestId, vcpus: kept.vcpus, samples: laterThan(kept.samples, sinceMs) }];
    });
  }
}

/** The samples after a moment, and the one before them. */
export function laterThan(samples: readonly UsageSample[], sinceMs: number): readonly UsageSample[] {
  const first = samples.findIndex(({ atMs }) => atMs > sinceMs);
  return first === -1 ? samples.slice(-1) : samples.slice(Math.max(0, first - 1));
}
