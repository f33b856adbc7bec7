import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { systemClock } from '@cairn/kit/clock/clock';
import { ADMIN_PASSWORD, TestCloud } from '../testing/cloud.ts';

let cloud: TestCloud;
let admin: string;
let shiftMs = 0;
const clock = { ...systemClock, nowMs: () => Date.now() + shiftMs };

before(async () => {
  cloud = await TestCloud.start({ clock });
  admin = await cloud.admin();
});
after(() => cloud.close());

const adminUser = { name: 'admin', domain: { id: 'default' }, password: ADMIN_PASSWORD };
const NOT_AUTHENTICATED = { error: { code: 401, message: 'The request you have made requires authentication.', title: 'Unauthorized' } };
const validate = (subject: string, by = admin, query = '') => cloud.call(by, 'GET', `/v3/auth/tokens${query}`, undefined, { 'x-subject-token': subject });
const rescope = (token: string, scope?: unknown) =>
  cloud.call(undefined, 'POST', '/v3/auth/tokens', { auth: { identity: { methods: ['token'], token: { id: token } }, ...(scope !== undefined && { scope }) } });

describe('getting a token', () => {
  test('by name and domain name, scoped to a project by name', async () => {
    const answer = await cloud.login(
      { name: 'admin', domain: { name: 'Default' }, password: ADMIN_PASSWORD },
      { project: { name: 'admin', domain: { name: 'Default' } } },
    );
    assert.equal(answer.status, 201);
    assert.ok(answer.headers.get('x-subject-token'));
    assert.equal(answer.headers.get('vary'), 'X-Auth-Token');
    const { token } = answer.body;
    assert.deepEqual(token.methods, ['password']);
    assert.equal(token.project.id, cloud.ids.adminProjectId);
    assert.equal(token.is_domain, false);
    assert.deepEqual(
      token.roles.map((role: { name: string }) => role.name),
      ['admin', 'manager', 'member', 'reader'],
    );
    assert.match(token.expires_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000000Z$/);
    assert.equal(Date.parse(token.expires_at) - Date.parse(token.issued_at), 3_600_000);
    assert.equal(token.audit_ids.length, 1);
    const object = token.catalog.find((service: { type: string }) => service.type === 'object-store');
    assert.equal(object.endpoints[0].url, `http://cloud/v1/AUTH_${cloud.ids.adminProjectId}`);
  });

  test('unscoped: no roles, no catalog', async () => {
    for (const scope of [undefined, 'unscoped', { unscoped: {} }]) {
      const { body } = await cloud.login(adminUser, scope);
      assert.deepEqual(Object.keys(body.token).toSorted(), ['audit_ids', 'expires_at', 'issued_at', 'methods', 'user']);
      assert.equal(body.token.user.password_expires_at, null);
    }
  });

  test('scoped to the system; endpoints that need a project are left out', async () => {
    const { body } = await cloud.login(adminUser, { system: { all: true } });
    assert.deepEqual(body.token.system, { all: true });
    assert.equal(body.token.project, undefined);
    assert.deepEqual(body.token.catalog.find((service: { type: string }) => service.type === 'object-store').endpoints, []);
  });

  test('scoped to a domain, once there is a role on it', async () => {
    assert.equal((await cloud.login(adminUser, { domain: { id: 'default' } })).status, 401);
    await cloud.expect(204, admin, 'PUT', `/v3/domains/default/users/${cloud.ids.adminUserId}/roles/${cloud.ids.roleIds.reader}`);
    const { body } = await cloud.login(adminUser, { domain: { name: 'Default' } });
    assert.deepEqual(body.token.domain, { id: 'default', name: 'Default' });
    assert.deepEqual(
      body.token.roles.map((role: { name: string }) => role.name),
      ['reader'],
    );
  });

  test('without a catalog when asked so', async () => {
    const answer = await cloud.call(undefined, 'POST', '/v3/auth/tokens?nocatalog', {
      auth: { identity: { methods: ['password'], password: { user: adminUser } }, scope: { project: { id: cloud.ids.adminProjectId } } },
    });
    assert.equal(answer.status, 201);
    assert.equal(answer.body.token.catalog, undefined);
  });

  test('the default project is the scope where none is named, if the user may enter it', async () => {
    const { userId, projectId, password } = await cloud.person(admin, 'defaulter');
    await cloud.expect(200, admin, 'PATCH', `/v3/users/${userId}`, { user: { default_project_id: projectId } });
    assert.equal((await cloud.login({ id: userId, password })).body.token.project.id, projectId);
    assert.equal((await cloud.login({ id: userId, password }, 'unscoped')).body.token.project, undefined);
    await cloud.expect(200, admin, 'PATCH', `/v3/projects/${projectId}`, { project: { enabled: false } });
    assert.equal((await cloud.login({ id: userId, password })).body.token.project, undefined);
    await cloud.expect(200, admin, 'PATCH', `/v3/users/${userId}`, { user: { default_project_id: cloud.ids.adminProjectId } });
    assert.equal((await cloud.login({ id: userId, password })).body.token.project, undefined);
  });
});

