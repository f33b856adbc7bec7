import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { FabricObject, RouterSpec } from '@cairn/host/interface/fabric';
import type { SimulatedAgent } from '@cairn/host/simulated/agent';
import { type TestAnswer, testContext } from '@cairn/kit/testing/world';
import { NetworkWorld } from '../testing/network-world.ts';

type Body = TestAnswer['body'];
const ENDS = { h1: '100.127.0.1', h2: '100.127.0.2', h3: '100.127.0.3' } as const;
type Host = keyof typeof ENDS;

/** A distributed router between two networks and the public one, which is whole on h1. */
class Distributed {
  readonly world: NetworkWorld;
  readonly router: Body;
  readonly outside: Body;
  readonly red: Body;
  readonly blue: Body;

  private constructor(world: NetworkWorld, made: { router: Body; outside: Body; red: Body; blue: Body }) {
    this.world = world;
    this.router = made.router;
    this.outside = made.outside;
    this.red = made.red;
    this.blue = made.blue;
  }

  static async in(values: Body, test: (cloud: Distributed) => Promise<void>): Promise<void> {
    const world = await NetworkWorld.start();
    try {
      for (const [name, tunnelIp] of Object.entries(ENDS)) world.addHost(name, { tunnelIp });
      const { network: outside } = await world.publicNetwork();
      const red = await world.network('admin', '10.1.0.0/24');
      const blue = await world.network('admin', '10.2.0.0/24');
      const router = await world.create('admin', 'router', { external_gateway_info: { network_id: outside.id }, distributed: true, ...values });
      for (const { subnet } of [red, blue]) await world.expect(200, 'admin', 'PUT', `/routers/${router.id}/add_router_interface`, { subnet_id: subnet.id });
      await test(new Distributed(world, { router, outside, red: red.network, blue: blue.network }));
    } finally {
      await world.close();
    }
  }

  async fabric(host: Host): Promise<ReadonlyMap<string, FabricObject>> {
    await this.world.neutron.app.pusher.idle();
    return (this.world.hosts.get(host) as SimulatedAgent).machine.fabric;
  }

  async on(host: Host): Promise<RouterSpec | undefined> {
    const object = (await this.fabric(host)).get(`router ${this.router.id}`);
    return object?.kind === 'router' ? object : undefined;
  }

  /** The networks that a host has. */
  networksOn = async (host: Host): Promise<string[]> => [...(await this.fabric(host)).keys()].filter((key) => key.startsWith('network ')).toSorted();

  /** What hosts have of the router: `whole` or `part`, and the floating addresses there. */
  async places(): Promise<Record<string, readonly string[]>> {
    const all: [string, readonly string[]][] = [];
    for (const host of ['h1', 'h2', 'h3'] as const) {
      const spec = await this.on(host);
      if (spec) all.push([host, [spec.isPart ? 'part' : 'whole', ...spec.floatingIps.map(({ floatingIp }) => floatingIp).toSorted()]]);
    }
    return Object.fromEntries(all);
  }

  /** A server's port on a host, live. */
  async server(network: Body, host: Host): Promise<string> {
    const { face } = this.world.neutron;
    const { env } = this.world.world;
    const ctx = testContext({ roles: ['admin'], projectId: network.project_id });
    const [plan] = await face.planPorts(env.store.read, ctx, [{ networkId: network.id }], () => env.ids.uuid());
    assert.ok(plan);
    const deviceId = env.ids.uuid();
    await env.store.write((tx) => face.createPorts(tx, ctx, [{ plan, deviceId, deviceOwner: 'compute:nova', securityGroupIds: undefined, hostname: 'web' }]));
    await this.bind(plan.portId, host, deviceId);
    return plan.portId;
  }

  async bind(portId: string, host: Host, deviceId: string): Promise<void> {
    const { face } = this.world.neutron;
    await this.world.world.env.store.write((tx) => face.bindPorts(tx, [portId], { host, deviceId, deviceOwner: 'compute:nova' }));
    await face.makeLive([portId]);
  }

  floating = (portId: string): Promise<Body> => this.world.create('admin', 'floatingip', { floating_network_id: this.outside.id, port_id: portId });

  async status(floating: Body): Promise<string> {
    await this.world.neutron.app.pusher.idle();
    return (await this.world.show('admin', 'floatingip', floating.id)).status;
  }

  /** All that hosts have, given them whole instead of by changes, is the same. Groups, and their members, stay until a host is given the whole. */
  async agree(): Promise<void> {
    const isOwn = (object: FabricObject, fabric: ReadonlyMap<string, FabricObject>): boolean =>
      object.kind === 'port' ? fabric.has(`network ${object.networkId}`) : object.kind !== 'securityGroup';
    const own = async (host: Host): Promise<Map<string, FabricObject>> => {
      const fabric = await this.fabric(host);
      return new Map([...fabric].filter(([, object]) => isOwn(object, fabric)).toSorted(([a], [b]) => (a < b ? -1 : 1)));
    };
    for (const host of ['h1', 'h2', 'h3'] as const) {
      const before = await own(host);
      this.world.addHost(host, { tunnelIp: ENDS[host] });
      assert.deepEqual(await own(host), before, host);
    }
  }
}

