import assert from 'node:assert/strict';
import { test } from 'node:test';
import { portsIn, portsText, type RuleForm, ruleBody } from './rule.ts';

test('ports are one, a range, or all; anything else is none', () => {
  assert.deepEqual(portsIn('22'), [22, 22]);
  assert.deepEqual(portsIn(' 8000 - 8010 '), [8000, 8010]);
  assert.deepEqual(portsIn('1:65535'), [1, 65_535]);
  assert.equal(portsIn(''), null);
  for (const text of ['0', '65536', '10-9', 'ssh', '1-2-3', '-1', '1.5']) assert.equal(portsIn(text), undefined, text);
});

const FORM: RuleForm = { direction: 'ingress', ethertype: 'IPv4', protocol: 'tcp', ports: '22', remote: ' 10.0.0.0/8 ' };

test('a rule has what was said and nothing else', () => {
  const rule = (form: Partial<RuleForm>) => ruleBody('g', { ...FORM, ...form })?.security_group_rule;
  const common = { security_group_id: 'g', direction: 'ingress', ethertype: 'IPv4' };
  assert.deepEqual(rule({}), { ...common, protocol: 'tcp', port_range_min: 22, port_range_max: 22, remote_ip_prefix: '10.0.0.0/8' });
  assert.deepEqual(rule({ protocol: '', remote: '' }), common);
  assert.deepEqual(rule({ protocol: 'icmp', ethertype: 'IPv6', remote: '' }), { ...common, ethertype: 'IPv6', protocol: 'ipv6-icmp' });
  assert.equal(rule({ ports: 'x' }), undefined);
});

test('ports read as people write them', () => {
  assert.equal(portsText({ port_range_min: 22, port_range_max: 22 }), '22');
  assert.equal(portsText({ port_range_min: 1, port_range_max: 9 }), '1-9');
  assert.equal(portsText({ port_range_min: null, port_range_max: null }), undefined);
});
