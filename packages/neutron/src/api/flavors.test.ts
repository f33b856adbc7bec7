import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { NetworkWorld } from '../testing/network-world.ts';

const SINGLE = 'neutron.services.l3_router.service_providers.single_node.SingleNodeDriver';
const NOBODY = '00000000-0000-4000-8000-000000000000';

describe('flavors of routers and their service profiles', () => {
  let world: NetworkWorld;
  before(async () => {
    world = await NetworkWorld.start();
  });
  after(() => world.close());

  const flavor = (values: object = {}) => world.create('admin', 'flavor', { name: 'fast', service_type: 'L3_ROUTER_NAT', ...values });
  const profile = (values: object = {}) => world.create('admin', 'service_profile', { driver: SINGLE, ...values }, '/service_profiles');
  const tie = (flavorId: string, profileId: string, who = 'admin') =>
    world.call(who, 'POST', `/flavors/${flavorId}/service_profiles`, { service_profile: { id: profileId } });

  it('are made by admins and known to everybody; profiles are for admins alone', async () => {
    const made = await flavor({ service_profiles: [NOBODY] });
    assert.deepEqual(made, { id: made.id, name: 'fast', description: '', service_type: 'L3_ROUTER_NAT', enabled: true, service_profiles: [] });
    assert.equal((await world.show('reader', 'flavor', made.id)).id, made.id);
    await world.expect(403, 'member', 'POST', '/flavors', { flavor: { service_type: 'L3_ROUTER_NAT' } });
    const wrong = await world.call('admin', 'POST', '/flavors', { flavor: { service_type: 'TEA' } });
    assert.deepEqual([wrong.status, wrong.body.NeutronError.type], [400, 'InvalidServiceType']);
    const kept = await profile({ metainfo: 'x', description: null });
    assert.deepEqual(kept, { id: kept.id, description: null, driver: SINGLE, metainfo: 'x', enabled: true });
    await world.expect(404, 'member', 'GET', `/service_profiles/${kept.id}`);
    assert.deepEqual((await world.expect(200, 'member', 'GET', '/service_profiles')).service_profiles, []);
    const updated = await world.update('admin', 'flavor', made.id, { enabled: false, name: 'slow' });
    assert.deepEqual([updated.enabled, updated.name], [false, 'slow']);
    assert.deepEqual((await world.expect(200, 'reader', 'GET', '/flavors?enabled=False&name=slow')).flavors.length, 1);
  });

  it('a profile needs a driver that there is, or words', async () => {
    const post = (values: object) => world.call('admin', 'POST', '/service_profiles', { service_profile: values });
    const unknown = await post({ driver: 'nobody.Nothing' });
    assert.deepEqual([unknown.status, unknown.body.NeutronError.message], [404, 'Service Profile driver nobody.Nothing could not be found.']);
    const empty = await post({});
    assert.deepEqual([empty.status, empty.body.NeutronError.type], [400, 'ServiceProfileEmpty']);
    assert.equal((await post({ metainfo: 'words' })).status, 201);
  });

  it('profiles are tied once, and a tied one neither changes nor goes', async () => {
    const [one, two] = [await flavor(), await profile()];
    const tied = await tie(one.id, two.id);
    assert.deepEqual([tied.status, tied.body], [201, { service_profile: { id: one.id } }]);
    const twice = await tie(one.id, two.id);
    assert.deepEqual([twice.status, twice.body.NeutronError.type], [409, 'FlavorServiceProfileBindingExists']);
    assert.equal((await tie(one.id, NOBODY)).status, 404);
    assert.equal((await tie(NOBODY, two.id)).status, 404);
    assert.equal((await tie(one.id, two.id, 'member')).status, 403);
    assert.deepEqual((await world.show('reader', 'flavor', one.id)).service_profiles, [two.id]);
    assert.deepEqual(await world.expect(200, 'admin', 'GET', `/flavors/${one.id}/service_profiles/${two.id}`), { service_profile: {} });
    await world.expect(409, 'admin', 'PUT', `/service_profiles/${two.id}`, { service_profile: { description: 'new' } });
    await world.expect(409, 'admin', 'DELETE', `/service_profiles/${two.id}`);
    await world.expect(204, 'admin', 'DELETE', `/flavors/${one.id}/service_profiles/${two.id}`);
    await world.expect(404, 'admin', 'DELETE', `/flavors/${one.id}/service_profiles/${two.id}`);
    await world.expect(200, 'admin', 'PUT', `/service_profiles/${two.id}`, { service_profile: { description: 'new' } });
    await world.expect(204, 'admin', 'DELETE', `/service_profiles/${two.id}`);
    await world.expect(204, 'admin', 'DELETE', `/flavors/${one.id}`);
  });

  it('a router has the flavor that it was made with, and what the flavor does not do is refused', async () => {
    const [one, two] = [await flavor(), await profile()];
    const post = (who: string, values: object) => world.call(who, 'POST', '/routers', { router: values });
    assert.equal((await post('member', { flavor_id: NOBODY })).body.NeutronError.type, 'FlavorNotFound');
    assert.equal((await post('member', { flavor_id: one.id })).body.NeutronError.type, 'FlavorServiceProfileBindingNotFound');
    await tie(one.id, two.id);
    const router = await world.create('member', 'router', { flavor_id: one.id });
    assert.equal(router.flavor_id, one.id);
    assert.equal((await world.create('member', 'router', {})).flavor_id, null);
    const found = (await world.expect(200, 'member', 'GET', `/routers?flavor_id=${one.id}`)).routers;
    assert.deepEqual(
      found.map((each: { id: string }) => each.id),
      [router.id],
    );
    const other = await post('admin', { flavor_id: one.id, ha: true });
    assert.deepEqual([other.status, other.body.NeutronError.message], [400, 'Invalid input for operation: Provider single_node does not support ha=True.']);
    await world.expect(400, 'member', 'PUT', `/routers/${router.id}`, { router: { flavor_id: one.id } });
    const used = await world.call('admin', 'DELETE', `/flavors/${one.id}`);
    assert.deepEqual([used.status, used.body.NeutronError.type], [409, 'FlavorInUse']);
    await world.expect(204, 'member', 'DELETE', `/routers/${router.id}`);
    await world.expect(204, 'admin', 'DELETE', `/flavors/${one.id}`);
  });

  it('a profile that is switched off makes no routers', async () => {
    const [one, two] = [await flavor(), await profile({ enabled: false })];
    await tie(one.id, two.id);
    assert.equal((await world.call('member', 'POST', '/routers', { router: { flavor_id: one.id } })).status, 503);
  });
});
