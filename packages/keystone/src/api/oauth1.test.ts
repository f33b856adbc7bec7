import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { VirtualClock } from '@cairn/kit/clock/virtual';
import { VERIFIER_CHARS } from '../oauth1/request.ts';
import { type Answer, TestCloud } from '../testing/cloud.ts';
import { type OAuthKey, oauthHeaders } from '../testing/oauth1.ts';

let cloud: TestCloud;
let admin: string;
let nowMs: () => number = Date.now;
before(async () => {
  cloud = await TestCloud.start();
  admin = await cloud.admin();
});
after(() => cloud.close());

type Key = OAuthKey;

const CONSUMERS = '/v3/OS-OAUTH1/consumers';
const hex = (): string => randomBytes(16).toString('hex');

const header = (path: string, consumer: Key, token?: Key, more?: Readonly<Record<string, string>>): Record<string, string> =>
  oauthHeaders(`${cloud.url}${path}`, { consumer, token }, more, nowMs());

/** A POST that is answered with a form. */
async function form(
  path: string,
  headers: Readonly<Record<string, string>>,
): Promise<{ status: number; type: string | null; fields: URLSearchParams; text: string }> {
  const response = await fetch(cloud.url + path, { method: 'POST', headers });
  const text = await response.text();
  return { status: response.status, type: response.headers.get('content-type'), fields: new URLSearchParams(text), text };
}
const keyOf = (fields: URLSearchParams): Key => ({ id: fields.get('oauth_token') ?? '', secret: fields.get('oauth_token_secret') ?? '' });

const newConsumer = async (): Promise<Key> => (await cloud.expect(201, admin, 'POST', CONSUMERS, { consumer: { description: 'a test' } })).body.consumer;
const REQUEST = '/v3/OS-OAUTH1/request_token';
const ACCESS = '/v3/OS-OAUTH1/access_token';

const requestToken = (consumer: Key, projectId = cloud.ids.adminProjectId) =>
  form(REQUEST, { 'requested-project-id': projectId, ...header(REQUEST, consumer, undefined, { oauth_callback: 'oob' }) });
const authorize = (token: string, id: string, roles: unknown) => cloud.call(token, 'PUT', `/v3/OS-OAUTH1/authorize/${id}`, { roles });
const accessToken = (consumer: Key, request: Key, verifier: string) => form(ACCESS, header(ACCESS, consumer, request, { oauth_verifier: verifier }));
const login = (consumer: Key, access: Key): Promise<Answer> =>
  cloud.call(undefined, 'POST', '/v3/auth/tokens', { auth: { identity: { methods: ['oauth1'], oauth1: {} } } }, header('/v3/auth/tokens', consumer, access));

/** The whole way: the admin lends a consumer the role `member` on the project `admin`. */
async function granted(): Promise<{ consumer: Key; access: Key }> {
  const consumer = await newConsumer();
  const request = keyOf((await requestToken(consumer)).fields);
  const { body } = await authorize(admin, request.id, [{ name: 'member' }]);
  const access = keyOf((await accessToken(consumer, request, body.token.oauth_verifier)).fields);
  return { consumer, access };
}
const tokensOf = (userId: string): string => `/v3/users/${userId}/OS-OAUTH1/access_tokens`;

describe('consumers', () => {
  test('are made with a secret that is shown once, listed, changed and deleted', async () => {
    const made = await cloud.expect(201, admin, 'POST', CONSUMERS, { consumer: { description: 'first', 'some:weird-field': 'x' } });
    const { id, secret, links, ...rest } = made.body.consumer;
    assert.deepEqual(rest, { description: 'first', some_weird_field: 'x' });
    assert.match(secret, /^[0-9a-f]{32}$/);
    assert.ok(links.self.endsWith(`/v3/OS-OAUTH1/consumers/${id}`));
    const shown = await cloud.expect(200, admin, 'GET', `${CONSUMERS}/${id}`);
    assert.deepEqual(shown.body.consumer, { ...rest, id, links });
    const changed = await cloud.expect(200, admin, 'PATCH', `${CONSUMERS}/${id}`, { consumer: { description: null, more: 1 } });
    assert.deepEqual(changed.body.consumer, { description: null, some_weird_field: 'x', more: 1, id, links });
    for (const body of [{ consumer: { secret: 'mine' } }, { consumer: {} }, { consumer: { id: 'other' } }, {}]) {
      assert.equal((await cloud.call(admin, 'PATCH', `${CONSUMERS}/${id}`, body)).status, 400, JSON.stringify(body));
    }
    const listed = await cloud.expect(200, admin, 'GET', CONSUMERS);
    assert.ok(listed.body.consumers.some((consumer: Key) => consumer.id === id && consumer.secret === undefined));
    assert.equal((await cloud.expect(201, admin, 'POST', CONSUMERS, { consumer: {} })).body.consumer.description, null);
    await cloud.expect(204, admin, 'DELETE', `${CONSUMERS}/${id}`);
    assert.deepEqual((await cloud.expect(404, admin, 'GET', `${CONSUMERS}/${id}`)).body.error.message, 'Consumer not found');
    const { token } = await cloud.person(admin, 'no-consumers');
    await cloud.expect(403, token, 'GET', CONSUMERS);
  });
});

