import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { ANYONE, AUTHENTICATED } from '@cairn/kit/http/operation';
import { on } from '@cairn/kit/store/store';
import { signatureOf } from '../ec2/signature.ts';
import { policies } from '../policies.ts';
import type { KeystoneTables } from '../store/tables.ts';
import { type Answer, TestCloud } from '../testing/cloud.ts';
import { oauthHeaders, type OAuthKey, oauthKeyOf } from '../testing/oauth1.ts';
import { operations } from './operations.ts';

/** Classes of OpenStack's security advisories (anchors: "Twenty-five bug classes") that are identity's. Others of them stand beside what they prove. */

let cloud: TestCloud;
let admin: string;
before(async () => {
  cloud = await TestCloud.start();
  admin = await cloud.admin();
});
after(() => cloud.close());

const tokenIn = (answer: Answer): string => answer.headers.get('x-subject-token') ?? '';
const rolesIn = (answer: Answer): string[] => answer.body.token.roles.map((role: { name: string }) => role.name).toSorted();

async function oauthToken(user: { readonly projectId: string; readonly token: string }, roles: readonly string[]): Promise<Answer> {
  const consumer: OAuthKey = (await cloud.expect(201, admin, 'POST', '/v3/OS-OAUTH1/consumers', { consumer: {} })).body.consumer;
  const post = async (path: string, token?: OAuthKey, more?: Readonly<Record<string, string>>, headers?: object): Promise<OAuthKey> => {
    const url = `${cloud.url}/v3/OS-OAUTH1/${path}`;
    const response = await fetch(url, { method: 'POST', headers: { ...oauthHeaders(url, { consumer, token }, more), ...headers } });
    return oauthKeyOf(await response.text());
  };
  const request = await post('request_token', undefined, { oauth_callback: 'oob' }, { 'requested-project-id': user.projectId });
  const allowed = await cloud.expect(200, user.token, 'PUT', `/v3/OS-OAUTH1/authorize/${request.id}`, { roles: roles.map((name) => ({ name })) });
  const access = await post('access_token', request, { oauth_verifier: allowed.body.token.oauth_verifier });
  const headers = oauthHeaders(`${cloud.url}/v3/auth/tokens`, { consumer, token: access });
  return await cloud.call(undefined, 'POST', '/v3/auth/tokens', { auth: { identity: { methods: ['oauth1'], oauth1: {} } } }, headers);
}

async function applicationToken(user: { readonly userId: string; readonly token: string }, more: object): Promise<Answer> {
  const path = `/v3/users/${user.userId}/application_credentials`;
  const made = await cloud.expect(201, user.token, 'POST', path, { application_credential: { name: randomBytes(4).toString('hex'), ...more } });
  const { id, secret } = made.body.application_credential;
  return await cloud.call(undefined, 'POST', '/v3/auth/tokens', {
    auth: { identity: { methods: ['application_credential'], application_credential: { id, secret } } },
  });
}

async function trustToken(trustor: { readonly userId: string; readonly projectId: string; readonly token: string }, roles: readonly string[]): Promise<Answer> {
  const trustee = await cloud.person(admin, `trustee-${randomBytes(4).toString('hex')}`);
  const trust = {
    trustor_user_id: trustor.userId,
    trustee_user_id: trustee.userId,
    impersonation: true,
    project_id: trustor.projectId,
    roles: roles.map((name) => ({ name })),
  };
  const { id } = (await cloud.expect(201, trustor.token, 'POST', '/v3/OS-TRUST/trusts', { trust })).body.trust;
  return await cloud.login({ id: trustee.userId, password: trustee.password }, { 'OS-TRUST:trust': { id } });
}

/** What a token of an EC2 key, made with `maker`, says. */
async function keyToken(maker: string, userId: string, projectId: string): Promise<Answer> {
  const { access, secret } = (await cloud.expect(201, maker, 'POST', `/v3/users/${userId}/credentials/OS-EC2`, { tenant_id: projectId })).body.credential;
  const request = { verb: 'GET', host: 'h', path: '/', params: { SignatureVersion: '2', Timestamp: new Date().toISOString() }, headers: {}, bodyHash: '' };
  return await cloud.call(admin, 'POST', '/v3/ec2tokens', { credentials: { ...request, access, signature: signatureOf(secret, request) } });
}

