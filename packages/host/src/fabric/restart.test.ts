import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import type { FabricObject } from '../interface/fabric.ts';
import { tapName } from '../interface/fabric.ts';
import { run } from '../process/run.ts';
import type { KernelFabric } from './fabric.ts';
import { cannotRun, type Guest, Machine, until } from './testing/machine.ts';
import { egressAll, group, macOf, network, port, put, remove, router, rule, subnet } from './testing/objects.ts';

const open = [...egressAll, rule('ingress', { protocol: 'icmp' }), rule('ingress', { remoteGroupId: 'friends' })];
const world: readonly FabricObject[] = [
  network('public-net', [subnet('pub-sub', '172.24.4.0/24')], { mtu: 1500, segment: { type: 'flat', physicalNetwork: 'public' } }),
  network('a-red-net', [
    subnet('red-sub', '10.1.0.0/24', { gatewayIp: '10.1.0.1', dhcp: { ip: '10.1.0.2', mac: macOf(31) } }),
    subnet('red-six', 'fd00:0:0:a::/64', { gatewayIp: 'fd00:0:0:a::1', ipv6AddressMode: 'slaac' }),
  ]),
  network('b-blue-net', [subnet('blue-sub', '10.2.0.0/24', { gatewayIp: '10.2.0.1', dhcp: { ip: '10.2.0.2', mac: macOf(32) } })]),
  network('c-lone-net', [subnet('lone-sub', '10.1.0.0/24', { dhcp: { ip: '10.1.0.2', mac: macOf(33) }, isolated: true })]),
  group('open', open),
  group('friends', []),
  group('slow', [rule('ingress', { protocol: 'tcp', portMin: 1, portMax: 9 })], { stateful: false }),
  port(
    '1-red-port',
    'a-red-net',
    1,
    [
      ['red-sub', '10.1.0.11'],
      ['red-six', 'fd00:0:0:a:f816:3eff:fe00:1'],
    ],
    {
      securityGroups: ['open'],
      allowedAddressPairs: [
        { mac: macOf(1), cidr: '10.1.0.64/26' },
        { mac: macOf(9), cidr: 'fd00:0:0:a::/80' },
      ],
    },
  ),
  port('2-blue-port', 'b-blue-net', 2, [['blue-sub', '10.2.0.12']], { securityGroups: ['friends', 'open'] }),
  port('3-lone-port', 'c-lone-net', 3, [['lone-sub', '10.1.0.11']], {
    securityGroups: ['slow'],
    extraDhcpOptions: [{ name: 'mtu', value: '1300', ipVersion: 4 }],
  }),
  port('4-open-port', 'c-lone-net', 4, [], { portSecurity: false }),
  port('5-down-port', 'c-lone-net', 5, [], { adminUp: false }),
  port('6-none-port', 'c-lone-net', 6, [], { securityGroups: ['open'] }),
  router('router-one', {
    gateway: { networkId: 'public-net', mac: macOf(20), addresses: [{ ip: '172.24.4.10', prefixLength: 24, nexthop: '172.24.4.1' }], snat: true },
    interfaces: [
      {
        portId: 'red-router-port',
        networkId: 'a-red-net',
        mac: macOf(21),
        addresses: [
          { ip: '10.1.0.1', prefixLength: 24 },
          { ip: 'fd00:0:0:a::1', prefixLength: 64 },
        ],
      },
      { portId: 'blue-router-port', networkId: 'b-blue-net', mac: macOf(22), addresses: [{ ip: '10.2.0.1', prefixLength: 24 }] },
    ],
    routes: [
      { destination: '192.168.0.0/16', nexthop: '10.2.0.99' },
      { destination: 'fd00:0:0:ff::/64', nexthop: 'fd00:0:0:a::99' },
    ],
    floatingIps: [{ id: 'f1', floatingIp: '172.24.4.50', fixedIp: '10.1.0.11' }],
  }),
  // Its provider's gateway is outside of its subnet.
  router('router-two', {
    gateway: { networkId: 'public-net', mac: macOf(25), addresses: [{ ip: '172.24.5.2', prefixLength: 24, nexthop: '172.24.4.1' }], snat: false },
  }),
];

