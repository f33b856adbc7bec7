import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type FabricChange, FabricFlaws, type FabricObject } from '@cairn/host/interface/fabric';
import type { SimulatedAgent } from '@cairn/host/simulated/agent';
import { testAdmin, testContext } from '@cairn/kit/testing/world';
import { NetworkWorld, type NetworkWorldOptions } from '../testing/network-world.ts';

const DEVICE = 'd0000000-0000-4000-8000-000000000001';

async function inWorld(options: NetworkWorldOptions, test: (world: NetworkWorld) => Promise<void>): Promise<void> {
  const world = await NetworkWorld.start(options);
  try {
    await test(world);
  } finally {
    await world.close();
  }
}

const fabricOf = (world: NetworkWorld, host: string): Map<string, FabricObject> => (world.hosts.get(host) as SimulatedAgent).machine.fabric;
const idle = (world: NetworkWorld): Promise<void> => world.neutron.app.pusher.idle();

/** A server's port on a host, live. */
async function serverPort(world: NetworkWorld, networkId: string, host: string): Promise<string> {
  const { face } = world.neutron;
  const ctx = testContext();
  const [plan] = await face.planPorts(world.world.env.store.read, ctx, [{ networkId }], () => world.world.env.ids.uuid());
  assert.ok(plan);
  await world.world.env.store.write(async (tx) => {
    await face.createPorts(tx, ctx, [{ plan, deviceId: DEVICE, deviceOwner: 'compute:nova', securityGroupIds: undefined, hostname: 'web' }]);
    await face.bindPorts(tx, [plan.portId], { host, deviceId: DEVICE, deviceOwner: 'compute:nova' });
  });
  await face.makeLive([plan.portId]);
  return plan.portId;
}

