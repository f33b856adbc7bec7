import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { tapName } from '../interface/fabric.ts';
import { run } from '../process/run.ts';
import type { KernelFabric } from './fabric.ts';
import { cannotRun, type Guest, Machine, until } from './testing/machine.ts';
import { egressAll, group, macOf, network, port, put, remove, router, rule, subnet } from './testing/objects.ts';

/** An HTTP request with bash alone: what came back, headers and all. */
const fetch = async (from: Guest, path: string, headers = '', method = 'GET'): Promise<string> =>
  (
    await from.run(
      'timeout',
      '5',
      'bash',
      '-c',
      `exec 3<>/dev/tcp/169.254.169.254/80; printf '%b' "${method} ${path} HTTP/1.0\\r\\n${headers}\\r\\n" >&3; cat <&3`,
    )
  ).stdout;

describe('routers, floating addresses and metadata, with packets', { skip: cannotRun }, () => {
  let machine: Machine;
  let fabric: KernelFabric;
  let red: Guest;
  let blue: Guest;
  let twin: Guest;
  const open = [...egressAll, rule('ingress'), rule('ingress', { ethertype: 'IPv6' })];
  const publicNet = network('public-net', [subnet('pub-sub', '172.24.4.0/24')], { mtu: 1500, segment: { type: 'flat', physicalNetwork: 'public' } });
  const redNet = network('a-red-net', [
    subnet('red-sub', '10.1.0.0/24', { gatewayIp: '10.1.0.1' }),
    subnet('red-six', 'fd00:0:0:a::/64', { gatewayIp: 'fd00:0:0:a::1', ipv6AddressMode: 'slaac' }),
  ]);
  const blueNet = network('b-blue-net', [
    subnet('blue-sub', '10.2.0.0/24', { gatewayIp: '10.2.0.1' }),
    subnet('blue-six', 'fd00:0:0:b::/64', { gatewayIp: 'fd00:0:0:b::1' }),
  ]);
  // The same addresses as the red network's, and no router.
  const twinNet = network('c-twin-net', [subnet('twin-sub', '10.1.0.0/24', { dhcp: { ip: '10.1.0.2', mac: macOf(30) }, isolated: true })]);
  const gateway = { networkId: 'public-net', mac: macOf(20), addresses: [{ ip: '172.24.4.10', prefixLength: 24, nexthop: '172.24.4.1' }], snat: true };
  const interfaces = [
    {
      portId: 'red-router-port',
      networkId: 'a-red-net',
      mac: macOf(21),
      addresses: [
        { ip: '10.1.0.1', prefixLength: 24 },
        { ip: 'fd00:0:0:a::1', prefixLength: 64 },
      ],
    },
    {
      portId: 'blue-router-port',
      networkId: 'b-blue-net',
      mac: macOf(22),
      addresses: [
        { ip: '10.2.0.1', prefixLength: 24 },
        { ip: 'fd00:0:0:b::1', prefixLength: 64 },
      ],
    },
  ];
  const base = router('router-one', { gateway, interfaces });
  const floatingIps = [{ id: 'f1', floatingIp: '172.24.4.50', fixedIp: '10.1.0.11' }];

  before(async () => {
    machine = await Machine.create();
    fabric = machine.fabric();
    const port6 = (id: string, net: string, n: number, sub: string, ip: string, sub6: string, ip6: string) =>
      port(
        id,
        net,
        n,
        [
          [sub, ip],
          [sub6, ip6],
        ],
        { securityGroups: ['open'] },
      );
    await fabric.patch([
      put(publicNet),
      put(redNet),
      put(blueNet),
      put(twinNet),
      put(group('open', open)),
      put(port6('1-red-port', 'a-red-net', 1, 'red-sub', '10.1.0.11', 'red-six', 'fd00:0:0:a:f816:3eff:fe00:1')),
      put(port6('2-blue-port', 'b-blue-net', 2, 'blue-sub', '10.2.0.12', 'blue-six', 'fd00:0:0:b::12')),
      put(port('3-twin-port', 'c-twin-net', 3, [['twin-sub', '10.1.0.11']], { securityGroups: ['open'] })),
      put(base),
    ]);
    red = await machine.guest(fabric, { tap: tapName('1-red-port'), mac: macOf(1), cidr: '10.1.0.11/24', gateway: '10.1.0.1' });
    blue = await machine.guest(fabric, { tap: tapName('2-blue-port'), mac: macOf(2), cidr: '10.2.0.12/24', gateway: '10.2.0.1' });
    twin = await machine.guest(fabric, { tap: tapName('3-twin-port'), mac: macOf(3), cidr: '10.1.0.11/24' });
    await twin.ip('route', 'add', '169.254.169.254', 'via', '10.1.0.2');
  });
  after(async () => await machine?.destroy());

  test('two networks of a router reach each other, IPv4 and IPv6', async () => {
    assert.ok(await red.pings('10.2.0.12'));
    assert.ok(await blue.pings('10.1.0.11'));
    await blue.ip('addr', 'add', 'fd00:0:0:b::12/64', 'dev', 'eth0', 'nodad');
    await blue.ip('route', 'add', 'default', 'via', 'fd00:0:0:b::1');
    // The red guest made its address of the router's advertisement.
    await until(
      async () => /fd00::a:f816:3eff:fe00:1\/64 scope global (?!tentative)/.test((await red.run('ip', '-6', 'addr', 'show', 'dev', 'eth0')).stdout),
      10_000,
    );
    assert.match((await red.run('ip', '-6', 'route', 'show', 'default')).stdout, /via fe80::f816:3eff:fe00:15/);
    assert.ok(await red.pings('fd00:0:0:b::12'));
  });

  test("guests reach the outside under the router's address, and no guest of an isolated network does", async () => {
    const listen = machine.outsideSpawn('tcpdump', '-l', '-n', '-i', 'pub0', 'icmp');
    assert.ok(await listen.says(/listening/));
    assert.ok(await red.pings('172.24.4.1'));
    assert.ok(await listen.says(/172\.24\.4\.10 > 172\.24\.4\.1/));
    assert.doesNotMatch(listen.output, /10\.1\.0\.11/);
    await listen.end();
    assert.ok(await twin.cannotPing('172.24.4.1'));
  });

  test('nobody outside calls a fixed address behind source NAT', async () => {
    await machine.outside('ip', 'route', 'add', '10.1.0.0/24', 'via', '172.24.4.10');
    assert.doesNotMatch((await machine.outside('ping', '-n', '-c', '2', '-i', '0.2', '-W', '1', '10.1.0.11')).stdout, / bytes from /);
    // Without source NAT the router routes.
    await fabric.patch([put({ ...base, gateway: { ...gateway, snat: false } })]);
    assert.match((await machine.outside('ping', '-n', '-c', '2', '-i', '0.2', '-W', '1', '10.1.0.11')).stdout, / bytes from /);
    await fabric.patch([put(base)]);
    await machine.outside('ip', 'route', 'delete', '10.1.0.0/24');
  });

  test('a floating address leads in, leads out, and is called from inside', async () => {
    await fabric.patch([put({ ...base, floatingIps })]);
    assert.match((await machine.outside('ping', '-n', '-c', '2', '-i', '0.2', '-W', '1', '172.24.4.50')).stdout, / bytes from /);
    const listen = machine.outsideSpawn('tcpdump', '-l', '-n', '-i', 'pub0', 'icmp');
    assert.ok(await listen.says(/listening/));
    assert.ok(await red.pings('172.24.4.1'));
    assert.ok(await listen.says(/172\.24\.4\.50 > 172\.24\.4\.1/), 'out under the floating address');
    await listen.end();
    assert.ok(await blue.pings('172.24.4.50'), 'hairpin from another network');
    assert.ok(await red.pings('172.24.4.50'), 'hairpin to itself');
  });

  test('a floating address that is taken away ends its connections at once', async () => {
    await fabric.patch([put({ ...base, floatingIps })]);
    red.spawn('busybox', 'nc', '-ll', '-p', '5000', '-e', 'cat');
    await until(async () => (await red.run('ss', '-ltn')).stdout.includes(':5000'));
    const talk = machine.outsideSpawn('busybox', 'nc', '172.24.4.50', '5000');
    talk.write('one\n');
    assert.ok(await talk.says(/one/));
    await fabric.patch([put(base)]);
    talk.write('two\n');
    assert.equal(await talk.says(/two/, 1200), false);
    await talk.end();
    assert.doesNotMatch((await machine.outside('ping', '-n', '-c', '1', '-W', '1', '172.24.4.50')).stdout, / bytes from /);
    // Given to another server, it leads there.
    await fabric.patch([put({ ...base, floatingIps: [{ id: 'f1', floatingIp: '172.24.4.50', fixedIp: '10.2.0.12' }] })]);
    const listen = blue.spawn('tcpdump', '-l', '-n', '-i', 'eth0', 'icmp');
    assert.ok(await listen.says(/listening/));
    assert.match((await machine.outside('ping', '-n', '-c', '2', '-i', '0.2', '-W', '1', '172.24.4.50')).stdout, / bytes from /);
    assert.ok(await listen.says(/> 10\.2\.0\.12/));
    await listen.end();
    await fabric.patch([put(base)]);
  });

  test('a new holder of a floating address is announced to the neighbours', async () => {
    const other = router('router-two', {
      gateway: { networkId: 'public-net', mac: macOf(40), addresses: [{ ip: '172.24.4.11', prefixLength: 24, nexthop: '172.24.4.1' }], snat: true },
    });
    await fabric.patch([put(other), put({ ...base, floatingIps })]);
    assert.match((await machine.outside('ping', '-n', '-c', '2', '-i', '0.2', '-W', '1', '172.24.4.50')).stdout, / bytes from /);
    assert.match((await machine.outside('ip', 'neigh', 'show', '172.24.4.50')).stdout, new RegExp(macOf(20)));
    await fabric.patch([put(base)]);
    await fabric.patch([put({ ...other, floatingIps: [{ id: 'f1', floatingIp: '172.24.4.50', fixedIp: '10.1.0.11' }] })]);
    await until(async () => (await machine.outside('ip', 'neigh', 'show', '172.24.4.50')).stdout.includes(macOf(40)));
    await fabric.patch([remove('router', 'router-two')]);
  });

  test('static routes of a router are followed and go', async () => {
    await blue.ip('addr', 'add', '192.168.77.1/32', 'dev', 'lo');
    await fabric.patch([
      put({ ...base, routes: [{ destination: '192.168.77.0/24', nexthop: '10.2.0.12' }] }),
      put(
        port('2-blue-port', 'b-blue-net', 2, [['blue-sub', '10.2.0.12']], {
          securityGroups: ['open'],
          allowedAddressPairs: [{ mac: macOf(2), cidr: '192.168.77.0/24' }],
        }),
      ),
    ]);
    assert.ok(await red.pings('192.168.77.1'));
    await fabric.patch([put(base)]);
    assert.ok(await red.cannotPing('192.168.77.1'));
  });

  test('a router that is switched off routes nothing', async () => {
    await fabric.patch([put({ ...base, adminUp: false })]);
    assert.ok(await red.cannotPing('10.2.0.12'));
    await fabric.patch([put(base)]);
    assert.ok(await red.pings('10.2.0.12'));
  });

  test('metadata knows the port, in two networks with the same addresses', async () => {
    await until(async () => (await fetch(red, '/')).includes('200 OK') && (await fetch(twin, '/')).includes('200 OK'), 10_000);
    assert.match(
      await fetch(red, '/openstack/latest/meta_data.json?x=1'),
      /^HTTP\/1\.1 200 OK[^]*port=1-red-port path=\/openstack\/latest\/meta_data\.json\?x=1 body=$/,
    );
    assert.match(await fetch(twin, '/latest'), /port=3-twin-port path=\/latest/);
    assert.match(await fetch(blue, '/latest'), /port=2-blue-port/);
  });

  test('two networks with the same addresses share no connection', async () => {
    const connect = (guest: Guest) =>
      guest.spawn(process.execPath, '-e', "require('node:net').connect({ host: '169.254.169.254', port: 80, localPort: 40000 })");
    const talks = [connect(red), connect(twin)];
    await until(async () => {
      const { stdout } = await run('conntrack', ['-L', '-p', 'tcp', '--sport', '40000'], { netns: fabric.switchNamespace });
      return new Set([...stdout.matchAll(/ESTABLISHED src=10\.1\.0\.11 .* zone=(\d+)/g)].map(([, zone]) => zone)).size === 2;
    });
    for (const talk of talks) await talk.end();
  });

  test('what a guest says about itself is not heard', async () => {
    const lies = 'X-Instance-ID: other\\r\\nX-Forwarded-For: 10.2.0.12\\r\\nX-Neutron-Port-ID: 2-blue-port\\r\\nX-Tenant-ID: x\\r\\n';
    assert.match(await fetch(red, '/x', lies), /port=1-red-port/);
    assert.deepEqual(Object.keys(machine.metadataRequests.at(-1) ?? {}).toSorted(), ['method', 'path', 'portId']);
  });

  test('metadata is for ports with their own fixed addresses, of bounded size, by known methods', async () => {
    assert.match(await fetch(red, '/x', '', 'DELETE'), /^HTTP\/1\.1 405/);
    assert.match(await fetch(red, '/x', 'Content-Length: 100000000\\r\\n', 'POST'), /^HTTP\/1\.1 413/);
    assert.match(await fetch(red, '/password', 'Content-Length: 5\\r\\n\\r\\nhello', 'POST'), /path=\/password body=hello/);
    // An address that no port has: nobody is asked.
    const asked = machine.metadataRequests.length;
    await fabric.patch([
      put(
        port('1-red-port', 'a-red-net', 1, [['red-sub', '10.1.0.99']], {
          securityGroups: ['open'],
          allowedAddressPairs: [{ mac: macOf(1), cidr: '10.1.0.11' }],
        }),
      ),
    ]);
    assert.match(await fetch(red, '/x'), /^HTTP\/1\.1 404/);
    assert.equal(machine.metadataRequests.length, asked);
    await fabric.patch([put(port('1-red-port', 'a-red-net', 1, [['red-sub', '10.1.0.11']], { securityGroups: ['open'] }))]);
  });

  test('the metadata service is not there for the outside, and has no other port', async () => {
    await machine.outside('ip', 'route', 'add', '169.254.169.254', 'via', '172.24.4.10');
    assert.doesNotMatch(
      (await machine.outside('timeout', '2', 'bash', '-c', 'exec 3<>/dev/tcp/169.254.169.254/80; printf "GET / HTTP/1.0\\r\\n\\r\\n" >&3; cat <&3')).stdout,
      /HTTP/,
    );
    await machine.outside('ip', 'route', 'delete', '169.254.169.254');
  });

  test('connections of one guest are limited, others are still served', async () => {
    const hog = red.spawn('bash', '-c', 'for i in $(seq 40); do exec {fd}<>/dev/tcp/169.254.169.254/80; done; echo done; sleep 5');
    assert.ok(await hog.says(/done/));
    assert.match(await fetch(blue, '/x'), /port=2-blue-port/);
    await hog.end();
  });
});
