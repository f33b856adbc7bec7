import type { Bench } from './api.ts';
import type { Figure } from './report.ts';

const PLAIN = 'resources=VCPU:1,MEMORY_MB:512,DISK_GB:1';
const HEADERS = { 'openstack-api-version': 'placement 1.39' };

/** The search for allocation candidates over every host: the few that a scheduler wants, and all of them. */
export async function candidates({ load }: Bench, hosts: number): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const [what, query, goal] of [
    ['allocation candidates', `${PLAIN}&limit=10`, 10],
    ['all allocation candidates', PLAIN, undefined],
  ] as const) {
    const path = `/placement/allocation_candidates?${query}`;
    const { allocation_requests: found } = await load.json({ method: 'GET', path, headers: HEADERS });
    const wanted = query === PLAIN ? hosts : 10;
    if (found.length !== wanted) throw new Error(`${what}: ${found.length} found`);
    const cost = await load.measure(100, 1, () => ({ method: 'GET', path, headers: HEADERS }));
    figures.push(
      { name: `${what}, ${hosts} hosts: p50`, value: cost.p50Ms, unit: 'ms', ...(goal !== undefined && { goal }) },
      { name: `${what}, ${hosts} hosts: CPU`, value: cost.cpuMs, unit: 'ms' },
    );
  }
  return figures;
}
