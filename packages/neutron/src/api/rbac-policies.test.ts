import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { NetworkWorld, OTHER_PROJECT } from '../testing/network-world.ts';

describe('RBAC policies', () => {
  let world: NetworkWorld;
  before(async () => {
    world = await NetworkWorld.start();
  });
  after(() => world.close());

  const share = (values: object, who = 'member') =>
    world.call(who, 'POST', '/rbac-policies', { rbac_policy: { object_type: 'network', action: 'access_as_shared', target_tenant: OTHER_PROJECT, ...values } });

  it('share a network with one project', async () => {
    const { network } = await world.network();
    await world.expect(404, 'other', 'GET', `/networks/${network.id}`);
    const { body } = await share({ object_id: network.id });
    const policy = body.rbac_policy;
    assert.equal(policy.target_tenant, OTHER_PROJECT);
    assert.equal((await world.show('other', 'network', network.id)).shared, true);
    assert.equal((await world.show('member', 'network', network.id)).shared, false);
    const port = await world.create('other', 'port', { network_id: network.id });
    const used = await world.call('member', 'DELETE', `/rbac-policies/${policy.id}`);
    assert.equal(used.status, 409);
    assert.equal(used.body.NeutronError.type, 'RbacPolicyInUse');
    await world.expect(204, 'other', 'DELETE', `/ports/${port.id}`);
    const twice = await share({ object_id: network.id });
    assert.equal(twice.status, 409);
    assert.equal(twice.body.NeutronError.type, 'DuplicateRbacPolicy');
    await world.expect(204, 'member', 'DELETE', `/rbac-policies/${policy.id}`);
    await world.expect(404, 'other', 'GET', `/networks/${network.id}`);
    const gone = await world.call('member', 'GET', `/rbac-policies/${policy.id}`);
    assert.equal(gone.body.NeutronError.message, `RBAC policy of type unknown with ID ${policy.id} not found`);
  });

  it('are for owners, and for everybody by admins alone', async () => {
    const { network } = await world.network();
    assert.equal((await share({ object_id: network.id }, 'other')).status, 400);
    assert.equal((await share({ object_id: network.id, target_tenant: '*' })).status, 403);
    const all = await share({ object_id: network.id, target_tenant: '*' }, 'admin');
    assert.equal(all.status, 201);
    assert.equal((await world.show('member', 'network', network.id)).shared, true);
    assert.equal((await share({ object_id: network.id, action: 'access_as_ghost' })).body.NeutronError.type, 'InvalidActionForType');
    assert.equal((await share({ object_id: network.id, object_type: 'ghost' })).status, 400);
    assert.equal((await share({ object_id: 'b0b0b0b0-0000-4000-8000-000000000000' })).status, 404);
  });

  it('change their target', async () => {
    const { network } = await world.network();
    const { body } = await share({ object_id: network.id, target_tenant: 'c0000000000000000000000000000003' });
    const { id } = body.rbac_policy;
    await world.expect(404, 'other', 'GET', `/networks/${network.id}`);
    const changed = await world.expect(200, 'member', 'PUT', `/rbac-policies/${id}`, { rbac_policy: { target_tenant: OTHER_PROJECT } });
    assert.equal(changed.rbac_policy.target_tenant, OTHER_PROJECT);
    await world.expect(200, 'other', 'GET', `/networks/${network.id}`);
    const listed = (await world.expect(200, 'member', 'GET', `/rbac-policies?object_id=${network.id}`)).rbac_policies;
    assert.deepEqual(
      listed.map((each: { id: string }) => each.id),
      [id],
    );
    await world.expect(404, 'other', 'GET', `/rbac-policies/${id}`);
  });

  it('make a network external for a project', async () => {
    const { network } = await world.network('admin', '172.30.0.0/24');
    const { body } = await share({ object_id: network.id, action: 'access_as_external' }, 'admin');
    assert.equal((await world.show('other', 'network', network.id))['router:external'], true);
    await world.expect(404, 'member', 'GET', `/networks/${network.id}`);
    const router = await world.create('other', 'router', { name: 'r', external_gateway_info: { network_id: network.id } });
    const used = await world.call('admin', 'DELETE', `/rbac-policies/${body.rbac_policy.id}`);
    assert.equal(used.status, 409);
    await world.expect(204, 'other', 'DELETE', `/routers/${router.id}`);
    await world.expect(204, 'admin', 'DELETE', `/rbac-policies/${body.rbac_policy.id}`);
    assert.equal((await world.show('admin', 'network', network.id))['router:external'], false);
  });

  it('share security groups', async () => {
    const group = await world.create('member', 'security_group', { name: 'shared' });
    assert.equal((await share({ object_id: group.id, object_type: 'security_group' })).status, 201);
    assert.equal((await world.show('other', 'security_group', group.id)).shared, true);
    const { network } = await world.network('other', '10.9.0.0/24');
    const port = await world.create('other', 'port', { network_id: network.id, security_groups: [group.id] });
    assert.deepEqual(port.security_groups, [group.id]);
  });
});
