import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { testContext } from '@cairn/kit/testing/world';
import type { TestAnswer } from '@cairn/kit/testing/world';
import { DEMO_PROJECT, NetworkWorld, OTHER_PROJECT } from '../testing/network-world.ts';

type Body = TestAnswer['body'];

describe('a network that is made for a project', () => {
  let world: NetworkWorld;
  before(async () => {
    world = await NetworkWorld.start({ hosts: ['host'] });
  });
  after(() => world.close());

  const path = (project: string): string => `/auto-allocated-topology/${project}`;

  it('needs an external network and a pool that are the default ones, and says which is missing', async () => {
    const refused = async (text: RegExp): Promise<void> => {
      for (const query of ['', '?fields=dry-run']) {
        const answer = await world.call('member', 'GET', path(DEMO_PROJECT) + query);
        assert.deepEqual([answer.status, answer.body.NeutronError.type], [409, 'AutoAllocationFailure']);
        assert.match(answer.body.NeutronError.message, text);
      }
      const { face, app } = world.neutron;
      const ids = app.env.ids;
      const plan = face.planPorts(app.env.store.read, testContext({}), 'auto', () => ids.uuid());
      await assert.rejects(plan, (error: Error & { type?: string }) => error.type === 'UnableToAutoAllocateNetwork');
    };
    await refused(/No default router:external network/);
    const { network } = await world.publicNetwork();
    await world.update('admin', 'network', network.id, { is_default: true });
    await refused(/No default subnetpools defined/);
    await world.create('admin', 'subnetpool', { name: 'default', prefixes: ['10.90.0.0/16'], default_prefixlen: 24, is_default: true, shared: true });
    const { auto_allocated_topology: dry } = await world.expect(200, 'member', 'GET', `${path(DEMO_PROJECT)}?fields=dry-run`);
    assert.deepEqual(dry, { id: 'dry-run=pass', tenant_id: DEMO_PROJECT, project_id: DEMO_PROJECT });
  });

  it('is made once, whole, and goes again', async () => {
    const first = (await world.expect(200, 'member', 'GET', path('None'))).auto_allocated_topology;
    const again = (await world.expect(200, 'member', 'GET', path(DEMO_PROJECT))).auto_allocated_topology;
    assert.deepEqual(first, again);
    const network = await world.show('member', 'network', first.id);
    assert.deepEqual([network.name, network.project_id, network.subnets.length, network.admin_state_up], ['auto_allocated_network', DEMO_PROJECT, 1, true]);
    const { routers } = await world.expect(200, 'member', 'GET', '/routers?name=auto_allocated_router');
    assert.equal(routers[0].project_id, DEMO_PROJECT);
    assert.ok((await world.onHost('router', routers[0].id)).gateway);
    await world.expect(403, 'member', 'GET', path(OTHER_PROJECT));
    await world.expect(403, 'reader', 'DELETE', path(DEMO_PROJECT));
    await world.expect(204, 'member', 'DELETE', path(DEMO_PROJECT));
    await world.expect(404, 'member', 'GET', `/networks/${first.id}`);
    assert.equal((await world.expect(200, 'member', 'GET', '/routers')).routers.length, 0);
  });

  it('serves servers that ask for any network', async () => {
    const { face, app } = world.neutron;
    const ctx = testContext({ projectId: OTHER_PROJECT, projectName: 'other' });
    const [plan] = await face.planPorts(app.env.store.read, ctx, 'auto', () => app.env.ids.uuid());
    const { networks } = await world.expect(200, 'other', 'GET', '/networks?name=auto_allocated_network');
    assert.equal(plan?.networkId, networks[0].id);
    const [second] = await face.planPorts(app.env.store.read, ctx, 'auto', () => app.env.ids.uuid());
    assert.equal(second?.networkId, networks[0].id);
  });
});

