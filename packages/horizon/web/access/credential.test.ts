import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accessRulesOf, credentialBody, expiryOf, RULE_EXAMPLE } from './credential.ts';

const NOW_MS = Date.parse('2026-02-01T10:00:00.123Z');

test('access rules are lines of method, service and path; anything else is none', () => {
  assert.deepEqual(accessRulesOf(`\n ${RULE_EXAMPLE}  \npost image /v2/images\n`), [
    { method: 'GET', service: 'compute', path: '/v2.1/servers/**' },
    { method: 'POST', service: 'image', path: '/v2/images' },
  ]);
  assert.deepEqual(accessRulesOf(''), []);
  for (const text of ['GET compute', 'TRACE compute /x', 'GET compute x', 'GET compute /x y', `GET compute /${'x'.repeat(128)}`])
    assert.equal(accessRulesOf(text), undefined, text);
});

test('the body says only what was asked for', () => {
  const form = { name: ' ci ', description: '', lifetime: 'never', roles: [], rules: '', unrestricted: false };
  assert.deepEqual(credentialBody(form, NOW_MS), { application_credential: { name: 'ci', unrestricted: false } });
  assert.deepEqual(credentialBody({ ...form, description: 'x', lifetime: '1', roles: ['reader'], rules: 'GET image /v2/images' }, NOW_MS), {
    application_credential: {
      name: 'ci',
      description: 'x',
      expires_at: '2026-02-02T10:00:00Z',
      roles: [{ name: 'reader' }],
      access_rules: [{ method: 'GET', service: 'image', path: '/v2/images' }],
      unrestricted: false,
    },
  });
  assert.equal(credentialBody({ ...form, rules: 'nonsense' }, NOW_MS), undefined);
  assert.equal(expiryOf('365', NOW_MS), '2027-02-01T10:00:00Z');
});
