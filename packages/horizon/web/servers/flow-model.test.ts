import assert from 'node:assert/strict';
import { test } from 'node:test';
import { flowOf } from './flow-model.ts';

const T = '2026-01-01T00:00:00.';
const action = (
  events: readonly { event: string; start_time: string; finish_time: string | null; result: 'Success' | 'Error' | null; details?: string }[],
) => ({
  action: 'create',
  request_id: 'req-1',
  user_id: 'u',
  start_time: `${T}000000`,
  updated_at: `${T}000000`,
  message: null,
  events,
});
const done = (event: string, from: string, to: string) => ({ event, start_time: T + from, finish_time: T + to, result: 'Success' as const });

test('the steps of a launch are in the columns of their services, in the order in which they began', () => {
  const flow = flowOf(
    action([
      done('compute_spawn', '064000', '072000'),
      done('compute_disks_and_network', '038000', '064000'),
      done('compute_ports', '028000', '038000'),
      done('compute_schedule', '011000', '028000'),
    ]),
  );
  assert.deepEqual(
    flow.steps.map(({ name, lane, state }) => [name, lane, state]),
    [
      ['request', 'api', 'done'],
      ['compute_schedule', 'scheduler', 'done'],
      ['compute_ports', 'neutron', 'done'],
      ['compute_disks_and_network', 'storage', 'done'],
      ['compute_spawn', 'compute', 'done'],
    ],
  );
  assert.equal(flow.startMs, Date.UTC(2026, 0, 1));
  assert.equal((flow.finishMs ?? 0) - flow.startMs, 72);
  assert.equal(flow.failed, false);
});

test('the event of the whole action is no step of it, while it runs and when it has ended; alone it is one', () => {
  const names = (events: Parameters<typeof action>[0]) => flowOf(action(events)).steps.map(({ name }) => name);
  const whole = done('compute__do_build_and_run_instance', '010000', '090000');
  const steps = [done('compute_schedule', '010000', '020000'), done('compute_spawn', '020000', '080000')];
  assert.deepEqual(names([whole, ...steps]), ['request', 'compute_schedule', 'compute_spawn']);
  assert.deepEqual(names([{ ...whole, finish_time: null, result: null }, ...steps]), ['request', 'compute_schedule', 'compute_spawn']);
  assert.equal(flowOf(action([{ ...whole, finish_time: null, result: null }, ...steps])).finishMs, null);
  assert.deepEqual(names([whole]), ['request', 'compute__do_build_and_run_instance']);
  const unended = { event: 'compute_spawn', start_time: `${T}020000`, finish_time: null, result: null };
  assert.deepEqual(names([{ ...whole, finish_time: null, result: null }, unended]), ['request', 'compute_spawn']);
  const flow = flowOf(action([whole, ...steps]));
  assert.equal((flow.finishMs ?? 0) - flow.startMs, 90);
});

test('while a step runs the flow has no end', () => {
  const flow = flowOf(action([{ event: 'compute_schedule', start_time: `${T}011000`, finish_time: null, result: null }]));
  assert.equal(flow.finishMs, null);
  assert.equal(flow.steps.at(-1)?.state, 'running');
});

test('a failed step fails the flow, with its words; a template that could not be used does not', () => {
  const failed = flowOf(action([{ ...done('compute_spawn', '1', '2'), result: 'Error', details: 'no room' }]));
  assert.equal(failed.failed, true);
  assert.equal(failed.steps.at(-1)?.details, 'no room');
  assert.equal(flowOf(action([{ ...done('compute_fast_start', '1', '2'), result: 'Error' }])).failed, false);
});

test('steps of other actions find a column by their name', () => {
  const lanes = (name: string) => flowOf(action([done(name, '1', '2')])).steps.at(-1)?.lane;
  assert.equal(lanes('compute_attach_volume'), 'storage');
  assert.equal(lanes('compute_clear_ports'), 'neutron');
  assert.equal(lanes('api_lock'), 'api');
  assert.equal(lanes('compute_power_off'), 'compute');
});
