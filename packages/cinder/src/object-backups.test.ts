import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Cloud } from './cloud.fixture.ts';
import { deleteBackupRow } from './store/backups.ts';
import { SmallSwift } from './testing/small-swift.ts';

const P = 'b0000000000000000000000000000001';
const ADMIN_P = 'b00000000000000000000000000000ad';

describe('backups in object storage, by the API', () => {
  let cloud: Cloud;
  let swift: SmallSwift;
  before(async () => {
    swift = await SmallSwift.start();
    cloud = await Cloud.start({ options: { backups: swift.options } });
  });
  after(async () => {
    await cloud.close();
    await swift.stop();
  });

  const backUp = async (body: object): Promise<string> => {
    const answer = await cloud.call('member', 'POST', '/backups', { backup: body });
    assert.equal(answer.status, 202, JSON.stringify(answer.body));
    await cloud.settle();
    return answer.body.backup.id;
  };
  const shown = async (id: string, who = 'member'): Promise<Record<string, unknown>> => (await cloud.show(who, `/backups/${id}`)).backup;
  const remove = async (id: string): Promise<void> => {
    assert.equal((await cloud.call('member', 'DELETE', `/backups/${id}`)).status, 202);
    await cloud.settle();
  };

  test('go to the container that is asked for, in the account of their project, under upstream’s names', async () => {
    const volumeId = await cloud.volume('member', { size: 1, name: 'v', metadata: { a: 'b' } });
    const id = await backUp({ volume_id: volumeId, container: 'my backups' });
    const { status, container, object_count } = await shown(id);
    assert.deepEqual([status, container, object_count], ['available', 'my backups', 16]);
    const names = swift.names(`/v1/AUTH_${P}/my backups`);
    assert.equal(names.length, 18);
    const prefix = new RegExp(`^volume_${volumeId}/\\d{14}/az_nova_backup_${id}(?:-\\d{5}|_metadata|_sha256file)$`);
    for (const name of names) assert.match(name, prefix);
    const metadata = JSON.parse(String(swift.objects.get(`/v1/AUTH_${P}/my backups/${names.find((name) => name.endsWith('_metadata'))}`)));
    assert.deepEqual(Object.keys(metadata).toSorted(), [
      ...['backup_description', 'backup_id', 'backup_name', 'created_at', 'objects', 'parent_id', 'version', 'volume_id', 'volume_meta'],
    ]);
    const [first] = Object.entries(metadata.objects[0]) as [string, object][];
    assert.deepEqual(Object.keys(first?.[1] ?? {}).toSorted(), ['compression', 'length', 'md5', 'offset']);
    const usual = await backUp({ volume_id: volumeId, incremental: true });
    assert.deepEqual([(await shown(usual))['container'], (await shown(usual))['object_count']], ['volumebackups', 0]);
    const restored = await cloud.call('member', 'POST', `/backups/${usual}/restore`, { restore: {} });
    await cloud.settle();
    const { volume } = await cloud.show('member', `/volumes/${restored.body.restore.volume_id}`);
    assert.deepEqual([volume.status, volume.metadata], ['available', { a: 'b' }]);
    await remove(usual);
    await remove(id);
    assert.deepEqual(swift.names(), []);
  });

  test('a container that cannot be is refused at once', async () => {
    const volumeId = await cloud.volume('member');
    for (const container of ['a/b', '..']) {
      const { status, body } = await cloud.call('member', 'POST', '/backups', { backup: { volume_id: volumeId, container } });
      assert.equal(status, 400);
      assert.match(body.badRequest.message, /the container ".*" cannot be/);
    }
    assert.equal((await cloud.show('member', `/volumes/${volumeId}`)).volume.status, 'available');
  });

  test('a store that refuses, or is gone, leaves words and a volume that can be used; deleting takes what was left', async () => {
    const volumeId = await cloud.volume('member');
    swift.refuse = (method, path) => (method === 'PUT' && path.endsWith('-00003') ? 403 : method === 'DELETE' ? 503 : undefined);
    const id = await backUp({ volume_id: volumeId });
    const { status, fail_reason } = await shown(id);
    assert.equal(status, 'error');
    assert.match(String(fail_reason), /does not allow this \(403\)/);
    assert.equal((await cloud.show('member', `/volumes/${volumeId}`)).volume.status, 'available');
    assert.ok(swift.names().length > 0);
    swift.refuse = () => undefined;
    await remove(id);
    assert.deepEqual(swift.names(), []);
  });

  test('an administrator of another project deletes them where they are', async () => {
    const id = await backUp({ volume_id: await cloud.volume('member') });
    assert.ok(swift.names(`/v1/AUTH_${P}/volumebackups`).length > 0);
    assert.equal((await cloud.call('admin', 'DELETE', `/backups/${id}`)).status, 202);
    await cloud.settle();
    assert.deepEqual(swift.names(), []);
  });

  test('records as upstream writes them are imported; what does not say where the objects are is not', async () => {
    const id = await backUp({ volume_id: await cloud.volume('member', { size: 1, name: 'precious', metadata: { k: 'v' } }) });
    const { body } = await cloud.call('admin', 'GET', `/backups/${id}/export_record`);
    const { backup_service, backup_url } = body['backup-record'];
    assert.equal(backup_service, 'cinder.backup.drivers.swift.SwiftBackupDriver');
    const record = JSON.parse(Buffer.from(backup_url, 'base64').toString());
    // upstream's importer asks for these
    for (const key of ['display_name', 'display_description', 'container', 'size', 'service_metadata', 'object_count', 'id']) assert.ok(key in record, key);
    await cloud.world.env.store.write((tx) => deleteBackupRow(tx, id));
    // the account is that of who imports
    for (const [path, data] of swift.objects) swift.objects.set(path.replace(P, ADMIN_P), data);
    const { facts: _facts, ...upstream } = record;
    const importIt = async (change: object): Promise<Record<string, unknown>> => {
      const url = Buffer.from(JSON.stringify({ ...upstream, ...change })).toString('base64');
      const answer = await cloud.call('admin', 'POST', '/backups/import_record', { 'backup-record': { backup_service, backup_url: url } });
      assert.equal(answer.status, 201, JSON.stringify(answer.body));
      return shown(answer.body.backup.id, 'admin');
    };
    assert.equal((await importIt({}))['status'], 'available');
    const restored = await cloud.call('admin', 'POST', `/backups/${id}/restore`, { restore: {} });
    await cloud.settle();
    assert.deepEqual((await cloud.show('admin', `/volumes/${restored.body.restore.volume_id}`)).volume.metadata, { k: 'v' });
    for (const place of ['', 'volume_', `${record.service_metadata}/..`]) {
      const wrong = await importIt({ id: crypto.randomUUID(), service_metadata: place });
      assert.deepEqual([wrong['status'], wrong['fail_reason']], ['error', 'The record does not say where the objects of the backup are.']);
      assert.equal((await cloud.call('admin', 'DELETE', `/backups/${String(wrong['id'])}`)).status, 202);
      await cloud.settle();
    }
    // an increment is not restored without what it builds on
    const lonely = await importIt({ id: crypto.randomUUID(), parent_id: crypto.randomUUID() });
    await cloud.call('admin', 'POST', `/backups/${String(lonely['id'])}/restore`, { restore: {} });
    await cloud.settle();
    assert.match(String((await shown(String(lonely['id']), 'admin'))['fail_reason']), /Import that one first/);
  });

  test('backups that are files stay usable beside them', async () => {
    const volumeId = await cloud.volume('member');
    const files = cloud.cinder.app.backups.named('cinder.backup.drivers.posix.PosixBackupDriver');
    assert.ok(files);
    const id = await backUp({ volume_id: volumeId });
    assert.equal((await cloud.call('member', 'POST', '/backups', { backup: { volume_id: volumeId, incremental: true } })).status, 202);
    await cloud.settle();
    assert.equal((await shown(id))['has_dependent_backups'], true);
  });
});
