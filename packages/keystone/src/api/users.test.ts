import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { TestCloud } from '../testing/cloud.ts';

let cloud: TestCloud;
let admin: string;
before(async () => {
  cloud = await TestCloud.start();
  admin = await cloud.admin();
});
after(() => cloud.close());

const create = async (user: object) => (await cloud.expect(201, admin, 'POST', '/v3/users', { user })).body.user;
const patch = (id: string, user: object) => cloud.call(admin, 'PATCH', `/v3/users/${id}`, { user });

test('a user is shown with every field of upstream, and never with a password', async () => {
  const user = await create({ name: 'shown', password: 'secret', email: 'a@b', description: 'd', default_project_id: cloud.ids.adminProjectId });
  assert.deepEqual(user, {
    email: 'a@b',
    description: 'd',
    id: user.id,
    name: 'shown',
    domain_id: 'default',
    enabled: true,
    default_project_id: cloud.ids.adminProjectId,
    password_expires_at: null,
    options: {},
    links: { self: `${cloud.url}/v3/users/${user.id}` },
  });
  const changed = (await patch(user.id, { name: 'renamed', default_project_id: null, password: 'other', email: 'c@d' })).body.user;
  assert.deepEqual([changed.name, changed.email, changed.default_project_id, changed.extra], ['renamed', 'c@d', undefined, { email: 'c@d', description: 'd' }]);
  assert.equal((await cloud.login({ name: 'shown', domain: { id: 'default' }, password: 'other' })).status, 401, 'the old name');
  assert.equal((await cloud.login({ name: 'renamed', domain: { id: 'default' }, password: 'other' })).status, 201);
});

test('the stored password is bcrypt, and nothing of it is in the database otherwise', async () => {
  const { id } = await create({ name: 'hashed', password: 'plain-text-secret' });
  const rows = await (
    cloud.world.env.store.read.kysely as never as { selectFrom(t: string): { selectAll(): { execute(): Promise<Record<string, unknown>[]> } } }
  )
    .selectFrom('keystone_password')
    .selectAll()
    .execute();
  const row = rows.find((each) => each.user_id === id);
  assert.match(String(row?.password_hash), /^\$2b\$04\$/);
  assert.ok(!JSON.stringify(rows).includes('plain-text-secret'));
});

test('bad input is a 400, a taken name a 409, an unknown domain a 404', async () => {
  await create({ name: 'taken' });
  for (const [user, status] of [
    [{}, 400],
    [{ name: '' }, 400],
    [{ name: 'x'.repeat(256) }, 400],
    [{ name: 'a\u0007b' }, 400],
    [{ name: 'x', password: 5 }, 400],
    [{ name: 'x', enabled: 'true' }, 400],
    [{ name: 'x', options: { unknown: 1 } }, 400],
    [{ name: 'x', options: { multi_factor_auth_rules: [['password'], ['password']] } }, 400],
    [{ name: 'x', default_project_id: 'default' }, 400],
    [{ name: 'x', federated: [{ idp_id: 'i', protocols: [] }] }, 400],
    [{ name: 'x', domain_id: 'nowhere' }, 404],
    [{ name: 'taken' }, 409],
  ] as const) {
    assert.equal((await cloud.call(admin, 'POST', '/v3/users', { user })).status, status, JSON.stringify(user));
  }
  const { id } = await create({ name: 'fixed' });
  assert.equal((await patch(id, { name: 'taken' })).status, 409);
  assert.equal((await patch(id, { domain_id: 'elsewhere' })).status, 400);
  assert.equal((await patch(id, { id: 'other' })).status, 400);
  assert.equal((await patch('nobody', { name: 'x' })).status, 404);
});

