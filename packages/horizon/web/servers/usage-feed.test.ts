import assert from 'node:assert/strict';
import { test } from 'node:test';
import { joined, lineOf, USAGE_EVERY_MS, USAGE_SHOWN_MS, UsageFeed, type UsagePoint } from './usage-feed.ts';

const point = (atMs: number, cpuPercent: number | null = 10): UsagePoint => ({ atMs, cpuPercent, memoryMib: 1 });
/** Lets what was asked come. */
const come = async (): Promise<void> => {
  for (let i = 0; i < 5; i++) await Promise.resolve();
};

test('what comes is put behind what is there, once, and what is old goes', () => {
  assert.deepEqual(joined([point(10), point(20)], [point(20), point(30)]), [point(10), point(20), point(30)]);
  assert.deepEqual(joined([point(10), point(20)], [point(USAGE_SHOWN_MS + 15)]), [point(20), point(USAGE_SHOWN_MS + 15)]);
  assert.deepEqual(joined([], []), []);
});

test('all that are watched are asked for with one call, later only for what is new, and not at all while nobody looks', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 10_000_000 });
  const calls: { readonly ids: readonly string[]; readonly sinceMs: number }[] = [];
  let isHidden = false;
  const feed = new UsageFeed(
    async (ids, sinceMs) => {
      calls.push({ ids, sinceMs });
      return new Map(ids.filter((id) => id !== 'off').map((id) => [id, [point(Date.now())]]));
    },
    () => isHidden,
  );
  let told = 0;
  const leave = ['a', 'b', 'off'].map((id) => feed.watch(id, () => told++));
  t.mock.timers.tick(30);
  await come();
  assert.deepEqual(calls, [{ ids: ['a', 'b', 'off'], sinceMs: Date.now() - USAGE_SHOWN_MS }]);
  assert.equal(told, 2, 'of a server that is off there is nothing');
  const [first] = feed.pointsOf('a');
  assert.ok(first);
  assert.equal(feed.pointsOf('a'), feed.pointsOf('a'));

  t.mock.timers.tick(USAGE_EVERY_MS);
  await come();
  assert.equal(calls.length, 2);
  assert.equal(calls[1]?.sinceMs, first.atMs - 2 * USAGE_EVERY_MS);
  assert.equal(feed.pointsOf('b').length, 2);

  const more = feed.watch('c', () => {});
  t.mock.timers.tick(100);
  await come();
  assert.deepEqual([calls.length, calls[2]?.ids.length], [3, 4], 'a row that comes is asked for at once, with the others');

  isHidden = true;
  t.mock.timers.tick(10 * USAGE_EVERY_MS);
  await come();
  assert.equal(calls.length, 3);
  isHidden = false;
  feed.wake();
  feed.wake();
  t.mock.timers.tick(100);
  await come();
  assert.equal(calls.length, 4);

  for (const end of [...leave, more]) end();
  t.mock.timers.tick(10 * USAGE_EVERY_MS);
  await come();
  assert.equal(calls.length, 4);
});

test('a refusal ends nothing', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 10_000_000 });
  let calls = 0;
  const feed = new UsageFeed(
    async () => {
      calls += 1;
      throw new Error('no');
    },
    () => false,
  );
  feed.watch('a', () => {});
  for (let i = 0; i < 3; i++) {
    t.mock.timers.tick(USAGE_EVERY_MS);
    await come();
  }
  assert.equal(calls, 3);
  assert.deepEqual(feed.pointsOf('a'), []);
});

test('the line ends at the right edge and breaks where nothing is known', () => {
  const course = [point(0, 0), point(USAGE_SHOWN_MS / 4, null), point(USAGE_SHOWN_MS / 2, 50), point(USAGE_SHOWN_MS, 100)];
  assert.equal(lineOf(course, 80, 22), 'M0.0 21.0M40.0 11.0L80.0 1.0');
  assert.equal(lineOf([], 80, 22), '');
});