describe('a login that fails', () => {
  const auth = (body: unknown) => cloud.call(undefined, 'POST', '/v3/auth/tokens', body);

  test('says the same whatever is wrong with user, password, domain or project', async () => {
    const { userId, projectId, password } = await cloud.person(admin, 'wrongs');
    const stranger = await cloud.person(admin, 'stranger');
    const disabled = await cloud.person(admin, 'disabled-one');
    await cloud.expect(200, admin, 'PATCH', `/v3/users/${disabled.userId}`, { user: { enabled: false } });
    for (const [user, scope] of [
      [{ id: userId, password: 'wrong' }],
      [{ id: userId }],
      [{ id: 'nobody', password }],
      [{ name: 'nobody', domain: { id: 'default' }, password }],
      [{ name: 'wrongs', domain: { id: 'nowhere' }, password }],
      [{ id: disabled.userId, password: disabled.password }],
      [{ id: userId, password }, { project: { id: 'nothing' } }],
      [{ id: userId, password }, { project: { id: 'default' } }],
      [{ id: userId, password }, { project: { id: stranger.projectId } }],
      [{ id: userId, password }, { domain: { id: projectId } }],
      [{ id: userId, password }, { system: { all: true } }],
      [{ id: userId, password }, { 'OS-TRUST:trust': { id: 'nothing' } }],
    ] as [object, unknown?][]) {
      const answer = await cloud.login(user, scope);
      assert.deepEqual([answer.status, answer.body], [401, NOT_AUTHENTICATED], JSON.stringify([user, scope]));
    }
  });

  test('a malformed request is a 400 that names the field', async () => {
    for (const [body, message] of [
      [undefined, /Expecting to find auth in request body/],
      [{}, /Expecting to find auth in request body/],
      ['{"auth":', /Malformed/],
      [{ auth: {} }, /identity/],
      [{ auth: { identity: {} } }, /methods/],
      [{ auth: { identity: { methods: 'password' } } }, /methods/],
      [{ auth: { identity: { methods: ['password'] } } }, /Expecting to find password in identity/],
      [{ auth: { identity: { methods: ['password'], password: {} } } }, /Expecting to find user in password/],
      [{ auth: { identity: { methods: ['password'], password: { user: {} } } } }, /identity\/password\/user: id or name/],
      [{ auth: { identity: { methods: ['password'], password: { user: { name: 'a' } } } } }, /Expecting to find domain in user/],
      [{ auth: { identity: { methods: ['password'], password: { user: { name: 'a', domain: {} } } } } }, /identity\/password\/user\/domain/],
      [{ auth: { identity: { methods: ['password'], password: { user: adminUser } }, scope: {} } }, /OS-TRUST:trust or unscoped in scope/],
      [{ auth: { identity: { methods: ['password'], password: { user: adminUser } }, scope: 'project' } }, /OS-TRUST:trust or unscoped in scope/],
      [
        { auth: { identity: { methods: ['password'], password: { user: adminUser } }, scope: { project: { name: 'admin' } } } },
        /Expecting to find domain in project/,
      ],
      [{ auth: { identity: { methods: ['password'], password: { user: adminUser } }, scope: { project: {} } } }, /scope\/project: id or name/],
      [{ auth: { identity: { methods: ['token'], token: {} } } }, /id/],
    ] as [unknown, RegExp][]) {
      const answer = await auth(body);
      assert.equal(answer.status, 400, JSON.stringify(body));
      assert.match(answer.body.error.message, message, JSON.stringify(body));
    }
  });

  test('an unsupported method is a 401 that names the supported ones', async () => {
    const answer = await auth({ auth: { identity: { methods: ['password', 'magic'], password: { user: adminUser }, magic: {} } } });
    assert.equal(answer.status, 401);
    assert.deepEqual(answer.body.error.identity, { methods: ['password', 'token', 'oauth1', 'mapped', 'application_credential', 'totp'] });
    assert.equal((await auth({ auth: { identity: { methods: [] } } })).status, 401);
  });

  test('two methods for two users are refused', async () => {
    const { token } = await cloud.person(admin, 'other-user');
    const answer = await auth({ auth: { identity: { methods: ['password', 'token'], password: { user: adminUser }, token: { id: token } } } });
    assert.equal(answer.status, 401);
  });

  test('rules that ask for several methods are kept to', async () => {
    const { userId, projectId, password, token } = await cloud.person(admin, 'careful');
    await cloud.expect(200, admin, 'PATCH', `/v3/users/${userId}`, { user: { options: { multi_factor_auth_rules: [['password', 'token']] } } });
    assert.equal((await cloud.login({ id: userId, password })).status, 401);
    const both = await auth({
      auth: {
        identity: { methods: ['password', 'token'], password: { user: { id: userId, password } }, token: { id: token } },
        scope: { project: { id: projectId } },
      },
    });
    assert.equal(both.status, 201);
    assert.deepEqual(both.body.token.methods, ['token', 'password']);
    await cloud.expect(200, admin, 'PATCH', `/v3/users/${userId}`, { user: { options: { multi_factor_auth_enabled: false } } });
    assert.equal((await cloud.login({ id: userId, password })).status, 201);
  });
});

