import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Generations, Numbers } from './memory.ts';

test('numbers are the same in every run, never shared, and free again', () => {
  const a = new Numbers(1, 10);
  const b = new Numbers(1, 10);
  const keys = Array.from({ length: 10 }, (_, i) => `key ${i}`);
  const given = keys.map((key) => a.of(key));
  assert.deepEqual(
    keys.map((key) => b.of(key)),
    given,
  );
  assert.equal(new Set(given).size, 10);
  assert.throws(() => a.of('one too many'));
  a.keepOnly((key) => key !== 'key 3');
  assert.equal(a.of('one too many'), given[3]);
  assert.equal(a.of('key 4'), given[4]);
});

test("a generation changes with what is judged by, or on demand, and is nobody else's", () => {
  const generations = new Generations();
  const first = generations.of('p_in', 'abc', false);
  assert.equal(generations.of('p_in', 'abc', false), first);
  const second = generations.of('p_in', 'def', false);
  assert.notEqual(second, first);
  const third = generations.of('p_in', 'def', true);
  assert.notEqual(third, second);
  const values = new Set<number>();
  for (let i = 0; i < 5000; i++) values.add(generations.of(`chain ${i}`, 'same', false));
  assert.equal(values.size, 5000);
  assert.ok(!values.has(0) && !values.has(third) && Math.max(...values) <= 0xffff);
});
