import { invalidInput } from '@cairn/kit/errors/errors';
import { findServer, flavorOf } from '../store/server.ts';
import { serversInWindow, type UsedServer } from '../store/tenant-usage.ts';
import type { NovaDeps } from './deps.ts';

/** What one server used. */
export interface ServerUse {
  readonly server: UsedServer;
  readonly hours: number;
  readonly flavorName: string;
  readonly memoryMb: number;
  readonly localGb: number;
  readonly vcpus: number;
  readonly uptimeSeconds: number;
}

/** What a project's servers of one page used within a period. */
export interface ProjectUse {
  readonly projectId: string;
  readonly servers: readonly ServerUse[];
}

/** Its ends may have fractions (microseconds). */
export interface UsagePeriod {
  readonly beginMs: number;
  readonly endMs: number;
}

const HOUR_MS = 3_600_000;
const MOMENTS = [/^(\d{4})-(\d{1,2})-(\d{1,2})[T ](\d{1,2}):(\d{1,2}):(\d{1,2})\.(\d{1,6})$/, /^(\d{4})-(\d{1,2})-(\d{1,2})T(\d{1,2}):(\d{1,2}):(\d{1,2})$/];

/** `2012-07-05T10:00:00`, with a fraction or (with one) a blank in place of the T; nothing is now. In UTC, to the microsecond. Throws InvalidInput. */
export function usageMoment(text: string | undefined, nowMs: number): number {
  if (text === undefined || text === '') return nowMs;
  for (const form of MOMENTS) {
    const [, year, month, day, hour, minute, second, fraction = ''] = form.exec(text) ?? [];
    if (year === undefined) continue;
    const [y, m, d, h, min, s] = [year, month, day, hour, minute, second].map(Number) as [number, number, number, number, number, number];
    const ms = Date.UTC(y, m - 1, d, h, min, s);
    const back = new Date(ms);
    if (back.getUTCFullYear() === y && back.getUTCMonth() + 1 === m && back.getUTCDate() === d && h < 24 && min < 60 && s < 60)
      return ms + Number(fraction.padEnd(6, '0')) / 1_000;
  }
  throw invalidInput('Invalid datetime string: Datetime is in invalid format');
}

/** How many hours of a period a server was there. */
export function hoursIn(server: Pick<UsedServer, 'launched_at_ms' | 'terminated_at_ms'>, { beginMs, endMs }: UsagePeriod): number {
  const from = Math.max(server.launched_at_ms, beginMs);
  const to = Math.min(server.terminated_at_ms ?? endMs, endMs);
  return Math.max(0, to - from) / HOUR_MS;
}

/** What servers used (nova/api/openstack/compute/simple_tenant_usage.py). */
export class TenantUsages {
  readonly #deps: NovaDeps;

  constructor(deps: NovaDeps) {
    this.#deps = deps;
  }

  /** Reads a period from a request's texts. Throws InvalidInput where it does not begin before its end; an end to come is now. */
  period(start: string | undefined, end: string | undefined): UsagePeriod {
    const nowMs = this.#deps.env.clock.nowMs();
    const beginMs = usageMoment(start, nowMs);
    const endMs = usageMoment(end, nowMs);
    // who names neither asks of this very moment, and upstream reads its clock twice
    const isNow = (text: string | undefined): boolean => text === undefined || text === '';
    if (beginMs >= endMs && !(isNow(start) && isNow(end))) throw invalidInput('Invalid start time. The start time cannot occur after the end time.');
    return { beginMs, endMs: Math.min(endMs, nowMs) };
  }

  /** One page of servers, by project and id, gathered per project. */
  async of(period: UsagePeriod, page: { readonly limit: number; readonly marker: string | undefined }, projectId?: string): Promise<readonly ProjectUse[]> {
    const { env } = this.#deps;
    const db = env.store.read;
    const marker = page.marker === undefined ? undefined : await findServer(db, page.marker);
    if (page.marker !== undefined && marker === undefined) throw invalidInput(`Marker ${page.marker} could not be found.`);
    if (page.limit === 0) return [];
    const servers = await serversInWindow(db, {
      beginMs: Math.floor(period.beginMs),
      endMs: Math.ceil(period.endMs),
      limit: page.limit,
      ...(projectId === undefined ? {} : { projectId }),
      ...(marker === undefined ? {} : { marker }),
    });
    const nowMs = env.clock.nowMs();
    const uses = servers.map((server): ServerUse => {
      const flavor = flavorOf(server);
      return {
        server,
        hours: hoursIn(server, period),
        flavorName: flavor.name,
        memoryMb: flavor.memoryMb,
        localGb: flavor.rootGb + flavor.ephemeralGb,
        vcpus: flavor.vcpus,
        uptimeSeconds: Math.max(0, Math.floor(((server.terminated_at_ms ?? nowMs) - server.launched_at_ms) / 1_000)),
      };
    });
    return [...Map.groupBy(uses, (use) => use.server.project_id)].map(([id, mine]) => ({ projectId: id, servers: mine }));
  }
}
