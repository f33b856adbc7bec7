import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { tapName } from '../interface/fabric.ts';
import { run } from '../process/run.ts';
import type { KernelFabric } from './fabric.ts';
import { cannotDoVlans, type Guest, Machine } from './testing/machine.ts';
import { egressAll, group, macOf, network, port, put, remove, rule, subnet } from './testing/objects.ts';

const nets = [
  network('a-plain-net', [subnet('a-sub', '10.11.0.0/24')]),
  network('b-green-net', [subnet('b-sub', '10.12.0.0/24')]),
  network('c-brown-net', [subnet('c-sub', '10.13.0.0/24')]),
];
const open = group('open', [...egressAll, rule('ingress')]);
const parent = port('1-parent', 'a-plain-net', 1, [['a-sub', '10.11.0.11']], { securityGroups: ['open'] });
const subport = (id: string, net: string, n: number, sub: string, ip: string, vlan: number) =>
  port(id, net, n, [[sub, ip]], { securityGroups: ['open'], attachment: { kind: 'subport', tap: tapName(id), parentTap: tapName('1-parent'), vlan } });
const green = subport('2-green', 'b-green-net', 2, 'b-sub', '10.12.0.11', 100);
const brown = subport('3-brown', 'c-brown-net', 3, 'c-sub', '10.13.0.11', 200);
const peers = [
  port('4-peer-a', 'a-plain-net', 4, [['a-sub', '10.11.0.12']], { securityGroups: ['open'] }),
  port('5-peer-b', 'b-green-net', 5, [['b-sub', '10.12.0.12']], { securityGroups: ['open'] }),
  port('6-peer-c', 'c-brown-net', 6, [['c-sub', '10.13.0.12']], { securityGroups: ['open'] }),
];

describe('trunks, with packets', { skip: await cannotDoVlans() }, () => {
  let machine: Machine;
  let fabric: KernelFabric;
  let trunk: Guest;
  let peerB: Guest;

  before(async () => {
    machine = await Machine.create();
    fabric = machine.fabric();
    await fabric.patch([...nets.map(put), put(open), put(parent), ...peers.map(put)]);
    trunk = await machine.guest(fabric, { tap: tapName('1-parent'), mac: macOf(1), cidr: '10.11.0.11/24' });
    await machine.guest(fabric, { tap: tapName('4-peer-a'), mac: macOf(4), cidr: '10.11.0.12/24' });
    peerB = await machine.guest(fabric, { tap: tapName('5-peer-b'), mac: macOf(5), cidr: '10.12.0.12/24' });
    await machine.guest(fabric, { tap: tapName('6-peer-c'), mac: macOf(6), cidr: '10.13.0.12/24' });
    for (const [vlan, mac, cidr] of [
      [100, macOf(2), '10.12.0.11/24'],
      [200, macOf(3), '10.13.0.11/24'],
    ] as const) {
      await trunk.ip('link', 'add', 'link', 'eth0', 'name', `v${vlan}`, 'address', mac, 'type', 'vlan', 'id', String(vlan));
      await trunk.ip('addr', 'add', cidr, 'dev', `v${vlan}`);
      await trunk.ip('link', 'set', `v${vlan}`, 'up');
    }
  });
  after(async () => await machine?.destroy());

  test('a VLAN leads to the network of its sub-port, and to none before', async () => {
    assert.ok(await trunk.pings('10.11.0.12'));
    assert.ok(await trunk.cannotPing('10.12.0.12'));
    await fabric.patch([put(green), put(brown)]);
    assert.ok(await trunk.pings('10.12.0.12'));
    assert.ok(await trunk.pings('10.13.0.12'));
    assert.ok(await peerB.pings('10.12.0.11'));
    assert.ok(await trunk.pings('10.11.0.12'), 'what has no tag is on the network of the parent');
  });

  test('a sub-port is filtered as any port is', async () => {
    await trunk.ip('addr', 'add', '10.12.0.99/24', 'dev', 'v100');
    assert.ok(await trunk.cannotPing('10.12.0.12', '-I', '10.12.0.99'), 'an address that is not its own');
    await trunk.ip('addr', 'delete', '10.12.0.99/24', 'dev', 'v100');
    await trunk.ip('link', 'set', 'v100', 'address', macOf(77));
    assert.ok(await trunk.cannotPing('10.12.0.12'), 'a MAC that is not its own');
    await trunk.ip('link', 'set', 'v100', 'address', macOf(2));
    await fabric.patch([put(group('open', egressAll))]);
    assert.ok(await peerB.cannotPing('10.12.0.11'));
    await fabric.patch([put(open)]);
    assert.ok(await peerB.pings('10.12.0.11'));
  });

  test('a sub-port may have another VLAN, and goes', async () => {
    await fabric.patch([put(subport('2-green', 'b-green-net', 2, 'b-sub', '10.12.0.11', 101))]);
    assert.ok(await trunk.cannotPing('10.12.0.12'));
    await fabric.patch([put(green)]);
    assert.ok(await trunk.pings('10.12.0.12'));
    await fabric.patch([remove('port', '2-green')]);
    assert.ok(await trunk.cannotPing('10.12.0.12'));
    assert.ok(await trunk.pings('10.13.0.12'), 'others go on');
    await fabric.patch([put(green)]);
  });

  test('a restart finds the VLANs as they are to be; they go with their parent', async () => {
    const objects = [...nets, open, parent, green, brown, ...peers];
    await fabric.stop();
    fabric = machine.fabric();
    await fabric.apply(objects);
    const { changes } = fabric;
    await fabric.apply(objects);
    assert.equal(fabric.changes, changes);
    assert.ok(await trunk.pings('10.13.0.12'));
    await fabric.apply([...nets, open, green, brown, ...peers]);
    const { stdout } = await run('ip', ['-n', fabric.switchNamespace, '-br', 'link', 'show', 'type', 'vlan']);
    assert.equal(stdout.trim(), '');
  });
});
