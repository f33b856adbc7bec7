import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { systemClock } from '@cairn/kit/clock/clock';
import { TestCloud } from '../testing/cloud.ts';

let cloud: TestCloud;
let admin: string;
let shiftMs = 0;
const clock = { ...systemClock, nowMs: () => Date.now() + shiftMs };
const roleId = (name: string): string => cloud.ids.roleIds[name] ?? '';

before(async () => {
  cloud = await TestCloud.start({ clock });
  admin = await cloud.admin();
});
after(() => cloud.close());

type Person = Awaited<ReturnType<TestCloud['person']>>;
const loginWith = (credential: object, scope?: unknown) =>
  cloud.call(undefined, 'POST', '/v3/auth/tokens', {
    auth: { identity: { methods: ['application_credential'], application_credential: credential }, ...(scope !== undefined && { scope }) },
  });
const makeCredential = (person: Pick<Person, 'userId' | 'token'>, body: object) =>
  cloud.call(person.token, 'POST', `/v3/users/${person.userId}/application_credentials`, { application_credential: body });

describe('application credentials', () => {
  test('are shown with every field, the secret once', async () => {
    const person = await cloud.person(admin, 'ac-shown');
    const made = await makeCredential(person, { name: 'robot', description: 'd', expires_at: '2099-01-02T03:04:05.678901' });
    assert.equal(made.status, 201);
    const { secret, ...credential } = made.body.application_credential;
    assert.match(secret, /^[\w-]{86}$/);
    assert.deepEqual(
      { ...credential, roles: credential.roles.map((role: { name: string }) => role.name).toSorted() },
      {
        id: credential.id,
        name: 'robot',
        description: 'd',
        user_id: person.userId,
        project_id: person.projectId,
        system: null,
        expires_at: '2099-01-02T03:04:05.678901',
        unrestricted: false,
        roles: ['member', 'reader'],
        links: { self: `${cloud.url}/v3/application_credentials/${credential.id}` },
      },
    );
    const path = `/v3/users/${person.userId}/application_credentials`;
    assert.deepEqual((await cloud.expect(200, person.token, 'GET', `${path}/${credential.id}`)).body.application_credential, credential);
    assert.equal((await cloud.expect(200, person.token, 'GET', `${path}?name=robot`)).body.application_credentials.length, 1);
    assert.equal((await cloud.expect(200, person.token, 'GET', `${path}?name=other`)).body.application_credentials.length, 0);
    assert.equal((await makeCredential(person, { name: 'robot' })).status, 409);
  });

  test('log in by id or name, to their project alone, with their roles', async () => {
    const person = await cloud.person(admin, 'ac-login');
    const { id, secret } = (await makeCredential(person, { name: 'r', roles: [{ name: 'reader' }] })).body.application_credential;
    for (const credential of [
      { id, secret },
      { name: 'r', secret, user: { id: person.userId } },
      { name: 'r', secret, user: { name: 'ac-login', domain: { name: 'Default' } } },
    ]) {
      const { status, body } = await loginWith(credential);
      assert.equal(status, 201);
      assert.deepEqual(body.token.application_credential, { id, name: 'r', restricted: true });
      assert.equal(body.token.project.id, person.projectId);
      assert.deepEqual(
        body.token.roles.map((role: { name: string }) => role.name),
        ['reader'],
      );
    }
    for (const credential of [
      { id, secret: 'wrong' },
      { id },
      { id: 'nothing', secret },
      { name: 'r', secret, user: { name: 'nobody', domain: { id: 'default' } } },
    ]) {
      assert.equal((await loginWith(credential)).status, 401);
    }
    assert.equal((await loginWith({ secret })).status, 400);
    assert.equal((await loginWith({ id, secret }, { project: { id: person.projectId } })).status, 401);
  });

  test('a restricted one makes no other, an unrestricted one may; neither outgrows its project', async () => {
    const person = await cloud.person(admin, 'ac-limits');
    const other = (await cloud.expect(201, admin, 'POST', '/v3/projects', { project: { name: 'ac-other' } })).body.project.id;
    await cloud.expect(204, admin, 'PUT', `/v3/projects/${other}/users/${person.userId}/roles/${roleId('member')}`);
    const tokenFor = async (body: object): Promise<string> => {
      const { id, secret } = (await makeCredential(person, body)).body.application_credential;
      return (await loginWith({ id, secret })).headers.get('x-subject-token') ?? '';
    };
    const restricted = await tokenFor({ name: 'restricted' });
    const free = await tokenFor({ name: 'free', unrestricted: true });
    assert.equal((await makeCredential({ userId: person.userId, token: restricted }, { name: 'child' })).status, 403);
    assert.equal((await makeCredential({ userId: person.userId, token: free }, { name: 'child' })).status, 201);
    for (const token of [restricted, free]) {
      const trust = {
        trust: {
          trustor_user_id: person.userId,
          trustee_user_id: cloud.ids.adminUserId,
          impersonation: true,
          project_id: person.projectId,
          roles: [{ name: 'member' }],
        },
      };
      assert.equal((await cloud.call(token, 'POST', '/v3/OS-TRUST/trusts', trust)).status, 403);
      const rescope = (scope?: unknown) =>
        cloud.call(undefined, 'POST', '/v3/auth/tokens', {
          auth: { identity: { methods: ['token'], token: { id: token } }, ...(scope !== undefined && { scope }) },
        });
      assert.equal((await rescope({ project: { id: other } })).status, 403);
      assert.equal((await rescope('unscoped')).status, 403);
      const again = await rescope();
      assert.deepEqual(
        [again.status, again.body.token.project.id, again.body.token.application_credential.restricted],
        [201, person.projectId, token === restricted],
      );
      const ec2 = (projectId: string) => cloud.call(token, 'POST', `/v3/users/${person.userId}/credentials/OS-EC2`, { tenant_id: projectId });
      assert.equal((await ec2(other)).status, 403);
      assert.equal((await ec2(person.projectId)).status, token === restricted ? 403 : 201);
      const cert = { credential: { user_id: person.userId, type: 'cert', blob: 'b', project_id: other } };
      assert.equal((await cloud.call(token, 'POST', '/v3/credentials', cert)).status, 403);
    }
  });

  test('they end with the role, the user, themselves, or their time', async () => {
    const ends = async (name: string, end: (person: Person, id: string) => Promise<unknown>, body: object = {}) => {
      const person = await cloud.person(admin, name);
      const { id, secret } = (await makeCredential(person, { name: 'r', ...body })).body.application_credential;
      const token = (await loginWith({ id, secret })).headers.get('x-subject-token') ?? '';
      await cloud.expect(200, token, 'GET', '/v3/auth/projects');
      await end(person, id);
      assert.equal((await cloud.call(token, 'GET', '/v3/auth/projects')).status, 401, name);
      assert.equal((await loginWith({ id, secret })).status, 401, name);
    };
    await ends('ac-role', (person) => cloud.expect(204, admin, 'DELETE', `/v3/projects/${person.projectId}/users/${person.userId}/roles/${roleId('member')}`));
    await ends('ac-user', (person) => cloud.expect(200, admin, 'PATCH', `/v3/users/${person.userId}`, { user: { enabled: false } }));
    await ends('ac-self', (person, id) => cloud.expect(204, person.token, 'DELETE', `/v3/users/${person.userId}/application_credentials/${id}`));
    await ends('ac-project', (person) => cloud.expect(200, admin, 'PATCH', `/v3/projects/${person.projectId}`, { project: { enabled: false } }));
    await ends(
      'ac-time',
      async () => {
        shiftMs += 61_000;
      },
      { expires_at: new Date(clock.nowMs() + 60_000).toISOString() },
    );
  });

  test('the token does not outlive the credential', async () => {
    const person = await cloud.person(admin, 'ac-expiry');
    const expires = new Date(clock.nowMs() + 120_000).toISOString();
    const { id, secret } = (await makeCredential(person, { name: 'short', expires_at: expires })).body.application_credential;
    const { body } = await loginWith({ id, secret });
    assert.equal(Date.parse(body.token.expires_at), Math.floor(Date.parse(expires) / 1000) * 1000);
  });

  test('access rules hold a token to them', async () => {
    const person = await cloud.person(admin, 'ac-rules');
    const rule = { service: 'identity', method: 'GET', path: '/v3/auth/projects' };
    const made = (await makeCredential(person, { name: 'ruled', access_rules: [rule] })).body.application_credential;
    const token = (await loginWith({ id: made.id, secret: made.secret })).headers.get('x-subject-token') ?? '';
    assert.equal((await cloud.call(token, 'GET', '/v3/auth/projects')).status, 200);
    assert.equal((await cloud.call(token, 'GET', '/v3/auth/domains')).status, 401);
    assert.equal((await cloud.call(token, 'POST', '/v3/auth/projects')).status, 401);
    const validate = (headers: Record<string, string>) => cloud.call(admin, 'GET', '/v3/auth/tokens', undefined, { 'x-subject-token': token, ...headers });
    assert.equal((await validate({})).status, 404, 'a validator that does not know of rules');
    const known = await validate({ 'openstack-identity-access-rules': '1.0' });
    assert.deepEqual(known.body.token.application_credential.access_rules, made.access_rules);
    const id = made.access_rules[0].id;
    const path = `/v3/users/${person.userId}/access_rules`;
    assert.equal((await cloud.expect(200, person.token, 'GET', path)).body.access_rules.length, 1);
    assert.deepEqual((await cloud.expect(200, person.token, 'GET', `${path}/${id}`)).body.access_rule, {
      id,
      ...rule,
      links: { self: `${cloud.url}/v3/access_rules/${id}` },
    });
    assert.equal((await cloud.call(person.token, 'DELETE', `${path}/${id}`)).status, 403, 'it is in use');
    const stranger = await cloud.person(admin, 'ac-rules-stranger');
    assert.equal((await cloud.call(stranger.token, 'GET', `${path}/${id}`)).status, 403);
    assert.equal((await cloud.call(stranger.token, 'GET', `/v3/users/${stranger.userId}/access_rules/${id}`)).status, 404);
    assert.equal((await makeCredential(stranger, { name: 'x', access_rules: [{ id, ...rule }] })).status, 404);
    await cloud.expect(204, person.token, 'DELETE', `/v3/users/${person.userId}/application_credentials/${made.id}`);
    await cloud.expect(204, person.token, 'DELETE', `${path}/${id}`);
  });

  test('access rules are told in the order they were given in', async () => {
    const person = await cloud.person(admin, 'ac-rule-order');
    // enough of them that an order by their random ids is not this one
    const rules = Array.from({ length: 12 }, (_, i) => ({ service: 'compute', method: 'GET', path: `/v2.1/${12 - i}` }));
    const first = (await makeCredential(person, { name: 'first', access_rules: rules.slice(0, 6) })).body.application_credential;
    const second = (await makeCredential(person, { name: 'second', access_rules: [...rules.slice(4), rules[0]] })).body.application_credential;
    const paths = (given: readonly { readonly path: string }[]) => given.map((rule) => rule.path);
    assert.deepEqual(paths(first.access_rules), paths(rules.slice(0, 6)));
    const found = await cloud.expect(200, person.token, 'GET', `/v3/users/${person.userId}/application_credentials/${second.id}`);
    assert.deepEqual(paths(found.body.application_credential.access_rules), paths([...rules.slice(0, 1), ...rules.slice(4)]));
    const all = await cloud.expect(200, person.token, 'GET', `/v3/users/${person.userId}/access_rules`);
    assert.deepEqual(paths(all.body.access_rules), paths(rules));
  });

  test('bad input is refused', async () => {
    const person = await cloud.person(admin, 'ac-bad');
    for (const [body, status] of [
      [{}, 400],
      [{ name: '' }, 400],
      [{ name: 'x', surprise: 1 }, 400],
      [{ name: 'x', expires_at: 'tomorrow' }, 400],
      [{ name: 'x', expires_at: '2001-01-01T00:00:00Z' }, 400],
      [{ name: 'x', roles: [{ name: 'admin' }] }, 400],
      [{ name: 'x', roles: [{ name: 'unknown' }] }, 404],
      [{ name: 'x', roles: [{}] }, 400],
      [{ name: 'x', access_rules: [{ path: 'no-slash', method: 'GET', service: 'compute' }] }, 400],
      [{ name: 'x', access_rules: [{ path: '/', method: 'STEAL', service: 'compute' }] }, 400],
    ] as const) {
      assert.equal((await makeCredential(person, body)).status, status, JSON.stringify(body));
    }
    assert.equal((await makeCredential({ userId: cloud.ids.adminUserId, token: person.token }, { name: 'x' })).status, 403);
  });
});

