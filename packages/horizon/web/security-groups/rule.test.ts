import assert from 'node:assert/strict';
import { test } from 'node:test';
import { faultOf, formOfLink, NEW_RULE, portsIn, portsText, type RuleForm, ruleBody, TEMPLATES, templateOf } from './rule.ts';

test('ports are one, a range, or all; anything else is none', () => {
  assert.deepEqual(portsIn('22'), [22, 22]);
  assert.deepEqual(portsIn(' 8000 - 8010 '), [8000, 8010]);
  assert.deepEqual(portsIn('1:65535'), [1, 65_535]);
  assert.equal(portsIn(''), null);
  for (const text of ['0', '65536', '10-9', 'ssh', '1-2-3', '-1', '1.5']) assert.equal(portsIn(text), undefined, text);
});

const FORM: RuleForm = { ...NEW_RULE, prefix: ' 10.0.0.0/8 ' };
const common = { security_group_id: 'g', direction: 'ingress', ethertype: 'IPv4' };
const rule = (form: Partial<RuleForm>) => ruleBody('g', { ...FORM, ...form })?.security_group_rule;

test('a rule has what was said and nothing else', () => {
  assert.deepEqual(rule({}), { ...common, protocol: 'tcp', port_range_min: 22, port_range_max: 22, remote_ip_prefix: '10.0.0.0/8' });
  assert.deepEqual(rule({ protocol: '', prefix: '' }), common);
  assert.deepEqual(rule({ protocol: 'icmp', ethertype: 'IPv6', prefix: '' }), { ...common, ethertype: 'IPv6', protocol: 'ipv6-icmp' });
  assert.equal(rule({ ports: 'x' }), undefined);
});

test('ICMP has a type and a code, another protocol its name or number', () => {
  assert.deepEqual(rule({ protocol: 'icmp', icmpType: '8', icmpCode: '0', prefix: '' }), { ...common, protocol: 'icmp', port_range_min: 8, port_range_max: 0 });
  assert.deepEqual(rule({ protocol: 'icmp', icmpType: '8', prefix: '' }), { ...common, protocol: 'icmp', port_range_min: 8 });
  for (const form of [{ icmpType: '256' }, { icmpCode: '0' }, { icmpType: 'echo' }]) assert.equal(faultOf({ ...FORM, protocol: 'icmp', ...form }), 'numbers');
  assert.deepEqual(rule({ protocol: 'other', named: ' 47 ', prefix: '' }), { ...common, protocol: '47' });
  assert.equal(faultOf({ ...FORM, protocol: 'other', named: '' }), 'named');
});

test('the other side is a network, a group or addresses', () => {
  const ssh = { ...common, protocol: 'tcp', port_range_min: 22, port_range_max: 22 };
  assert.deepEqual(rule({ remote: 'group', groupId: 'o', description: 'from o' }), { ...ssh, remote_group_id: 'o', description: 'from o' });
  assert.deepEqual(rule({ remote: 'addresses', addressGroupId: 'a' }), { ...ssh, remote_address_group_id: 'a' });
  assert.equal(faultOf({ ...FORM, remote: 'group' }), 'remote');
  assert.equal(faultOf({ ...FORM, remote: 'addresses' }), 'remote');
});

test('every template makes a rule, and is known again', () => {
  for (const [name, template] of Object.entries(TEMPLATES)) {
    const form = { ...NEW_RULE, ...template };
    assert.notEqual(ruleBody('g', form), undefined, name);
    assert.equal(templateOf(form), name);
  }
  assert.equal(templateOf({ ...NEW_RULE, ports: '4711' }), undefined);
});

test('ports read as people write them', () => {
  const text = (protocol: string | null, port_range_min: number | null, port_range_max: number | null) =>
    portsText({ protocol, port_range_min, port_range_max });
  assert.equal(text('tcp', 22, 22), '22');
  assert.equal(text('tcp', 1, 9), '1-9');
  assert.equal(text('tcp', null, null), undefined);
  assert.equal(text('icmp', 8, 0), '8/0');
  assert.equal(text('ipv6-icmp', 128, null), '128');
});

test('a link fills in a rule', () => {
  assert.deepEqual(formOfLink('ingress,IPv4,tcp,80,10.0.0.5'), { ...NEW_RULE, ports: '80', prefix: '10.0.0.5' });
  assert.deepEqual(formOfLink('egress,IPv6,47'), { ...NEW_RULE, direction: 'egress', ethertype: 'IPv6', protocol: 'other', named: '47', ports: '' });
  for (const text of [undefined, '', 'in,IPv4,tcp', 'ingress,IPv5,tcp']) assert.equal(formOfLink(text), undefined);
});
