import assert from 'node:assert/strict';
import { test } from 'node:test';
import { QueryObserver } from '@tanstack/react-query';
import { LiveQueries } from './queries.ts';

/** Something of the cloud on screen, whose answers are let through by hand; each says what there was when it was asked for. */
function onScreen() {
  const queries = new LiveQueries({ defaultOptions: { queries: { retry: false, staleTime: Number.POSITIVE_INFINITY } } });
  const asked: { readonly answer: () => void; readonly refuse: () => void }[] = [];
  const cloud = { says: 'before' };
  const observer = new QueryObserver<string>(queries, {
    queryKey: ['things', 'of', 'ann'],
    queryFn: () => {
      const { says } = cloud;
      const { promise, resolve, reject } = Promise.withResolvers<string>();
      asked.push({ answer: () => resolve(says), refuse: () => reject(new Error('no')) });
      return promise;
    },
  });
  const leave = observer.subscribe(() => undefined);
  const end = (): void => {
    leave();
    queries.clear();
  };
  return { queries, asked, cloud, end, shown: () => observer.getCurrentResult().data };
}

const until = async (done: () => boolean): Promise<void> => {
  for (let turns = 0; !done(); turns += 1) {
    assert.ok(turns < 10_000, 'it does not come');
    await new Promise((resolve) => setImmediate(resolve));
  }
};

for (const outcome of ['answer', 'refuse'] as const)
  test(`what changes while something is first asked for is asked for once more, be its end ${outcome}`, async () => {
    const { queries, asked, cloud, end, shown } = onScreen();
    await until(() => asked.length === 1);
    cloud.says = 'after';
    // a change rarely comes alone
    for (let i = 0; i < 3; i += 1) void queries.invalidateQueries({ queryKey: ['things'] });
    asked[0]?.[outcome]();
    await until(() => asked.length === 2);
    asked[1]?.answer();
    await until(() => shown() === 'after');
    assert.equal(asked.length, 2);
    assert.equal(queries.isFetching(), 0);
    end();
  });

test('what is there already is asked for at once', async () => {
  const { queries, asked, cloud, end, shown } = onScreen();
  await until(() => asked.length === 1);
  asked[0]?.answer();
  await until(() => shown() === 'before');
  cloud.says = 'after';
  void queries.invalidateQueries({ queryKey: ['things'] });
  await until(() => asked.length === 2);
  asked[1]?.answer();
  await until(() => shown() === 'after');
  assert.equal(asked.length, 2);
  end();
});

test('who asks now and then leaves alone what is being asked for: a refusal that takes longer than that is shown', async () => {
  const { queries, asked, end } = onScreen();
  await until(() => asked.length === 1);
  void queries.invalidateQueries({}, { cancelRefetch: false });
  asked[0]?.refuse();
  await until(() => queries.getQueryState(['things', 'of', 'ann'])?.status === 'error');
  for (let turns = 0; turns < 100; turns += 1) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(asked.length, 1);
  end();
});
