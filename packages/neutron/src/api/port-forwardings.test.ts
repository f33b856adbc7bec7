import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { TestAnswer } from '@cairn/kit/testing/world';
import { NetworkWorld } from '../testing/network-world.ts';

type Body = TestAnswer['body'];

describe('port forwardings of floating IPs', () => {
  let world: NetworkWorld;
  let router: Body;
  let port: Body;
  let floating: Body;
  before(async () => {
    world = await NetworkWorld.start({ hosts: ['host'] });
    const external = await world.publicNetwork();
    const { network, subnet } = await world.network('member', '10.71.0.0/24');
    router = await world.create('member', 'router', { external_gateway_info: { network_id: external.network.id } });
    await world.expect(200, 'member', 'PUT', `/routers/${router.id}/add_router_interface`, { subnet_id: subnet.id });
    port = await world.create('member', 'port', { network_id: network.id });
    floating = await world.create('member', 'floatingip', { floating_network_id: external.network.id });
  });
  after(() => world.close());

  const path = (id = ''): string => `/floatingips/${floating.id}/port_forwardings${id && `/${id}`}`;
  const make = (values: Body, status = 201, who = 'member'): Promise<Body> =>
    world.expect(status, who, 'POST', path(), {
      port_forwarding: { protocol: 'tcp', internal_port_id: port.id, internal_ip_address: port.fixed_ips[0].ip_address, ...values },
    });
  const refused = async (values: Body, type: string): Promise<void> => {
    const { NeutronError: error } = await make(values, 400);
    assert.equal(error.type, type, error.message);
  };

  it('leads a port of the floating IP to a port of a server, by the router that reaches it', async () => {
    const { port_forwarding: made } = await make({ external_port: 2022, internal_port: 22, protocol: 'TCP', description: 'ssh' });
    assert.deepEqual(made, {
      id: made.id,
      protocol: 'tcp',
      internal_ip_address: port.fixed_ips[0].ip_address,
      internal_port_id: port.id,
      external_port: 2022,
      internal_port: 22,
      external_port_range: '2022:2022',
      internal_port_range: '22:22',
      description: 'ssh',
    });
    const on = await world.onHost('router', router.id);
    assert.deepEqual(on.portForwardings, [
      {
        id: made.id,
        floatingIp: floating.floating_ip_address,
        protocol: 'tcp',
        externalFirst: 2022,
        externalLast: 2022,
        internalIp: made.internal_ip_address,
        internalFirst: 22,
        internalLast: 22,
      },
    ]);
    const shown = await world.show('member', 'floatingip', floating.id);
    assert.deepEqual([shown.router_id, shown.status, shown.port_id], [router.id, 'ACTIVE', null]);
    assert.deepEqual(shown.port_forwardings, [
      { id: made.id, protocol: 'tcp', internal_ip_address: made.internal_ip_address, internal_port_id: port.id, external_port: 2022, internal_port: 22 },
    ]);
    const changed = await world.expect(200, 'member', 'PUT', path(made.id), { port_forwarding: { external_port: 2023 } });
    assert.equal(changed.port_forwarding.external_port_range, '2023:2023');
    assert.equal((await world.expect(200, 'member', 'GET', `${path()}?external_port=2023`)).port_forwardings.length, 1);
    assert.equal((await world.expect(200, 'member', 'GET', `${path()}?external_port=7`)).port_forwardings.length, 0);
    await world.expect(404, 'other', 'GET', path(made.id));
    // it is in the way of both
    const given = await world.call('member', 'PUT', `/floatingips/${floating.id}`, { floatingip: { port_id: port.id } });
    assert.deepEqual([given.status, given.body.NeutronError.type], [409, 'FipInUseByPortForwarding']);
    assert.equal((await world.call('member', 'DELETE', `/floatingips/${floating.id}`)).status, 409);
    await world.expect(204, 'member', 'DELETE', path(made.id));
    const after = await world.show('member', 'floatingip', floating.id);
    assert.deepEqual([after.router_id, after.status, after.port_forwardings], [null, 'DOWN', []]);
    assert.equal((await world.onHost('router', router.id)).portForwardings, undefined);
  });

  it('leads as many ports as asked, each to its own or all to one', async () => {
    const { port_forwarding: many } = await make({ external_port_range: '3000:3009', internal_port_range: '80:89' });
    assert.deepEqual([many.external_port, many.internal_port, many.external_port_range], [undefined, undefined, '3000:3009']);
    const { port_forwarding: one } = await make({ external_port_range: '4000:4009', internal_port: 443 });
    assert.deepEqual([one.internal_port, one.internal_port_range], [443, '443:443']);
    await refused({ external_port_range: '5000:5009', internal_port_range: '90:91' }, 'BadRequest');
    await refused({ external_port_range: '3009:3012', internal_port: 8080 }, 'BadRequest');
    await refused({ external_port: 9000, internal_port: 85 }, 'BadRequest');
    for (const id of [many.id, one.id]) await world.expect(204, 'member', 'DELETE', path(id));
  });

  it('refuses nonsense, and ports that it cannot lead to', async () => {
    await refused({ external_port: 0, internal_port: 1 }, 'HTTPBadRequest');
    await refused({ external_port: 70000, internal_port: 1 }, 'HTTPBadRequest');
    await refused({ external_port_range: '9:8', internal_port: 1 }, 'HTTPBadRequest');
    await refused({ external_port_range: 'a:b', internal_port: 1 }, 'HTTPBadRequest');
    await refused({ external_port: 80 }, 'BadRequest');
    await refused({ external_port: 80, internal_port: 80, protocol: 'gre' }, 'InvalidInput');
    await refused({ external_port: 80, internal_port: 80, internal_ip_address: '10.71.0.99' }, 'BadRequest');
    const lonely = await world.network('member', '10.72.0.0/24');
    const far = await world.create('member', 'port', { network_id: lonely.network.id });
    await refused({ external_port: 80, internal_port: 80, internal_port_id: far.id, internal_ip_address: far.fixed_ips[0].ip_address }, 'BadRequest');
    await make({ external_port: 80, internal_port: 80, internal_port_id: floating.id }, 404);
  });

  it('goes with the port, and with the address of a port', async () => {
    const guest = await world.create('member', 'port', { network_id: port.network_id });
    const values = { external_port: 99, internal_port: 99, internal_port_id: guest.id, internal_ip_address: guest.fixed_ips[0].ip_address };
    await make(values);
    await world.expect(204, 'member', 'DELETE', `/ports/${guest.id}`);
    assert.equal((await world.expect(200, 'member', 'GET', path())).port_forwardings.length, 0);
    assert.equal((await world.show('member', 'floatingip', floating.id)).router_id, null);
  });
});
