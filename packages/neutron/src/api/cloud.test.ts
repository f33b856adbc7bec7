import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { EXTENSIONS } from '../resources/extensions.ts';
import { NetworkWorld } from '../testing/network-world.ts';

describe('versions and extensions', () => {
  let world: NetworkWorld;
  before(async () => {
    world = await NetworkWorld.start();
  });
  after(() => world.close());

  it('need no token', async () => {
    const root = await world.front.call(undefined, 'GET', '/network/');
    assert.equal(root.status, 200);
    const [version] = root.body.versions;
    assert.deepEqual([version.id, version.status], ['v2.0', 'CURRENT']);
    assert.ok(version.links[0].href.endsWith('/network/v2.0/'));
    const v2 = await world.front.call(undefined, 'GET', '/network/v2.0/');
    assert.ok(v2.body.resources.some((each: { name: string }) => each.name === 'network'));
    const list = await world.call(undefined, 'GET', '/extensions');
    assert.equal(list.body.extensions.length, EXTENSIONS.length);
    const one = await world.call(undefined, 'GET', '/extensions/router');
    assert.equal(one.body.extension.name, 'Neutron L3 Router');
    assert.equal((await world.call(undefined, 'GET', '/extensions/teleport')).status, 404);
    assert.equal((await world.call(undefined, 'GET', '/networks')).status, 401);
  });

  it('know each alias once', () => {
    assert.equal(new Set(EXTENSIONS.map((each) => each.alias)).size, EXTENSIONS.length);
  });
});

describe('what an operator sees of the cloud', () => {
  let world: NetworkWorld;
  before(async () => {
    world = await NetworkWorld.start({ hosts: ['h1', 'h2'] });
  });
  after(() => world.close());

  it('agents of the hosts, gone ones too', async () => {
    const agents = async (query = '') => (await world.expect(200, 'admin', 'GET', `/agents${query}`)).agents;
    while ((await agents()).length < 6) await new Promise((done) => setTimeout(done, 5));
    const [agent] = await agents('?host=h1&agent_type=L3%20Agent');
    assert.deepEqual([agent.alive, agent.admin_state_up, agent.availability_zone], [true, true, 'nova']);
    const changed = await world.update('admin', 'agent', agent.id, { admin_state_up: false, description: 'resting' });
    assert.deepEqual([changed.admin_state_up, changed.description], [false, 'resting']);
    world.hosts.remove('h2');
    assert.equal((await agents('?alive=false')).length, 3);
    assert.equal((await agents('?alive=true')).length, 3);
    const [gone] = await agents('?alive=false');
    await world.expect(204, 'admin', 'DELETE', `/agents/${gone.id}`);
    await world.expect(404, 'admin', 'GET', `/agents/${gone.id}`);
    assert.deepEqual((await world.expect(200, 'member', 'GET', '/agents')).agents, []);
    await world.expect(404, 'member', 'GET', `/agents/${agent.id}`);
    await world.expect(404, 'member', 'PUT', `/agents/${agent.id}`, { agent: { admin_state_up: true } });
    const made = await world.call('admin', 'POST', '/agents', { agent: {} });
    assert.deepEqual([made.status, made.body.NeutronError.message], [400, 'Bad agents request: Agent creation using API is not supported..']);
    await world.expect(403, 'member', 'POST', '/agents', { agent: {} });
  });

  it('availability zones, service providers and floating IP pools', async () => {
    const zones = (await world.expect(200, 'member', 'GET', '/availability_zones')).availability_zones;
    assert.deepEqual(zones, [
      { name: 'nova', resource: 'network', state: 'available' },
      { name: 'nova', resource: 'router', state: 'available' },
    ]);
    assert.equal((await world.expect(200, 'member', 'GET', '/availability_zones?resource=router')).availability_zones.length, 1);
    const providers = (await world.expect(200, 'member', 'GET', '/service-providers')).service_providers;
    assert.deepEqual(
      providers.map((each: { name: string }) => each.name),
      ['dvrha', 'dvr', 'ha', 'single_node'],
    );
    assert.deepEqual((await world.expect(200, 'member', 'GET', '/service-providers?name=ha')).service_providers, [
      { service_type: 'L3_ROUTER_NAT', name: 'ha', default: false },
    ]);
    const { network, subnet } = await world.publicNetwork();
    const [pool] = (await world.expect(200, 'member', 'GET', '/floatingip_pools')).floatingip_pools;
    assert.deepEqual([pool.subnet_id, pool.network_id, pool.cidr], [subnet.id, network.id, '172.24.4.0/24']);
    assert.deepEqual((await world.expect(200, 'member', 'GET', '/floatingip-pools')).floatingip_pools, [pool]);
  });

  it('how many addresses are in use', async () => {
    const { network, subnet } = await world.network('member', '10.0.0.0/24', { name: 'counted' });
    await world.create('member', 'subnet', { network_id: network.id, ip_version: 6, cidr: '2001:db8::/64' });
    await world.create('member', 'port', { network_id: network.id, fixed_ips: [{ subnet_id: subnet.id }] });
    const answer = await world.front.call('admin', 'GET', `/network/v2.0/network-ip-availabilities/${network.id}?x`);
    const shown = answer.body.network_ip_availability;
    const v4 = shown.subnet_ip_availability.find((each: { ip_version: number }) => each.ip_version === 4);
    assert.deepEqual([v4.total_ips, v4.used_ips, v4.cidr], [253, 2, '10.0.0.0/24']);
    const v6 = shown.subnet_ip_availability.find((each: { ip_version: number }) => each.ip_version === 6);
    assert.equal(v6.total_ips, 2 ** 64);
    const list = await world.expect(200, 'admin', 'GET', '/network-ip-availabilities?network_name=counted&ip_version=4');
    assert.deepEqual(list.network_ip_availabilities[0].subnet_ip_availability.length, 1);
    assert.deepEqual((await world.expect(200, 'member', 'GET', '/network-ip-availabilities')).network_ip_availabilities, []);
    await world.expect(404, 'member', 'GET', `/network-ip-availabilities/${network.id}`);
  });
});
