import assert from 'node:assert/strict';
import { test } from 'node:test';
import { poolOf } from './seed.ts';

test('an end of the floating addresses that is left empty is taken from the public network', () => {
  const network = { publicCidr: '203.0.113.0/25', publicGateway: '203.0.113.1', poolStart: '', poolEnd: '' };
  assert.deepEqual(poolOf({ ...network, poolStart: '203.0.113.64' }), { start: '203.0.113.64', end: '203.0.113.126' });
  assert.deepEqual(poolOf({ ...network, poolEnd: '203.0.113.20' }), { start: '203.0.113.2', end: '203.0.113.20' });
  assert.deepEqual(poolOf({ ...network, publicCidr: '10.0.0.0/8', publicGateway: '10.255.255.254', poolStart: '10.9.0.1' }), {
    start: '10.9.0.1',
    end: '10.255.255.254',
  });
});
