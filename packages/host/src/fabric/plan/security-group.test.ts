import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SecurityGroupRuleSpec } from '../../interface/fabric.ts';
import { Objects } from '../objects.ts';
import { group, network, port, put, rule } from '../testing/objects.ts';
import { groupRules, memberAddresses, policyOf, protocolNumber } from './security-group.ts';

const match = (more: Partial<SecurityGroupRuleSpec>, stateful = true, direction: 'ingress' | 'egress' = 'ingress'): string =>
  (groupRules(group('g', [rule(direction, more)], { stateful }), direction, stateful)[0] ?? '').replace(/ meta mark set .*$/, '').replace(/ accept$/, '');

test('each kind of rule has its match, by connection and by packet', () => {
  const cases: readonly (readonly [Partial<SecurityGroupRuleSpec>, string, string])[] = [
    [{}, 'meta nfproto ipv4', 'meta nfproto ipv4'],
    [{ protocol: 'any' }, 'meta nfproto ipv4', 'meta nfproto ipv4'],
    [{ ethertype: 'IPv6', protocol: 'tcp' }, 'meta nfproto ipv6 meta l4proto 6', 'meta nfproto ipv6 meta l4proto 6'],
    [
      { protocol: 'tcp', portMin: 22, portMax: 22 },
      'meta nfproto ipv4 meta l4proto 6 ct original proto-dst 22',
      'meta nfproto ipv4 meta l4proto 6 th dport 22',
    ],
    [
      { protocol: '17', portMin: 1, portMax: 65535 },
      'meta nfproto ipv4 meta l4proto 17 ct original proto-dst 1-65535',
      'meta nfproto ipv4 meta l4proto 17 th dport 1-65535',
    ],
    [
      { protocol: 'icmp', portMin: 8 },
      'meta nfproto ipv4 meta l4proto 1 ct original proto-dst 2048-2303',
      'meta nfproto ipv4 meta l4proto 1 th sport 2048-2303',
    ],
    [
      { protocol: 'icmp', portMin: 8, portMax: 0 },
      'meta nfproto ipv4 meta l4proto 1 ct original proto-dst 2048',
      'meta nfproto ipv4 meta l4proto 1 th sport 2048',
    ],
    [
      { ethertype: 'IPv6', protocol: 'icmp', portMin: 128 },
      'meta nfproto ipv6 meta l4proto 58 ct original proto-dst 32768-33023',
      'meta nfproto ipv6 meta l4proto 58 th sport 32768-33023',
    ],
    [{ protocol: 'vrrp', portMin: 1, portMax: 2 }, 'meta nfproto ipv4 meta l4proto 112', 'meta nfproto ipv4 meta l4proto 112'],
    [{ remoteCidr: '10.0.0.7/8' }, 'meta nfproto ipv4 ct original ip saddr 10.0.0.0/8', 'meta nfproto ipv4 ip saddr 10.0.0.0/8'],
    [
      { remoteAddresses: { groupId: 'list-1', cidrs: ['10.0.0.0/8'] } },
      'meta nfproto ipv4 ct original ip saddr @a4_list_1',
      'meta nfproto ipv4 ip saddr @a4_list_1',
    ],
    [{ remoteCidr: '0.0.0.0/0' }, 'meta nfproto ipv4', 'meta nfproto ipv4'],
    [
      { ethertype: 'IPv6', remoteGroupId: 'other-group' },
      'meta nfproto ipv6 ct original ip6 saddr @g6_other_group',
      'meta nfproto ipv6 ip6 saddr @g6_other_group',
    ],
  ];
  for (const [spec, byConnection, byPacket] of cases) {
    assert.equal(match(spec), byConnection);
    assert.equal(match(spec, false), byPacket);
  }
  assert.equal(match({ remoteGroupId: 'x' }, true, 'egress'), 'meta nfproto ipv4 ct original ip daddr @g4_x');
});

