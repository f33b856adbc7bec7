import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Db } from '@cairn/kit/store/store';
import type { StoredEvent } from '@cairn/kit/events/events';
import { type Change, EventFeed } from './event-feed.ts';

/** An outbox in memory. */
function outbox() {
  const events: StoredEvent[] = [];
  const listeners = new Set<() => void>();
  return {
    listeners,
    reads: 0,
    write(projectId: string | undefined, count = 1): void {
      for (let i = 0; i < count; i += 1) {
        const seq = events.length + 1;
        events.push({
          seq,
          atMs: seq,
          type: 'compute.instance.update',
          projectId,
          requestId: 'req-1',
          resource: 'server',
          resourceId: `s${seq}`,
          payload: { secret: 'x' },
        });
      }
      for (const listener of listeners) listener();
    },
    async since(_db: Db, seq: number, limit: number) {
      this.reads += 1;
      return events.slice(seq, seq + limit);
    },
    newest: async () => events.length,
    onNews(listener: () => void) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

const broken = (error: unknown): void => assert.fail(String(error));
const settled = () => new Promise((resolve) => setImmediate(resolve));

function hearer(projectId: string) {
  const heard: Change[] = [];
  const lost: number[] = [];
  return { heard, lost, listener: { projectId, hear: (change: Change) => void heard.push(change), lost: (seq: number) => void lost.push(seq) } };
}

test('a listener hears of its own project from when it joined, and only which resource changed', async () => {
  const source = outbox();
  source.write('mine', 3);
  const feed = new EventFeed(source, {} as Db, broken);
  const mine = hearer('mine');
  const joined = await feed.join(mine.listener, undefined);
  assert.equal(joined.seq, 3);
  source.write('mine');
  source.write('other');
  source.write(undefined);
  source.write('mine');
  await settled();
  assert.deepEqual(
    mine.heard.map(({ id }) => id),
    ['s4', 's7'],
  );
  assert.deepEqual(Object.keys(mine.heard[0] ?? {}).sort(), ['at', 'id', 'request_id', 'resource', 'seq', 'type']);
});

test('who comes back is told what came meanwhile, as long as it is kept; else that something was missed', async () => {
  const source = outbox();
  source.write('mine', 10);
  const feed = new EventFeed(source, {} as Db, broken);
  await feed.join(hearer('other').listener, undefined);
  source.write('mine', 2);
  await settled();
  const back = hearer('mine');
  await feed.join(back.listener, 11);
  assert.deepEqual(
    back.heard.map(({ seq }) => seq),
    [12],
  );
  for (const seq of [5, 99]) {
    const late = hearer('mine');
    await feed.join(late.listener, seq);
    assert.deepEqual(late.lost, [12], `from ${seq}`);
    assert.deepEqual(late.heard, []);
  }
});

test('thousands of events go by whole and in order, and what is kept stays bounded', async () => {
  const source = outbox();
  const feed = new EventFeed(source, {} as Db, broken);
  const mine = hearer('mine');
  await feed.join(mine.listener, undefined);
  source.write('mine', 10_000);
  for (let i = 0; i < 200 && mine.heard.length < 10_000; i += 1) await settled();
  assert.deepEqual(
    mine.heard.map(({ seq }) => seq),
    Array.from({ length: 10_000 }, (_, i) => i + 1),
  );
  const late = hearer('mine');
  await feed.join(late.listener, 1);
  assert.deepEqual(late.lost, [10_000]);
});

test('many listeners cost one reader, and none costs nothing', async () => {
  const source = outbox();
  const feed = new EventFeed(source, {} as Db, broken);
  const joined = await Promise.all(Array.from({ length: 50 }, () => feed.join(hearer('mine').listener, undefined)));
  await settled();
  const before = source.reads;
  source.write('mine');
  await settled();
  assert.ok(source.reads - before <= 2, `${source.reads - before} reads for one event`);
  for (const { leave } of joined) leave();
  assert.equal(source.listeners.size, 0);
  const again = hearer('mine');
  source.write('mine', 5);
  await feed.join(again.listener, undefined);
  source.write('mine');
  await settled();
  assert.deepEqual(
    again.heard.map(({ seq }) => seq),
    [7],
  );
});

test('a failed reading is told of, and the next news tries again', async () => {
  const source = outbox();
  const failures: unknown[] = [];
  const feed = new EventFeed(source, {} as Db, (error) => failures.push(error));
  const mine = hearer('mine');
  await feed.join(mine.listener, undefined);
  await settled();
  const { since } = source;
  source.since = async () => {
    throw new Error('broken');
  };
  source.write('mine');
  await settled();
  assert.equal(failures.length, 1);
  source.since = since;
  source.write('mine');
  await settled();
  assert.deepEqual(
    mine.heard.map(({ seq }) => seq),
    [1, 2],
  );
});

test('what happened before is told of the own project alone, oldest first, from a fixed number of rows', async () => {
  const source = outbox();
  source.write('mine', 2);
  source.write('other', 400);
  source.write('mine', 25);
  source.write(undefined);
  source.write('mine');
  const feed = new EventFeed(source, {} as Db, broken);
  const earlier = await feed.earlier('mine', 428);
  assert.deepEqual(
    earlier.map(({ seq }) => seq),
    Array.from({ length: 20 }, (_, i) => 408 + i),
  );
  assert.deepEqual(Object.keys(earlier[0] ?? {}), ['seq', 'type', 'at', 'resource', 'id', 'request_id']);
  assert.equal(source.reads, 1);
  assert.deepEqual(await feed.earlier('mine', 0), []);
});
