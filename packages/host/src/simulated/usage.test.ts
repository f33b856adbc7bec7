import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { VirtualClock } from '@cairn/kit/clock/virtual';
import { USAGE_EVERY_MS, USAGE_KEPT_MS } from '../interface/guests.ts';
import { SimulatedAgent } from './agent.ts';

const spec = (guestId: string, vcpus: number) => ({ guestId, name: 'g', vcpus, memoryMb: 64, firmware: 'bios', disks: [], nics: [] }) as const;

test('simulated guests are said to use some of their processors, the same whenever it is asked, and never less than before', async () => {
  const clock = new VirtualClock();
  const { guests } = new SimulatedAgent('h', { clock });
  const ids = Array.from({ length: 20 }, () => randomUUID());
  for (const id of ids) await guests.start(spec(id, 4));
  await clock.advance(2 * USAGE_KEPT_MS + 1);
  const usages = await guests.usage({ sinceMs: 0 });
  assert.equal(usages.length, ids.length);
  const loads = new Set<number>();
  for (const { guestId, vcpus, samples } of usages) {
    assert.equal(vcpus, 4);
    assert.equal(samples.length, USAGE_KEPT_MS / USAGE_EVERY_MS);
    samples.slice(1).forEach((now, index) => {
      const share = (now.cpuTimeNs - (samples[index]?.cpuTimeNs ?? 0)) / 1e6 / USAGE_EVERY_MS / vcpus;
      assert.ok(share > 0 && share < 0.7, `${guestId}: ${share}`);
      loads.add(share);
    });
    const [again] = await guests.usage({ guestIds: [guestId, 'nobody'], sinceMs: samples.at(-2)?.atMs ?? 0 });
    assert.deepEqual(again?.samples, samples.slice(-2));
    const { cpuTimeNs } = await guests.diagnostics(guestId);
    assert.ok(cpuTimeNs >= (samples.at(-1)?.cpuTimeNs ?? 0), 'diagnostics tell the same');
  }
  assert.ok(loads.size > 1_000, 'they differ');
  await guests.shutDown(ids[0] as string, 0);
  assert.deepEqual((await guests.usage({ guestIds: [ids[0] as string], sinceMs: 0 }))[0]?.samples, []);
});
