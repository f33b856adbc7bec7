import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createPolicy } from '@cairn/kit/policy/engine';
import { TestCloud } from '../testing/cloud.ts';

const compute = createPolicy(
  'nova',
  [
    { name: 'admin', check: 'role:admin' },
    { name: 'servers:show', check: 'rule:admin or (role:reader and project_id:%(project_id)s)', scopes: ['project'], description: 'Show a server' },
  ],
  { 'servers:delete': 'role:sweeper' },
);

let cloud: TestCloud;
let admin: string;
before(async () => {
  cloud = await TestCloud.start({ keystone: { policiesOfServices: () => new Map([['nova', compute]]) } });
  admin = await cloud.admin();
});
after(() => cloud.close());

const ask = async (body: object, token = admin) => cloud.call(token, 'POST', '/v3/OS-CAIRN/policy_explanations', { policy_explanation: body });

test('the answer is the rule, the branch that passes, and what each refers to', async () => {
  const ann = await cloud.person(admin, 'ann-explained');
  const scope = { project: { id: ann.projectId } };
  const { status, body } = await ask({ user: { id: ann.userId }, scope, service: 'nova', rule: 'servers:show' });
  assert.equal(status, 200);
  const { policy_explanation: found } = body;
  assert.deepEqual([found.allowed, found.reason, found.matching], [true, 'passes', '(role:reader and project_id:%(project_id)s)']);
  assert.deepEqual([found.check, found.scope_types, found.description], [compute.rules.get('servers:show')?.check, ['project'], 'Show a server']);
  assert.ok(found.roles.includes('reader'));
  assert.deepEqual(found.target, { project_id: ann.projectId, user_id: ann.userId });
  assert.deepEqual(
    found.branches.map(({ check, passes }: { check: string; passes: boolean }) => [check, passes]),
    [
      ['rule:admin', false],
      ['(role:reader and project_id:%(project_id)s)', true],
    ],
  );
  assert.equal(found.branches[0].rules[0].check, 'role:admin');
});

test('what is refused says why: another project’s target, an overridden rule, the scope, no role there', async () => {
  const bob = await cloud.person(admin, 'bob-explained');
  const reason = async (scope: object, rule: string, target?: object) => {
    const { body } = await ask({ user: { id: bob.userId }, scope, service: 'nova', rule, ...(target && { target }) });
    const { allowed, reason: why, matching } = body.policy_explanation;
    return [allowed, why, matching];
  };
  const own = { project: { id: bob.projectId } };
  assert.deepEqual(await reason(own, 'servers:show', { project_id: 'another' }), [false, 'fails', null]);
  assert.deepEqual(await reason(own, 'servers:delete'), [false, 'fails', null]);
  assert.deepEqual(await reason({ project: { id: cloud.ids.adminProjectId } }, 'servers:show'), [false, 'no_role', null]);
  assert.deepEqual(await reason({ system: { all: true } }, 'servers:show'), [false, 'no_role', null]);
  const { body } = await ask({ user: { id: cloud.ids.adminUserId }, scope: { system: { all: true } }, service: 'nova', rule: 'servers:show' });
  assert.deepEqual([body.policy_explanation.allowed, body.policy_explanation.reason], [false, 'scope']);
});

test('it is for administrators alone, and nonsense is refused as such', async () => {
  const carol = await cloud.person(admin, 'carol-explained');
  const good = { user: { id: carol.userId }, scope: { project: { id: carol.projectId } }, service: 'nova', rule: 'servers:show' };
  assert.equal((await ask(good, carol.token)).status, 403);
  assert.equal((await cloud.call(carol.token, 'GET', '/v3/OS-CAIRN/policy_rules')).status, 403);
  assert.equal((await cloud.call(undefined, 'GET', '/v3/OS-CAIRN/policy_rules')).status, 401);
  for (const [change, status] of [
    [{ service: 'nothing' }, 404],
    [{ rule: 'nothing' }, 404],
    [{ rule: '__proto__' }, 404],
    [{ user: { id: 'nobody' } }, 404],
    [{ scope: { project: { id: 'nowhere' } } }, 404],
    [{ scope: {} }, 400],
    [{ scope: { ...good.scope, system: { all: true } } }, 400],
    [{ target: { nested: {} } }, 400],
    [{ more: 1 }, 400],
  ] as const)
    assert.equal((await ask({ ...good, ...change })).status, status, JSON.stringify(change));
});

test('the rules of a service are listed, the operator’s in place of the defaults', async () => {
  const { policy_rules: rules } = (await cloud.call(admin, 'GET', '/v3/OS-CAIRN/policy_rules?service=nova')).body;
  assert.deepEqual(
    rules.map(({ rule, check }: { rule: string; check: string }) => [rule, check]),
    [...compute.rules.values()].map(({ name, check }) => [name, check]),
  );
  assert.deepEqual((await cloud.call(admin, 'GET', '/v3/OS-CAIRN/policy_rules')).body.policy_rules, rules);
});
