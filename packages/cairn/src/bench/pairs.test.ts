import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ratioOf } from './pairs.ts';

test('the median of ratios, and where it lies', () => {
  const a = Array.from({ length: 101 }, (_, i) => 100 + i);
  const ratio = ratioOf(
    a,
    a.map(() => 100),
  );
  assert.equal(ratio.median, 1.5);
  // 0.98 * sqrt(101) is 9.85 ranks to each side of the 51st
  assert.deepEqual([ratio.low, ratio.high], [1.4, 1.6]);
});

test('what disturbs single pairs changes nothing, and what slows both neither', () => {
  const base = Array.from({ length: 40 }, (_, i) => (i % 7 === 0 ? 50 : 1) * (1 + (i % 5) / 10));
  const { median, low, high } = ratioOf(
    base.map((value, i) => (i % 10 === 3 ? value * 9 : value * 1.02)),
    base,
  );
  for (const value of [median, low, high]) assert.ok(Math.abs(value - 1.02) < 1e-9, String(value));
});

test('of few pairs the bounds are the least and the greatest', () => {
  assert.deepEqual(ratioOf([1, 2, 3], [1, 1, 1]), { median: 2, low: 1, high: 3 });
  assert.deepEqual(ratioOf([1, 2], [1, 1]), { median: 1.5, low: 1, high: 2 });
});
