import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { NetworkWorld } from '../testing/network-world.ts';

describe('floating IPs', () => {
  let world: NetworkWorld;
  let publicId: string;
  let routerId: string;
  let networkId: string;
  before(async () => {
    world = await NetworkWorld.start({ hosts: ['h1'], quotas: { network: 1_000, subnet: 1_000, router: 1_000 } });
    publicId = (await world.publicNetwork()).network.id;
    const { network, subnet } = await world.network();
    networkId = network.id;
    routerId = (await world.create('member', 'router', { name: 'r', external_gateway_info: { network_id: publicId } })).id;
    await world.expect(200, 'member', 'PUT', `/routers/${routerId}/add_router_interface`, { subnet_id: subnet.id });
  });
  after(() => world.close());

  const make = (values: object = {}, who = 'member') => world.create(who, 'floatingip', { floating_network_id: publicId, ...values });
  const port = (values: object = {}) => world.create('member', 'port', { network_id: networkId, ...values });
  const settled = () => world.neutron.app.pusher.idle();

  it('is allocated without a port', async () => {
    const made = await make({ description: 'mine' });
    assert.match(made.floating_ip_address, /^172\.24\.4\./);
    assert.deepEqual([made.status, made.port_id, made.router_id, made.fixed_ip_address, made.port_details], ['DOWN', null, null, null, null]);
    const [own] = (await world.expect(200, 'admin', 'GET', `/ports?device_id=${made.id}`)).ports;
    assert.equal(own.device_owner, 'network:floatingip');
    assert.equal(own.status, 'N/A');
    assert.equal((await world.call('admin', 'DELETE', `/ports/${own.id}`)).status, 409);
    await world.expect(404, 'other', 'GET', `/floatingips/${made.id}`);
    await world.expect(204, 'member', 'DELETE', `/floatingips/${made.id}`);
    await world.expect(404, 'admin', 'GET', `/ports/${own.id}`);
  });

  it('follows its port', async () => {
    const one = await port();
    const made = await make({ port_id: one.id });
    assert.equal(made.fixed_ip_address, one.fixed_ips[0].ip_address);
    assert.equal(made.router_id, routerId);
    assert.equal(made.port_details.mac_address, one.mac_address);
    await settled();
    assert.equal((await world.show('member', 'floatingip', made.id)).status, 'ACTIVE');
    const two = await port();
    assert.equal((await world.update('member', 'floatingip', made.id, { port_id: two.id })).fixed_ip_address, two.fixed_ips[0].ip_address);
    const off = await world.update('member', 'floatingip', made.id, { port_id: null });
    assert.deepEqual([off.port_id, off.fixed_ip_address, off.router_id], [null, null, null]);
    await settled();
    assert.equal((await world.show('member', 'floatingip', made.id)).status, 'DOWN');
    await world.update('member', 'floatingip', made.id, { port_id: two.id });
    await world.expect(204, 'member', 'DELETE', `/ports/${two.id}`);
    assert.equal((await world.show('member', 'floatingip', made.id)).port_id, null);
  });

  it('reaches a port through a router to its network alone', async () => {
    const away = await world.network('member', '10.70.0.0/24');
    const lonely = await world.create('member', 'port', { network_id: away.network.id });
    const refused = await world.call('member', 'POST', '/floatingips', { floatingip: { floating_network_id: publicId, port_id: lonely.id } });
    assert.equal(refused.status, 404);
    assert.equal(refused.body.NeutronError.type, 'ExternalGatewayForFloatingIPNotFound');
    const inner = await world.call('member', 'POST', '/floatingips', { floatingip: { floating_network_id: networkId } });
    assert.equal(inner.status, 400);
    assert.equal(inner.body.NeutronError.message, `Bad floatingip request: Network ${networkId} is not a valid external network.`);
    const one = await port();
    const made = await make({ port_id: one.id });
    const again = await world.call('member', 'POST', '/floatingips', { floatingip: { floating_network_id: publicId, port_id: one.id } });
    assert.equal(again.status, 409);
    assert.equal(again.body.NeutronError.type, 'FloatingIPPortAlreadyAssociated');
    assert.ok(made.id);
  });

  it('keeps the router and its gateway', async () => {
    const one = await port();
    await make({ port_id: one.id });
    const gateway = await world.call('member', 'PUT', `/routers/${routerId}`, { router: { external_gateway_info: null } });
    assert.equal(gateway.status, 409);
    assert.equal(gateway.body.NeutronError.type, 'RouterExternalGatewayInUseByFloatingIp');
    const subnetId = one.fixed_ips[0].subnet_id;
    const detach = await world.call('member', 'PUT', `/routers/${routerId}/remove_router_interface`, { subnet_id: subnetId });
    assert.equal(detach.status, 409);
    assert.equal(detach.body.NeutronError.type, 'RouterInterfaceInUseByFloatingIP');
  });

  it('is a given address for admins alone', async () => {
    await world.expect(403, 'member', 'POST', '/floatingips', { floatingip: { floating_network_id: publicId, floating_ip_address: '172.24.4.222' } });
    const made = await make({ floating_ip_address: '172.24.4.222' }, 'admin');
    assert.equal(made.floating_ip_address, '172.24.4.222');
    const taken = await world.call('admin', 'POST', '/floatingips', { floatingip: { floating_network_id: publicId, floating_ip_address: '172.24.4.222' } });
    assert.equal(taken.status, 409);
    const byAddress = await world.expect(200, 'admin', 'GET', '/floatingips?floating_ip_address=172.24.4.222');
    assert.equal(byAddress.floatingips.length, 1);
  });
});
