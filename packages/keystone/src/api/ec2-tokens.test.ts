import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { VirtualClock } from '@cairn/kit/clock/virtual';
import { s3SignatureOf, type SignedRequest, signatureOf } from '../ec2/signature.ts';
import { type Answer, TestCloud } from '../testing/cloud.ts';

const clock = new VirtualClock(Date.UTC(2026, 5, 1, 12));
let cloud: TestCloud;
let admin: string;
before(async () => {
  cloud = await TestCloud.start({ clock, keystone: { tokenLifetimeSec: 86_400 } });
  admin = await cloud.admin();
});
after(() => cloud.close());

interface Pair {
  readonly access: string;
  readonly secret: string;
}
const now = (): string => new Date(clock.nowMs()).toISOString().replace(/\.\d+/, '');
const newPair = async (token: string, userId: string, projectId: string): Promise<Pair> =>
  (await cloud.expect(201, token, 'POST', `/v3/users/${userId}/credentials/OS-EC2`, { tenant_id: projectId })).body.credential;

/** What a service sends of a request that the holder of the pair signed. */
function described(pair: Pair, over: Partial<SignedRequest> = {}) {
  const request: SignedRequest = {
    verb: 'GET',
    host: 'localhost:8773',
    path: '/',
    params: { SignatureVersion: '2', Action: 'Test', Timestamp: now() },
    headers: {},
    bodyHash: '',
    ...over,
  };
  const { bodyHash, ...rest } = request;
  return { ...rest, body_hash: bodyHash, access: pair.access, signature: signatureOf(pair.secret, request) };
}
const ec2 = (credentials: unknown, token: string | undefined = admin): Promise<Answer> => cloud.call(token, 'POST', '/v3/ec2tokens', { credentials });

const toSign = 'AWS4-HMAC-SHA256\n20260601T120000Z\n20260601/us-east-1/s3/aws4_request\nbc5ffbfc';
const s3Of = (pair: Pair, text = toSign) => ({
  access: pair.access,
  token: Buffer.from(text).toString('base64url'),
  signature: s3SignatureOf(pair.secret, Buffer.from(text)),
});
const s3 = (credentials: unknown, token: string | undefined = admin): Promise<Answer> => cloud.call(token, 'POST', '/v3/s3tokens', { credentials });
const tokenIn = (answer: Answer): string => answer.headers.get('x-subject-token') ?? '';

