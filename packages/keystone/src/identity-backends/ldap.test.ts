import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Clock, systemClock } from '@cairn/kit/clock/clock';
import { engines } from '@cairn/kit/store/testing';
import { directoryConfig, dnOf, GROUPS_DN, ldifOf, type Person, USERS_DN } from '../testing/directory.ts';
import { TestCloud } from '../testing/cloud.ts';
import { ROOT_PASSWORD, Slapd, slapdMissing, SUFFIX } from '../testing/slapd.ts';
import { publicIdOf } from './ldap.ts';

const ann: Person = {
  uid: 'ann',
  cn: 'Ann Lee',
  password: 'ann-pass',
  lines: ['mail: ann@example.org', 'description: likes stones', 'accountControl: 512', 'accountLock: false'],
};
const bob: Person = { uid: 'bob', cn: 'Bob', password: 'bob-pass', lines: ['accountControl: 514', 'accountLock: true'] };
const odd: Person = { uid: 'o*(d)\\d,', cn: 'Odd *)(uid=*', password: 'odd-pass', parent: `ou=remote,${USERS_DN}` };
const nameless: Person = { uid: 'nameless', cn: ' ', password: 'x' };
const umlaut: Person = { uid: 'jörg', cn: 'Jörg 李', password: 'pässword' };
const PEOPLE = [ann, bob, odd, umlaut];

