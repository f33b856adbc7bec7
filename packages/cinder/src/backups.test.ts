import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Cloud } from './cloud.fixture.ts';

describe('backups', () => {
  let cloud: Cloud;
  before(async () => {
    cloud = await Cloud.start();
  });
  after(() => cloud.close());

  const backUp = async (body: object, who = 'member', version = '3.71'): Promise<string> => {
    const answer = await cloud.call(who, 'POST', '/backups', { backup: body }, version);
    assert.equal(answer.status, 202, JSON.stringify(answer.body));
    await cloud.settle();
    return answer.body.backup.id;
  };
  const remove = async (id: string): Promise<void> => {
    assert.equal((await cloud.call('member', 'DELETE', `/backups/${id}`)).status, 202);
    await cloud.settle();
  };

  test('a volume is backed up, and an increment builds on that', async () => {
    const volumeId = await cloud.volume('member', { size: 1, name: 'v' });
    const full = await backUp({ volume_id: volumeId, name: 'full', metadata: { a: 'b' } });
    const { backup } = await cloud.show('member', `/backups/${full}`);
    assert.deepEqual(
      [backup.status, backup.size, backup.is_incremental, backup.has_dependent_backups, backup.metadata, backup.fail_reason],
      ['available', 1, false, false, { a: 'b' }, null],
    );
    assert.equal((await cloud.show('member', `/volumes/${volumeId}`)).volume.status, 'available');
    const increment = await backUp({ volume_id: volumeId, incremental: true });
    assert.equal((await cloud.show('member', `/backups/${increment}`)).backup.is_incremental, true);
    assert.equal((await cloud.show('member', `/backups/${full}`)).backup.has_dependent_backups, true);
    const refused = await cloud.call('member', 'DELETE', `/backups/${full}`);
    assert.deepEqual([refused.status, refused.body.badRequest.message], [400, 'Invalid backup: Incremental backups exist for this backup.']);
    assert.equal((await cloud.call('other', 'GET', `/backups/${full}`)).status, 404);
    const listed = (await cloud.show('member', '/backups/detail')).backups.map((one: { id: string }) => one.id);
    assert.deepEqual(listed, [increment, full]);
    await remove(increment);
    await remove(full);
    assert.equal((await cloud.call('member', 'GET', `/backups/${full}`)).status, 404);
  });

  test('restoring gives an existing volume another disk, and makes a new volume when none is named', async () => {
    const volumeId = await cloud.volume('member');
    const id = await backUp({ volume_id: volumeId });
    const answer = await cloud.call('member', 'POST', `/backups/${id}/restore`, { restore: { volume_id: volumeId } });
    assert.deepEqual([answer.status, answer.body.restore.volume_id], [202, volumeId]);
    assert.equal((await cloud.show('member', `/volumes/${volumeId}`)).volume.status, 'restoring-backup');
    await cloud.settle();
    assert.equal((await cloud.show('member', `/volumes/${volumeId}`)).volume.status, 'available');
    const fresh = await cloud.call('member', 'POST', `/backups/${id}/restore`, { restore: {} });
    await cloud.settle();
    const { volume } = await cloud.show('member', `/volumes/${fresh.body.restore.volume_id}`);
    assert.deepEqual([volume.status, volume.name, volume.size], ['available', `restore_backup_${id}`, 1]);
    const third = await cloud.volume('member', { backup_id: id, size: 2 });
    assert.equal((await cloud.show('member', `/volumes/${third}`)).volume.status, 'available');
    assert.equal((await cloud.show('member', `/backups/${id}`)).backup.status, 'available');
    // each volume has one disk: those that were replaced are gone
    assert.equal(cloud.inspect().filter((line) => line.startsWith('disk')).length, (await cloud.show('member', '/volumes')).volumes.length);
    await remove(id);
  });

  test('a record is exported and imported again', async () => {
    const id = await backUp({ volume_id: await cloud.volume('member') });
    assert.equal((await cloud.call('member', 'GET', `/backups/${id}/export_record`)).status, 403);
    const { body } = await cloud.call('admin', 'GET', `/backups/${id}/export_record`);
    const again = await cloud.call('admin', 'POST', '/backups/import_record', body);
    assert.deepEqual([again.status, again.body.badRequest.message], [400, 'Invalid backup: Backup already exists in database.']);
    // as after the loss of the database: the row is gone, the objects are there
    const { deleteBackupRow } = await import('./store/backups.ts');
    await cloud.world.env.store.write((tx) => deleteBackupRow(tx, id));
    const imported = await cloud.call('admin', 'POST', '/backups/import_record', body);
    assert.deepEqual([imported.status, imported.body.backup.id], [201, id]);
    assert.equal((await cloud.show('admin', `/backups/${id}`)).backup.status, 'available');
    // under another id it stands for the same objects, which stay until both are gone
    const record = JSON.parse(Buffer.from(body['backup-record'].backup_url, 'base64').toString());
    const other = { ...record, id: '11111111-2222-4333-8444-555555555555' };
    const url = Buffer.from(JSON.stringify(other)).toString('base64');
    const twin = await cloud.call('admin', 'POST', '/backups/import_record', { 'backup-record': { ...body['backup-record'], backup_url: url } });
    assert.equal(twin.status, 201);
    assert.equal((await cloud.call('admin', 'DELETE', `/backups/${id}`)).status, 202);
    await cloud.settle();
    const restored = await cloud.call('admin', 'POST', `/backups/${other.id}/restore`, { restore: {} });
    assert.equal(restored.status, 202, JSON.stringify(restored.body));
    await cloud.settle();
    assert.equal((await cloud.show('admin', `/volumes/${restored.body.restore.volume_id}`)).volume.status, 'available');
    const nonsense = await cloud.call('admin', 'POST', '/backups/import_record', { 'backup-record': { backup_service: 'x', backup_url: 'e30=' } });
    assert.equal(nonsense.status, 400);
  });

  test('what cannot be backed up is refused in words', async () => {
    const volumeId = await cloud.volume('member');
    const orphan = await cloud.call('member', 'POST', '/backups', { backup: { volume_id: volumeId, incremental: true } });
    assert.deepEqual([orphan.status, orphan.body.badRequest.message], [400, 'Invalid backup: No backups available to do an incremental backup.']);
    await cloud.call('admin', 'POST', `/volumes/${volumeId}/action`, { 'os-reset_status': { status: 'error' } });
    assert.equal((await cloud.call('member', 'POST', '/backups', { backup: { volume_id: volumeId } })).status, 400);
    const quota = { quota_set: { backup_gigabytes: 3 } };
    assert.equal((await cloud.call('admin', 'PUT', '/os-quota-sets/b0000000000000000000000000000002', quota)).status, 200);
    const large = await cloud.call('other', 'POST', '/backups', { backup: { volume_id: await cloud.volume('other', { size: 4 }) } });
    assert.deepEqual([large.status, large.body.overLimit.message.split(':')[0]], [413, 'VolumeBackupSizeExceedsAvailableQuota']);
    const nowhere = await cloud.call('member', 'POST', '/backups', { backup: { volume_id: await cloud.volume('member'), availability_zone: 'mars' } });
    assert.equal(nowhere.status, 503);
  });

  test('a snapshot is backed up, by force also a volume in use', async () => {
    const volumeId = await cloud.volume('member');
    const snapshot = await cloud.call('member', 'POST', '/snapshots', { snapshot: { volume_id: volumeId } });
    await cloud.settle();
    const id = await backUp({ volume_id: volumeId, snapshot_id: snapshot.body.snapshot.id });
    assert.equal((await cloud.show('member', `/backups/${id}`)).backup.snapshot_id, snapshot.body.snapshot.id);
    assert.equal((await cloud.show('member', `/snapshots/${snapshot.body.snapshot.id}`)).snapshot.status, 'available');
    const inUse = await cloud.volume('member');
    await cloud.call('member', 'POST', `/volumes/${inUse}/action`, { 'os-attach': { instance_uuid: inUse, mountpoint: '/dev/vdb' } });
    assert.equal((await cloud.call('member', 'POST', '/backups', { backup: { volume_id: inUse } })).status, 400);
    await backUp({ volume_id: inUse, force: true });
    assert.equal((await cloud.show('member', `/volumes/${inUse}`)).volume.status, 'in-use');
  });
});
