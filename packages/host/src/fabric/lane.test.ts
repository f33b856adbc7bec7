import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Lane } from './lane.ts';

test('requests of one moment share one run; a request during a run gets the next', async () => {
  let runs = 0;
  let release = (): void => {};
  const lane = new Lane(async () => {
    runs++;
    await new Promise<void>((resolve) => (release = resolve));
  });
  const served: string[] = [];
  const note = (name: string) => () => void served.push(`${name} by run ${runs}`);
  const first = [lane.request().then(note('a')), lane.request().then(note('b')), lane.request().then(note('c'))];
  while (runs === 0) await new Promise((r) => setImmediate(r));
  const second = [lane.request().then(note('d')), lane.request().then(note('e'))];
  assert.deepEqual(served, []);
  release();
  await Promise.all(first);
  while (runs === 1) await new Promise((r) => setImmediate(r));
  release();
  await Promise.all(second);
  await lane.idle();
  assert.equal(runs, 2);
  assert.deepEqual(
    served.map((text) => text[0]),
    ['a', 'b', 'c', 'd', 'e'],
  );
});

test('a run that fails fails its own requests alone', async () => {
  let runs = 0;
  const lane = new Lane(async () => {
    if (++runs === 1) throw new Error('first');
  });
  await assert.rejects(lane.request(), /first/);
  await lane.request();
  assert.equal(runs, 2);
});
