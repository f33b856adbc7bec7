import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { VirtualClock } from '@cairn/kit/clock/virtual';
import { base32Decode, totpPasscode } from '../app/auth-methods/totp.ts';
import { type Answer, TestCloud } from '../testing/cloud.ts';

const SEED = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';
const RECEIPT = 'openstack-auth-receipt';
const clock = new VirtualClock(Date.UTC(2026, 5, 1, 12, 0, 10));
let cloud: TestCloud;
let admin: string;

before(async () => {
  cloud = await TestCloud.start({ clock, keystone: { tokenLifetimeSec: 86_400 } });
  admin = await cloud.admin();
});
after(() => cloud.close());

const passcode = (seed = SEED, backSec = 0): string => totpPasscode(base32Decode(seed) ?? Buffer.alloc(0), clock.nowMs() / 1000 - backSec);
const login = (identity: object, headers?: Readonly<Record<string, string>>, scope?: unknown): Promise<Answer> =>
  cloud.call(undefined, 'POST', '/v3/auth/tokens', { auth: { identity, ...(scope !== undefined && { scope }) } }, headers);
const byTotp = (user: object, headers?: Readonly<Record<string, string>>, scope?: unknown): Promise<Answer> =>
  login({ methods: ['totp'], totp: { user } }, headers, scope);

async function personWithSeed(name: string, blob = SEED) {
  const person = await cloud.person(admin, name);
  await cloud.expect(201, admin, 'POST', '/v3/credentials', { credential: { type: 'totp', blob, user_id: person.userId, project_id: person.projectId } });
  return person;
}
const setRules = (userId: string, rules: unknown, more: object = {}): Promise<Answer> =>
  cloud.expect(200, admin, 'PATCH', `/v3/users/${userId}`, { user: { options: { multi_factor_auth_rules: rules, ...more } } });

describe('one-time passwords', () => {
  test('the present passcode and the one before are good, by id and by name; no other', async () => {
    const { userId, projectId } = await personWithSeed('seeded');
    const answer = await byTotp({ id: userId, passcode: passcode() }, {}, { project: { id: projectId } });
    assert.equal(answer.status, 201);
    assert.deepEqual(answer.body.token.methods, ['totp']);
    assert.equal((await byTotp({ name: 'seeded', domain: { id: 'default' }, passcode: passcode(SEED, 30) })).status, 201);
    for (const wrong of [passcode(SEED, 60), passcode(SEED, -30), '000000', '', 'abcdef', undefined, Number(passcode()), passcode().slice(1)]) {
      assert.equal((await byTotp({ id: userId, ...(wrong !== undefined && { passcode: wrong }) })).status, 401, String(wrong));
    }
  });

  test('any of several seeds is good; what is no seed, too short or of another type is none', async () => {
    const other = 'OBQXG43XN5ZGIMJSGM2DKNRXHA4TAMJS';
    const { userId, projectId } = await personWithSeed('seeds', '0');
    const add = (type: string, blob: string) =>
      cloud.expect(201, admin, 'POST', '/v3/credentials', { credential: { type, blob, user_id: userId, project_id: projectId } });
    await add('totp', 'GEZDGNBV');
    await add('certificate', SEED);
    for (const code of [passcode(), passcode('GEZDGNBV'), passcode(other)]) assert.equal((await byTotp({ id: userId, passcode: code })).status, 401);
    await add('totp', other);
    assert.equal((await byTotp({ id: userId, passcode: passcode(other) })).status, 201);
  });

  test('unknown, disabled and seedless users are refused alike', async () => {
    const disabled = await personWithSeed('totp-disabled');
    await cloud.expect(200, admin, 'PATCH', `/v3/users/${disabled.userId}`, { user: { enabled: false } });
    const bare = await cloud.person(admin, 'totp-bare');
    const answers = await Promise.all(['nobody', disabled.userId, bare.userId].map((id) => byTotp({ id, passcode: passcode() })));
    for (const answer of answers) assert.deepEqual([answer.status, answer.body], [401, answers[0]?.body]);
    assert.equal((await login({ methods: ['totp'], totp: {} })).status, 400);
  });
});

