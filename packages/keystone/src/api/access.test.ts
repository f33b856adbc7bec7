import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { TestCloud } from '../testing/cloud.ts';

/** Who may do what: upstream's personas (project, domain and system; reader, member, manager, admin). */

let cloud: TestCloud;
let admin: string;
let domain: string;
const token: Record<string, string> = {};
const roleId = (name: string): string => cloud.ids.roleIds[name] ?? '';

before(async () => {
  cloud = await TestCloud.start();
  admin = await cloud.admin();
  domain = (await cloud.expect(201, admin, 'POST', '/v3/domains', { domain: { name: 'house' } })).body.domain.id;
  for (const role of ['reader', 'member', 'manager', 'admin']) {
    const user = (await cloud.expect(201, admin, 'POST', '/v3/users', { user: { name: `domain-${role}`, password: 'p', domain_id: domain } })).body.user.id;
    await cloud.expect(204, admin, 'PUT', `/v3/domains/${domain}/users/${user}/roles/${roleId(role)}`);
    token[`domain ${role}`] = await cloud.tokenOf({ id: user, password: 'p' }, { domain: { id: domain } });
    await cloud.expect(204, admin, 'PUT', `/v3/system/users/${user}/roles/${roleId(role)}`);
    token[`system ${role}`] = await cloud.tokenOf({ id: user, password: 'p' }, { system: { all: true } });
    token[`unscoped ${role}`] = await cloud.tokenOf({ id: user, password: 'p' }, 'unscoped');
    token[`project ${role}`] = (await cloud.person(admin, `project-${role}`, role)).token;
  }
});
after(() => cloud.close());

const status = async (who: string, method: string, path: string, body?: unknown): Promise<number> => (await cloud.call(token[who], method, path, body)).status;

test('a member is told what is not allowed, and of what rule', async () => {
  const answer = await cloud.call(token['project member'], 'GET', '/v3/projects');
  assert.deepEqual(
    [answer.status, answer.body],
    [403, { error: { code: 403, message: 'You are not authorized to perform the requested action: identity:list_projects.', title: 'Forbidden' } }],
  );
  assert.equal(await status('project member', 'POST', '/v3/projects', { project: { name: 'mine' } }), 403);
});

test('everyone sees their own user and projects, and no other', async () => {
  const own = await cloud.call(token['project member'], 'GET', '/v3/auth/tokens', undefined, { 'x-subject-token': token['project member'] ?? '' });
  const id = own.body.token.user.id;
  assert.equal(await status('project member', 'GET', `/v3/users/${id}`), 200);
  const projects = await cloud.expect(200, token['project member'], 'GET', `/v3/users/${id}/projects`);
  assert.deepEqual(
    projects.body.projects.map((project: { name: string }) => project.name),
    ['project-project-member'],
  );
  assert.equal(await status('project member', 'GET', `/v3/projects/${own.body.token.project.id}`), 200);
  for (const path of [
    `/v3/users/${cloud.ids.adminUserId}`,
    `/v3/users/${cloud.ids.adminUserId}/projects`,
    `/v3/projects/${cloud.ids.adminProjectId}`,
    '/v3/users/nobody',
  ]) {
    assert.equal(await status('project member', 'GET', path), 403, path);
  }
});

test('lists of the whole cloud are for admins and readers of the system', async () => {
  for (const path of [
    'users',
    'projects',
    'groups',
    'domains',
    'roles',
    'services',
    'endpoints',
    'credentials',
    'policies',
    'role_assignments',
    'OS-TRUST/trusts',
    'role_inferences',
  ]) {
    for (const who of ['project admin', 'system reader', 'system admin']) assert.equal(await status(who, 'GET', `/v3/${path}`), 200, `${who} ${path}`);
    if (path === 'credentials') continue;
    for (const who of ['project reader', 'project member', 'project manager', 'unscoped reader'])
      assert.equal(await status(who, 'GET', `/v3/${path}`), 403, `${who} ${path}`);
  }
  for (const path of ['regions', 'limits', 'registered_limits', 'limits/model', 'auth/projects', 'auth/domains', 'auth/system']) {
    assert.equal(await status('project reader', 'GET', `/v3/${path}`), 200, path);
  }
});

test('a reader of a domain sees the domain, and nothing beyond', async () => {
  const list = async (kind: string): Promise<{ name: string; domain_id: string }[]> =>
    (await cloud.expect(200, token['domain reader'], 'GET', `/v3/${kind}`)).body[kind];
  assert.ok((await list('users')).every((user) => user.domain_id === domain));
  assert.equal((await list('users')).length, 4);
  assert.deepEqual(await list('projects'), []);
  assert.deepEqual(
    (await list('domains')).map((each) => each.name),
    ['house'],
  );
  assert.equal(await status('domain reader', 'GET', `/v3/users/${cloud.ids.adminUserId}`), 403);
  assert.equal(await status('domain reader', 'GET', '/v3/domains/default'), 403);
  assert.equal(await status('domain reader', 'POST', '/v3/users', { user: { name: 'x', domain_id: domain } }), 403);
});

