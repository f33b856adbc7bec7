import assert from 'node:assert/strict';
import { after, beforeEach, test } from 'node:test';
import { type Clock, systemClock } from '@cairn/kit/clock/clock';
import { defaultKeystoneOptions, type SecurityCompliance } from '../options.ts';
import { type Answer, TestCloud } from '../testing/cloud.ts';

const DAY_MS = 86_400_000;
let shiftMs = 0;
const clock: Clock = { ...systemClock, nowMs: () => Date.now() + shiftMs };
let open: TestCloud[] = [];
beforeEach(() => {
  shiftMs = 0;
});
after(async () => {
  for (const cloud of open) await cloud.close();
  open = [];
});

async function cloudWith(rules: Partial<SecurityCompliance>): Promise<{ cloud: TestCloud; admin: string }> {
  const cloud = await TestCloud.start({
    clock,
    keystone: { tokenLifetimeSec: 400 * 86_400, securityCompliance: { ...defaultKeystoneOptions.securityCompliance, ...rules } },
  });
  open.push(cloud);
  return { cloud, admin: await cloud.admin() };
}

const userOf = async (cloud: TestCloud, admin: string, user: object): Promise<{ id: string; password_expires_at: string | null }> =>
  (await cloud.expect(201, admin, 'POST', '/v3/users', { user: { password: 'first-1', ...user } })).body.user;

const change = (cloud: TestCloud, id: string, original_password: string, password: string): Promise<Answer> =>
  cloud.call(undefined, 'POST', `/v3/users/${id}/password`, { user: { original_password, password } });

test('everything is off by default', async () => {
  const { cloud, admin } = await cloudWith({});
  const user = await userOf(cloud, admin, { name: 'free', password: 'x' });
  assert.equal(user.password_expires_at, null);
  for (let i = 0; i < 8; i += 1) assert.equal((await cloud.login({ id: user.id, password: 'wrong' })).status, 401);
  assert.equal((await cloud.login({ id: user.id, password: 'x' })).status, 201);
  assert.equal((await change(cloud, user.id, 'x', 'y')).status, 204);
  assert.equal((await change(cloud, user.id, 'y', 'x')).status, 204, 'at once, and one of before');
  shiftMs = 390 * DAY_MS;
  assert.equal((await cloud.login({ id: user.id, password: 'x' })).status, 201);
});

test('lockout: too many wrong passwords lock the user, even for the right one, for a while or until enabled again', async () => {
  const { cloud, admin } = await cloudWith({ lockoutFailureAttempts: 3, lockoutDurationSec: 600 });
  const user = await userOf(cloud, admin, { name: 'locked' });
  const login = async (password: string): Promise<number> => (await cloud.login({ id: user.id, password })).status;
  assert.deepEqual([await login('a'), await login('b'), await login('first-1'), await login('c'), await login('d')], [401, 401, 201, 401, 401]);
  assert.equal(await login('first-1'), 201, 'a right one starts the count anew');
  for (const wrong of ['a', 'b', 'c']) assert.equal(await login(wrong), 401);
  assert.equal(await login('first-1'), 401);
  assert.equal((await change(cloud, user.id, 'first-1', 'second-2')).status, 401);
  shiftMs = 599_000;
  assert.equal(await login('first-1'), 401);
  shiftMs = 602_000;
  assert.equal(await login('first-1'), 201);
  for (const wrong of ['a', 'b', 'c']) await login(wrong);
  assert.equal(await login('first-1'), 401);
  await cloud.expect(200, admin, 'PATCH', `/v3/users/${user.id}`, { user: { enabled: true } });
  assert.equal(await login('first-1'), 201);
  // wrong originals of a change of password are guesses too
  for (const wrong of ['a', 'b', 'c']) assert.equal((await change(cloud, user.id, wrong, 'second-2')).status, 401);
  assert.equal(await login('first-1'), 401);
  const exempt = await userOf(cloud, admin, { name: 'exempt', options: { ignore_lockout_failure_attempts: true } });
  for (const wrong of ['a', 'b', 'c', 'd']) await cloud.login({ id: exempt.id, password: wrong });
  assert.equal((await cloud.login({ id: exempt.id, password: 'first-1' })).status, 201);
});

test('lockout: guesses at once are no more than guesses one by one', async () => {
  const { cloud, admin } = await cloudWith({ lockoutFailureAttempts: 3, lockoutDurationSec: null });
  const user = await userOf(cloud, admin, { name: 'raced' });
  const statuses = await Promise.all(['1', '2', '3', 'first-1', '4'].map(async (password) => (await cloud.login({ id: user.id, password })).status));
  assert.deepEqual(statuses, [401, 401, 401, 401, 401]);
  shiftMs = 300 * DAY_MS;
  assert.equal((await cloud.login({ id: user.id, password: 'first-1' })).status, 401, 'without a duration for ever');
});