describe('bindings of a port to several hosts', () => {
  let world: NetworkWorld;
  let port: Body;
  before(async () => {
    world = await NetworkWorld.start({ hosts: ['h1', 'h2', 'h3'] });
    world.front.as('service', testContext({ roles: ['service'], projectId: 'b00000000000000000000000000000f0' }));
    const { network } = await world.network();
    port = await world.create('admin', 'port', { network_id: network.id, device_owner: 'compute:nova', device_id: 'd1', 'binding:host_id': 'h1' });
  });
  after(() => world.close());

  const path = (host = '', action = ''): string => `/ports/${port.id}/bindings${host && `/${host}`}${action}`;
  const bind = (host: string, status = 201): Promise<Body> => world.expect(status, 'service', 'POST', path(), { binding: { host } });
  const states = async (): Promise<Body> =>
    Object.fromEntries((await world.expect(200, 'service', 'GET', path())).bindings.map((binding: Body) => [binding.host, binding.status]));

  it('binds to further hosts, and moves the port by activating one', async () => {
    const { binding } = await bind('h2');
    assert.deepEqual([binding.host, binding.status, binding.vif_type, binding.vnic_type, binding.profile], ['h2', 'INACTIVE', 'tap', 'normal', {}]);
    assert.deepEqual(await states(), { h1: 'ACTIVE', h2: 'INACTIVE' });
    assert.equal((await bind('h2', 409)).NeutronError.type, 'PortBindingAlreadyExists');
    assert.equal((await bind('h1', 409)).NeutronError.type, 'PortBindingAlreadyExists');
    assert.equal((await world.expect(200, 'service', 'PUT', path('h2', '/activate'))).binding.status, 'ACTIVE');
    assert.deepEqual(await states(), { h1: 'INACTIVE', h2: 'ACTIVE' });
    const kind = async (host: string): Promise<string | undefined> => (await world.onHost('port', port.id, host))?.attachment.kind;
    assert.deepEqual([await kind('h1'), await kind('h2')], ['none', 'guest']);
    assert.equal((await world.call('service', 'PUT', path('h2', '/activate'))).body.NeutronError.type, 'PortBindingAlreadyActive');
    await world.expect(404, 'service', 'PUT', path('h3', '/activate'));
    const changed = await world.expect(200, 'service', 'PUT', path('h1'), { binding: { profile: { migrating_to: 'h2' } } });
    assert.deepEqual(changed.binding.profile, { migrating_to: 'h2' });
    await world.expect(204, 'service', 'DELETE', path('h1'));
    assert.deepEqual(await states(), { h2: 'ACTIVE' });
    await world.expect(404, 'service', 'GET', path('h1'));
  });

  it('shows the host that a server is on its way to', async () => {
    const { face, app } = world.neutron;
    await app.env.store.write((tx) => face.announcePorts(tx, [port.id], 'h3'));
    assert.deepEqual(await states(), { h2: 'ACTIVE', h3: 'INACTIVE' });
    await app.env.store.write((tx) => face.announcePorts(tx, [port.id], ''));
  });

  it('is for services and for ports of servers alone', async () => {
    await world.expect(403, 'member', 'POST', path(), { binding: { host: 'h3' } });
    await world.expect(404, 'other', 'GET', path());
    await world.expect(500, 'service', 'POST', path(), { binding: { host: 'nowhere' } });
    const plain = await world.create('member', 'port', { network_id: port.network_id });
    await world.expect(400, 'service', 'GET', `/ports/${plain.id}/bindings`);
  });
});

