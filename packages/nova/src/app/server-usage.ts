import type { GuestUsage, UsageSample } from '@cairn/host/interface/guests';
import { isAdmin } from '@cairn/kit/context/context';
import { isUuidLike } from '@cairn/kit/ids/ids';
import { placesOfServers } from '../store/server.ts';
import { type Caller, targetOf } from './caller.ts';
import type { NovaDeps } from './deps.ts';

/** What a server used at a moment. */
export interface UsagePoint {
  readonly atMs: number;
  /** Of all its virtual processors together, 0 to 100, since the point before; null where that is not known. */
  readonly cpuPercent: number | null;
  readonly memoryMb: number;
}

export interface ServerUsage {
  readonly serverId: string;
  /** Oldest first; empty where its host has none or does not answer. */
  readonly points: readonly UsagePoint[];
}

/** How long one question waits for a host: the servers of others are not to wait for it. */
const HOST_MS = 2_000;

/** The course of samples. A sum that fell belongs to a guest that was started anew: nothing is known of the time between. */
export function pointsOf(samples: readonly UsageSample[], vcpus: number, sinceMs: number): readonly UsagePoint[] {
  return samples.flatMap((sample, index) => {
    if (sample.atMs <= sinceMs) return [];
    const before = samples[index - 1];
    const usedNs = before === undefined ? -1 : sample.cpuTimeNs - before.cpuTimeNs;
    const passedNs = (sample.atMs - (before?.atMs ?? sample.atMs)) * 1e6;
    const percent = usedNs < 0 || passedNs <= 0 ? null : Math.min(100, (100 * usedNs) / passedNs / vcpus);
    return [{ atMs: sample.atMs, cpuPercent: percent === null ? null : Math.round(percent * 10) / 10, memoryMb: sample.memoryUsedMb }];
  });
}

/** What servers have used of late, from the samples that their hosts take (docs/design/0025). */
export class ServerUsages {
  readonly #deps: NovaDeps;

  constructor(deps: NovaDeps) {
    this.#deps = deps;
  }

  /** In the order of the ids, without servers that the caller may not see. One question to each host that has some of them, all at once. */
  async list(caller: Caller, serverIds: readonly string[], sinceMs: number): Promise<readonly ServerUsage[]> {
    const asked = [...new Set(serverIds)].filter(isUuidLike);
    const rows = await placesOfServers(this.#deps.env.store.read, asked, isAdmin(caller.ctx) ? undefined : (caller.ctx.projectId ?? ''));
    const seen = rows.filter((row) => caller.allowed('os_compute_api:os-cairn-usage', targetOf(row)));
    const usages = new Map<string, GuestUsage>();
    const byHost = Map.groupBy(seen, ({ host }) => host);
    await Promise.all(
      [...byHost].map(async ([host, servers]) => {
        if (host === null) return;
        const guestIds = servers.map(({ id }) => id);
        for (const usage of await this.#ask(host, guestIds, sinceMs)) usages.set(usage.guestId, usage);
      }),
    );
    const visible = new Set(seen.map(({ id }) => id));
    return asked.flatMap((serverId) => {
      if (!visible.has(serverId)) return [];
      const usage = usages.get(serverId);
      return [{ serverId, points: usage === undefined ? [] : pointsOf(usage.samples, usage.vcpus, sinceMs) }];
    });
  }

  /** Nothing where the host is away. */
  async #ask(host: string, guestIds: readonly string[], sinceMs: number): Promise<readonly GuestUsage[]> {
    const { env, hosts } = this.#deps;
    const late = new AbortController();
    const waited = env.clock.sleep(HOST_MS, late.signal).then(
      () => [],
      () => [],
    );
    try {
      return await Promise.race([hosts.get(host).guests.usage({ guestIds, sinceMs }), waited]);
    } catch (error) {
      env.log.debug({ host, err: error }, 'a host tells nothing of what its guests use');
      return [];
    } finally {
      late.abort();
    }
  }
}
