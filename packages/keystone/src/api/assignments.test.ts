import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { TestCloud } from '../testing/cloud.ts';

let cloud: TestCloud;
let admin: string;
let userId: string;
let groupId: string;
let top: string;
let below: string;
const roleId = (name: string): string => cloud.ids.roleIds[name] ?? '';

before(async () => {
  cloud = await TestCloud.start();
  admin = await cloud.admin();
  const user = await cloud.expect(201, admin, 'POST', '/v3/users', { user: { name: 'u', password: 'p' } });
  const group = await cloud.expect(201, admin, 'POST', '/v3/groups', { group: { name: 'g' } });
  userId = user.body.user.id;
  groupId = group.body.group.id;
  top = (await cloud.expect(201, admin, 'POST', '/v3/projects', { project: { name: 'top' } })).body.project.id;
  below = (await cloud.expect(201, admin, 'POST', '/v3/projects', { project: { name: 'below', parent_id: top } })).body.project.id;
});
after(() => cloud.close());

const rolesOn = async (projectId: string): Promise<string[]> => {
  const answer = await cloud.login({ id: userId, password: 'p' }, { project: { id: projectId } });
  return answer.status === 201 ? answer.body.token.roles.map((role: { name: string }) => role.name) : [];
};
const put = (path: string) => cloud.expect(204, admin, 'PUT', `/v3/${path}`);
const remove = (path: string) => cloud.expect(204, admin, 'DELETE', `/v3/${path}`);

test('every kind of grant is made, found, listed and taken away', async () => {
  for (const path of [
    `projects/${top}/users/${userId}/roles`,
    `projects/${top}/groups/${groupId}/roles`,
    `domains/default/users/${userId}/roles`,
    `domains/default/groups/${groupId}/roles`,
    `system/users/${userId}/roles`,
    `system/groups/${groupId}/roles`,
  ]) {
    const one = `${path}/${roleId('reader')}`;
    assert.equal((await cloud.call(admin, 'HEAD', `/v3/${one}`)).status, 404, one);
    await put(one);
    await put(one);
    await cloud.expect(204, admin, 'HEAD', `/v3/${one}`);
    await cloud.expect(204, admin, 'GET', `/v3/${one}`);
    const { body } = await cloud.expect(200, admin, 'GET', `/v3/${path}`);
    assert.deepEqual(
      body.roles.map((role: { name: string }) => role.name),
      ['reader'],
    );
    await remove(one);
    assert.equal((await cloud.call(admin, 'DELETE', `/v3/${one}`)).status, 404, one);
    assert.equal((await cloud.call(admin, 'PUT', `/v3/${path}/nothing`)).status, 404, 'no such role');
  }
  assert.equal((await cloud.call(admin, 'PUT', `/v3/projects/nothing/users/${userId}/roles/${roleId('reader')}`)).status, 404);
  assert.equal((await cloud.call(admin, 'PUT', `/v3/projects/${top}/users/nobody/roles/${roleId('reader')}`)).status, 404);
});

test('an inherited role holds below, and not on the target itself', async () => {
  for (const [target, heirs, strangers] of [
    [`projects/${top}`, [below], [top]],
    ['domains/default', [top, below], []],
  ] as const) {
    for (const actor of [`users/${userId}`, `groups/${groupId}`]) {
      const path = `OS-INHERIT/${target}/${actor}/roles/${roleId('member')}/inherited_to_projects`;
      await put(path);
      await cloud.expect(204, admin, 'HEAD', `/v3/${path}`);
      if (actor.startsWith('groups')) await put(`groups/${groupId}/users/${userId}`);
      for (const project of heirs) assert.deepEqual(await rolesOn(project), ['member', 'reader'], path);
      for (const project of strangers) assert.deepEqual(await rolesOn(project), [], path);
      const listed = await cloud.expect(200, admin, 'GET', `/v3/users/${userId}/projects`);
      for (const project of heirs) assert.ok(listed.body.projects.some((each: { id: string }) => each.id === project));
      if (actor.startsWith('groups')) await remove(`groups/${groupId}/users/${userId}`);
      await remove(path);
      for (const project of heirs) assert.deepEqual(await rolesOn(project), []);
    }
  }
});

test("a domain's own role only counts through what it implies, and only in its domain", async () => {
  const domain = (await cloud.expect(201, admin, 'POST', '/v3/domains', { domain: { name: 'own' } })).body.domain.id;
  const make = async (domainId: string) =>
    (await cloud.expect(201, admin, 'POST', '/v3/roles', { role: { name: 'local', domain_id: domainId } })).body.role.id as string;
  const [local, foreign] = [await make('default'), await make(domain)];
  assert.equal((await cloud.call(admin, 'PUT', `/v3/projects/${top}/users/${userId}/roles/${foreign}`)).status, 403);
  await put(`projects/${top}/users/${userId}/roles/${local}`);
  assert.deepEqual(await rolesOn(top), []);
  await cloud.expect(201, admin, 'PUT', `/v3/roles/${local}/implies/${roleId('reader')}`);
  assert.deepEqual(await rolesOn(top), ['reader']);
  assert.equal((await cloud.call(admin, 'PUT', `/v3/system/users/${userId}/roles/${local}`)).status, 400);
  assert.equal((await cloud.call(admin, 'PUT', `/v3/roles/${roleId('reader')}/implies/${local}`)).status, 403, 'global implies local');
  assert.equal((await cloud.call(admin, 'PUT', `/v3/roles/${local}/implies/${roleId('admin')}`)).status, 403, 'nothing implies admin');
  const names = async (query: string) => (await cloud.expect(200, admin, 'GET', `/v3/roles${query}`)).body.roles.map((role: { id: string }) => role.id);
  assert.ok(!(await names('')).includes(local));
  assert.deepEqual(await names(`?domain_id=${domain}`), [foreign]);
  await cloud.expect(204, admin, 'DELETE', `/v3/roles/${local}`);
  assert.deepEqual(await rolesOn(top), []);
});

