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

const EXPLAINED = createPolicy('t', [
  { name: 'owner', check: 'project_id:%(project_id)s' },
  { name: 'admin', check: 'role:admin' },
  { name: 'get', check: 'rule:admin or (role:reader and rule:owner) or !', scopes: ['project'] },
  { name: 'loop', check: 'rule:loop or role:admin' },
  { name: 'all', check: '' },
]);

test('an explanation has the alternatives of the check, and the rules within them, each with what it comes to', () => {
  assert.deepEqual(EXPLAINED.explain('get', ctx(), { project_id: 'p1' }), {
    rule: 'get',
    check: 'rule:admin or (role:reader and rule:owner) or !',
    passes: true,
    branches: [
      {
        check: 'rule:admin',
        passes: false,
        rules: [{ rule: 'admin', check: 'role:admin', passes: false, branches: [{ check: 'role:admin', passes: false, rules: [] }] }],
      },
      {
        check: '(role:reader and rule:owner)',
        passes: true,
        rules: [
          { rule: 'owner', check: 'project_id:%(project_id)s', passes: true, branches: [{ check: 'project_id:%(project_id)s', passes: true, rules: [] }] },
        ],
      },
      { check: '!', passes: false, rules: [] },
    ],
  });
});

test('an explanation always comes to what the rule does', () => {
  for (const rule of EXPLAINED.rules.keys())
    for (const caller of [
      ctx(),
      ctx({ roles: ['admin'] }),
      ctx({ projectId: undefined, systemScope: 'all', roles: ['admin'] } as never),
      ctx({ projectId: 'p2' }),
    ])
      for (const target of [{}, { project_id: 'p1' }, { project_id: null }])
        assert.equal(EXPLAINED.explain(rule, caller, target)?.passes, EXPLAINED.allowed(rule, caller, target), rule);
  assert.equal(EXPLAINED.explain('nothing', ctx(), {}), undefined);
});

test('a scope that the rule is not for is the reason, whatever the check says; a loop of rules ends', () => {
  const system = EXPLAINED.explain('get', ctx({ systemScope: 'all', roles: ['admin'] }), {});
  assert.deepEqual([system?.passes, system?.wrongScope, system?.branches[0]?.passes], [false, ['project'], true]);
  assert.equal(EXPLAINED.explain('loop', ctx(), {})?.passes, false);
});
