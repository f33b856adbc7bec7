import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { FabricObject, NetworkSpec } from '@cairn/host/interface/fabric';
import type { SimulatedAgent } from '@cairn/host/simulated/agent';
import { testContext } from '@cairn/kit/testing/world';
import { NetworkWorld } from '../testing/network-world.ts';
import { settingsOf } from '../options.ts';
import { networkAt, networkOn as networkAsTold } from './several-hosts.ts';

const ENDS = { h1: '100.127.0.1', h2: '100.127.0.2', h3: '100.127.0.3' } as const;
type Host = keyof typeof ENDS;

async function inWorld(test: (world: NetworkWorld) => Promise<void>): Promise<void> {
  const world = await NetworkWorld.start();
  try {
    for (const [name, tunnelIp] of Object.entries(ENDS)) world.addHost(name, { tunnelIp });
    await test(world);
  } finally {
    await world.close();
  }
}

const on = (world: NetworkWorld, host: Host): Map<string, FabricObject> => (world.hosts.get(host) as SimulatedAgent).machine.fabric;
const networkOn = (world: NetworkWorld, host: Host, id: string): NetworkSpec => {
  const object = on(world, host).get(`network ${id}`);
  assert.ok(object?.kind === 'network', `${host} has no network ${id}`);
  return object;
};
const idle = (world: NetworkWorld): Promise<void> => world.neutron.app.pusher.idle();

/** A server's port on a host, live. */
async function serverPort(world: NetworkWorld, networkId: string, host: Host): Promise<string> {
  const { face } = world.neutron;
  const ctx = testContext();
  const deviceId = world.world.env.ids.uuid();
  const [plan] = await face.planPorts(world.world.env.store.read, ctx, [{ networkId }], () => world.world.env.ids.uuid());
  assert.ok(plan);
  await world.world.env.store.write(async (tx) => {
    await face.createPorts(tx, ctx, [{ plan, deviceId, deviceOwner: 'compute:nova', securityGroupIds: undefined, hostname: 'web' }]);
    await face.bindPorts(tx, [plan.portId], { host, deviceId, deviceOwner: 'compute:nova' });
  });
  await face.makeLive([plan.portId]);
  await idle(world);
  return plan.portId;
}

describe('hosts that are joined by tunnels', () => {
  it('know which others have a network, and one of them alone serves its DHCP', () =>
    inWorld(async (world) => {
      const { network } = await world.network();
      await serverPort(world, network.id, 'h2');
      assert.deepEqual(networkOn(world, 'h1', network.id).tunnel?.peers, [ENDS.h2]);
      assert.deepEqual(networkOn(world, 'h2', network.id).tunnel?.peers, [ENDS.h1]);
      assert.ok(!on(world, 'h3').has(`network ${network.id}`));
      assert.ok(networkOn(world, 'h1', network.id).subnets[0]?.dhcp);
      assert.equal(networkOn(world, 'h2', network.id).subnets[0]?.dhcp, undefined);
      const third = await serverPort(world, network.id, 'h3');
      assert.deepEqual(networkOn(world, 'h2', network.id).tunnel?.peers, [ENDS.h1, ENDS.h3]);
      assert.deepEqual(new Set(['h1', 'h2', 'h3'].map((host) => JSON.stringify([networkOn(world, host as Host, network.id).tunnel?.vni, 'x']))).size, 1);
      await world.world.env.store.write((tx) => world.neutron.face.releasePorts(tx, [third], { delete: true }));
      await idle(world);
      assert.deepEqual(networkOn(world, 'h2', network.id).tunnel?.peers, [ENDS.h1]);
    }));

  it('know the members of the groups that their rules ask for, wherever those are', () =>
    inWorld(async (world) => {
      const { network } = await world.network();
      const here = await serverPort(world, network.id, 'h2');
      const there = await serverPort(world, network.id, 'h3');
      for (const [host, id] of [
        ['h2', there],
        ['h3', here],
      ] as const) {
        const member = on(world, host).get(`port ${id}`);
        assert.ok(member?.kind === 'port', `${host} does not know the member on the other host`);
        assert.deepEqual(member.attachment, { kind: 'none' });
      }
      // the whole says the same as the changes did
      world.addHost('h2', { tunnelIp: ENDS.h2 });
      await idle(world);
      assert.ok(on(world, 'h2').has(`port ${there}`));
      await world.world.env.store.write((tx) => world.neutron.face.releasePorts(tx, [there], { delete: true }));
      await idle(world);
      assert.ok(!on(world, 'h2').has(`port ${there}`));
    }));

  it('both have the tap of a port whose server is on its way, until it is bound anew', () =>
    inWorld(async (world) => {
      const { network } = await world.network();
      const id = await serverPort(world, network.id, 'h2');
      const tapOn = (host: Host): boolean => {
        const port = on(world, host).get(`port ${id}`);
        return port?.kind === 'port' && port.attachment.kind === 'guest';
      };
      const { face } = world.neutron;
      await world.world.env.store.write((tx) => face.announcePorts(tx, [id], 'h3'));
      await face.makeLive([id]);
      assert.deepEqual([tapOn('h2'), tapOn('h3')], [true, true]);
      assert.deepEqual(networkOn(world, 'h1', network.id).tunnel?.peers, [ENDS.h2, ENDS.h3]);
      const deviceId = (await world.show('member', 'port', id)).device_id;
      await world.world.env.store.write((tx) => face.bindPorts(tx, [id], { host: 'h3', deviceId, deviceOwner: 'compute:nova' }));
      await face.makeLive([id]);
      await idle(world);
      assert.deepEqual([tapOn('h2'), tapOn('h3')], [false, true]);
      await world.world.env.store.write((tx) => face.announcePorts(tx, [id], 'h1'));
      await face.makeLive([id]);
      assert.equal(tapOn('h1'), true);
      await world.world.env.store.write((tx) => face.announcePorts(tx, [id], ''));
      await face.makeGone([id]);
      await idle(world);
      assert.equal(tapOn('h1'), false);
    }));
});

