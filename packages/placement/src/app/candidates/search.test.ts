import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { test } from 'node:test';
import { engines } from '@cairn/kit/store/testing';
import { Builder } from '../../testing/fixtures.ts';
import { placementWorld } from '../../testing/placement-world.ts';

/** A small generator of chance from a seed (mulberry32). */
function chance(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

for (const engine of engines()) {
  test(`${engine}: the short way of a limited request finds what the whole search finds, and the first provider of a tree changes nothing`, async (t) => {
    const seed = randomInt(2 ** 31);
    t.diagnostic(`seed ${seed}`);
    const pick = chance(seed);
    const { call, placement, close } = await placementWorld(engine);
    t.after(close);
    const build = new Builder(placement.app);
    const aggregates = ['6f4d2a3c-0000-4000-8000-000000000001', '6f4d2a3c-0000-4000-8000-000000000002'];
    const traits = ['HW_CPU_X86_SSE', 'HW_CPU_X86_AVX'];
    const some = <T>(list: readonly T[]): T[] => list.filter(() => pick(2) === 1);
    for (let i = 0; i < 25; i++) {
      const id = await build.provider(`p${i}`, {
        aggregates: some(aggregates),
        traits: some(traits),
        inventories: { VCPU: { total: 1 + pick(8), step_size: 1 + pick(2) }, MEMORY_MB: 10 + pick(50) },
      });
      if (pick(3) === 0) await build.consumer(id, { MEMORY_MB: 1 + pick(10) });
    }
    const queries = [
      'resources=VCPU:2,MEMORY_MB:20',
      'resources=MEMORY_MB:15&required=HW_CPU_X86_SSE',
      'resources=VCPU:2&required=!HW_CPU_X86_SSE,HW_CPU_X86_AVX',
      `resources=VCPU:1&member_of=in:${aggregates.join()}`,
      `resources=VCPU:1&member_of=${aggregates[0]}&member_of=!${aggregates[1]}`,
    ];
    const found = async (query: string) => {
      const { body, status } = await call('GET', `/allocation_candidates?${query}`);
      assert.equal(status, 200);
      const ids = body.allocation_requests.map((request: { allocations: object }) => Object.keys(request.allocations).join());
      assert.deepEqual(Object.keys(body.provider_summaries).toSorted(), [...new Set<string>(ids)].toSorted(), 'summaries are of what was found');
      return ids.toSorted() as string[];
    };
    const whole = new Map<string, string[]>();
    for (const query of queries) {
      whole.set(query, await found(query));
      assert.deepEqual(await found(`${query}&limit=1000`), whole.get(query), query);
      const two = await found(`${query}&limit=2`);
      assert.equal(two.length, Math.min(2, whole.get(query)?.length ?? 0));
      assert.ok(two.every((id) => whole.get(query)?.includes(id)));
    }
    // from now on every search goes the long way
    await build.provider('child', { parent: await build.provider('empty root') });
    for (const query of queries) assert.deepEqual(await found(query), whole.get(query), query);
  });
}
