import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkUrl, substituteUrl } from './endpoint-url.ts';

test('project and user take their place in either spelling', () => {
  const scope = { userId: 'u', projectId: 'p' };
  assert.equal(substituteUrl('http://a/v1/AUTH_$(project_id)s', scope), 'http://a/v1/AUTH_p');
  assert.equal(substituteUrl('http://a/%(tenant_id)s/%(user_id)s', scope), 'http://a/p/u');
  assert.equal(substituteUrl('http://a/100%%', scope), 'http://a/100%');
  assert.equal(substituteUrl('http://a/', scope), 'http://a/');
});

test('an endpoint that needs a project is left out without one, as is a malformed one', () => {
  assert.equal(substituteUrl('http://a/$(project_id)s', { userId: 'u', projectId: undefined }), undefined);
  assert.equal(substituteUrl('http://a/$(other)s', { userId: 'u', projectId: 'p' }), undefined);
  assert.equal(substituteUrl('http://a/%d', { userId: 'u', projectId: 'p' }), undefined);
});

test('a URL that upstream could not format is refused', () => {
  for (const url of ['http://a/$(nope)s', 'http://a/%(project_id)d', 'http://a/$(project_id)', 'http://a/100%']) {
    assert.throws(() => checkUrl(url), /invalid URL/, url);
  }
  for (const url of ['http://a/$(project_id)s', 'http://a/%(compute_host)s', 'http://a/$5']) checkUrl(url);
});
