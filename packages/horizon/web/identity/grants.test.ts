import assert from 'node:assert/strict';
import { test } from 'node:test';
import { actorOf, assignmentPath, choiceOf, grantPath, targetOf } from './grants.ts';

test('each kind of role has its call, with ids as parts of a path whatever is in them', () => {
  assert.equal(grantPath({ kind: 'user', id: 'u' }, { kind: 'project', id: 'p' }, 'r'), '/v3/projects/p/users/u/roles/r');
  assert.equal(grantPath({ kind: 'group', id: 'g' }, { kind: 'domain', id: 'd' }, 'r'), '/v3/domains/d/groups/g/roles/r');
  assert.equal(grantPath({ kind: 'user', id: 'a/../b' }, { kind: 'system' }, 'r'), '/v3/system/users/a%2F..%2Fb/roles/r');
});

test('an assignment is taken back where it was given, inherited ones too', () => {
  assert.equal(assignmentPath({ role: { id: 'r' }, group: { id: 'g' }, scope: { project: { id: 'p' } } }), '/v3/projects/p/groups/g/roles/r');
  assert.equal(assignmentPath({ role: { id: 'r' }, user: { id: 'u' }, scope: { system: { all: true } } }), '/v3/system/users/u/roles/r');
  assert.equal(
    assignmentPath({ role: { id: 'r' }, user: { id: 'u' }, scope: { domain: { id: 'd' }, 'OS-INHERIT:inherited_to': 'projects' } }),
    '/v3/OS-INHERIT/domains/d/users/u/roles/r/inherited_to_projects',
  );
});

test('choices of a form lead back to who and where', () => {
  assert.deepEqual(
    [actorOf(choiceOf('user', 'x:y')), actorOf(choiceOf('group', 'g'))],
    [
      { kind: 'user', id: 'x:y' },
      { kind: 'group', id: 'g' },
    ],
  );
  assert.deepEqual(
    [targetOf(choiceOf('project', 'p')), targetOf(choiceOf('domain', 'd')), targetOf(choiceOf('system', 'all'))],
    [{ kind: 'project', id: 'p' }, { kind: 'domain', id: 'd' }, { kind: 'system' }],
  );
});
