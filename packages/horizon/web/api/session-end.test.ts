import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SessionEnd } from './session-end.ts';

function watched() {
  const end = new SessionEnd();
  const told: string[] = [];
  const stop = end.listen(() => told.push('ended'));
  return { end, told, stop };
}

test('a call that is refused says that the session has ended', () => {
  const { end, told, stop } = watched();
  end.begin()();
  stop();
  end.begin()();
  assert.deepEqual(told, ['ended']);
});

test('the late refusal of a call of the session before says nothing of this one', async () => {
  const { end, told } = watched();
  const refused = end.begin();
  await end.change(async () => 'renewed');
  refused();
  assert.deepEqual(told, []);
  end.begin()();
  assert.deepEqual(told, ['ended']);
});

test('what is refused while the session becomes another counts only when nothing comes of that', async () => {
  const { end, told } = watched();
  await end.change(async () => end.begin()());
  assert.deepEqual(told, []);
  const failed = end.change(async () => {
    end.begin()();
    throw new Error('the password is wrong');
  });
  await assert.rejects(failed, /the password is wrong/);
  assert.deepEqual(told, ['ended']);
});