test("a group's rules are sorted and said once", () => {
  const a = rule('ingress', { id: 'a', protocol: 'udp' });
  const b = rule('ingress', { id: 'b', protocol: 'tcp' });
  const rules = groupRules(group('g', [a, b, { ...a, id: 'c' }, rule('egress')]), 'ingress', true);
  assert.deepEqual(rules, ['meta nfproto ipv4 meta l4proto { 6, 17 } meta mark set meta mark or 0x80000000 return']);
  assert.deepEqual(rules, groupRules(group('g', [b, a]), 'ingress', true));
});

test('a thousand ports are one look-up; what cannot be read lets nothing in', () => {
  const ports = (more: Partial<SecurityGroupRuleSpec>, stateful: boolean) =>
    groupRules(
      group(
        'g',
        Array.from({ length: 1000 }, (_, i) => rule('ingress', { protocol: 'tcp', portMin: 2 * i + 1, portMax: 2 * i + 1, ...more })),
      ),
      'ingress',
      stateful,
    );
  assert.match(ports({}, true).join(';'), /^meta nfproto ipv4 meta l4proto 6 ct original proto-dst \{ 1, 3, 5, [^;]* 1999 \} [^;]*$/);
  assert.match(ports({ remoteCidr: '10.0.0.0/8' }, false).join(';'), /^meta nfproto ipv4 meta l4proto 6 th dport \. ip saddr \{ 1 \. 10\.0\.0\.0\/8, [^;]*$/);
  assert.match(ports({ remoteGroupId: 'x' }, false).join(';'), /^meta nfproto ipv4 meta l4proto 6 th dport \{ 1, [^;]*\} ip saddr @g4_x accept$/);
  assert.equal(match({ protocol: 'nonsense' }), '');
  assert.equal(match({ remoteCidr: '10.0.0.0/33' }), '');
});

test('protocols by name and number', () => {
  assert.equal(protocolNumber('TCP', 'IPv4'), 6);
  assert.equal(protocolNumber('icmp', 'IPv6'), 58);
  assert.equal(protocolNumber('icmpv6', 'IPv6'), 58);
  assert.equal(protocolNumber('255', 'IPv4'), 255);
  for (const text of ['256', '-1', 'nope', '', '6 accept', 'constructor', '0x6']) assert.equal(protocolNumber(text, 'IPv4'), undefined, text);
});

test('members are fixed addresses and allowed pairs of all ports, here or elsewhere, without overlap', () => {
  const objects = new Objects();
  objects.change([
    put(network('n', [])),
    put(
      port(
        'p1',
        'n',
        1,
        [
          ['s', '10.0.0.5'],
          ['t', 'fd00::5'],
        ],
        { securityGroups: ['g'] },
      ),
    ),
    put(
      port('p2', 'n', 2, [['s', '10.0.0.6']], {
        securityGroups: ['g'],
        attachment: { kind: 'none' },
        allowedAddressPairs: [
          { mac: 'fa:16:3e:00:00:02', cidr: '10.0.0.4/31' },
          { mac: 'fa:16:3e:00:00:02', cidr: '10.0.0.5/32' },
        ],
      }),
    ),
    put(port('p3', 'n', 3, [['s', '10.0.0.7']], { securityGroups: ['h'] })),
  ]);
  const { IPv4, IPv6 } = memberAddresses(objects, 'g');
  assert.deepEqual([...IPv4.keys()].toSorted(), ['10.0.0.4/31', '10.0.0.6']);
  assert.deepEqual([...IPv6.keys()], ['fd00::5']);
});

test('ports with the same groups share a policy, whatever the order', () => {
  const objects = new Objects();
  objects.change([put(group('a', [])), put(group('b', [], { stateful: false })), put(group('c', [], { stateful: false }))]);
  assert.deepEqual(policyOf(objects, ['b', 'a', 'b']), policyOf(objects, ['a', 'b']));
  assert.notEqual(policyOf(objects, ['a']).name, policyOf(objects, ['a', 'b']).name);
  assert.equal(policyOf(objects, ['a', 'b']).stateful, true);
  assert.equal(policyOf(objects, ['b', 'c']).stateful, false);
  assert.equal(policyOf(objects, []).stateful, true);
});
