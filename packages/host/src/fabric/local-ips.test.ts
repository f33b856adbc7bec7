import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type FabricObject, type LocalIpSpec, type PortSpec, tapName } from '../interface/fabric.ts';
import type { KernelFabric } from './fabric.ts';
import { Objects } from './objects.ts';
import { tracePath } from './path/trace.ts';
import { cannotRun, type Guest, Machine, until } from './testing/machine.ts';
import { pathWorldOf } from './testing/path-world.ts';
import { egressAll, group, macOf, network, port, put, rule, subnet } from './testing/objects.ts';

const never = (): never => assert.fail('a port is missing');
const net = network('net', [subnet('sub', '10.9.0.0/24')]);
const LOCAL: LocalIpSpec = { id: 'lip-1', ip: '10.9.0.100', fixedIp: '10.9.0.11' };
const near = (...localIps: readonly LocalIpSpec[]): FabricObject =>
  port('1-near', 'net', 1, [['sub', '10.9.0.11']], { securityGroups: ['open'], ...(localIps.length > 0 && { localIps }) });
const others: readonly FabricObject[] = [
  net,
  group('open', [...egressAll, rule('ingress')]),
  group('closed', egressAll),
  // answers come back by connection alone
  port('2-client', 'net', 2, [['sub', '10.9.0.12']], { securityGroups: ['closed'] }),
  port('3-owner', 'net', 3, [['sub', '10.9.0.100']], { securityGroups: ['open'] }),
];

describe('local IPs, with packets', { skip: cannotRun }, () => {
  let machine: Machine;
  let fabric: KernelFabric;
  let server: Guest;
  let client: Guest;

  before(async () => {
    machine = await Machine.create();
    fabric = machine.fabric();
    await fabric.patch([...others.map(put), put(near())]);
    server = await machine.guest(fabric, { tap: tapName('1-near'), mac: macOf(1), cidr: '10.9.0.11/24' });
    client = await machine.guest(fabric, { tap: tapName('2-client'), mac: macOf(2), cidr: '10.9.0.12/24' });
    const owner = await machine.guest(fabric, { tap: tapName('3-owner'), mac: macOf(3), cidr: '10.9.0.100/24' });
    for (const [guest, name] of [
      [server, 'near'],
      [owner, 'owner'],
    ] as const) {
      guest.spawn('busybox', 'nc', '-ll', '-p', '80', '-e', 'echo', name);
      await until(async () => (await guest.run('ss', '-ltn')).stdout.includes(':80'));
    }
  });
  after(async () => await machine?.destroy());

  const ask = async (guest: Guest, ip = '10.9.0.100'): Promise<string> => (await guest.run('timeout', '3', 'busybox', 'nc', ip, '80')).stdout.trim();
  const forget = (guest: Guest): Promise<unknown> => guest.run('ip', 'neigh', 'flush', 'all');

  test('the address leads to the port of this host, and the port itself reaches the one that has it', async () => {
    assert.equal(await ask(client), 'owner');
    await fabric.patch([put(near(LOCAL))]);
    await forget(client);
    assert.equal(await ask(client), 'near');
    assert.ok(await client.pings('10.9.0.100'));
    assert.match((await client.run('ip', 'neigh', 'show', '10.9.0.100')).stdout, new RegExp(macOf(1)));
    // by its own address it is what it was
    assert.equal(await ask(client, '10.9.0.11'), 'near');
    assert.equal(await ask(server), 'owner');
    await fabric.patch([put(near())]);
    await forget(client);
    assert.equal(await ask(client), 'owner');
  });

  test('the explanation of a path says the same', async () => {
    const objects = new Objects();
    const explained = (source: PortSpec, ip: string, protocol = 6) =>
      tracePath(pathWorldOf(objects), source, {
        version: 4,
        protocol,
        source: source.fixedIps[0]?.ip ?? '',
        destination: ip,
        ...(protocol === 6 ? { sourcePort: 40_000, destinationPort: 80 } : { icmpType: 8 }),
      });
    const ports = (): PortSpec[] => ['1-near', '2-client', '3-owner'].map((id) => objects.ports.get(id) as PortSpec);
    objects.change([...others, near(LOCAL)].map(put));
    const [server = never(), caller = never(), owner = never()] = ports();
    for (const protocol of [6, 1]) {
      const led = await explained(caller, '10.9.0.100', protocol);
      assert.deepEqual([led.verdict, led.arrivedAt], ['pass', '1-near'], led.summary);
      assert.deepEqual(
        led.hops.filter((hop) => hop.kind === 'nat').map((hop) => [hop.leg, hop.flow.source, hop.flow.destination]),
        [
          ['request', '10.9.0.12', '10.9.0.11'],
          ['answer', '10.9.0.100', '10.9.0.12'],
        ],
      );
    }
    assert.equal((await explained(caller, '10.9.0.11')).arrivedAt, '1-near');
    assert.equal((await explained(server, '10.9.0.100')).arrivedAt, '3-owner', 'the port itself reaches the one that has it');
    assert.equal((await explained(owner, '10.9.0.12')).verdict, 'drop', 'the groups of the asked judge as ever');
    objects.change([put(near())]);
    assert.equal((await explained(caller, '10.9.0.100')).arrivedAt, '3-owner');
  });

  test('a repeated apply, and a restart, find them as they are to be, and a conversation goes on', async () => {
    const objects = [...others, near(LOCAL)];
    await fabric.apply(objects);
    await forget(client);
    server.spawn('busybox', 'nc', '-ll', '-p', '7000', '-e', 'cat');
    await until(async () => (await server.run('ss', '-ltn')).stdout.includes(':7000'));
    const talk = client.spawn('busybox', 'nc', '10.9.0.100', '7000');
    talk.write('one\n');
    assert.ok(await talk.says(/one/));
    const { changes } = fabric;
    await fabric.apply(objects);
    assert.equal(fabric.changes, changes);
    await fabric.stop();
    fabric = machine.fabric();
    await fabric.apply(objects);
    assert.equal(fabric.changes, 0);
    talk.write('two\n');
    assert.ok(await talk.says(/two/));
  });
});
