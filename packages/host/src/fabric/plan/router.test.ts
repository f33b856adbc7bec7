import assert from 'node:assert/strict';
import { test } from 'node:test';
import { namesOf } from '../names.ts';
import { Objects } from '../objects.ts';
import { diffRules } from '../ruleset/diff.ts';
import { macOf, network, put, router } from '../testing/objects.ts';
import { planRouter } from './router.ts';

const objects = new Objects();
objects.change([put(network('public-net', [], { mtu: 1500 })), put(network('red-network', []))]);
const names = namesOf('test');
const gateway = {
  networkId: 'public-net',
  mac: macOf(20),
  addresses: [
    { ip: '172.24.4.10', prefixLength: 24, nexthop: '172.24.4.1' },
    { ip: '2001:DB8::10', prefixLength: 64, nexthop: '2001:db8::1' },
  ],
  snat: true,
};
const interfaces = [{ portId: '11111111-2222-3333', networkId: 'red-network', mac: macOf(21), addresses: [{ ip: '10.1.0.1', prefixLength: 24 }] }];
const floatingIps = [
  { id: 'f2', floatingIp: '172.24.4.51', fixedIp: '10.1.0.11' },
  { id: 'f1', floatingIp: '172.24.4.50', fixedIp: '10.1.0.11' },
];
const base = router('router-one-of-many', {
  gateway,
  interfaces,
  floatingIps,
  routes: [
    { destination: '192.168.0.0/16', nexthop: '10.1.0.9' },
    { destination: '203.0.113.0/24', nexthop: '10.9.9.9' },
  ],
});

const script = (spec: typeof base): string[] =>
  diffRules(new Map(), planRouter(objects, spec, names)?.rules ?? new Map())
    .split('\n')
    .map((line) => line.replace(/ comment ".*"$/, ''));

test('the links, addresses and routes of a router', () => {
  const plan = planRouter(objects, base, names);
  assert.equal(plan?.name, 'cairn-test-qrouter-router-one-of-many');
  assert.deepEqual(plan && [...plan.links], [
    ['qr-11111111-22', { mac: macOf(21), mtu: 1450, bridge: 'brqred-network', addresses: ['10.1.0.1/24'] }],
    [
      'qg-router-one-',
      { mac: macOf(20), mtu: 1500, bridge: 'brqpublic-net', addresses: ['172.24.4.10/24', '2001:db8::10/64', '172.24.4.50/32', '172.24.4.51/32'] },
    ],
  ]);
  assert.deepEqual(plan && [...plan.routes], [
    ['0.0.0.0/0', 'via 172.24.4.1 dev qg-router-one-'],
    ['::/0', 'via 2001:db8::1 dev qg-router-one-'],
    ['192.168.0.0/16', 'via 10.1.0.9 dev qr-11111111-22'],
  ]);
  assert.deepEqual(plan?.loopback, ['169.254.169.254/32']);
});

test("a gateway outside of its subnet is on the link; a default route of the user's wins", () => {
  const far = planRouter(objects, { ...base, gateway: { ...gateway, addresses: [{ ip: '172.24.4.10', prefixLength: 32, nexthop: '172.24.4.1' }] } }, names);
  assert.equal(far?.routes.get('0.0.0.0/0'), 'via 172.24.4.1 dev qg-router-one- onlink');
  const own = planRouter(objects, { ...base, routes: [{ destination: '0.0.0.0/0', nexthop: '10.1.0.254' }] }, names);
  assert.equal(own?.routes.get('0.0.0.0/0'), 'via 10.1.0.254 dev qr-11111111-22');
});

test('the address translation of a router', () => {
  const lines = script(base);
  for (const line of [
    'add element ip cairn floating_to_fixed { 172.24.4.50 : 10.1.0.11, 172.24.4.51 : 10.1.0.11 }',
    'add element ip cairn fixed_to_floating { 10.1.0.11 : 172.24.4.50 }',
    'add rule ip cairn mangle iifname "qg-router-one-" meta mark set 0x1',
    'add rule ip cairn prerouting dnat to ip daddr map @floating_to_fixed',
    'add rule ip cairn forward iifname "qg-router-one-" ct state new ct status & dnat == 0 drop',
    'add rule ip cairn input ip daddr 169.254.169.254 fib saddr . iif oif missing drop',
    'add rule ip cairn input iifname "qg-router-one-" ct state invalid drop',
    'add rule ip6 cairn input udp dport 547 drop',
  ]) {
    assert.ok(lines.includes(line), line);
  }
  assert.deepEqual(
    lines.filter((line) => line.includes(' postrouting ') && line.startsWith('add rule')),
    [
      'add rule ip cairn postrouting oifname "qg-router-one-" snat to ip saddr map @fixed_to_floating',
      'add rule ip cairn postrouting oifname "qg-router-one-" snat to 172.24.4.10',
      'add rule ip cairn postrouting ct status dnat meta mark != 0x1 snat to ip saddr map @fixed_to_floating',
      'add rule ip cairn postrouting ct status dnat meta mark != 0x1 snat to 172.24.4.10',
    ],
  );
});

test('without source NAT a router hides nobody and keeps nobody out; without a gateway it translates nothing', () => {
  const open = script({ ...base, gateway: { ...gateway, snat: false } });
  assert.ok(!open.some((line) => line.startsWith('add rule ip cairn forward')));
  assert.ok(!open.includes('add rule ip cairn postrouting oifname "qg-router-one-" snat to 172.24.4.10'));
  const inner = script(router('router-one-of-many', { interfaces, floatingIps }));
  assert.ok(!inner.some((line) => /snat|add element/.test(line)));
});

test('a router that is switched off is not there; networks that are not known are left out', () => {
  assert.equal(planRouter(objects, { ...base, adminUp: false }, names), undefined);
  const plan = planRouter(objects, { ...base, gateway: { ...gateway, networkId: 'unknown' } }, names);
  assert.deepEqual(plan && [...plan.links.keys()], ['qr-11111111-22']);
  assert.deepEqual(plan && [...plan.routes.keys()], ['192.168.0.0/16']);
});