describe('the way of a consumer to a token', () => {
  test('request, authorisation, access, login', async () => {
    const consumer = await newConsumer();
    const asked = await requestToken(consumer);
    assert.deepEqual([asked.status, asked.type], [201, 'application/x-www-form-urlencoded']);
    assert.match(asked.text, /^oauth_token=[0-9a-f]{32}&oauth_token_secret=[0-9a-f]{32}&oauth_expires_at=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
    const request = keyOf(asked.fields);
    const allowed = await authorize(admin, request.id, [{ id: cloud.ids.roleIds.member }]);
    assert.equal(allowed.status, 200);
    const verifier: string = allowed.body.token.oauth_verifier;
    assert.equal(verifier.length, 8);
    assert.ok([...verifier].every((char) => VERIFIER_CHARS.includes(char)));
    const got = await accessToken(consumer, request, verifier);
    assert.deepEqual([got.status, got.type], [201, 'application/x-www-form-urlencoded']);
    assert.equal((await accessToken(consumer, request, verifier)).status, 404, 'a request token is good once');
    const access = keyOf(got.fields);
    const answer = await login(consumer, access);
    assert.equal(answer.status, 201);
    const { token } = answer.body;
    assert.deepEqual(token['OS-OAUTH1'], { access_token_id: access.id, consumer_id: consumer.id });
    assert.deepEqual(token.methods, ['oauth1']);
    assert.equal(token.project.id, cloud.ids.adminProjectId);
    // what was lent, with what it implies, and nothing else of the admin's
    assert.deepEqual(
      token.roles.map((role: { name: string }) => role.name),
      ['member', 'reader'],
    );
    const id = answer.headers.get('x-subject-token') ?? '';
    const validated = await cloud.expect(200, admin, 'GET', '/v3/auth/tokens', undefined, { 'x-subject-token': id });
    assert.deepEqual(validated.body.token['OS-OAUTH1'], token['OS-OAUTH1']);
    // such a token makes no other, and lends nothing on
    const rescoped = await cloud.call(undefined, 'POST', '/v3/auth/tokens', { auth: { identity: { methods: ['token'], token: { id } } } });
    assert.equal(rescoped.status, 403);
    const trust = {
      trustor_user_id: cloud.ids.adminUserId,
      trustee_user_id: cloud.ids.adminUserId,
      impersonation: false,
      project_id: cloud.ids.adminProjectId,
      roles: [{ name: 'member' }],
    };
    assert.equal((await cloud.call(id, 'POST', '/v3/OS-TRUST/trusts', { trust })).status, 403);
    const credentials = `/v3/users/${cloud.ids.adminUserId}/application_credentials`;
    assert.equal((await cloud.call(id, 'POST', credentials, { application_credential: { name: 'x' } })).status, 403);
  });

  test('bad secrets, addresses, projects, consumers and forms', async () => {
    const consumer = await newConsumer();
    assert.equal((await requestToken({ ...consumer, secret: hex() })).status, 401);
    assert.equal((await requestToken({ ...consumer, id: hex() })).status, 404);
    assert.equal((await requestToken(consumer, hex())).status, 404);
    const signed = header(REQUEST, consumer, undefined, { oauth_callback: 'oob' });
    assert.equal((await form(REQUEST, signed)).status, 400, 'no project');
    assert.equal((await form(REQUEST, { 'requested-project-id': cloud.ids.adminProjectId })).status, 400, 'no signature');
    assert.equal((await form(`${REQUEST}?a=1`, { 'requested-project-id': cloud.ids.adminProjectId, ...signed })).status, 401);
    const noCallback = { 'requested-project-id': cloud.ids.adminProjectId, ...header(REQUEST, consumer) };
    assert.match((await form(REQUEST, noCallback)).text, /Missing callback URI/);
    const request = keyOf((await requestToken(consumer)).fields);
    const unasked = await accessToken(consumer, request, 'abcdABCD');
    assert.equal(unasked.status, 401, 'nobody authorised it');
    for (const [roles, status] of [
      [[{ id: cloud.ids.roleIds.member, name: 'member' }], 400],
      [[{ fake: 'x' }], 400],
      ['member', 400],
      [[{ name: 'nothing' }], 404],
      [[{ id: hex() }], 401],
      [[{ name: 'service' }], 401],
    ] as [unknown, number][]) {
      assert.equal((await authorize(admin, request.id, roles)).status, status, JSON.stringify(roles));
    }
    assert.equal((await authorize(admin, hex(), [{ name: 'member' }])).status, 404);
    const { token } = await cloud.person(admin, 'no-lender');
    assert.equal((await authorize(token, request.id, [{ name: 'member' }])).status, 403);
    const { oauth_verifier: verifier } = (await authorize(admin, request.id, [{ name: 'member' }])).body.token;
    assert.equal((await accessToken({ ...consumer, secret: hex() }, request, verifier)).status, 401);
    assert.equal((await accessToken(consumer, { ...request, secret: hex() }, verifier)).status, 401);
    assert.equal((await accessToken(await newConsumer(), request, verifier)).status, 401);
    assert.equal((await accessToken(consumer, request, 'abcdABCD')).status, 401);
    assert.equal((await accessToken(consumer, request, 'wrong')).status, 400);
    assert.equal((await accessToken(consumer, { id: hex(), secret: hex() }, verifier)).status, 404);
    const access = keyOf((await accessToken(consumer, request, verifier)).fields);
    assert.equal((await login(consumer, { ...access, secret: hex() })).status, 401);
    assert.equal((await login(await newConsumer(), access)).status, 401);
    assert.equal((await login(consumer, { id: hex(), secret: hex() })).status, 404);
    const bare = await cloud.call(undefined, 'POST', '/v3/auth/tokens', { auth: { identity: { methods: ['oauth1'], oauth1: {} } } });
    assert.equal(bare.status, 400);
  });
});

describe('what was granted', () => {
  test('is listed and shown with its roles, without its secret', async () => {
    const { consumer, access } = await granted();
    const path = tokensOf(cloud.ids.adminUserId);
    const listed = await cloud.expect(200, admin, 'GET', path);
    const found = listed.body.access_tokens.find((token: Key) => token.id === access.id);
    const { links, expires_at: expiresAt, ...rest } = found;
    assert.deepEqual(rest, { id: access.id, consumer_id: consumer.id, project_id: cloud.ids.adminProjectId, authorizing_user_id: cloud.ids.adminUserId });
    assert.match(expiresAt, /Z$/);
    assert.ok(links.self.endsWith(`${path}/${access.id}`) && links.roles === `${links.self}/roles`);
    assert.deepEqual((await cloud.expect(200, admin, 'GET', `${path}/${access.id}`)).body.access_token, found);
    const roles = await cloud.expect(200, admin, 'GET', `${path}/${access.id}/roles`);
    assert.deepEqual(
      roles.body.roles.map((role: { name: string; description?: unknown }) => [role.name, role.description]),
      [['member', undefined]],
    );
    const one = await cloud.expect(200, admin, 'GET', `${path}/${access.id}/roles/${cloud.ids.roleIds.member}`);
    assert.equal(one.body.role.name, 'member');
    await cloud.expect(404, admin, 'GET', `${path}/${access.id}/roles/${cloud.ids.roleIds.admin}`);
    await cloud.expect(404, admin, 'GET', `${path}/${hex()}`);
    const { userId, token } = await cloud.person(admin, 'looker');
    await cloud.expect(404, admin, 'GET', `${tokensOf(userId)}/${access.id}`);
    await cloud.expect(401, admin, 'GET', `${tokensOf(userId)}/${access.id}/roles/${cloud.ids.roleIds.member}`);
    await cloud.expect(403, token, 'GET', path);
    for (const url of [path, `${path}/${access.id}`, `${path}/${access.id}/roles`])
      assert.equal((await fetch(cloud.url + url, { method: 'HEAD', headers: { 'x-auth-token': admin } })).status, 200);
  });

  test('ends with the access, the consumer, the roles of the user, and in time', async () => {
    const path = tokensOf(cloud.ids.adminUserId);
    for (const end of ['access', 'consumer', 'password'] as const) {
      const { consumer, access } = await granted();
      const id = (await login(consumer, access)).headers.get('x-subject-token') ?? '';
      const validate = () => cloud.call(admin, 'GET', '/v3/auth/tokens', undefined, { 'x-subject-token': id });
      assert.equal((await validate()).status, 200);
      if (end === 'access') await cloud.expect(204, admin, 'DELETE', `${path}/${access.id}`);
      else if (end === 'consumer') await cloud.expect(204, admin, 'DELETE', `${CONSUMERS}/${consumer.id}`);
      else {
        await cloud.expect(200, admin, 'PATCH', `/v3/users/${cloud.ids.adminUserId}`, { user: { password: 'adminpass' } });
        admin = await cloud.admin();
      }
      assert.equal((await validate()).status, 404, end);
      if (end !== 'password') {
        assert.equal((await login(consumer, access)).status, 404);
        await cloud.expect(404, admin, 'DELETE', `${path}/${access.id}`);
      }
    }
  });

  test('is not managed with a token that was itself delegated', async () => {
    const made = await cloud.expect(201, admin, 'POST', `/v3/users/${cloud.ids.adminUserId}/application_credentials`, {
      application_credential: { name: 'oauth-app', unrestricted: true },
    });
    const { id, secret } = made.body.application_credential;
    const app = await cloud.call(undefined, 'POST', '/v3/auth/tokens', {
      auth: { identity: { methods: ['application_credential'], application_credential: { id, secret } } },
    });
    const delegated = app.headers.get('x-subject-token') ?? '';
    const { access } = await granted();
    const path = tokensOf(cloud.ids.adminUserId);
    await cloud.expect(403, delegated, 'GET', path);
    await cloud.expect(403, delegated, 'GET', `${path}/${access.id}`);
    await cloud.expect(403, delegated, 'DELETE', `${path}/${access.id}`);
    const request = keyOf((await requestToken(await newConsumer())).fields);
    assert.equal((await authorize(delegated, request.id, [{ name: 'member' }])).status, 403);
  });
});

test('request tokens and access end in time; without a lifetime they do not', async () => {
  const clock = new VirtualClock(Date.UTC(2026, 5, 1));
  const timely = await TestCloud.start({ clock, keystone: { oauth1RequestLifetimeSec: 60, oauth1AccessLifetimeSec: 120, tokenLifetimeSec: 86_400 } });
  const endless = await TestCloud.start({ keystone: { oauth1RequestLifetimeSec: 0, oauth1AccessLifetimeSec: 0 } });
  const [mainCloud, mainAdmin] = [cloud, admin];
  try {
    cloud = endless;
    admin = await cloud.admin();
    const lasting = await requestToken(await newConsumer());
    assert.equal(lasting.fields.has('oauth_expires_at'), false);
    cloud = timely;
    admin = await cloud.admin();
    nowMs = () => clock.nowMs();
    const consumer = await newConsumer();
    const [late, inTime] = [keyOf((await requestToken(consumer)).fields), keyOf((await requestToken(consumer)).fields)];
    const { oauth_verifier: verifier } = (await authorize(admin, inTime.id, [{ name: 'member' }])).body.token;
    await clock.advance(59_000);
    const access = keyOf((await accessToken(consumer, inTime, verifier)).fields);
    await clock.advance(2000);
    assert.equal((await authorize(admin, late.id, [{ name: 'member' }])).status, 401);
    assert.equal((await login(consumer, access)).status, 201);
    await clock.advance(119_000);
    assert.equal((await login(consumer, access)).status, 401);
  } finally {
    nowMs = Date.now;
    [cloud, admin] = [mainCloud, mainAdmin];
    await timely.close();
    await endless.close();
  }
});
