import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type FabricObject, type MeterRuleSpec, tapName } from '../interface/fabric.ts';
import type { KernelFabric } from './fabric.ts';
import { cannotRun, type Guest, Machine } from './testing/machine.ts';
import { egressAll, group, insideNetwork, insideRouter, macOf, port, publicNetwork, put, rule } from './testing/objects.ts';

const meterRule = (direction: 'ingress' | 'egress', more: Partial<MeterRuleSpec> = {}): MeterRuleSpec => ({ direction, excluded: false, ...more });
const routed = (meters: Readonly<Record<string, readonly MeterRuleSpec[]>>) =>
  insideRouter('r-meter', {
    meters: Object.entries(meters).map(([id, rules]) => ({ id, rules })),
  });
const others: readonly FabricObject[] = [
  publicNetwork,
  insideNetwork,
  group('open', [...egressAll, rule('ingress')]),
  port('1-one', 'in-net', 1, [['in-sub', '10.8.0.11']], { securityGroups: ['open'] }),
  port('2-two', 'in-net', 2, [['in-sub', '10.8.0.12']], { securityGroups: ['open'] }),
];

describe('meters of routers, with packets', { skip: cannotRun }, () => {
  let machine: Machine;
  let fabric: KernelFabric;
  let one: Guest;
  let two: Guest;

  before(async () => {
    machine = await Machine.create();
    fabric = machine.fabric();
    await fabric.patch([...others.map(put), put(routed({}))]);
    one = await machine.guest(fabric, { tap: tapName('1-one'), mac: macOf(1), cidr: '10.8.0.11/24', gateway: '10.8.0.1' });
    two = await machine.guest(fabric, { tap: tapName('2-two'), mac: macOf(2), cidr: '10.8.0.12/24', gateway: '10.8.0.1' });
  });
  after(async () => await machine?.destroy());

  const counted = async (meterId: string): Promise<readonly [packets: number, bytes: number]> => {
    const found = (await fabric.meters()).find((reading) => reading.meterId === meterId);
    assert.ok(found, `the meter ${meterId} is read`);
    assert.equal(found.routerId, 'r-meter');
    return [found.packets, found.bytes];
  };
  /** `count` echoes of 128 bytes each way, with all headers. */
  const ping = async (guest: Guest, count: number): Promise<void> => {
    const { stdout } = await guest.run('ping', '-n', '-c', String(count), '-i', '0.05', '-s', '100', '172.24.4.1');
    assert.match(stdout, new RegExp(`${count} received`));
  };

  test('a meter counts packets and bytes of what its rules name, each packet once, and nothing that a rule excludes', async () => {
    await fabric.patch([
      put(
        routed({
          out: [meterRule('egress', { source: '10.8.0.0/24' }), meterRule('egress', { source: '10.8.0.11/32' })],
          in: [meterRule('ingress', { destination: '10.8.0.11/32' })],
          but: [meterRule('egress', { destination: '0.0.0.0/0' }), meterRule('egress', { excluded: true, source: '10.8.0.12/32' })],
          none: [],
        }),
      ),
    ]);
    await ping(one, 5);
    await ping(two, 3);
    assert.deepEqual(await counted('out'), [8, 8 * 128]);
    assert.deepEqual(await counted('in'), [5, 5 * 128]);
    assert.deepEqual(await counted('but'), [5, 5 * 128]);
    assert.deepEqual(await counted('none'), [0, 0]);
    // what stays inside is nobody's to pay
    assert.ok(await one.pings('10.8.0.12'));
    assert.deepEqual(await counted('out'), [8, 8 * 128]);
  });

  test('neither a change of rules nor a restart takes anything from what was counted', async () => {
    const wanted = routed({ out: [meterRule('egress', { source: '10.8.0.12/32' })] });
    await fabric.patch([put(wanted)]);
    assert.deepEqual(await counted('out'), [8, 8 * 128]);
    assert.equal((await fabric.meters()).length, 1);
    await ping(one, 2);
    await ping(two, 2);
    assert.deepEqual(await counted('out'), [10, 10 * 128]);
    await fabric.stop();
    fabric = machine.fabric();
    await fabric.apply([...others, wanted]);
    assert.equal(fabric.changes, 0);
    assert.deepEqual(await counted('out'), [10, 10 * 128]);
    await fabric.patch([put(routed({}))]);
    assert.deepEqual(await fabric.meters(), []);
  });
});
