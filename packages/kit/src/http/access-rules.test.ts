import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allowedByRules } from './access-rules.ts';

const compute = { name: 'nova', type: 'compute' };
const rule = (path: string, method = 'GET', service = 'compute') => ({ service, method, path });

test('an access rule allows its own service, method and path alone', () => {
  assert.equal(allowedByRules([rule('/v2.1/servers')], compute, 'GET', '/v2.1/servers'), true);
  assert.equal(allowedByRules([rule('/v2.1/servers')], compute, 'POST', '/v2.1/servers'), false);
  assert.equal(allowedByRules([rule('/v2.1/servers')], compute, 'GET', '/v2.1/servers/1'), false);
  assert.equal(allowedByRules([rule('/v2.1/servers', 'GET', 'image')], compute, 'GET', '/v2.1/servers'), false);
  assert.equal(allowedByRules([], compute, 'GET', '/v2.1/servers'), false);
});

test('one star is one segment, two are any number, and other signs mean themselves', () => {
  assert.equal(allowedByRules([rule('/v2.1/servers/*')], compute, 'GET', '/v2.1/servers/1'), true);
  assert.equal(allowedByRules([rule('/v2.1/servers/*')], compute, 'GET', '/v2.1/servers/1/ips'), false);
  assert.equal(allowedByRules([rule('/v2.1/servers/{id}/ips')], compute, 'GET', '/v2.1/servers/1/ips'), true);
  assert.equal(allowedByRules([rule('/v2.1/**')], compute, 'GET', '/v2.1/servers/1/ips'), true);
  assert.equal(allowedByRules([rule('/v2.1/servers')], compute, 'GET', '/v2x1/servers'), false);
});

test('a token may always be validated', () => {
  assert.equal(allowedByRules([], { name: 'keystone', type: 'identity' }, 'GET', '/v3/auth/tokens'), true);
  assert.equal(allowedByRules([], { name: 'keystone', type: 'identity' }, 'POST', '/v3/auth/tokens'), false);
});
