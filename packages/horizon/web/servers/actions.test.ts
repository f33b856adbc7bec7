import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ACTIONS, hindranceOf, hindranceOfAll, type ServerAction } from './actions.ts';

const server = (vmState: string, more: { task?: string; locked?: boolean } = {}) => ({
  status: '',
  locked: more.locked ?? false,
  'OS-EXT-STS:task_state': more.task ?? null,
  'OS-EXT-STS:vm_state': vmState,
});
const possible = (facts: ReturnType<typeof server>): ServerAction[] =>
  (Object.keys(ACTIONS) as ServerAction[]).filter((action) => hindranceOf(action, facts) === undefined);

test('a running server can be stopped but not started; a stopped one the other way round', () => {
  assert.deepEqual(possible(server('active')), ['stop', 'rebootSoft', 'rebootHard', 'pause', 'suspend', 'rescue', 'shelve', 'lock']);
  assert.deepEqual(possible(server('stopped')), ['start', 'rebootHard', 'rescue', 'shelve', 'lock']);
  assert.deepEqual(possible(server('resized')), ['confirmResize', 'revertResize', 'lock']);
});

test('while it is busy only what mends or protects can be done, and the task is the reason', () => {
  assert.deepEqual(possible(server('active', { task: 'spawning' })), ['rebootHard', 'lock']);
  assert.deepEqual(hindranceOf('stop', server('active', { task: 'spawning' })), { why: 'busy', task: 'spawning' });
});

test('a locked server can be unlocked and nothing else', () => {
  assert.deepEqual(possible(server('active', { locked: true })), ['unlock']);
  assert.deepEqual(hindranceOf('stop', server('active', { locked: true })), { why: 'locked' });
});

test('several can do what each of them can', () => {
  assert.equal(hindranceOfAll('stop', [server('active'), server('active')]), undefined);
  assert.deepEqual(hindranceOfAll('stop', [server('active'), server('stopped')]), { why: 'state', needs: ['active', 'error'] });
});
