import assert from 'node:assert/strict';
import { test } from 'node:test';
import { patchOf, propertiesOf } from './patch.ts';

const image = { id: 'i', name: 'cirros', min_ram: 0, tags: [], os_distro: 'cirros', hw_disk_bus: 'scsi', gone: null };

test('properties are what an image has beside its base attributes', () => {
  assert.deepEqual(propertiesOf(image), { os_distro: 'cirros', hw_disk_bus: 'scsi' });
});

test('a patch names only what is to change: base attributes, properties that are new, others or gone', () => {
  assert.deepEqual(patchOf(image, { name: 'c', tags: ['a'] }), [
    { op: 'replace', path: '/name', value: 'c' },
    { op: 'replace', path: '/tags', value: ['a'] },
  ]);
  assert.deepEqual(patchOf(image, { properties: { os_distro: 'debian', 'a/b~c': '1' } }), [
    { op: 'replace', path: '/os_distro', value: 'debian' },
    { op: 'add', path: '/a~1b~0c', value: '1' },
    { op: 'remove', path: '/hw_disk_bus' },
  ]);
  assert.deepEqual(patchOf(image, { properties: propertiesOf(image) }), []);
});
