import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Bench } from './engine-testing.ts';
import type { SagaEngine } from './engine.ts';
import { defineSaga } from './saga.ts';

describe('places for sagas that run at once', () => {
  let bench: Bench;
  before(async () => {
    bench = await Bench.open();
  });
  after(() => bench.close());

  test('a saga that waits for others has none meanwhile, however many do', async () => {
    let engine: SagaEngine | undefined;
    let [running, most] = [0, 0];
    const leaf = defineSaga<{ readonly name: string }, unknown>({
      name: 'test.leaf',
      steps: [
        {
          name: 'work',
          async do() {
            running += 1;
            most = Math.max(most, running);
            await new Promise((resolve) => setTimeout(resolve, 2));
            running -= 1;
          },
        },
      ],
    });
    const parent = defineSaga<{ readonly parts: readonly string[] }, unknown>({
      name: 'test.parent',
      steps: [
        {
          name: 'wait',
          async do(step) {
            await Promise.all(step.params.parts.map((part) => engine?.settled(part)));
            // one after the other as well, and for one that has ended long ago
            for (const part of step.params.parts) await engine?.settled(part);
            running += 1;
            most = Math.max(most, running);
            await new Promise((resolve) => setTimeout(resolve, 2));
            running -= 1;
          },
        },
      ],
    });
    engine = await bench.engine([leaf, parent], { concurrency: 2 });
    const started = engine;
    const ids = await bench.store.write(async (tx) => {
      const parents: string[] = [];
      const leaves = Array.from({ length: 6 }, (_, i) => i);
      // the ones that wait are begun first, and each waits for what is begun last of all
      const made: string[] = [];
      for (const i of leaves) made.push(await started.start(tx, leaf, { name: `${i}` }, { subject: 'leaf:one', requestId: 'r' }));
      for (const i of leaves) parents.push(await started.start(tx, parent, { parts: made }, { subject: `parent:${i}`, requestId: 'r' }));
      return parents;
    });
    const ends = await Promise.race([
      Promise.all(ids.map((id) => started.settled(id))),
      new Promise<string>((resolve) => setTimeout(() => resolve('starved'), 5_000).unref()),
    ]);
    assert.deepEqual(
      ends,
      Array.from({ length: 6 }, () => 'done'),
    );
    assert.ok(most <= 2, `${most} ran at once`);
    await started.idle();
  });

  test('one that gives its waiting up has its place counted once', async () => {
    let engine: SagaEngine | undefined;
    const gate = Promise.withResolvers<void>();
    const slow = defineSaga<object, unknown>({ name: 'test.slow', steps: [{ name: 'work', do: () => gate.promise }] });
    const hasty = defineSaga<{ readonly other: string }, unknown>({
      name: 'test.hasty',
      steps: [
        {
          name: 'wait',
          attempts: 1,
          deadlineMs: 20,
          async do(step) {
            const aborted = new Promise((_, reject) => step.signal.addEventListener('abort', () => reject(step.signal.reason as Error)));
            await Promise.race([engine?.settled(step.params.other), aborted]);
          },
        },
      ],
    });
    engine = await bench.engine([slow, hasty], { concurrency: 2 });
    const started = engine;
    const [first, second] = await bench.store.write(async (tx) => {
      const other = await started.start(tx, slow, {}, { subject: 'slow', requestId: 'r' });
      return [other, await started.start(tx, hasty, { other }, { subject: 'hasty', requestId: 'r' })] as const;
    });
    assert.equal(await started.settled(second), 'failed');
    gate.resolve();
    assert.equal(await started.settled(first), 'done');
    await started.idle();
    const third = await bench.store.write((tx) => started.start(tx, slow, {}, { subject: 'slow', requestId: 'r' }));
    assert.equal(await started.settled(third), 'done');
  });
});
