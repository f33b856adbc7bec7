import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { TestAnswer } from '@cairn/kit/testing/world';
import { NetworkWorld } from '../testing/network-world.ts';

type Body = TestAnswer['body'];

describe('local IPs', () => {
  let world: NetworkWorld;
  let network: Body;
  let subnet: Body;
  let port: Body;
  before(async () => {
    world = await NetworkWorld.start({ hosts: ['host'] });
    ({ network, subnet } = await world.network('member', '10.90.0.0/24'));
    port = await world.create('member', 'port', { network_id: network.id });
  });
  after(() => world.close());

  const make = (values: Body, status = 201): Promise<Body> => world.expect(status, 'member', 'POST', '/local-ips', { local_ip: values });
  const refused = async (values: Body, status: number, type: string): Promise<void> => assert.equal((await make(values, status)).NeutronError.type, type);
  const below = (local: Body, portId = ''): string => `/local_ips/${local.id}/port_associations${portId && `/${portId}`}`;
  const lead = (local: Body, values: Body, status = 201): Promise<Body> => world.expect(status, 'member', 'POST', below(local), { port_association: values });
  const drop = (local: Body): Promise<Body> => world.expect(204, 'member', 'DELETE', `/local-ips/${local.id}`);

  it('have the address of a port that is made for them, or of one that is named', async () => {
    const { local_ip: made } = await make({ network_id: network.id, name: 'near', local_ip_address: '10.90.0.77' });
    assert.deepEqual(made, {
      id: made.id,
      name: 'near',
      description: '',
      project_id: port.project_id,
      tenant_id: port.project_id,
      created_at: made.created_at,
      updated_at: made.updated_at,
      revision_number: 0,
      local_port_id: made.local_port_id,
      network_id: network.id,
      local_ip_address: '10.90.0.77',
      ip_mode: 'translate',
    });
    const own = await world.show('admin', 'port', made.local_port_id);
    assert.deepEqual([own.device_owner, own.device_id, own.status], ['network:local_ip', made.id, 'N/A']);
    const kept = await world.call('member', 'DELETE', `/ports/${made.local_port_id}`);
    assert.deepEqual([kept.status, kept.body.NeutronError.type], [409, 'ServicePortInUse']);
    assert.equal((await world.expect(200, 'member', 'PUT', `/local-ips/${made.id}`, { local_ip: { name: 'nearer' } })).local_ip.name, 'nearer');
    assert.equal((await world.expect(200, 'reader', 'GET', '/local-ips?local_ip_address=10.90.0.77')).local_ips.length, 1);
    assert.deepEqual((await world.expect(200, 'other', 'GET', '/local-ips')).local_ips, []);
    await drop(made);
    await world.expect(404, 'admin', 'GET', `/ports/${made.local_port_id}`);
    const { NeutronError: error } = await world.expect(404, 'member', 'GET', `/local-ips/${made.id}`);
    assert.equal(error.message, `Local IP ${made.id} could not be found.`);

    const { local_ip: named } = await make({ local_port_id: port.id });
    assert.equal(named.local_ip_address, port.fixed_ips[0].ip_address);
    await drop(named);
    assert.equal((await world.show('member', 'port', port.id)).id, port.id, 'a port that was there stays');
  });

  it('lead to ports, and the hosts of those do so', async () => {
    const { local_ip: local } = await make({ network_id: network.id });
    const near = await world.create('member', 'port', { network_id: network.id });
    const { port_association: made } = await lead(local, { fixed_port_id: near.id });
    assert.deepEqual(made, {
      local_ip_id: local.id,
      local_ip_address: local.local_ip_address,
      fixed_port_id: near.id,
      fixed_ip: near.fixed_ips[0].ip_address,
      host: '',
    });
    assert.deepEqual((await world.onHost('port', near.id)).localIps, [{ id: local.id, ip: local.local_ip_address, fixedIp: made.fixed_ip }]);
    assert.deepEqual((await world.expect(200, 'reader', 'GET', below(local, near.id))).port_association, made);
    assert.deepEqual((await world.expect(200, 'reader', 'GET', `${below(local)}?fixed_port_id=${near.id}`)).port_associations, [made]);
    assert.deepEqual((await world.expect(200, 'reader', 'GET', `${below(local)}?host=elsewhere`)).port_associations, []);
    await world.expect(404, 'other', 'GET', below(local));
    const used = await world.call('member', 'DELETE', `/local-ips/${local.id}`);
    assert.deepEqual([used.status, used.body.NeutronError.type], [409, 'LocalIPInUse']);
    await lead(local, { fixed_port_id: near.id }, 409);
    await world.expect(204, 'member', 'DELETE', below(local, near.id));
    const { NeutronError: error } = await world.expect(404, 'member', 'GET', below(local, near.id));
    assert.deepEqual([error.type, error.message], ['LocalIPAssociationNotFound', `Local IP ${local.id} association with port ${near.id} could not be found.`]);
    assert.equal((await world.onHost('port', near.id)).localIps, undefined);
    // it goes with its port
    await lead(local, { fixed_port_id: near.id });
    await world.expect(204, 'member', 'DELETE', `/ports/${near.id}`);
    assert.deepEqual((await world.expect(200, 'member', 'GET', below(local))).port_associations, []);
    await drop(local);
  });

  it('refuse what does not fit', async () => {
    await refused({}, 400, 'LocalIPPortOrNetworkRequired');
    await refused({ local_port_id: network.id }, 400, 'BadRequest');
    await refused({ local_port_id: port.id, local_ip_address: '10.90.0.200' }, 400, 'LocalIPRequestedIPNotFound');
    await refused({ network_id: port.id }, 404, 'NetworkNotFound');
    await refused({ network_id: network.id, ip_mode: 'other' }, 400, 'HTTPBadRequest');
    const many = await world.create('member', 'port', { network_id: network.id, fixed_ips: [{ subnet_id: subnet.id }, { subnet_id: subnet.id }] });
    await refused({ local_port_id: many.id }, 400, 'LocalIPNoRequestedIP');
    const none = await world.create('member', 'port', { network_id: network.id, fixed_ips: [] });
    await refused({ local_port_id: none.id }, 400, 'LocalIPNoIP');
    const bare = await world.create('member', 'network', {});
    await refused({ network_id: bare.id }, 400, 'BadRequest');
    const { local_ip: local } = await make({ network_id: network.id });
    for (const [values, type] of [
      [{ fixed_port_id: bare.id }, 'BadRequest'],
      [{ fixed_port_id: none.id }, 'LocalIPNoIP'],
      [{ fixed_port_id: many.id }, 'LocalIPNoRequestedIP'],
      [{ fixed_port_id: port.id, fixed_ip: '10.90.0.201' }, 'LocalIPRequestedIPNotFound'],
    ] as const)
      assert.equal((await lead(local, values, 400)).NeutronError.type, type);
    await drop(local);
  });
});