describe('trusts', () => {
  const trustOf = (trustor: Person, trusteeId: string, more: object = {}) =>
    cloud.call(trustor.token, 'POST', '/v3/OS-TRUST/trusts', {
      trust: {
        trustor_user_id: trustor.userId,
        trustee_user_id: trusteeId,
        project_id: trustor.projectId,
        impersonation: false,
        roles: [{ name: 'member' }],
        ...more,
      },
    });
  const through = (trustee: Pick<Person, 'userId' | 'password'>, id: string) =>
    cloud.login({ id: trustee.userId, password: trustee.password }, { 'OS-TRUST:trust': { id } });

  test('lend roles: with and without the trustor as the user', async () => {
    const [trustor, trustee] = [await cloud.person(admin, 't-or'), await cloud.person(admin, 't-ee')];
    for (const impersonation of [false, true]) {
      const made = await trustOf(trustor, trustee.userId, { impersonation, expires_at: '2099-01-01T00:00:00.123456Z' });
      assert.equal(made.status, 201);
      const { trust } = made.body;
      assert.deepEqual([trust.expires_at, trust.remaining_uses, trust.redelegation_count, trust.deleted_at], ['2099-01-01T00:00:00.000000Z', null, 0, null]);
      assert.equal(trust.links.self, `${cloud.url}/v3/OS-TRUST/trusts/${trust.id}`);
      const { status, body, headers } = await through(trustee, trust.id);
      assert.equal(status, 201);
      assert.equal(body.token.user.id, impersonation ? trustor.userId : trustee.userId);
      assert.equal(body.token.project.id, trustor.projectId);
      assert.deepEqual(body.token['OS-TRUST:trust'], {
        id: trust.id,
        trustor_user: { id: trustor.userId },
        trustee_user: { id: trustee.userId },
        impersonation,
      });
      assert.deepEqual(
        body.token.roles.map((role: { name: string }) => role.name),
        ['member', 'reader'],
      );
      const token = headers.get('x-subject-token') ?? '';
      const again = await cloud.call(undefined, 'POST', '/v3/auth/tokens', { auth: { identity: { methods: ['token'], token: { id: token } } } });
      assert.equal(again.status, 403, 'a trust token gets no other token');
      assert.equal((await makeCredential({ userId: trustor.userId, token }, { name: 'x' })).status, 403, 'nor a lasting credential');
      assert.equal((await cloud.call(trustee.token, 'DELETE', `/v3/OS-TRUST/trusts/${trust.id}`)).status, 403);
      await cloud.expect(204, trustor.token, 'DELETE', `/v3/OS-TRUST/trusts/${trust.id}`);
      assert.equal((await cloud.call(token, 'GET', '/v3/auth/projects')).status, 401);
      assert.equal((await through(trustee, trust.id)).status, 401);
    }
  });

  test('are seen by both sides and by nobody else', async () => {
    const [trustor, trustee, stranger] = [await cloud.person(admin, 't-a'), await cloud.person(admin, 't-b'), await cloud.person(admin, 't-c')];
    const { id } = (await trustOf(trustor, trustee.userId)).body.trust;
    for (const who of [trustor, trustee]) {
      const shown = await cloud.expect(200, who.token, 'GET', `/v3/OS-TRUST/trusts/${id}`);
      assert.deepEqual(
        shown.body.trust.roles.map((role: { name: string }) => role.name),
        ['member'],
      );
      assert.equal((await cloud.expect(200, who.token, 'GET', `/v3/OS-TRUST/trusts/${id}/roles`)).body.roles.length, 1);
      await cloud.expect(200, who.token, 'HEAD', `/v3/OS-TRUST/trusts/${id}/roles/${roleId('member')}`);
    }
    assert.equal((await cloud.call(trustor.token, 'GET', `/v3/OS-TRUST/trusts/${id}/roles/${roleId('admin')}`)).status, 404);
    assert.equal((await cloud.call(stranger.token, 'GET', `/v3/OS-TRUST/trusts/${id}`)).status, 403);
    assert.equal((await cloud.expect(200, trustor.token, 'GET', `/v3/OS-TRUST/trusts?trustor_user_id=${trustor.userId}`)).body.trusts.length, 1);
    assert.equal((await cloud.expect(200, trustee.token, 'GET', `/v3/OS-TRUST/trusts?trustee_user_id=${trustee.userId}`)).body.trusts.length, 1);
    assert.equal((await cloud.call(stranger.token, 'GET', `/v3/OS-TRUST/trusts?trustor_user_id=${trustor.userId}`)).status, 403);
    assert.equal((await cloud.call(stranger.token, 'GET', '/v3/OS-TRUST/trusts')).status, 403);
    assert.equal((await cloud.call(trustor.token, 'GET', '/v3/OS-TRUST/trusts/nothing')).status, 404);
    assert.equal((await through(stranger, id)).status, 403, 'somebody else uses it');
  });

  test('limited uses are counted, and do not end the tokens that they gave', async () => {
    const [trustor, trustee] = [await cloud.person(admin, 't-uses'), await cloud.person(admin, 't-user')];
    const { id } = (await trustOf(trustor, trustee.userId, { remaining_uses: 2 })).body.trust;
    const first = await through(trustee, id);
    assert.equal((await cloud.expect(200, trustor.token, 'GET', `/v3/OS-TRUST/trusts/${id}`)).body.trust.remaining_uses, 1);
    const second = await through(trustee, id);
    assert.deepEqual([first.status, second.status, (await through(trustee, id)).status], [201, 201, 401]);
    assert.equal((await cloud.call(second.headers.get('x-subject-token') ?? '', 'GET', '/v3/auth/projects')).status, 200);
    assert.equal((await trustOf(trustor, trustee.userId, { remaining_uses: 0 })).status, 400);
  });

  test('end with the role, the trustor, or their time', async () => {
    const ends = async (name: string, end: (trustor: Person) => Promise<unknown>, more: object = {}) => {
      const [trustor, trustee] = [await cloud.person(admin, `${name}-or`), await cloud.person(admin, `${name}-ee`)];
      const { id } = (await trustOf(trustor, trustee.userId, more)).body.trust;
      const token = (await through(trustee, id)).headers.get('x-subject-token') ?? '';
      await cloud.expect(200, token, 'GET', '/v3/auth/projects');
      await end(trustor);
      assert.equal((await cloud.call(token, 'GET', '/v3/auth/projects')).status, 401, name);
      assert.ok([401, 403].includes((await through(trustee, id)).status), name);
    };
    await ends('t-role', (trustor) =>
      cloud.expect(204, admin, 'DELETE', `/v3/projects/${trustor.projectId}/users/${trustor.userId}/roles/${roleId('member')}`),
    );
    await ends('t-disabled', (trustor) => cloud.expect(200, admin, 'PATCH', `/v3/users/${trustor.userId}`, { user: { enabled: false } }));
    await ends('t-gone', (trustor) => cloud.expect(204, admin, 'DELETE', `/v3/users/${trustor.userId}`));
    await ends('t-project', (trustor) => cloud.expect(204, admin, 'DELETE', `/v3/projects/${trustor.projectId}`));
    await ends(
      't-time',
      async () => {
        shiftMs += 61_000;
      },
      { expires_at: new Date(clock.nowMs() + 60_000).toISOString() },
    );
    admin = await cloud.admin();
  });

  test('are passed on only as far as allowed', async () => {
    const [one, two, three] = [await cloud.person(admin, 't-one'), await cloud.person(admin, 't-two'), await cloud.person(admin, 't-three')];
    const first = (
      await trustOf(one, two.userId, { allow_redelegation: true, redelegation_count: 1, roles: [{ name: 'member' }], expires_at: '2090-01-01T00:00:00Z' })
    ).body.trust;
    assert.equal(first.redelegation_count, 1);
    const via = (await through(two, first.id)).headers.get('x-subject-token') ?? '';
    const passOn = (more: object = {}) =>
      cloud.call(via, 'POST', '/v3/OS-TRUST/trusts', {
        trust: {
          trustor_user_id: two.userId,
          trustee_user_id: three.userId,
          project_id: one.projectId,
          impersonation: false,
          roles: [{ name: 'member' }],
          ...more,
        },
      });
    assert.equal((await passOn({ impersonation: true })).status, 403);
    assert.equal((await passOn({ roles: [{ name: 'reader' }] })).status, 403);
    assert.equal((await passOn({ expires_at: '2095-01-01T00:00:00Z' })).status, 403);
    assert.equal((await passOn({ remaining_uses: 3 })).status, 403);
    const second = await passOn();
    assert.equal(second.status, 201);
    assert.deepEqual(
      [second.body.trust.redelegated_trust_id, second.body.trust.redelegation_count, second.body.trust.expires_at],
      [first.id, 0, '2090-01-01T00:00:00.000000Z'],
    );
    const token = (await through(three, second.body.trust.id)).headers.get('x-subject-token') ?? '';
    await cloud.expect(200, token, 'GET', '/v3/auth/projects');
    await cloud.expect(204, one.token, 'DELETE', `/v3/OS-TRUST/trusts/${first.id}`);
    assert.equal((await cloud.call(token, 'GET', '/v3/auth/projects')).status, 401);
    const plain = (await trustOf(one, two.userId)).body.trust;
    const stuck = (await through(two, plain.id)).headers.get('x-subject-token') ?? '';
    const body = {
      trust: { trustor_user_id: two.userId, trustee_user_id: three.userId, project_id: one.projectId, impersonation: false, roles: [{ name: 'member' }] },
    };
    assert.equal((await cloud.call(stuck, 'POST', '/v3/OS-TRUST/trusts', body)).status, 403);
    assert.equal((await trustOf(one, two.userId, { allow_redelegation: true, redelegation_count: 9 })).status, 403);
  });

  test('bad input is refused', async () => {
    const [trustor, trustee] = [await cloud.person(admin, 't-bad'), await cloud.person(admin, 't-bad-2')];
    for (const [more, status] of [
      [{ trustee_user_id: 'nobody' }, 404],
      [{ trustor_user_id: trustee.userId }, 403],
      [{ roles: [] }, 403],
      [{ roles: [{ name: 'admin' }] }, 404],
      [{ roles: [{ id: 'nothing' }] }, 404],
      [{ expires_at: 'never' }, 400],
      [{ expires_at: '2001-01-01T00:00:00Z' }, 400],
      [{ impersonation: 'yes' }, 400],
      [{ project_id: 'nothing' }, 404],
    ] as const) {
      assert.equal((await trustOf(trustor, trustee.userId, more)).status, status, JSON.stringify(more));
    }
  });
});