describe('OSSA class 11 (2020-004): a credential is never more than who made it', () => {
  test('the roles of its tokens are among those of the maker, for every kind of maker', async () => {
    const maker = await cloud.person(admin, 'maker', 'admin');
    const makers = [
      await oauthToken(maker, ['member']),
      await trustToken(maker, ['member']),
      await applicationToken(maker, { roles: [{ name: 'member' }], unrestricted: true }),
    ];
    for (const made of makers) {
      assert.equal(made.status, 201);
      const key = await keyToken(tokenIn(made), maker.userId, maker.projectId);
      assert.equal(key.status, 200);
      assert.deepEqual(rolesIn(key), rolesIn(made));
      assert.ok(!rolesIn(key).includes('admin'));
    }
  });

  test('its owner is not changed by the owner', async () => {
    const [owner, other] = [await cloud.person(admin, 'cred-owner'), await cloud.person(admin, 'cred-other')];
    for (const type of ['ec2', 'cert']) {
      const blob = JSON.stringify({ access: randomBytes(8).toString('hex'), secret: 's' });
      const body = { credential: { type, blob, user_id: owner.userId, project_id: owner.projectId } };
      const path = `/v3/credentials/${(await cloud.expect(201, owner.token, 'POST', '/v3/credentials', body)).body.credential.id}`;
      for (const change of [{ user_id: other.userId }, { user_id: cloud.ids.adminUserId, blob }]) {
        await cloud.expect(403, owner.token, 'PATCH', path, { credential: change });
      }
      await cloud.expect(403, other.token, 'PATCH', path, { credential: { blob } });
      await cloud.expect(403, owner.token, 'POST', '/v3/credentials', { credential: { ...body.credential, user_id: other.userId } });
    }
  });
});

describe('OSSA class 12 (2026-005): what delegated tokens may make', () => {
  test('trust, restricted and unrestricted application credential, OAuth1: a matrix', async () => {
    const maker = await cloud.person(admin, 'matrix', 'admin');
    const elsewhere = (await cloud.person(admin, 'matrix-elsewhere')).projectId;
    const makers: Record<string, string> = {
      trust: tokenIn(await trustToken(maker, ['admin'])),
      restricted: tokenIn(await applicationToken(maker, {})),
      unrestricted: tokenIn(await applicationToken(maker, { unrestricted: true })),
      oauth1: tokenIn(await oauthToken(maker, ['admin'])),
    };
    const blob = (): string => JSON.stringify({ access: randomBytes(8).toString('hex'), secret: 's' });
    const credential = (projectId: string) => ({ credential: { type: 'ec2', blob: blob(), user_id: maker.userId, project_id: projectId } });
    const trust = {
      trustor_user_id: maker.userId,
      trustee_user_id: cloud.ids.adminUserId,
      impersonation: false,
      project_id: maker.projectId,
      roles: [{ name: 'member' }],
    };
    const calls: Record<string, (token: string) => Promise<Answer>> = {
      key: (token) => cloud.call(token, 'POST', `/v3/users/${maker.userId}/credentials/OS-EC2`, { tenant_id: maker.projectId }),
      keyElsewhere: (token) => cloud.call(token, 'POST', `/v3/users/${maker.userId}/credentials/OS-EC2`, { tenant_id: elsewhere }),
      credential: (token) => cloud.call(token, 'POST', '/v3/credentials', credential(maker.projectId)),
      credentialElsewhere: (token) => cloud.call(token, 'POST', '/v3/credentials', credential(elsewhere)),
      totp: (token) => cloud.call(token, 'POST', '/v3/credentials', { credential: { type: 'totp', blob: 'x', user_id: maker.userId } }),
      trust: (token) => cloud.call(token, 'POST', '/v3/OS-TRUST/trusts', { trust }),
      application: (token) =>
        cloud.call(token, 'POST', `/v3/users/${maker.userId}/application_credentials`, { application_credential: { name: randomBytes(4).toString('hex') } }),
      oauthList: (token) => cloud.call(token, 'GET', `/v3/users/${maker.userId}/OS-OAUTH1/access_tokens`),
    };
    const found: Record<string, Record<string, number>> = {};
    for (const [who, token] of Object.entries(makers)) {
      found[who] = {};
      for (const [what, call] of Object.entries(calls)) found[who][what] = (await call(token)).status;
    }
    assert.deepEqual(found, {
      // a trust that does not allow redelegation is not passed on
      trust: { key: 201, keyElsewhere: 403, credential: 201, credentialElsewhere: 403, totp: 403, trust: 403, application: 403, oauthList: 403 },
      restricted: { key: 403, keyElsewhere: 403, credential: 403, credentialElsewhere: 403, totp: 403, trust: 403, application: 403, oauthList: 403 },
      unrestricted: { key: 201, keyElsewhere: 403, credential: 201, credentialElsewhere: 403, totp: 403, trust: 403, application: 201, oauthList: 403 },
      oauth1: { key: 201, keyElsewhere: 403, credential: 201, credentialElsewhere: 403, totp: 403, trust: 403, application: 403, oauthList: 403 },
    });
  });
});

test('OSSA class 14 (2020-005): a token of an OAuth1 access has the roles that were asked for, and no others', async () => {
  const lender = await cloud.person(admin, 'lender', 'admin');
  assert.deepEqual(rolesIn(await oauthToken(lender, ['reader'])), ['reader']);
  assert.deepEqual(rolesIn(await oauthToken(lender, ['member'])), ['member', 'reader']);
  assert.ok(rolesIn(await oauthToken(lender, ['admin'])).includes('admin'));
});