for (const engine of engines()) {
  describe(`${engine}: a domain whose users are in an LDAP directory`, { skip: slapdMissing() }, () => {
    let shiftMs = 0;
    const clock: Clock = { ...systemClock, nowMs: () => Date.now() + shiftMs };
    let slapd: Slapd;
    let cloud: TestCloud;
    let admin: string;
    let domainId: string;

    before(async () => {
      slapd = await Slapd.start(ldifOf([...PEOPLE], { staff: [ann, odd, `uid=gone,${USERS_DN}`, `cn=staff,${GROUPS_DN}`], empty: [`uid=gone,${USERS_DN}`] }));
      cloud = await TestCloud.start({ engine, clock });
      admin = await cloud.admin();
      domainId = await domainWith('company');
    });
    after(async () => {
      await cloud?.close();
      await slapd?.stop();
    });

    async function domainWith(name: string, more: Readonly<Record<string, unknown>> = {}): Promise<string> {
      const { id } = (await cloud.expect(201, admin, 'POST', '/v3/domains', { domain: { name } })).body.domain;
      await cloud.expect(201, admin, 'PUT', `/v3/domains/${id}/config`, { config: directoryConfig(slapd.url, more) });
      return id;
    }
    type Wire = { readonly id: string; readonly name: string; readonly enabled: boolean };
    const users = async (query: string): Promise<Wire[]> => (await cloud.expect(200, admin, 'GET', `/v3/users?${query}`)).body.users;
    const names = async (query: string): Promise<string[]> => (await users(query)).map((user) => user.name).toSorted();
    const idOf = (person: Person, domain = domainId): string => publicIdOf(domain, 'user', person.uid);
    const login = (person: Person, password: string, domain = domainId) => cloud.login({ name: person.cn, domain: { id: domain }, password });

    test('users are listed and shown, with public ids made of domain, kind and local id', async () => {
      assert.deepEqual(await names(`domain_id=${domainId}`), PEOPLE.map((person) => person.cn).toSorted());
      const shown = (await cloud.expect(200, admin, 'GET', `/v3/users/${idOf(ann)}`)).body.user;
      assert.deepEqual(shown, {
        id: idOf(ann),
        name: 'Ann Lee',
        domain_id: domainId,
        enabled: true,
        email: 'ann@example.org',
        description: 'likes stones',
        password_expires_at: null,
        options: {},
        links: { self: `${cloud.url}/v3/users/${idOf(ann)}` },
      });
      assert.match(idOf(ann), /^[0-9a-f]{64}$/);
      assert.equal((await names('')).includes('Ann Lee'), false, 'a list without a domain is keystone’s own');
      await cloud.expect(404, admin, 'GET', `/v3/users/${publicIdOf(domainId, 'user', 'nobody')}`);
    });

    test('lists are filtered and paged', async () => {
      assert.deepEqual(await names(`domain_id=${domainId}&name=${encodeURIComponent('ann lee')}`), ['Ann Lee'], 'names compare as the directory compares them');
      assert.deepEqual(await names(`domain_id=${domainId}&name__icontains=AN`), ['Ann Lee']);
      assert.deepEqual(await names(`domain_id=${domainId}&name__contains=AN`), []);
      assert.deepEqual(await names(`domain_id=${domainId}&name__startswith=B`), ['Bob']);
      assert.deepEqual(await names(`domain_id=${domainId}&name__iendswith=B`), ['Bob']);
      const seen: string[] = [];
      let path: string | null = `/v3/users?domain_id=${domainId}&limit=3`;
      while (path !== null) {
        const { body } = await cloud.expect(200, admin, 'GET', path);
        assert.ok(body.users.length <= 3);
        seen.push(...body.users.map((user: Wire) => user.id));
        path = body.links.next === null ? null : body.links.next.slice(cloud.url.length);
      }
      assert.deepEqual(seen, PEOPLE.map((person) => idOf(person)).toSorted());
      await cloud.expect(404, admin, 'GET', `/v3/users?domain_id=${domainId}&marker=none`);
    });

    test('OSSA class 25: what a query says never becomes part of an LDAP filter', async () => {
      for (const text of ['*', '*)(uid=*', 'Ann Lee)(cn=*', '\\2a', 'Ann*', '(&)', '*)(|(cn=*']) {
        const found = await names(`domain_id=${domainId}&name=${encodeURIComponent(text)}`);
        assert.deepEqual(found, [], `name=${JSON.stringify(text)}`);
        assert.equal((await cloud.login({ name: text, domain: { id: domainId }, password: 'ann-pass' })).status, 401);
      }
      assert.deepEqual(await names(`domain_id=${domainId}&name=${encodeURIComponent(odd.cn)}`), [odd.cn], 'such names may be real ones');
      assert.deepEqual(await names(`domain_id=${domainId}&name__icontains=${encodeURIComponent('*)(uid')}`), [odd.cn]);
      assert.equal((await login(odd, 'odd-pass')).status, 201);
    });

    test('a login binds as the user; a wrong, an empty and no password are refused alike', async () => {
      for (const person of [ann, bob, umlaut]) {
        const answer = await login(person, person.password as string);
        assert.equal(answer.status, 201, person.cn);
        assert.deepEqual(answer.body.token.user.domain, { id: domainId, name: 'company' });
        assert.equal(answer.body.token.user.name, person.cn);
      }
      assert.equal((await cloud.login({ id: idOf(ann), password: 'ann-pass' })).status, 201);
      const refused = await login(ann, 'bob-pass');
      for (const answer of [
        await login(ann, ''),
        await cloud.login({ name: ann.cn, domain: { id: domainId } }),
        await login({ uid: 'x', cn: 'nobody' }, 'ann-pass'),
      ]) {
        assert.deepEqual([answer.status, answer.body], [401, refused.body]);
      }
      assert.equal((await login(ann, 'ann-pass', 'default')).status, 401, 'a user of this domain alone');
    });

    test('OSSA-2021-003: known and unknown users of the directory are told the same, and each costs a hash of ours', async (t) => {
      const verify = t.mock.method(cloud.keystone.app.passwords, 'verify');
      for (const person of [ann, bob, { uid: 'x', cn: 'nobody' }]) {
        const before = verify.mock.callCount();
        assert.equal((await login(person, 'wrong')).status, 401);
        assert.equal(verify.mock.callCount() - before, 1, person.cn);
      }
    });

    test('groups and memberships are the directory’s', async () => {
      const { groups } = (await cloud.expect(200, admin, 'GET', `/v3/groups?domain_id=${domainId}`)).body;
      const staff = publicIdOf(domainId, 'group', 'staff');
      assert.deepEqual(groups.map((group: { name: string; description: string }) => [group.name, group.description]).toSorted(), [
        ['empty-name', 'about empty'],
        ['staff-name', 'about staff'],
      ]);
      assert.equal((await cloud.expect(200, admin, 'GET', `/v3/groups/${staff}`)).body.group.domain_id, domainId);
      const members = async (group: string): Promise<string[]> =>
        (await cloud.expect(200, admin, 'GET', `/v3/groups/${group}/users`)).body.users.map((user: Wire) => user.name).toSorted();
      assert.deepEqual(await members(staff), [ann.cn, odd.cn].toSorted(), 'members that are no users are passed over');
      assert.deepEqual(await members(publicIdOf(domainId, 'group', 'empty')), []);
      const ofAnn = (await cloud.expect(200, admin, 'GET', `/v3/users/${idOf(ann)}/groups`)).body.groups;
      assert.deepEqual(
        ofAnn.map((group: { id: string; membership_expires_at: unknown }) => [group.id, group.membership_expires_at]),
        [[staff, null]],
      );
      await cloud.expect(204, admin, 'GET', `/v3/groups/${staff}/users/${idOf(ann)}`);
      await cloud.expect(204, admin, 'HEAD', `/v3/groups/${staff}/users/${idOf(odd)}`);
      await cloud.expect(404, admin, 'GET', `/v3/groups/${staff}/users/${idOf(bob)}`);
      assert.deepEqual((await cloud.expect(200, admin, 'GET', `/v3/groups?domain_id=${domainId}&name__istartswith=STA`)).body.groups.length, 1);
    });

    test('a role of a group is a role of its members, in tokens and in lists', async () => {
      const project = (await cloud.expect(201, admin, 'POST', '/v3/projects', { project: { name: 'work', domain_id: domainId } })).body.project.id;
      const staff = publicIdOf(domainId, 'group', 'staff');
      const scoped = (person: Person) => cloud.login({ name: person.cn, domain: { id: domainId }, password: person.password }, { project: { id: project } });
      assert.equal((await scoped(ann)).status, 401);
      await cloud.expect(204, admin, 'PUT', `/v3/projects/${project}/groups/${staff}/roles/${cloud.ids.roleIds.member}`);
      const answer = await scoped(ann);
      assert.equal(answer.status, 201);
      assert.deepEqual(answer.body.token.roles.map((role: { name: string }) => role.name).toSorted(), ['member', 'reader']);
      assert.equal((await scoped(bob)).status, 401);
      const token = answer.headers.get('x-subject-token') ?? '';
      assert.equal((await cloud.expect(200, token, 'GET', '/v3/auth/projects')).body.projects[0].id, project);
      assert.equal((await cloud.expect(200, token, 'GET', '/v3/auth/tokens', undefined, { 'x-subject-token': token })).body.token.user.id, idOf(ann));

      const effective = (await cloud.expect(200, admin, 'GET', `/v3/role_assignments?effective&include_names&scope.project.id=${project}`)).body
        .role_assignments;
      assert.deepEqual([...new Set(effective.map((line: { user: { name: string } }) => line.user.name))].toSorted(), [ann.cn, odd.cn].toSorted());
      const direct = (await cloud.expect(200, admin, 'GET', `/v3/role_assignments?include_names&group.id=${staff}`)).body.role_assignments;
      assert.deepEqual(direct[0].group, { id: staff, name: 'staff-name', domain: { id: domainId, name: 'company' } });

      // roles of one's own, application credentials and trusts work with public ids too
      await cloud.expect(204, admin, 'PUT', `/v3/projects/${project}/users/${idOf(bob)}/roles/${cloud.ids.roleIds.reader}`);
      assert.equal((await scoped(bob)).status, 201);
      const credential = await cloud.expect(201, token, 'POST', `/v3/users/${idOf(ann)}/application_credentials`, {
        application_credential: { name: 'c', secret: 's' },
      });
      const { id, secret } = credential.body.application_credential;
      const by = await cloud.call(undefined, 'POST', '/v3/auth/tokens', {
        auth: { identity: { methods: ['application_credential'], application_credential: { id, secret } } },
      });
      assert.equal(by.status, 201);
      const trust = { trustor_user_id: idOf(ann), trustee_user_id: idOf(bob), project_id: project, impersonation: false, roles: [{ name: 'member' }] };
      const lent = (await cloud.expect(201, token, 'POST', '/v3/OS-TRUST/trusts', { trust })).body.trust;
      assert.equal((await cloud.login({ id: idOf(bob), password: bob.password }, { 'OS-TRUST:trust': { id: lent.id } })).status, 201);
    });

    test('nothing can be written', async () => {
      const staff = publicIdOf(domainId, 'group', 'staff');
      const message = 'You are not authorized to perform the requested action.';
      for (const [method, path, body] of [
        ['POST', '/v3/users', { user: { name: 'new', domain_id: domainId } }],
        ['PATCH', `/v3/users/${idOf(ann)}`, { user: { name: 'new' } }],
        ['DELETE', `/v3/users/${idOf(ann)}`, undefined],
        ['POST', '/v3/groups', { group: { name: 'new', domain_id: domainId } }],
        ['PATCH', `/v3/groups/${staff}`, { group: { name: 'new' } }],
        ['DELETE', `/v3/groups/${staff}`, undefined],
        ['PUT', `/v3/groups/${staff}/users/${idOf(bob)}`, undefined],
        ['DELETE', `/v3/groups/${staff}/users/${idOf(ann)}`, undefined],
      ] as const) {
        assert.equal((await cloud.expect(403, admin, method, path, body)).body.error.message, message, `${method} ${path}`);
      }
      const change = (original_password: string) =>
        cloud.call(undefined, 'POST', `/v3/users/${idOf(ann)}/password`, { user: { original_password, password: 'new' } });
      assert.deepEqual([(await change('wrong')).status, (await change('ann-pass')).status], [401, 403]);
      const own = (await cloud.expect(201, admin, 'POST', '/v3/users', { user: { name: 'sql' } })).body.user.id;
      const mixed = await cloud.expect(403, admin, 'PUT', `/v3/groups/${staff}/users/${own}`);
      assert.equal(mixed.body.error.message, `Group membership across backend boundaries is not allowed. Group in question is ${staff}, user is ${own}.`);
    });

    test('OSSA-2026-007: only a plain true lets in: by attribute, inverted, by mask and by group', async () => {
      const enabled = async (name: string, more: object): Promise<Record<string, boolean>> => {
        const id = await domainWith(name, { ...more, user_filter: '(|(uid=ann)(uid=bob)(uid=jörg))' });
        const shown = Object.fromEntries((await users(`domain_id=${id}`)).map((user) => [user.name, user.enabled]));
        for (const person of [ann, bob, umlaut]) {
          assert.equal((await login(person, person.password as string, id)).status, shown[person.cn] ? 201 : 401, `${name}: ${person.cn}`);
        }
        assert.deepEqual(
          (await names(`domain_id=${id}&enabled=false`)).toSorted(),
          Object.keys(shown)
            .filter((each) => !shown[each])
            .toSorted(),
        );
        return { ann: shown[ann.cn] as boolean, bob: shown[bob.cn] as boolean, jörg: shown[umlaut.cn] as boolean };
      };
      assert.deepEqual(await enabled('by default', {}), { ann: true, bob: true, jörg: true });
      assert.deepEqual(await enabled('by attribute', { user_enabled_attribute: 'accountLock' }), { ann: false, bob: true, jörg: true });
      assert.deepEqual(await enabled('inverted', { user_enabled_attribute: 'accountLock', user_enabled_invert: true, user_enabled_default: 'False' }), {
        ann: true,
        bob: false,
        jörg: true,
      });
      assert.deepEqual(await enabled('by mask', { user_enabled_attribute: 'accountControl', user_enabled_mask: 2, user_enabled_default: '512' }), {
        ann: true,
        bob: false,
        jörg: true,
      });
      assert.deepEqual(await enabled('mask, no default', { user_enabled_attribute: 'accountControl', user_enabled_mask: 2 }), {
        ann: true,
        bob: false,
        jörg: false,
      });
      assert.deepEqual(await enabled('odd text', { user_enabled_attribute: 'description' }), { ann: false, bob: true, jörg: true });
      assert.deepEqual(await enabled('by group', { user_enabled_emulation: true, user_enabled_emulation_dn: `cn=staff,${GROUPS_DN}` }), {
        ann: true,
        bob: false,
        jörg: false,
      });
      assert.deepEqual(await enabled('ignored', { user_enabled_attribute: 'accountLock', user_attribute_ignore: ['enabled'] }), {
        ann: true,
        bob: true,
        jörg: true,
      });
    });

    test('scope, filters and attributes are the configured ones', async () => {
      const one = await domainWith('one level', { query_scope: 'one' });
      assert.equal((await names(`domain_id=${one}`)).includes(odd.cn), false, 'below another unit');
      const filtered = await domainWith('filtered', { user_filter: '(uid=a*)', group_filter: '(cn=staff)' });
      assert.deepEqual(await names(`domain_id=${filtered}`), [ann.cn]);
      assert.equal((await login(bob, 'bob-pass', filtered)).status, 401, 'who is filtered out cannot log in');
      assert.deepEqual((await cloud.expect(200, admin, 'GET', `/v3/groups?domain_id=${filtered}`)).body.groups.length, 1);
      const plain = await domainWith('plain', { user_attribute_ignore: ['email', 'description'] });
      const shown = (await users(`domain_id=${plain}&name=Ann%20Lee`))[0] as object;
      assert.deepEqual(['email' in shown, 'description' in shown], [false, false]);
      const byMail = await domainWith('by mail', { user_id_attribute: 'mail' });
      assert.deepEqual(await names(`domain_id=${byMail}`), [ann.cn], 'who has no id is not there');
      assert.deepEqual((await users(`domain_id=${byMail}`))[0]?.id, publicIdOf(byMail, 'user', 'ann@example.org'));
      const staff = (await cloud.expect(200, admin, 'GET', `/v3/groups?domain_id=${byMail}&name=staff-name`)).body.groups[0].id;
      assert.equal((await cloud.expect(200, admin, 'GET', `/v3/groups/${staff}/users`)).body.users.length, 1, 'ids that are not in the DN');
      const nowhere = await domainWith('nowhere', { user_tree_dn: `ou=none,${SUFFIX}` });
      assert.deepEqual(await names(`domain_id=${nowhere}`), []);
    });

    test('a token of a domain of users lists its own, and a project in such a domain too', async () => {
      await cloud.expect(204, admin, 'PUT', `/v3/domains/${domainId}/users/${idOf(ann)}/roles/${cloud.ids.roleIds.manager}`);
      const token = await cloud.tokenOf({ id: idOf(ann), password: ann.password }, { domain: { id: domainId } });
      const listed = (await cloud.expect(200, token, 'GET', '/v3/users')).body.users;
      assert.equal(listed.length, PEOPLE.length);
      await cloud.expect(200, token, 'GET', `/v3/users/${idOf(bob)}`);
    });

    test('a change of the configuration counts at once, tokens included', async () => {
      const id = await domainWith('changing');
      const token = await cloud.tokenOf({ name: ann.cn, domain: { id }, password: ann.password });
      await cloud.expect(200, token, 'GET', `/v3/users/${idOf(ann, id)}`);
      await cloud.expect(200, admin, 'PATCH', `/v3/domains/${id}/config/ldap`, { config: { ldap: { user_filter: '(uid=bob)' } } });
      assert.deepEqual(await names(`domain_id=${id}`), [bob.cn]);
      await cloud.expect(401, token, 'GET', `/v3/users/${idOf(ann, id)}`);
      await cloud.expect(204, admin, 'DELETE', `/v3/domains/${id}/config`);
      assert.deepEqual(await names(`domain_id=${id}`), [], 'keystone’s own again');
      await cloud.expect(404, admin, 'GET', `/v3/users/${idOf(bob, id)}`);
    });

    test('the domain goes with all that was known of its users', async () => {
      const id = await domainWith('leaving');
      const project = (await cloud.expect(201, admin, 'POST', '/v3/projects', { project: { name: 'work' } })).body.project.id;
      await users(`domain_id=${id}`);
      await cloud.expect(204, admin, 'PUT', `/v3/projects/${project}/users/${idOf(ann, id)}/roles/${cloud.ids.roleIds.reader}`);
      await cloud.expect(200, admin, 'PATCH', `/v3/domains/${id}`, { domain: { enabled: false } });
      assert.equal((await login(ann, 'ann-pass', id)).status, 401);
      await cloud.expect(204, admin, 'DELETE', `/v3/domains/${id}`);
      assert.deepEqual((await cloud.expect(200, admin, 'GET', `/v3/role_assignments?scope.project.id=${project}`)).body.role_assignments, []);
      await cloud.expect(404, admin, 'GET', `/v3/users/${idOf(ann, id)}`);
    });

    test('pages of the directory’s own are asked for; without them its limit is told', async () => {
      const many = Array.from({ length: 60 }, (_, i): Person => ({ uid: `u${i}`, cn: `User ${i}` }));
      const reader: Person = { uid: 'reader', cn: 'Reader', password: 'reader-pass' };
      const limited = await Slapd.start(ldifOf([...many, reader], {}), ['sizelimit size=20 size.prtotal=unlimited']);
      try {
        const bound = { url: limited.url, user: dnOf(reader), password: 'reader-pass' };
        const paged = await domainWith('paged', { ...bound, page_size: 10 });
        assert.equal((await users(`domain_id=${paged}`)).length, 61);
        const whole = await domainWith('whole', bound);
        const refused = await cloud.expect(503, admin, 'GET', `/v3/users?domain_id=${whole}`);
        assert.match(refused.body.error.message, /exceeded size limit/);
        await cloud.expect(200, admin, 'PATCH', `/v3/domains/${paged}/config`, { config: { identity: { list_limit: 7 } } });
        const { body } = await cloud.expect(200, admin, 'GET', `/v3/users?domain_id=${paged}`);
        assert.deepEqual([body.users.length, body.truncated], [7, true]);
      } finally {
        await limited.stop();
      }
    });

    test('TLS: ldaps and StartTLS with the certificate that is believed, and no other', async (t) => {
      const { secure } = slapd;
      if (!secure) {
        t.skip('openssl is missing');
        return;
      }
      const tls = { tls_cacertfile: secure.certificate };
      const plain = slapd.url.replace('127.0.0.1', 'localhost');
      for (const [name, more, works] of [
        ['ldaps', { url: secure.url, ...tls }, true],
        ['StartTLS', { url: plain, use_tls: true, ...tls }, true],
        ['ldaps, unknown', { url: secure.url }, false],
        ['StartTLS, unknown', { url: plain, use_tls: true }, false],
        ['ldaps, unasked', { url: secure.url, tls_req_cert: 'never' }, true],
        ['both', { url: secure.url, use_tls: true, ...tls }, false],
      ] as const) {
        const id = await domainWith(name, more);
        assert.equal((await cloud.call(admin, 'GET', `/v3/users?domain_id=${id}`)).status, works ? 200 : 503, name);
        assert.equal((await login(ann, 'ann-pass', id)).status, works ? 201 : 503, name);
      }
    });

    test('a directory that is away, or configured wrongly, is told as that, without its secrets', async () => {
      const wrong = await domainWith('wrong', { password: 'not-the-password' });
      const refused = await cloud.expect(503, admin, 'GET', `/v3/users?domain_id=${wrong}`);
      assert.equal(refused.body.error.message, 'Unable to authenticate against Identity backend - Invalid username or password');
      const broken: [string, Readonly<Record<string, unknown>>][] = [
        ['gone', { url: 'ldap://127.0.0.1:1' }],
        ['kind', { page_size: 'many' }],
        ['filter', { user_filter: '(uid=' }],
        ['scheme', { url: 'http://directory' }],
      ];
      for (const [name, more] of broken) {
        const id = await domainWith(name, more);
        const answer = await cloud.expect(503, admin, 'GET', `/v3/users?domain_id=${id}`);
        assert.ok(!JSON.stringify(answer.body).includes(ROOT_PASSWORD));
        assert.equal((await login(ann, 'ann-pass', id)).status, 503);
      }
      const second = await domainWith('second', { url: `ldap://127.0.0.1:1,${slapd.url}` });
      assert.equal((await names(`domain_id=${second}`)).length, PEOPLE.length, 'the next server is asked');
      await cloud.expect(200, admin, 'GET', '/v3/users');
    });

    test('what the directory said is believed for a minute: then a user who is gone has no token', async () => {
      const leaver: Person = { uid: 'leaver', cn: 'Leaver', password: 'p' };
      const first = await Slapd.start(ldifOf([leaver], {}));
      const second = await Slapd.start(ldifOf([ann], {}));
      try {
        // two names of one directory: what differs stands for a change of it
        const id = await domainWith('leavers', { url: `${first.url},${second.url}` });
        const token = await cloud.tokenOf({ name: 'Leaver', domain: { id }, password: 'p' });
        const me = `/v3/users/${publicIdOf(id, 'user', 'leaver')}`;
        await cloud.expect(200, token, 'GET', me);
        await first.stop();
        assert.equal((await cloud.call(token, 'GET', '/v3/auth/tokens', undefined, { 'x-subject-token': token })).status, 200);
        shiftMs += 61_000;
        assert.equal((await cloud.call(token, 'GET', '/v3/auth/tokens', undefined, { 'x-subject-token': token })).status, 401);
      } finally {
        shiftMs = 0;
        await first.stop();
        await second.stop();
      }
    });

    test('names that are only white space are no names', async () => {
      const server = await Slapd.start(ldifOf([ann, nameless], {}));
      const id = await domainWith('nameless', { url: server.url });
      assert.deepEqual(await names(`domain_id=${id}`), [ann.cn]);
      await server.stop();
    });

    test('the DN of an odd id is found again', () => {
      assert.equal(dnOf(odd), `uid=o*(d)\\\\d\\,,ou=remote,${USERS_DN}`);
    });
  });
}
