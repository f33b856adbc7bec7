import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drain, type DrainStep, type Guest, wayOf } from './drain.ts';

/** A cloud in which each action takes two looks; `stays` do not find another host, `refused` may not be moved. */
function cloud(guests: readonly Guest[], options: { readonly stays?: readonly string[]; readonly refused?: readonly string[] } = {}) {
  const now = new Map(guests.map((guest) => [guest.id, guest]));
  const then = new Map<string, { looks: number; guest: Guest }>();
  const acts: string[] = [];
  const steps = new Map<string, DrainStep[]>();
  let moving = 0;
  let most = 0;
  const calls = {
    async show(id: string) {
      const next = then.get(id);
      if (next !== undefined && --next.looks <= 0) {
        then.delete(id);
        now.set(id, next.guest);
        moving -= 1;
      }
      return now.get(id);
    },
    async act(id: string, body: object) {
      const [action = ''] = Object.keys(body);
      acts.push(`${id} ${action}`);
      if (options.refused?.includes(id)) throw new Error('No valid host was found.');
      const guest = now.get(id) as Guest;
      moving += 1;
      most = Math.max(most, moving);
      const host = options.stays?.includes(id) ? guest.host : 'other';
      const after: Guest =
        action === 'migrate' ? { ...guest, status: 'VERIFY_RESIZE', host } : action === 'confirmResize' ? { ...guest, status: 'SHUTOFF' } : { ...guest, host };
      now.set(id, { ...guest, task: 'migrating' });
      then.set(id, { looks: 2, guest: { ...after, task: null } });
    },
    pause: async () => {},
  };
  const tell = (id: string, step: DrainStep): void => void steps.set(id, [...(steps.get(id) ?? []), step]);
  return { calls, tell, acts, now, most: () => most, states: (id: string) => steps.get(id)?.map(({ state }) => state), steps };
}

const guest = (id: string, status = 'ACTIVE', task: string | null = null): Guest => ({ id, status, task, host: 'h1' });

test('running servers move live, those at rest cold with a confirmation, others not', () => {
  assert.deepEqual(
    ['ACTIVE', 'PAUSED', 'SHUTOFF', 'ERROR', 'BUILD'].map((status) => wayOf({ status, task: null })),
    ['live', 'live', 'cold', undefined, undefined],
  );
  assert.equal(wayOf({ status: 'ACTIVE', task: 'rebooting' }), undefined);
});

test('each server is followed until it is elsewhere, two at a time', async () => {
  const guests = ['a', 'b', 'c', 'd'].map((id) => guest(id));
  const world = cloud(guests);
  await drain(guests, 'h1', world.calls, world.tell, new AbortController().signal);
  assert.deepEqual(
    [...world.now.values()].map(({ host }) => host),
    Array(4).fill('other'),
  );
  assert.deepEqual(world.states('d'), ['waiting', 'moving', 'moved']);
  assert.equal(world.most(), 2);
});

test('a server at rest is confirmed once, so that it is free of its old host', async () => {
  const world = cloud([guest('a', 'SHUTOFF')]);
  await drain([guest('a', 'SHUTOFF')], 'h1', world.calls, world.tell, new AbortController().signal);
  assert.deepEqual(world.acts, ['a migrate', 'a confirmResize']);
  assert.deepEqual(world.states('a'), ['waiting', 'moving', 'confirming', 'moved']);
});

test('what stays says so: refused in the cloud’s words, without another host, or in a state that cannot be moved; the rest goes on', async () => {
  const guests = [guest('refused'), guest('stays'), guest('broken', 'ERROR'), guest('busy', 'ACTIVE', 'rebooting'), guest('fine')];
  const world = cloud(guests, { stays: ['stays'], refused: ['refused'] });
  await drain(guests, 'h1', world.calls, world.tell, new AbortController().signal);
  assert.deepEqual(world.steps.get('refused')?.at(-1), { state: 'failed', words: 'No valid host was found.' });
  assert.deepEqual(
    ['stays', 'broken', 'busy', 'fine'].map((id) => world.states(id)?.at(-1)),
    ['stayed', 'unmovable', 'unmovable', 'moved'],
  );
});

test('a server that was deleted or has left meanwhile is not moved', async () => {
  const world = cloud([{ ...guest('left'), host: 'other' }]);
  await drain([guest('left'), guest('gone')], 'h1', world.calls, world.tell, new AbortController().signal);
  assert.deepEqual([world.states('left')?.at(-1), world.states('gone')?.at(-1), world.acts], ['moved', 'moved', []]);
});

test('an abort begins nothing further', async () => {
  const end = new AbortController();
  const guests = ['a', 'b', 'c'].map((id) => guest(id));
  const world = cloud(guests);
  await drain(guests, 'h1', { ...world.calls, pause: async () => end.abort() }, world.tell, end.signal);
  assert.deepEqual(world.acts, ['a os-migrateLive', 'b os-migrateLive']);
  assert.deepEqual(world.states('c'), ['waiting']);
});
