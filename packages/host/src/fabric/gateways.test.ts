import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { tapName } from '../interface/fabric.ts';
import type { KernelFabric } from './fabric.ts';
import { cannotRun, type Guest, Machine, until } from './testing/machine.ts';
import { egressAll, group, macOf, network, port, put, router, rule, subnet } from './testing/objects.ts';

describe('a router with several gateways, with packets', { skip: cannotRun }, () => {
  let machine: Machine;
  let fabric: KernelFabric;
  let red: Guest;
  const physicalNetworks = {
    public: { linkName: 'pub0', hostCidr: '172.24.4.1/24' },
    second: { linkName: 'pub1', hostCidr: '198.51.100.1/24' },
  };
  const first = { networkId: 'p-one-net', mac: macOf(20), addresses: [{ ip: '172.24.4.10', prefixLength: 24, nexthop: '172.24.4.1' }], snat: true };
  const further = [
    { portId: 'g-two-port', networkId: 's-two-net', mac: macOf(21), addresses: [{ ip: '198.51.100.10', prefixLength: 24, nexthop: '198.51.100.1' }] },
  ];
  const interfaces = [{ portId: 'r-red-port', networkId: 'a-red-net', mac: macOf(22), addresses: [{ ip: '10.1.0.1', prefixLength: 24 }] }];
  const base = router('router-two-ways', { gateway: first, extraGateways: further, interfaces });
  /** Addresses outside that are on no network of the router's. */
  const far = Array.from({ length: 24 }, (_, i) => `203.0.113.${i + 1}`);

  before(async () => {
    machine = await Machine.create();
    fabric = machine.fabric({ physicalNetworks });
    await fabric.patch([
      put(network('p-one-net', [subnet('one-sub', '172.24.4.0/24')], { mtu: 1500, segment: { type: 'flat', physicalNetwork: 'public' } })),
      put(network('s-two-net', [subnet('two-sub', '198.51.100.0/24')], { mtu: 1500, segment: { type: 'flat', physicalNetwork: 'second' } })),
      put(network('a-red-net', [subnet('red-sub', '10.1.0.0/24', { gatewayIp: '10.1.0.1' })])),
      put(group('open', [...egressAll, rule('ingress')])),
      put(port('1-red-port', 'a-red-net', 1, [['red-sub', '10.1.0.11']], { securityGroups: ['open'] })),
      put(base),
    ]);
    red = await machine.guest(fabric, { tap: tapName('1-red-port'), mac: macOf(1), cidr: '10.1.0.11/24', gateway: '10.1.0.1' });
    for (const ip of far) await machine.outside('ip', 'addr', 'add', `${ip}/32`, 'dev', 'lo');
  });
  after(async () => await machine?.destroy());

  /** Which of the far addresses were called by each way, by what the two links outside saw. */
  async function waysOf(addresses: readonly string[]): Promise<{ readonly one: string[]; readonly two: string[] }> {
    const listen = ['pub0', 'pub1'].map((link) => machine.outsideSpawn('tcpdump', '-l', '-n', '-i', link, 'icmp[icmptype] == icmp-echo'));
    for (const each of listen) assert.ok(await each.says(/listening/));
    for (const ip of addresses) assert.ok(await red.pings(ip), `${ip} does not answer`);
    const seen = (i: number, source: string) => addresses.filter((ip) => listen[i]?.output.includes(`${source} > ${ip}:`));
    // what was captured is written a moment later
    await until(async () => addresses.every((ip) => listen.some((each) => each.output.includes(` > ${ip}:`))), 20_000);
    const ways = { one: seen(0, '172.24.4.10'), two: seen(1, '198.51.100.10') };
    for (const each of listen) assert.doesNotMatch(each.output, /10\.1\.0\.11/);
    for (const each of listen) await each.end();
    return ways;
  }

  test('each way out hides what is inside behind its own address', async () => {
    const listen = machine.outsideSpawn('tcpdump', '-l', '-n', '-i', 'pub1', 'icmp');
    assert.ok(await listen.says(/listening/));
    assert.ok(await red.pings('172.24.4.1'));
    assert.ok(await red.pings('198.51.100.1'));
    assert.ok(await listen.says(/198\.51\.100\.10 > 198\.51\.100\.1/));
    await listen.end();
  });

  test('nobody outside calls a fixed address by either way', async () => {
    for (const via of ['172.24.4.10', '198.51.100.10']) {
      await machine.outside('ip', 'route', 'replace', '10.1.0.0/24', 'via', via);
      assert.notEqual((await machine.outside('ping', '-c', '1', '-W', '1', '10.1.0.11')).code, 0);
    }
    await machine.outside('ip', 'route', 'delete', '10.1.0.0/24');
  });

  test('without ECMP what has no better route goes by the first', async () => {
    assert.deepEqual(await waysOf(far.slice(0, 6)), { one: far.slice(0, 6), two: [] });
  });

  test('with ECMP it is shared out among all, and back again', async () => {
    await fabric.patch([put({ ...base, defaultRouteEcmp: true })]);
    const { one, two } = await waysOf(far);
    assert.deepEqual([...one, ...two].toSorted(), far.toSorted());
    // 24 addresses by one of two ways each: that all take the same has a chance of 1 in 8 million
    assert.ok(one.length > 0 && two.length > 0, `${one.length} by the first, ${two.length} by the second`);

    await fabric.patch([put(base)]);
    assert.deepEqual(await waysOf(far.slice(0, 3)), { one: far.slice(0, 3), two: [] });
    await fabric.patch([put({ ...base, defaultRouteEcmp: true })]);
  });

  test('a floating address of the further network is answered for, and used, there alone', async () => {
    const floatingIps = [{ id: 'f1', floatingIp: '198.51.100.50', fixedIp: '10.1.0.11', networkId: 's-two-net' }];
    await fabric.patch([put({ ...base, floatingIps })]);
    assert.equal((await machine.outside('ping', '-c', '1', '-W', '5', '198.51.100.50')).code, 0);
    const listen = machine.outsideSpawn('tcpdump', '-l', '-n', '-i', 'any', 'icmp[icmptype] == icmp-echo');
    assert.ok(await listen.says(/listening/));
    assert.ok(await red.pings('198.51.100.1'));
    assert.ok(await listen.says(/198\.51\.100\.50 > 198\.51\.100\.1/));
    assert.ok(await red.pings('172.24.4.1'));
    assert.ok(await listen.says(/172\.24\.4\.10 > 172\.24\.4\.1/));
    await listen.end();
  });

  test('a fabric that follows on finds it all as it is, and the further way goes without the first', async () => {
    const next = machine.fabric({ physicalNetworks });
    const objects = [
      network('p-one-net', [subnet('one-sub', '172.24.4.0/24')], { mtu: 1500, segment: { type: 'flat', physicalNetwork: 'public' } }),
      network('s-two-net', [subnet('two-sub', '198.51.100.0/24')], { mtu: 1500, segment: { type: 'flat', physicalNetwork: 'second' } }),
      network('a-red-net', [subnet('red-sub', '10.1.0.0/24', { gatewayIp: '10.1.0.1' })]),
      group('open', [...egressAll, rule('ingress')]),
      port('1-red-port', 'a-red-net', 1, [['red-sub', '10.1.0.11']], { securityGroups: ['open'] }),
    ];
    await next.apply([...objects, { ...base, defaultRouteEcmp: true }]);
    const { one, two } = await waysOf(far);
    assert.equal(one.length + two.length, far.length);
    await next.apply([...objects, router('router-two-ways', { gateway: first, interfaces })]);
    assert.deepEqual(await waysOf(far.slice(0, 3)), { one: far.slice(0, 3), two: [] });
  });
});