test('OSSA-2021-003: unknown, disabled and locked users are told the same, for the same work', async (t) => {
  const { cloud, admin } = await cloudWith({ lockoutFailureAttempts: 2 });
  for (const name of ['known', 'locked', 'disabled']) await userOf(cloud, admin, { name, ...(name === 'disabled' && { enabled: false }) });
  for (const wrong of ['a', 'b']) await cloud.login({ name: 'locked', domain: { id: 'default' }, password: wrong });
  const verify = t.mock.method(cloud.keystone.app.passwords, 'verify');
  const answers = new Map<string, unknown>();
  for (const name of ['known', 'locked', 'disabled', 'unknown']) {
    const before = verify.mock.callCount();
    const answer = await cloud.login({ name, domain: { id: 'default' }, password: name === 'known' ? 'wrong' : 'first-1' });
    assert.equal(verify.mock.callCount() - before, 1, `${name}: one bcrypt, whoever it is`);
    answers.set(name, [answer.status, answer.body]);
  }
  for (const name of ['locked', 'disabled', 'unknown']) assert.deepEqual(answers.get(name), answers.get('known'), name);
  assert.equal((answers.get('known') as [number])[0], 401);
});

test('strength: a password has to match, whoever sets it, and the description says how', async () => {
  const { cloud, admin } = await cloudWith({ passwordRegex: '^(?=.*\\d)(?=.*[a-zA-Z]).{7,}$', passwordRegexDescription: 'seven, with a letter and a digit' });
  const weak = await cloud.expect(400, admin, 'POST', '/v3/users', { user: { name: 'weak', password: 'short1' } });
  assert.equal(weak.body.error.message, 'The password does not match the requirements: seven, with a letter and a digit.');
  await cloud.expect(400, admin, 'POST', '/v3/users', { user: { name: 'weak', password: null } });
  await cloud.expect(201, admin, 'POST', '/v3/users', { user: { name: 'none' } });
  const user = await userOf(cloud, admin, { name: 'strong', password: 'long-enough-1' });
  await cloud.expect(400, admin, 'PATCH', `/v3/users/${user.id}`, { user: { password: 'nodigits' } });
  assert.equal((await change(cloud, user.id, 'long-enough-1', 'weak')).status, 400);
  assert.equal((await change(cloud, user.id, 'wrong', 'weak')).status, 401, 'only who knows the password is told what is wrong with the next');
  assert.equal((await change(cloud, user.id, 'long-enough-1', 'long-enough-2')).status, 204);
});

test('strength: an expression that is none lets nothing through', async () => {
  const { cloud, admin } = await cloudWith({ passwordRegex: '(' });
  const refused = await cloud.expect(400, admin, 'POST', '/v3/users', { user: { name: 'any', password: 'x' } });
  assert.equal(refused.body.error.message, 'Password validation error: Unable to validate password due to invalid configuration.');
});

test('history: the last passwords cannot be chosen again, but an administrator may set them', async () => {
  const { cloud, admin } = await cloudWith({ uniqueLastPasswordCount: 3 });
  const user = await userOf(cloud, admin, { name: 'history' });
  assert.equal((await change(cloud, user.id, 'first-1', 'second-2')).status, 204);
  assert.equal((await change(cloud, user.id, 'second-2', 'third-3')).status, 204);
  const refused = await change(cloud, user.id, 'third-3', 'first-1');
  assert.equal(refused.status, 400);
  assert.match(refused.body.error.message, /cannot be identical to a previous password.*unique is 3\.$/);
  assert.equal((await change(cloud, user.id, 'third-3', 'third-3')).status, 400);
  assert.equal((await change(cloud, user.id, 'third-3', 'fourth-4')).status, 204);
  assert.equal((await change(cloud, user.id, 'fourth-4', 'first-1')).status, 204, 'the fourth last is free');
  await cloud.expect(200, admin, 'PATCH', `/v3/users/${user.id}`, { user: { password: 'fourth-4' } });
});

test('minimum age: what a user chose must be kept for a while; what an administrator set need not', async () => {
  const { cloud, admin } = await cloudWith({ minimumPasswordAgeDays: 2 });
  const user = await userOf(cloud, admin, { name: 'aged' });
  assert.equal((await change(cloud, user.id, 'first-1', 'second-2')).status, 204);
  const refused = await change(cloud, user.id, 'second-2', 'third-3');
  assert.equal(refused.status, 400);
  assert.match(refused.body.error.message, /must be used for 2 day\(s\).*again in 1 day\(s\)/);
  shiftMs = 2 * DAY_MS + 1000;
  assert.equal((await change(cloud, user.id, 'second-2', 'third-3')).status, 204);
  await cloud.expect(200, admin, 'PATCH', `/v3/users/${user.id}`, { user: { password: 'reset' } });
  assert.equal((await change(cloud, user.id, 'reset', 'fourth-4')).status, 204);
});