test('lists: filters, password expiry, groups', async () => {
  const one = await create({ name: 'list-one' });
  await create({ name: 'list-two', enabled: false });
  const names = async (path: string) => (await cloud.expect(200, admin, 'GET', path)).body.users.map((user: { name: string }) => user.name).toSorted();
  assert.deepEqual(await names('/v3/users?name__startswith=list-'), ['list-one', 'list-two']);
  assert.deepEqual(await names('/v3/users?name__startswith=list-&enabled=false'), ['list-two']);
  assert.deepEqual(await names('/v3/users?password_expires_at=lt:2030-01-01T00:00:00Z'), []);
  assert.equal((await cloud.call(admin, 'GET', '/v3/users?password_expires_at=lt:yesterday')).status, 400);
  assert.equal((await cloud.call(admin, 'GET', '/v3/users?password_expires_at=xx:2030-01-01T00:00:00Z')).status, 400);
  const group = (await cloud.expect(201, admin, 'POST', '/v3/groups', { group: { name: 'crew' } })).body.group;
  assert.deepEqual(group, { id: group.id, name: 'crew', domain_id: 'default', description: '', links: { self: `${cloud.url}/v3/groups/${group.id}` } });
  const member = `/v3/groups/${group.id}/users/${one.id}`;
  assert.equal((await cloud.call(admin, 'HEAD', member)).status, 404);
  await cloud.expect(204, admin, 'PUT', member);
  await cloud.expect(204, admin, 'PUT', member);
  await cloud.expect(204, admin, 'HEAD', member);
  assert.deepEqual(await names(`/v3/groups/${group.id}/users`), ['list-one']);
  const groups = (await cloud.expect(200, admin, 'GET', `/v3/users/${one.id}/groups`)).body.groups;
  assert.deepEqual([groups[0].id, groups[0].membership_expires_at], [group.id, null]);
  await cloud.expect(204, admin, 'DELETE', member);
  assert.equal((await cloud.call(admin, 'DELETE', member)).status, 404);
  assert.equal((await cloud.call(admin, 'PUT', `/v3/groups/${group.id}/users/nobody`)).status, 404);
  assert.equal((await cloud.call(admin, 'PUT', `/v3/groups/nothing/users/${one.id}`)).status, 404);
  const renamed = await cloud.expect(200, admin, 'PATCH', `/v3/groups/${group.id}`, { group: { name: 'team', description: 'x' } });
  assert.deepEqual([renamed.body.group.name, renamed.body.group.description], ['team', 'x']);
  await cloud.expect(204, admin, 'DELETE', `/v3/groups/${group.id}`);
  assert.equal((await cloud.call(admin, 'GET', `/v3/groups/${group.id}`)).status, 404);
});

test('changing the own password needs the old one and no token', async () => {
  const { userId, password } = await cloud.person(admin, 'changer');
  const change = (id: string, body: unknown) => cloud.call(undefined, 'POST', `/v3/users/${id}/password`, body);
  assert.equal((await change(userId, { user: { original_password: 'x', password: 'y' } })).status, 401);
  assert.equal((await change('nobody', { user: { original_password: 'x', password: 'y' } })).status, 401);
  assert.equal((await change(userId, { user: { original_password: password } })).status, 400);
  assert.equal((await change(userId, { user: { original_password: password, password: 'y', more: 1 } })).status, 400);
  await cloud.expect(200, admin, 'PATCH', `/v3/users/${userId}`, { user: { options: { lock_password: true } } });
  assert.equal((await change(userId, { user: { original_password: password, password: 'y' } })).status, 400);
  await cloud.expect(200, admin, 'PATCH', `/v3/users/${userId}`, { user: { options: { lock_password: null } } });
  assert.equal((await change(userId, { user: { original_password: password, password: 'y' } })).status, 204);
});

test('a deleted user leaves nothing behind', async () => {
  const { userId, token, projectId } = await cloud.person(admin, 'leaver');
  const other = await cloud.person(admin, 'stayer');
  await cloud.expect(201, token, 'POST', `/v3/users/${userId}/application_credentials`, {
    application_credential: { name: 'a', access_rules: [{ path: '/v2.1/servers', method: 'GET', service: 'compute' }] },
  });
  await cloud.expect(201, token, 'POST', '/v3/credentials', { credential: { user_id: userId, type: 'cert', blob: 'b' } });
  await cloud.expect(201, token, 'POST', '/v3/OS-TRUST/trusts', {
    trust: { trustor_user_id: userId, trustee_user_id: other.userId, impersonation: false, project_id: projectId, roles: [{ name: 'member' }] },
  });
  await cloud.expect(204, admin, 'DELETE', `/v3/users/${userId}`);
  const kysely = cloud.world.env.store.read.kysely as never as { selectFrom(t: string): { selectAll(): { execute(): Promise<Record<string, unknown>[]> } } };
  for (const table of [
    'keystone_user',
    'keystone_password',
    'keystone_membership',
    'keystone_assignment',
    'keystone_credential',
    'keystone_application_credential',
    'keystone_access_rule',
  ]) {
    assert.ok(!JSON.stringify(await kysely.selectFrom(table).selectAll().execute()).includes(userId), table);
  }
  assert.deepEqual((await cloud.expect(200, admin, 'GET', `/v3/OS-TRUST/trusts?trustor_user_id=${userId}`)).body.trusts, []);
});
