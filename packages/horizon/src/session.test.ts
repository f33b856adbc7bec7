import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Call, type SessionAnswer, Sessions } from './session.ts';
import type { SessionView } from './session-view.ts';

const NOW_MS = Date.parse('2026-01-01T00:00:00Z');
const USER = { id: 'u1', name: 'ann', domain: { id: 'default', name: 'Default' } };
const project = (id: string) => ({ id, name: `name of ${id}`, domain: USER.domain });

interface Identity {
  readonly token?: { readonly id: string };
  readonly password?: { readonly user: { readonly password: string } };
  readonly methods: readonly string[];
  readonly totp?: { readonly user: { readonly passcode: string } };
}

/** A keystone of one user with a password, perhaps a second factor, and projects. Knows which tokens are valid. */
function keystone(options: { readonly totp?: string; readonly expired?: boolean; readonly projects?: readonly { id: string; enabled?: boolean }[] } = {}) {
  const projects = (options.projects ?? [{ id: 'p1' }, { id: 'p2' }]).map(({ id, enabled = true }) => ({
    id,
    name: `name of ${id}`,
    domain_id: 'default',
    enabled,
    links: {},
  }));
  const tokens = new Map<string, string | undefined>();
  let count = 0;
  let password = 'right';
  let expired = options.expired ?? false;
  const issue = (projectId: string | undefined) => {
    count += 1;
    const id = `token${count}`;
    tokens.set(id, projectId);
    return { status: 201, headers: { 'x-subject-token': id }, body: { token: described(projectId) } };
  };
  const described = (projectId: string | undefined) => ({
    user: USER,
    ...(projectId === 'system'
      ? { system: { all: true } }
      : projectId?.startsWith('domain ')
        ? { domain: { id: projectId.slice(7), name: 'one' } }
        : projectId !== undefined && { project: project(projectId), roles: [{ id: 'r', name: 'member' }] }),
    expires_at: '2026-01-01T01:00:00.000000Z',
    catalog: [
      {
        type: 'compute',
        name: 'nova',
        endpoints: [
          { interface: 'public', url: 'http://c', region: 'R' },
          { interface: 'admin', url: 'http://a', region: 'R' },
        ],
      },
    ],
  });
  const refused = { status: 401, headers: {}, body: { error: { code: 401, message: 'no' } } };
  const call: Call = async ({ method, url, token, headers, body }) => {
    if (url === '/identity/v3/auth/domains')
      return {
        status: 200,
        headers: {},
        body: {
          domains: [
            { id: 'd1', name: 'one', enabled: true },
            { id: 'd2', name: 'two', enabled: false },
          ],
        },
      };
    if (url === '/identity/v3/auth/system') return { status: 200, headers: {}, body: { system: [{ all: true }] } };
    if (url === '/identity/v3/users/u1/password') {
      const { original_password, password: next } = (body as { user: { original_password: string; password: string } }).user;
      if (original_password !== password) return refused;
      password = next;
      expired = false;
      tokens.clear();
      return { status: 204, headers: {}, body: undefined };
    }
    if (url === '/identity/v3/auth/projects') return tokens.has(token ?? '') ? { status: 200, headers: {}, body: { projects } } : refused;
    if (method === 'GET')
      return tokens.has(headers?.['x-subject-token'] ?? '') ? { status: 200, headers: {}, body: { token: described(tokens.get(token ?? '')) } } : refused;
    if (method === 'DELETE') return tokens.delete(headers?.['x-subject-token'] ?? '') ? { status: 204, headers: {}, body: undefined } : refused;
    const { identity, scope } = (body as { auth: { identity: Identity; scope?: { project?: { id: string }; domain?: { id: string }; system?: object } } }).auth;
    if (identity.token !== undefined) {
      if (scope?.system === undefined && tokens.get(identity.token.id) === 'system') return { ...refused, status: 403 };
      if (scope?.domain !== undefined || scope?.system !== undefined)
        return tokens.has(identity.token.id) ? issue(scope.domain === undefined ? 'system' : `domain ${scope.domain.id}`) : refused;
      const known = projects.some(({ id, enabled }) => id === scope?.project?.id && enabled);
      return tokens.has(identity.token.id) && known ? issue(scope?.project?.id) : refused;
    }
    if (identity.methods.join() === 'totp')
      return headers?.['openstack-auth-receipt'] === 'receipt1' && identity.totp?.user.passcode === options.totp ? issue(undefined) : refused;
    if (identity.password?.user.password !== password) return refused;
    if (expired) return { status: 401, headers: {}, body: { error: { code: 401, message: 'The password is expired and needs to be changed for user: u1.' } } };
    if (options.totp !== undefined && identity.totp?.user.passcode !== options.totp)
      return identity.totp === undefined
        ? {
            status: 401,
            headers: { 'openstack-auth-receipt': 'receipt1' },
            body: { receipt: { methods: ['password'] }, required_auth_methods: [['password', 'totp']] },
          }
        : refused;
    return issue(undefined);
  };
  return { sessions: new Sessions(call, () => NOW_MS), call, tokens };
}

