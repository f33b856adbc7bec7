import assert from 'node:assert/strict';
import { it } from 'node:test';
import { NetworkWorld } from '../testing/network-world.ts';
import { spellings } from './spellings.ts';

it('the words of a collection are joined by - or _, those of an action by _ alone', () => {
  assert.deepEqual(spellings('/v2.0/networks/:id'), []);
  assert.deepEqual(spellings('/v2.0/metering/metering-labels'), ['/v2.0/metering/metering_labels']);
  assert.deepEqual(spellings('/v2.0/routers/:id/add_router_interface'), []);
  assert.deepEqual(spellings('/v2.0/local_ips/:local_ip_id/port_associations/:id'), [
    '/v2.0/local_ips/:local_ip_id/port-associations/:id',
    '/v2.0/local-ips/:local_ip_id/port_associations/:id',
    '/v2.0/local-ips/:local_ip_id/port-associations/:id',
  ]);
});

it('a collection answers at each spelling of its path', async () => {
  const world = await NetworkWorld.start({ hosts: ['host'] });
  try {
    const group = await world.create('member', 'security_group', { name: 'one' }, '/security_groups');
    for (const path of ['/security_groups', '/security-groups']) {
      assert.equal((await world.expect(200, 'member', 'GET', `${path}/${group.id}`)).security_group.name, 'one');
      assert.equal((await world.expect(200, 'member', 'GET', `${path}?name=one`)).security_groups.length, 1);
    }
    await world.expect(200, 'member', 'PUT', `/security_groups/${group.id}/tags`, { tags: ['a'] });
    assert.deepEqual((await world.expect(200, 'member', 'GET', `/security-groups/${group.id}/tags`)).tags, ['a']);
    assert.deepEqual((await world.expect(200, 'admin', 'GET', '/network_segment_ranges?name=none')).network_segment_ranges, []);
    await world.expect(404, 'member', 'GET', '/security+groups');
    await world.expect(404, 'member', 'PUT', `/routers/${group.id}/add-router-interface`, {});
    await world.expect(204, 'member', 'DELETE', `/security_groups/${group.id}`);
  } finally {
    await world.close();
  }
});
