import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { NetworkWorld } from '../testing/network-world.ts';

describe('routers', () => {
  let world: NetworkWorld;
  let publicId: string;
  let publicSubnetId: string;
  before(async () => {
    world = await NetworkWorld.start({ hosts: ['h1'], quotas: { network: 1_000, subnet: 1_000, router: 1_000 } });
    const made = await world.publicNetwork();
    publicId = made.network.id;
    publicSubnetId = made.subnet.id;
  });
  after(() => world.close());

  const router = (values: object = {}, who = 'member') => world.create(who, 'router', { name: 'r', ...values });
  const put = (id: string, action: string, body: object, who = 'member') => world.call(who, 'PUT', `/routers/${id}/${action}`, body);
  const error = (answer: { body: { NeutronError: { type: string } } }): string => answer.body.NeutronError.type;

  it('creates, changes and deletes one', async () => {
    const made = await router();
    assert.equal(made.external_gateway_info, null);
    assert.equal(made.status, 'ACTIVE');
    assert.deepEqual(made.routes, []);
    assert.ok(!('ha' in made));
    assert.equal((await world.show('admin', 'router', made.id)).ha, false);
    assert.equal((await world.update('member', 'router', made.id, { name: 'new', admin_state_up: false })).admin_state_up, false);
    await world.expect(204, 'member', 'DELETE', `/routers/${made.id}`);
    await world.expect(404, 'member', 'GET', `/routers/${made.id}`);
  });

  it('connects and disconnects subnets', async () => {
    const { network, subnet } = await world.network();
    const { id } = await router();
    const added = await put(id, 'add_router_interface', { subnet_id: subnet.id });
    assert.equal(added.status, 200);
    assert.equal(added.body.subnet_id, subnet.id);
    const port = await world.show('member', 'port', added.body.port_id);
    assert.equal(port.device_owner, 'network:router_interface');
    assert.equal(port.device_id, id);
    assert.deepEqual(port.fixed_ips, [{ subnet_id: subnet.id, ip_address: '10.0.0.1' }]);
    await world.neutron.app.pusher.idle();
    assert.equal((await world.show('member', 'port', port.id)).status, 'ACTIVE');

    assert.equal(error(await put(id, 'add_router_interface', { subnet_id: subnet.id })), 'BadRequest');
    const direct = await world.call('member', 'DELETE', `/ports/${port.id}`);
    assert.equal(direct.status, 409);
    assert.equal(error(direct), 'ServicePortInUse');
    const inUse = await world.call('member', 'DELETE', `/routers/${id}`);
    assert.equal(inUse.status, 409);
    assert.equal(error(inUse), 'RouterInUse');
    assert.equal(error(await world.call('member', 'DELETE', `/networks/${network.id}`)), 'NetworkInUse');

    const removed = await put(id, 'remove_router_interface', { subnet_id: subnet.id });
    assert.equal(removed.status, 200);
    await world.expect(404, 'member', 'GET', `/ports/${port.id}`);
    const twice = await put(id, 'remove_router_interface', { subnet_id: subnet.id });
    assert.equal(twice.status, 404);
    await world.expect(204, 'member', 'DELETE', `/routers/${id}`);
    await world.expect(204, 'member', 'DELETE', `/networks/${network.id}`);
  });

  it('connects a port', async () => {
    const { network, subnet } = await world.network('member', '10.20.0.0/24');
    const { id } = await router();
    const port = await world.create('member', 'port', { network_id: network.id });
    const added = await put(id, 'add_router_interface', { port_id: port.id });
    assert.equal(added.body.port_id, port.id);
    assert.equal((await world.show('member', 'port', port.id)).device_owner, 'network:router_interface');
    assert.equal(error(await put(id, 'add_router_interface', { port_id: port.id })), 'PortInUse');
    const wrong = await put(id, 'remove_router_interface', { port_id: port.id, subnet_id: publicSubnetId });
    assert.equal(wrong.status, 400);
    assert.equal((await put(id, 'remove_router_interface', { port_id: port.id, subnet_id: subnet.id })).status, 200);
  });

  it('refuses overlapping subnets and nonsense', async () => {
    const one = await world.network('member', '10.30.0.0/24');
    const two = await world.network('member', '10.30.0.0/16');
    const { id } = await router();
    assert.equal((await put(id, 'add_router_interface', { subnet_id: one.subnet.id })).status, 200);
    const overlap = await put(id, 'add_router_interface', { subnet_id: two.subnet.id });
    assert.equal(overlap.status, 400);
    assert.match(overlap.body.NeutronError.message, /^Bad router request: Cidr 10\.30\.0\.0\/16 of subnet .* overlaps with cidr 10\.30\.0\.0\/24 of subnet/);
    assert.equal((await put(id, 'add_router_interface', {})).status, 400);
    assert.equal((await put('b0b0b0b0-0000-4000-8000-000000000000', 'add_router_interface', { subnet_id: one.subnet.id })).status, 404);
    const others = await world.network('other', '10.31.0.0/24');
    assert.equal((await put(id, 'add_router_interface', { subnet_id: others.subnet.id })).status, 404);
  });

  it('has a gateway on an external network', async () => {
    const made = await router({ external_gateway_info: { network_id: publicId } });
    assert.equal(made.external_gateway_info.network_id, publicId);
    assert.equal(made.external_gateway_info.enable_snat, true);
    assert.equal(made.external_gateway_info.external_fixed_ips[0].subnet_id, publicSubnetId);
    const [port] = (await world.expect(200, 'admin', 'GET', `/ports?device_id=${made.id}`)).ports;
    assert.equal(port.device_owner, 'network:router_gateway');
    assert.equal(port.project_id, '');
    const snat = await world.call('member', 'PUT', `/routers/${made.id}`, { router: { external_gateway_info: { network_id: publicId, enable_snat: false } } });
    assert.equal(snat.status, 403);
    const off = await world.update('admin', 'router', made.id, { external_gateway_info: { network_id: publicId, enable_snat: false } });
    assert.equal(off.external_gateway_info.enable_snat, false);
    assert.deepEqual(off.external_gateway_info.external_fixed_ips, made.external_gateway_info.external_fixed_ips);
    assert.equal((await world.update('member', 'router', made.id, { external_gateway_info: {} })).external_gateway_info, null);
    assert.deepEqual((await world.expect(200, 'admin', 'GET', `/ports?device_id=${made.id}`)).ports, []);
    const inner = await world.network('member', '10.40.0.0/24');
    const refused = await world.call('member', 'PUT', `/routers/${made.id}`, { router: { external_gateway_info: { network_id: inner.network.id } } });
    assert.equal(refused.status, 400);
    assert.equal(refused.body.NeutronError.message, `Bad router request: Network ${inner.network.id} is not an external network.`);
  });

  it('takes the gateway addresses that admins give', async () => {
    const info = { network_id: publicId, external_fixed_ips: [{ subnet_id: publicSubnetId, ip_address: '172.24.4.200' }] };
    await world.expect(403, 'member', 'POST', '/routers', { router: { name: 'r', external_gateway_info: info } });
    const made = await router({ external_gateway_info: info }, 'admin');
    assert.deepEqual(made.external_gateway_info.external_fixed_ips, info.external_fixed_ips);
  });

  it('has routes to what is next to it', async () => {
    const { subnet } = await world.network('member', '10.50.0.0/24');
    const { id } = await router();
    await put(id, 'add_router_interface', { subnet_id: subnet.id });
    const routes = [{ destination: '10.99.0.0/16', nexthop: '10.50.0.9' }];
    assert.deepEqual((await world.update('member', 'router', id, { routes })).routes, routes);
    const away = await world.call('member', 'PUT', `/routers/${id}`, { router: { routes: [{ destination: '10.99.0.0/16', nexthop: '10.60.0.9' }] } });
    assert.equal(away.status, 400);
    assert.equal(error(away), 'InvalidRoutes');
    const used = await put(id, 'remove_router_interface', { subnet_id: subnet.id });
    assert.equal(used.status, 409);
    assert.equal(error(used), 'RouterInterfaceInUseByRoute');
    const more = await put(id, 'add_extraroutes', { router: { routes: [{ destination: '10.98.0.0/16', nexthop: '10.50.0.8' }] } });
    assert.equal(more.body.router.routes.length, 2);
    const fewer = await put(id, 'remove_extraroutes', { router: { routes } });
    assert.deepEqual(fewer.body.router.routes, [{ destination: '10.98.0.0/16', nexthop: '10.50.0.8' }]);
    assert.deepEqual((await world.update('member', 'router', id, { routes: [] })).routes, []);
  });
});
