import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as tick } from 'node:timers/promises';
import { Turns } from './turns.ts';

/** Work that says when it began and ends when it is told to. */
function job(turns: Turns, name: string, alone: boolean, log: string[]): { end: () => void; done: Promise<void> } {
  let end: () => void = () => {};
  const held = new Promise<void>((resolve) => {
    end = resolve;
  });
  const done = turns.take(alone, async () => {
    log.push(name);
    await held;
  });
  return { end: () => end(), done };
}

test('first tries run side by side; a repeated one waits for them, runs alone, and those behind it wait for it', async () => {
  const turns = new Turns();
  const log: string[] = [];
  const a = job(turns, 'a', false, log);
  const b = job(turns, 'b', false, log);
  const alone = job(turns, 'alone', true, log);
  const c = job(turns, 'c', false, log);
  await tick();
  assert.deepEqual(log, ['a', 'b']);
  a.end();
  await a.done;
  await tick();
  assert.deepEqual(log, ['a', 'b']);
  b.end();
  await b.done;
  await tick();
  assert.deepEqual(log, ['a', 'b', 'alone']);
  alone.end();
  await alone.done;
  await tick();
  assert.deepEqual(log, ['a', 'b', 'alone', 'c']);
  c.end();
  await c.done;
});

test('work that fails gives its turn on', async () => {
  const turns = new Turns();
  await assert.rejects(
    turns.take(true, () => Promise.reject(new Error('no'))),
    /no/,
  );
  assert.equal(await turns.take(true, async () => 1), 1);
  assert.equal(await turns.take(false, async () => 2), 2);
});