describe('rules of several factors', () => {
  test('a factor that is missing is asked for with a receipt, and the receipt stands for what was shown', async () => {
    const { userId, password, projectId } = await personWithSeed('factors');
    await setRules(userId, [['password', 'totp'], ['token', 'totp'], ['password', 'magic', 'totp'], ['magic']]);
    const first = await cloud.login({ id: userId, password }, { project: { id: projectId } });
    assert.equal(first.status, 401);
    assert.deepEqual(first.body, {
      receipt: {
        methods: ['password'],
        user: { id: userId, name: 'factors', domain: { id: 'default', name: 'Default' } },
        expires_at: first.body.receipt.expires_at,
        issued_at: first.body.receipt.issued_at,
      },
      required_auth_methods: [
        ['password', 'totp'],
        ['password', 'totp'],
      ],
    });
    assert.match(first.body.receipt.expires_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000000Z$/);
    assert.equal(Date.parse(first.body.receipt.expires_at) - Date.parse(first.body.receipt.issued_at), 300_000);
    const receipt = first.headers.get(RECEIPT) ?? '';
    assert.match(receipt, /^gAAAA[\w-]+$/);
    const second = await byTotp({ id: userId, passcode: passcode() }, { [RECEIPT]: receipt }, { project: { id: projectId } });
    assert.equal(second.status, 201);
    assert.deepEqual(second.body.token.methods.toSorted(), ['password', 'totp']);
    assert.equal(second.body.token.project.id, projectId);
    // the token has both methods, so it may be rescoped by itself
    const rescoped = await login({ methods: ['token'], token: { id: second.headers.get('x-subject-token') } }, {}, 'unscoped');
    assert.equal(rescoped.status, 201);
    const both = await login({
      methods: ['password', 'totp'],
      password: { user: { id: userId, password } },
      totp: { user: { id: userId, passcode: passcode() } },
    });
    assert.equal(both.status, 201);
  });

  test('a receipt holds for five minutes, for its own user, and is no token', async () => {
    const one = await personWithSeed('receipt-one');
    const two = await personWithSeed('receipt-two');
    for (const { userId } of [one, two]) await setRules(userId, [['password', 'totp']]);
    const receipt = (await cloud.login({ id: one.userId, password: one.password })).headers.get(RECEIPT) ?? '';
    const again = (user: { userId: string }, text: string) => byTotp({ id: user.userId, passcode: passcode() }, { [RECEIPT]: text });
    assert.equal((await again(two, receipt)).status, 401);
    assert.equal((await again(one, 'nonsense')).status, 401);
    assert.equal((await again(one, admin)).status, 401);
    assert.equal((await cloud.call(receipt, 'GET', '/v3/auth/projects')).status, 401);
    assert.equal((await login({ methods: ['token'], token: { id: receipt } })).status, 404);
    await clock.advance(299_000);
    assert.equal((await again(one, receipt)).status, 201);
    await clock.advance(1000);
    const late = await again(one, receipt);
    assert.deepEqual([late.status, late.body.error.message], [401, 'Could not find auth receipt.']);
    assert.equal(late.headers.get(RECEIPT), null);
  });

  test('the limits of an application credential are not lost on the way over a receipt', async () => {
    const { userId, token } = await personWithSeed('receipt-app');
    const made = await cloud.expect(201, token, 'POST', `/v3/users/${userId}/application_credentials`, { application_credential: { name: 'one' } });
    const { id, secret } = made.body.application_credential;
    await setRules(userId, [['application_credential', 'totp']]);
    const first = await login({ methods: ['application_credential'], application_credential: { id, secret } });
    const second = await byTotp({ id: userId, passcode: passcode() }, { [RECEIPT]: first.headers.get(RECEIPT) ?? '' });
    assert.deepEqual([first.status, second.status], [401, 401]);
    const both = await login({
      methods: ['application_credential', 'totp'],
      application_credential: { id, secret },
      totp: { user: { id: userId, passcode: passcode() } },
    });
    assert.equal(both.status, 201);
    assert.equal(both.body.token.application_credential.id, id);
  });

  test('rules that are off, empty or name unknown methods alone ask for nothing', async () => {
    const { userId, password } = await cloud.person(admin, 'unruly');
    await setRules(userId, [['totp']]);
    const answer = await cloud.login({ id: userId, password });
    assert.deepEqual([answer.status, answer.body.required_auth_methods], [401, []]);
    for (const [rules, more] of [
      [[['totp']], { multi_factor_auth_enabled: false }],
      [[], { multi_factor_auth_enabled: true }],
      [[['magic'], ['wand', 'hat']]],
      [[['password'], ['password', 'totp']]],
    ] as [unknown, object?][]) {
      await setRules(userId, rules, more);
      assert.equal((await cloud.login({ id: userId, password })).status, 201, JSON.stringify(rules));
    }
  });
});

