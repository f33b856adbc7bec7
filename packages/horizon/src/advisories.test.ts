/** The console against the classes of OpenStack's advisories that concern dashboards (OSSA classes 23 and 25). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Clock } from '@cairn/kit/clock/clock';
import { systemIds } from '@cairn/kit/ids/ids';
import { silentLog } from '@cairn/kit/log/log';
import type { Db } from '@cairn/kit/store/store';
import Fastify from 'fastify';
import { isOwnForm } from './same-origin.ts';
import { createConsole } from './service.ts';

const HOST = 'cloud.example';
const SSO = '/console/session/sso';

/** The console's paths before a keystone in which `good` is a token, that counts what it is asked. */
async function front() {
  const fastify = Fastify();
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser('*', (_request, _payload, done) => done(null, undefined));
  let asked = 0;
  fastify.get('/identity/v3/auth/tokens', (request, reply) => {
    asked += 1;
    if (request.headers['x-subject-token'] !== 'good') return reply.code(404).send({ error: { message: 'no' } });
    const user = { id: 'u', name: 'ann', domain: { id: 'default', name: 'Default' } };
    return reply.send({ token: { user, expires_at: '2100-01-01T00:00:00Z' } });
  });
  const clock = { nowMs: () => Date.parse('2026-01-01T00:00:00Z') } as Clock;
  const page = createConsole({
    clock,
    ids: systemIds,
    log: silentLog,
    db: {} as Db,
    events: { since: async () => [], newest: async () => 0, onNews: () => () => {} },
    authenticate: async () => undefined,
    prefixes: ['/identity'],
    trustProxy: false,
    singleSignOn: [{ provider: 'corp', protocol: 'openid' }],
    https: true,
    cacheFolders: [],
  });
  page.mount(fastify);
  await fastify.ready();
  return { fastify, asked: () => asked };
}

const form = (token: string, headers: Record<string, string>) => ({
  method: 'POST' as const,
  url: SSO,
  headers: { host: HOST, 'content-type': 'application/x-www-form-urlencoded', ...headers },
  payload: new URLSearchParams({ token }).toString(),
});

test('OSSA class 25 (2020-008, 2019-003): a sign-on ends at the console and nowhere else, whatever the request says', async () => {
  const { fastify } = await front();
  for (const [token, location] of [
    ['good', '/console/'],
    ['made up', '/console/?refused=sso'],
    ['', '/console/?refused=sso'],
  ] as const) {
    const sent = form(token, { 'sec-fetch-site': 'same-origin', origin: 'null' });
    const answer = await fastify.inject({
      ...sent,
      url: `${SSO}?next=https://evil.example/&origin=//evil.example`,
      headers: { ...sent.headers, referer: 'https://evil.example/' },
    });
    assert.deepEqual([answer.statusCode, answer.headers.location], [303, location]);
    if (token !== 'good') assert.equal(answer.headers['set-cookie'], undefined);
    else assert.match(String(answer.headers['set-cookie']), /^cairn_console=good; Path=\/console; Max-Age=\d+; HttpOnly; SameSite=Strict; Secure$/);
    assert.equal(answer.headers['cache-control'], 'no-store');
  }
  await fastify.close();
});

test('OSSA class 23: no other site can sign a browser in, and what does not say where it comes from cannot either', async () => {
  const { fastify, asked } = await front();
  for (const headers of [
    {},
    { origin: 'https://evil.example' },
    { origin: 'null' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site', origin: `https://${HOST}` },
    { 'sec-fetch-site': 'none' },
  ]) {
    const answer = await fastify.inject(form('good', headers));
    assert.deepEqual([answer.statusCode, answer.headers['set-cookie']], [403, undefined], JSON.stringify(headers));
  }
  assert.equal(asked(), 0);
  assert.equal(isOwnForm({ host: HOST, origin: `https://${HOST}` }, false), true);
  await fastify.close();
});

test('OSSA class 25 (2026-006): anonymous requests leave nothing behind, and what is too long is not read to its end', async () => {
  const { fastify, asked } = await front();
  const page = { host: HOST, 'x-cairn-console': '1', 'content-type': 'application/json' };
  for (let i = 0; i < 300; i += 1) {
    const answers = await Promise.all([
      fastify.inject({ method: 'GET', url: '/console/session', headers: page }),
      fastify.inject({ method: 'PUT', url: '/console/session', headers: page, payload: JSON.stringify({ projectId: `p${i}` }) }),
      fastify.inject({ method: 'GET', url: '/console/events', headers: page }),
    ]);
    for (const answer of answers) assert.deepEqual([answer.statusCode, answer.headers['set-cookie']], [401, undefined]);
  }
  // no token, no question to keystone, no row of a session anywhere
  assert.equal(asked(), 0);
  const long = await fastify.inject(form('x'.repeat(100_000), { 'sec-fetch-site': 'same-origin' }));
  assert.equal(long.headers.location, '/console/?refused=sso');
  for (const payload of [
    '{}',
    '[]',
    '{"projectId":{}}',
    '{"system":false}',
    '{"projectId":"p","system":true}',
    '{"projectId":"p","next":"//evil.example"}',
    'nonsense',
  ])
    assert.equal((await fastify.inject({ method: 'PUT', url: '/console/session', headers: page, payload })).statusCode, 400, payload);
  await fastify.close();
});
