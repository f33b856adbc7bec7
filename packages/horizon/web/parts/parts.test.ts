import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kindOfStatus } from './status-kind.ts';
import { bytesText } from './units.ts';

test('sizes are in the largest unit that leaves one before the point', () => {
  for (const [bytes, text] of [
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1 KiB'],
    [1536, '1.5 KiB'],
    [5 * 2 ** 30, '5 GiB'],
    [123 * 2 ** 20 + 2 ** 19, '124 MiB'],
  ] as const)
    assert.equal(bytesText(bytes), text);
});

test('states have a meaning whatever the service’s spelling', () => {
  assert.equal(kindOfStatus('ACTIVE'), 'good');
  assert.equal(kindOfStatus('in-use'), 'good');
  assert.equal(kindOfStatus('error_deleting'), 'bad');
  assert.equal(kindOfStatus('BUILD'), 'busy');
  assert.equal(kindOfStatus('SHUTOFF'), 'off');
  assert.equal(kindOfStatus('brand-new'), 'unknown');
});
