import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BEGINNING, type LaunchForm, launchBody, missingOf } from './request.ts';

const FORM: LaunchForm = { ...BEGINNING, name: ' web ', imageId: 'i', flavorId: 'f', networkIds: ['n'] };

test('the least that can be asked for', () => {
  assert.deepEqual(launchBody(FORM), { server: { name: 'web', flavorRef: 'f', imageRef: 'i', networks: [{ uuid: 'n' }] } });
  assert.equal(launchBody({ ...FORM, networkIds: [] }).server['networks'], 'auto');
});

test('everything that can be asked for', () => {
  const { server } = launchBody({ ...FORM, count: 2, securityGroups: ['a'], keyName: 'k', userData: 'écho 你好', volumeGb: 8 });
  assert.equal(server['imageRef'], undefined);
  assert.deepEqual(server['block_device_mapping_v2'], [
    { uuid: 'i', source_type: 'image', destination_type: 'volume', volume_size: 8, boot_index: 0, delete_on_termination: true },
  ]);
  assert.equal(Buffer.from(String(server['user_data']), 'base64').toString(), 'écho 你好');
  assert.deepEqual([server['min_count'], server['max_count'], server['key_name']], [2, 2, 'k']);
});

test('what is missing is named', () => {
  assert.deepEqual(missingOf(FORM), []);
  assert.deepEqual(missingOf({ ...FORM, name: ' ', imageId: '', flavorId: '', count: 0, userData: 'x'.repeat(50_000), volumeGb: 0.5 }), [
    'name',
    'image',
    'flavor',
    'count',
    'userData',
    'volumeSize',
  ]);
  assert.deepEqual(missingOf({ ...FORM, count: Number.NaN }), ['count']);
});

test('a server starts from a volume that stays, or from a snapshot whose volume goes with it', () => {
  const disk = (form: Partial<LaunchForm>) => {
    const { server } = launchBody({ ...FORM, ...form });
    assert.equal(server['imageRef'], undefined);
    return server['block_device_mapping_v2'];
  };
  assert.deepEqual(disk({ source: 'volume', volumeId: 'v' }), [
    { uuid: 'v', source_type: 'volume', destination_type: 'volume', boot_index: 0, delete_on_termination: false },
  ]);
  assert.deepEqual(disk({ source: 'snapshot', snapshotId: 's', volumeGb: 9 }), [
    { uuid: 's', source_type: 'snapshot', destination_type: 'volume', boot_index: 0, delete_on_termination: true },
  ]);
  assert.deepEqual(missingOf({ ...FORM, source: 'volume' }), ['volume']);
  assert.deepEqual(missingOf({ ...FORM, source: 'snapshot' }), ['snapshot']);
});

test('ports come before networks, and go to one server alone; metadata, tags, zone and group are said where they are', () => {
  const form: LaunchForm = { ...FORM, portIds: ['p'], metadata: [{ key: 'a', value: '1' }], tags: 'x, y', zone: 'nova', groupId: 'g' };
  const body = launchBody(form);
  assert.deepEqual(body.server['networks'], [{ port: 'p' }, { uuid: 'n' }]);
  assert.deepEqual([body.server['metadata'], body.server['tags'], body.server['availability_zone']], [{ a: '1' }, ['x', 'y'], 'nova']);
  assert.deepEqual(body['os:scheduler_hints'], { group: 'g' });
  assert.deepEqual(missingOf({ ...form, count: 2 }), ['single']);
  assert.deepEqual(missingOf({ ...form, metadata: [{ key: '', value: '1' }] }), ['metadata']);
});
