import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ACTIONS, hindranceOf, hindranceOfAll, hindranceOfDeletion, isForm, type PlainAction, type ServerAction } from './actions.ts';

const MEMBER = { roles: ['member'] };
const ADMIN = { roles: ['admin', 'member'] };
const server = (vmState: string, more: { task?: string; locked?: boolean } = {}) => ({
  status: '',
  locked: more.locked ?? false,
  locked_reason: more.locked ? 'do not touch' : null,
  'OS-EXT-STS:task_state': more.task ?? null,
  'OS-EXT-STS:vm_state': vmState,
});
const possible = (facts: ReturnType<typeof server>, asker = MEMBER): PlainAction[] =>
  (Object.keys(ACTIONS) as PlainAction[]).filter((action) => hindranceOf(action, facts, asker) === undefined);

test('a running server can be stopped but not started; a stopped one the other way round', () => {
  assert.deepEqual(possible(server('active')), ['stop', 'rebootSoft', 'rebootHard', 'crashDump', 'pause', 'suspend', 'shelve']);
  assert.deepEqual(possible(server('stopped')), ['start', 'rebootHard', 'shelve']);
  assert.deepEqual(possible(server('resized')), ['crashDump', 'confirmResize', 'revertResize']);
  assert.equal(hindranceOf('resize', server('active'), MEMBER), undefined);
  assert.deepEqual(hindranceOf('resize', server('paused'), MEMBER), { why: 'state', needs: ['active', 'stopped'] });
});

test('while it is busy only what mends or describes can be done, and the task is the reason', () => {
  assert.deepEqual(possible(server('active', { task: 'spawning' })), ['rebootHard']);
  assert.deepEqual(hindranceOf('stop', server('active', { task: 'spawning' }), MEMBER), { why: 'busy', task: 'spawning' });
  assert.equal(hindranceOf('rename', server('active', { task: 'spawning' }), MEMBER), undefined);
});

test('a lock holds members, with its reason, and not administrators; it protects against deletion', () => {
  const locked = server('active', { locked: true });
  assert.deepEqual(possible(locked), ['unlock']);
  assert.deepEqual(hindranceOf('stop', locked, MEMBER), { why: 'locked', reason: 'do not touch' });
  assert.equal(hindranceOf('stop', locked, ADMIN), undefined);
  assert.equal(hindranceOf('createImage', locked, MEMBER), undefined);
  assert.deepEqual(hindranceOf('lock', locked, ADMIN), { why: 'isLocked' });
  assert.deepEqual(hindranceOfDeletion([server('active'), locked], MEMBER), { why: 'locked', reason: 'do not touch' });
  assert.equal(hindranceOfDeletion([locked], ADMIN), undefined);
});

test('moves between hosts are for managers, what bends the records for administrators', () => {
  const may = (action: ServerAction, roles: readonly string[]): boolean => hindranceOf(action, server('active'), { roles }) === undefined;
  for (const [action, ...roles] of [
    ['migrate', 'admin', 'manager'],
    ['migrateLive', 'admin', 'manager'],
    ['evacuate', 'admin'],
    ['resetState', 'admin'],
  ] as const)
    for (const role of ['admin', 'manager', 'member', 'reader'] as const)
      assert.equal(may(action, [role]), (roles as readonly string[]).includes(role), action);
});

test('several can do what each of them can, and what asks for more is for one', () => {
  assert.equal(hindranceOfAll('stop', [server('active'), server('active')], MEMBER), undefined);
  assert.deepEqual(hindranceOfAll('stop', [server('active'), server('stopped')], MEMBER), { why: 'state', needs: ['active', 'error'] });
  assert.ok(isForm('resize') && !isForm('stop'));
  assert.deepEqual(hindranceOfAll('resize', [server('active'), server('active')], MEMBER), { why: 'single' });
});
