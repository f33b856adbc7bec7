import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type FabricObject, type RouterSpec, tapName } from '../interface/fabric.ts';
import { run } from '../process/run.ts';
import { Underlay } from '../real/underlay.ts';
import type { KernelFabric } from './fabric.ts';
import { namesOf } from './names.ts';
import { ethernet, tcp4 } from './testing/frames.ts';
import { cannotRun, type Guest, Machine, until } from './testing/machine.ts';
import { egressAll, group, macOf, network, port, put, remove, router, rule, subnet } from './testing/objects.ts';

/** What is on which host: the router is whole on the first and has a part on the second. */
describe('a distributed router on two hosts, with packets', { skip: cannotRun }, () => {
  let machine: Machine;
  let underlay: Underlay;
  const fabrics: KernelFabric[] = [];
  let red: Guest;
  let green: Guest;
  let blue: Guest;
  let far: Guest;
  let stranger: Guest;
  const PART = { red: 'f2:00:00:00:00:21', blue: 'f2:00:00:00:00:22', outside: 'f2:00:00:00:00:20' };
  const WHOLE = { red: macOf(21), blue: macOf(22), outside: macOf(20) };
  const RED = [
    ['red-sub', '10.1.0.12'],
    ['red-six', '2001:db8:1::12'],
  ] as const;
  const FAR = [
    ['blue-sub', '10.2.0.11'],
    ['blue-six', '2001:db8:2::11'],
  ] as const;
  const none = { attachment: { kind: 'none' } } as const;
  const open = { securityGroups: ['open'] };
  const floating = { id: 'f1', floatingIp: '172.24.4.52', fixedIp: '10.1.0.12' };
  const interfaces = [
    {
      portId: 'r-red-port',
      networkId: 'a-red-net',
      mac: WHOLE.red,
      addresses: [
        { ip: '10.1.0.1', prefixLength: 24 },
        { ip: '2001:db8:1::1', prefixLength: 64 },
      ],
    },
    {
      portId: 'r-blue-port',
      networkId: 'b-blue-net',
      mac: WHOLE.blue,
      addresses: [
        { ip: '10.2.0.1', prefixLength: 24 },
        { ip: '2001:db8:2::1', prefixLength: 64 },
      ],
    },
  ];
  const whole = router('d-router', {
    gateway: { networkId: 'p-public-net', mac: WHOLE.outside, addresses: [{ ip: '172.24.4.10', prefixLength: 24, nexthop: '172.24.4.1' }], snat: true },
    interfaces,
    routes: [{ destination: '192.0.2.0/24', nexthop: '10.2.0.50' }],
  });
  const part = router('d-router', {
    isPart: true,
    gateway: { networkId: 'p-public-net', mac: PART.outside, addresses: [], snat: false, onLink: [{ cidr: '172.24.4.0/24', nexthop: '172.24.4.1' }] },
    interfaces: interfaces.map((link, i) => ({ ...link, mac: i === 0 ? PART.red : PART.blue, sharedMac: link.mac })),
    routes: whole.routes,
    floatingIps: [floating],
  } satisfies Partial<RouterSpec>);

  /** While the floating address is at the other host. */
  const without = { ...whole, floatingElsewhere: ['10.1.0.12'] };

  /** The objects that both hosts have; ports are plugged where their host says. */
  const shared = (host: 1 | 2): readonly FabricObject[] => {
    const peers = [`100.127.0.${host === 1 ? 2 : 1}`];
    const at = (own: 1 | 2) => (host === own ? open : { ...open, ...none });
    return [
      network('p-public-net', [subnet('pub-sub', '172.24.4.0/24')], { mtu: 1500, segment: { type: 'flat', physicalNetwork: 'public' } }),
      network('a-red-net', [subnet('red-sub', '10.1.0.0/24', { gatewayIp: '10.1.0.1' })], { tunnel: { vni: 7, udpPort: 4789, peers } }),
      network('b-blue-net', [subnet('blue-sub', '10.2.0.0/24', { gatewayIp: '10.2.0.1' })], { tunnel: { vni: 8, udpPort: 4789, peers } }),
      group('open', [...egressAll, rule('ingress'), rule('ingress', { ethertype: 'IPv6' })]),
      port('1-red-port', 'a-red-net', 1, RED, at(2)),
      port('2-blue-port', 'b-blue-net', 2, [['blue-sub', '10.2.0.12']], at(2)),
      port('3-far-port', 'b-blue-net', 3, FAR, {
        ...at(1),
        allowedAddressPairs: ['10.2.0.50/32', '192.0.2.0/24'].map((cidr) => ({ mac: macOf(3), cidr })),
      }),
      port('4-green-port', 'a-red-net', 4, [['red-sub', '10.1.0.13']], at(2)),
      port('6-out-port', 'p-public-net', 6, [['pub-sub', '172.24.4.99']], at(2)),
    ];
  };

  async function hostFabric(index: 1 | 2): Promise<KernelFabric> {
    const dir = join(machine.runDir, `h${index}`);
    await mkdir(dir, { recursive: true, mode: 0o755 });
    return machine.fabric({
      instance: `${machine.instance}${index}`,
      dataDir: dir,
      runDir: dir,
      physicalNetworks: { public: underlay.publicPort(index) },
      tunnels: underlay.endpoint(index),
      outerNetns: underlay.netns,
    });
  }

  const outside = async (command: string, ...args: string[]): Promise<string> =>
    (await run(command, args, { netns: underlay.netns, okCodes: [0, 1, 2], timeoutMs: 20_000 })).stdout;
  const answers = async (ip: string): Promise<boolean> => (await outside('ping', '-n', '-c', '1', '-w', '4', ip)).includes(' bytes from ');
  const outsideMacOf = async (ip: string): Promise<string> => /lladdr (\S+)/.exec(await outside('ip', 'neigh', 'show', ip))?.[1] ?? '';
  /** As whom a guest shows itself outside: the sender of what arrives there. */
  const seenAs = async (guest: Guest): Promise<string> => {
    const listen = machine.spawnIn(underlay.netns, 'tcpdump', '-l', '-n', '-i', 'public', 'icmp[icmptype] == icmp-echo');
    assert.ok(await listen.says(/listening/));
    assert.ok(await guest.pings('172.24.4.1'));
    assert.ok(await listen.says(/IP \S+ > 172\.24\.4\.1:/));
    await listen.end();
    return /IP (\S+) > 172\.24\.4\.1:/.exec(listen.output)?.[1] ?? '';
  };
  /** The senders of the IPv4 frames with this source that reached a guest. */
  const sendersTo = (guest: Guest, mac: string, source: string): ReadonlySet<string> => {
    const ip = Buffer.from(source.split('.').map(Number));
    const to = guest.frames.filter((frame) => frame.subarray(0, 6).toString('hex') === mac.replaceAll(':', '') && frame.subarray(26, 30).equals(ip));
    return new Set(
      to.filter((frame) => frame.readUInt16BE(12) === 0x0800).map((frame) => (frame.subarray(6, 12).toString('hex').match(/../g) ?? []).join(':')),
    );
  };

  before(async () => {
    machine = await Machine.create();
    underlay = new Underlay({ instance: machine.instance, hosts: 2, scratchDir: join(machine.runDir, 'underlay') });
    await underlay.ensure();
    await run('ip', ['-n', underlay.netns, 'addr', 'add', '172.24.4.1/24', 'dev', 'public']);
    fabrics.push(await hostFabric(1), await hostFabric(2));
    const [one, two] = fabrics as [KernelFabric, KernelFabric];
    await one.apply([...shared(1), without]);
    await two.apply([...shared(2), part]);
    red = await machine.guest(two, { tap: tapName('1-red-port'), mac: macOf(1), cidr: '10.1.0.12/24', gateway: '10.1.0.1' });
    blue = await machine.guest(two, { tap: tapName('2-blue-port'), mac: macOf(2), cidr: '10.2.0.12/24', gateway: '10.2.0.1' });
    far = await machine.guest(one, { tap: tapName('3-far-port'), mac: macOf(3), cidr: '10.2.0.11/24', gateway: '10.2.0.1' });
    green = await machine.guest(two, { tap: tapName('4-green-port'), mac: macOf(4), cidr: '10.1.0.13/24', gateway: '10.1.0.1' });
    stranger = await machine.guest(two, { tap: tapName('6-out-port'), mac: macOf(6), cidr: '172.24.4.99/24' });
  });
  after(async () => {
    await machine?.settle();
    for (const fabric of fabrics) await fabric.destroy();
    await underlay?.destroy();
    await machine?.destroy();
  });

  test('a floating address is answered for at the host of its server, by a MAC of that host', async () => {
    assert.ok(await answers('172.24.4.52'));
    assert.equal(await outsideMacOf('172.24.4.52'), PART.outside);
    assert.equal(await seenAs(red), '172.24.4.52');
  });

  test('who has no floating address goes out behind the address of the whole router', async () => {
    assert.equal(await seenAs(blue), '172.24.4.10');
    assert.equal(await seenAs(green), '172.24.4.10');
  });

  test('nobody outside calls a fixed address by the part', async () => {
    await outside('ip', 'route', 'replace', '10.1.0.0/24', 'via', '172.24.4.52');
    assert.equal(await outside('ping', '-n', '-c', '2', '-i', '0.2', '-W', '1', '10.1.0.13').then((text) => text.includes(' bytes from ')), false);
    await outside('ip', 'route', 'delete', '10.1.0.0/24');
  });

  test('guests know the gateway by one MAC, and are routed to each other at the host of the sender', async () => {
    assert.ok(await red.pings('10.2.0.11'));
    assert.deepEqual(sendersTo(far, macOf(3), '10.1.0.12'), new Set([PART.blue]));
    assert.deepEqual(sendersTo(red, macOf(1), '10.2.0.11'), new Set([WHOLE.red]));
    assert.match((await red.run('ip', 'neigh', 'show', '10.1.0.1')).stdout, new RegExp(WHOLE.red));
    assert.ok(await green.pings('10.2.0.12'));
    assert.deepEqual(sendersTo(blue, macOf(2), '10.1.0.13'), new Set([PART.blue]));
  });

  test('IPv6 goes the same way', async () => {
    await red.ip('addr', 'add', '2001:db8:1::12/64', 'dev', 'eth0', 'nodad');
    await red.ip('-6', 'route', 'add', 'default', 'via', '2001:db8:1::1');
    await far.ip('addr', 'add', '2001:db8:2::11/64', 'dev', 'eth0', 'nodad');
    await far.ip('-6', 'route', 'add', 'default', 'via', '2001:db8:2::1');
    assert.ok(await red.pings('2001:db8:2::11'));
    const echoes = far.frames.filter((frame) => frame.readUInt16BE(12) === 0x86dd && frame[20] === 58 && frame[54] === 128);
    assert.deepEqual(new Set(echoes.map((frame) => frame.subarray(6, 12).toString('hex'))), new Set([PART.blue.replaceAll(':', '')]));
    assert.match((await red.run('ip', '-6', 'neigh', 'show', '2001:db8:1::1')).stdout, new RegExp(WHOLE.red));
  });

  test('floating addresses are reached from inside: by their own server, and by those without one', async () => {
    for (const guest of [red, green, blue, far]) assert.ok(await guest.pings('172.24.4.52'));
  });

  test('an address that only its guest knows of is reached by the whole router, and so is what a route leads to by it', async () => {
    await far.ip('addr', 'add', '10.2.0.50/24', 'dev', 'eth0');
    await far.ip('addr', 'add', '192.0.2.9/32', 'dev', 'lo');
    for (const guest of [red, green]) for (const ip of ['10.2.0.50', '192.0.2.9']) assert.ok(await guest.pings(ip), `${ip} does not answer`);
  });

  test('who has a floating address that is not answered for yet shows no other one outside', async () => {
    const two = fabrics[1] as KernelFabric;
    await two.patch([put({ ...part, floatingIps: [] })]);
    assert.ok(await red.cannotPing('172.24.4.1'));
    assert.ok(await red.pings('10.2.0.11'));
    await two.patch([put(part)]);
    assert.ok(await red.pings('172.24.4.1'));
  });

  test('a connection goes on where another part, which knows nothing of it, comes to answer for the address', async () => {
    const two = fabrics[1] as KernelFabric;
    const script = 'i=0; while sleep 0.1; do i=$((i+1)); echo tick $i.; done';
    red.spawn('busybox', 'nc', '-l', '-p', '5003', '-e', 'sh', '-c', script);
    await until(async () => (await red.run('ss', '-ltn')).stdout.includes(':5003'));
    const stream = machine.spawnIn(underlay.netns, 'busybox', 'nc', '172.24.4.52', '5003');
    assert.ok(await stream.says(/tick 3\./, 20_000));
    // as where its server is resumed on another host: nobody answers, the server sends on, and then it is answered for
    await two.patch([put({ ...part, floatingIps: [] })]);
    const last = Number(/tick (\d+)\.\n$/.exec(stream.output)?.[1]);
    assert.ok(await red.cannotPing('172.24.4.1'));
    await two.patch([put(part)]);
    assert.ok(await stream.says(new RegExp(`tick ${last + 15}\\.`), 60_000), stream.output);
    await stream.end();
  });

  test('what tracking cannot place is not answered by a reset, by a part or by the whole router', async () => {
    const [one, two] = fabrics as [KernelFabric, KernelFabric];
    const resets = (from: number): readonly number[] =>
      stranger.frames
        .filter((frame) => frame.readUInt16BE(12) === 0x0800 && frame[23] === 6 && frame.readUInt16BE(34) === from && ((frame[47] ?? 0) & 4) !== 0)
        .map((frame) => frame.readUInt16BE(36));
    const send = (to: string, sourcePort: number, port: number, flags: number): void =>
      stranger.send(ethernet(to, macOf(6), 0x0800, tcp4('172.24.4.99', sourcePort, '172.24.4.52', port, flags)));
    const FIN = 1;
    const SYN = 2;
    // nobody listens: the server itself says so to who begins a connection, as the last of three; before it, no valid beginnings
    const judge = async (mac: string, port: number): Promise<void> => {
      for (const sourcePort of [5001, 5002]) send(mac, sourcePort, port, FIN);
      send(mac, 5003, port, SYN);
      assert.ok(await until(async () => resets(port).includes(5003)).then(() => true));
      assert.deepEqual(resets(port), [5003]);
    };
    assert.ok(await stranger.pings('172.24.4.52'));
    await judge(PART.outside, 6001);
    await two.patch([put({ ...part, floatingIps: [] })]);
    await one.patch([put({ ...whole, floatingIps: [floating] })]);
    assert.ok(await until(async () => await answers('172.24.4.52')).then(() => true));
    await judge(WHOLE.outside, 6002);
    await one.patch([put(without)]);
    await two.patch([put(part)]);
  });

  test('without the whole router floating addresses work, and so does what is on one host', async () => {
    const [one] = fabrics as [KernelFabric];
    for (const [guest, ip, mac] of [
      [red, '10.1.0.1', WHOLE.red],
      [green, '10.1.0.1', WHOLE.red],
      [blue, '10.2.0.1', WHOLE.blue],
    ] as const)
      await guest.ip('neigh', 'replace', ip, 'lladdr', mac, 'dev', 'eth0', 'nud', 'permanent');
    await one.patch([put({ ...without, adminUp: false })]);
    assert.ok(await answers('172.24.4.52'));
    assert.ok(await red.pings('172.24.4.1'));
    assert.ok(await green.pings('10.2.0.12'));
    assert.ok(await green.cannotPing('172.24.4.1'));
    await one.patch([put(without)]);
    assert.ok(await green.pings('172.24.4.1'));
  });

  test('a restart of the host loses nothing of a floating address, and changes nothing', async () => {
    const ping = machine.spawnIn(underlay.netns, 'ping', '-n', '-i', '0.2', '-c', '25', '-W', '5', '172.24.4.52');
    assert.ok(await ping.says(/bytes from/));
    const next = await hostFabric(2);
    await fabrics[1]?.stop();
    await next.apply([...shared(2), part]);
    fabrics[1] = next;
    assert.ok(await ping.says(/25 received/, 30_000), ping.output);
    const before = next.changes;
    await next.apply([...shared(2), part]);
    assert.equal(next.changes, before);
  });

  test('ports that come are known to the part, and those that go are not', async () => {
    const two = fabrics[1] as KernelFabric;
    const netns = namesOf(`${machine.instance}2`).router('d-router');
    const known = async (): Promise<string> => (await run('ip', ['-n', netns, 'neigh', 'show', 'nud', 'permanent'])).stdout;
    await two.patch([put(port('5-new-port', 'b-blue-net', 5, [['blue-sub', '10.2.0.15']], none))]);
    assert.match(await known(), new RegExp(`10\\.2\\.0\\.15 dev qr-r-blue-port lladdr ${macOf(5)}`));
    const map = async (): Promise<string> => (await run('nft', ['list', 'map', 'bridge', 'cairn', 'part_near4'], { netns: two.switchNamespace })).stdout;
    assert.match(await map(), /10\.2\.0\.15/);
    await two.patch([put(port('5-new-port', 'b-blue-net', 5, [['blue-sub', '10.2.0.15']], { ...none, isUnbound: true }))]);
    assert.doesNotMatch(await known(), /10\.2\.0\.15/);
    assert.doesNotMatch(await map(), /10\.2\.0\.15/);
    await two.patch([remove('port', '5-new-port')]);
  });

  test('the floating address goes with its server to the other host, and the neighbours outside hear of it', async () => {
    const [one, two] = fabrics as [KernelFabric, KernelFabric];
    await answers('172.24.4.52');
    assert.equal(await outsideMacOf('172.24.4.52'), PART.outside);
    await two.patch([put(port('1-red-port', 'a-red-net', 1, RED, { ...open, ...none })), put({ ...part, floatingIps: [] })]);
    await red.unplug();
    await one.patch([put(port('1-red-port', 'a-red-net', 1, RED, open)), put({ ...whole, floatingIps: [floating] })]);
    const moved = await machine.guest(one, { tap: tapName('1-red-port'), mac: macOf(1), cidr: '10.1.0.12/24', gateway: '10.1.0.1' });
    // nobody asks outside; it is told
    await until(async () => (await outsideMacOf('172.24.4.52')) === WHOLE.outside, 20_000);
    assert.ok(await answers('172.24.4.52'));
    assert.equal(await seenAs(moved), '172.24.4.52');
    assert.ok(await moved.pings('10.2.0.12'));
    assert.ok(await green.pings('10.1.0.12'));
  });
});