describe('a distributed router on several hosts', () => {
  it('is whole on its host, and has parts where servers of its networks are, with their floating IPs', () =>
    Distributed.in({}, async (cloud) => {
      assert.deepEqual(await cloud.places(), { h1: ['whole'] });
      const [two, three] = [await cloud.server(cloud.red, 'h2'), await cloud.server(cloud.blue, 'h3')];
      assert.deepEqual(await cloud.places(), { h1: ['whole'], h2: ['part'], h3: ['part'] });
      assert.equal((await cloud.on('h2'))?.gateway, undefined);
      const floating = await cloud.floating(two);
      const near = await cloud.floating(await cloud.server(cloud.blue, 'h1'));
      const address = floating.floating_ip_address;
      assert.deepEqual(await cloud.places(), { h1: ['whole', near.floating_ip_address], h2: ['part', address], h3: ['part'] });
      assert.deepEqual([await cloud.status(floating), await cloud.status(near)], ['ACTIVE', 'ACTIVE']);
      // a part has all networks of the router, and knows who is on them
      for (const host of ['h2', 'h3'] as const) {
        const fabric = await cloud.fabric(host);
        for (const { id } of [cloud.red, cloud.blue, cloud.outside]) assert.ok(fabric.has(`network ${id}`), `${host} lacks a network`);
        for (const id of [two, three]) assert.ok(fabric.has(`port ${id}`), `${host} does not know a port`);
        const network = fabric.get(`network ${cloud.red.id}`);
        assert.equal(network?.kind === 'network' && network.tunnel?.peers.length, 2);
      }
      const [whole, part] = [await cloud.on('h1'), await cloud.on('h2')];
      assert.deepEqual(part?.interfaces.map((link) => link.sharedMac).toSorted(), whole?.interfaces.map((link) => link.mac).toSorted());
      assert.notEqual(part?.gateway?.mac, whole?.gateway?.mac);
      assert.deepEqual(part?.gateway?.addresses, []);
      await cloud.agree();
      // the agents are those that have it whole, as upstream tells
      const { agents } = await cloud.world.expect(200, 'admin', 'GET', `/routers/${cloud.router.id}/l3-agents`);
      assert.deepEqual(
        agents.map((agent: Body) => agent.host),
        ['h1'],
      );
    }));

  it('has its parts go with the last server, and its floating IPs move with theirs', () =>
    Distributed.in({}, async (cloud) => {
      const { face } = cloud.world.neutron;
      const { store } = cloud.world.world.env;
      // DHCP of some network may be there
      const before = await cloud.networksOn('h2');
      const id = await cloud.server(cloud.red, 'h2');
      const floating = await cloud.floating(id);
      const address = floating.floating_ip_address;
      await store.write((tx) => face.announcePorts(tx, [id], 'h3'));
      await face.makeLive([id]);
      assert.deepEqual(await cloud.places(), { h1: ['whole'], h2: ['part', address], h3: ['part'] });
      assert.ok((await cloud.fabric('h3')).has(`network ${cloud.outside.id}`), 'the way outside is there before the server is');
      await cloud.bind(id, 'h3', (await cloud.world.show('admin', 'port', id)).device_id);
      assert.deepEqual(await cloud.places(), { h1: ['whole'], h3: ['part', address] });
      assert.deepEqual(await cloud.networksOn('h2'), before);
      assert.equal(await cloud.status(floating), 'ACTIVE');
      await cloud.agree();
      await cloud.bind(id, 'h1', (await cloud.world.show('admin', 'port', id)).device_id);
      assert.deepEqual(await cloud.places(), { h1: ['whole', address] });
      await store.write((tx) => face.unbindPorts(tx, [id]));
      assert.deepEqual(await cloud.places(), { h1: ['whole', address] });
    }));

  it('answers itself for what is bound nowhere, and for the address that a port gets before its server', () =>
    Distributed.in({}, async (cloud) => {
      const vip = await cloud.world.create('admin', 'port', { network_id: cloud.red.id });
      const floating = await cloud.floating(vip.id);
      await cloud.server(cloud.red, 'h2');
      assert.deepEqual(await cloud.places(), { h1: ['whole', floating.floating_ip_address], h2: ['part'] });
      const known = (await cloud.fabric('h2')).get(`port ${vip.id}`);
      assert.ok(known?.kind === 'port' && known.isUnbound);
      assert.equal(await cloud.status(floating), 'ACTIVE');
      await cloud.bind(vip.id, 'h3', cloud.world.world.env.ids.uuid());
      assert.deepEqual(await cloud.places(), { h1: ['whole'], h2: ['part'], h3: ['part', floating.floating_ip_address] });
    }));

  it('is followed by its parts in all that changes of it', () =>
    Distributed.in({}, async (cloud) => {
      const { world, router } = cloud;
      const before = await cloud.networksOn('h2');
      const floating = await cloud.floating(await cloud.server(cloud.red, 'h2'));
      const { network, subnet } = await world.network('admin', '10.3.0.0/24');
      await world.expect(200, 'admin', 'PUT', `/routers/${router.id}/add_router_interface`, { subnet_id: subnet.id });
      assert.equal((await cloud.on('h2'))?.interfaces.length, 3);
      assert.ok((await cloud.fabric('h2')).has(`network ${network.id}`));
      await world.expect(200, 'admin', 'PUT', `/routers/${router.id}/remove_router_interface`, { subnet_id: subnet.id });
      assert.equal((await cloud.on('h2'))?.interfaces.length, 2);
      assert.ok(!(await cloud.fabric('h2')).has(`network ${network.id}`));
      await world.update('admin', 'router', router.id, { admin_state_up: false });
      assert.equal((await cloud.on('h2'))?.adminUp, false);
      await world.update('admin', 'router', router.id, { distributed: false });
      await world.update('admin', 'router', router.id, { admin_state_up: true });
      assert.deepEqual(await cloud.places(), { h1: ['whole', floating.floating_ip_address] });
      assert.deepEqual(new Set(await cloud.networksOn('h2')), new Set([...before, `network ${cloud.red.id}`]));
      await cloud.agree();
    }));

  it('moves to a host that had a part, while the other parts go on; without an agent it has none', () =>
    Distributed.in({}, async (cloud) => {
      const { world, router } = cloud;
      const two = await cloud.floating(await cloud.server(cloud.red, 'h2'));
      const three = await cloud.floating(await cloud.server(cloud.red, 'h3'));
      const { agents } = await world.expect(200, 'admin', 'GET', '/agents?agent_type=L3%20agent');
      const agentOn = (host: Host): string => agents.find((agent: Body) => agent.host === host).id;
      await world.expect(204, 'admin', 'DELETE', `/agents/${agentOn('h1')}/l3-routers/${router.id}`);
      assert.deepEqual([await cloud.places(), await cloud.status(two)], [{}, 'DOWN']);
      await world.expect(201, 'admin', 'POST', `/agents/${agentOn('h2')}/l3-routers`, { router_id: router.id });
      assert.deepEqual(await cloud.places(), { h2: ['whole', two.floating_ip_address], h3: ['part', three.floating_ip_address] });
      assert.deepEqual([await cloud.status(two), await cloud.status(three)], ['ACTIVE', 'ACTIVE']);
      await cloud.agree();
    }));

  it('may be highly available as well', () =>
    Distributed.in({ ha: true }, async (cloud) => {
      const floating = await cloud.floating(await cloud.server(cloud.red, 'h2'));
      assert.deepEqual(await cloud.places(), { h1: ['whole'], h2: ['part', floating.floating_ip_address] });
      const { ports } = await cloud.world.expect(200, 'admin', 'GET', `/ports?device_id=${cloud.router.id}&network_id=${cloud.red.id}`);
      assert.equal(ports[0].device_owner, 'network:router_interface_distributed');
      assert.equal(await cloud.status(floating), 'ACTIVE');
    }));
});

