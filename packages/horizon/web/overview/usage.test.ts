import assert from 'node:assert/strict';
import { test } from 'node:test';
import { byState, computeUsage, networkUsage, percentOf, volumeUsage } from './usage.ts';

test('what is used of each limit has one form, whichever service tells it', () => {
  assert.deepEqual(computeUsage({ maxTotalInstances: 10, totalInstancesUsed: 3, maxTotalCores: -1, totalCoresUsed: 6 }), [
    { id: 'servers', used: 3, limit: 10 },
    { id: 'vcpus', used: 6, limit: undefined },
  ]);
  assert.deepEqual(volumeUsage({ maxTotalVolumeGigabytes: 100, totalGigabytesUsed: 40 }), [{ id: 'gigabytes', used: 40, limit: 100 }]);
  assert.deepEqual(networkUsage({ port: { used: 2, reserved: 1, limit: 5 } }), [{ id: 'ports', used: 3, limit: 5 }]);
});

test('shares stay between nothing and all', () => {
  const share = (used: number, limit: number | undefined) => percentOf({ id: 'x', used, limit });
  assert.deepEqual([share(0, 10), share(1, 3), share(12, 10), share(0, 0), share(7, undefined)], [0, 33, 100, 100, 0]);
});

test('states are counted, most first', () => {
  assert.deepEqual(byState([{ status: 'ERROR' }, { status: 'ACTIVE' }, { status: 'BUILD' }, { status: 'ACTIVE' }]), [
    ['ACTIVE', 2],
    ['BUILD', 1],
    ['ERROR', 1],
  ]);
});
