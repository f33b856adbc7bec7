import { type CairnError, noCapacity } from '@cairn/kit/errors/errors';
import type { Shortage } from '@cairn/placement/face';
import type { FilterTrace } from './filters.ts';

/** A resource class in words for a user. */
const WORDS: Readonly<Record<string, string>> = {
  VCPU: 'vCPUs',
  MEMORY_MB: 'MB of RAM',
  DISK_GB: 'GB of disk',
  PCPU: 'dedicated CPUs',
  NET_BW_EGR_KILOBIT_PER_SEC: 'kbit/s of outgoing bandwidth',
  NET_BW_IGR_KILOBIT_PER_SEC: 'kbit/s of incoming bandwidth',
  NET_PACKET_RATE_KILOPACKET_PER_SEC: 'thousand packets per second',
  NET_PACKET_RATE_EGR_KILOPACKET_PER_SEC: 'thousand outgoing packets per second',
  NET_PACKET_RATE_IGR_KILOPACKET_PER_SEC: 'thousand incoming packets per second',
};
const REASONS: Readonly<Record<Shortage['nearest'][number]['reason'], (best: string) => string>> = {
  free: (best) => `best host has ${best} free`,
  max_unit: (best) => `the most that a host gives to one server is ${best}`,
  min_unit: (best) => `the least that a host gives to one server is ${best}`,
  step_size: (best) => `hosts give only multiples of ${best}`,
};

/** "needs 8192 MB of RAM, best host has 6144 MB free". */
function nearMiss({ resourceClass, needed, bestFree, reason }: Shortage['nearest'][number]): string {
  const words = WORDS[resourceClass] ?? resourceClass;
  const unit = resourceClass === 'MEMORY_MB' ? ' MB' : resourceClass === 'DISK_GB' ? ' GB' : '';
  return `needs ${needed} ${words}, ${REASONS[reason](`${bestFree}${unit}`)}`;
}

const hosts = (count: number): string => (count === 1 ? '1 host' : `${count} hosts`);

/**
 * Why no host was found, for the server's owner: what each filter left over, and the nearest miss. Names of hosts stay out of it.
 * `shortage` is placement's part, `trace` the scheduler's.
 */
export function noValidHost(shortage: Shortage | undefined, trace: readonly FilterTrace[]): CairnError {
  const parts = ['No valid host was found. There are not enough hosts available.'];
  if (shortage !== undefined) {
    if (shortage.providersTotal === 0) parts.push('The cloud has no compute host.');
    if (shortage.nearest.length > 0) parts.push(`Nearest miss: ${shortage.nearest.map(nearMiss).join('; ')}.`);
    if (shortage.providersTotal > 0 && shortage.filters.length > 0) {
      parts.push(`Of ${hosts(shortage.providersTotal)}: ${shortage.filters.map(({ name, left }) => `${left} left after ${name}`).join(', ')}.`);
    }
  }
  if (trace.length > 0) {
    parts.push(`Of ${hosts((trace[0] as FilterTrace).before)} with enough room: ${trace.map(({ name, after }) => `${after} left after ${name}`).join(', ')}.`);
    const last = trace.at(-1) as FilterTrace;
    if (last.after === 0) parts.push(`${last.name}: ${last.words.replace('the rest', 'all')}.`);
  }
  return noCapacity(parts.join(' '), { type: 'NoValidHost', detail: { shortage, trace } });
}
