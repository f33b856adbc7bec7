import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { run } from '../process/run.ts';
import { FabricFlaws, tapName } from '../interface/fabric.ts';
import type { KernelFabric } from './fabric.ts';
import { cannotDoVlans, cannotRun, type Guest, Machine } from './testing/machine.ts';
import { egressAll, group, macOf, network, port, put, remove, rule, subnet } from './testing/objects.ts';

const noVlans = await cannotDoVlans();
const open = group('open', [...egressAll, rule('ingress')]);
const flat = (id: string, physicalNetwork: string) =>
  network(id, [subnet(`${id}-sub`, '192.0.2.0/24')], { mtu: 1500, segment: { type: 'flat', physicalNetwork } });
const vlan = (id: string, tag: number) =>
  network(id, [subnet(`${id}-sub`, '198.51.100.0/24')], { mtu: 1500, segment: { type: 'vlan', id: tag, physicalNetwork: 'wire' } });

describe('physical networks, with packets', { skip: cannotRun }, () => {
  let machine: Machine;
  let fabric: KernelFabric;
  const physicalNetworks = {
    wire: { linkName: 'card', isCard: true },
    lab: { linkName: 'lab-end', outerBridge: 'br-lab' },
    gone: { linkName: 'no-card', isCard: true },
    busy: { linkName: 'own', isCard: true },
    nowhere: { linkName: 'nowhere-end', outerBridge: 'no-bridge' },
  } as const;

  before(async () => {
    machine = await Machine.create();
    // the card, the cable, and what is at its other end; a bridge of the operator's; a card that the machine uses itself
    await run('ip', ['-n', machine.outer, '-batch', '-'], {
      input: [
        'link add card type veth peer name far',
        'link set far up',
        'addr add 192.0.2.1/24 dev far',
        'link add br-lab type bridge',
        'addr add 192.0.2.129/25 dev br-lab',
        'link set br-lab up',
        'link add own type veth peer name own-far',
        'addr add 203.0.113.1/24 dev own',
        '',
      ].join('\n'),
    });
    fabric = machine.fabric({ physicalNetworks });
  });
  after(async () => await machine?.destroy());

  const guestOf = async (id: string, n: number, cidr: string): Promise<Guest> => await machine.guest(fabric, { tap: tapName(id), mac: macOf(n), cidr });

  test('a flat network is on the card, in both directions; security groups judge what comes by it', async () => {
    await fabric.patch([
      put(flat('a-flat-net', 'wire')),
      put(open),
      put(port('1-flat-port', 'a-flat-net', 1, [['a-flat-net-sub', '192.0.2.11']], { securityGroups: ['open'] })),
    ]);
    const guest = await guestOf('1-flat-port', 1, '192.0.2.11/24');
    assert.ok(await guest.pings('192.0.2.1'));
    assert.match((await machine.outside('ping', '-n', '-c', '1', '-w', '4', '192.0.2.11')).stdout, / bytes from /);
    const { stdout } = await machine.outside('ip', 'neigh', 'show', 'dev', 'far', 'to', '192.0.2.11');
    assert.match(stdout, new RegExp(macOf(1)), 'the guest is there with its own MAC');
    await fabric.patch([put(group('open', egressAll))]);
    assert.doesNotMatch((await machine.outside('ping', '-n', '-c', '2', '-i', '0.2', '-W', '0.5', '192.0.2.11')).stdout, / bytes from /);
    assert.ok(await guest.pings('192.0.2.1'));
    await fabric.patch([put(open)]);
  });

  test("a flat network is on the operator's bridge", async () => {
    await fabric.patch([
      put(flat('b-flat-net', 'lab')),
      put(port('2-flat-port', 'b-flat-net', 2, [['b-flat-net-sub', '192.0.2.140']], { securityGroups: ['open'] })),
    ]);
    const guest = await guestOf('2-flat-port', 2, '192.0.2.140/25');
    assert.ok(await guest.pings('192.0.2.129'));
    await fabric.patch([remove('port', '2-flat-port'), remove('network', 'b-flat-net')]);
    assert.equal((await machine.outside('ip', 'link', 'show', 'dev', 'lab-end')).code, 1, 'nothing is left on the bridge');
  });

  test('what the configuration names and is not there, or is in use, is said, and holds up nothing else', async () => {
    const flaws = async (physicalNetwork: string): Promise<string> => {
      const error = await fabric.patch([put(flat('x-flat-net', physicalNetwork))]).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      assert.ok(error instanceof FabricFlaws);
      assert.equal(error.flaws[0]?.isPartial, true);
      return error.message;
    };
    assert.match(await flaws('gone'), /is not joined to the physical network gone: this host has no network card no-card/);
    assert.match(await flaws('busy'), /own has addresses of this host \(203\.0\.113\.1\/24\)/);
    assert.match(await flaws('nowhere'), /this host has no bridge no-bridge/);
    assert.ok(await machine.guests[0]?.pings('192.0.2.1'), 'the others go on');
    await machine.outside('ip', 'addr', 'del', '203.0.113.1/24', 'dev', 'own');
    await fabric.patch([put(flat('x-flat-net', 'busy'))]);
    await fabric.patch([remove('network', 'x-flat-net')]);
  });

  test('it goes on over a restart, and nothing is left outside when all is removed', async () => {
    const objects = [flat('a-flat-net', 'wire'), open, port('1-flat-port', 'a-flat-net', 1, [['a-flat-net-sub', '192.0.2.11']], { securityGroups: ['open'] })];
    const ping = machine.guests[0]?.spawn('ping', '-n', '-i', '0.1', '192.0.2.1');
    assert.ok(await ping?.says(/icmp_seq=3/));
    await fabric.stop();
    fabric = machine.fabric({ physicalNetworks });
    await fabric.apply(objects);
    const { changes } = fabric;
    await fabric.apply(objects);
    assert.equal(fabric.changes, changes);
    const seen = Number(/icmp_seq=(\d+)\D*$/.exec(ping?.output ?? '')?.[1] ?? 0);
    assert.ok(await ping?.says(new RegExp(`icmp_seq=${seen + 5} `)));
    assert.doesNotMatch(ping?.output ?? '', /Unreachable/i);
    await ping?.end();
  });

  test('VLANs of a card, each with its tag and apart from each other', { skip: noVlans }, async () => {
    await run('ip', ['-n', machine.outer, '-batch', '-'], {
      input: ['link add link far name far.101 type vlan id 101', 'addr add 198.51.100.1/24 dev far.101', 'link set far.101 up', ''].join('\n'),
    });
    const ports = [
      port('3-vlan-port', 'c-vlan-net', 3, [['c-vlan-net-sub', '198.51.100.11']], { securityGroups: ['open'] }),
      port('4-vlan-port', 'd-vlan-net', 4, [['d-vlan-net-sub', '198.51.100.12']], { securityGroups: ['open'] }),
    ];
    await fabric.patch([put(vlan('c-vlan-net', 101)), put(vlan('d-vlan-net', 102)), ...ports.map(put)]);
    const [right, other] = [await guestOf('3-vlan-port', 3, '198.51.100.11/24'), await guestOf('4-vlan-port', 4, '198.51.100.12/24')];
    assert.ok(await right.pings('198.51.100.1'));
    assert.ok(await right.pings('198.51.100.1', '-s', '1472', '-M', 'do'), 'a whole packet of 1500 bytes passes beside its tag');
    assert.ok(await other.cannotPing('198.51.100.1'));
    assert.ok(await right.cannotPing('198.51.100.12'));
    // the flat network is still the frames without a tag
    assert.ok(await machine.guests[0]?.pings('192.0.2.1'));
    const listen = machine.outsideSpawn('tcpdump', '-e', '-l', '-n', '-i', 'far', 'vlan', '102');
    assert.ok(await listen.says(/listening/));
    await other.cannotPing('198.51.100.77');
    assert.ok(await listen.says(/vlan 102.*who-has 198\.51\.100\.77/), 'the other one is there with its tag');
    await listen.end();
    await fabric.patch([put(vlan('c-vlan-net', 103))]);
    assert.ok(await right.cannotPing('198.51.100.1'), 'another number is another network');
    await fabric.patch([put(vlan('c-vlan-net', 101))]);
    assert.ok(await right.pings('198.51.100.1'));
  });

  test('a kernel without VLAN devices is told of, and the other networks are there', {
    skip: noVlans === false ? 'this kernel has them' : noVlans.startsWith('needs') && noVlans,
  }, async () => {
    await assert.rejects(fabric.patch([put(vlan('c-vlan-net', 101))]), /not joined to the physical network wire: the kernel of this host refuses the VLAN 101/);
    await fabric.patch([remove('network', 'c-vlan-net')]);
    assert.ok(await machine.guests[0]?.pings('192.0.2.1'));
  });

  test('nothing is left outside when all is removed', async () => {
    await fabric.apply([]);
    const { stdout } = await run('ip', ['-n', machine.outer, '-d', '-br', 'link', 'show', 'type', 'macvlan']);
    assert.equal(stdout.trim(), '');
    assert.equal((await machine.outside('ip', 'link', 'set', 'card', 'down')).code, 0);
  });
});
