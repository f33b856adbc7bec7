import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keysOf } from './keys.ts';

test('a change of a server touches the list and the server; of a subnet the networks too; what is not shown touches nothing', () => {
  assert.deepEqual(keysOf({ resource: 'server', id: 's' }), [['servers'], ['server', 's']]);
  assert.deepEqual(keysOf({ resource: 'subnet', id: 'n' }), [['subnets'], ['networks'], ['path']]);
  assert.deepEqual(keysOf({ resource: 'qos_policy', id: 'q' }), []);
});
