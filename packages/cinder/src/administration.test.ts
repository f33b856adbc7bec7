import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Cloud } from './cloud.fixture.ts';

type Json = Record<string, any>;

describe('what administrators do with volumes', () => {
  let cloud: Cloud;
  before(async () => {
    cloud = await Cloud.start({ hosts: ['host1', 'host2'] });
  });
  after(() => cloud.close());

  const admin = (method: string, path: string, body?: object, version?: string) => cloud.call('admin', method, path, body, version);
  const place = async (id: string): Promise<string> => (await cloud.show('admin', `/volumes/${id}`)).volume['os-vol-host-attr:host'];
  const type = async (name: string, specs: object = {}): Promise<string> => {
    const made = await admin('POST', '/types', { volume_type: { name, extra_specs: specs } });
    assert.equal(made.status, 200, JSON.stringify(made.body));
    return made.body.volume_type.id;
  };

  test('QoS specs are made, changed, associated with one type at most, and handed to whoever connects', async () => {
    const typeId = await type('limited');
    const made = await admin('POST', '/qos-specs', { qos_specs: { name: 'slow', consumer: 'front-end', total_iops_sec: '100', 'a b': 1 } });
    assert.equal(made.status, 200, JSON.stringify(made.body));
    const { id } = made.body.qos_specs;
    assert.deepEqual(made.body.qos_specs, { id, name: 'slow', consumer: 'front-end', specs: { total_iops_sec: '100', 'a b': '1' } });
    assert.equal((await admin('POST', '/qos-specs', { qos_specs: { name: 'slow' } })).status, 409);
    assert.equal((await admin('POST', '/qos-specs', { qos_specs: { name: 'x', consumer: 'middle' } })).status, 400);
    assert.equal((await cloud.call('member', 'GET', '/qos-specs')).status, 403);
    assert.equal((await admin('PUT', `/qos-specs/${id}/delete_keys`, { keys: ['a b'] })).status, 202);
    assert.equal((await admin('PUT', `/qos-specs/${id}/delete_keys`, { keys: ['a b'] })).status, 404);
    assert.equal((await admin('PUT', `/qos-specs/${id}`, { qos_specs: { total_bytes_sec: '1000' } })).status, 200);
    assert.equal((await admin('GET', `/qos-specs/${id}/associate?vol_type_id=${typeId}`)).status, 202);
    assert.deepEqual((await admin('GET', `/qos-specs/${id}/associations`)).body.qos_associations, [
      { association_type: 'volume_type', name: 'limited', id: typeId },
    ]);
    assert.equal((await cloud.show('admin', `/types/${typeId}`)).volume_type.qos_specs_id, id);
    assert.equal((await admin('DELETE', `/qos-specs/${id}`)).status, 400);
    const volumeId = await cloud.volume('member', { size: 1, volume_type: 'limited' });
    const connection = await cloud.call('member', 'POST', `/volumes/${volumeId}/action`, { 'os-initialize_connection': { connector: { host: 'h' } } });
    assert.deepEqual(connection.body.connection_info.data.qos_specs, { total_iops_sec: '100', total_bytes_sec: '1000' });
    const other = (await admin('POST', '/qos-specs', { qos_specs: { name: 'other' } })).body.qos_specs.id;
    assert.equal((await admin('GET', `/qos-specs/${other}/associate?vol_type_id=${typeId}`)).status, 400);
    assert.equal((await admin('GET', `/qos-specs/${id}/disassociate?vol_type_id=${typeId}`)).status, 202);
    assert.equal((await admin('DELETE', `/qos-specs/${id}`)).status, 202);
    assert.equal((await admin('GET', `/qos-specs/${id}`)).status, 404);
  });

  test('a type says how its volumes are encrypted, and none of them is made in the clear', async () => {
    const typeId = await type('secret');
    assert.deepEqual((await admin('GET', `/types/${typeId}/encryption`)).body, {});
    const specs = { provider: 'luks', control_location: 'front-end', cipher: 'aes-xts-plain64', key_size: 256 };
    const made = await admin('POST', `/types/${typeId}/encryption`, { encryption: specs });
    assert.deepEqual([made.status, made.body.encryption.volume_type_id, made.body.encryption.key_size], [200, typeId, 256]);
    assert.equal((await admin('POST', `/types/${typeId}/encryption`, { encryption: specs })).status, 400);
    assert.deepEqual((await admin('GET', `/types/${typeId}/encryption/cipher`)).body, { cipher: 'aes-xts-plain64' });
    assert.deepEqual((await admin('PUT', `/types/${typeId}/encryption/provider`, { encryption: { key_size: '128' } })).body, { encryption: { key_size: 128 } });
    assert.equal((await cloud.call('member', 'POST', '/volumes', { volume: { size: 1, volume_type: 'secret' } })).status, 400);
    assert.equal((await admin('DELETE', `/types/${typeId}/encryption/provider`)).status, 202);
    assert.equal((await admin('DELETE', `/types/${typeId}/encryption/provider`)).status, 404);
  });

  test('a volume is forgotten and taken up again with its disk; so is a snapshot', async () => {
    const id = await cloud.volume('member', { size: 3, name: 'lost' });
    const host = await place(id);
    assert.equal((await admin('POST', `/volumes/${id}/action`, { 'os-unmanage': null })).status, 202);
    assert.equal((await admin('GET', `/volumes/${id}`)).status, 404);
    const listed = (await cloud.show('admin', `/manageable_volumes/detail?host=${encodeURIComponent(host)}`))['manageable-volumes'];
    assert.deepEqual(
      listed.find((one: Json) => one['reference']['source-name'] === id),
      { reference: { 'source-name': id }, size: 3, safe_to_manage: true, reason_not_safe: null, cinder_id: null, extra_info: null },
    );
    const again = await admin('POST', '/os-volume-manage', { volume: { host, ref: { 'source-name': `volume-${id}` }, name: 'found' } });
    assert.equal(again.status, 202, JSON.stringify(again.body));
    const { volume } = again.body as Json;
    assert.deepEqual([(await cloud.show('admin', `/volumes/${volume.id}`)).volume.status, volume.size], ['available', 3]);
    const bad = await admin('POST', '/os-volume-manage', { volume: { host, ref: { 'source-name': 'nothing' } } });
    assert.equal((await cloud.show('admin', `/volumes/${bad.body.volume.id}`)).volume.status, 'error_managing');
    const snapshot = await admin('POST', '/snapshots', { snapshot: { volume_id: volume.id } });
    await cloud.settle();
    const snapshotId = snapshot.body.snapshot.id;
    assert.equal((await admin('POST', `/snapshots/${snapshotId}/action`, { 'os-unmanage': {} })).status, 202);
    assert.equal((await admin('GET', `/snapshots/${snapshotId}`)).status, 404);
    const back = await admin('POST', '/os-snapshot-manage', { snapshot: { volume_id: volume.id, ref: { 'source-name': snapshotId }, name: 's' } });
    assert.equal(back.status, 202, JSON.stringify(back.body));
    assert.deepEqual([back.body.snapshot.status, back.body.snapshot.size], ['available', 3]);
  });

  test('a volume moves to another host, and back by a retype that only the other satisfies', async () => {
    const id = await cloud.volume('member', { size: 1 });
    const from = await place(id);
    const to = from === 'host1@cairn#cairn' ? 'host2@cairn#cairn' : 'host1@cairn#cairn';
    const migrate = (host: string) => admin('POST', `/volumes/${id}/action`, { 'os-migrate_volume': { host, lock_volume: true } });
    assert.equal((await migrate('mars@cairn#cairn')).status, 400);
    assert.equal((await migrate(from)).status, 400);
    assert.equal((await migrate(to)).status, 202);
    await cloud.settle();
    const { volume } = await cloud.show('admin', `/volumes/${id}`);
    assert.deepEqual([volume['os-vol-host-attr:host'], volume.status, volume.migration_status], [to, 'available', 'success']);
    assert.equal(cloud.inspect().filter((line) => line.includes('volume') && line.startsWith('disk')).length >= 1, true);
    const never = await type('never', { volume_backend_name: 'elsewhere' });
    assert.equal((await admin('POST', `/volumes/${id}/action`, { 'os-retype': { new_type: never, migration_policy: 'on-demand' } })).status, 202);
    await cloud.settle();
    assert.deepEqual(
      [(await cloud.show('admin', `/volumes/${id}`)).volume.status, (await cloud.show('admin', `/volumes/${id}`)).volume.volume_type],
      ['available', '__DEFAULT__'],
    );
    assert.ok((await cloud.show('member', '/messages')).messages.some((one: Json) => one['resource_uuid'] === id));
    const done = await admin('POST', `/volumes/${id}/action`, { 'os-migrate_volume_completion': { new_volume: id } });
    assert.deepEqual([done.status, done.body], [200, { save_volume_id: id }]);
  });

  test('services, clusters and workers answer as where nothing replicates, clusters or waits', async () => {
    const failed = await admin('PUT', '/os-services/failover_host', { host: 'host1@cairn' });
    assert.deepEqual(
      [failed.status, failed.body.badRequest.message],
      [400, "Invalid input received: replication_status in ['host1@cairn'] must be enabled or failed-over to failover."],
    );
    assert.deepEqual((await admin('GET', '/clusters')).body, { clusters: [] });
    assert.equal((await admin('GET', '/clusters?x=1')).status, 400);
    assert.equal((await admin('GET', '/clusters/c')).status, 404);
    assert.deepEqual((await admin('POST', '/workers/cleanup', {})).body, { cleaning: [], unavailable: [] });
    assert.equal((await admin('PUT', '/os-services/set-log', { binary: '*', level: 'debug', prefix: 'cinder' })).status, 202);
    const { log_levels: levels } = (await admin('PUT', '/os-services/get-log', { binary: 'cinder-volume', prefix: 'cinder' })).body as Json;
    assert.deepEqual(levels[0], { binary: 'cinder-volume', host: 'host1@cairn', levels: { cinder: 'DEBUG' } });
    assert.equal((await admin('PUT', '/os-services/set-log', { level: 'loud' })).status, 400);
  });
});
