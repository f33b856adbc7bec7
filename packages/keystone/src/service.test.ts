import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { engines } from '@cairn/kit/store/testing';
import { createKeystone } from './service.ts';
import { ADMIN_PASSWORD, TestCloud } from './testing/cloud.ts';

for (const engine of engines()) {
  let cloud: TestCloud;
  before(async () => {
    cloud = await TestCloud.start({ engine });
  });
  after(() => cloud.close());

  test(`${engine}: bootstrap again finds what is there, and mends the admin`, async () => {
    const endpoints = [{ name: 'keystone', type: 'identity', urls: { public: 'http://moved/identity' } }];
    const admin = await cloud.admin();
    const count = async (kind: string): Promise<number> => (await cloud.expect(200, admin, 'GET', `/v3/${kind}`)).body[kind].length;
    const counts = async () => Promise.all(['domains', 'projects', 'users', 'roles', 'regions', 'services', 'endpoints', 'role_assignments'].map(count));
    const before = await counts();
    assert.deepEqual(await cloud.keystone.bootstrap({ adminPassword: ADMIN_PASSWORD, endpoints }), cloud.ids);
    assert.deepEqual(await counts(), before);
    const { body } = await cloud.expect(200, admin, 'GET', '/v3/endpoints?interface=public');
    assert.ok(body.endpoints.some((endpoint: { url: string }) => endpoint.url === 'http://moved/identity'));
    await cloud.keystone.bootstrap({ adminPassword: 'changed', endpoints: [] });
    const login = (password: string) => cloud.login({ name: 'admin', domain: { id: 'default' }, password });
    assert.deepEqual([(await login(ADMIN_PASSWORD)).status, (await login('changed')).status], [401, 201]);
    await cloud.keystone.bootstrap({ adminPassword: ADMIN_PASSWORD, endpoints: [] });
  });

  test(`${engine}: the face tells who calls, and undefined for whoever has no valid token`, async () => {
    const admin = await cloud.admin();
    const person = await cloud.person(admin, 'faced');
    const { face } = cloud.keystone;
    const ctx = await face.authenticate(person.token, 'req-1');
    assert.ok(ctx);
    assert.deepEqual(
      { ...ctx, expiresAtMs: 0, auditIds: [], roleIds: [], token: '' },
      {
        requestId: 'req-1',
        userId: person.userId,
        userName: 'faced',
        userDomainId: 'default',
        userDomainName: 'Default',
        projectId: person.projectId,
        projectName: 'project-faced',
        projectDomainId: 'default',
        projectDomainName: 'Default',
        roles: ['member', 'reader'],
        roleIds: [],
        methods: ['password'],
        isAdminProject: true,
        expiresAtMs: 0,
        auditIds: [],
        token: '',
      },
    );
    assert.ok(ctx.expiresAtMs > Date.now());
    assert.equal(await face.authenticate('nonsense', 'req-1'), undefined);
    const { read } = cloud.world.env.store;
    assert.deepEqual(await face.project(read, person.projectId), {
      id: person.projectId,
      name: 'project-faced',
      domainId: 'default',
      parentId: 'default',
      enabled: true,
    });
    assert.equal(await face.project(read, 'nothing'), undefined);
    assert.deepEqual([await face.userExists(read, person.userId), await face.userExists(read, 'nobody')], [true, false]);
  });

  test(`${engine}: the face makes a token in a user's name, with the roles and limits that hold now`, async () => {
    const admin = await cloud.admin();
    const { userId, projectId, token } = await cloud.person(admin, 'acted-for');
    const { face } = cloud.keystone;
    const acting = await face.tokenFor({ userId, projectId });
    assert.ok(acting.expiresAtMs > Date.now());
    const ctx = await face.authenticate(acting.token, 'req-1');
    assert.deepEqual([ctx?.userId, ctx?.projectId, ctx?.roles], [userId, projectId, ['member', 'reader']]);
    const rules = [{ service: 'object-store', method: 'PUT', path: '/v1/**' }];
    const { body } = await cloud.expect(201, token, 'POST', `/v3/users/${userId}/application_credentials`, {
      application_credential: { name: 'limited', roles: [{ name: 'reader' }], access_rules: rules },
    });
    const limited = await face.tokenFor({ userId, projectId, applicationCredentialId: body.application_credential.id });
    const within = await face.authenticate(limited.token, 'req-2');
    assert.deepEqual([within?.roles, within?.accessRules?.map(({ service, path }) => [service, path])], [['reader'], [['object-store', '/v1/**']]]);
    const stranger = await cloud.person(admin, 'stranger');
    await assert.rejects(face.tokenFor({ userId: stranger.userId, projectId }), /may not act in project/);
    await assert.rejects(face.tokenFor({ userId: 'nobody', projectId }), /may not act in project/);
  });

  test(`${engine}: the face finds a project's endpoint in the catalogue`, async () => {
    const { read } = cloud.world.env.store;
    const find = (type: string, region: string) => cloud.keystone.face.endpointFor(read, type, region, { userId: 'u', projectId: 'p' });
    assert.equal(await find('object-store', 'RegionOne'), 'http://cloud/v1/AUTH_p');
    assert.deepEqual([await find('object-store', 'elsewhere'), await find('nothing', 'RegionOne')], [undefined, undefined]);
  });

  test(`${engine}: what one process changes, another one knows at once`, async () => {
    if (engine === 'sqlite') return; // there is one process
    const admin = await cloud.admin();
    const other = createKeystone(cloud.world.env, { dataDir: cloud.dataDir, bcryptCost: 4 });
    for (let round = 0; round < 5; round++) {
      const person = await cloud.person(admin, `shared-${round}`);
      assert.ok(await other.face.authenticate(person.token, 'req-1'));
      await cloud.expect(200, admin, 'PATCH', `/v3/users/${person.userId}`, { user: { enabled: false } });
      assert.equal(await other.face.authenticate(person.token, 'req-1'), undefined);
      await cloud.expect(200, admin, 'PATCH', `/v3/users/${person.userId}`, { user: { enabled: true } });
      const next = await cloud.tokenOf({ id: person.userId, password: person.password }, { project: { id: person.projectId } });
      assert.ok(await other.face.authenticate(next, 'req-1'));
      await cloud.expect(204, next, 'DELETE', '/v3/auth/tokens', undefined, { 'x-subject-token': next });
      assert.equal(await other.face.authenticate(next, 'req-1'), undefined);
    }
  });

  test(`${engine}: lists, filters, grants and deletion work alike`, async () => {
    const admin = await cloud.admin();
    const person = await cloud.person(admin, 'alike');
    const names = async (path: string, kind: string) => (await cloud.expect(200, admin, 'GET', path)).body[kind].map((each: { name: string }) => each.name);
    assert.deepEqual(await names('/v3/users?name__icontains=LIK&limit=1', 'users'), ['alike']);
    assert.deepEqual(await names('/v3/projects?name__endswith=alike', 'projects'), ['project-alike']);
    assert.deepEqual(await names(`/v3/users/${person.userId}/projects`, 'projects'), ['project-alike']);
    assert.equal((await cloud.call(admin, 'POST', '/v3/users', { user: { name: 'alike' } })).status, 409);
    assert.equal(
      (await cloud.expect(200, admin, 'GET', `/v3/role_assignments?effective&user.id=${person.userId}&include_names`)).body.role_assignments.length,
      2,
    );
    await cloud.expect(204, admin, 'DELETE', `/v3/users/${person.userId}`);
    await cloud.expect(204, admin, 'DELETE', `/v3/projects/${person.projectId}`);
    assert.equal(await cloud.keystone.face.authenticate(person.token, 'req-1'), undefined);
  });
}