test("OSSA class 15 (2019-006): no list shows a member what is another's", async () => {
  const victim = await cloud.person(admin, 'list-victim', 'admin');
  const member = await cloud.person(admin, 'list-member');
  await oauthToken(victim, ['member']);
  await trustToken(victim, ['member']);
  await applicationToken(victim, { access_rules: [{ service: 'compute', method: 'GET', path: '/v2.1/servers' }] });
  await keyToken(victim.token, victim.userId, victim.projectId);
  await cloud.expect(201, victim.token, 'POST', '/v3/credentials', { credential: { type: 'totp', blob: 'victims-seed', user_id: victim.userId } });
  let read = 0;
  for (const operation of operations.filter((each) => each.method === 'GET')) {
    const path = operation.path.replace('{user_id}', victim.userId).replace('{project_id}', victim.projectId);
    if (path.includes('{')) continue;
    for (const url of [path, `${path}?user_id=${victim.userId}`, `${path}?project_id=${victim.projectId}`, `${path}?name__contains=list-victim`]) {
      const answer = await cloud.call(member.token, 'GET', url);
      assert.ok(answer.status < 500, url);
      if (answer.status !== 200) continue;
      read += 1;
      const { links: _links, ...body } = answer.body;
      const text = JSON.stringify(body);
      for (const theirs of [victim.userId, victim.projectId, 'victims-seed']) assert.ok(!text.includes(theirs), `${url}: ${theirs}`);
    }
  }
  assert.ok(read > 20, `${read} lists were read`);
});

test('OSSA class 16 (2026-001): headers that say who calls are nobody', async () => {
  const forged = {
    'x-user-id': cloud.ids.adminUserId,
    'x-user-name': 'admin',
    'x-user-domain-id': 'default',
    'x-project-id': cloud.ids.adminProjectId,
    'x-roles': 'admin,service',
    'x-role': 'admin',
    'x-is-admin-project': 'True',
    'x-identity-status': 'Confirmed',
    'x-service-roles': 'service',
    'x-system-scope': 'all',
    'openstack-system-scope': 'all',
    'remote-user': 'admin',
    'x-remote-user': 'admin',
    'x-forwarded-user': 'admin',
  };
  const member = await cloud.person(admin, 'forger');
  for (const operation of operations) {
    if (operation.policy === ANYONE || operation.method === 'DELETE') continue;
    const path = operation.path.replace(/\{[^}]*\}/g, 'x');
    assert.equal((await cloud.call(undefined, operation.method, path, undefined, forged)).status, 401, `${operation.method} ${path}`);
  }
  const [plain, pretended] = await Promise.all([{}, forged].map((headers) => cloud.call(member.token, 'GET', '/v3/users', undefined, headers)));
  assert.deepEqual([pretended?.status, pretended?.body], [403, plain?.body]);
});

test('OSSA class 22 (2024-005): every call has a rule that there is, or says that it needs none', () => {
  const names = new Set(policies.map((rule) => rule.name));
  for (const operation of operations) {
    if (operation.policy === ANYONE) continue;
    const rule = operation.policy === AUTHENTICATED ? operation.asks : operation.policy;
    assert.ok(typeof rule === 'string' && names.has(rule), `${operation.id}: ${String(rule)}`);
  }
});

describe('OSSA class 25: what strangers ask for leaves nothing behind', () => {
  test('thousands of calls to paths that are not there and with tokens that are none (2019-003, 2020-008)', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const rows = async (): Promise<number> => {
      const tables = ['keystone_change', 'keystone_revocation_event', 'keystone_request_token', 'keystone_user'] as const;
      let sum = 0;
      for (const table of tables)
        sum += Number(
          (
            await on<KeystoneTables>(cloud.world.env.store.read)
              .selectFrom(table)
              .select((eb) => eb.fn.countAll().as('n'))
              .executeTakeFirstOrThrow()
          ).n,
        );
      return sum;
    };
    const flood = async (count: number): Promise<void> => {
      for (let i = 0; i < count; i += 20) {
        await Promise.all(
          Array.from({ length: 20 }, async (_, j) => {
            const name = randomBytes(16).toString('hex');
            const answer =
              j % 2 === 0 ? await cloud.call(undefined, 'GET', `/v3/${name}/${name}`) : await cloud.call(`gAAAAA${name}`, 'GET', `/v3/users/${name}`);
            assert.ok(answer.status === 401 || answer.status === 404);
          }),
        );
      }
    };
    await flood(400);
    collect();
    const [before, heapBefore] = [await rows(), process.memoryUsage().heapUsed];
    await flood(3000);
    collect();
    const grown = (process.memoryUsage().heapUsed - heapBefore) / 1024 / 1024;
    assert.equal(await rows(), before);
    // 3,000 requests that each left a kilobyte would be 3 MB more than noise
    assert.ok(grown < 8, `${grown.toFixed(1)} MB`);
  });

  test('faults carry public text alone', async () => {
    const bodies: unknown[] = [
      '{',
      '[]',
      'null',
      '"x"',
      { auth: null },
      { auth: { identity: { methods: ['totp'], totp: { user: { id: "'; drop table keystone_user; --" } } } } },
    ];
    for (const body of bodies) {
      const answer = await cloud.call(undefined, 'POST', '/v3/auth/tokens', body);
      assert.ok(answer.status >= 400 && answer.status < 500);
      assert.doesNotMatch(JSON.stringify(answer.body), /node_modules|\.ts:|at Object|sqlite|keystone_|stack/i);
    }
  });
});
