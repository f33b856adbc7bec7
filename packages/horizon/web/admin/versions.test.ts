import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newestOf } from './versions.ts';

test('the newest version is found in every service’s form of index', () => {
  assert.equal(newestOf({ version: { id: 'v3.14', status: 'stable' } }), 'v3.14');
  assert.equal(
    newestOf({
      versions: [
        { id: 'v2.0', status: 'SUPPORTED', version: '' },
        { id: 'v2.1', status: 'CURRENT', version: '2.96' },
      ],
    }),
    'v2.1 (2.96)',
  );
  assert.equal(newestOf({ versions: [{ id: 'v1.0', status: 'CURRENT', max_version: '1.39' }] }), 'v1.0 (1.39)');
  assert.equal(newestOf({ versions: [] }), '-');
});
