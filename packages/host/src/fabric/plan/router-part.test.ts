import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PortSpec } from '../../interface/fabric.ts';
import { namesOf } from '../names.ts';
import { Objects } from '../objects.ts';
import { macOf, network, port, put, router, subnet } from '../testing/objects.ts';
import { planRouter } from './router.ts';
import { builtOf, neighboursOf, partRules } from './router-part.ts';

const HERE = { red: 'f2:00:00:00:00:21', blue: 'f2:00:00:00:00:22' };
const WHOLE = { red: macOf(21), blue: macOf(22) };
const part = router('d-router', {
  isPart: true,
  gateway: { networkId: 'public-net', mac: 'f2:00:00:00:00:20', addresses: [], snat: false, onLink: [{ cidr: '172.24.4.0/24', nexthop: '172.24.4.1' }] },
  interfaces: [
    { portId: 'r-red', networkId: 'red-net', mac: HERE.red, sharedMac: WHOLE.red, addresses: [{ ip: '10.1.0.1', prefixLength: 24 }] },
    {
      portId: 'r-blue',
      networkId: 'blue-net',
      mac: HERE.blue,
      sharedMac: WHOLE.blue,
      addresses: [
        { ip: '10.2.0.1', prefixLength: 24 },
        { ip: '2001:db8:2::1', prefixLength: 64 },
      ],
    },
  ],
  routes: [
    { destination: '192.0.2.0/24', nexthop: '10.2.0.50' },
    { destination: '198.51.100.0/24', nexthop: '10.1.0.11' },
    { destination: '203.0.113.0/24', nexthop: '172.24.4.9' },
  ],
  floatingIps: [{ id: 'f1', floatingIp: '172.24.4.52', fixedIp: '10.1.0.11' }],
});

function objectsWith(...ports: readonly ({ readonly kind: 'port' } & PortSpec)[]): Objects {
  const objects = new Objects();
  objects.change([
    put(network('public-net', [], { mtu: 1500 })),
    put(network('red-net', [subnet('red-sub', '10.1.0.0/24')])),
    put(network('blue-net', [subnet('blue-sub', '10.2.0.0/24')])),
    ...[...base, ...ports].map(put),
    put(part),
  ]);
  return objects;
}

const none = { attachment: { kind: 'none' } } as const;
const base = [
  port('1-red', 'red-net', 1, [['red-sub', '10.1.0.11']]),
  port(
    '2-blue',
    'blue-net',
    2,
    [
      ['blue-sub', '10.2.0.12'],
      ['blue-six', '2001:DB8:2::12'],
    ],
    none,
  ),
  port('r-red', 'red-net', 21, [['red-sub', '10.1.0.1']], none),
];
const names = namesOf('test');

test('a part knows the ports of its networks, wherever they are, and takes unknown next hops to the whole router', () => {
  assert.deepEqual(Object.fromEntries(neighboursOf(objectsWith(), part)), {
    '10.1.0.11 dev qr-r-red': macOf(1),
    '10.2.0.12 dev qr-r-blue': macOf(2),
    '2001:db8:2::12 dev qr-r-blue': macOf(2),
    '10.2.0.50 dev qr-r-blue': WHOLE.blue,
  });
});

test('it does not know who has an address that several may have, or nobody yet', () => {
  const objects = objectsWith(
    port('3-pair', 'red-net', 3, [['red-sub', '10.1.0.13']], {
      ...none,
      allowedAddressPairs: [
        { mac: macOf(3), cidr: '10.1.0.11/32' },
        { mac: macOf(3), cidr: '0.0.0.0/0' },
      ],
    }),
    port('4-vip', 'red-net', 4, [['red-sub', '10.1.0.14']], { ...none, isUnbound: true }),
  );
  assert.deepEqual(
    [...neighboursOf(objects, part).keys()].filter((key) => key.endsWith('qr-r-red')),
    ['10.1.0.13 dev qr-r-red', '10.1.0.11 dev qr-r-red'],
  );
  // as a next hop it is the whole router's to find
  assert.equal(neighboursOf(objects, part).get('10.1.0.11 dev qr-r-red'), WHOLE.red);
});

