import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Lru } from './lru.ts';

test('it stays within its size and keeps what is used', () => {
  const lru = new Lru<number, number>(100);
  lru.set(-1, 1);
  for (let i = 0; i < 10_000; i++) {
    lru.set(i, i);
    assert.equal(lru.get(-1), 1);
    assert.ok(lru.size <= 100);
  }
  assert.equal(lru.get(9_999), 9_999);
  assert.equal(lru.get(0), undefined);
});

test('what is deleted is gone from both generations', () => {
  const lru = new Lru<string, number>(4);
  for (const key of ['a', 'b', 'c']) lru.set(key, 1);
  lru.get('a');
  lru.delete('a');
  assert.equal(lru.get('a'), undefined);
  lru.set('b', 2);
  assert.equal(lru.get('b'), 2);
  lru.clear();
  assert.equal(lru.get('b'), undefined);
});