describe('a token for a token', () => {
  test('keeps the expiry and the audit chain, and changes the scope', async () => {
    const first = await cloud.login(adminUser, 'unscoped');
    const second = await rescope(first.headers.get('x-subject-token') ?? '', { project: { id: cloud.ids.adminProjectId } });
    assert.equal(second.status, 201);
    assert.equal(second.body.token.expires_at, first.body.token.expires_at);
    assert.equal(second.body.token.audit_ids[1], first.body.token.audit_ids[0]);
    assert.deepEqual(second.body.token.methods, ['token', 'password']);
    const third = await rescope(second.headers.get('x-subject-token') ?? '', 'unscoped');
    assert.deepEqual(third.body.token.audit_ids[1], first.body.token.audit_ids[0]);
  });

  test('a system token does not become a project or domain token', async () => {
    const system = await cloud.tokenOf(adminUser, { system: { all: true } });
    assert.equal((await rescope(system, { project: { id: cloud.ids.adminProjectId } })).status, 403);
    assert.equal((await rescope(system, { domain: { id: 'default' } })).status, 403);
    assert.equal((await rescope(system, 'unscoped')).status, 201);
  });

  test('nothing that is no valid token gets one', async () => {
    assert.equal((await rescope('nonsense')).status, 404);
    assert.equal((await rescope(`${admin.slice(0, -2)}xx`)).status, 404);
  });
});

describe('validation', () => {
  test('shows the token again, as it was issued', async () => {
    const issued = await cloud.login(adminUser, { project: { id: cloud.ids.adminProjectId } });
    const token = issued.headers.get('x-subject-token') ?? '';
    const shown = await validate(token);
    assert.equal(shown.status, 200);
    assert.equal(shown.headers.get('x-subject-token'), token);
    assert.deepEqual(shown.body, issued.body);
    assert.equal((await validate(token, admin, '?nocatalog')).body.token.catalog, undefined);
    const head = await cloud.call(admin, 'HEAD', '/v3/auth/tokens', undefined, { 'x-subject-token': token });
    assert.deepEqual([head.status, head.headers.get('x-subject-token'), head.body], [200, token, undefined]);
  });

  test("one's own token, or any for an admin, a system reader or a service; nobody else's", async () => {
    const one = await cloud.person(admin, 'val-one');
    const two = await cloud.person(admin, 'val-two');
    assert.equal((await validate(one.token, one.token)).status, 200);
    assert.equal((await validate(two.token, one.token)).status, 403);
    const service = await cloud.person(admin, 'val-service', 'service');
    assert.equal((await validate(one.token, service.token)).status, 200);
  });

  test('without a subject it is a 404 for an admin and a 403 for others', async () => {
    const one = await cloud.person(admin, 'val-none');
    assert.equal((await cloud.call(admin, 'GET', '/v3/auth/tokens')).status, 404);
    assert.equal((await cloud.call(one.token, 'GET', '/v3/auth/tokens')).status, 403);
  });

  test('of what is no token, or another cloud’s, is a 404; such a caller gets a 401', async () => {
    const other = await TestCloud.start();
    const foreign = await other.admin();
    await other.close();
    for (const token of ['x', foreign, admin.slice(0, -1), `${admin}A`, 'gAAAAA'.repeat(2000)]) {
      assert.equal((await validate(token)).status, 404, token.slice(0, 40));
      assert.equal((await cloud.call(token, 'GET', '/v3/projects')).status, 401, token.slice(0, 40));
    }
    const none = await cloud.call(undefined, 'GET', '/v3/projects');
    assert.deepEqual([none.status, none.body], [401, NOT_AUTHENTICATED]);
    assert.equal(none.headers.get('www-authenticate'), 'Keystone uri="http://cloud/identity"');
  });

  test('ends at the expiry, but for allow_expired within its window', async () => {
    const { token } = await cloud.person(admin, 'expiring');
    shiftMs += 3_601_000;
    admin = await cloud.admin();
    assert.equal((await validate(token)).status, 404);
    assert.equal((await cloud.call(token, 'GET', '/v3/auth/projects')).status, 401);
    assert.equal((await validate(token, admin, '?allow_expired=1')).status, 200);
    assert.equal((await validate(token, admin, '?allow_expired=0')).status, 404);
    shiftMs += 48 * 3_600_000;
    admin = await cloud.admin();
    assert.equal((await validate(token, admin, '?allow_expired=1')).status, 404);
  });

  test('goes on after a rotation of the keys, and ends when the key is gone', async () => {
    const { token } = await cloud.person(admin, 'rotated');
    const { tokenKeys } = cloud.keystone.app;
    tokenKeys.rotate();
    assert.equal((await validate(token)).status, 200);
    assert.notEqual(token.slice(0, 10), '');
    const later = await cloud.admin();
    tokenKeys.rotate();
    assert.equal((await validate(token, later)).status, 404);
    assert.equal((await validate(later, later)).status, 200);
    admin = later;
  });
});