describe('the flag of distributed routers', () => {
  it('is for admins alone', () =>
    Distributed.in({}, async ({ world }) => {
      assert.equal((await world.call('member', 'POST', '/routers', { router: { distributed: true } })).status, 403);
      const made = await world.create('member', 'router', {});
      assert.ok(!('distributed' in made));
      assert.equal((await world.show('admin', 'router', made.id)).distributed, false);
      assert.equal((await world.call('member', 'PUT', `/routers/${made.id}`, { router: { distributed: true } })).status, 403);
    }));

  it('changes while the router is down, before and after, and shows in the owner of its interfaces', () =>
    Distributed.in({ distributed: false }, async ({ world, router }) => {
      const owners = async (): Promise<string[]> => {
        const { ports } = await world.expect(200, 'admin', 'GET', `/ports?device_id=${router.id}`);
        return [...new Set<string>(ports.map((port: Body) => port.device_owner))].toSorted();
      };
      const change = (values: Body): Promise<TestAnswer> => world.call('admin', 'PUT', `/routers/${router.id}`, { router: values });
      const refused = {
        type: 'BadRequest',
        message: "Bad router request: Cannot change the 'distributed' attribute of active routers. Please set router admin_state_up to False prior to upgrade.",
        detail: '',
      };
      for (const values of [{ distributed: true }, { distributed: true, admin_state_up: false }]) {
        const answer = await change(values);
        assert.deepEqual([answer.status, answer.body.NeutronError], [400, refused]);
      }
      assert.equal((await change({ distributed: false })).status, 200);
      await change({ admin_state_up: false });
      assert.equal((await change({ distributed: true, admin_state_up: true })).status, 400);
      assert.deepEqual(await owners(), ['network:router_gateway', 'network:router_interface']);
      assert.equal((await change({ distributed: true })).body.router.distributed, true);
      assert.deepEqual(await owners(), ['network:router_gateway', 'network:router_interface_distributed']);
      await change({ distributed: false });
      assert.deepEqual(await owners(), ['network:router_gateway', 'network:router_interface']);
    }));
});