test('its namespace: quiet inside, floating addresses alone outside, and the ways there', () => {
  const plan = planRouter(objectsWith(), part, names);
  assert.ok(plan);
  assert.deepEqual(
    [...plan.links].map(([name, { mac, isQuiet, addresses }]) => [name, mac, isQuiet ?? false, addresses]),
    [
      ['qr-r-red', HERE.red, true, ['10.1.0.1/24']],
      ['qr-r-blue', HERE.blue, true, ['10.2.0.1/24', '2001:db8:2::1/64']],
      ['qg-d-router', 'f2:00:00:00:00:20', false, ['172.24.4.52/32']],
    ],
  );
  assert.deepEqual(
    [...plan.routes],
    [
      ['172.24.4.0/24', 'dev qg-d-router'],
      ['0.0.0.0/0', 'via 172.24.4.1 dev qg-d-router'],
      ['192.0.2.0/24', 'via 10.2.0.50 dev qr-r-blue'],
      ['198.51.100.0/24', 'via 10.1.0.11 dev qr-r-red'],
      ['203.0.113.0/24', 'via 172.24.4.9 dev qg-d-router'],
    ],
  );
  assert.deepEqual(plan.loopback, []);
  const rules = (chain: string): readonly string[] => plan.rules.get('ip cairn')?.chains.get(chain)?.rules ?? [];
  assert.ok(rules('forward').includes('iifname "qg-d-router" ct state new ct status & dnat == 0 drop'));
  assert.ok(rules('limits').includes('oifname "qg-d-router" ct status & dnat == 0 ct status & snat == 0 drop'));
  // nothing goes out behind an address of the router's
  assert.ok(!rules('postrouting').some((rule) => /snat to \d/.test(rule)));
});

test('frames of guests are for the part as far as it is built, and no further', () => {
  const objects = objectsWith();
  assert.equal(partRules(objects).chains.size, 0, 'nothing is built');
  const plan = planRouter(objects, part, names);
  assert.ok(plan);
  objects.parts.set('d-router', builtOf(plan));
  const elements = (name: string): Record<string, string> => Object.fromEntries(partRules(objects).sets.get(name)?.elements ?? []);
  const near = {
    [`${WHOLE.red} . 10.1.0.11`]: HERE.red,
    [`${WHOLE.blue} . 10.1.0.11`]: HERE.blue,
    [`${WHOLE.red} . 10.2.0.12`]: HERE.red,
    [`${WHOLE.blue} . 10.2.0.12`]: HERE.blue,
  };
  assert.deepEqual(elements('part_near4'), near);
  assert.deepEqual(elements('part_near6'), { [`${WHOLE.red} . 2001:db8:2::12`]: HERE.red, [`${WHOLE.blue} . 2001:db8:2::12`]: HERE.blue });
  assert.deepEqual(
    Object.keys(elements('part_inside')).toSorted(),
    [WHOLE.red, WHOLE.blue].flatMap((mac) => ['10.1.0.0/24', '10.2.0.0/24', '169.254.169.254'].map((cidr) => `${mac} . ${cidr}`)).toSorted(),
  );
  assert.deepEqual(elements('part_floating'), { [`${WHOLE.red} . 10.1.0.11`]: HERE.red });
  // what came since is not built yet
  objects.change([
    put(port('5-new', 'blue-net', 5, [['blue-sub', '10.2.0.15']], none)),
    put({ ...part, floatingIps: [...part.floatingIps, { id: 'f2', floatingIp: '172.24.4.53', fixedIp: '10.2.0.12' }] }),
  ]);
  assert.deepEqual([elements('part_near4'), Object.keys(elements('part_floating')).length], [near, 1]);
  // what an earlier run built is taken for what is wanted
  objects.parts.set('d-router', 'found');
  assert.deepEqual([Object.keys(elements('part_near4')).length, Object.keys(elements('part_floating')).length], [6, 2]);
  objects.change([put({ ...part, adminUp: false })]);
  assert.equal(partRules(objects).chains.size, 0);
});