const namesIn = async (netns?: string): Promise<readonly string[]> => {
  const { stdout } = await run('ip', [...(netns === undefined ? [] : ['-n', netns]), '-j', 'link', 'show']);
  return (JSON.parse(stdout) as { ifname: string; ifindex: number }[]).map(({ ifname, ifindex }) => `${ifname} ${ifindex}`).toSorted();
};
const namespaces = async (prefix: string): Promise<readonly string[]> => (await readdir('/run/netns')).filter((name) => name.startsWith(prefix)).toSorted();

describe('a restart', { skip: cannotRun }, () => {
  let machine: Machine;
  let first: KernelFabric;
  let red: Guest;
  let blue: Guest;

  before(async () => {
    machine = await Machine.create();
    first = machine.fabric();
    await first.apply(world);
    red = await machine.guest(first, { tap: tapName('1-red-port'), mac: macOf(1), cidr: '10.1.0.11/24', gateway: '10.1.0.1' });
    blue = await machine.guest(first, { tap: tapName('2-blue-port'), mac: macOf(2), cidr: '10.2.0.12/24', gateway: '10.2.0.1' });
    assert.ok((await red.pings('10.2.0.12')) && (await red.pings('172.24.4.1')));
    await until(async () => machine.events.length === 2);
  });
  after(async () => await machine?.destroy());

  test('applied again, the same wanted state changes nothing', async () => {
    const before = first.changes;
    await first.apply(world);
    assert.equal(first.changes, before);
  });

  test('a new run finds everything, changes nothing, and no packet is lost', async () => {
    const links = await namesIn(first.switchNamespace);
    const outside = machine.outsideSpawn('ping', '-n', '-i', '0.02', '-c', '150', '-W', '1', '172.24.4.50');
    const across = blue.spawn('ping', '-n', '-i', '0.02', '-c', '150', '-W', '1', '10.1.0.11');
    assert.ok(await outside.says(/icmp_seq=3 ttl/));
    await first.stop();
    await assert.rejects(first.patch([]), { name: 'Unavailable' });
    machine.events.length = 0;
    const second = machine.fabric();
    await second.start();
    // Before it knows the whole it touches nothing: what it does not know yet may be somebody's.
    await assert.rejects(second.patch([put(group('open', []))]), { name: 'Unavailable' });
    await second.apply([...world].toReversed());
    assert.equal(second.changes, 0);
    assert.deepEqual(await namesIn(first.switchNamespace), links);
    await until(async () => machine.events.length === 2);
    assert.deepEqual(machine.events.map((event) => event.kind === 'port' && `${event.portId} ${event.status}`).toSorted(), ['1-red-port up', '2-blue-port up']);
    assert.ok((await outside.says(/packets transmitted/, 10_000)) && (await across.says(/packets transmitted/, 10_000)));
    assert.match(outside.output, /150 packets transmitted, 150 received/);
    assert.match(across.output, /150 packets transmitted, 150 received/);
    await until(async () =>
      (await red.run('timeout', '2', 'bash', '-c', 'exec 3<>/dev/tcp/169.254.169.254/80; printf "GET /x HTTP/1.0\\r\\n\\r\\n" >&3; cat <&3')).stdout.includes(
        'port=1-red-port',
      ),
    );
    await second.stop();
  });

  test('changes of rules made while it was away cut and allow as if it had been there', async () => {
    const changed = machine.fabric();
    red.spawn('busybox', 'nc', '-ll', '-p', '5000', '-e', 'cat');
    await until(async () => (await red.run('ss', '-ltn')).stdout.includes(':5000 '));
    const talk = blue.spawn('busybox', 'nc', '10.1.0.11', '5000');
    talk.write('one\n');
    assert.ok(await talk.says(/one/));
    await changed.apply(world.map((object) => (object.id === 'open' ? group('open', open.slice(0, 3)) : object)));
    talk.write('two\n');
    assert.equal(await talk.says(/two/, 1200), false);
    await talk.end();
    assert.ok(await blue.pings('10.1.0.11'));
    await changed.apply(world);
    await changed.stop();
  });

  test('what somebody else has broken is mended', async () => {
    const fabric = machine.fabric();
    await fabric.apply(world);
    const switchNamespace = fabric.switchNamespace;
    const routerNamespace = `cairn-${machine.instance}-qrouter-router-one`;
    const breaks: readonly (readonly [string, readonly string[], (() => Promise<boolean>)?])[] = [
      [switchNamespace, ['nft', 'delete', 'element', 'bridge', 'cairn', 'from', `{ "${tapName('1-red-port')}" }`], async () => await blue.pings('10.1.0.11')],
      [switchNamespace, ['nft', 'flush', 'chain', 'inet', 'cairn', 'sg_open_in'], async () => await blue.pings('10.1.0.11')],
      [switchNamespace, ['nft', 'add', 'rule', 'inet', 'cairn', 'guest_in', 'accept']],
      [switchNamespace, ['nft', 'delete', 'table', 'bridge', 'cairn'], async () => await blue.pings('10.1.0.11')],
      [switchNamespace, ['nft', 'add', 'table', 'inet', 'cairn_old']],
      [switchNamespace, ['ip', 'link', 'set', tapName('1-red-port'), 'nomaster'], async () => await blue.pings('10.1.0.11')],
      [switchNamespace, ['ip', 'link', 'set', 'brqa-red-net', 'down'], async () => await blue.pings('10.1.0.11')],
      [switchNamespace, ['ip', 'link', 'delete', tapName('6-none-port')]],
      [switchNamespace, ['ip', 'link', 'add', 'brqleft-over', 'type', 'bridge']],
      [switchNamespace, ['ip', 'link', 'delete', 'qr-red-router-'], async () => await blue.pings('10.1.0.11')],
      [routerNamespace, ['ip', 'route', 'delete', 'default'], async () => await red.pings('172.24.4.1')],
      [routerNamespace, ['ip', 'route', 'add', '203.0.113.0/24', 'via', '10.2.0.77']],
      [routerNamespace, ['ip', 'addr', 'flush', 'dev', 'qg-router-one'], async () => await red.pings('172.24.4.1')],
      [routerNamespace, ['ip', 'addr', 'add', '10.99.0.1/24', 'dev', 'qr-blue-router']],
      [machine.outer, ['ip', 'addr', 'flush', 'dev', 'pub0'], async () => await red.pings('172.24.4.1')],
    ];
    for (const [netns, [command = '', ...args], works] of breaks) {
      await run(command, args, { netns });
      const before = fabric.changes;
      await fabric.apply(world);
      assert.ok(fabric.changes > before, args.join(' '));
      const mended = fabric.changes;
      await fabric.apply(world);
      assert.equal(fabric.changes, mended, args.join(' '));
      if (works) assert.ok(await works(), args.join(' '));
    }
    await fabric.stop();
  });

  test('a namespace that broke away is made anew by the next patch', async () => {
    const fabric = machine.fabric();
    await fabric.apply(world);
    await run('ip', ['netns', 'delete', `cairn-${machine.instance}-qrouter-router-two`]);
    const two = world.find((object) => object.id === 'router-two');
    assert.ok(two?.kind === 'router');
    await fabric.patch([put({ ...two, routes: [{ destination: '198.51.100.0/24', nexthop: '172.24.5.9' }] })]);
    assert.match((await run('ip', ['-n', `cairn-${machine.instance}-qrouter-router-two`, 'route'])).stdout, /198\.51\.100\.0\/24 via 172\.24\.5\.9/);
    await fabric.stop();
  });

  test('what is not wanted any more goes, what is stays as it was', async () => {
    const fabric = machine.fabric();
    await run('ip', ['netns', 'add', `cairn-${machine.instance}-qrouter-of-old`]);
    await run('ip', ['netns', 'add', `cairn-${machine.instance}-strange`]);
    const ping = blue.spawn('ping', '-n', '-i', '0.02', '-c', '50', '-W', '1', '10.1.0.11');
    assert.ok(await ping.says(/icmp_seq=3 ttl/));
    const kept = world.filter(
      (object) => !['c-lone-net', '3-lone-port', '4-open-port', '5-down-port', '6-none-port', 'router-two', 'slow'].includes(object.id),
    );
    await fabric.apply(kept);
    assert.ok(await ping.says(/50 packets transmitted, 50 received/, 5000), ping.output);
    assert.deepEqual(
      await namespaces(`cairn-${machine.instance}-`),
      ['qdhcp-a-red-net', 'qdhcp-b-blue-net', 'qrouter-router-one', 'switch'].map((name) => `cairn-${machine.instance}-${name}`),
    );
    const links = (await namesIn(fabric.switchNamespace)).map((name) => name.split(' ')[0]);
    assert.deepEqual(
      links.filter((name) => name?.startsWith('tap') || name?.startsWith('brq')),
      ['brqa-red-net', 'brqb-blue-net', 'brqpublic-net', 'tap1-red-port', 'tap2-blue-port'],
    );
    assert.deepEqual(await fabric.status(), { namespaces: await namespacesAsListed(machine), networks: 3, ports: 2, routers: 1 });
    await fabric.stop();
  });

  test('one object that cannot be built does not hold up the others', async () => {
    const fabric = machine.fabric();
    const red = world.filter((object) => ['public-net', 'a-red-net', 'open', '1-red-port'].includes(object.id));
    await assert.rejects(fabric.apply([{ ...port('bad', 'a-red-net', 66, []), mac: 'x' }, ...red]), { name: 'InvalidInput', message: /bad.*mac/ });
    assert.ok((await namesIn(fabric.switchNamespace)).some((name) => name.startsWith('tap1-red-port')));
    await fabric.stop();
  });

  test('guests that end and start are told of', async () => {
    machine.events.length = 0;
    const fabric = machine.fabric();
    await fabric.apply(world);
    await until(async () => machine.events.some((event) => event.kind === 'port' && event.portId === '1-red-port'));
    machine.events.length = 0;
    await red.unplug();
    await until(async () => machine.events.length > 0);
    assert.deepEqual(machine.events, [{ kind: 'port', portId: '1-red-port', status: 'down' }]);
    await fabric.patch([remove('port', '1-red-port')]);
    await fabric.stop();
  });
});

