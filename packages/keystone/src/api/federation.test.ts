import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createHash } from 'node:crypto';
import { VirtualClock } from '@cairn/kit/clock/virtual';
import { engines } from '@cairn/kit/store/testing';
import { isCairnError } from '@cairn/kit/errors/errors';
import type { Assertion } from '../federation/mapping.ts';
import { type Answer, TestCloud } from '../testing/cloud.ts';

const F = '/v3/OS-FEDERATION';
const who = { requestId: 'req-test' };
const RULES = [
  { local: [{ user: { name: '{0}', email: '{1}' } }], remote: [{ type: 'OIDC-name' }, { type: 'OIDC-email' }] },
  { local: [{ group_ids: '{0}' }], remote: [{ type: 'OIDC-groups' }] },
];

for (const engine of engines()) {
  describe(`federation on ${engine}`, () => {
    let cloud: TestCloud;
    let admin: string;
    const clock = new VirtualClock(Date.parse('2026-11-23T10:00:00Z'));
    const call = (method: string, path: string, body?: unknown): Promise<Answer> => cloud.call(admin, method, `${F}${path}`, body);
    const expect = (status: number, method: string, path: string, body?: unknown): Promise<Answer> => cloud.expect(status, admin, method, `${F}${path}`, body);
    before(async () => {
      cloud = await TestCloud.start({ engine, clock, keystone: { tokenLifetimeSec: 6 * 3600 } });
      admin = await cloud.admin();
    });
    after(() => cloud.close());

    test('an identity provider is made disabled, with a domain of its own', async () => {
      const { body } = await expect(201, 'PUT', '/identity_providers/ACME', { identity_provider: { description: 'x', remote_ids: ['b', 'a'] } });
      const idp = body.identity_provider;
      const self = `${cloud.url}/v3/OS-FEDERATION/identity_providers/ACME`;
      assert.deepEqual(idp, {
        id: 'ACME',
        domain_id: idp.domain_id,
        enabled: false,
        description: 'x',
        remote_ids: ['a', 'b'],
        authorization_ttl: null,
        links: { self, protocols: `${self}/protocols` },
      });
      const domain = (await cloud.expect(200, admin, 'GET', `/v3/domains/${idp.domain_id}`)).body.domain;
      assert.deepEqual([domain.name, domain.description], [idp.domain_id, 'Auto generated federated domain for Identity Provider: ACME']);
      assert.deepEqual((await expect(200, 'GET', '/identity_providers/ACME')).body.identity_provider, idp);
      const list = (await expect(200, 'GET', '/identity_providers?id=ACME')).body;
      assert.deepEqual([list.identity_providers, list.links.next], [[idp], null]);
      assert.deepEqual((await expect(200, 'GET', '/identity_providers?enabled=true')).body.identity_providers, []);
      assert.equal((await call('HEAD', '/identity_providers/ACME')).status, 200);
    });

    test('what is there already is a conflict, and leaves no domain behind', async () => {
      const count = async () => (await cloud.expect(200, admin, 'GET', '/v3/domains')).body.domains.length;
      const before = await count();
      const same = await call('PUT', '/identity_providers/ACME', { identity_provider: {} });
      assert.deepEqual([same.status, same.body.error.message], [409, 'Conflict occurred attempting to store identity_provider - Duplicate entry: ACME.']);
      const remote = await call('PUT', '/identity_providers/other', { identity_provider: { remote_ids: ['a'] } });
      assert.deepEqual([remote.status, remote.body.error.message], [409, 'Conflict occurred attempting to store identity_provider - Duplicate remote ID: a.']);
      assert.equal(await count(), before);
    });

    test('bad identity providers are refused', async () => {
      for (const identity_provider of [
        { enabled: 'yes' },
        { remote_ids: ['x', 'x'] },
        { remote_ids: ['y'.repeat(65)] },
        { authorization_ttl: -1 },
        { bogus: 1 },
      ]) {
        assert.equal((await call('PUT', '/identity_providers/bad', { identity_provider })).status, 400, JSON.stringify(identity_provider));
      }
      assert.equal((await call('PUT', '/identity_providers/bad', { identity_provider: { domain_id: 'f'.repeat(32) } })).status, 404);
      assert.equal((await call('PATCH', '/identity_providers/ACME', { identity_provider: { domain_id: 'default' } })).status, 400);
      assert.equal((await call('PATCH', '/identity_providers/ACME', { identity_provider: {} })).status, 400);
      assert.equal((await call('PATCH', '/identity_providers/none', { identity_provider: { enabled: true } })).status, 404);
      const gone = await call('GET', '/identity_providers/none');
      assert.deepEqual([gone.status, gone.body.error.message], [404, 'Could not find Identity Provider: none.']);
    });

    test('an update changes what it names', async () => {
      const patch = { enabled: true, remote_ids: null, authorization_ttl: 5 };
      const { identity_provider: idp } = (await expect(200, 'PATCH', '/identity_providers/ACME', { identity_provider: patch })).body;
      assert.deepEqual([idp.enabled, idp.remote_ids, idp.authorization_ttl, idp.description], [true, [], 5, 'x']);
      await expect(200, 'PATCH', '/identity_providers/ACME', { identity_provider: { authorization_ttl: null } });
    });

    test('mappings are made, replaced and checked in upstream’s words', async () => {
      const made = await expect(201, 'PUT', '/mappings/m1', { mapping: { rules: RULES } });
      assert.deepEqual(made.body, {
        mapping: { id: 'm1', rules: RULES, schema_version: '1.0', links: { self: `${cloud.url}/v3/OS-FEDERATION/mappings/m1` } },
      });
      const twice = await call('PUT', '/mappings/m1', { mapping: { rules: RULES } });
      assert.deepEqual([twice.status, twice.body.error.message], [409, 'Conflict occurred attempting to store mapping - Duplicate entry.']);
      const empty = await call('PUT', '/mappings/m2', {});
      assert.deepEqual([empty.status, empty.body.error.message], [400, "'rules' is a required property\n"]);
      assert.equal((await call('PUT', '/mappings/m2', { mapping: { rules: RULES, schema_version: '9.9' } })).status, 400);
      for (const version of ['2.0', '3.0']) {
        assert.equal((await expect(200, 'PATCH', '/mappings/m1', { mapping: { rules: RULES, schema_version: version } })).body.mapping.schema_version, version);
      }
      await expect(200, 'PATCH', '/mappings/m1', { mapping: { rules: RULES, 'schema-version': '1.0' } });
      assert.equal((await expect(200, 'GET', '/mappings')).body.mappings[0].id, 'm1');
      const none = await call('GET', '/mappings/none');
      assert.deepEqual([none.status, none.body.error.message], [404, 'Could not find mapping: none.']);
      await expect(201, 'PUT', '/mappings/gone', { mapping: { rules: RULES } });
      await expect(204, 'DELETE', '/mappings/gone');
      await expect(404, 'DELETE', '/mappings/gone');
    });

    test('protocols belong to an identity provider and need a mapping', async () => {
      const path = '/identity_providers/ACME/protocols/openid';
      const lost = await call('PUT', path, { protocol: { mapping_id: 'none' } });
      assert.deepEqual([lost.status, lost.body.error.message], [400, 'Invalid mapping id: none']);
      await expect(404, 'PUT', '/identity_providers/none/protocols/openid', { protocol: { mapping_id: 'm1' } });
      const idpUrl = `${cloud.url}/v3/OS-FEDERATION/identity_providers/ACME`;
      const links = { self: `${idpUrl}/protocols/openid`, identity_provider: idpUrl };
      const made = await expect(201, 'PUT', path, { protocol: { mapping_id: 'm1' } });
      assert.deepEqual(made.body, { protocol: { id: 'openid', mapping_id: 'm1', links } });
      const twice = await call('PUT', path, { protocol: { mapping_id: 'm1' } });
      assert.deepEqual(
        [twice.status, twice.body.error.message],
        [409, 'Conflict occurred attempting to store federation_protocol - Duplicate entry found with ID openid.'],
      );
      assert.deepEqual((await expect(200, 'GET', '/identity_providers/ACME/protocols')).body.protocols, [
        { id: 'openid', idp_id: 'ACME', mapping_id: 'm1', remote_id_attribute: null, links },
      ]);
      await expect(200, 'PATCH', path, { protocol: { mapping_id: 'm1', remote_id_attribute: 'HTTP_OIDC_ISS' } });
      await expect(400, 'PATCH', path, { protocol: { remote_id_attribute: 'x' } });
      await expect(400, 'PATCH', path, { protocol: { mapping_id: 'm1', remote_id_attribute: null } });
      await expect(200, 'PATCH', path, { protocol: { mapping_id: 'm1', remote_id_attribute: '' } });
      const none = await call('GET', '/identity_providers/ACME/protocols/none');
      assert.deepEqual([none.status, none.body.error.message], [404, 'Could not find federated protocol none for Identity Provider: ACME.']);
    });

    test('service providers are shown in every token while they are enabled', async () => {
      const sp = { auth_url: 'https://b/identity/v3/OS-FEDERATION/x/auth', sp_url: 'https://b/Shibboleth.sso/SAML2/ECP' };
      const { service_provider } = (await expect(201, 'PUT', '/service_providers/beta', { service_provider: sp })).body;
      assert.deepEqual(service_provider, {
        id: 'beta',
        enabled: false,
        description: null,
        ...sp,
        relay_state_prefix: 'ss:mem:',
        links: { self: `${cloud.url}/v3/OS-FEDERATION/service_providers/beta` },
      });
      const tokenBody = async () => (await cloud.expect(200, admin, 'GET', '/v3/auth/tokens', undefined, { 'x-subject-token': admin })).body.token;
      assert.equal('service_providers' in (await tokenBody()), false);
      await expect(200, 'PATCH', '/service_providers/beta', { service_provider: { enabled: true } });
      assert.deepEqual((await tokenBody()).service_providers, [{ id: 'beta', ...sp }]);
      assert.equal((await expect(200, 'GET', '/service_providers?enabled=true')).body.service_providers.length, 1);
      await expect(400, 'PUT', '/service_providers/c', { service_provider: { auth_url: sp.auth_url } });
      await expect(400, 'PUT', '/service_providers/c', { service_provider: { ...sp, sp_url: 'https://b/\r\nX-Evil: 1' } });
      await expect(409, 'PUT', '/service_providers/beta', { service_provider: sp });
      await expect(204, 'DELETE', '/service_providers/beta');
      assert.equal('service_providers' in (await tokenBody()), false);
      await expect(404, 'GET', '/service_providers/beta');
    });

    test('only admins manage federation', async () => {
      const { token } = await cloud.person(admin, 'nobody');
      for (const path of ['/identity_providers', '/mappings', '/service_providers', '/identity_providers/ACME/protocols']) {
        assert.equal((await cloud.call(token, 'GET', F + path)).status, 403, path);
        assert.equal((await cloud.call(undefined, 'GET', F + path)).status, 401, path);
      }
    });

    // log-ins, by what a verified assertion says

    const issuer = 'https://idp.example';
    const login = async (attributes: Assertion, protocolId = 'openid', idpId = 'ACME') => {
      const { app } = cloud.keystone;
      return await app.auth.federated(await app.mapped.prove({ idpId, protocolId, issuer, attributes }, who), protocolId);
    };
    const shown = async (token: string): Promise<Answer> => await cloud.call(admin, 'GET', '/v3/auth/tokens', undefined, { 'x-subject-token': token });
    const rescope = (token: string, scope: unknown, method = 'token'): Promise<Answer> =>
      cloud.call(undefined, 'POST', '/v3/auth/tokens', {
        auth: { identity: { methods: [method], [method]: { id: token } }, ...(scope !== undefined && { scope }) },
      });
    const group = async (name: string, role = 'member'): Promise<{ id: string; projectId: string }> => {
      const { id } = (await cloud.expect(201, admin, 'POST', '/v3/groups', { group: { name } })).body.group;
      const projectId = (await cloud.expect(201, admin, 'POST', '/v3/projects', { project: { name: `of ${name}` } })).body.project.id;
      await cloud.expect(204, admin, 'PUT', `/v3/projects/${projectId}/groups/${id}/roles/${cloud.ids.roleIds[role]}`);
      return { id, projectId };
    };
    const fails = async (work: Promise<unknown>, status: number, text?: RegExp): Promise<void> =>
      await assert.rejects(work, (error) => isCairnError(error) && error.status === status && (text?.test(error.message) ?? true));

    test('a log-in makes the user, and its token says whom it vouches for', async () => {
      const devs = await group('devs');
      const token = await login({ 'OIDC-name': ['ann@x'], 'OIDC-email': ['a@x'], 'OIDC-groups': [devs.id] });
      const { status, body } = await shown(token.id);
      assert.equal(status, 200);
      const domainId = (await expect(200, 'GET', '/identity_providers/ACME')).body.identity_provider.domain_id;
      assert.deepEqual(body.token.user, {
        domain: { id: domainId, name: domainId },
        id: createHash('sha256').update(`${domainId}userann%40x`).digest('hex'),
        name: 'ann@x',
        'OS-FEDERATION': { groups: [{ id: devs.id }], identity_provider: { id: 'ACME' }, protocol: { id: 'openid' } },
      });
      assert.deepEqual([body.token.methods, 'roles' in body.token, 'project' in body.token], [['openid'], false, false]);
      const user = (await cloud.expect(200, admin, 'GET', `/v3/users/${body.token.user.id}`)).body.user;
      assert.deepEqual(
        [user.name, user.email, user.enabled, user.federated],
        ['ann@x', 'a@x', true, [{ idp_id: 'ACME', protocols: [{ protocol_id: 'openid', unique_id: 'ann%40x' }] }]],
      );

      const projects = await cloud.expect(200, token.id, 'GET', `${F}/projects`);
      assert.deepEqual(
        projects.body.projects.map((project: { id: string }) => project.id),
        [devs.projectId],
      );
      for (const method of ['token', 'mapped', 'openid', 'saml2']) {
        const scoped = await rescope(token.id, { project: { id: devs.projectId } }, method);
        assert.equal(scoped.status, 201, `${method}: ${JSON.stringify(scoped.body)}`);
        assert.deepEqual(scoped.body.token.roles.map((role: { name: string }) => role.name).toSorted(), ['member', 'reader']);
        assert.equal(scoped.body.token.expires_at, body.token.expires_at, 'no later than the first one');
        assert.equal(scoped.body.token.user['OS-FEDERATION'].protocol.id, 'openid');
        const again = await shown(scoped.headers.get('x-subject-token') ?? '');
        assert.deepEqual(again.body.token.user, scoped.body.token.user);
        if (method === 'token') assert.deepEqual(again.body.token.methods.toSorted(), ['openid', 'token']);
      }
      assert.equal((await rescope(token.id, { project: { id: cloud.ids.adminProjectId } })).status, 401);
      assert.equal((await rescope(token.id, { system: { all: true } })).status, 401);
    });

    test('tokens of a domain and of the system hold what groups and the user themselves have there', async () => {
      const all = await group('leads');
      const token = await login({ 'OIDC-name': ['lena'], 'OIDC-email': ['l@x'], 'OIDC-groups': [all.id] });
      const { userId } = token.claims;
      const roleId = cloud.ids.roleIds.manager;
      await cloud.expect(204, admin, 'PUT', `/v3/domains/default/groups/${all.id}/roles/${roleId}`);
      const inDomain = await rescope(token.id, { domain: { id: 'default' } });
      assert.equal(inDomain.status, 201, JSON.stringify(inDomain.body));
      assert.deepEqual([inDomain.body.token.domain.id, inDomain.body.token.roles[0].domain_id], ['default', null]);
      const shownAgain = await shown(inDomain.headers.get('x-subject-token') ?? '');
      assert.deepEqual([shownAgain.body.token.domain.id, shownAgain.body.token.user['OS-FEDERATION'].protocol.id], ['default', 'openid']);
      const domains = await cloud.expect(200, token.id, 'GET', `${F}/domains`);
      assert.deepEqual(
        domains.body.domains.map((domain: { id: string }) => domain.id),
        ['default'],
      );
      assert.equal((await rescope(token.id, { system: { all: true } })).status, 401);
      await cloud.expect(204, admin, 'PUT', `/v3/system/users/${userId}/roles/${roleId}`);
      const ofSystem = await rescope(token.id, { system: { all: true } });
      assert.equal(ofSystem.status, 201, JSON.stringify(ofSystem.body));
      assert.equal('OS-FEDERATION' in ofSystem.body.token.user, false, 'its payload has no place for that, as upstream’s');
      const scoped = await rescope(token.id, { project: { id: all.projectId } });
      assert.deepEqual(
        scoped.body.token.roles.map((role: { name: string }) => role.name).toSorted(),
        ['member', 'reader'],
        'a role on the system counts there alone',
      );
    });

    test('log-ins are told to the audit', async () => {
      await fails(login({ 'OIDC-name': ['x'] }), 401);
      // the outbox itself: with several writers an event gets its number a moment after its commit
      const rows = (await cloud.world.env.store.read.kysely
        .selectFrom('kit_event' as never)
        .selectAll()
        .execute()) as unknown as readonly { type: string; payload: string }[];
      const records = rows.filter((row) => row.type === 'identity.authenticate').map((row) => JSON.parse(row.payload) as Readonly<Record<string, unknown>>);
      const failure = records.find((record) => record.outcome === 'failure');
      assert.deepEqual((failure?.initiator as { credential?: object } | undefined)?.credential, {
        type: 'http://docs.oasis-open.org/security/saml/v2.0',
        token: 'unknown',
        identity_provider: 'ACME',
        user: 'unknown',
        groups: [],
      });
    });

    test('a second log-in finds the same user and brings name and mail up to date', async () => {
      const rules = [{ local: [{ user: { id: '{0}', name: '{1}', email: '{2}' } }], remote: [{ type: 'sub' }, { type: 'name' }, { type: 'mail' }] }];
      await expect(201, 'PUT', '/mappings/by-id', { mapping: { rules } });
      await expect(201, 'PUT', '/identity_providers/ACME/protocols/byid', { protocol: { mapping_id: 'by-id' } });
      const first = await login({ sub: ['s1'], name: ['Bob'], mail: ['b@1'] }, 'byid');
      const second = await login({ sub: ['s1'], name: ['Bobby'], mail: ['b@2'] }, 'byid');
      assert.equal(second.claims.userId, first.claims.userId);
      assert.deepEqual(second.claims.methods, ['byid'], 'a protocol of any name');
      assert.deepEqual((await shown(second.id)).body.token.methods, ['byid']);
      const { user } = (await cloud.expect(200, admin, 'GET', `/v3/users/${first.claims.userId}`)).body;
      assert.deepEqual([user.name, user.email], ['Bobby', 'b@2']);
      assert.equal((await shown(first.id)).body.token.user.name, 'Bobby');
      const twin = await login({ sub: ['s2'], name: ['Bobby'], mail: ['b@3'] }, 'byid');
      assert.notEqual(twin.claims.userId, first.claims.userId, 'names of federated users need not be unique');
      assert.equal((await cloud.expect(200, admin, 'GET', '/v3/users?name=Bobby')).body.users.length, 2);
      const by = async (query: string) => (await cloud.expect(200, admin, 'GET', `/v3/users?${query}`)).body.users.map((found: { id: string }) => found.id);
      assert.deepEqual(await by('unique_id=s1'), [first.claims.userId]);
      assert.deepEqual((await by('idp_id=ACME&protocol_id=byid')).toSorted(), [first.claims.userId, twin.claims.userId].toSorted());
      assert.deepEqual(await by('idp_id=none'), []);
      assert.equal((await cloud.login({ name: 'Bobby', domain: { id: user.domain_id }, password: 'x' })).status, 401);
    });

    test('OSSA class: one provider’s user is never another’s, whatever they are called', async () => {
      await expect(201, 'PUT', '/identity_providers/EVIL', {
        identity_provider: { enabled: true, domain_id: (await expect(200, 'GET', '/identity_providers/ACME')).body.identity_provider.domain_id },
      });
      await expect(201, 'PUT', '/identity_providers/EVIL/protocols/openid', { protocol: { mapping_id: 'm1' } });
      await login({ 'OIDC-name': ['carl'], 'OIDC-email': ['c@x'] });
      await fails(login({ 'OIDC-name': ['carl'], 'OIDC-email': ['c@x'] }, 'openid', 'EVIL'), 409);
      await expect(204, 'DELETE', '/identity_providers/EVIL');
      assert.equal((await shown((await login({ 'OIDC-name': ['carl'], 'OIDC-email': ['c@x'] })).id)).status, 200);
    });

    test('groups that the identity provider takes away end the tokens that rest on them', async () => {
      const [one, two] = [await group('one'), await group('two')];
      const attributes = (...groups: string[]): Assertion => ({ 'OIDC-name': ['dora'], 'OIDC-email': ['d@x'], 'OIDC-groups': groups });
      const first = await login(attributes(one.id, two.id));
      const same = await login(attributes(one.id, two.id));
      assert.equal((await shown(first.id)).status, 200, 'nothing changed');
      const less = await login(attributes(one.id));
      assert.deepEqual([(await shown(first.id)).status, (await shown(same.id)).status, (await shown(less.id)).status], [404, 404, 200]);
      assert.equal((await rescope(less.id, { project: { id: two.projectId } })).status, 401);
      assert.equal((await rescope(less.id, { project: { id: one.projectId } })).status, 201);
    });

    test('memberships outlive the token for as long as the identity provider says', async () => {
      const ops = await group('ops');
      await expect(200, 'PATCH', '/identity_providers/ACME', { identity_provider: { authorization_ttl: 10 } });
      const token = await login({ 'OIDC-name': ['emil'], 'OIDC-email': ['e@x'], 'OIDC-groups': [ops.id] });
      const { userId } = token.claims;
      const groups = async () => (await cloud.expect(200, admin, 'GET', `/v3/users/${userId}/groups`)).body.groups;
      assert.match((await groups())[0].membership_expires_at, /^2026-11-23T10:10:0\d\.\d{6}$/);
      await cloud.expect(204, admin, 'HEAD', `/v3/groups/${ops.id}/users/${userId}`);
      const projects = (await cloud.expect(200, admin, 'GET', `/v3/users/${userId}/projects`)).body.projects;
      assert.deepEqual(
        projects.map((project: { id: string }) => project.id),
        [ops.projectId],
      );
      const scoped = await rescope(token.id, { project: { id: ops.projectId } });
      const made = await cloud.call(scoped.headers.get('x-subject-token') ?? '', 'POST', `/v3/users/${userId}/application_credentials`, {
        application_credential: { name: 'robot' },
      });
      assert.equal(made.status, 201, JSON.stringify(made.body));
      const { id, secret } = made.body.application_credential;
      const robot = () =>
        cloud.call(undefined, 'POST', '/v3/auth/tokens', {
          auth: { identity: { methods: ['application_credential'], application_credential: { id, secret } } },
        });
      const robotToken = (await robot()).headers.get('x-subject-token') ?? '';
      await clock.advance(9 * 60_000);
      assert.deepEqual([(await robot()).status, (await shown(robotToken)).status], [201, 200]);
      await clock.advance(61_000);
      assert.deepEqual([(await robot()).status, (await shown(robotToken)).status], [401, 404], 'the membership has ended, at once');
      assert.deepEqual(await groups(), []);
      await cloud.expect(404, admin, 'HEAD', `/v3/groups/${ops.id}/users/${userId}`);
      await login({ 'OIDC-name': ['emil'], 'OIDC-email': ['e@x'], 'OIDC-groups': [ops.id] });
      assert.deepEqual([(await robot()).status, (await shown(robotToken)).status], [201, 200], 'and the next log-in renews it');
      await expect(200, 'PATCH', '/identity_providers/ACME', { identity_provider: { authorization_ttl: null } });
      assert.deepEqual(await groups(), [], 'a shorter life holds for those that are there');
    });

    test('projects and roles of a mapping are made, and from version 3.0 taken away again', async () => {
      const rules = (roles: string[]) => [
        { local: [{ user: { name: '{0}' } }, { projects: [{ name: 'dev of {0}', roles: roles.map((name) => ({ name })) }] }], remote: [{ type: 'name' }] },
      ];
      await expect(201, 'PUT', '/mappings/projects', { mapping: { rules: rules(['member', 'reader']) } });
      await expect(201, 'PUT', '/identity_providers/ACME/protocols/projects', { protocol: { mapping_id: 'projects' } });
      const roles = async (): Promise<Record<string, string[]>> => {
        const token = await login({ name: ['fay'] }, 'projects');
        const { role_assignments } = (await cloud.expect(200, admin, 'GET', `/v3/role_assignments?user.id=${token.claims.userId}&include_names`)).body;
        const named: Record<string, string[]> = {};
        for (const { role, scope } of role_assignments) (named[scope.project.name] ??= []).push(role.name);
        for (const list of Object.values(named)) list.sort();
        return named;
      };
      assert.deepEqual(await roles(), { 'dev of fay': ['member', 'reader'] });
      await expect(200, 'PATCH', '/mappings/projects', { mapping: { rules: rules(['manager']) } });
      assert.deepEqual(await roles(), { 'dev of fay': ['manager', 'member', 'reader'] });
      await expect(200, 'PATCH', '/mappings/projects', { mapping: { rules: rules(['manager']), schema_version: '3.0' } });
      assert.deepEqual(await roles(), { 'dev of fay': ['manager'] });
      await expect(200, 'PATCH', '/mappings/projects', { mapping: { rules: rules(['nothing such']) } });
      await fails(login({ name: ['fay'] }, 'projects'), 404, /Could not find role: nothing such/);
      const domainRole = (await cloud.expect(201, admin, 'POST', '/v3/roles', { role: { name: 'of default', domain_id: 'default' } })).body.role;
      await expect(200, 'PATCH', '/mappings/projects', { mapping: { rules: rules([domainRole.name]) } });
      await fails(login({ name: ['gus'] }, 'projects'), 403, /must be within the same domain as the identity provider: ACME/);
      assert.equal((await cloud.expect(200, admin, 'GET', '/v3/users?name=gus')).body.users.length, 0, 'nothing was made');
    });

    test('a mapping may name a user who is here', async () => {
      const person = await cloud.person(admin, 'hal');
      const rules = [{ local: [{ user: { name: '{0}', type: 'local', domain: { id: 'default' } } }], remote: [{ type: 'name' }] }];
      await expect(201, 'PUT', '/mappings/local', { mapping: { rules } });
      await expect(201, 'PUT', '/identity_providers/ACME/protocols/local', { protocol: { mapping_id: 'local' } });
      const token = await login({ name: ['hal'] }, 'local');
      assert.deepEqual([token.claims.userId, token.claims.identityProviderId], [person.userId, undefined]);
      await fails(login({ name: ['nobody at all'] }, 'local'), 401);
      await cloud.expect(200, admin, 'PATCH', `/v3/users/${person.userId}`, { user: { enabled: false } });
      await fails(login({ name: ['hal'] }, 'local'), 401);
    });

    test('what is wrong with a log-in is a 401, with a mapping a 500, and neither tells more', async () => {
      await fails(login({ 'OIDC-name': ['x'] }), 401);
      await fails(login({ 'OIDC-name': ['x'], 'OIDC-email': ['x'], 'OIDC-groups': ['f'.repeat(32)] }), 500);
      await fails(login({ 'OIDC-name': ['x'], 'OIDC-email': ['x'] }, 'none'), 404);
      await fails(login({ 'OIDC-name': ['x'], 'OIDC-email': ['x'] }, 'openid', 'none'), 404);
      await fails(login({ 'OIDC-name': ['n'.repeat(300)], 'OIDC-email': ['x'] }), 401);
      await expect(200, 'PATCH', '/identity_providers/ACME', { identity_provider: { remote_ids: ['https://right'] } });
      await fails(login({ 'OIDC-name': ['x'], 'OIDC-email': ['x'] }), 403);
      await expect(200, 'PATCH', '/identity_providers/ACME', { identity_provider: { remote_ids: [issuer] } });
      assert.ok(await login({ 'OIDC-name': ['x'], 'OIDC-email': ['x'] }));
      await expect(200, 'PATCH', '/identity_providers/ACME/protocols/openid', { protocol: { mapping_id: 'm1', remote_id_attribute: 'HTTP_OIDC_ISS' } });
      await fails(login({ 'OIDC-name': ['x'], 'OIDC-email': ['x'] }), 401);
      assert.ok(await login({ 'OIDC-name': ['x'], 'OIDC-email': ['x'], HTTP_OIDC_ISS: [issuer] }));
      await expect(200, 'PATCH', '/identity_providers/ACME', { identity_provider: { enabled: false } });
      await fails(login({ 'OIDC-name': ['x'], 'OIDC-email': ['x'], HTTP_OIDC_ISS: [issuer] }), 403);
      await expect(200, 'PATCH', '/identity_providers/ACME', { identity_provider: { enabled: true, remote_ids: [] } });
    });

    test('an identity provider that is disabled rescopes no token', async () => {
      const devs = await group('rescoped');
      const token = await login({ 'OIDC-name': ['ida'], 'OIDC-email': ['i@x'], 'OIDC-groups': [devs.id] });
      await expect(200, 'PATCH', '/identity_providers/ACME', { identity_provider: { enabled: false } });
      assert.equal((await rescope(token.id, { project: { id: devs.projectId } })).status, 403);
      await expect(200, 'PATCH', '/identity_providers/ACME', { identity_provider: { enabled: true } });
      assert.equal((await rescope(token.id, { project: { id: devs.projectId } })).status, 201);
    });

    test('OSSA class 16: naming an identity provider in a body or in headers proves nothing', async () => {
      const forged = {
        REMOTE_USER: 'ann@x',
        'REMOTE-USER': 'ann@x',
        'X-Remote-User': 'ann@x',
        'OIDC-name': 'ann@x',
        'OIDC-email': 'a@x',
        HTTP_OIDC_ISS: issuer,
        OIDC_CLAIM_sub: 'ann@x',
        MELLON_NAME_ID: 'ann@x',
        'Shib-Identity-Provider': issuer,
        'X-User-Id': cloud.ids.adminUserId,
        'X-Roles': 'admin',
      };
      for (const method of ['mapped', 'openid', 'saml2', 'external']) {
        const body = { auth: { identity: { methods: [method], [method]: { identity_provider: 'ACME', protocol: 'openid' } } } };
        assert.equal((await cloud.call(undefined, 'POST', '/v3/auth/tokens', body, forged)).status, 401, method);
      }
      assert.equal((await cloud.call(undefined, 'GET', `${F}/projects`, undefined, forged)).status, 401);
      const other = await cloud.person(admin, 'otto');
      for (const method of ['mapped', 'saml2'])
        assert.equal((await rescope(other.token, undefined, method)).status, 401, 'nor is another token that of a federated user');
    });

    test('users may be told of identity providers by the API, and a log-in then finds them', async () => {
      const federated = [{ idp_id: 'ACME', protocols: [{ protocol_id: 'byid', unique_id: 'known' }] }];
      const { user } = (await cloud.expect(201, admin, 'POST', '/v3/users', { user: { name: 'judy', federated } })).body;
      assert.deepEqual(user.federated, federated);
      const token = await login({ sub: ['known'], name: ['Another Name'], mail: ['j@x'] }, 'byid');
      assert.equal(token.claims.userId, user.id);
      assert.equal((await cloud.expect(200, admin, 'GET', `/v3/users/${user.id}`)).body.user.name, 'judy', 'a user with a name keeps it');
      const moved = [{ idp_id: 'ACME', protocols: [{ protocol_id: 'byid', unique_id: 'moved' }] }];
      assert.deepEqual((await cloud.expect(200, admin, 'PATCH', `/v3/users/${user.id}`, { user: { federated: moved } })).body.user.federated, moved);
      assert.deepEqual((await cloud.expect(200, admin, 'PATCH', `/v3/users/${user.id}`, { user: { description: 'x' } })).body.user.federated, moved);
      for (const [bad, text] of [
        [[{ idp_id: 'none', protocols: [{ protocol_id: 'byid', unique_id: 'u' }] }], 'Could not find Identity Provider: none'],
        [[{ idp_id: 'ACME', protocols: [{ protocol_id: 'no', unique_id: 'u' }] }], 'Could not find federated protocol no for Identity Provider: ACME.'],
      ] as const) {
        const answer = await cloud.call(admin, 'POST', '/v3/users', { user: { name: 'kim', federated: bad } });
        assert.deepEqual([answer.status, answer.body.error.message], [400, text]);
      }
      for (const bad of [[{}], [{ idp_id: 'ACME', protocols: [] }], [{ idp_id: 'ACME' }], ['x'], {}]) {
        assert.equal((await cloud.call(admin, 'POST', '/v3/users', { user: { name: 'kim', federated: bad } })).status, 400, JSON.stringify(bad));
      }
      assert.equal((await cloud.call(admin, 'POST', '/v3/users', { user: { name: 'lea', federated: moved } })).status, 409);
    });

    test('with a protocol go the users that came by it alone, and their tokens', async () => {
      await expect(201, 'PUT', '/identity_providers/ACME/protocols/soon', { protocol: { mapping_id: 'by-id' } });
      const token = await login({ sub: ['solo'], name: ['Solo'], mail: ['s@x'] }, 'soon');
      await expect(204, 'DELETE', '/identity_providers/ACME/protocols/soon');
      await cloud.expect(404, admin, 'GET', `/v3/users/${token.claims.userId}`);
      assert.equal((await shown(token.id)).status, 404);
      await expect(404, 'DELETE', '/identity_providers/ACME/protocols/soon');
    });

    test('with an identity provider go its protocols, users and tokens; with a domain its identity providers', async () => {
      const token = await login({ 'OIDC-name': ['last'], 'OIDC-email': ['l@x'] });
      const judy = (await cloud.expect(200, admin, 'GET', '/v3/users?name=judy')).body.users[0].id;
      const domainId = (await expect(200, 'GET', '/identity_providers/ACME')).body.identity_provider.domain_id;
      await expect(204, 'DELETE', '/identity_providers/ACME');
      assert.equal((await shown(token.id)).status, 404);
      await cloud.expect(404, admin, 'GET', `/v3/users/${token.claims.userId}`);
      assert.equal('federated' in (await cloud.expect(200, admin, 'GET', `/v3/users/${judy}`)).body.user, false, 'a local user stays');
      await expect(201, 'PUT', '/identity_providers/NEXT', { identity_provider: { domain_id: domainId } });
      await cloud.expect(200, admin, 'PATCH', `/v3/domains/${domainId}`, { domain: { enabled: false } });
      await cloud.expect(204, admin, 'DELETE', `/v3/domains/${domainId}`);
      await expect(404, 'GET', '/identity_providers/NEXT');
    });
  });
}
