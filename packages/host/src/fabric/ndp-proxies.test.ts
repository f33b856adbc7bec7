import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { run } from '../process/run.ts';
import { type FabricObject, type NdpProxySpec, type NetworkSpec, type PortSpec, tapName } from '../interface/fabric.ts';
import type { KernelFabric } from './fabric.ts';
import { Objects } from './objects.ts';
import { tracePath, tracePathFromOutside } from './path/trace.ts';
import { cannotRun, Machine, until } from './testing/machine.ts';
import { pathWorldOf } from './testing/path-world.ts';
import { egressAll, group, macOf, network, port, put, router, rule, subnet } from './testing/objects.ts';

const publicNet = network('public-net', [subnet('pub-sub', '172.24.4.0/24'), subnet('pub-six', '2001:db8:1::/64')], {
  mtu: 1500,
  segment: { type: 'flat', physicalNetwork: 'public' },
});
const inside = network('in-net', [subnet('in-six', '2001:db8:2::/64', { gatewayIp: '2001:db8:2::1' })]);
const routed = (ndpProxy?: NdpProxySpec): FabricObject =>
  router('r-ndp', {
    gateway: {
      networkId: 'public-net',
      mac: macOf(20),
      addresses: [
        { ip: '172.24.4.10', prefixLength: 24, nexthop: '172.24.4.1' },
        { ip: '2001:db8:1::10', prefixLength: 64, nexthop: '2001:db8:1::1' },
      ],
      snat: true,
    },
    interfaces: [{ portId: 'r-port', networkId: 'in-net', mac: macOf(21), addresses: [{ ip: '2001:db8:2::1', prefixLength: 64 }] }],
    ...(ndpProxy && { ndpProxy }),
  });
const proxy = (...addresses: readonly string[]): NdpProxySpec => ({ addresses, cidrs: ['2001:db8:2::/64'] });
const others: readonly FabricObject[] = [
  publicNet,
  inside,
  group('open', [...egressAll, rule('ingress', { ethertype: 'IPv6' })]),
  port('1-one', 'in-net', 1, [['in-six', '2001:db8:2::11']], { securityGroups: ['open'] }),
  port('2-two', 'in-net', 2, [['in-six', '2001:db8:2::12']], { securityGroups: ['open'] }),
];

describe('NDP proxies, with packets', { skip: cannotRun }, () => {
  let machine: Machine;
  let fabric: KernelFabric;

  before(async () => {
    machine = await Machine.create();
    fabric = machine.fabric();
    await fabric.patch([...others.map(put), put(routed())]);
    for (const [id, n, ip] of [
      ['1-one', 1, '2001:db8:2::11'],
      ['2-two', 2, '2001:db8:2::12'],
    ] as const)
      await machine.guest(fabric, { tap: tapName(id), mac: macOf(n), cidr: `${ip}/64`, gateway: '2001:db8:2::1' });
    await outsideHasIpv6();
    await until(async () => await pings('2001:db8:1::10'), 15_000);
  });
  after(async () => await machine?.destroy());

  /** Outside, the addresses of all networks of the scope are neighbours. An apply sees to it that the host's end has no address that it was not given. */
  async function outsideHasIpv6(): Promise<void> {
    for (const command of ['addr replace 2001:db8:1::1/64 dev pub0 nodad', '-6 route replace 2001:db8:2::/64 dev pub0'])
      await run('ip', ['-n', machine.outer, ...command.split(' ')]);
  }
  const pings = async (ip: string, seconds = '4'): Promise<boolean> =>
    (await machine.outside('ping', '-6', '-n', '-c', '1', '-w', seconds, ip)).stdout.includes(' bytes from ');
  const reached = (ip: string): Promise<void> => until(() => pings(ip, '2'), 20_000);
  /** Neighbours are forgotten, lest what was learned before answer. */
  const forget = (): Promise<unknown> => machine.outside('ip', '-6', 'neigh', 'flush', 'all');

  test('an address is reached from outside where the router answers for it, and no other one is', async () => {
    assert.equal(await pings('2001:db8:2::11', '2'), false);
    await fabric.patch([put(routed(proxy('2001:db8:2::11')))]);
    await forget();
    await reached('2001:db8:2::11');
    assert.equal(await pings('2001:db8:2::12', '2'), false);
    // nor by a route to the router
    await run('ip', ['-n', machine.outer, '-6', 'route', 'add', '2001:db8:2::12/128', 'via', '2001:db8:1::10']);
    assert.equal(await pings('2001:db8:2::12', '2'), false);
    await fabric.patch([put(routed())]);
    await reached('2001:db8:2::12');
    await run('ip', ['-n', machine.outer, '-6', 'route', 'delete', '2001:db8:2::12/128']);
    await forget();
    assert.equal(await pings('2001:db8:2::11', '2'), false);
  });

  test('a repeated apply, and a restart, find them as they are to be', async () => {
    const objects = [...others, routed(proxy('2001:db8:2::11', '2001:db8:2::12'))];
    await fabric.apply(objects);
    const { changes } = fabric;
    await fabric.apply(objects);
    assert.equal(fabric.changes, changes);
    await fabric.stop();
    fabric = machine.fabric();
    await fabric.apply(objects);
    assert.equal(fabric.changes, 0);
    await outsideHasIpv6();
    await forget();
    await reached('2001:db8:2::12');
    await fabric.patch([put(routed(proxy('2001:db8:2::11')))]);
    await forget();
    assert.equal(await pings('2001:db8:2::12', '2'), false);
    await reached('2001:db8:2::11');
  });

  test('the explanation of a path says the same, outward and inward', async () => {
    const objects = new Objects();
    objects.change([...others, routed(proxy('2001:db8:2::11'))].map(put));
    const ping = (source: string, destination: string) => ({ version: 6, protocol: 58, source, destination, icmpType: 128 }) as const;
    const outward = (id: string, ip: string) => tracePath(pathWorldOf(objects), objects.ports.get(id) as PortSpec, ping(ip, '2001:db8:1::1'));
    const inward = (ip: string) => tracePathFromOutside(pathWorldOf(objects), objects.networks.get('public-net') as NetworkSpec, ping('2001:db8:1::1', ip));
    assert.deepEqual([(await outward('1-one', '2001:db8:2::11')).verdict, (await inward('2001:db8:2::11')).arrivedAt], ['pass', '1-one']);
    const [out, back] = [await outward('2-two', '2001:db8:2::12'), await inward('2001:db8:2::12')];
    assert.deepEqual([out.verdict, out.hops.at(-1)?.leg], ['drop', 'answer']);
    assert.match(out.summary, /2001:db8:2::12 has none/);
    assert.notEqual(back.arrivedAt, '2-two');
    // packets agree
    await fabric.patch([put(routed(proxy('2001:db8:2::11')))]);
    await until(async () => (await machine.guests[0]?.pings('2001:db8:1::1')) === true, 15_000);
    assert.ok(await machine.guests[1]?.cannotPing('2001:db8:1::1'));

    objects.change([put(routed())]);
    assert.equal((await outward('2-two', '2001:db8:2::12')).verdict, 'unknown', 'without proxies only those outside know the way back');
  });
});