describe('the end', { skip: cannotRun }, () => {
  test('destroy leaves nothing, also of an earlier run, and can be repeated', async () => {
    const machine = await Machine.create();
    try {
      const before = {
        all: await namespaces(machine.instance),
        here: await namesIn(),
        outer: await namesIn(machine.outer),
        rules: (await run('nft', ['list', 'ruleset'], { netns: machine.outer })).stdout,
      };
      const fabric = machine.fabric();
      await fabric.apply(world);
      await fabric.stop();
      assert.ok((await namespaces(`cairn-${machine.instance}-`)).length > 4);
      const later = machine.fabric();
      await later.destroy();
      assert.deepEqual(await namespaces(`cairn-${machine.instance}-`), []);
      assert.deepEqual(
        {
          all: await namespaces(machine.instance),
          here: await namesIn(),
          outer: await namesIn(machine.outer),
          rules: (await run('nft', ['list', 'ruleset'], { netns: machine.outer })).stdout,
        },
        before,
      );
      assert.equal((await run('pgrep', ['-f', `${machine.runDir}/`], { okCodes: [1] })).stdout, '', 'processes');
      assert.deepEqual(await readdir(machine.runDir), []);
      await machine.fabric().destroy();
    } finally {
      await machine.destroy();
    }
  });

  test("a link of the host's own is never taken for ours", async () => {
    const machine = await Machine.create();
    try {
      await run('ip', ['-n', machine.outer, 'link', 'add', 'pub0', 'type', 'bridge']);
      const fabric = machine.fabric();
      await assert.rejects(fabric.apply(world), { name: 'Conflict', message: /pub0/ });
      await fabric.destroy();
      assert.ok((await namesIn(machine.outer)).some((name) => name.startsWith('pub0 ')));
    } finally {
      await machine.destroy();
    }
  });
});

const namespacesAsListed = async (machine: Machine): Promise<readonly string[]> => {
  const { stdout } = await run('ip', ['-j', 'netns', 'list']);
  return (JSON.parse(stdout) as { name: string }[]).map(({ name }) => name).filter((name) => name.startsWith(`cairn-${machine.instance}-`));
};