describe('a signed EC2 request', () => {
  test('is worth a token for its project, in every version of the signature and under every name', async () => {
    const { userId, projectId, token } = await cloud.person(admin, 'signer');
    const pair = await newPair(token, userId, projectId);
    const v4 = {
      params: {
        Action: 'Test',
        'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
        'X-Amz-SignedHeaders': 'host',
        'X-Amz-Credential': `${pair.access}/20260601/r/s/aws4_request`,
      },
      headers: { 'X-Amz-Date': '20260601T120000Z', host: 'localhost' },
      bodyHash: 'e3b0',
    };
    const versions = ['0', '1', '2'].map((SignatureVersion) => ({ params: { SignatureVersion, Action: 'Test', Timestamp: now() } }));
    for (const over of [...versions, v4, { params: { SignatureVersion: '2' } }]) {
      const answer = await ec2(described(pair, over));
      assert.equal(answer.status, 200, JSON.stringify(over));
      assert.deepEqual([answer.body.token.methods, answer.body.token.user.id, answer.body.token.project.id], [['ec2credential'], userId, projectId]);
      assert.ok(answer.body.token.catalog.length > 0);
    }
    for (const name of ['credential', 'ec2Credentials']) {
      assert.equal((await cloud.call(admin, 'POST', '/v3/ec2tokens', { [name]: described(pair) })).status, 200);
    }
    // signed without the port that the service saw
    const portless = { ...described(pair, { host: 'LOCALHOST'.toLowerCase() }), host: 'localhost:8773' };
    assert.equal((await ec2(portless)).status, 200);
  });

  test('with a wrong signature, an unknown key, or after its time is refused', async () => {
    const { userId, projectId, token } = await cloud.person(admin, 'bad-signer');
    const pair = await newPair(token, userId, projectId);
    const good = described(pair);
    for (const [body, status] of [
      [{ ...good, signature: 'AAAA' }, 401],
      [{ ...good, signature: undefined }, 401],
      [{ ...good, path: '/other' }, 401],
      [described({ ...pair, secret: 'guess' }), 401],
      [{ ...good, access: 'nothing' }, 404],
      [{ ...good, access: undefined }, 401],
      [{}, 401],
      [{ ...good, params: { SignatureVersion: '9' } }, 401],
      [{ ...good, params: 'x', headers: [], verb: 7, host: null }, 401],
      [described(pair, { params: { SignatureVersion: '2', Timestamp: 'yesterday' } }), 401],
    ] as [unknown, number][]) {
      assert.equal((await ec2(body)).status, status, JSON.stringify(body));
    }
    assert.equal((await cloud.call(admin, 'POST', '/v3/ec2tokens')).status, 400);
    assert.equal((await cloud.call(admin, 'POST', '/v3/ec2tokens', {})).status, 400);
    assert.equal((await cloud.call(admin, 'POST', '/v3/ec2tokens', [])).status, 400);
    const old = new Date(clock.nowMs() - 901_000).toISOString();
    assert.equal((await ec2(described(pair, { params: { SignatureVersion: '2', Timestamp: old } }))).status, 401);
    const young = new Date(clock.nowMs() - 899_000).toISOString();
    assert.equal((await ec2(described(pair, { params: { SignatureVersion: '2', Timestamp: young } }))).status, 200);
    const certificate = await cloud.expect(201, token, 'POST', '/v3/credentials', {
      credential: { type: 'cert', blob: JSON.stringify(pair), user_id: userId, project_id: projectId },
    });
    assert.equal((await ec2({ ...good, access: certificate.body.credential.id })).status, 404);
  });

  test('of a user, project or domain that is disabled is refused; roles that went are gone', async () => {
    const { userId, projectId, token } = await cloud.person(admin, 'gone-signer');
    const pair = await newPair(token, userId, projectId);
    const set = (path: string, body: object) => cloud.expect(200, admin, 'PATCH', path, body);
    await set(`/v3/projects/${projectId}`, { project: { enabled: false } });
    assert.equal((await ec2(described(pair))).status, 401);
    await set(`/v3/projects/${projectId}`, { project: { enabled: true } });
    await set(`/v3/users/${userId}`, { user: { enabled: false } });
    assert.equal((await ec2(described(pair))).status, 401);
    await set(`/v3/users/${userId}`, { user: { enabled: true } });
    assert.equal((await ec2(described(pair))).status, 200);
    await cloud.expect(204, admin, 'DELETE', `/v3/projects/${projectId}/users/${userId}/roles/${cloud.ids.roleIds.member}`);
    assert.equal((await ec2(described(pair))).status, 401);
  });
});

describe('a signed S3 request', () => {
  test('is told who sent it; the token itself stays here', async () => {
    const { userId, projectId, token } = await cloud.person(admin, 's3-signer');
    const pair = await newPair(token, userId, projectId);
    for (const text of [toSign, 'GET\n\n\nMon, 01 Jun 2026 12:00:00 GMT\n/bucket']) {
      const answer = await s3(s3Of(pair, text));
      assert.equal(answer.status, 200);
      assert.deepEqual([answer.body.token.user.id, answer.body.token.project.id, answer.headers.get('x-subject-token')], [userId, projectId, null]);
    }
    for (const body of [
      { ...s3Of(pair), signature: 'x' },
      { access: pair.access },
      s3Of(pair, toSign.replace('/s3/', '/ec2/')),
      s3Of({ ...pair, secret: 'guess' }),
    ]) {
      assert.equal((await s3(body)).status, 401, JSON.stringify(body));
    }
    assert.equal((await s3({ ...s3Of(pair), access: 'nothing' })).status, 404);
  });
});

