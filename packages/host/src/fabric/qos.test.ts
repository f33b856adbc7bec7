import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type QosSpec, tapName } from '../interface/fabric.ts';
import type { KernelFabric } from './fabric.ts';
import { limitRules } from './plan/qos.ts';
import { type Background, cannotRun, type Guest, Machine } from './testing/machine.ts';
import { egressAll, group, macOf, network, port, put, router, rule, subnet } from './testing/objects.ts';

/** Counts what comes to a port, and says so when it is asked by a line. */
const RECEIVE = `
const s = require('node:dgram').createSocket('udp4'); let bytes = 0, packets = 0;
s.on('message', (m) => { bytes += m.length; packets++; });
s.bind(7000, () => console.log('ready'));
process.stdin.on('data', () => console.log('got ' + bytes + ' ' + packets));`;

/** Sends datagrams without a pause for some seconds; says how many it sent in how many milliseconds. */
const send = (ip: string, bytes: number, seconds: number): string => `
const s = require('node:dgram').createSocket('udp4'); const data = Buffer.alloc(${bytes}); const start = Date.now(); let sent = 0;
const next = () => { if (Date.now() - start > ${seconds * 1000}) { console.log('sent ' + sent + ' ' + (Date.now() - start)); return s.close(); }
  for (let i = 0; i < 20; i++) { sent++; s.send(data, 7000, '${ip}', () => {}); } setImmediate(next); };
s.connect(7000, '${ip}', () => { s.disconnect(); next(); });`;

test('a limit is a rate with its burst, and none is none', () => {
  assert.deepEqual(limitRules(undefined), []);
  assert.deepEqual(limitRules({ kilobitsPerSecond: 0 }), []);
  assert.deepEqual(limitRules({ kilobitsPerSecond: 8000, burstKilobits: 1600 }), ['limit rate over 1000000 bytes/second burst 200000 bytes drop']);
  assert.deepEqual(limitRules({ kilobitsPerSecond: 8 }), ['limit rate over 1000 bytes/second burst 65536 bytes drop']);
  assert.deepEqual(limitRules({ kilopacketsPerSecond: 2 }, 'ip daddr 10.0.0.1'), ['ip daddr 10.0.0.1 limit rate over 2000/second burst 1600 packets drop']);
  assert.match(limitRules({ kilobitsPerSecond: 2_147_483_647, burstKilobits: 2_147_483_647 })[0] ?? '', /burst 4294967295 bytes/);
});