describe('who others say that one is', () => {
  test('without configuration headers about the caller mean nothing', async () => {
    const headers = {
      'remote-user': 'admin',
      'x-remote-user': 'admin',
      'x-user-id': cloud.ids.adminUserId,
      'x-user-name': 'admin',
      'x-roles': 'admin',
      'x-project-id': cloud.ids.adminProjectId,
      'x-identity-status': 'Confirmed',
      'x-is-admin-project': 'True',
    };
    assert.equal((await login({ methods: [] }, headers)).status, 401);
    const external = await login({ methods: ['external'], external: {} }, headers);
    assert.deepEqual([external.status, external.body.error.identity.methods.includes('external')], [401, false]);
    assert.equal((await cloud.call(undefined, 'GET', '/v3/users', undefined, headers)).status, 401);
    const { token } = await cloud.person(admin, 'pretender');
    assert.equal((await cloud.call(token, 'GET', '/v3/users', undefined, headers)).status, 403);
  });

  test('a configured proxy is believed, from its addresses alone', async () => {
    const options = { userHeader: 'X-Remote-User', domainHeader: 'X-Remote-Domain' };
    const [near, far] = await Promise.all([
      TestCloud.start({ keystone: { external: { ...options, proxies: ['127.0.0.0/8'] } } }),
      TestCloud.start({ keystone: { external: { ...options, proxies: ['192.0.2.7'] } } }),
    ]);
    try {
      const as = (at: TestCloud, headers: Readonly<Record<string, string>>, identity: object = { methods: [] }) =>
        at.call(undefined, 'POST', '/v3/auth/tokens', { auth: { identity } }, headers);
      const trusted = await as(near, { 'x-remote-user': 'admin' });
      assert.deepEqual([trusted.status, trusted.body.token?.user.name, trusted.body.token?.methods], [201, 'admin', ['external']]);
      assert.equal((await as(near, { 'x-remote-user': 'admin', 'x-remote-domain': 'Default' }, { methods: ['external'], external: {} })).status, 201);
      assert.equal((await as(near, { 'x-remote-user': 'admin', 'x-remote-domain': 'elsewhere' })).status, 401);
      assert.equal((await as(near, { 'x-remote-user': 'nobody' })).status, 401);
      assert.equal((await as(near, {}, { methods: ['external'], external: {} })).status, 401);
      // a stranger's name does not stand in the way of a password, another user's does
      const password = { methods: ['password'], password: { user: { name: 'admin', domain: { id: 'default' }, password: 'adminpass' } } };
      const both = await as(near, { 'x-remote-user': 'nobody' }, password);
      assert.deepEqual([both.status, both.body.token?.methods], [201, ['password']]);
      assert.equal((await as(far, { 'x-remote-user': 'admin' })).status, 401);
      assert.equal((await as(far, { 'x-remote-user': 'admin' }, { methods: ['external'], external: {} })).status, 401);
    } finally {
      await near.close();
      await far.close();
    }
  });
});