describe('OSSA-2025-002: presigned requests are no tickets to a token', () => {
  test('only services and admins may ask', async () => {
    const { userId, projectId, token } = await cloud.person(admin, 'asker');
    const pair = await newPair(token, userId, projectId);
    for (const ask of [() => ec2(described(pair), token), () => s3(s3Of(pair), token)]) assert.equal((await ask()).status, 403);
    assert.equal((await cloud.call(undefined, 'POST', '/v3/ec2tokens', { credentials: described(pair) })).status, 401);
    assert.equal((await cloud.call(undefined, 'POST', '/v3/s3tokens', { credentials: s3Of(pair) })).status, 401);
    const service = await cloud.person(admin, 'swift-service', 'service');
    assert.equal((await ec2(described(pair), service.token)).status, 200);
    assert.equal((await s3(s3Of(pair), service.token)).status, 200);
  });

  test('keystone takes no such token as its caller, but shows it to services and renews it', async () => {
    const pair = await newPair(admin, cloud.ids.adminUserId, cloud.ids.adminProjectId);
    const keyToken = tokenIn(await ec2(described(pair)));
    const refused = async (token: string): Promise<void> => {
      for (const path of ['/v3/users', `/v3/users/${cloud.ids.adminUserId}`, '/v3/auth/projects', '/v3/credentials', '/v3']) {
        assert.equal((await cloud.call(token, 'GET', path)).status, 403, path);
      }
      assert.equal((await cloud.call(token, 'POST', '/v3/credentials', { credential: { type: 'x', blob: 'x', user_id: cloud.ids.adminUserId } })).status, 403);
      assert.equal((await cloud.call(token, 'GET', '/v3/auth/tokens', undefined, { 'x-subject-token': token })).status, 403);
    };
    await refused(keyToken);
    // also where nothing remembers how the token was made
    cloud.keystone.app.tokens.forget();
    await refused(keyToken);
    await cloud.expect(200, admin, 'GET', '/v3/auth/tokens', undefined, { 'x-subject-token': keyToken });
    const renewed = await cloud.call(undefined, 'POST', '/v3/auth/tokens', { auth: { identity: { methods: ['token'], token: { id: keyToken } } } });
    assert.equal(renewed.status, 201);
    assert.ok(renewed.body.token.methods.includes('ec2credential'));
    await refused(tokenIn(renewed));
  });
});

