import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { test } from 'node:test';
import { pass, withheld } from './passage.ts';

const request = (headers: Record<string, string>): IncomingMessage => ({ headers: { ...headers } }) as unknown as IncomingMessage;

test('the services see the token of the passage alone, and no cookie', () => {
  const asked = request({ 'x-auth-token': 'of the page', cookie: 'a=b', accept: '*/*' });
  assert.equal(pass(asked, { url: '/compute/', token: 'of the session', headers: {} }), '/compute/');
  assert.deepEqual(asked.headers, { 'x-auth-token': 'of the session', accept: '*/*' });
  const unknown = request({ 'x-auth-token': 'of the page' });
  pass(unknown, { url: '/', token: undefined, headers: {} });
  assert.deepEqual(unknown.headers, {});
});

test('no token goes back to a page, however its header is written; other requests are answered as ever', () => {
  const asked = request({});
  const answer = { status: 201, headers: { 'X-Subject-Token': 'secret', 'set-cookie': ['a=b'], 'Cache-Control': 'public', vary: 'Accept' }, body: undefined };
  assert.equal(withheld(asked, answer), answer);
  pass(asked, { url: '/identity/v3/auth/tokens', token: 't', headers: { 'cache-control': 'no-store' } });
  assert.deepEqual(withheld(asked, answer).headers, { vary: 'Accept', 'cache-control': 'no-store' });
});
