import assert from 'node:assert/strict';
import { test } from 'node:test';
import { corsOf } from './cors.ts';

const cors = corsOf({ allowedOrigins: ['https://console.example.org'], allowHeaders: ['X-Auth-Token'], maxAgeSec: 60 });
const ok = { status: 200, headers: { 'content-type': 'application/json', Vary: 'X-Auth-Token' }, body: '{}' };
const unauthenticated = { status: 401, headers: { 'www-authenticate': 'x', 'x-openstack-request-id': 'req-1' }, body: 'no' };
const preflight = (over: Record<string, string> = {}) => ({
  method: 'OPTIONS',
  headers: { origin: 'https://console.example.org', 'access-control-request-method': 'GET', ...over },
});

test('a preflight carries no token: what the service refuses is answered 200, with leave for what is allowed alone', () => {
  const leave = cors(preflight({ 'access-control-request-headers': 'x-auth-token, Content-Type' }), unauthenticated);
  assert.deepEqual(leave, {
    status: 200,
    headers: {
      'x-openstack-request-id': 'req-1',
      'access-control-allow-origin': 'https://console.example.org',
      'access-control-allow-credentials': 'true',
      'access-control-max-age': '60',
      'access-control-allow-methods': 'GET',
      'access-control-allow-headers': 'x-auth-token,Content-Type',
      vary: 'Origin',
    },
    body: undefined,
  });
  for (const over of [
    { origin: 'https://evil.example.org' },
    { origin: 'https://console.example.org.evil.example' },
    { 'access-control-request-method': 'TRACE' },
    { 'access-control-request-headers': 'x-secret' },
  ])
    assert.deepEqual(cors(preflight(over), unauthenticated), { status: 200, headers: { 'x-openstack-request-id': 'req-1' }, body: undefined });
});

test('an answer to a foreign page says so only where the origin is allowed', () => {
  const shown = cors({ method: 'GET', headers: { origin: 'https://console.example.org' } }, ok);
  assert.equal(shown.headers['access-control-allow-origin'], 'https://console.example.org');
  assert.equal(shown.headers.vary, 'X-Auth-Token, Origin');
  assert.match(String(shown.headers['access-control-expose-headers']), /X-Subject-Token/);
  assert.equal(shown.body, '{}');
  assert.equal(cors({ method: 'GET', headers: { origin: 'https://evil.example.org' } }, ok), ok);
  assert.equal(cors({ method: 'GET', headers: {} }, ok), ok);
});

test('a star allows every origin', () => {
  const open = corsOf({ allowedOrigins: ['*'], allowCredentials: false });
  const { headers } = open({ method: 'GET', headers: { origin: 'https://any.example' } }, ok);
  assert.equal(headers['access-control-allow-origin'], '*');
  assert.equal('access-control-allow-credentials' in headers, false);
});
