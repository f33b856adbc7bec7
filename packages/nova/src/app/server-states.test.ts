import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isCairnError } from '@cairn/kit/errors/errors';
import { ACTION_RULES, checkAction, type StateFacts, statesOfStatuses, statusOf, TASK_DEADLINE_MS, VM_STATES } from './server-states.ts';

const server: StateFacts = { id: 'ID', vm_state: 'active', task_state: null, launched_at_ms: 1, host: 'h1', locked: 0 };
const refusal = (facts: Partial<StateFacts>, rule: (typeof ACTION_RULES)[keyof typeof ACTION_RULES], admin = false): string | undefined => {
  try {
    checkAction({ ...server, ...facts }, rule, admin);
    return undefined;
  } catch (error) {
    assert.ok(isCairnError(error, 'Conflict'));
    assert.equal(error.status, 409);
    return error.message;
  }
};

test('status follows vm_state and task_state as upstream maps them', () => {
  const status = (vm_state: string, task_state: string | null = null, deleted = 0) => statusOf({ vm_state, task_state, deleted });
  assert.equal(status('active'), 'ACTIVE');
  assert.equal(status('active', 'deleting'), 'ACTIVE');
  assert.equal(status('active', 'rebooting'), 'REBOOT');
  assert.equal(status('active', 'rebooting_hard'), 'HARD_REBOOT');
  assert.equal(status('building', 'spawning'), 'BUILD');
  assert.equal(status('stopped', 'powering-on'), 'SHUTOFF');
  assert.equal(status('error'), 'ERROR');
  assert.equal(status('active', null, 1), 'DELETED');
  assert.equal(status('nonsense'), 'UNKNOWN');
  for (const state of VM_STATES) assert.notEqual(status(state), 'UNKNOWN');
});

test('a status filter names every state that shows it', () => {
  assert.deepEqual(statesOfStatuses(['active']), { vmStates: ['active'], taskStates: ['default'] });
  assert.deepEqual(statesOfStatuses(['REBOOT']), { vmStates: ['active'], taskStates: ['reboot_pending', 'reboot_started', 'rebooting'] });
  assert.deepEqual(statesOfStatuses(['REBUILD']).vmStates, ['active', 'error', 'stopped']);
  assert.deepEqual(statesOfStatuses(['no-such']), { vmStates: [], taskStates: [] });
});

test("actions are refused in the wrong state with upstream's words", () => {
  assert.equal(refusal({}, ACTION_RULES.stop), undefined);
  assert.equal(refusal({ vm_state: 'paused' }, ACTION_RULES.stop), "Cannot 'stop' instance ID while it is in vm_state paused");
  assert.equal(refusal({ task_state: 'powering-off' }, ACTION_RULES.stop), "Cannot 'stop' instance ID while it is in task_state powering-off");
  assert.equal(refusal({ host: null }, ACTION_RULES.start), 'Instance ID is not ready');
  assert.equal(refusal({ launched_at_ms: null }, ACTION_RULES.softReboot), "Instance ID is in an invalid state for 'reboot'");
  assert.equal(refusal({ task_state: 'rebooting' }, ACTION_RULES.hardReboot), undefined);
});

test('a lock stops owners, not administrators, and never a snapshot', () => {
  assert.equal(refusal({ locked: 1 }, ACTION_RULES.delete), 'Instance ID is locked');
  assert.equal(refusal({ locked: 1 }, ACTION_RULES.delete, true), undefined);
  assert.equal(refusal({ locked: 1 }, ACTION_RULES.createImage), undefined);
});

test('every transitional state has a deadline', () => {
  for (const [state, ms] of Object.entries(TASK_DEADLINE_MS)) assert.ok(ms > 0 && ms <= 7_200_000, state);
});
