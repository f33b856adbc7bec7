import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resourcesOf, shortagesOf } from './fit.ts';

const flavor = { id: 'f', name: 'm1.small', vcpus: 2, ram: 2048, disk: 20 };
const quota = { instances: { used: 9, limit: 10 }, cores: { used: 18, limit: 20 }, ram: { used: 0, limit: undefined } };

test('one fits where two do not, and each quota that is too small is named with what is free', () => {
  assert.deepEqual(shortagesOf(flavor, { count: 1, fromVolume: false }, quota), []);
  assert.deepEqual(shortagesOf(flavor, { count: 2, fromVolume: false }, quota), [
    { of: 'instances', needs: 2, free: 1 },
    { of: 'cores', needs: 4, free: 2 },
  ]);
  assert.deepEqual(shortagesOf(flavor, { count: Number.NaN, fromVolume: false }, {}), []);
});

test('an image that needs more than the flavor has does not fit; a volume is as large as it is', () => {
  const image = { min_ram: 4096, min_disk: 30 };
  assert.deepEqual(shortagesOf(flavor, { count: 1, image, fromVolume: false }, quota), [
    { of: 'minRam', needs: 4096 },
    { of: 'minDisk', needs: 30 },
  ]);
  assert.deepEqual(shortagesOf(flavor, { count: 1, image, fromVolume: true }, quota), [{ of: 'minRam', needs: 4096 }]);
});

test('placement is asked for what one server takes of a host', () => {
  assert.equal(resourcesOf(flavor, false), 'VCPU:2,MEMORY_MB:2048,DISK_GB:20');
  assert.equal(resourcesOf(flavor, true), 'VCPU:2,MEMORY_MB:2048');
  assert.equal(resourcesOf({ ...flavor, disk: 0 }, false), 'VCPU:2,MEMORY_MB:2048');
});
