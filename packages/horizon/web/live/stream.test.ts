import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Change, listen, since } from './stream.ts';

const NOW_MS = Date.UTC(2026, 0, 1, 0, 0, 0);
const DATE = new Date(NOW_MS).toUTCString();
const change = (seq: number, ageMs: number): Change => ({
  ...{ seq, type: 'volume.update.end', resource: 'volume', id: `v${seq}`, request_id: null },
  at: new Date(NOW_MS - ageMs).toISOString(),
});

test('what happened while the stream was on its way is told apart from what was before, by the cloud’s own time', () => {
  const told = [change(1, 60_000), change(2, 6_000), change(3, 4_000), change(4, 0)];
  const seqs = (ageMs: number) => since(told, DATE, ageMs)?.map(({ seq }) => seq);
  assert.deepEqual([seqs(0), seqs(3_000), seqs(100_000)], [[4], [3, 4], [1, 2, 3, 4]]);
});

test('where all that is told is young there may have been more, and where no time is told nothing is known', () => {
  const many = Array.from({ length: 20 }, (_, index) => change(index, 500));
  assert.equal(since(many, DATE, 0), undefined);
  assert.equal(since(many.with(0, change(0, 60_000)), DATE, 0)?.length, 19);
  assert.equal(since([], null, 0), undefined);
});

test('a page that begins to listen asks again for what changed just before, which it may have asked for too early', async (t) => {
  const events = [
    `event: earlier\ndata: ${JSON.stringify([change(1, 60_000), change(2, 0)])}\n\n`,
    'event: open\nid: 2\ndata: {}\n\n',
    `id: 3\ndata: ${JSON.stringify(change(3, 0))}\n\n`,
  ];
  t.mock.method(globalThis, 'fetch', async () => new Response(events.join(''), { headers: { date: DATE } }));
  const end = new AbortController();
  const heard: string[] = [];
  await listen(
    {
      change({ seq }) {
        heard.push(`change ${seq}`);
        end.abort();
      },
      earlier: (changes) => void heard.push(`earlier ${changes.map(({ seq }) => seq).join()}`),
      meanwhile: (changes) => void heard.push(`meanwhile ${changes.map(({ seq }) => seq).join()}`),
      lost: () => void heard.push('lost'),
      state: () => undefined,
    },
    end.signal,
  );
  assert.deepEqual(heard, ['earlier 1,2', 'meanwhile 2', 'change 3']);
});
