import assert from 'node:assert/strict';
import { chmod, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { tapName, type SubnetSpec } from '../interface/fabric.ts';
import type { KernelFabric } from './fabric.ts';
import { cannotRun, type Guest, Machine, until } from './testing/machine.ts';
import { egressAll, group, macOf, network, port, put, remove, router, subnet } from './testing/objects.ts';

describe('DHCP, with packets', { skip: cannotRun }, () => {
  let machine: Machine;
  let fabric: KernelFabric;
  let script = '';
  let red: Guest;
  let twin: Guest;
  const dhcp = (n: number): NonNullable<SubnetSpec['dhcp']> => ({ ip: `10.5.0.${n}`, mac: macOf(200 + n) });
  const redSubnet = subnet('red-sub', '10.5.0.0/24', {
    gatewayIp: '10.5.0.1',
    dhcp: dhcp(2),
    dnsServers: ['9.9.9.9', '8.8.8.8'],
    hostRoutes: [{ destination: '192.168.9.0/24', nexthop: '10.5.0.7' }],
  });
  const redNet = network('a-red-net', [redSubnet, subnet('other-sub', '10.6.0.0/24')], { dnsDomain: 'example.org.' });
  const twinNet = network('b-twin-net', [subnet('twin-sub', '10.5.0.0/24', { dhcp: dhcp(3), isolated: true })], { mtu: 1400 });
  const redPort = port('1-red-port', 'a-red-net', 1, [['red-sub', '10.5.0.11']], {
    securityGroups: ['open'],
    hostname: 'web-one',
    extraDhcpOptions: [
      { name: 'tftp-server', value: '10.5.0.9', ipVersion: 4 },
      { name: '67', value: 'boot, with a comma', ipVersion: 4 },
      { name: 'bootfile-name', value: 'never', ipVersion: 6 },
    ],
  });

  /** The variables that udhcpc gives to its script, once it has a lease; empty without one. */
  const ask = async (guest: Guest, ...more: string[]): Promise<string> =>
    (
      await guest.run(
        'busybox',
        'udhcpc',
        '-i',
        'eth0',
        '-f',
        '-q',
        '-n',
        '-t',
        '4',
        '-T',
        '1',
        '-s',
        script,
        '-O',
        '121',
        '-O',
        'mtu',
        '-O',
        '66',
        '-O',
        '67',
        '-O',
        '249',
        ...more,
      )
    ).stdout;

  before(async () => {
    machine = await Machine.create();
    script = join(machine.runDir, 'lease.sh');
    await writeFile(script, '#!/bin/sh\n[ "$1" = bound ] && env\nexit 0\n');
    await chmod(script, 0o755);
    fabric = machine.fabric();
    await fabric.patch([
      put(redNet),
      put(twinNet),
      put(group('open', egressAll)),
      put(redPort),
      put(port('2-twin-port', 'b-twin-net', 2, [['twin-sub', '10.5.0.11']], { securityGroups: ['open'] })),
    ]);
    red = await machine.guest(fabric, { tap: tapName('1-red-port'), mac: macOf(1) });
    twin = await machine.guest(fabric, { tap: tapName('2-twin-port'), mac: macOf(2) });
  });
  after(async () => await machine?.destroy());

  test('a guest gets its address and what goes with it', async () => {
    const lease = await ask(red);
    const lines = new Set(lease.split('\n'));
    for (const line of [
      'ip=10.5.0.11',
      'subnet=255.255.255.0',
      'router=10.5.0.1',
      'dns=9.9.9.9 8.8.8.8',
      'domain=example.org',
      'hostname=web-one',
      'mtu=1450',
      'serverid=10.5.0.2',
      'lease=86400',
      'tftp=10.5.0.9',
    ]) {
      assert.ok(lines.has(line), `${line} is not in\n${lease}`);
    }
    assert.match(
      lease,
      /^staticroutes=10\.6\.0\.0\/24 0\.0\.0\.0 192\.168\.9\.0\/24 10\.5\.0\.7 169\.254\.169\.254\/32 10\.5\.0\.1 0\.0\.0\.0\/0 10\.5\.0\.1$/m,
    );
    assert.match(lease, /^(bootfile|boot_file)=boot, with a comma|boot, with a comma/m);
    assert.doesNotMatch(lease, /never/);
  });

  test('an isolated network leads to metadata by its DHCP server, and nowhere else', async () => {
    const lease = await ask(twin);
    assert.match(lease, /^ip=10\.5\.0\.11$/m);
    assert.match(lease, /^staticroutes=169\.254\.169\.254\/32 10\.5\.0\.3$/m);
    assert.match(lease, /^mtu=1400$/m);
    assert.match(lease, /^dns=10\.5\.0\.3$/m, 'the DHCP server is the name server where none is set');
    assert.doesNotMatch(lease, /^router=/m);
    assert.match(lease, /^domain=openstacklocal$/m);
  });

  test("names of the network's ports are known", async () => {
    await twin.ip('addr', 'add', '10.5.0.11/24', 'dev', 'eth0');
    const { stdout } = await twin.run('busybox', 'nslookup', 'host-10-5-0-11.openstacklocal', '10.5.0.3');
    assert.match(stdout, /Address.*: 10\.5\.0\.11/);
    await twin.ip('addr', 'delete', '10.5.0.11/24', 'dev', 'eth0');
  });

  test('a MAC without a port gets nothing', async () => {
    await fabric.patch([put({ ...redPort, portSecurity: false, securityGroups: [] })]);
    await red.ip('link', 'set', 'eth0', 'address', macOf(77));
    assert.equal((await ask(red, '-t', '2', '-T', '1', '-A', '1')).includes('ip=10.5'), false);
    await red.ip('link', 'set', 'eth0', 'address', macOf(1));
    await fabric.patch([put(redPort)]);
  });

  test("an address that was another's goes to its new holder at once", async () => {
    assert.match(await ask(red), /^ip=10\.5\.0\.11$/m);
    await fabric.patch([put({ ...redPort, fixedIps: [{ subnetId: 'red-sub', ip: '10.5.0.12' }] })]);
    assert.match(await ask(red), /^ip=10\.5\.0\.12$/m);
    const heir = port('3-heir-port', 'a-red-net', 3, [['red-sub', '10.5.0.11']], { securityGroups: ['open'] });
    await fabric.patch([put(heir)]);
    const guest = await machine.guest(fabric, { tap: tapName('3-heir-port'), mac: macOf(3) });
    assert.match(await ask(guest), /^ip=10\.5\.0\.11$/m);
    // The others renew as if nothing had happened.
    assert.match(await ask(red, '-r', '10.5.0.12'), /^ip=10\.5\.0\.12$/m);
    await fabric.patch([remove('port', '3-heir-port'), put(redPort)]);
  });

  test('the server runs without root, and comes back when it ends', async () => {
    const file = join(machine.runDir, 'dnsmasq/dhcp-a-red-net/process.json');
    const { pid } = JSON.parse(await readFile(file, 'utf8')) as { pid: number };
    assert.notEqual((await stat(`/proc/${pid}`)).uid, 0);
    process.kill(pid, 'SIGKILL');
    await until(async () => (JSON.parse(await readFile(file, 'utf8').catch(() => 'null')) as { pid: number } | null)?.pid !== pid, 10_000);
    assert.match(await ask(red), /^ip=10\.5\.0\.11$/m);
  });

  test("stateful DHCPv6: the router says so and the network's server gives the address", async () => {
    const six = subnet('six-sub', 'fd00:0:0:6::/64', {
      gatewayIp: 'fd00:0:0:6::1',
      dhcp: { ip: 'fd00:0:0:6::2', mac: macOf(201) },
      ipv6AddressMode: 'dhcpv6-stateful',
      dnsServers: ['fd00::53'],
    });
    await fabric.patch([
      put(network('c-six-net', [six])),
      put(port('4-six-port', 'c-six-net', 4, [['six-sub', 'fd00:0:0:6::44']], { securityGroups: ['open'] })),
      put(
        router('six-router', {
          interfaces: [{ portId: 'six-router-port', networkId: 'c-six-net', mac: macOf(202), addresses: [{ ip: 'fd00:0:0:6::1', prefixLength: 64 }] }],
        }),
      ),
    ]);
    const guest = await machine.guest(fabric, { tap: tapName('4-six-port'), mac: macOf(4) });
    const listen = guest.spawn('tcpdump', '-l', '-n', '-vv', '-i', 'eth0', 'icmp6[0]=134');
    assert.ok(await listen.says(/Flags \[managed, other stateful\]/, 10_000), listen.output);
    await listen.end();
    await until(async () => !(await guest.run('ip', '-6', 'addr', 'show', 'dev', 'eth0')).stdout.includes('tentative'));
    const { stdout } = await guest.run(process.execPath, '-e', SOLICIT, macOf(4));
    assert.equal(stdout.trim(), 'fd000000000000060000000000000044', 'the address in the advertisement');
  });
});

/** Sends a DHCPv6 SOLICIT (RFC 8415) and prints the address of the answer's IA_NA in hex. */
const SOLICIT = `
const mac = Buffer.from(process.argv[1].replaceAll(':', ''), 'hex');
const option = (code, data) => Buffer.concat([Buffer.from([code >> 8, code & 255, data.length >> 8, data.length & 255]), data]);
const solicit = Buffer.concat([Buffer.from([1, 1, 2, 3]), option(1, Buffer.concat([Buffer.from([0, 3, 0, 1]), mac])), option(3, Buffer.concat([Buffer.from([0, 0, 0, 1]), Buffer.alloc(8)])), option(8, Buffer.alloc(2))]);
const socket = require('node:dgram').createSocket('udp6');
const find = (data, code) => { for (let at = 0; at + 4 <= data.length; at += 4 + data.readUInt16BE(at + 2)) if (data.readUInt16BE(at) === code) return data.subarray(at + 4, at + 4 + data.readUInt16BE(at + 2)); };
socket.on('message', (data) => { const ia = find(data.subarray(4), 3); const address = ia && find(ia.subarray(12), 5); console.log(address ? address.subarray(0, 16).toString('hex') : 'none'); process.exit(0); });
socket.bind(546, () => { const send = () => socket.send(solicit, 547, 'ff02::1:2%eth0'); send(); setInterval(send, 1000); });
setTimeout(() => { console.log('no answer'); process.exit(1); }, 8000);
`;
