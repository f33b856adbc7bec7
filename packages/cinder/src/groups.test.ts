import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Cloud } from './cloud.fixture.ts';

describe('groups', () => {
  let cloud: Cloud;
  let typeId: string;
  let groupTypeId: string;
  before(async () => {
    cloud = await Cloud.start({ hosts: ['host1', 'host2'] });
    typeId = (await cloud.call('admin', 'POST', '/types', { volume_type: { name: 'fast' } })).body.volume_type.id;
    const made = await cloud.call('admin', 'POST', '/group_types', { group_type: { name: 'plain' } });
    assert.equal(made.status, 202);
    groupTypeId = made.body.group_type.id;
  });
  after(() => cloud.close());

  const group = async (): Promise<string> => {
    const made = await cloud.call('member', 'POST', '/groups', { group: { name: 'g', group_type: 'plain', volume_types: ['fast'] } });
    assert.equal(made.status, 202, JSON.stringify(made.body));
    return made.body.group.id;
  };

  test('a group has its volumes on one host, is snapshotted and copied as a whole, and goes with them', async () => {
    const id = await group();
    const shown = (await cloud.show('member', `/groups/${id}`)).group;
    assert.deepEqual([shown.status, shown.group_type, shown.volume_types, shown.replication_status], ['available', groupTypeId, [typeId], 'disabled']);
    const volumes = [];
    for (let i = 0; i < 3; i += 1) volumes.push(await cloud.volume('member', { size: 1, volume_type: 'fast', group_id: id }));
    const hosts = await Promise.all(volumes.map(async (one) => (await cloud.show('admin', `/volumes/${one}`)).volume['os-vol-host-attr:host']));
    assert.equal(new Set(hosts).size, 1);
    assert.equal((await cloud.call('member', 'DELETE', `/volumes/${volumes[0]}`)).status, 400);
    const snapshot = await cloud.call('member', 'POST', '/group_snapshots', { group_snapshot: { group_id: id, name: 's' } });
    assert.equal(snapshot.status, 202, JSON.stringify(snapshot.body));
    await cloud.settle();
    const snapshotId = snapshot.body.group_snapshot.id;
    assert.equal((await cloud.show('member', `/group_snapshots/${snapshotId}`)).group_snapshot.status, 'available');
    assert.equal((await cloud.show('member', '/snapshots/detail')).snapshots.filter((one: AnyJson) => one.group_snapshot_id === snapshotId).length, 3);
    for (const source of [{ group_snapshot_id: snapshotId }, { source_group_id: id }]) {
      const copy = await cloud.call('member', 'POST', '/groups/action', { 'create-from-src': { name: 'copy', ...source } });
      assert.equal(copy.status, 202, JSON.stringify(copy.body));
      await cloud.settle();
      const made = (await cloud.show('member', `/groups/${copy.body.group.id}?list_volume=true`)).group;
      assert.deepEqual([made.status, made.volumes.length], ['available', 3]);
      const gone = await cloud.call('member', 'POST', `/groups/${copy.body.group.id}/action`, { delete: { 'delete-volumes': true } });
      assert.equal(gone.status, 202);
      await cloud.settle();
      assert.equal((await cloud.call('member', 'GET', `/groups/${copy.body.group.id}`)).status, 404);
    }
    assert.equal((await cloud.call('member', 'POST', `/groups/${id}/action`, { delete: { 'delete-volumes': true } })).status, 400);
    assert.equal((await cloud.call('member', 'DELETE', `/group_snapshots/${snapshotId}`)).status, 202);
    await cloud.settle();
    assert.equal((await cloud.call('member', 'POST', `/groups/${id}/action`, { delete: {} })).status, 400);
    assert.equal((await cloud.call('member', 'POST', `/groups/${id}/action`, { delete: { 'delete-volumes': true } })).status, 202);
    await cloud.settle();
    assert.deepEqual(cloud.inspect(), []);
  });

  test('volumes join and leave a group; strangers to it do not', async () => {
    const id = await group();
    const inside = await cloud.volume('member', { size: 1, volume_type: 'fast', group_id: id });
    const host = (await cloud.show('admin', `/volumes/${inside}`)).volume['os-vol-host-attr:host'];
    const out = await cloud.call('member', 'PUT', `/groups/${id}`, { group: { remove_volumes: inside, name: 'renamed' } });
    assert.equal(out.status, 202, JSON.stringify(out.body));
    assert.equal((await cloud.show('member', `/volumes/${inside}`)).volume.group_id, null);
    assert.equal((await cloud.call('member', 'PUT', `/groups/${id}`, { group: { add_volumes: inside } })).status, 202);
    const plain = await cloud.volume('member');
    assert.equal((await cloud.call('member', 'PUT', `/groups/${id}`, { group: { add_volumes: plain } })).status, 400);
    assert.equal((await cloud.call('other', 'GET', `/groups/${id}`)).status, 404);
    assert.equal((await cloud.show('member', `/groups/${id}`)).group.name, 'renamed');
    assert.ok(host);
    const replication = await cloud.call('member', 'POST', `/groups/${id}/action`, { enable_replication: {} });
    assert.deepEqual([replication.status, replication.body.badRequest.message], [400, `Invalid group type: Group ${id} is not a replication group type.`]);
  });

  test('consistency groups are groups of a type of their own, seen by their own API alone', async () => {
    const made = await cloud.call('member', 'POST', '/consistencygroups', { consistencygroup: { name: 'cg', volume_types: 'fast' } }, '3.0');
    assert.equal(made.status, 202, JSON.stringify(made.body));
    const { id } = made.body.consistencygroup;
    assert.equal((await cloud.call('member', 'GET', `/groups/${id}`)).status, 400);
    assert.equal((await cloud.show('member', `/consistencygroups/${id}`)).consistencygroup.status, 'available');
    await cloud.volume('member', { size: 1, volume_type: 'fast', consistencygroup_id: id });
    const snapshot = await cloud.call('member', 'POST', '/cgsnapshots', { cgsnapshot: { consistencygroup_id: id } });
    assert.equal(snapshot.status, 202, JSON.stringify(snapshot.body));
    await cloud.settle();
    assert.equal((await cloud.show('member', `/cgsnapshots/${snapshot.body.cgsnapshot.id}`)).cgsnapshot.status, 'available');
    assert.equal((await cloud.call('member', 'DELETE', `/cgsnapshots/${snapshot.body.cgsnapshot.id}`)).status, 202);
    await cloud.settle();
    assert.equal((await cloud.call('member', 'POST', `/consistencygroups/${id}/delete`, { consistencygroup: { force: true } })).status, 202);
    await cloud.settle();
    assert.equal((await cloud.call('member', 'GET', `/consistencygroups/${id}`)).status, 404);
  });

  test('group types have specs, and stay while a group is of them', async () => {
    await group();
    assert.equal((await cloud.call('admin', 'DELETE', `/group_types/${groupTypeId}`)).status, 400);
    assert.equal((await cloud.call('admin', 'POST', `/group_types/${groupTypeId}/group_specs`, { group_specs: { a: '1' } })).status, 202);
    assert.deepEqual((await cloud.show('admin', `/group_types/${groupTypeId}`)).group_type.group_specs, { a: '1' });
    assert.equal((await cloud.call('admin', 'DELETE', `/group_types/${groupTypeId}/group_specs/a`)).status, 202);
    assert.equal((await cloud.call('admin', 'DELETE', `/group_types/${groupTypeId}/group_specs/a`)).status, 404);
    assert.equal((await cloud.call('member', 'POST', '/group_types', { group_type: { name: 'x' } })).status, 403);
    assert.equal((await cloud.call('admin', 'POST', '/group_types', { group_type: { name: 'plain' } })).status, 409);
  });
});

type AnyJson = Record<string, unknown>;