describe('the hosts', () => {
  it('have a port before makeLive resolves, and it is ACTIVE then', () =>
    inWorld({ hosts: ['h1'], agent: { delays: { fabricMs: 20 } } }, async (world) => {
      const { network, subnet } = await world.network();
      const portId = await serverPort(world, network.id, 'h1');
      const object = fabricOf(world, 'h1').get(`port ${portId}`);
      assert.ok(object?.kind === 'port');
      assert.deepEqual(object.attachment, { kind: 'guest', tap: `tap${portId.slice(0, 11)}` });
      assert.equal(object.hostname, 'web');
      const port = await world.show('member', 'port', portId);
      assert.deepEqual([port.status, port.device_owner, port.device_id], ['ACTIVE', 'compute:nova', DEVICE]);
      const net = fabricOf(world, 'h1').get(`network ${network.id}`);
      assert.ok(net?.kind === 'network');
      assert.deepEqual(net.subnets[0]?.dhcp?.ip, '10.0.0.2');
      assert.equal(net.subnets[0]?.id, subnet.id);
      assert.ok(fabricOf(world, 'h1').has(`securityGroup ${port.security_groups[0]}`));
    }));

  it('lose a port before makeGone resolves', () =>
    inWorld({ hosts: ['h1'], agent: { delays: { fabricMs: 20 } } }, async (world) => {
      const { network } = await world.network();
      const portId = await serverPort(world, network.id, 'h1');
      await world.world.env.store.write((tx) => world.neutron.face.releasePorts(tx, [portId], { delete: true }));
      await world.neutron.face.makeGone([portId]);
      assert.ok(!fabricOf(world, 'h1').has(`port ${portId}`));
      await world.expect(404, 'member', 'GET', `/ports/${portId}`);
      await world.expect(204, 'member', 'DELETE', `/networks/${network.id}`);
      await idle(world);
      assert.ok(!fabricOf(world, 'h1').has(`network ${network.id}`));
    }));

  it('hear of changes of rules, routers and subnets', () =>
    inWorld({ hosts: ['h1'] }, async (world) => {
      const { network, subnet } = await world.network();
      const portId = await serverPort(world, network.id, 'h1');
      const fabric = fabricOf(world, 'h1');
      const groupId = (await world.show('member', 'port', portId)).security_groups[0];
      await world.create('member', 'security_group_rule', {
        security_group_id: groupId,
        direction: 'ingress',
        protocol: 'tcp',
        port_range_min: 22,
        port_range_max: 22,
      });
      await idle(world);
      const group = fabric.get(`securityGroup ${groupId}`);
      assert.ok(group?.kind === 'securityGroup');
      assert.ok(group.rules.some((rule) => rule.protocol === 'tcp' && rule.portMin === 22 && rule.portMax === 22));
      await world.update('member', 'subnet', subnet.id, { dns_nameservers: ['9.9.9.9'] });
      await idle(world);
      const net = fabric.get(`network ${network.id}`);
      assert.ok(net?.kind === 'network');
      assert.deepEqual(net.subnets[0]?.dnsServers, ['9.9.9.9']);
      assert.equal(net.subnets[0]?.isolated, true);
      const { network: outside } = await world.publicNetwork();
      const router = await world.create('member', 'router', { name: 'r', external_gateway_info: { network_id: outside.id } });
      await world.expect(200, 'member', 'PUT', `/routers/${router.id}/add_router_interface`, { subnet_id: subnet.id });
      const fip = await world.create('member', 'floatingip', { floating_network_id: outside.id, port_id: portId });
      await idle(world);
      const object = fabric.get(`router ${router.id}`);
      assert.ok(object?.kind === 'router');
      assert.equal(object.gateway?.snat, true);
      assert.equal(object.gateway?.addresses[0]?.nexthop, '172.24.4.1');
      assert.deepEqual(object.interfaces[0]?.addresses, [{ ip: '10.0.0.1', prefixLength: 24 }]);
      assert.deepEqual(object.floatingIps, [{ id: fip.id, floatingIp: fip.floating_ip_address, fixedIp: fip.fixed_ip_address }]);
      const routed = fabric.get(`network ${network.id}`);
      assert.ok(routed?.kind === 'network');
      assert.equal(routed.subnets[0]?.isolated, false);
      await world.expect(204, 'member', 'DELETE', `/floatingips/${fip.id}`);
      await world.expect(200, 'member', 'PUT', `/routers/${router.id}/remove_router_interface`, { subnet_id: subnet.id });
      await world.expect(204, 'member', 'DELETE', `/routers/${router.id}`);
      await idle(world);
      assert.ok(!fabric.has(`router ${router.id}`));
    }));

  it('that fail are tried again until they take it', () => {
    let failures = 3;
    const fault = ({ method, when }: { method: string; when: string }): void => {
      if (method.startsWith('fabric.') && when === 'before' && failures-- > 0) throw new Error('the kernel says no');
    };
    return inWorld({ hosts: ['h1'], agent: { fault } }, async (world) => {
      const { network } = await world.network();
      const portId = await serverPort(world, network.id, 'h1');
      assert.ok(fabricOf(world, 'h1').has(`port ${portId}`));
      assert.ok(failures <= 0);
      assert.equal((await world.show('member', 'port', portId)).status, 'ACTIVE');
    });
  });

  it('that cannot have one port have all others, and who waits for that one is told why', () => {
    let refused: string | undefined;
    const isGuestPort = (object: FabricObject): boolean => object.kind === 'port' && object.attachment.kind === 'guest';
    const fault = ({ method, args, when }: { method: string; args: readonly unknown[]; when: string }): void => {
      if (!method.startsWith('fabric.') || when !== 'after') return;
      const given = (args[0] as readonly (FabricObject | FabricChange)[]).flatMap((one) => ('op' in one ? (one.op === 'put' ? [one.object] : []) : [one]));
      refused ??= given.find(isGuestPort)?.id;
      const id = given.find((object) => object.id === refused)?.id;
      if (id !== undefined) throw new FabricFlaws([{ kind: 'port', id, message: `The port ${id} could not be plugged.` }]);
    };
    return inWorld({ hosts: ['h1'], agent: { fault } }, async (world) => {
      const { network } = await world.network();
      await assert.rejects(serverPort(world, network.id, 'h1'), { kind: 'Unavailable', message: /^The port [-0-9a-f]+ could not be plugged\.$/ });
      assert.ok(refused);
      const portId = await serverPort(world, network.id, 'h1');
      assert.equal((await world.show('member', 'port', portId)).status, 'ACTIVE');
      assert.equal((await world.show('member', 'port', refused)).status, 'DOWN');
      const { id } = { id: refused };
      await world.world.env.store.write((tx) => world.neutron.face.releasePorts(tx, [id], { delete: true }));
      await world.neutron.face.makeGone([id]);
      assert.ok(!fabricOf(world, 'h1').has(`port ${id}`));
    });
  });

  it('that go without a part of a router have the rest of it, and nobody who waits for it is held up', () => {
    const fault = ({ method, args, when }: { method: string; args: readonly unknown[]; when: string }): void => {
      if (!method.startsWith('fabric.') || when !== 'after') return;
      const given = (args[0] as readonly (FabricObject | FabricChange)[]).flatMap((one) => ('op' in one ? (one.op === 'put' ? [one.object] : []) : [one]));
      const router = given.find((object) => object.kind === 'router' && object.conntrackHelpers !== undefined);
      if (router) throw new FabricFlaws([{ kind: 'router', id: router.id, isPartial: true, message: 'The kernel does not have the helper.' }]);
    };
    return inWorld({ hosts: ['h1'], agent: { fault } }, async (world) => {
      const external = await world.publicNetwork();
      const { network, subnet } = await world.network();
      const router = await world.create('member', 'router', { external_gateway_info: { network_id: external.network.id } });
      await world.expect(200, 'member', 'PUT', `/routers/${router.id}/add_router_interface`, { subnet_id: subnet.id });
      const helper = { conntrack_helper: { protocol: 'tcp', port: 1720, helper: 'h323' } };
      await world.expect(201, 'member', 'POST', `/routers/${router.id}/conntrack_helpers`, helper);
      await world.neutron.app.pusher.settled([`router ${router.id}`]);
      const port = await world.create('member', 'port', { network_id: network.id });
      const floating = await world.create('member', 'floatingip', { floating_network_id: external.network.id, port_id: port.id });
      await idle(world);
      assert.equal((await world.show('member', 'floatingip', floating.id)).status, 'ACTIVE');
    });
  });

  it('that come late are given all that is theirs', () =>
    inWorld({}, async (world) => {
      const { network } = await world.network();
      const port = await world.create('member', 'port', { network_id: network.id });
      world.addHost('h1');
      await idle(world);
      assert.ok(fabricOf(world, 'h1').has(`port ${port.id}`));
      const [dhcp] = (await world.expect(200, 'admin', 'GET', `/ports?network_id=${network.id}&device_owner=network:dhcp`)).ports;
      assert.deepEqual([dhcp['binding:host_id'], dhcp.status], ['h1', 'ACTIVE']);
    }));

  it('that come back with something else are corrected', () =>
    inWorld({ hosts: ['h1'] }, async (world) => {
      const { network } = await world.network();
      const portId = await serverPort(world, network.id, 'h1');
      const { machine } = world.hosts.get('h1') as SimulatedAgent;
      world.hosts.remove('h1');
      machine.fabric.delete(`port ${portId}`);
      machine.fabric.set('port stray', { ...(fabricOfMachine(machine, `network ${network.id}`) as FabricObject) });
      world.addHost('h1', { machine });
      await idle(world);
      assert.ok(machine.fabric.has(`port ${portId}`));
      assert.ok(!machine.fabric.has('port stray'));
    }));

  it('have what is bound to them, and what they serve', () =>
    inWorld({ hosts: ['h1', 'h2'] }, async (world) => {
      // DHCP of the first network is on the first host, that of the second on the other
      const one = await world.network('member', '10.1.0.0/24');
      const two = await world.network('member', '10.2.0.0/24');
      const portId = await serverPort(world, one.network.id, 'h2');
      const plain = await world.create('member', 'port', { network_id: two.network.id });
      await idle(world);
      const networksOn = (host: string): string[] => [...fabricOf(world, host).keys()].filter((key) => key.startsWith('network')).toSorted();
      const keys = [one, two].map(({ network }) => `network ${network.id}`);
      assert.deepEqual([networksOn('h1'), networksOn('h2')], [keys.slice(0, 1), keys.toSorted()]);
      const here = fabricOf(world, 'h2').get(`port ${portId}`);
      const there = fabricOf(world, 'h1').get(`port ${portId}`);
      assert.ok(here?.kind === 'port' && there?.kind === 'port');
      assert.deepEqual([here.attachment.kind, there.attachment.kind], ['guest', 'none']);
      assert.deepEqual(
        ['h1', 'h2'].map((host) => fabricOf(world, host).has(`port ${plain.id}`)),
        [false, true],
      );
      // it moves to the first host: the second has nothing of it any more
      await world.expect(200, 'admin', 'PUT', `/ports/${portId}`, { port: { 'binding:host_id': 'h1' } });
      await world.neutron.face.makeLive([portId]);
      await idle(world);
      assert.ok(!fabricOf(world, 'h2').has(`port ${portId}`));
      assert.deepEqual(networksOn('h2'), keys.slice(1));
      assert.equal((await world.show('member', 'port', portId)).status, 'ACTIVE');
    }));

  it('that are bound anew count as live anew', () =>
    inWorld({ hosts: ['h1'] }, async (world) => {
      const { network } = await world.network();
      const portId = await serverPort(world, network.id, 'h1');
      world.front.as('service', testAdmin({ roles: ['service', 'admin', 'member', 'reader'] }));
      await world.expect(200, 'service', 'PUT', `/ports/${portId}`, { port: { 'binding:profile': { some: 'thing' } } });
      await idle(world);
      assert.equal((await world.show('member', 'port', portId)).status, 'ACTIVE');
    }));

  it('that are not there make makeLive fail, and makeGone does not wait for them', () =>
    inWorld({ hosts: ['h1'] }, async (world) => {
      const { network } = await world.network();
      const portId = await serverPort(world, network.id, 'h1');
      world.hosts.remove('h1');
      await assert.rejects(world.neutron.face.makeLive([portId]), { kind: 'Unavailable' });
      await world.world.env.store.write((tx) => world.neutron.face.releasePorts(tx, [portId], { delete: true }));
      await world.neutron.face.makeGone([portId]);
    }));

  it('let go of a wait that is aborted', () => {
    const fault = ({ method, when }: { method: string; when: string }): void => {
      if (method === 'fabric.patch' && when === 'before') throw new Error('never');
    };
    return inWorld({ hosts: ['h1'], agent: { fault } }, async (world) => {
      const { network } = await world.network();
      const port = await world.create('admin', 'port', {
        network_id: network.id,
        'binding:host_id': 'h1',
        device_owner: 'compute:nova',
        device_id: DEVICE,
        project_id: testAdmin().projectId,
      });
      const controller = new AbortController();
      const waiting = world.neutron.face.makeLive([port.id], controller.signal);
      setTimeout(() => controller.abort(new Error('enough')), 20);
      await assert.rejects(waiting, /enough/);
    });
  });
});

const fabricOfMachine = (machine: SimulatedAgent['machine'], key: string): FabricObject | undefined => machine.fabric.get(key);