describe('a token ends at once', () => {
  const ended = async (token: string): Promise<void> => {
    assert.equal((await validate(token)).status, 404);
    assert.equal((await cloud.call(token, 'GET', '/v3/auth/projects')).status, 401);
  };
  const person = async (name: string) => {
    const found = await cloud.person(admin, name);
    assert.equal((await validate(found.token)).status, 200);
    return found;
  };

  test('when it is revoked; others of the user go on', async () => {
    const { token, userId, password } = await person('end-revoked');
    const other = await cloud.tokenOf({ id: userId, password });
    assert.equal((await cloud.call(token, 'DELETE', '/v3/auth/tokens', undefined, { 'x-subject-token': token })).status, 204);
    await ended(token);
    assert.equal((await validate(other)).status, 200);
  });

  test('when the user is disabled, and stays so; a new one holds', async () => {
    const { token, userId, projectId, password } = await person('end-disabled');
    await cloud.expect(200, admin, 'PATCH', `/v3/users/${userId}`, { user: { enabled: false } });
    await ended(token);
    await cloud.expect(200, admin, 'PATCH', `/v3/users/${userId}`, { user: { enabled: true } });
    await ended(token);
    const next = await cloud.tokenOf({ id: userId, password }, { project: { id: projectId } });
    assert.equal((await validate(next)).status, 200, 'a token of the same second as the revocation');
  });

  test('when the user is deleted', async () => {
    const { token, userId } = await person('end-deleted');
    await cloud.expect(204, admin, 'DELETE', `/v3/users/${userId}`);
    await ended(token);
  });

  test('when the password changes, whoever changes it', async () => {
    const { token, userId, projectId, password } = await person('end-password');
    const change = (original: string, next: string) =>
      cloud.call(undefined, 'POST', `/v3/users/${userId}/password`, { user: { original_password: original, password: next } });
    assert.equal((await change('wrong', 'next-one')).status, 401);
    assert.equal((await validate(token)).status, 200);
    assert.equal((await change(password, 'next-one')).status, 204);
    await ended(token);
    assert.equal((await cloud.login({ id: userId, password })).status, 401);
    const next = await cloud.tokenOf({ id: userId, password: 'next-one' }, { project: { id: projectId } });
    assert.equal((await validate(next)).status, 200);
    await cloud.expect(200, admin, 'PATCH', `/v3/users/${userId}`, { user: { password: 'third-one' } });
    await ended(next);
    assert.equal((await cloud.login({ id: userId, password: 'next-one' })).status, 401);
  });

  test('while the project or its domain is disabled, and for good when it is deleted', async () => {
    const domain = (await cloud.expect(201, admin, 'POST', '/v3/domains', { domain: { name: 'end-domain' } })).body.domain.id;
    const project = (await cloud.expect(201, admin, 'POST', '/v3/projects', { project: { name: 'end-project', domain_id: domain } })).body.project.id;
    const { userId, password } = await person('end-project');
    await cloud.expect(204, admin, 'PUT', `/v3/projects/${project}/users/${userId}/roles/${cloud.ids.roleIds.member}`);
    const token = await cloud.tokenOf({ id: userId, password }, { project: { id: project } });
    for (const path of [`/v3/projects/${project}`, `/v3/domains/${domain}`]) {
      const kind = path.includes('projects') ? 'project' : 'domain';
      await cloud.expect(200, admin, 'PATCH', path, { [kind]: { enabled: false } });
      await ended(token);
      await cloud.expect(200, admin, 'PATCH', path, { [kind]: { enabled: true } });
      assert.equal((await validate(token)).status, 200);
    }
    await cloud.expect(204, admin, 'DELETE', `/v3/projects/${project}`);
    await ended(token);
  });

  test("while the user's own domain is disabled", async () => {
    const domain = (await cloud.expect(201, admin, 'POST', '/v3/domains', { domain: { name: 'end-user-domain' } })).body.domain.id;
    const user = (await cloud.expect(201, admin, 'POST', '/v3/users', { user: { name: 'u', password: 'p', domain_id: domain } })).body.user.id;
    const token = await cloud.tokenOf({ id: user, password: 'p' });
    await cloud.expect(200, admin, 'PATCH', `/v3/domains/${domain}`, { domain: { enabled: false } });
    await ended(token);
    assert.equal((await cloud.login({ id: user, password: 'p' })).status, 401);
  });

  test('when the last role on its project is taken away; a lost role is gone from it', async () => {
    const { token, userId, projectId } = await person('end-role');
    const grant = (role: string) => `/v3/projects/${projectId}/users/${userId}/roles/${cloud.ids.roleIds[role]}`;
    const rolesNow = async () => (await validate(token)).body.token.roles.map((role: { name: string }) => role.name);
    await cloud.expect(204, admin, 'PUT', grant('service'));
    assert.deepEqual(await rolesNow(), ['member', 'reader', 'service']);
    await cloud.expect(204, admin, 'DELETE', grant('member'));
    assert.deepEqual(await rolesNow(), ['service']);
    await cloud.expect(204, admin, 'DELETE', grant('service'));
    await ended(token);
  });

  test('when the user leaves the group that had the role, or the group goes', async () => {
    for (const how of ['leave', 'delete'] as const) {
      const { userId, password, projectId } = await person(`end-group-${how}`);
      const group = (await cloud.expect(201, admin, 'POST', '/v3/groups', { group: { name: `g-${how}` } })).body.group.id;
      const other = (await cloud.expect(201, admin, 'POST', '/v3/projects', { project: { name: `gp-${how}` } })).body.project.id;
      await cloud.expect(204, admin, 'PUT', `/v3/groups/${group}/users/${userId}`);
      await cloud.expect(204, admin, 'PUT', `/v3/projects/${other}/groups/${group}/roles/${cloud.ids.roleIds.member}`);
      const token = await cloud.tokenOf({ id: userId, password }, { project: { id: other } });
      await cloud.expect(204, admin, 'DELETE', how === 'leave' ? `/v3/groups/${group}/users/${userId}` : `/v3/groups/${group}`);
      await ended(token);
      assert.equal((await cloud.login({ id: userId, password }, { project: { id: projectId } })).status, 201);
    }
  });

  test('an implication that is made or unmade shows at once', async () => {
    const { token } = await person('implied');
    const role = (await cloud.expect(201, admin, 'POST', '/v3/roles', { role: { name: 'extra' } })).body.role.id;
    const path = `/v3/roles/${cloud.ids.roleIds.member}/implies/${role}`;
    const has = async () => (await validate(token)).body.token.roles.some((each: { name: string }) => each.name === 'extra');
    await cloud.expect(201, admin, 'PUT', path);
    assert.equal(await has(), true);
    await cloud.expect(204, admin, 'DELETE', path);
    assert.equal(await has(), false);
  });

  test('the catalog follows at once', async () => {
    const { token } = await person('catalogue');
    const service = (await cloud.expect(201, admin, 'POST', '/v3/services', { service: { type: 'fresh', name: 'fresh' } })).body.service.id;
    const types = async () => (await validate(token)).body.token.catalog.map((each: { type: string }) => each.type);
    assert.ok((await types()).includes('fresh'));
    await cloud.expect(200, admin, 'PATCH', `/v3/services/${service}`, { service: { enabled: false } });
    assert.ok(!(await types()).includes('fresh'));
  });
});
