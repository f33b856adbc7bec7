import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Context } from '../context/context.ts';
import { createPolicy } from './engine.ts';

const ctx = (over: Partial<Context> = {}): Context => ({
  requestId: 'r',
  userId: 'u1',
  userName: 'u',
  userDomainId: 'default',
  userDomainName: 'Default',
  projectId: 'p1',
  roles: ['member', 'Reader'],
  methods: [],
  isAdminProject: false,
  expiresAtMs: 0,
  ...over,
});

for (const [check, expected] of [
  ['', true],
  ['@', true],
  ['!', false],
  ['role:MEMBER', true],
  ['role:admin', false],
  ['role:admin or role:reader', true],
  ['role:admin or role:reader and role:nope', false],
  ['(role:admin or role:reader) and project_id:%(project_id)s', true],
  ['project_id:%(other)s', false],
  ['user_id:%(user.id)s', true],
  ['user_id:%(target.user.id)s', false],
  ["'private':%(visibility)s", true],
  ['True:%(is_public)s', true],
  ['None:%(nothing)s', true],
  ['not role:admin', true],
  ['not (role:member and role:reader)', false],
  ['field:networks:shared=True', true],
  ['field:port:device_owner=~^network:', true],
  ['system_scope:all', false],
  ['rule:base', true],
] as const)
  test(`"${check}" is ${expected}`, () => {
    const policy = createPolicy('t', [
      { name: 'x', check },
      { name: 'base', check: 'role:reader' },
    ]);
    const target = {
      project_id: 'p1',
      other: 'p2',
      user: { id: 'u1' },
      visibility: 'private',
      is_public: true,
      nothing: null,
      shared: true,
      device_owner: 'network:dhcp',
    };
    assert.equal(policy.allowed('x', ctx(), target), expected);
  });
test('an unknown rule denies', () => assert.equal(createPolicy('t', []).allowed('x', ctx(), {}), false));
test('a target without the attribute denies even when the caller has none either', () =>
  assert.equal(createPolicy('t', [{ name: 'x', check: 'domain_id:%(domain_id)s' }]).allowed('x', ctx(), {}), false));
test('scopes are enforced', () => {
  const policy = createPolicy('t', [{ name: 'x', check: '@', scopes: ['project'] }]);
  assert.equal(policy.allowed('x', ctx(), {}), true);
  assert.equal(policy.allowed('x', ctx({ systemScope: 'all' }), {}), false);
});
test('a loop of rules denies', () =>
  assert.equal(
    createPolicy('t', [
      { name: 'a', check: 'rule:b' },
      { name: 'b', check: 'rule:a' },
    ]).allowed('a', ctx(), {}),
    false,
  ));
test('what does not parse, or refers to nothing, stops the start', () => {
  assert.throws(() => createPolicy('t', [{ name: 'x', check: 'role:a and' }]), /a check is missing/);
  assert.throws(() => createPolicy('t', [{ name: 'x', check: '(role:a' }]), /"\)" is missing/);
  assert.throws(() => createPolicy('t', [{ name: 'x', check: 'rule:nope' }]), /does not exist/);
  assert.throws(() => createPolicy('t', [{ name: 'x', check: 'http://evil' }]), /not supported/);
});
test('overrides replace defaults', () => assert.equal(createPolicy('t', [{ name: 'x', check: '!' }], { x: 'role:member' }).allowed('x', ctx(), {}), true));
