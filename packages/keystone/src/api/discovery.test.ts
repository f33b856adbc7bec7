import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { TestCloud } from '../testing/cloud.ts';
import { jsonHome, prefersJsonHome } from './json-home.ts';
import { operations } from './operations.ts';

let cloud: TestCloud;
let admin: string;
before(async () => {
  cloud = await TestCloud.start();
  admin = await cloud.admin();
});
after(() => cloud.close());

describe('JSON home', () => {
  test('tells where everything is, below /v3 from the root', async () => {
    const accept = { accept: 'application/json-home' };
    const v3 = await cloud.call(undefined, 'GET', '/v3', undefined, accept);
    assert.deepEqual([v3.status, v3.headers.get('content-type')], [200, 'application/json-home']);
    const { resources } = v3.body;
    const base = 'https://docs.openstack.org/api/openstack-identity/3';
    assert.deepEqual(resources[`${base}/rel/auth_tokens`], { href: '/auth/tokens' });
    assert.deepEqual(resources[`${base}/rel/implied_role`], {
      'href-template': '/roles/{prior_role_id}/implies/{implied_role_id}',
      'href-vars': { prior_role_id: `${base}/param/role_id`, implied_role_id: `${base}/param/role_id` },
    });
    assert.deepEqual(resources[`${base}/ext/OS-TRUST/1.0/rel/trust_roles`], {
      'href-template': '/OS-TRUST/trusts/{trust_id}/roles',
      'href-vars': { trust_id: `${base}/ext/OS-TRUST/1.0/param/trust_id` },
    });
    assert.deepEqual(resources[`${base}/rel/limits`], { href: '/limits', hints: { status: 'experimental' } });
    assert.deepEqual(resources[`${base}/ext/s3tokens/1.0/rel/s3tokens`], { href: '/s3tokens' });
    const root = await cloud.call(undefined, 'GET', '/', undefined, accept);
    assert.equal(root.status, 200);
    assert.deepEqual(root.body.resources[`${base}/rel/auth_tokens`], { href: '/v3/auth/tokens' });
    assert.deepEqual(Object.keys(root.body.resources), Object.keys(resources));
  });

  test('names nothing that is not served', () => {
    assert.deepEqual(jsonHome([], '').resources, {});
    const paths = new Set(operations.map((operation) => operation.path.replace(/\{[^}]*\}/g, '{}')));
    const entries = Object.values(jsonHome(operations, '/v3').resources) as { href?: string; 'href-template'?: string }[];
    for (const entry of entries) assert.ok(paths.has((entry.href ?? entry['href-template'] ?? '').replace(/\{[^}]*\}/g, '{}') as `/${string}`));
    assert.ok(entries.length > 80);
  });

  test('is sent to those alone who prefer it', async () => {
    for (const [accept, home] of [
      [undefined, false],
      ['application/json', false],
      ['application/json-home', true],
      ['application/json, application/json-home', false],
      ['application/json-home, application/json', false],
      ['application/json-home, application/json;q=0.5', true],
      ['application/json-home;q=0.2, */*;q=0.1', true],
      ['*/*', false],
      ['text/html', false],
      ['nonsense;;q=', false],
    ] as const) {
      assert.equal(prefersJsonHome(accept), home, accept);
    }
    assert.equal((await cloud.call(undefined, 'GET', '/')).status, 300);
  });
});

test('what went with PKI tokens says so', async () => {
  for (const path of ['/v3/OS-SIMPLE-CERT/ca', '/v3/OS-SIMPLE-CERT/certificates']) {
    const answer = await cloud.expect(410, undefined, 'GET', path);
    assert.deepEqual(answer.body.error, { code: 410, title: 'Gone', message: 'This API is no longer available due to the removal of support for PKI tokens.' });
  }
  const revoked = await cloud.expect(403, undefined, 'GET', '/v3/auth/tokens/OS-PKI/revoked');
  assert.equal(revoked.body.error.message, 'You are not authorized to perform the requested action.');
  await cloud.expect(403, admin, 'GET', '/v3/auth/tokens/OS-PKI/revoked');
});

test('where only POST is answered, GET is told so', async () => {
  for (const path of ['ec2tokens', 's3tokens', 'OS-OAUTH1/request_token', 'OS-OAUTH1/access_token']) {
    for (const token of [undefined, admin]) {
      const answer = await cloud.expect(405, token, 'GET', `/v3/${path}`);
      assert.equal(answer.headers.get('allow'), 'POST');
    }
  }
});

test('revocations are told to services, since a moment or all', async () => {
  const { userId, token } = await cloud.person(admin, 'revoked');
  const service = await cloud.person(admin, 'revoke-reader', 'service');
  await cloud.expect(204, token, 'DELETE', '/v3/auth/tokens', undefined, { 'x-subject-token': token });
  await cloud.expect(200, admin, 'PATCH', `/v3/users/${userId}`, { user: { enabled: false } });
  const answer = await cloud.expect(200, service.token, 'GET', '/v3/OS-REVOKE/events');
  assert.ok(answer.body.links.self.endsWith('/v3/OS-REVOKE/events'));
  const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/;
  const ofUser = answer.body.events.find((event: { user_id?: string }) => event.user_id === userId);
  assert.deepEqual(Object.keys(ofUser), ['user_id', 'issued_before', 'revoked_at']);
  assert.match(ofUser.issued_before, time);
  const ofToken = answer.body.events.find((event: { audit_id?: string }) => event.audit_id !== undefined);
  assert.deepEqual(Object.keys(ofToken), ['audit_id', 'issued_before', 'revoked_at']);
  const future = new Date(Date.now() + 60_000).toISOString();
  assert.deepEqual((await cloud.expect(200, admin, 'GET', `/v3/OS-REVOKE/events?since=${future}`)).body.events, []);
  assert.ok((await cloud.expect(200, admin, 'GET', '/v3/OS-REVOKE/events?since=2020-01-01T00:00:00Z')).body.events.length >= 2);
  await cloud.expect(400, admin, 'GET', '/v3/OS-REVOKE/events?since=yesterday');
  await cloud.expect(403, (await cloud.person(admin, 'no-events')).token, 'GET', '/v3/OS-REVOKE/events');
});

test('what a caller may scope to is told to HEAD too', async () => {
  for (const path of ['catalog', 'projects', 'domains', 'system']) {
    const response = await fetch(`${cloud.url}/v3/auth/${path}`, { method: 'HEAD', headers: { 'x-auth-token': admin } });
    assert.deepEqual([response.status, await response.text()], [200, ''], path);
  }
  const unscoped = await cloud.tokenOf({ name: 'admin', domain: { id: 'default' }, password: 'adminpass' }, 'unscoped');
  await cloud.expect(403, unscoped, 'GET', '/v3/auth/catalog');
  await cloud.expect(200, unscoped, 'GET', '/v3/auth/projects');
});