test('a manager of a domain manages it with the roles that managers may give', async () => {
  const who = 'domain manager';
  const made = await cloud.expect(201, token[who], 'POST', '/v3/users', { user: { name: 'hired', password: 'p', domain_id: domain } });
  const project = (await cloud.expect(201, token[who], 'POST', '/v3/projects', { project: { name: 'work', domain_id: domain } })).body.project.id;
  const user = made.body.user.id;
  for (const role of ['member', 'reader', 'manager'])
    assert.equal(await status(who, 'PUT', `/v3/projects/${project}/users/${user}/roles/${roleId(role)}`), 204, role);
  for (const role of ['admin', 'service']) assert.equal(await status(who, 'PUT', `/v3/projects/${project}/users/${user}/roles/${roleId(role)}`), 403, role);
  assert.equal(await status(who, 'PUT', `/v3/domains/${domain}/users/${user}/roles/${roleId('admin')}`), 403);
  assert.equal(await status(who, 'PUT', `/v3/projects/${cloud.ids.adminProjectId}/users/${user}/roles/${roleId('member')}`), 403, "another domain's project");
  assert.equal(await status(who, 'PUT', `/v3/projects/${project}/users/${cloud.ids.adminUserId}/roles/${roleId('member')}`), 403, "another domain's user");
  assert.equal(await status(who, 'PUT', `/v3/system/users/${user}/roles/${roleId('member')}`), 403);
  assert.equal(await status(who, 'POST', '/v3/users', { user: { name: 'x', domain_id: 'default' } }), 403);
  assert.equal(await status(who, 'POST', '/v3/projects', { project: { name: 'x', domain_id: 'default' } }), 403);
  assert.equal(await status(who, 'POST', '/v3/projects', { project: { name: 'x', is_domain: true } }), 403);
  assert.equal(await status(who, 'POST', '/v3/domains', { domain: { name: 'x' } }), 403);
  assert.equal(await status(who, 'GET', '/v3/roles'), 200);
  assert.equal(await status('project manager', 'GET', '/v3/roles'), 403);
  assert.equal(await status(who, 'PATCH', `/v3/users/${cloud.ids.adminUserId}`, { user: { password: 'stolen' } }), 403);
  assert.equal(await status(who, 'DELETE', `/v3/users/${user}`), 204);
});

test('only admins change the catalog, roles and domains', async () => {
  for (const [path, body] of [
    ['regions', { region: { id: 'r' } }],
    ['services', { service: { type: 't' } }],
    ['roles', { role: { name: 'r' } }],
    ['domains', { domain: { name: 'd' } }],
    ['policies', { policy: { type: 't', blob: 'b' } }],
    ['registered_limits', { registered_limits: [{ service_id: 'a'.repeat(32), resource_name: 'r', default_limit: 1 }] }],
  ] as const) {
    for (const who of ['project member', 'project manager', 'domain manager', 'system reader', 'system member', 'unscoped admin']) {
      const got = await status(who, 'POST', `/v3/${path}`, body);
      assert.ok(got === 403, `${who} ${path}: ${got}`);
    }
  }
});

test('nothing but versions, login, the own password and what a consumer signs is open to strangers', async () => {
  for (const route of cloud.server.routes()) {
    if (route.policy === '(anyone)') continue;
    const path = route.path.replace('/identity', '').replace(/\{[^}]+\}/g, 'x');
    const answer = await cloud.call(undefined, route.method, path);
    assert.equal(answer.status, 401, `${route.method} ${path}`);
  }
  assert.deepEqual(
    cloud.server
      .routes()
      .filter((route) => route.policy === '(anyone)')
      .map((route) => route.id)
      .toSorted(),
    [
      'keystone.federation.acs',
      'keystone.federation.auth.get',
      'keystone.federation.auth.post',
      'keystone.federation.callback',
      'keystone.federation.idp_websso.get',
      'keystone.federation.idp_websso.post',
      'keystone.federation.saml2',
      'keystone.federation.saml2.get',
      'keystone.federation.saml2_ecp',
      'keystone.federation.saml2_ecp.get',
      'keystone.federation.saml2_metadata',
      'keystone.federation.sp_metadata',
      'keystone.federation.websso.get',
      'keystone.federation.websso.post',
      'keystone.ec2_token.get',
      'keystone.oauth1_access_token.create',
      'keystone.oauth1_access_token.get',
      'keystone.oauth1_request_token.create',
      'keystone.oauth1_request_token.get',
      'keystone.oauth2.token',
      'keystone.oauth2.token.delete',
      'keystone.oauth2.token.get',
      'keystone.oauth2.token.head',
      'keystone.oauth2.token.patch',
      'keystone.oauth2.token.put',
      'keystone.s3_token.get',
      'keystone.simple_cert.ca',
      'keystone.simple_cert.certificates',
      'keystone.token.issue',
      'keystone.token.revoked_list',
      'keystone.user.change_password',
      'keystone.versions.list',
      'keystone.versions.show',
    ].toSorted(),
  );
});

test('a member gets nothing but a refusal from what is not theirs, and never a failure', async () => {
  for (const route of cloud.server.routes()) {
    if (route.policy === '(anyone)' || route.method === 'GET' || route.method === 'HEAD') continue;
    const path = route.path.replace('/identity', '').replace(/\{[^}]+\}/g, 'x');
    const answer = await cloud.call(token['project member'], route.method, path, route.method === 'DELETE' ? undefined : {});
    assert.ok([400, 403, 404].includes(answer.status), `${route.method} ${path}: ${answer.status}`);
    if (answer.status < 500) assert.equal(answer.body.error.code, answer.status);
  }
});