describe('OSSA-2020-003, OSSA-2020-004, OSSA-2026-005: access keys carry the limits of what made them', () => {
  const both = async (pair: Pair): Promise<Answer[]> => [await ec2(described(pair)), await s3(s3Of(pair))];

  test('made under a trust they give tokens of that trust', async () => {
    const trustor = await cloud.person(admin, 'key-trustor', 'admin');
    const trustee = await cloud.person(admin, 'key-trustee');
    for (const impersonation of [true, false]) {
      const made = await cloud.expect(201, trustor.token, 'POST', '/v3/OS-TRUST/trusts', {
        trust: { trustor_user_id: trustor.userId, trustee_user_id: trustee.userId, impersonation, project_id: trustor.projectId, roles: [{ name: 'member' }] },
      });
      const trustId: string = made.body.trust.id;
      const delegated = await cloud.tokenOf({ id: trustee.userId, password: trustee.password }, { 'OS-TRUST:trust': { id: trustId } });
      const actor = impersonation ? trustor.userId : trustee.userId;
      const byPath = await newPair(delegated, actor, trustor.projectId);
      const blob = { access: `trust-${impersonation}`, secret: 'abc' };
      const byCredentials = await cloud.expect(201, delegated, 'POST', '/v3/credentials', {
        credential: { type: 'ec2', blob: JSON.stringify(blob), user_id: actor, project_id: trustor.projectId },
      });
      for (const pair of [byPath, blob]) {
        for (const answer of await both(pair)) {
          assert.equal(answer.status, 200);
          assert.equal(answer.body.token['OS-TRUST:trust'].id, trustId);
          assert.deepEqual(
            answer.body.token.roles.map((role: { name: string }) => role.name),
            ['member', 'reader'],
          );
          assert.equal(answer.body.token.user.id, actor);
        }
      }
      // the tie is not cut later, and no key reaches another project
      const path = `/v3/credentials/${byCredentials.body.credential.id}`;
      for (const cut of [blob, { ...blob, trust_id: null }, { ...blob, trust_id: 'other' }]) {
        assert.equal((await cloud.call(admin, 'PATCH', path, { credential: { blob: JSON.stringify(cut) } })).status, 400);
      }
      assert.equal((await cloud.call(delegated, 'POST', `/v3/users/${actor}/credentials/OS-EC2`, { tenant_id: trustee.projectId })).status, 403);
      await cloud.expect(204, trustor.token, 'DELETE', `/v3/OS-TRUST/trusts/${trustId}`);
      for (const answer of await both(byPath)) assert.equal(answer.status, 404, 'the trust is gone');
    }
  });

  test('made with an application credential they give tokens of that one, rules and all; a restricted one makes none', async () => {
    const { userId, projectId, token } = await cloud.person(admin, 'key-app', 'admin');
    const appOf = async (name: string, more: object): Promise<{ id: string; token: string }> => {
      const made = await cloud.expect(201, token, 'POST', `/v3/users/${userId}/application_credentials`, { application_credential: { name, ...more } });
      const { id, secret } = made.body.application_credential;
      const answer = await cloud.call(undefined, 'POST', '/v3/auth/tokens', {
        auth: { identity: { methods: ['application_credential'], application_credential: { id, secret } } },
      });
      return { id, token: tokenIn(answer) };
    };
    const restricted = await appOf('restricted', { roles: [{ name: 'member' }] });
    assert.equal((await cloud.call(restricted.token, 'POST', `/v3/users/${userId}/credentials/OS-EC2`, { tenant_id: projectId })).status, 403);
    const blob = JSON.stringify({ access: 'app', secret: 'abc' });
    const body = { credential: { type: 'ec2', blob, user_id: userId, project_id: projectId } };
    assert.equal((await cloud.call(restricted.token, 'POST', '/v3/credentials', body)).status, 403);
    const open = await appOf('open', { roles: [{ name: 'member' }], unrestricted: true });
    const pair = await newPair(open.token, userId, projectId);
    await cloud.expect(201, open.token, 'POST', '/v3/credentials', body);
    for (const each of [pair, { access: 'app', secret: 'abc' }]) {
      for (const answer of await both(each)) {
        assert.equal(answer.status, 200);
        assert.equal(answer.body.token.application_credential.id, open.id);
        assert.deepEqual(
          answer.body.token.roles.map((role: { name: string }) => role.name),
          ['member', 'reader'],
        );
      }
    }
    const { projectId: elsewhere } = await cloud.person(admin, 'key-elsewhere');
    assert.equal((await cloud.call(open.token, 'POST', `/v3/users/${userId}/credentials/OS-EC2`, { tenant_id: elsewhere })).status, 403);
    await cloud.expect(204, token, 'DELETE', `/v3/users/${userId}/application_credentials/${open.id}`);
    for (const answer of await both(pair)) assert.equal(answer.status, 404);
  });

  test('whatever is written into a key by hand, it gives no more than its own project and user', async () => {
    const { userId, projectId, token } = await cloud.person(admin, 'key-forger');
    const other = await cloud.person(admin, 'key-victim');
    const victim = await cloud.expect(201, other.token, 'POST', `/v3/users/${other.userId}/application_credentials`, {
      application_credential: { name: 'v', unrestricted: true },
    });
    for (const [i, tie] of [
      { app_cred_id: victim.body.application_credential.id },
      { trust_id: 'nothing' },
      { access_token_id: 'nothing' },
      { app_cred_id: 'nothing' },
    ].entries()) {
      const blob = { access: `forged-${i}`, secret: 'abc', ...tie };
      await cloud.expect(201, token, 'POST', '/v3/credentials', {
        credential: { type: 'ec2', blob: JSON.stringify(blob), user_id: userId, project_id: projectId },
      });
      for (const answer of await both(blob)) assert.ok([401, 404].includes(answer.status), JSON.stringify(tie));
    }
    const across = { access: 'across', secret: 'abc' };
    await cloud.expect(201, token, 'POST', '/v3/credentials', {
      credential: { type: 'ec2', blob: JSON.stringify(across), user_id: userId, project_id: other.projectId },
    });
    for (const answer of await both(across)) assert.equal(answer.status, 401);
  });
});
