import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Call, type SessionView, Sessions } from './session.ts';

const NOW_MS = Date.parse('2026-01-01T00:00:00Z');
const USER = { id: 'u1', name: 'ann', domain: { id: 'default', name: 'Default' } };
const project = (id: string) => ({ id, name: `name of ${id}`, domain: USER.domain });

interface Identity {
  readonly token?: { readonly id: string };
  readonly password?: { readonly user: { readonly password: string } };
  readonly totp?: { readonly user: { readonly passcode: string } };
}

/** A keystone of one user with a password, perhaps a second factor, and projects. Knows which tokens are valid. */
function keystone(options: { readonly totp?: string; readonly projects?: readonly { id: string; enabled?: boolean }[] } = {}) {
  const projects = (options.projects ?? [{ id: 'p1' }, { id: 'p2' }]).map(({ id, enabled = true }) => ({
    id,
    name: `name of ${id}`,
    domain_id: 'default',
    enabled,
    links: {},
  }));
  const tokens = new Map<string, string | undefined>();
  let count = 0;
  const issue = (projectId: string | undefined) => {
    count += 1;
    const id = `token${count}`;
    tokens.set(id, projectId);
    return { status: 201, headers: { 'x-subject-token': id }, body: { token: described(projectId) } };
  };
  const described = (projectId: string | undefined) => ({
    user: USER,
    ...(projectId !== undefined && { project: project(projectId), roles: [{ id: 'r', name: 'member' }] }),
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
    if (url === '/identity/v3/auth/projects') return tokens.has(token ?? '') ? { status: 200, headers: {}, body: { projects } } : refused;
    if (method === 'GET')
      return tokens.has(headers?.['x-subject-token'] ?? '') ? { status: 200, headers: {}, body: { token: described(tokens.get(token ?? '')) } } : refused;
    if (method === 'DELETE') return tokens.delete(headers?.['x-subject-token'] ?? '') ? { status: 204, headers: {}, body: undefined } : refused;
    const { identity, scope } = (body as { auth: { identity: Identity; scope?: { project: { id: string } } } }).auth;
    if (identity.token !== undefined) {
      const known = projects.some(({ id, enabled }) => id === scope?.project.id && enabled);
      return tokens.has(identity.token.id) && known ? issue(scope?.project.id) : refused;
    }
    if (identity.password?.user.password !== 'right') return refused;
    if (options.totp !== undefined && identity.totp?.user.passcode !== options.totp)
      return identity.totp === undefined
        ? { status: 401, headers: {}, body: { receipt: { methods: ['password'] }, required_auth_methods: [['password', 'totp']] } }
        : refused;
    return issue(undefined);
  };
  return { sessions: new Sessions(call, () => NOW_MS), tokens };
}

const SIGN_IN = { user: 'ann', domain: 'Default', password: 'right' };
const tokenOf = (answer: { headers?: Readonly<Record<string, string>> }): string => /=([^;]*)/.exec(answer.headers?.['set-cookie'] ?? '')?.[1] ?? '';

test('signing in leaves one valid token, scoped to a project, in the cookie and nowhere in the body', async () => {
  const { sessions, tokens } = keystone();
  const answer = await sessions.open(SIGN_IN, false, undefined);
  assert.equal(answer.status, 200);
  assert.deepEqual([...tokens], [[tokenOf(answer), 'p1']]);
  assert.match(answer.headers?.['set-cookie'] ?? '', /Max-Age=3600; HttpOnly; SameSite=Strict$/);
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
  const second = tokenOf(await sessions.move(first, 'p2', false));
  assert.deepEqual([...tokens], [[second, 'p2']]);
  const third = tokenOf(await sessions.open(SIGN_IN, false, second));
  assert.deepEqual([...tokens], [[third, 'p1']]);
  const closed = await sessions.close(third, false);
  assert.match(closed.headers?.['set-cookie'] ?? '', /cairn_console=; .*Max-Age=0/);
  assert.equal(tokens.size, 0);
});

test('a project that is refused leaves the session as it was', async () => {
  const { sessions, tokens } = keystone();
  const token = tokenOf(await sessions.open(SIGN_IN, false, undefined));
  const answer = await sessions.move(token, 'nobodys', false);
  assert.equal(answer.status, 401);
  assert.ok(tokens.has(token));
});

test('a token that is no longer valid is taken out of the browser', async () => {
  const { sessions } = keystone();
  const answer = await sessions.show('stale', true);
  assert.equal(answer.status, 401);
  assert.match(answer.headers?.['set-cookie'] ?? '', /Max-Age=0.*Secure$/);
  assert.equal((await sessions.show(undefined, true)).headers, undefined);
});
