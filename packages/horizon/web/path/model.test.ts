import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formOfLink, ruleBody } from '../security-groups/rule.ts';
import { type Hop, legsOf, type Path, pathRequest, readSearch, ruleOfRemedy, rulesNamed, waysIn } from './model.ts';

const PORTS = [
  { id: 'p1', device_id: 'vm1', fixed_ips: [{ ip_address: '10.0.0.5' }] },
  { id: 'p2', device_id: 'vm2', fixed_ips: [{ ip_address: '10.0.0.6' }] },
];
const WAYS = waysIn([{ id: 'f1', floating_ip_address: '172.24.4.9' }], [{ id: 'n1', ip_address: '2001:db8::5' }]);
const ask = (search: Parameters<typeof pathRequest>[0]) => pathRequest(search, PORTS, WAYS);

test('a question becomes a call: of a port or a server, to either, to an address, or from outside to a floating IP or an NDP proxy', () => {
  assert.equal(ask({ from: 'p1', to: 'p2' }), '/v2.0/ports/p1/path?destination=p2&protocol=icmp');
  assert.equal(ask({ from: 'vm1', to: 'vm2', protocol: 'tcp', port: '80' }), '/v2.0/ports/p1/path?destination=p2&protocol=tcp&destination_port=80');
  assert.equal(ask({ from: 'p1', to: 'f1' }), '/v2.0/ports/p1/path?destination=172.24.4.9&protocol=icmp');
  assert.equal(ask({ from: 'p1', to: '9.9.9.9', source: '10.0.0.7' }), '/v2.0/ports/p1/path?destination=9.9.9.9&protocol=icmp&source_ip=10.0.0.7');
  assert.equal(ask({ from: 'outside', to: '172.24.4.9', protocol: 'udp', port: '53' }), '/v2.0/floatingips/f1/path?protocol=udp&destination_port=53');
  assert.equal(ask({ from: 'outside', to: 'n1', source: '2001:db8:f::1' }), '/v2.0/ndp-proxies/n1/path?protocol=icmp&source_ip=2001%3Adb8%3Af%3A%3A1');
  assert.equal(ask({ from: 'outside', to: '2001:db8::5' }), '/v2.0/ndp-proxies/n1/path?protocol=icmp');
  assert.equal(ask({ from: 'p1', to: 'n1' }), '/v2.0/ports/p1/path?destination=2001%3Adb8%3A%3A5&protocol=icmp');
  for (const search of [{}, { from: 'p1' }, { from: 'p1', to: 'p2', protocol: 'tcp' }, { from: 'nobody', to: 'p2' }, { from: 'outside', to: '10.0.0.5' }])
    assert.equal(ask(search), undefined, JSON.stringify(search));
});

test('the address of the page is read as it comes, numbers too', () => {
  assert.deepEqual(readSearch({ from: 'p1', to: '', port: 80, protocol: 'tcp', other: 'x', source: null }), { from: 'p1', protocol: 'tcp', port: '80' });
});

const hop = (values: Partial<Hop>): Hop => ({
  leg: 'request',
  kind: 'network',
  object: null,
  host: null,
  verdict: 'pass',
  reason: '',
  reason_code: 'to_port',
  remedy: null,
  security_groups: [],
  rule: null,
  packet: null,
  ...values,
});
const packet = (source_ip: string, destination_ip: string, destination_port: number | null = 80) => ({
  source_ip,
  destination_ip,
  source_port: destination_port && 49_152,
  destination_port,
});

test('stations stand by packet and answer, and tell where the packet became another', () => {
  const path: Path = {
    verdict: 'pass',
    summary: '',
    summary_code: 'there_and_back',
    remedy: null,
    arrived_at_port_id: null,
    mtu: 1442,
    dhcp: [],
    packet: packet('172.24.4.1', '172.24.4.9'),
    hops: [
      hop({ packet: packet('172.24.4.1', '172.24.4.9') }),
      hop({ kind: 'nat', verdict: 'nat', packet: packet('172.24.4.1', '10.0.0.5') }),
      hop({ kind: 'other_side' }),
      hop({ leg: 'answer', packet: packet('fd00::5', 'fd00::1', null) }),
    ],
  };
  assert.deepEqual(
    legsOf(path).map(({ leg, packet: first, stations }) => [leg, first, stations.map(({ becomes }) => becomes)]),
    [
      ['request', '172.24.4.1:49152 → 172.24.4.9:80', [undefined, '172.24.4.1:49152 → 10.0.0.5:80', undefined]],
      ['answer', 'fd00::5 → fd00::1', [undefined]],
    ],
  );
});

test('rules are found by what decided and by what the reason names', () => {
  const near = '76d1a482-43c0-4408-8a30-103b69ff4308';
  const groups = [
    { id: 'g1', name: 'web', security_group_rules: [{ id: near }] },
    { id: 'g2', name: 'db', security_group_rules: [{ id: 'r2' }] },
  ];
  const named = rulesNamed(hop({ reason: `Nearest is rule ${near}, but`, rule: { id: 'r2' } }), groups);
  assert.deepEqual(named, [
    { ruleId: 'r2', groupId: 'g2', groupName: 'db' },
    { ruleId: near, groupId: 'g1', groupName: 'web' },
  ]);
  assert.deepEqual(rulesNamed(hop({ reason: 'It is.' }), groups), []);
});

test('a remedy that names a rule becomes a link to the form that makes it', () => {
  const group = '76d97099-cedf-4e68-bc04-58d08d2f000b';
  const command = 'Allow it: openstack security group rule create --ingress';
  const of = (text: string) => {
    const found = ruleOfRemedy(`${command} ${text} ${group}`);
    assert.equal(found?.groupId, group);
    const form = formOfLink(found?.add);
    return form && ruleBody('g', form)?.security_group_rule;
  };
  const common = { security_group_id: 'g', direction: 'ingress' };
  assert.deepEqual(of('--protocol tcp --dst-port 80 --remote-ip 172.24.4.1'), {
    ...common,
    ethertype: 'IPv4',
    protocol: 'tcp',
    port_range_min: 80,
    port_range_max: 80,
    remote_ip_prefix: '172.24.4.1',
  });
  assert.deepEqual(of('--ethertype IPv6 --protocol icmp --remote-ip fd00::1'), {
    ...common,
    ethertype: 'IPv6',
    protocol: 'ipv6-icmp',
    remote_ip_prefix: 'fd00::1',
  });
  assert.equal(ruleOfRemedy('Ask the owner of the destination.'), undefined);
  assert.equal(ruleOfRemedy(null), undefined);
});