test('a listing says where an effective role comes from', async () => {
  await put(`groups/${groupId}/users/${userId}`);
  await put(`OS-INHERIT/projects/${top}/groups/${groupId}/roles/${roleId('member')}/inherited_to_projects`);
  const list = async (query: string) => (await cloud.expect(200, admin, 'GET', `/v3/role_assignments?${query}`)).body.role_assignments;
  const direct = await list(`group.id=${groupId}`);
  assert.deepEqual(direct, [
    {
      scope: { project: { id: top }, 'OS-INHERIT:inherited_to': 'projects' },
      group: { id: groupId },
      role: { id: roleId('member') },
      links: { assignment: `${cloud.url}/v3/OS-INHERIT/projects/${top}/groups/${groupId}/roles/${roleId('member')}/inherited_to_projects` },
    },
  ]);
  const effective = await list(`effective&user.id=${userId}&include_names`);
  assert.deepEqual(effective.map((entry: { role: { name: string } }) => entry.role.name).toSorted(), ['member', 'reader']);
  const member = effective.find((entry: { role: { name: string } }) => entry.role.name === 'member');
  assert.deepEqual(member, {
    scope: { project: { id: below, name: 'below', domain: { id: 'default', name: 'Default' } }, 'OS-INHERIT:inherited_to': 'projects' },
    user: { id: userId, name: 'u', domain: { id: 'default', name: 'Default' } },
    role: { id: roleId('member'), name: 'member' },
    links: {
      membership: `${cloud.url}/v3/groups/${groupId}/users/${userId}`,
      assignment: `${cloud.url}/v3/OS-INHERIT/projects/${top}/groups/${groupId}/roles/${roleId('member')}/inherited_to_projects`,
    },
  });
  const reader = effective.find((entry: { role: { name: string } }) => entry.role.name === 'reader');
  assert.equal(reader.links.prior_role, `${cloud.url}/v3/prior_role/${roleId('reader')}/implies/${roleId('member')}`);
  assert.equal((await list(`effective&scope.project.id=${below}&role.id=${roleId('reader')}`)).length, 1);
  assert.deepEqual(await list(`effective&scope.project.id=${top}&user.id=${userId}`), []);
  assert.equal((await list(`include_subtree&scope.project.id=${top}`)).length, 1);
  const system = await list('scope.system=all&include_names');
  assert.deepEqual([system[0].scope, system[0].user.name, system[0].role.name], [{ system: { all: true } }, 'admin', 'admin']);
  for (const query of [
    'scope.domain.id=default&scope.project.id=x',
    'scope.system=all&scope.project.id=x',
    'user.id=a&group.id=b',
    'effective&group.id=b',
    'effective&scope.domain.id=default&scope.OS-INHERIT:inherited_to=projects',
    'include_subtree',
  ]) {
    assert.equal((await cloud.call(admin, 'GET', `/v3/role_assignments?${query}`)).status, 400, query);
  }
});

test('roles: names are unique, the standing ones are immutable, inferences are listed', async () => {
  const role = (await cloud.expect(201, admin, 'POST', '/v3/roles', { role: { name: 'tester', description: 'd' } })).body.role;
  assert.deepEqual(role, { id: role.id, name: 'tester', domain_id: null, description: 'd', options: {}, links: { self: `${cloud.url}/v3/roles/${role.id}` } });
  assert.equal((await cloud.call(admin, 'POST', '/v3/roles', { role: { name: 'tester' } })).status, 409);
  assert.equal((await cloud.call(admin, 'POST', '/v3/roles', { role: { name: '' } })).status, 400);
  assert.equal((await cloud.call(admin, 'PATCH', `/v3/roles/${role.id}`, { role: { name: 'admin' } })).status, 409);
  assert.equal((await cloud.call(admin, 'PATCH', `/v3/roles/${roleId('admin')}`, { role: { name: 'boss' } })).status, 403);
  assert.equal((await cloud.call(admin, 'DELETE', `/v3/roles/${roleId('admin')}`)).status, 403);
  assert.equal((await cloud.call(admin, 'GET', '/v3/roles/nothing')).status, 404);
  const path = `/v3/roles/${role.id}/implies`;
  await cloud.expect(201, admin, 'PUT', `${path}/${roleId('reader')}`);
  assert.equal((await cloud.call(admin, 'PUT', `${path}/${roleId('reader')}`)).status, 409);
  await cloud.expect(204, admin, 'HEAD', `${path}/${roleId('reader')}`);
  assert.equal((await cloud.call(admin, 'HEAD', `${path}/${roleId('member')}`)).status, 404);
  const rule = (await cloud.expect(200, admin, 'GET', `${path}/${roleId('reader')}`)).body;
  assert.equal(rule.role_inference.prior_role.name, 'tester');
  assert.equal(rule.role_inference.implies.name, 'reader');
  assert.equal((await cloud.expect(200, admin, 'GET', path)).body.role_inference.implies.length, 1);
  const all = (await cloud.expect(200, admin, 'GET', '/v3/role_inferences')).body.role_inferences;
  assert.ok(all.some((each: { prior_role: { name: string } }) => each.prior_role.name === 'admin'));
  await cloud.expect(204, admin, 'DELETE', `${path}/${roleId('reader')}`);
});