test('expiry: an expired password is good for its change alone', async () => {
  const { cloud, admin } = await cloudWith({ passwordExpiresDays: 90 });
  const user = await userOf(cloud, admin, { name: 'expiring' });
  const leftMs = Date.parse(`${user.password_expires_at}Z`) - clock.nowMs();
  assert.ok(leftMs > 89.9 * DAY_MS && leftMs <= 90 * DAY_MS, String(user.password_expires_at));
  assert.match(user.password_expires_at ?? '', /\.000000$/);
  const login = await cloud.login({ id: user.id, password: 'first-1' });
  assert.equal(login.body.token.user.password_expires_at, user.password_expires_at);
  const exempt = await userOf(cloud, admin, { name: 'exempt', options: { ignore_password_expiry: true } });
  assert.equal(exempt.password_expires_at, null);
  shiftMs = 91 * DAY_MS;
  const refused = await cloud.login({ id: user.id, password: 'first-1' });
  assert.deepEqual([refused.status, refused.body.error.message], [401, `The password is expired and needs to be changed for user: ${user.id}.`]);
  assert.equal((await cloud.login({ id: user.id, password: 'wrong' })).body.error.message, 'The request you have made requires authentication.');
  assert.equal((await cloud.login({ id: exempt.id, password: 'first-1' })).status, 201);
  assert.equal((await cloud.expect(200, await cloud.admin(), 'GET', '/v3/users?name=admin')).body.users.length, 1, 'the first administrator is not shut out');
  assert.equal((await change(cloud, user.id, 'first-1', 'second-2')).status, 204);
  assert.equal((await cloud.login({ id: user.id, password: 'second-2' })).status, 201);
});

test('first use: a password that somebody else set must be changed before it is used', async () => {
  const { cloud, admin } = await cloudWith({ changePasswordUponFirstUse: true });
  const user = await userOf(cloud, admin, { name: 'fresh' });
  assert.notEqual(user.password_expires_at, null);
  assert.equal((await cloud.login({ id: user.id, password: 'first-1' })).status, 401);
  assert.equal((await change(cloud, user.id, 'first-1', 'second-2')).status, 204);
  assert.equal((await cloud.login({ id: user.id, password: 'second-2' })).status, 201);
  await cloud.expect(200, admin, 'PATCH', `/v3/users/${user.id}`, { user: { password: 'reset-3' } });
  assert.equal((await cloud.login({ id: user.id, password: 'reset-3' })).status, 401);
  const exempt = await userOf(cloud, admin, { name: 'exempt', options: { ignore_change_password_upon_first_use: true } });
  assert.equal((await cloud.login({ id: exempt.id, password: 'first-1' })).status, 201);
});

test('inactivity: who did not log in for days counts as disabled until enabled again, tokens included', async () => {
  const { cloud, admin } = await cloudWith({ disableUserAccountDaysInactive: 10 });
  const [idle, busy] = [await userOf(cloud, admin, { name: 'idle' }), await userOf(cloud, admin, { name: 'busy' })];
  const exempt = await userOf(cloud, admin, { name: 'exempt', options: { ignore_user_inactivity: true } });
  const token = await cloud.tokenOf({ id: idle.id, password: 'first-1' });
  await cloud.expect(200, token, 'GET', `/v3/users/${idle.id}`);
  shiftMs = 6 * DAY_MS;
  assert.equal((await cloud.login({ id: busy.id, password: 'first-1' })).status, 201);
  shiftMs = 11 * DAY_MS;
  assert.equal((await cloud.login({ id: idle.id, password: 'first-1' })).status, 401);
  assert.equal((await cloud.call(token, 'GET', `/v3/users/${idle.id}`)).status, 401, 'a token from before');
  assert.equal((await cloud.login({ id: busy.id, password: 'first-1' })).status, 201);
  assert.equal((await cloud.login({ id: exempt.id, password: 'first-1' })).status, 201);
  // the administrator has not logged in for as long
  await cloud.keystone.bootstrap({ adminPassword: 'adminpass', endpoints: [] });
  const again = await cloud.admin().catch((error: unknown) => error);
  assert.equal(typeof again, 'string', 'bootstrap lets the first administrator in again');
  const shown = await cloud.expect(200, again as string, 'GET', `/v3/users/${idle.id}`);
  assert.equal(shown.body.user.enabled, false);
  await cloud.expect(200, again as string, 'PATCH', `/v3/users/${idle.id}`, { user: { enabled: true } });
  assert.equal((await cloud.login({ id: idle.id, password: 'first-1' })).status, 201);
});
