import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { tapName } from '../interface/fabric.ts';
import type { KernelFabric } from './fabric.ts';
import { arp, BROADCAST, ethernet, icmp6, ip6Packet, neighbourAdvert, routerAdvert, udp4, withChecksum6 } from './testing/frames.ts';
import { cannotRun, type Guest, Machine, until } from './testing/machine.ts';
import { egressAll, group, macOf, network, port, put, remove, rule, subnet } from './testing/objects.ts';

const ssh = rule('ingress', { protocol: 'tcp', portMin: 5000, portMax: 5000 });
const icmp = rule('ingress', { protocol: 'icmp' });
const echo = ['nc', '-ll', '-p', '5000', '-e', 'cat'] as const;

/** Whether a TCP connection is made and echoes. Where it should not, a second is enough to tell. */
const reaches = async (from: Guest, address: string, portNumber = 5000, seconds = 3): Promise<boolean> =>
  (
    await from.run('timeout', String(seconds), 'bash', '-c', `exec 3<>/dev/tcp/${address}/${portNumber}; echo hello >&3; read -r line <&3; echo "got $line"`)
  ).stdout.includes('got hello');

const listens = async (guest: Guest, portNumber: number): Promise<void> =>
  await until(async () => (await guest.run('ss', '-ltn')).stdout.includes(`:${portNumber} `));