describe('a network on one of several hosts', () => {
  const network = (segment: NetworkSpec['segment']): FabricObject => ({ kind: 'network', id: 'n', mtu: 1450, segment, subnets: [] });
  const tunnelOf = (segment: NetworkSpec['segment'], ends: Readonly<Record<string, string>> = ENDS): NetworkSpec['tunnel'] => {
    const object = networkAt(network(segment), { host: 'h2', dhcpHosts: new Set(['h1']) }, new Set(['h1', 'h2', 'h3']), new Map(Object.entries(ends)));
    return object.kind === 'network' ? object.tunnel : undefined;
  };

  it('is told apart by id and kind; a local or flat one has no tunnel, nor has one of hosts that are not joined', () => {
    assert.deepEqual(tunnelOf({ type: 'vxlan', id: 7 }), { vni: 7, udpPort: 4789, peers: [ENDS.h1, ENDS.h3] });
    assert.deepEqual(tunnelOf({ type: 'geneve', id: 7 }), { vni: 7, udpPort: 6081, peers: [ENDS.h1, ENDS.h3] });
    const vlans = [tunnelOf({ type: 'vlan', id: 7, physicalNetwork: 'a' }), tunnelOf({ type: 'vlan', id: 7, physicalNetwork: 'b' })];
    assert.notEqual(vlans[0]?.vni, vlans[1]?.vni);
    for (const tunnel of vlans) assert.ok(tunnel && tunnel.vni > 0 && tunnel.vni < 2 ** 24);
    assert.equal(tunnelOf({ type: 'local' }), undefined);
    assert.equal(tunnelOf({ type: 'flat', physicalNetwork: 'public' }), undefined);
    assert.equal(tunnelOf({ type: 'vxlan', id: 7 }, {}), undefined);
  });

  it('is in no tunnel where the hosts have its physical network by wires of their own', () => {
    const settings = settingsOf({ physicalNetworks: { wire: { isWired: true }, inside: {} } });
    const tunnelAt = (physicalNetwork: string) => {
      const loaded = { dhcpHosts: new Set(['h1']), standbys: new Set<string>(), objectFor: () => network({ type: 'vlan', id: 7, physicalNetwork }) };
      const object = networkAsTold(settings, loaded, undefined, 'h2', new Set(['h2']), new Map(Object.entries(ENDS)));
      return object.kind === 'network' && object.tunnel?.udpPort;
    };
    assert.deepEqual([tunnelAt('wire'), tunnelAt('inside')], [undefined, 4790]);
  });
});
