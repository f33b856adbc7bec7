import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { QueryClient, QueryObserver } from '@tanstack/react-query';
import { ApiError } from '../api/errors.ts';
import { RowRefresher, withRow } from './rows.ts';

interface Thing {
  readonly id: string;
  readonly name: string;
}

const rowsOf = (count: number): Thing[] => Array.from({ length: count }, (_, index) => ({ id: String(index).padStart(6, '0'), name: 'before' }));
const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

/** A list of so many rows on screen, and the cloud behind it. */
async function shown(count: number, key: readonly string[] = ['things']) {
  const queries = new QueryClient({ defaultOptions: { queries: { retry: false, staleTime: Number.POSITIVE_INFINITY } } });
  const calls: string[] = [];
  const cloud = new Map(rowsOf(count).map((row) => [row.id, row]));
  const gates = new Map<string, Promise<void>>();
  const observer = new QueryObserver<readonly Thing[]>(queries, {
    queryKey: key,
    queryFn: async () => {
      calls.push('list');
      return [...cloud.values()];
    },
  });
  ends.push(
    observer.subscribe(() => undefined),
    () => queries.clear(),
  );
  await queries.fetchQuery({ queryKey: key, queryFn: async () => [...cloud.values()] });
  calls.length = 0;
  const refresher = new RowRefresher(queries, {
    key: ['things'],
    also: [['things', 'everybody']],
    place: 'first',
    async fetchOne(id) {
      calls.push(id);
      const row = cloud.get(id);
      await gates.get(id);
      if (row === undefined) throw new ApiError(404, 'gone', undefined);
      return row;
    },
  });
  const rows = (): readonly Thing[] => queries.getQueryData<readonly Thing[]>(key) ?? [];
  return { queries, calls, cloud, gates, refresher, rows };
}

test('a row is put in its place, replaced or taken out', () => {
  const rows = [
    { id: 'a', name: '1' },
    { id: 'c', name: '3' },
  ];
  const b = { id: 'b', name: '2' };
  assert.deepEqual(
    withRow(rows, 'b', b, 'by-id').map(({ id }) => id),
    ['a', 'b', 'c'],
  );
  assert.deepEqual(
    withRow(rows, 'b', b, 'first').map(({ id }) => id),
    ['b', 'a', 'c'],
  );
  assert.deepEqual(withRow(rows, 'c', { id: 'c', name: 'new' }, 'first')[1], { id: 'c', name: 'new' });
  assert.deepEqual(
    withRow(rows, 'a', undefined, 'first').map(({ id }) => id),
    ['c'],
  );
  assert.equal(withRow(rows, 'z', undefined, 'first'), rows);
});

test('of ten thousand rows only the one that changed is asked for; one that is gone is taken out, a new one stands first', async () => {
  const { cloud, calls, refresher, rows } = await shown(10_000);
  cloud.set('000007', { id: '000007', name: 'after' });
  await refresher.touch(new Set(['000007']));
  assert.equal(rows()[7]?.name, 'after');
  cloud.delete('000007');
  cloud.set('new', { id: 'new', name: 'made' });
  await refresher.touch(new Set(['000007', 'new']));
  assert.deepEqual([rows().length, rows()[0]?.id, rows()[8]?.id], [10_000, 'new', '000008']);
  assert.deepEqual(calls, ['000007', '000007', 'new']);
});

test('many changes at once ask for the whole list, as do two of a list of one page', async () => {
  for (const [count, changed] of [
    [10_000, 21],
    [400, 2],
  ] as const) {
    const { calls, refresher } = await shown(count);
    await refresher.touch(new Set(rowsOf(changed).map(({ id }) => id)));
    assert.deepEqual(calls, ['list']);
  }
});

test('an answer that was overtaken does not bring the old row back', async () => {
  const { cloud, gates, calls, refresher, rows } = await shown(10_000);
  const gate = Promise.withResolvers<void>();
  gates.set('000001', gate.promise);
  cloud.set('000001', { id: '000001', name: 'first' });
  const slow = refresher.touch(new Set(['000001']));
  gates.delete('000001');
  cloud.set('000001', { id: '000001', name: 'second' });
  await refresher.touch(new Set(['000001']));
  gate.resolve();
  await slow;
  assert.equal(rows()[1]?.name, 'second');
  assert.deepEqual(calls, ['000001', '000001']);
});

test('the lists of all projects are kept current too; other lists behind the key are asked for', async () => {
  const everybody = await shown(1_000, ['things', 'everybody']);
  await everybody.refresher.touch(new Set(['000001']));
  assert.deepEqual(everybody.calls, ['000001']);
  const usage = await shown(1_000, ['things', 'usage']);
  await usage.refresher.touch(new Set(['000001']));
  assert.deepEqual(usage.calls, ['list']);
});

test('a refusal leaves it to the whole list', async () => {
  const { calls, gates, refresher } = await shown(1_000);
  gates.set('000001', Promise.reject(new ApiError(503, 'later', undefined)));
  await refresher.touch(new Set(['000001']));
  // it is asked for in its own time
  while (calls.length < 2) await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(calls, ['000001', 'list']);
});
