import assert from 'node:assert/strict';
import { test } from 'node:test';
import { factsOfRule } from './qos-rule.ts';

test('a rule is told by what it says, without its ids', () => {
  assert.equal(
    factsOfRule({ id: 'r', type: 'bandwidth_limit', qos_policy_id: 'p', max_kbps: 1000, max_burst_kbps: 0, direction: 'egress' }),
    'max_kbps=1000 direction=egress',
  );
});
