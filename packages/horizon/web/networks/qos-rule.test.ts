import assert from 'node:assert/strict';
import { test } from 'node:test';
import { factsOfRule, numbersOfRule, qosRuleBody } from './qos-rule.ts';

test('a rule is told by what it says, without its ids', () => {
  assert.equal(
    factsOfRule({ id: 'r', type: 'bandwidth_limit', qos_policy_id: 'p', max_kbps: 1000, max_burst_kbps: 0, direction: 'egress' }),
    'max_kbps=1000 direction=egress',
  );
});

test('a rule has the numbers of its type, the first of which is needed', () => {
  assert.deepEqual(qosRuleBody('bandwidth_limit', 'ingress', { max_kbps: '1000', max_burst_kbps: '' }), { max_kbps: 1000, direction: 'ingress' });
  assert.deepEqual(qosRuleBody('bandwidth_limit', 'egress', { max_kbps: '1000', max_burst_kbps: '80' }), {
    max_kbps: 1000,
    max_burst_kbps: 80,
    direction: 'egress',
  });
  assert.deepEqual(qosRuleBody('dscp_marking', 'egress', { dscp_mark: '26' }), { dscp_mark: 26 });
  for (const numbers of [{}, { max_kbps: 'fast' }, { max_kbps: '1', max_burst_kbps: '-1' }])
    assert.equal(qosRuleBody('bandwidth_limit', 'egress', numbers), undefined);
});

test('a rule begins its form with its own numbers, and unchanged says the same', () => {
  const rule = { id: 'r', qos_policy_id: 'p', type: 'bandwidth_limit', max_kbps: 1000, max_burst_kbps: 0, direction: 'ingress' } as const;
  assert.deepEqual(numbersOfRule(rule), { max_kbps: '1000', max_burst_kbps: '0' });
  assert.deepEqual(qosRuleBody('bandwidth_limit', 'ingress', numbersOfRule(rule)), { max_kbps: 1000, max_burst_kbps: 0, direction: 'ingress' });
  assert.deepEqual(numbersOfRule({ id: 'r', type: 'dscp_marking', dscp_mark: 10, qos_policy_id: 'p' }), { dscp_mark: '10' });
});