describe('credentials', () => {
  test('are encrypted at rest, seen by their owner, and re-encrypted after a rotation', async () => {
    const person = await cloud.person(admin, 'cr-owner');
    const stranger = await cloud.person(admin, 'cr-stranger');
    const made = await cloud.expect(201, person.token, 'POST', '/v3/credentials', {
      credential: { user_id: person.userId, type: 'totp', blob: 'top-secret-seed', project_id: person.projectId },
    });
    const { credential } = made.body;
    assert.deepEqual(credential, {
      id: credential.id,
      user_id: person.userId,
      project_id: person.projectId,
      type: 'totp',
      blob: 'top-secret-seed',
      links: { self: `${cloud.url}/v3/credentials/${credential.id}` },
    });
    const stored = async () => {
      const kysely = cloud.world.env.store.read.kysely as never as {
        selectFrom(t: string): { selectAll(): { execute(): Promise<{ id: string; key_hash: string }[]> } };
      };
      return (await kysely.selectFrom('keystone_credential').selectAll().execute()).find((row) => row.id === credential.id);
    };
    const before = await stored();
    assert.ok(!JSON.stringify(before).includes('top-secret'));
    const path = `/v3/credentials/${credential.id}`;
    assert.equal((await cloud.call(stranger.token, 'GET', path)).status, 403);
    assert.deepEqual((await cloud.expect(200, stranger.token, 'GET', '/v3/credentials')).body.credentials, []);
    assert.equal((await cloud.expect(200, person.token, 'GET', '/v3/credentials?type=totp')).body.credentials.length, 1);
    assert.equal((await cloud.call(person.token, 'PATCH', path, { credential: { user_id: stranger.userId } })).status, 403);
    cloud.keystone.app.credentialKeys.rotate();
    assert.ok((await cloud.keystone.app.credentials.reencrypt()) >= 1);
    assert.notEqual((await stored())?.key_hash, before?.key_hash);
    assert.equal((await cloud.expect(200, person.token, 'GET', path)).body.credential.blob, 'top-secret-seed');
    assert.equal((await cloud.expect(200, person.token, 'PATCH', path, { credential: { blob: 'new' } })).body.credential.blob, 'new');
    await cloud.expect(204, person.token, 'DELETE', path);
    assert.equal((await cloud.call(admin, 'GET', path)).status, 404);
  });

  test('EC2 keys: their id is the hash of the access key, their blob is checked', async () => {
    const person = await cloud.person(admin, 'cr-ec2');
    const make = (credential: object) =>
      cloud.call(person.token, 'POST', '/v3/credentials', { credential: { user_id: person.userId, type: 'ec2', ...credential } });
    assert.equal((await make({ blob: '{"access":"a","secret":"s"}' })).status, 400, 'without a project');
    assert.equal((await make({ blob: 'nonsense', project_id: person.projectId })).status, 400);
    assert.equal((await make({ blob: '{}', project_id: person.projectId })).status, 400);
    const made = await make({ blob: '{"access":"a","secret":"s"}', project_id: person.projectId });
    assert.equal(made.body.credential.id, 'ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb');
    assert.equal((await make({ blob: '{"access":"a","secret":"t"}', project_id: person.projectId })).status, 409);
    const path = `/v3/users/${person.userId}/credentials/OS-EC2`;
    const ec2 = (await cloud.expect(201, person.token, 'POST', path, { tenant_id: person.projectId })).body.credential;
    assert.deepEqual(ec2, {
      user_id: person.userId,
      tenant_id: person.projectId,
      access: ec2.access,
      secret: ec2.secret,
      trust_id: null,
      links: { self: `${cloud.url}${path}/${ec2.access}` },
    });
    assert.equal((await cloud.expect(200, person.token, 'GET', path)).body.credentials.length, 2);
    assert.deepEqual((await cloud.expect(200, person.token, 'GET', `${path}/${ec2.access}`)).body.credential, ec2);
    const stranger = await cloud.person(admin, 'cr-ec2-stranger');
    assert.equal((await cloud.call(stranger.token, 'GET', `${path}/${ec2.access}`)).status, 403);
    assert.equal((await cloud.call(stranger.token, 'POST', path, { tenant_id: person.projectId })).status, 403);
    await cloud.expect(204, person.token, 'DELETE', `${path}/${ec2.access}`);
    assert.equal((await cloud.call(person.token, 'GET', `${path}/${ec2.access}`)).status, 404);
  });
});