describe('what agents serve', () => {
  let world: NetworkWorld;
  let agents: Body[];
  before(async () => {
    world = await NetworkWorld.start({ hosts: ['h1', 'h2'] });
    for (agents = []; agents.length < 6; ) {
      agents = (await world.expect(200, 'admin', 'GET', '/agents')).agents;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  });
  after(() => world.close());

  const dhcpPorts = async (id: string): Promise<Body> => (await world.expect(200, 'admin', 'GET', `/ports?network_id=${id}&device_owner=network:dhcp`)).ports;
  const agentOf = (kind: string, host = 'h1'): string => agents.find((agent) => agent.agent_type === kind && agent.host === host)?.id;

  it('takes a network off its DHCP agent and gives it back', async () => {
    const { network } = await world.network();
    const at = `/agents/${agentOf('DHCP agent')}/dhcp-networks`;
    const served = async (): Promise<boolean> => {
      const ids = (await world.expect(200, 'admin', 'GET', at)).networks.map((each: Body) => each.id);
      const serving = (await world.expect(200, 'admin', 'GET', `/networks/${network.id}/dhcp-agents`)).agents;
      assert.equal(ids.includes(network.id), serving.length === 1);
      return ids.includes(network.id);
    };
    const hasDhcp = async (host = 'h1'): Promise<boolean> => (await world.onHost('network', network.id, host))?.subnets[0].dhcp !== undefined;
    assert.deepEqual([await served(), await hasDhcp()], [true, true]);
    await world.expect(409, 'admin', 'POST', at, { network_id: network.id });
    await world.expect(204, 'admin', 'DELETE', `${at}/${network.id}`);
    assert.deepEqual([await served(), await hasDhcp()], [false, false]);
    const [reserved] = await dhcpPorts(network.id);
    assert.deepEqual([reserved.device_id, reserved['binding:host_id'], reserved.status], ['reserved_dhcp_port', '', 'DOWN']);
    assert.equal((await world.call('admin', 'DELETE', `${at}/${network.id}`)).body.NeutronError.type, 'NetworkNotHostedByDhcpAgent');
    // given to another one, which serves by the same address
    const other = `/agents/${agentOf('DHCP agent', 'h2')}/dhcp-networks`;
    await world.expect(201, 'admin', 'POST', other, { network_id: network.id });
    assert.deepEqual([await hasDhcp('h1'), await hasDhcp('h2')], [false, true]);
    const [moved] = await dhcpPorts(network.id);
    assert.deepEqual([moved.id, moved.fixed_ips, moved['binding:host_id']], [reserved.id, reserved.fixed_ips, 'h2']);
    await world.expect(204, 'admin', 'DELETE', `${other}/${network.id}`);
    assert.equal(await world.expect(201, 'admin', 'POST', at, { network_id: network.id }), null);
    assert.deepEqual([await served(), await hasDhcp()], [true, true]);
    await world.expect(404, 'admin', 'POST', `/agents/${agentOf('L3 agent')}/dhcp-networks`, { network_id: network.id });
    await world.expect(404, 'member', 'GET', at);
    await world.expect(403, 'member', 'POST', at, { network_id: network.id });
    for (const wrong of [undefined, {}, { network_id: 7 }]) assert.equal((await world.call('admin', 'POST', at, wrong)).status, 400);
  });

  it('gives a network without subnets to a DHCP agent and takes it off again', async () => {
    const { id } = await world.create('member', 'network');
    const at = `/agents/${agentOf('DHCP agent')}/dhcp-networks`;
    const served = async (): Promise<boolean> =>
      (await world.expect(200, 'admin', 'GET', at)).networks.some((each: Body) => each.id === id) &&
      (await world.expect(200, 'admin', 'GET', `/networks/${id}/dhcp-agents`)).agents.length === 1;
    assert.equal(await served(), false);
    await world.expect(201, 'admin', 'POST', at, { network_id: id });
    assert.equal(await served(), true);
    await world.expect(409, 'admin', 'POST', at, { network_id: id });
    await world.expect(204, 'admin', 'DELETE', `${at}/${id}`);
    assert.equal(await served(), false);
  });

  it('takes a router off its L3 agent and gives it back', async () => {
    const { subnet } = await world.network('member', '10.44.0.0/24');
    const router = await world.create('member', 'router', {});
    await world.expect(200, 'member', 'PUT', `/routers/${router.id}/add_router_interface`, { subnet_id: subnet.id });
    const at = `/agents/${agentOf('L3 agent')}/l3-routers`;
    const serving = async (): Promise<string[]> =>
      (await world.expect(200, 'admin', 'GET', `/routers/${router.id}/l3-agents`)).agents.map((each: Body) => each.host);
    assert.deepEqual(await serving(), ['h1']);
    assert.deepEqual(
      (await world.expect(200, 'admin', 'GET', at)).routers.map((each: Body) => each.id),
      [router.id],
    );
    await world.expect(204, 'admin', 'DELETE', `${at}/${router.id}`);
    assert.deepEqual(await serving(), []);
    assert.equal(await world.onHost('router', router.id, 'h1'), undefined);
    assert.equal((await world.call('admin', 'DELETE', `${at}/${router.id}`)).body.NeutronError.type, 'RouterNotHostedByL3Agent');
    await world.expect(201, 'admin', 'POST', at, { router_id: router.id });
    assert.ok(await world.onHost('router', router.id, 'h1'));
    await world.expect(409, 'admin', 'POST', `/agents/${agentOf('L3 agent', 'h2')}/l3-routers`, { router_id: router.id });
  });

  it("upstream's refusals are refused the same way", async () => {
    const id = '00000000-0000-4000-8000-000000000000';
    for (const path of [`/networks/${id}/dhcp-agents/${id}`, `/routers/${id}/l3-agents/${id}`])
      for (const method of ['GET', 'PUT', 'DELETE']) await world.expect(405, 'admin', method, path);
    for (const path of [`/networks/${id}/dhcp-agents`, `/routers/${id}/l3-agents`]) await world.expect(405, 'admin', 'POST', path, {});
    for (const method of ['GET', 'PUT']) await world.expect(405, 'admin', method, `/agents/${id}/dhcp-networks/${id}`);
    const moved = await world.call('admin', 'PUT', `/agents/${id}/l3-routers/${id}`, { ha_chassis_priority: 2 });
    assert.deepEqual([moved.status, moved.body.NotImplementedError.type], [501, 'NotImplementedError']);
    await world.expect(403, 'member', 'PUT', `/agents/${id}/l3-routers/${id}`, {});
  });
});
