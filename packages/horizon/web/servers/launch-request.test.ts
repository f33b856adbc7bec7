import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type LaunchForm, launchBody, missingOf } from './launch-request.ts';

const FORM: LaunchForm = {
  name: ' web ',
  count: 1,
  imageId: 'i',
  flavorId: 'f',
  networkIds: ['n'],
  securityGroups: [],
  keyName: '',
  userData: '',
  volumeGb: undefined,
};

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
    'volume',
  ]);
  assert.deepEqual(missingOf({ ...FORM, count: Number.NaN }), ['count']);
});