const SIGN_IN = { user: 'ann', domain: 'Default', password: 'right' };
const cookies = (answer: SessionAnswer): string => [answer.headers?.['set-cookie'] ?? []].flat().join('\n');
const tokenOf = (answer: SessionAnswer): string => /^cairn_console=([^;]*)/m.exec(cookies(answer))?.[1] ?? '';
const receiptOf = (answer: SessionAnswer): string => /^cairn_console_receipt=([^;]*)/m.exec(cookies(answer))?.[1] ?? '';

test('signing in leaves one valid token, scoped to a project, in the cookie and nowhere in the body', async () => {
  const { sessions, tokens } = keystone();
  const answer = await sessions.open(SIGN_IN, false, undefined);
  assert.equal(answer.status, 200);
  assert.deepEqual([...tokens], [[tokenOf(answer), 'p1']]);
  assert.match(cookies(answer), /Max-Age=3600; HttpOnly; SameSite=Strict$/);
  assert.doesNotMatch(JSON.stringify(answer.body), /token\d/);
  const view = answer.body as SessionView;
  assert.deepEqual(
    view.projects.map(({ id }) => id),
    ['p1', 'p2'],
  );
  assert.deepEqual(view.catalog, [{ type: 'compute', name: 'nova', url: 'http://c', region: 'R' }]);
});

test('the project that was wanted is taken when it is one of theirs and enabled, else the first that is', async () => {
  const { sessions } = keystone({ projects: [{ id: 'p0', enabled: false }, { id: 'p1' }, { id: 'p2' }] });
  const projectFor = async (projectId: string) => ((await sessions.open({ ...SIGN_IN, projectId }, false, undefined)).body as SessionView).project?.id;
  assert.equal(await projectFor('p2'), 'p2');
  assert.equal(await projectFor('someone elses'), 'p1');
  assert.equal(await projectFor('p0'), 'p1');
});

test('a user without a project is signed in without one', async () => {
  const { sessions } = keystone({ projects: [] });
  assert.equal(((await sessions.open(SIGN_IN, false, undefined)).body as SessionView).project, null);
});

test('a wrong password opens nothing', async () => {
  const { sessions, tokens } = keystone();
  const answer = await sessions.open({ ...SIGN_IN, password: 'wrong' }, false, undefined);
  assert.equal(answer.status, 401);
  assert.equal(answer.headers, undefined);
  assert.equal(tokens.size, 0);
});

test('a missing second factor is named, and with it the session opens', async () => {
  const { sessions } = keystone({ totp: '123456' });
  assert.deepEqual((await sessions.open(SIGN_IN, false, undefined)).body, { needs: ['totp'] });
  assert.equal((await sessions.open({ ...SIGN_IN, passcode: '000000' }, false, undefined)).status, 401);
  assert.equal((await sessions.open({ ...SIGN_IN, passcode: '123456' }, false, undefined)).status, 200);
});

test('moving to another project revokes the token of the first; signing in again does so too; signing out leaves none', async () => {
  const { sessions, tokens } = keystone();
  const first = tokenOf(await sessions.open(SIGN_IN, false, undefined));
  const second = tokenOf(await sessions.move(first, { projectId: 'p2' }, false));
  assert.deepEqual([...tokens], [[second, 'p2']]);
  const third = tokenOf(await sessions.open(SIGN_IN, false, second));
  assert.deepEqual([...tokens], [[third, 'p1']]);
  const closed = await sessions.close(third, false);
  assert.match(cookies(closed), /cairn_console=; .*Max-Age=0/);
  assert.equal(tokens.size, 0);
});

test('a sign-out that does not come through leaves the session as it was, and says so', async () => {
  const { call, tokens } = keystone();
  let away = true;
  const sessions = new Sessions(
    (request) =>
      away && request.method === 'DELETE'
        ? Promise.resolve({ status: 503, headers: {}, body: { error: { code: 503, message: 'The store does not answer.' } } })
        : call(request),
    () => NOW_MS,
  );
  const token = tokenOf(await sessions.open(SIGN_IN, false, undefined));
  assert.deepEqual(await sessions.close(token, false), { status: 503, body: { needs: [], message: 'The store does not answer.' } });
  assert.ok(tokens.has(token));
  away = false;
  assert.equal((await sessions.close(token, false)).status, 204);
  assert.equal((await sessions.close(token, false)).status, 204, 'what has ended has ended');
});

