import assert from 'node:assert/strict';
import { test } from 'node:test';
import { metadataOf, tagsOf } from './values.ts';

test('metadata need a key each, and each key once; empty rows do not count', () => {
  const rows = (...pairs: readonly (readonly [string, string])[]) => metadataOf(pairs.map(([key, value]) => ({ key, value })));
  assert.deepEqual(rows(['a ', '1'], ['b', ''], ['', '']), { a: '1', b: '' });
  assert.equal(rows(['a', '1'], ['a', '2']), undefined);
  assert.equal(rows(['', '2']), undefined);
  assert.deepEqual(rows(), {});
});

test('tags are what stands between commas', () => {
  assert.deepEqual(tagsOf(' web, db ,, web'), ['web', 'db']);
  assert.deepEqual(tagsOf(' '), []);
});
