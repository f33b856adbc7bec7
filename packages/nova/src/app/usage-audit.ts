import { invalidInput } from '@cairn/kit/errors/errors';
import { servicesOf } from '../store/service.ts';
import type { NovaDeps } from './deps.ts';

/** How the audit of usage went on all hosts, for the last whole month before a moment. */
export interface UsageAudit {
  readonly beginMs: number;
  readonly endMs: number;
  readonly hosts: readonly string[];
}

/** The last calendar month (UTC) that was over at `beforeMs` (nova/utils.py, last_completed_audit_period, in months). */
export function lastMonth(beforeMs: number): { readonly beginMs: number; readonly endMs: number } {
  const at = new Date(beforeMs);
  const month = Date.UTC(at.getUTCFullYear(), at.getUTCMonth(), 1);
  const end = new Date(month >= beforeMs ? Date.UTC(at.getUTCFullYear(), at.getUTCMonth() - 1, 1) : month);
  return { beginMs: Date.UTC(end.getUTCFullYear(), end.getUTCMonth() - 1, 1), endMs: end.getTime() };
}

const MOMENT = /^(\d{4})-(\d{1,2})-(\d{1,2}) (\d{1,2}):(\d{1,2}):(\d{1,2})(?:\.(\d{1,6}))?$/;

/** `2012-07-05 10:00:00`, with a fraction or without, in UTC. Throws InvalidInput. */
export function momentOf(text: string): number {
  const [, year, month, day, hour, minute, second, fraction = ''] = MOMENT.exec(text) ?? [];
  const numbers = [year, month, day, hour, minute, second].map(Number) as [number, number, number, number, number, number];
  const ms =
    Date.UTC(numbers[0], numbers[1] - 1, ...(numbers.slice(2) as [number, number, number, number])) + Math.floor(Number(fraction.padEnd(3, '0').slice(0, 3)));
  const back = new Date(ms);
  const same = !Number.isNaN(ms) && back.getUTCFullYear() === numbers[0] && back.getUTCMonth() + 1 === numbers[1] && back.getUTCDate() === numbers[2];
  if (!same || numbers[3] > 23 || numbers[4] > 59 || numbers[5] > 59) throw invalidInput(`Invalid timestamp for date ${text}`);
  return ms;
}

/** Hosts do not audit themselves here, as they do not upstream unless told to: all compute hosts count as not having run. */
export class UsageAudits {
  readonly #deps: NovaDeps;

  constructor(deps: NovaDeps) {
    this.#deps = deps;
  }

  async before(moment: string | undefined): Promise<UsageAudit> {
    const { env } = this.#deps;
    const period = lastMonth(moment === undefined ? env.clock.nowMs() : momentOf(moment));
    const services = await servicesOf(env.store.read, 'nova-compute');
    return { ...period, hosts: [...services.keys()].toSorted() };
  }
}