describe('the firewall, with packets', { skip: cannotRun }, () => {
  let machine: Machine;
  let fabric: KernelFabric;
  let server: Guest;
  let client: Guest;
  const net = network('net', [subnet('sub', '10.0.0.0/24'), subnet('sub6', 'fd00:0:0:1::/64')]);
  const serverPort = port(
    'port-server',
    'net',
    1,
    [
      ['sub', '10.0.0.11'],
      ['sub6', 'fd00:0:0:1::11'],
    ],
    { securityGroups: ['web'] },
  );
  const clientPort = port(
    'port-client',
    'net',
    2,
    [
      ['sub', '10.0.0.12'],
      ['sub6', 'fd00:0:0:1::12'],
    ],
    { securityGroups: ['clients'] },
  );

  before(async () => {
    machine = await Machine.create();
    fabric = machine.fabric();
    await fabric.patch([put(net), put(group('web', egressAll)), put(group('clients', egressAll)), put(serverPort), put(clientPort)]);
    [server, client] = await Promise.all([
      machine.guest(fabric, { tap: tapName('port-server'), mac: macOf(1), cidr: '10.0.0.11/24' }),
      machine.guest(fabric, { tap: tapName('port-client'), mac: macOf(2), cidr: '10.0.0.12/24' }),
    ]);
    await server.ip('addr', 'add', 'fd00:0:0:1::11/64', 'dev', 'eth0', 'nodad');
    await client.ip('addr', 'add', 'fd00:0:0:1::12/64', 'dev', 'eth0', 'nodad');
    server.spawn('busybox', ...echo);
    server.spawn('busybox', 'nc', '-ll', '-p', '5001', '-e', 'cat');
    await listens(server, 5000);
    await listens(server, 5001);
  });
  after(async () => await machine?.destroy());

  test('nothing comes in without a rule; a rule lets its own traffic in', async () => {
    assert.ok(await client.cannotPing('10.0.0.11'));
    assert.equal(await reaches(client, '10.0.0.11', 5000, 1), false);
    await fabric.patch([put(group('web', [...egressAll, ssh]))]);
    assert.equal(await reaches(client, '10.0.0.11'), true);
    assert.equal(await reaches(client, '10.0.0.11', 5001, 1), false);
    assert.ok(await client.cannotPing('10.0.0.11'));
    await fabric.patch([put(group('web', [...egressAll, ssh, icmp]))]);
    assert.ok(await client.pings('10.0.0.11'));
    // The client's own group lets nothing in.
    assert.ok(await server.cannotPing('10.0.0.12'));
  });

  test('IPv6 has neighbours without a rule and traffic with one', async () => {
    assert.ok(await client.cannotPing('fd00:0:0:1::11'));
    await fabric.patch([put(group('web', [...egressAll, rule('ingress', { ethertype: 'IPv6', protocol: 'ipv6-icmp', portMin: 128, portMax: 0 })]))]);
    assert.ok(await client.pings('fd00:0:0:1::11'));
    assert.match((await client.run('ip', '-6', 'neigh', 'show', 'fd00:0:0:1::11')).stdout, /fa:16:3e:00:00:01/);
  });

  test('an ICMP type and code is a rule of its own', async () => {
    await fabric.patch([put(group('web', [...egressAll, rule('ingress', { protocol: 'icmp', portMin: 13, portMax: 0 })]))]);
    assert.ok(await client.cannotPing('10.0.0.11'));
    await fabric.patch([put(group('web', [...egressAll, rule('ingress', { protocol: 'icmp', portMin: 8 })]))]);
    assert.ok(await client.pings('10.0.0.11'));
  });

  test('nothing goes out without a rule', async () => {
    await fabric.patch([put(group('web', [ssh, icmp])), put(group('clients', []))]);
    assert.ok(await client.cannotPing('10.0.0.11'));
    await fabric.patch([put(group('clients', [rule('egress', { protocol: 'tcp', remoteCidr: '10.0.0.11/32' })]))]);
    assert.ok(await client.cannotPing('10.0.0.11'));
    assert.equal(await reaches(client, '10.0.0.11'), true, 'answers need no egress rule of the server');
    await fabric.patch([put(group('clients', egressAll))]);
  });

  test('a rule for a remote group is for its members, as they come and go', async () => {
    const fromGroup = rule('ingress', { remoteGroupId: 'friends' });
    await fabric.patch([put(group('web', [...egressAll, fromGroup])), put(group('friends', []))]);
    assert.ok(await client.cannotPing('10.0.0.11'));
    await fabric.patch([put({ ...clientPort, securityGroups: ['clients', 'friends'] })]);
    assert.ok(await client.pings('10.0.0.11'));
    const talk = client.spawn('ping', '-n', '-i', '0.2', '10.0.0.11');
    assert.ok(await talk.says(/icmp_seq=2 ttl/));
    await fabric.patch([put(clientPort)]);
    // An echo request goes on with the identifier, so to conntrack it is the old connection.
    const before = talk.output.length;
    await new Promise((resolve) => setTimeout(resolve, 900));
    assert.doesNotMatch(talk.output.slice(before + 80), /ttl=/, 'the established connection of a former member is cut');
    await talk.end();
    assert.ok(await client.cannotPing('10.0.0.11'));
  });

  test('a removed rule cuts what it had let in, and nothing else', async () => {
    const other = rule('ingress', { protocol: 'tcp', portMin: 5001, portMax: 5001 });
    await fabric.patch([put(group('web', [...egressAll, ssh, other]))]);
    const cut = client.spawn('busybox', 'nc', '10.0.0.11', '5000');
    const kept = client.spawn('busybox', 'nc', '10.0.0.11', '5001');
    cut.write('one\n');
    kept.write('one\n');
    assert.ok((await cut.says(/one/)) && (await kept.says(/one/)));
    await fabric.patch([put(group('web', [...egressAll, other]))]);
    cut.write('two\n');
    kept.write('two\n');
    assert.ok(await kept.says(/two/, 1000));
    assert.equal(await cut.says(/two/, 1000), false);
    // The connection is not forgotten but forbidden: with the rule back, what was sent meanwhile arrives.
    await fabric.patch([put(group('web', [...egressAll, other, ssh]))]);
    assert.ok(await cut.says(/two/, 10_000));
    await cut.end();
    await kept.end();
  });

  test('the one who is called cannot keep a forbidden connection alive', async () => {
    server.spawn('busybox', 'nc', '-l', '-p', '5003', '-e', 'sh', '-c', 'while sleep 0.1; do echo tick; done');
    const streaming = rule('ingress', { protocol: 'tcp', portMin: 5003, portMax: 5003 });
    await fabric.patch([put(group('web', [...egressAll, streaming]))]);
    await listens(server, 5003);
    const stream = client.spawn('busybox', 'nc', '10.0.0.11', '5003');
    assert.ok(await stream.says(/tick\ntick/));
    await fabric.patch([put(group('web', egressAll))]);
    await new Promise((resolve) => setTimeout(resolve, 100));
    const before = stream.output.length;
    await new Promise((resolve) => setTimeout(resolve, 1500));
    assert.equal(stream.output.length, before);
    await stream.end();
  });

  test('traffic that stays allowed loses no packet while rules change', async () => {
    const stays = rule('ingress', { protocol: 'icmp', remoteCidr: '10.0.0.0/24' });
    await fabric.patch([put(group('web', [...egressAll, stays]))]);
    const ping = client.spawn('ping', '-n', '-i', '0.01', '-c', '200', '-W', '1', '10.0.0.11');
    for (let i = 0; i < 30; i++) {
      const noise = rule('ingress', { protocol: 'tcp', portMin: 6000 + i, portMax: 6000 + i });
      await fabric.patch([put(group('web', i % 2 ? [...egressAll, icmp, noise] : [...egressAll, stays, noise]))]);
    }
    assert.ok(await ping.says(/packets transmitted/, 10_000));
    assert.match(ping.output, /200 packets transmitted, 200 received/);
    await ping.end();
  });

  test('a false IP address, MAC or ARP answer goes nowhere', async () => {
    await fabric.patch([put(group('web', [...egressAll, icmp])), put(serverPort)]);
    assert.ok(await client.pings('10.0.0.11'));
    await client.ip('addr', 'add', '10.0.0.99/24', 'dev', 'eth0');
    assert.ok(await client.cannotPing('10.0.0.11', '-I', '10.0.0.99'), 'IPv4');
    await client.ip('addr', 'add', 'fd00:0:0:1::99/64', 'dev', 'eth0', 'nodad');
    await fabric.patch([put(group('web', [...egressAll, icmp, rule('ingress', { ethertype: 'IPv6' })]))]);
    assert.ok(await client.pings('fd00:0:0:1::11', '-I', 'fd00:0:0:1::12'));
    assert.ok(await client.cannotPing('fd00:0:0:1::11', '-I', 'fd00:0:0:1::99'), 'IPv6');
    await client.ip('addr', 'delete', 'fd00:0:0:1::99/64', 'dev', 'eth0');
    await client.ip('link', 'set', 'eth0', 'address', macOf(99));
    assert.ok(await client.cannotPing('10.0.0.11'), 'MAC');
    await client.ip('link', 'set', 'eth0', 'address', macOf(2));
    assert.ok(await client.pings('10.0.0.11'));
  });

  test("OSSA-2021-001, OSSA-2021-004: no frame claims what is not its sender's: forged ARP, neighbours, MAC, DHCP servers, routers", async () => {
    const all = [...egressAll, rule('ingress'), rule('ingress', { ethertype: 'IPv6' })];
    await fabric.patch([put(group('web', all)), put(group('clients', all)), put(serverPort), put(clientPort)]);
    const [me, other] = [macOf(2), macOf(7)];
    const lla = 'fe80::f816:3eff:fe00:2';
    const all6 = 'ff02::1';
    const from6 = (type: number, body: Buffer, source = lla): Buffer =>
      ethernet('33:33:00:00:00:01', me, 0x86dd, ip6Packet(source, all6, 58, icmp6(source, all6, type, body)));
    const marked = (text: string): Buffer => udp4('10.0.0.12', 5555, '10.0.0.11', 5555, text);
    const frames: Record<string, { readonly frame: Buffer; readonly bytes: Buffer | string }> = {};
    const add = (name: string, frame: Buffer, bytes: Buffer | string): void => void (frames[name] = { frame, bytes });
    add('ARP answer for another address', ethernet(BROADCAST, me, 0x0806, arp(2, me, '10.0.0.77', BROADCAST, '10.0.0.11')), Buffer.from([10, 0, 0, 77]));
    add('ARP request in the name of another', ethernet(BROADCAST, me, 0x0806, arp(1, me, '10.0.0.78', BROADCAST, '10.0.0.11')), Buffer.from([10, 0, 0, 78]));
    add(
      'ARP with another MAC inside',
      ethernet(BROADCAST, me, 0x0806, arp(2, '02:aa:bb:cc:dd:01', '10.0.0.12', BROADCAST, '10.0.0.11')),
      Buffer.from('02aabbccdd01', 'hex'),
    );
    add('another MAC', ethernet(macOf(1), other, 0x0800, marked('another-mac')), 'another-mac');
    add('another IPv4 address', ethernet(macOf(1), me, 0x0800, udp4('10.0.0.79', 5555, '10.0.0.11', 5555, 'another-v4')), 'another-v4');
    add(
      'another IPv6 address',
      ethernet(
        macOf(1),
        me,
        0x86dd,
        ip6Packet('fd00:0:0:1::79', 'fd00:0:0:1::11', 58, icmp6('fd00:0:0:1::79', 'fd00:0:0:1::11', 128, Buffer.from('0001another-v6'))),
      ),
      'another-v6',
    );
    add('a neighbour advertisement for another', from6(136, neighbourAdvert('fd00:0:0:1::77', me)), Buffer.from('fd000000000000010000000000000077', 'hex'));
    add('a router advertisement', from6(134, Buffer.concat([routerAdvert(), Buffer.from('router-advert...')])), 'router-advert');
    const advert = icmp6(lla, all6, 134, Buffer.concat([routerAdvert(), Buffer.from('hidden-advert...')]));
    add(
      'a router advertisement behind a fragment header',
      ethernet('33:33:00:00:00:01', me, 0x86dd, ip6Packet(lla, all6, 58, advert, { type: 44, bytes: Buffer.from([58, 0, 0, 0, 0, 0, 0, 9]) })),
      'hidden-advert',
    );
    add('a DHCP offer', ethernet(BROADCAST, me, 0x0800, udp4('10.0.0.12', 67, '255.255.255.255', 68, 'dhcp-offer')), 'dhcp-offer');
    const lla6 = 'fe80::f816:3eff:fe00:7';
    const target = Buffer.from('fd000000000000010000000000000088', 'hex');
    add(
      'an address probe for an address of another',
      ethernet('33:33:00:00:00:01', me, 0x86dd, ip6Packet('::', all6, 58, icmp6('::', all6, 135, Buffer.concat([Buffer.alloc(4), target])))),
      target,
    );
    const advert6 = icmp6(lla, all6, 136, neighbourAdvert('fd00:0:0:1::89', me));
    const hops = { type: 0, bytes: Buffer.from([58, 0, 1, 4, 0, 0, 0, 0]) };
    add(
      'a neighbour advertisement for another, behind hop-by-hop options',
      ethernet('33:33:00:00:00:01', me, 0x86dd, ip6Packet(lla, all6, 58, advert6, hops)),
      Buffer.from('fd000000000000010000000000000089', 'hex'),
    );
    add(
      'a neighbour advertisement from the link-local address of another',
      from6(136, neighbourAdvert(lla6, me), lla6),
      Buffer.from('f8163efffe000007', 'hex'),
    );
    add('a redirect', from6(137, Buffer.from('0000a-redirect-to-me-0123456789abcdef')), 'a-redirect');
    const reply = Buffer.concat([Buffer.from([2, 35, 2, 34, 0, 24, 0, 0]), Buffer.from('a-dhcpv6-reply..')]);
    add('a DHCPv6 answer', ethernet('33:33:00:00:00:01', me, 0x86dd, ip6Packet(lla, all6, 17, withChecksum6(lla, all6, 17, reply, 6))), 'a-dhcpv6-reply');
    add('a VLAN tag', ethernet(macOf(1), me, 0x0800, marked('with-a-tag'), 5), 'with-a-tag');
    add('another protocol', ethernet(macOf(1), me, 0x88b5, Buffer.from('another-protocol')), 'another-protocol');
    const honest = (text: string): Buffer => ethernet(macOf(1), me, 0x0800, marked(text));
    for (const { frame } of Object.values(frames)) client.send(frame);
    client.send(honest('honest-1'));
    assert.ok(await server.hears('honest-1'), 'what comes after them arrives');
    for (const [name, { bytes }] of Object.entries(frames)) assert.equal(await server.hears(bytes, 0), false, name);
    // All of them are frames that arrive where nothing is filtered: the test does send them.
    await fabric.patch([put({ ...serverPort, portSecurity: false }), put({ ...clientPort, portSecurity: false })]);
    for (const { frame } of Object.values(frames)) client.send(frame);
    for (const [name, { bytes }] of Object.entries(frames)) assert.equal(await server.hears(bytes), true, name);
    await fabric.patch([put(serverPort), put(clientPort)]);
    server.frames.length = 0;
    client.send(ethernet(BROADCAST, me, 0x0806, arp(1, me, '0.0.0.0', BROADCAST, '10.0.0.12')));
    assert.ok(await server.hears(Buffer.from('fa163e00000200000000ff', 'hex')), 'an address probe passes');
    await fabric.patch([put(group('web', egressAll)), put(group('clients', egressAll))]);
  });

  test('frames for others do not reach a guest', async () => {
    await fabric.patch([put({ ...clientPort, portSecurity: false })]);
    // Nobody has this address, so the bridge sends the frame everywhere.
    client.send(ethernet('02:00:00:00:00:55', macOf(2), 0x0800, udp4('10.0.0.12', 1, '10.0.0.55', 1, 'for-somebody')));
    client.send(ethernet(BROADCAST, macOf(2), 0x0806, arp(1, macOf(2), '10.0.0.12', BROADCAST, '10.0.0.44')));
    assert.ok(await server.hears(Buffer.from([10, 0, 0, 44])));
    assert.equal(await server.hears('for-somebody', 0), false);
    await fabric.patch([put(clientPort)]);
  });

  test('allowed address pairs: what is listed passes, and only that', async () => {
    await fabric.patch([put(group('web', [...egressAll, icmp]))]);
    const from = async (address: string): Promise<boolean> => !(await client.cannotPing('10.0.0.11', '-I', address));
    await client.ip('addr', 'replace', '10.0.0.99/24', 'dev', 'eth0');
    await client.ip('addr', 'replace', '10.0.0.200/24', 'dev', 'eth0');
    assert.equal(await from('10.0.0.99'), false);
    await fabric.patch([put({ ...clientPort, allowedAddressPairs: [{ mac: macOf(2), cidr: '10.0.0.99' }] })]);
    assert.equal(await from('10.0.0.99'), true);
    assert.equal(await from('10.0.0.200'), false);
    // A network that contains what was listed before.
    await fabric.patch([
      put({
        ...clientPort,
        allowedAddressPairs: [
          { mac: macOf(2), cidr: '10.0.0.0/24' },
          { mac: macOf(2), cidr: '10.0.0.99/32' },
        ],
      }),
    ]);
    assert.equal(await from('10.0.0.200'), true);
    await fabric.patch([put({ ...clientPort, allowedAddressPairs: [{ mac: macOf(50), cidr: '10.0.0.12' }] })]);
    await client.ip('link', 'set', 'eth0', 'address', macOf(50));
    assert.ok(await client.pings('10.0.0.11'), 'another MAC');
    await client.ip('link', 'set', 'eth0', 'address', macOf(2));
    await fabric.patch([put(clientPort)]);
    assert.equal(await from('10.0.0.99'), false);
    for (const address of ['10.0.0.99/24', '10.0.0.200/24']) await client.ip('addr', 'delete', address, 'dev', 'eth0');
  });

  test('a port that is switched off passes nothing; without port security it passes all', async () => {
    await fabric.patch([put(group('web', [...egressAll, icmp]))]);
    assert.ok(await client.pings('10.0.0.11'));
    await fabric.patch([put({ ...serverPort, adminUp: false })]);
    assert.ok(await client.cannotPing('10.0.0.11'));
    await fabric.patch([put({ ...serverPort, securityGroups: [], portSecurity: false })]);
    assert.equal(await reaches(client, '10.0.0.11', 5001), true);
    await fabric.patch([put(serverPort)]);
    assert.equal(await reaches(client, '10.0.0.11', 5001, 1), false);
  });

  test('a stateless group judges each packet by itself', async () => {
    await fabric.patch([put(group('web', [ssh], { stateful: false }))]);
    assert.equal(await reaches(client, '10.0.0.11', 5000, 1), false, 'the answer has no rule');
    await fabric.patch([put(group('web', [ssh, rule('egress', { protocol: 'tcp' })], { stateful: false }))]);
    assert.equal(await reaches(client, '10.0.0.11'), true);
    await fabric.patch([put(group('web', egressAll))]);
  });

  test('patches that come together are one pass', async () => {
    const before = fabric.changes;
    await Promise.all(
      Array.from(
        { length: 20 },
        async (_, i) => await fabric.patch([put(port(`${i}-bulk-port`, 'net', 300 + i, [['sub', `10.0.0.${100 + i}`]], { securityGroups: ['web'] }))]),
      ),
    );
    assert.ok(fabric.changes - before <= 3, `${fabric.changes - before} processes`);
    await Promise.all(Array.from({ length: 20 }, async (_, i) => await fabric.patch([remove('port', `${i}-bulk-port`)])));
  });

  test('a port that cannot be is refused and nothing changes', async () => {
    const before = fabric.changes;
    for (const bad of [
      { ...clientPort, mac: 'fa:16:3e:00:00:01 accept' },
      { ...clientPort, fixedIps: [{ subnetId: 'sub', ip: '10.0.0.1 }' }] },
      { ...clientPort, attachment: { kind: 'guest' as const, tap: 'tapx; reboot' } },
      { ...clientPort, hostname: 'a\nb' },
      { ...clientPort, extraDhcpOptions: [{ name: 'mtu', value: '1\ndhcp-script=/bin/sh', ipVersion: 4 as const }] },
    ]) {
      await assert.rejects(fabric.patch([put(bad)]), { name: 'InvalidInput' });
    }
    await assert.rejects(fabric.patch([put({ ...clientPort, id: 'other' })]), { name: 'Conflict' });
    await assert.rejects(fabric.patch([put(port('orphan', 'nowhere', 9, []))]), { name: 'Conflict' });
    assert.equal(fabric.changes, before);
  });
});