describe('quality of service, with packets', { skip: cannotRun }, () => {
  let machine: Machine;
  let fabric: KernelFabric;
  let near: Guest;
  let far: Guest;
  let heard: Background;
  const open = [...egressAll, rule('ingress')];
  const net = network('qos-net', [subnet('qos-sub', '10.7.0.0/24', { gatewayIp: '10.7.0.1' })]);
  const publicNet = network('public-net', [subnet('pub-sub', '172.24.4.0/24')], { mtu: 1500, segment: { type: 'flat', physicalNetwork: 'public' } });
  const nearPort = (qos?: QosSpec, more: object = {}) =>
    port('1-near', 'qos-net', 1, [['qos-sub', '10.7.0.11']], { securityGroups: ['open'], ...(qos && { qos }), ...more });
  const farPort = (qos?: QosSpec) => port('2-far', 'qos-net', 2, [['qos-sub', '10.7.0.12']], { securityGroups: ['open'], ...(qos && { qos }) });
  const routed = (qos?: QosSpec) =>
    router('r-qos', {
      gateway: { networkId: 'public-net', mac: macOf(20), addresses: [{ ip: '172.24.4.10', prefixLength: 24, nexthop: '172.24.4.1' }], snat: true },
      interfaces: [{ portId: 'r-port', networkId: 'qos-net', mac: macOf(21), addresses: [{ ip: '10.7.0.1', prefixLength: 24 }] }],
      floatingIps: [{ id: 'f1', floatingIp: '172.24.4.50', fixedIp: '10.7.0.12', ...(qos && { qos }) }],
    });

  before(async () => {
    machine = await Machine.create();
    fabric = machine.fabric();
    await fabric.patch([put(net), put(publicNet), put(group('open', open)), put(nearPort()), put(farPort()), put(routed())]);
    near = await machine.guest(fabric, { tap: tapName('1-near'), mac: macOf(1), cidr: '10.7.0.11/24', gateway: '10.7.0.1' });
    far = await machine.guest(fabric, { tap: tapName('2-far'), mac: macOf(2), cidr: '10.7.0.12/24', gateway: '10.7.0.1' });
    assert.ok(await near.pings('10.7.0.12'));
    heard = far.spawn(process.execPath, '-e', RECEIVE);
    assert.ok(await heard.says(/ready/));
  });
  after(async () => await machine?.destroy());

  /** Bytes and packets that have come so far. */
  const got = async (): Promise<{ bytes: number; packets: number }> => {
    heard.output = '';
    heard.write('?\n');
    assert.ok(await heard.says(/got \d+ \d+/));
    const [, bytes, packets] = /got (\d+) (\d+)/.exec(heard.output) ?? [];
    return { bytes: Number(bytes), packets: Number(packets) };
  };

  /** What of a flood arrives, beside what was sent. */
  const flood = async (from: Guest | 'outside', ip: string, bytes: number, seconds: number) => {
    const before = await got();
    const sender =
      from === 'outside'
        ? machine.outsideSpawn(process.execPath, '-e', send(ip, bytes, seconds))
        : from.spawn(process.execPath, '-e', send(ip, bytes, seconds));
    assert.ok(await sender.says(/sent \d+ \d+/, 60_000));
    const [, sent, ms] = /sent (\d+) (\d+)/.exec(sender.output) ?? [];
    await sender.end();
    const after = await got();
    return {
      bytes: after.bytes - before.bytes,
      packets: after.packets - before.packets,
      sentBytes: Number(sent) * bytes,
      sentPackets: Number(sent),
      seconds: Number(ms) / 1000,
    };
  };

  const kilobits = { kilobitsPerSecond: 800, burstKilobits: 80 };
  /** 100 000 bytes a second, a second's worth to begin with and the burst; a fifth more for headers and clocks. */
  const allowed = (seconds: number): number => (seconds + 1) * 120_000 + 80_000;

  for (const [name, limit, lift] of [
    ['what a guest sends', () => nearPort({ egress: kilobits }), () => nearPort()],
    ['what a guest without port security sends', () => nearPort({ egress: kilobits }, { portSecurity: false, securityGroups: [] }), () => nearPort()],
    ['what a guest gets', () => farPort({ ingress: kilobits }), () => farPort()],
  ] as const) {
    test(`bandwidth of ${name} is limited, and free again when the limit goes`, async () => {
      await fabric.patch([put(limit())]);
      const slow = await flood(near, '10.7.0.12', 1400, 3);
      assert.ok(slow.sentBytes > 2 * allowed(slow.seconds), `the sender was too slow to tell: ${JSON.stringify(slow)}`);
      assert.ok(slow.bytes < allowed(slow.seconds), JSON.stringify(slow));
      assert.ok(slow.bytes > 100_000, JSON.stringify(slow));
      await fabric.patch([put(lift())]);
      const fast = await flood(near, '10.7.0.12', 1400, 1);
      assert.ok(fast.bytes > 1.5 * allowed(1), JSON.stringify(fast));
    });
  }

  test('the rate of packets is limited', async () => {
    await fabric.patch([put(nearPort({ egress: { kilopacketsPerSecond: 1, burstKilopackets: 1 } }))]);
    const few = await flood(near, '10.7.0.12', 20, 2);
    assert.ok(few.sentPackets > 4000 + few.seconds * 1500, `the sender was too slow to tell: ${JSON.stringify(few)}`);
    assert.ok(few.packets < 1300 + few.seconds * 1200, JSON.stringify(few));
    await fabric.patch([put(nearPort())]);
  });

  test('packets are marked, and only those of the guest', async () => {
    await fabric.patch([put(nearPort({ dscp: 26 }))]);
    const listen = far.spawn('tcpdump', '-l', '-n', '-v', '-i', 'eth0', 'icmp');
    assert.ok(await listen.says(/listening/));
    assert.ok(await near.pings('10.7.0.12'));
    assert.ok(await listen.says(/tos 0x68[^]*10\.7\.0\.11 > 10\.7\.0\.12: ICMP echo request/), listen.output);
    // the answer carries back what was asked with; a request of the other's own is not marked
    listen.output = '';
    assert.ok(await far.pings('10.7.0.11'));
    assert.ok(await listen.says(/tos 0x0[^]*10\.7\.0\.12 > 10\.7\.0\.11: ICMP echo request/), listen.output);
    await listen.end();
    await fabric.patch([put(nearPort())]);
  });

  test('a floating address has limits of its own', async () => {
    await fabric.patch([put(routed({ ingress: kilobits }))]);
    const slow = await flood('outside', '172.24.4.50', 1400, 3);
    assert.ok(slow.sentBytes > 2 * allowed(slow.seconds), `the sender was too slow to tell: ${JSON.stringify(slow)}`);
    assert.ok(slow.bytes < allowed(slow.seconds) && slow.bytes > 100_000, JSON.stringify(slow));
    await fabric.patch([put(routed())]);
    assert.ok((await flood('outside', '172.24.4.50', 1400, 1)).bytes > 1.5 * allowed(1));
  });

  test('a repeated apply finds the limits as they are to be', async () => {
    const objects = [net, publicNet, group('open', open), nearPort({ egress: kilobits, dscp: 10 }), farPort(), routed({ egress: kilobits })];
    await fabric.apply(objects);
    const { changes } = fabric;
    await fabric.apply(objects);
    assert.equal(fabric.changes, changes);
  });
});
