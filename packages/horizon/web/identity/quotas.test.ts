import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changedLimits, limitOf, quotaPath } from './quotas.ts';

test('a limit is a whole number from -1', () => {
  assert.deepEqual(['0', '-1', ' 12 ', '-2', '1.5', '', 'x', '4294967296'].map(limitOf), [0, -1, 12, undefined, undefined, undefined, undefined, undefined]);
});

test('only what was changed is sent, and nothing while something is no limit', () => {
  const now = { cores: 20, ram: 100 };
  assert.deepEqual(changedLimits(['cores', 'ram', 'none'], now, { cores: '21', ram: '100', none: '1' }), { cores: 21 });
  assert.deepEqual(changedLimits(['cores'], now, {}), {});
  assert.equal(changedLimits(['cores', 'ram'], now, { cores: '21', ram: 'many' }), undefined);
});

test('a project’s id is one part of the path', () => assert.equal(quotaPath('network', 'a/b'), '/v2.0/quotas/a%2Fb'));
