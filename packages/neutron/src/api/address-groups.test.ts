import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { NetworkWorld, OTHER_PROJECT } from '../testing/network-world.ts';

describe('address groups', () => {
  let world: NetworkWorld;
  before(async () => {
    world = await NetworkWorld.start({ hosts: ['host'] });
  });
  after(() => world.close());

  const rule = (values: object) => ({ security_group_rule: { direction: 'ingress', protocol: 'tcp', port_range_min: 22, port_range_max: 22, ...values } });

  it('holds networks once each, and changes by adding and removing', async () => {
    const made = await world.create('member', 'address_group', { name: 'offices', addresses: ['192.0.2.7/32', '10.1.0.0/16'] });
    assert.deepEqual([made.name, made.description, made.addresses], ['offices', '', ['10.1.0.0/16', '192.0.2.7/32']]);
    const put = (verb: string, addresses: unknown) => world.call('member', 'PUT', `/address-groups/${made.id}/${verb}_addresses`, { addresses });
    assert.deepEqual((await put('add', ['2001:db8::/64'])).body.address_group.addresses, ['10.1.0.0/16', '192.0.2.7/32', '2001:db8::/64']);
    const twice = await put('add', ['2001:db8::/64']);
    assert.deepEqual([twice.status, twice.body.NeutronError.type], [400, 'AddressesAlreadyExist']);
    assert.deepEqual((await put('remove', ['10.1.0.0/16'])).body.address_group.addresses, ['192.0.2.7/32', '2001:db8::/64']);
    const gone = await put('remove', ['10.1.0.0/16']);
    assert.deepEqual([gone.status, gone.body.NeutronError.type], [404, 'AddressesNotFound']);
    for (const nonsense of [undefined, 'x', ['x'], [{}]]) assert.equal((await put('add', nonsense)).status, 400);
    const fixed = await world.call('member', 'PUT', `/address-groups/${made.id}`, { address_group: { addresses: [] } });
    assert.equal(fixed.status, 400);
    assert.equal((await world.update('member', 'address_group', made.id, { name: 'all' })).name, 'all');
    await world.expect(204, 'member', 'DELETE', `/address-groups/${made.id}`);
    await world.expect(404, 'member', 'GET', `/address-groups/${made.id}`);
  });

  it("is its project's, until it is shared", async () => {
    const { id } = await world.create('member', 'address_group', { name: 'mine', addresses: ['10.1.0.0/16'] });
    await world.expect(404, 'other', 'GET', `/address-groups/${id}`);
    await world.expect(404, 'other', 'PUT', `/address-groups/${id}/add_addresses`, { addresses: ['10.2.0.0/16'] });
    await world.expect(201, 'member', 'POST', '/rbac-policies', {
      rbac_policy: { object_type: 'address_group', object_id: id, action: 'access_as_shared', target_tenant: OTHER_PROJECT },
    });
    await world.expect(200, 'other', 'GET', `/address-groups/${id}`);
    await world.expect(403, 'other', 'PUT', `/address-groups/${id}/add_addresses`, { addresses: ['10.2.0.0/16'] });
    await world.expect(403, 'reader', 'DELETE', `/address-groups/${id}`);
  });

  it('is the other side of rules: all that are of their version, on every host, and follows changes', async () => {
    const { id } = await world.create('member', 'address_group', { name: 'admins', addresses: ['10.1.0.0/16', '2001:db8::/64'] });
    const group = (await world.create('member', 'security_group', { name: 'ssh' })).id;
    const made = await world.expect(201, 'member', 'POST', '/security-group-rules', rule({ security_group_id: group, remote_address_group_id: id }));
    assert.equal(made.security_group_rule.remote_address_group_id, id);
    const both = await world.call(
      'member',
      'POST',
      '/security-group-rules',
      rule({ security_group_id: group, remote_address_group_id: id, remote_ip_prefix: '10.0.0.0/8' }),
    );
    assert.equal(both.body.NeutronError.type, 'SecurityGroupMultipleRemoteEntites');
    const strange = '00000000-0000-4000-8000-000000000000';
    assert.equal(
      (await world.call('member', 'POST', '/security-group-rules', rule({ security_group_id: group, remote_address_group_id: strange }))).status,
      404,
    );
    assert.equal((await world.call('member', 'DELETE', `/address-groups/${id}`)).body.NeutronError.type, 'AddressGroupInUse');
    const {
      neutron,
      world: { env },
    } = world;
    const { loadGroups } = await import('../fabric/load.ts');
    const remotes = async () => {
      const object = (await loadGroups(env.store.read, [group])).get(group);
      assert.ok(object?.kind === 'securityGroup' && neutron);
      return object.rules.filter((r) => r.direction === 'ingress').flatMap((r) => r.remoteAddresses?.cidrs ?? ['all']);
    };
    assert.deepEqual(await remotes(), ['10.1.0.0/16']);
    await world.expect(200, 'member', 'PUT', `/address-groups/${id}/add_addresses`, { addresses: ['10.2.0.0/16'] });
    assert.deepEqual(await remotes(), ['10.1.0.0/16', '10.2.0.0/16']);
    // no address lets nobody in, rather than everybody
    await world.expect(200, 'member', 'PUT', `/address-groups/${id}/remove_addresses`, { addresses: ['10.1.0.0/16', '10.2.0.0/16'] });
    assert.deepEqual(await remotes(), []);
  });
});
