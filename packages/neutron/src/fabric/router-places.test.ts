import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { FabricObject } from '@cairn/host/interface/fabric';
import { type Distribution, partMac, routerOn } from './router-places.ts';

const whole: FabricObject = {
  kind: 'router',
  id: 'r',
  adminUp: true,
  gateway: {
    networkId: 'out',
    mac: 'fa:16:3e:00:00:01',
    addresses: [
      { ip: '172.24.4.10', prefixLength: 24, nexthop: '172.24.4.1' },
      { ip: '2001:db8::10', prefixLength: 64, nexthop: '2001:db8::1' },
    ],
    snat: true,
  },
  interfaces: [{ portId: 'p', networkId: 'in', mac: 'fa:16:3e:00:00:02', addresses: [{ ip: '10.0.0.1', prefixLength: 24 }] }],
  routes: [],
  floatingIps: [
    { id: 'f2', floatingIp: '172.24.4.52', fixedIp: '10.0.0.12' },
    { id: 'f3', floatingIp: '172.24.4.53', fixedIp: '10.0.0.13' },
    { id: 'f4', floatingIp: '172.24.4.54', fixedIp: '10.0.0.14' },
  ],
  portForwardings: [],
};
const spread: Distribution = {
  guestHosts: new Set(['h1', 'h2', 'h3', 'h4']),
  homeOf: new Map([
    ['f2', 'h2'],
    ['f3', 'h1'],
  ]),
};
const floatingOn = (host: string, isActive: boolean): readonly string[] | undefined => {
  const object = routerOn(whole, spread, host, isActive);
  return object?.kind === 'router' ? object.floatingIps.map(({ id }) => id) : undefined;
};

it('a router that is not distributed is whole on its host, and nothing elsewhere', () => {
  assert.equal(routerOn(whole, undefined, 'h1', true), whole);
  assert.equal(routerOn(whole, undefined, 'h2', false), undefined);
});

it('each floating IP is on one host: that of its server, or the whole router’s', () => {
  const hosts = [floatingOn('h1', true), floatingOn('h2', false), floatingOn('h3', false), floatingOn('h4', false), floatingOn('h5', false)];
  assert.deepEqual(hosts, [['f3', 'f4'], ['f2'], [], [], undefined]);
  const first = routerOn(whole, spread, 'h1', true);
  assert.deepEqual(first?.kind === 'router' && first.floatingElsewhere, ['10.0.0.12']);
  // where the router moves to a host that had a part, it is whole there
  assert.deepEqual(floatingOn('h2', true), ['f2', 'f4']);
});

it('a part has MACs of its own, the MACs that guests know, and no address outside but floating ones', () => {
  const part = routerOn(whole, spread, 'h2', false);
  assert.ok(part?.kind === 'router');
  assert.deepEqual(part, {
    kind: 'router',
    id: 'r',
    adminUp: true,
    isPart: true,
    gateway: {
      networkId: 'out',
      mac: partMac('h2', 'r out'),
      addresses: [],
      snat: false,
      onLink: [{ cidr: '172.24.4.0/24', nexthop: '172.24.4.1' }],
    },
    interfaces: [
      {
        portId: 'p',
        networkId: 'in',
        mac: partMac('h2', 'p'),
        sharedMac: 'fa:16:3e:00:00:02',
        addresses: [{ ip: '10.0.0.1', prefixLength: 24 }],
      },
    ],
    routes: [],
    floatingIps: [{ id: 'f2', floatingIp: '172.24.4.52', fixedIp: '10.0.0.12' }],
  });
  const without = routerOn(whole, spread, 'h3', false);
  assert.ok(without?.kind === 'router' && without.gateway === undefined && without.isPart);
});

it('MACs of parts differ by host and link, stay, and are nobody else’s', () => {
  const macs = ['h1', 'h2'].flatMap((host) => ['a', 'b'].map((link) => partMac(host, link)));
  assert.equal(new Set(macs).size, 4);
  for (const mac of macs) assert.match(mac, /^f2(:[0-9a-f]{2}){5}$/);
  assert.equal(partMac('h1', 'a'), macs[0]);
});
