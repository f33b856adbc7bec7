import assert from 'node:assert/strict';
import { test } from 'node:test';
import { diskLimits } from './disk-limits.ts';

test('QoS specs become limits of a disk; what names none, or is no number, is left to others', () => {
  assert.equal(diskLimits(undefined, 1), undefined);
  assert.equal(diskLimits({ color: 'red', total_iops_sec: 'many' }, 1), undefined);
  assert.deepEqual(diskLimits({ total_iops_sec: '100', write_bytes_sec: '1048576', size_iops_sec: '4096' }, 1), {
    operationsPerSecond: 100,
    writeBytesPerSecond: 1_048_576,
    operationBytes: 4096,
  });
});

test('limits per gigabyte grow with the volume, and have a floor', () => {
  assert.deepEqual(diskLimits({ total_iops_sec_per_gb: '10' }, 20), { operationsPerSecond: 200 });
  assert.deepEqual(diskLimits({ total_iops_sec_per_gb: '10', total_iops_sec_per_gb_min: '500' }, 20), { operationsPerSecond: 500 });
});

test('a total excludes its parts', () => {
  assert.deepEqual(diskLimits({ total_bytes_sec: '10', read_bytes_sec: '5' }, 1), { bytesPerSecond: 10 });
});