test('a project that is refused leaves the session as it was', async () => {
  const { sessions, tokens } = keystone();
  const token = tokenOf(await sessions.open(SIGN_IN, false, undefined));
  const answer = await sessions.move(token, { projectId: 'nobodys' }, false);
  assert.equal(answer.status, 401);
  assert.ok(tokens.has(token));
});

test('a token that is no longer valid is taken out of the browser', async () => {
  const { sessions } = keystone();
  const answer = await sessions.show('stale', true);
  assert.equal(answer.status, 401);
  assert.match(cookies(answer), /Max-Age=0.*Secure$/);
  assert.equal((await sessions.show(undefined, true)).headers, undefined);
});

test('the second step needs the passcode alone: the receipt of the first is in a cookie that scripts cannot read, for the session alone', async () => {
  const { sessions, tokens } = keystone({ totp: '123456' });
  const first = await sessions.open(SIGN_IN, true, undefined);
  assert.match(cookies(first), /^cairn_console_receipt=receipt1; Path=\/console\/session; Max-Age=300; HttpOnly; SameSite=Strict; Secure$/);
  assert.doesNotMatch(JSON.stringify(first.body), /receipt1/);
  const second = { user: 'ann', domain: 'Default', passcode: '123456' };
  assert.equal((await sessions.open({ ...second, passcode: '000000' }, true, undefined, receiptOf(first))).status, 401);
  assert.equal((await sessions.open(second, true, undefined, undefined)).status, 401);
  const opened = await sessions.open(second, true, undefined, receiptOf(first));
  assert.equal(opened.status, 200);
  assert.deepEqual([...tokens.keys()], [tokenOf(opened)]);
  assert.match(cookies(opened), /^cairn_console_receipt=; .*Max-Age=0/m);
});

test('a password that has expired is changed in place, and the session begins with the new one', async () => {
  const { sessions, tokens } = keystone({ expired: true });
  const refused = await sessions.open(SIGN_IN, false, undefined);
  assert.equal((refused.body as { expired?: string }).expired, 'u1');
  const change = { userId: 'u1', user: 'ann', domain: 'Default', password: 'right', newPassword: 'better' };
  assert.equal((await sessions.changePassword({ ...change, password: 'wrong' }, false, undefined)).status, 401);
  const opened = await sessions.changePassword(change, false, undefined);
  assert.deepEqual([opened.status, [...tokens.keys()]], [200, [tokenOf(opened)]]);
  assert.equal((await sessions.open(SIGN_IN, false, undefined)).status, 401);
});

test('a session can be for a domain or the whole system, where the user has roles there; the token before is revoked', async () => {
  const { sessions, tokens } = keystone();
  const first = await sessions.open(SIGN_IN, false, undefined);
  assert.deepEqual((first.body as SessionView).scopes, { domains: [{ id: 'd1', name: 'one' }], system: true });
  const inDomain = await sessions.move(tokenOf(first), { domainId: 'd1' }, false);
  assert.deepEqual([(inDomain.body as SessionView).domain?.id, (inDomain.body as SessionView).project], ['d1', null]);
  const system = await sessions.move(tokenOf(inDomain), { system: true }, false);
  assert.equal((system.body as SessionView).system, true);
  // keystone lets nobody go from the system to a project, so that the token before waits in a cookie of its own
  const home = /^cairn_console_home=([^;]+); Path=\/console\/session; .*HttpOnly; SameSite=Strict$/m.exec(cookies(system))?.[1];
  assert.equal(home, tokenOf(inDomain));
  assert.equal((await sessions.move(tokenOf(system), { projectId: 'p2' }, false)).status, 403);
  const back = await sessions.move(tokenOf(system), { projectId: 'p2' }, false, home);
  assert.equal((back.body as SessionView).project?.id, 'p2');
  assert.match(cookies(back), /^cairn_console_home=; .*Max-Age=0/m);
  assert.deepEqual([...tokens.keys()], [tokenOf(back)]);
  const again = await sessions.move(tokenOf(back), { system: true }, false);
  await sessions.leave(await sessions.close(tokenOf(again), false), tokenOf(back), false);
  assert.equal(tokens.size, 0);
});

test('a token of a single sign-on becomes the session of its user, never readable by the page; one that is no token opens nothing', async () => {
  const { sessions, tokens } = keystone();
  tokens.set('from-idp', undefined);
  const opened = await sessions.adopt('from-idp', true, undefined);
  assert.deepEqual([opened.status, [...tokens.keys()]], [200, [tokenOf(opened)]]);
  assert.doesNotMatch(JSON.stringify(opened.body), /token\d|from-idp/);
  const refused = await sessions.adopt('made-up', true, undefined);
  assert.deepEqual([refused.status, refused.headers], [401, undefined]);
});