test('versions are told to anyone, at every level', async () => {
  const cloud = await TestCloud.start();
  const root = await cloud.call(undefined, 'GET', '/');
  assert.equal(root.status, 300);
  assert.equal(root.headers.get('location'), `${cloud.url}/v3/`);
  assert.equal(root.body.versions.values[0].id, 'v3.14');
  for (const path of ['/v3', '/v3/']) {
    const { status, body } = await cloud.call(undefined, 'GET', path);
    assert.deepEqual([status, body.version.status, body.version.links], [200, 'stable', [{ rel: 'self', href: `${cloud.url}/v3/` }]]);
  }
  assert.equal((await cloud.call(undefined, 'GET', '/v3/nothing')).status, 404);
  assert.equal((await cloud.call(await cloud.admin(), 'PATCH', '/v3/users', {})).status, 405);
  await cloud.close();
});

test('a known token is validated without a look at the database', async () => {
  const cloud = await TestCloud.start();
  const token = await cloud.admin();
  const { face, app } = cloud.keystone;
  await app.catalog.view(cloud.ids.adminUserId, cloud.ids.adminProjectId);
  await face.authenticate(token, 'req-1');
  const { store } = cloud.world.env;
  let reads = 0;
  const { kysely } = store.read;
  Object.defineProperty(store.read, 'kysely', {
    get: () => {
      reads += 1;
      return kysely;
    },
  });
  for (let i = 0; i < 10; i++) assert.ok(await face.authenticate(token, 'req-2'));
  assert.equal(reads, 0);
  const login = await cloud.login({ name: 'admin', domain: { id: 'default' }, password: ADMIN_PASSWORD }, { project: { id: cloud.ids.adminProjectId } });
  assert.deepEqual([login.status, reads], [201, 0], 'nor does a repeated login');
  await cloud.expect(200, token, 'GET', '/v3/users');
  assert.ok(reads > 0, 'the count counts');
  Object.defineProperty(store.read, 'kysely', { value: kysely });
  await cloud.close();
});
