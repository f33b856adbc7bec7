import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { recordingLog } from '@cairn/kit/testing/recording-log';
import { base32Decode, totpPasscode } from '../app/auth-methods/totp.ts';
import { signatureOf } from '../ec2/signature.ts';
import { ADMIN_PASSWORD, type Answer, TestCloud } from '../testing/cloud.ts';
import { oauthHeaders, type OAuthKey, oauthKeyOf } from '../testing/oauth1.ts';

describe('OSSA class 17 (2021-003): nobody learns by guessing who has an account', () => {
  let cloud: TestCloud;
  let admin: string;
  // one bcrypt costs some ten milliseconds here: what skips it shows
  before(async () => {
    cloud = await TestCloud.start({ keystone: { bcryptCost: 8, passwordProofTtlMs: 0 } });
    admin = await cloud.admin();
  });
  after(() => cloud.close());

  const auth = (identity: object, scope?: unknown): Promise<Answer> =>
    cloud.call(undefined, 'POST', '/v3/auth/tokens', { auth: { identity, ...(scope !== undefined && { scope }) } });

  /** The least processor time that an answer of each kind took, of all threads: what else the machine does does not count, and they are taken in turns. */
  async function leastMs(kinds: Readonly<Record<string, () => Promise<Answer>>>, rounds: number): Promise<Record<string, number>> {
    const times: Record<string, number[]> = {};
    for (let round = 0; round < rounds; round++) {
      for (const [kind, ask] of Object.entries(kinds)) {
        const from = process.cpuUsage();
        await ask();
        const { user, system } = process.cpuUsage(from);
        (times[kind] ??= []).push((user + system) / 1000);
      }
    }
    return Object.fromEntries(Object.entries(times).map(([kind, all]) => [kind, Math.min(...all)]));
  }

  /** The same answer, and processor time within a third of each other; a noisy machine gets three tries. */
  async function indistinguishable(kinds: Readonly<Record<string, () => Promise<Answer>>>): Promise<void> {
    const answers = await Promise.all(Object.values(kinds).map((ask) => ask()));
    for (const answer of answers) assert.deepEqual([answer.status, answer.body], [401, answers[0]?.body]);
    let seen = {};
    for (let attempt = 0; attempt < 3; attempt++) {
      const found = await leastMs(kinds, 15);
      seen = found;
      const [least, most] = [Math.min(...Object.values(found)), Math.max(...Object.values(found))];
      if (most < least * 1.34 + 2) return;
    }
    assert.fail(`processor time in ms: ${JSON.stringify(seen)}`);
  }

  test('by passwords: known, unknown, disabled, without password, in no domain, and with a scope that is not there', async () => {
    const known = await cloud.person(admin, 'oracle-known');
    const disabled = await cloud.person(admin, 'oracle-disabled');
    await cloud.expect(200, admin, 'PATCH', `/v3/users/${disabled.userId}`, { user: { enabled: false } });
    await cloud.expect(201, admin, 'POST', '/v3/users', { user: { name: 'oracle-empty' } });
    const by = (user: object, scope?: unknown) => () => auth({ methods: ['password'], password: { user: { password: 'guess', ...user } } }, scope);
    const domain = { id: 'default' };
    await indistinguishable({
      known: by({ name: 'oracle-known', domain }),
      unknown: by({ name: 'oracle-unknown', domain }),
      unknownId: by({ id: 'nobody' }),
      disabled: by({ name: 'oracle-disabled', domain, password: disabled.password }),
      empty: by({ name: 'oracle-empty', domain }),
      nowhere: by({ name: 'oracle-known', domain: { name: 'nowhere' } }),
      noScope: by({ id: known.userId }, { project: { id: 'nothing' } }),
    });
  });

  test('by application credentials: a wrong secret costs as much as an unknown id', async () => {
    const { userId, token } = await cloud.person(admin, 'oracle-app');
    const made = await cloud.expect(201, token, 'POST', `/v3/users/${userId}/application_credentials`, { application_credential: { name: 'one' } });
    const by = (application_credential: object) => () =>
      auth({ methods: ['application_credential'], application_credential: { secret: 'guess', ...application_credential } });
    await indistinguishable({
      known: by({ id: made.body.application_credential.id }),
      unknown: by({ id: 'nothing' }),
      knownName: by({ name: 'one', user: { id: userId } }),
      unknownName: by({ name: 'two', user: { id: userId } }),
      unknownUser: by({ name: 'one', user: { id: 'nobody' } }),
    });
  });

  test('by one-time passwords: no answer tells who has a seed', async () => {
    const { userId } = await cloud.person(admin, 'oracle-totp');
    await cloud.expect(201, admin, 'POST', '/v3/credentials', { credential: { type: 'totp', blob: 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ', user_id: userId } });
    const by = (id: string) => () => auth({ methods: ['totp'], totp: { user: { id, passcode: '000000' } } });
    const answers = await Promise.all([userId, cloud.ids.adminUserId, 'nobody'].map((id) => by(id)()));
    for (const answer of answers) assert.deepEqual([answer.status, answer.body], [401, answers[0]?.body]);
  });
});

test('OSSA class 23: no secret is in the log of a whole run at level debug, nor in any event', async () => {
  const { log, lines } = recordingLog();
  const cloud = await TestCloud.start({ log, keystone: { notificationOptOut: [] } });
  try {
    const secrets = new Map<string, string>([['admin password', ADMIN_PASSWORD]]);
    const remember = (name: string, secret: unknown): string => {
      assert.ok(typeof secret === 'string' && secret.length > 5, name);
      secrets.set(name, secret);
      return secret;
    };
    const admin = remember('admin token', await cloud.admin());
    const user = await cloud.person(admin, 'discreet', 'admin');
    remember('password', user.password);
    remember('token', user.token);
    const auth = (identity: object, headers?: Readonly<Record<string, string>>): Promise<Answer> =>
      cloud.call(undefined, 'POST', '/v3/auth/tokens', { auth: { identity } }, headers);
    // right and wrong, shown well and badly
    for (const [name, password] of [
      ['wrong password', 'a-wrong-password'],
      ['broken password', 'broken"\n-password'],
    ] as const)
      await cloud.login({ id: user.userId, password: remember(name, password) });
    await cloud.call(undefined, 'POST', '/v3/auth/tokens', `{"auth": {"identity": {"password": "${remember('password in bad JSON', 'secret-in-bad-json')}"`);
    await cloud.call(remember('made-up token', `gAAAAA${randomBytes(30).toString('base64url')}`), 'GET', '/v3/users');
    await cloud.call(admin, 'GET', '/v3/auth/tokens', undefined, {
      'x-subject-token': remember('unknown subject', `gAAAAA${randomBytes(30).toString('base64url')}`),
    });
    const changed = remember('new password', 'a-new-password');
    await cloud.expect(204, undefined, 'POST', `/v3/users/${user.userId}/password`, { user: { password: changed, original_password: user.password } });
    const token = remember('second token', await cloud.tokenOf({ id: user.userId, password: changed }, { project: { id: user.projectId } }));
    // application credentials
    const made = await cloud.expect(201, token, 'POST', `/v3/users/${user.userId}/application_credentials`, {
      application_credential: { name: 'app', unrestricted: true },
    });
    const app = made.body.application_credential;
    const byApp = await auth({
      methods: ['application_credential'],
      application_credential: { id: app.id, secret: remember('application secret', app.secret) },
    });
    remember('application token', byApp.headers.get('x-subject-token'));
    await auth({
      methods: ['application_credential'],
      application_credential: { id: app.id, secret: remember('wrong application secret', 'not-the-app-secret') },
    });
    // one-time passwords and receipts
    const seed = remember('TOTP seed', 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ');
    await cloud.expect(201, token, 'POST', '/v3/credentials', { credential: { type: 'totp', blob: seed, user_id: user.userId } });
    await cloud.expect(200, admin, 'PATCH', `/v3/users/${user.userId}`, { user: { options: { multi_factor_auth_rules: [['password', 'totp']] } } });
    const asked = await cloud.login({ id: user.userId, password: changed });
    const receipt = remember('receipt', asked.headers.get('openstack-auth-receipt'));
    const passcode = totpPasscode(base32Decode(seed) ?? Buffer.alloc(0), Date.now() / 1000);
    const complete = await auth({ methods: ['totp'], totp: { user: { id: user.userId, passcode } } }, { 'openstack-auth-receipt': receipt });
    assert.equal(complete.status, 201);
    remember('token of two factors', complete.headers.get('x-subject-token'));
    await auth({ methods: ['totp'], totp: { user: { id: user.userId, passcode } } }, { 'openstack-auth-receipt': remember('broken receipt', `${receipt}x`) });
    // access keys
    const key = (await cloud.expect(201, token, 'POST', `/v3/users/${user.userId}/credentials/OS-EC2`, { tenant_id: user.projectId })).body.credential;
    remember('EC2 secret', key.secret);
    const request = { verb: 'GET', host: 'h', path: '/', params: { SignatureVersion: '2' }, headers: {}, bodyHash: '' };
    for (const signature of [signatureOf(key.secret, request), remember('wrong signature', 'not-the-signature')]) {
      const answer = await cloud.call(admin, 'POST', '/v3/ec2tokens', { credentials: { ...request, access: key.access, signature } });
      if (answer.status === 200) remember('EC2 token', answer.headers.get('x-subject-token'));
    }
    await cloud.expect(200, admin, 'GET', '/v3/credentials');
    // OAuth1
    const consumer: OAuthKey = (await cloud.expect(201, admin, 'POST', '/v3/OS-OAUTH1/consumers', { consumer: {} })).body.consumer;
    remember('consumer secret', consumer.secret);
    const url = `${cloud.url}/v3/OS-OAUTH1/request_token`;
    const headers = { ...oauthHeaders(url, { consumer }, { oauth_callback: 'oob' }), 'requested-project-id': user.projectId };
    remember('request secret', oauthKeyOf(await (await fetch(url, { method: 'POST', headers })).text()).secret);
    await cloud.expect(204, admin, 'DELETE', '/v3/auth/tokens', undefined, { 'x-subject-token': token });
    await cloud.call(token, 'GET', '/v3/users');

    assert.ok(lines.length > 20, `${lines.length} lines`);
    const log = lines.join('\n');
    const { events, store } = cloud.world.env;
    const told = JSON.stringify(await events.since(store.read, 0, 10_000));
    assert.ok(told.length > 1000);
    for (const [name, secret] of secrets) {
      for (const form of new Set([secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)])) {
        assert.ok(!log.includes(form), `${name} is in the log: ${lines.find((line) => line.includes(form))}`);
        assert.ok(!told.includes(form), `${name} is in an event`);
      }
    }
  } finally {
    await cloud.close();
  }
});
