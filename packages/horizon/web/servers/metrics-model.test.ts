import assert from 'node:assert/strict';
import { test } from 'node:test';
import { courseOf, type Diagnostics, pointsOf, sampleOf } from './metrics-model.ts';

const facts = (cpuNs: number, rx: number, more: Partial<Diagnostics> = {}): Diagnostics => ({
  state: 'running',
  uptime: 1,
  cpu_details: [{ time: cpuNs / 2 }, { time: cpuNs / 2 }],
  nic_details: [{ rx_octets: rx, tx_octets: 0 }],
  disk_details: [
    { read_bytes: 10, write_bytes: null },
    { read_bytes: 20, write_bytes: 5 },
  ],
  memory_details: { maximum: 512, used: 100 },
  ...more,
});

test('rates are what counters grew by in the time between; a host’s unknowns count as nothing', () => {
  const [point, ...others] = pointsOf([sampleOf(facts(0, 0), 1_000), sampleOf(facts(1e9, 4_000), 3_000)]);
  assert.equal(others.length, 0);
  // one of two processors' seconds in two seconds
  assert.deepEqual(point, { atSec: 3, cpuPercent: 25, received: 2_000, sent: 0, read: 0, written: 0, memoryMib: 100 });
  assert.equal(sampleOf(facts(0, 0), 0).written, 5);
});

test('after a restart, and between two looks at the same moment, nothing is known; no more than all is used', () => {
  const restarted = pointsOf([sampleOf(facts(5e9, 9), 0), sampleOf(facts(1e9, 3), 1_000)])[0];
  assert.deepEqual([restarted?.cpuPercent, restarted?.received], [null, null]);
  assert.equal(pointsOf([sampleOf(facts(0, 0), 0), sampleOf(facts(1, 1), 0)])[0]?.cpuPercent, null);
  assert.equal(pointsOf([sampleOf(facts(0, 0), 0), sampleOf(facts(9e9, 0), 1_000)])[0]?.cpuPercent, 100);
  assert.deepEqual(pointsOf([]), []);
});

test('what the host remembers goes before what was seen, and never beside it', () => {
  const past = [1_000, 2_000, 3_000].map((atMs) => ({ atMs, cpuPercent: 7, memoryMib: 50 }));
  const seen = pointsOf([sampleOf(facts(0, 0), 1_500), sampleOf(facts(1e9, 4_000), 2_500)]);
  assert.deepEqual(
    courseOf(past, seen).map(({ atSec, cpuPercent, received }) => [atSec, cpuPercent, received]),
    [
      [1, 7, null],
      [2, 7, null],
      [2.5, 50, 4_000],
    ],
  );
  assert.equal(courseOf(past, []).length, 3);
  assert.deepEqual(courseOf([], seen), seen);
});
