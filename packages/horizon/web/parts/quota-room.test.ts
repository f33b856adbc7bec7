import assert from 'node:assert/strict';
import { test } from 'node:test';
import { adviceFor } from './advice.ts';
import { fitOf, roomOf } from './quota-room.ts';

test('quota details of every service say the same; below zero is no limit', () => {
  assert.deepEqual(roomOf({ in_use: 3, reserved: 1, limit: 10 }), { used: 4, limit: 10 });
  assert.deepEqual(roomOf({ used: 3, reserved: 0, limit: -1 }), { used: 3, limit: undefined });
});

test('what is added fits, nearly fills the room, or is too much', () => {
  assert.equal(fitOf({ used: 4, limit: 10 }, 1), 'fits');
  assert.equal(fitOf({ used: 4, limit: 10 }, 6), 'tight');
  assert.equal(fitOf({ used: 4, limit: 10 }, 7), 'over');
  assert.equal(fitOf({ used: 4, limit: undefined }, 1e9), 'fits');
});

test('advice is given where the cloud’s words do not say what to do', () => {
  assert.equal(adviceFor(400), undefined);
  assert.equal(adviceFor(403), 'forbidden');
  assert.equal(adviceFor(500), 'broken');
  assert.equal(adviceFor(503), 'away');
});
