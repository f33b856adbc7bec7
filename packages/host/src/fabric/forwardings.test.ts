import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type PortForwardingSpec, tapName } from '../interface/fabric.ts';
import type { KernelFabric } from './fabric.ts';
import { cannotRun, type Guest, Machine, until } from './testing/machine.ts';
import { egressAll, group, insideNetwork, insideRouter, macOf, port, publicNetwork, put, rule } from './testing/objects.ts';

const forwarding = (external: readonly [number, number], internal: readonly [number, number], internalIp = '10.8.0.11'): PortForwardingSpec => ({
  id: `pf-${external[0]}`,
  floatingIp: '172.24.4.60',
  protocol: 'tcp',
  externalFirst: external[0],
  externalLast: external[1],
  internalIp,
  internalFirst: internal[0],
  internalLast: internal[1],
});
const routed = (portForwardings: readonly PortForwardingSpec[]) =>
  insideRouter('r-forward', {
    portForwardings,
  });

describe('port forwardings, with packets', { skip: cannotRun }, () => {
  let machine: Machine;
  let fabric: KernelFabric;
  let server: Guest;
  let other: Guest;

  before(async () => {
    machine = await Machine.create();
    fabric = machine.fabric();
    await fabric.patch([
      put(publicNetwork),
      put(insideNetwork),
      put(group('open', [...egressAll, rule('ingress')])),
      put(port('1-server', 'in-net', 1, [['in-sub', '10.8.0.11']], { securityGroups: ['open'] })),
      put(port('2-other', 'in-net', 2, [['in-sub', '10.8.0.12']], { securityGroups: ['open'] })),
      put(routed([])),
    ]);
    server = await machine.guest(fabric, { tap: tapName('1-server'), mac: macOf(1), cidr: '10.8.0.11/24', gateway: '10.8.0.1' });
    other = await machine.guest(fabric, { tap: tapName('2-other'), mac: macOf(2), cidr: '10.8.0.12/24', gateway: '10.8.0.1' });
    for (const [guest, ports] of [
      [server, [22, 81, 82]],
      [other, [22]],
    ] as const) {
      for (const at of ports) guest.spawn('busybox', 'nc', '-ll', '-p', String(at), '-e', 'echo', `${guest === server ? 'server' : 'other'} ${at}`);
      await until(async () => (await guest.run('ss', '-ltn')).stdout.split('\n').filter((line) => line.includes('LISTEN')).length >= ports.length);
    }
  });
  after(async () => await machine?.destroy());

  const ask = async (at: number): Promise<string> => (await machine.outside('timeout', '2', 'busybox', 'nc', '172.24.4.60', String(at))).stdout.trim();

  test('each port leads where it is to lead, and no other anywhere', async () => {
    await fabric.patch([
      put(routed([forwarding([2022, 2022], [22, 22]), forwarding([8081, 8082], [81, 82]), forwarding([9001, 9002], [22, 22], '10.8.0.12')])),
    ]);
    assert.equal(await ask(2022), 'server 22');
    assert.equal(await ask(8081), 'server 81');
    assert.equal(await ask(8082), 'server 82');
    assert.equal(await ask(9001), 'other 22');
    assert.equal(await ask(9002), 'other 22');
    for (const closed of [22, 81, 2023]) assert.doesNotMatch(await ask(closed), /server|other/);
    // from insideNetwork, by the outside address
    const hairpin = await other.run('timeout', '5', 'busybox', 'nc', '172.24.4.60', '2022');
    assert.equal(hairpin.stdout.trim(), 'server 22');
  });

  test('a forwarding that goes ends its connections, others go on', async () => {
    const both = [forwarding([7001, 7001], [7000, 7000]), forwarding([7002, 7002], [7000, 7000], '10.8.0.12')];
    await fabric.patch([put(routed(both))]);
    for (const guest of [server, other]) {
      guest.spawn('busybox', 'nc', '-ll', '-p', '7000', '-e', 'cat');
      await until(async () => (await guest.run('ss', '-ltn')).stdout.includes(':7000'));
    }
    const talks = [7001, 7002].map((at) => machine.outsideSpawn('busybox', 'nc', '172.24.4.60', String(at)));
    for (const talk of talks) {
      talk.write('one\n');
      assert.ok(await talk.says(/one/));
    }
    await fabric.patch([put(routed(both.slice(1)))]);
    for (const talk of talks) talk.write('two\n');
    assert.ok(await talks[1]?.says(/two/));
    assert.equal(await talks[0]?.says(/two/, 1200), false);
    for (const talk of talks) await talk.end();
    assert.doesNotMatch(await ask(7001), /one|two/);
  });

  test('a repeated apply finds them as they are to be', async () => {
    const objects = [
      publicNetwork,
      insideNetwork,
      group('open', egressAll),
      routed([forwarding([100, 400], [100, 400]), { ...forwarding([53, 53], [5353, 5353]), id: 'u', protocol: 'udp' }]),
    ];
    await fabric.apply(objects);
    const { changes } = fabric;
    await fabric.apply(objects);
    assert.equal(fabric.changes, changes);
  });
});
