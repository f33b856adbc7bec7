import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { systemClock } from '@cairn/kit/clock/clock';
import type { HostEvent } from '../interface/agent.ts';
import { type Fabric, FabricFlaws, type FabricObject } from '../interface/fabric.ts';
import { run } from '../process/run.ts';
import { SimulatedAgent } from '../simulated/agent.ts';
import { cannotRun, Machine, until } from './testing/machine.ts';
import { egressAll, group, macOf, network, port, put, remove, router, rule, subnet } from './testing/objects.ts';

const PREFIX_SERVER = fileURLToPath(new URL('./testing/prefix-server.fixture.ts', import.meta.url));

interface Made {
  readonly fabric: Fabric;
  readonly events: HostEvent[];
  /** Has a provider beyond the public network that delegates prefixes. */
  readonly provide: () => Promise<void>;
  readonly end: () => Promise<void>;
}

/** What every host's fabric does, real or simulated: it has what it is told, says what it cannot have, and finds its own work. */
const HOSTS: readonly { readonly name: string; readonly skip: string | false; readonly make: () => Promise<Made> }[] = [
  {
    name: 'a real host',
    skip: cannotRun,
    async make() {
      const machine = await Machine.create();
      const provide = async (): Promise<void> => {
        await run('ip', ['-n', machine.outer, 'addr', 'replace', 'fe80::1/64', 'dev', 'pub0', 'nodad']);
        assert.ok(await machine.outsideSpawn(process.execPath, PREFIX_SERVER, 'pub0').says(/^serves$/m, 60_000));
      };
      return { fabric: machine.fabric(), events: machine.events, provide, end: () => machine.destroy() };
    },
  },
  {
    name: 'a simulated host',
    skip: false,
    async make() {
      const agent = new SimulatedAgent('sim', { clock: systemClock });
      const events: HostEvent[] = [];
      agent.onEvent((event) => events.push(event));
      return { fabric: agent.fabric, events, provide: async () => {}, end: async () => {} };
    },
  },
];

const base: readonly FabricObject[] = [
  network('public-net', [subnet('pub-sub', '172.24.4.0/24')], { mtu: 1500, segment: { type: 'flat', physicalNetwork: 'public' } }),
  network('in-net', [subnet('in-sub', '10.8.0.0/24', { gatewayIp: '10.8.0.1' }), subnet('in-six', '2001:db8:2::/64', { gatewayIp: '2001:db8:2::1' })]),
  group('listed', [...egressAll, rule('ingress', { remoteAddresses: { groupId: 'list', cidrs: ['192.0.2.0/24', '192.0.2.128/25', '198.51.100.7/32'] } })]),
  group('plain', [...egressAll, rule('ingress', { protocol: 'tcp', portMin: 22, portMax: 22 })], { stateful: false }),
];
const guest = (more: Parameters<typeof port>[4] = {}): FabricObject =>
  port('1-guest', 'in-net', 1, [['in-sub', '10.8.0.11']], { securityGroups: ['listed'], ...more });
const routed = (more: Parameters<typeof router>[1] = {}): FabricObject =>
  router('r-all', {
    gateway: { networkId: 'public-net', mac: macOf(20), addresses: [{ ip: '172.24.4.10', prefixLength: 24, nexthop: '172.24.4.1' }], snat: true },
    interfaces: [{ portId: 'r-port', networkId: 'in-net', mac: macOf(21), addresses: [{ ip: '10.8.0.1', prefixLength: 24 }] }],
    ...more,
  });
/** Parts that a kernel or a host may lack are no failure here; each has its own test. */
const tolerant = (error: unknown): void => assert.ok(error instanceof FabricFlaws && error.flaws.every((flaw) => flaw.isPartial), String(error));

const FEATURES: Readonly<Record<string, readonly FabricObject[]>> = {
  'conntrack helpers': [routed({ conntrackHelpers: [{ id: 'h1', helper: 'tftp', protocol: 'udp', port: 69 }] })],
  'NDP proxies': [routed({ ndpProxy: { addresses: ['2001:db8:2::11'], cidrs: ['2001:db8:2::/64'] } })],
  'logs of a stateful group': [guest({ logs: [{ id: 'l1', projectId: 'p1', event: 'ALL' }] })],
  'logs of a stateless group': [guest({ securityGroups: ['plain'], logs: [{ id: 'l1', projectId: 'p1', event: 'ACCEPT', groupId: 'plain' }] })],
  'local IPs': [guest({ localIps: [{ id: 'lip', ip: '10.8.0.100', fixedIp: '10.8.0.11' }] })],
};

for (const { name, skip, make } of HOSTS) {
  describe(`the fabric of ${name}`, { skip }, () => {
    let fabric: Fabric;
    let events: HostEvent[];
    let provide: () => Promise<void>;
    let end: () => Promise<void>;
    before(async () => {
      ({ fabric, events, provide, end } = await make());
      await fabric.apply([...base, guest(), routed()]);
    });
    after(async () => await end?.());

    for (const [feature, objects] of Object.entries(FEATURES)) {
      test(`has ${feature}, asked once or twice, and lets go of them`, async () => {
        const before = await fabric.status();
        for (let i = 0; i < 2; i++) await fabric.patch(objects.map(put)).catch(tolerant);
        const others = [...base, guest(), routed()].filter((other) => !objects.some((object) => object.id === other.id));
        await fabric.apply([...others, ...objects]).catch(tolerant);
        assert.deepEqual(await fabric.status(), before);
        await fabric.patch([put(guest()), put(routed())]);
        assert.deepEqual(await fabric.status(), before);
      });
    }

    test('tells which prefix the provider delegates to a subnet, and keeps the one that it is told of', async () => {
      const subnetId = '0b2a8a5e-7d0c-4f2b-9d3e-0000000000aa';
      const leases = (): string[] => events.flatMap((event) => (event.kind === 'prefix' && event.lease ? [event.lease.prefix] : []));
      await provide();
      await fabric.patch([put(routed({ prefixDelegation: [{ subnetId }] }))]);
      await until(async () => leases().length > 0, 60_000);
      const event = events.find((one) => one.kind === 'prefix');
      const prefix = leases()[0] ?? '';
      assert.match(prefix, /^[0-9a-f:]+::\/64$/);
      assert.ok(event?.kind === 'prefix' && (event.lease?.validUntilMs ?? 0) > Date.now());
      assert.deepEqual(event, { kind: 'prefix', routerId: 'r-all', subnetId, lease: event.lease });
      await fabric.patch([remove('router', 'r-all')]);
      await fabric.patch([put(routed({ prefixDelegation: [{ subnetId, prefix, validUntilMs: Date.now() + 3_600_000 }] }))]);
      await until(async () => leases().length > 1, 60_000);
      assert.deepEqual(new Set(leases()), new Set([prefix]));
      await fabric.patch([put(routed())]);
    });

    test('reads the meters of its routers, which begin at nothing and go with their routers', async () => {
      assert.deepEqual(await fabric.meters(), []);
      await fabric.patch([put(routed({ meters: [{ id: 'm1', rules: [{ direction: 'egress', excluded: false, source: '10.8.0.0/24' }] }] }))]);
      assert.deepEqual(await fabric.meters(), [{ routerId: 'r-all', meterId: 'm1', packets: 0, bytes: 0 }]);
      await fabric.patch([remove('router', 'r-all')]);
      assert.deepEqual(await fabric.meters(), []);
      await fabric.patch([put(routed())]);
    });
  });
}
