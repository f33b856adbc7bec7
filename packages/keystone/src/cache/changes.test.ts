import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Store } from '@cairn/kit/store/store';
import { engines, testStore } from '@cairn/kit/store/testing';
import { migrations } from '../store/migrations/index.ts';
import { Changes } from './changes.ts';
import { Facts } from './facts.ts';

for (const engine of engines()) {
  let store: Store;
  before(async () => {
    store = await testStore(engine);
    await store.migrate([migrations]);
  });
  after(() => store.close());

  /** What two processes of a cloud have: with SQLite there is only one. */
  const processes = (): [Changes, Changes] => {
    const one = new Changes(store);
    return engine === 'sqlite' ? [one, one] : [one, new Changes(store)];
  };
  const touch = (changes: Changes, ...keys: string[]): Promise<void> => store.write((tx) => changes.touch(tx, keys, 1));

  test(`${engine}: a value is loaded once, and again when one of its facts changed`, async () => {
    const [writer, reader] = processes();
    const facts = new Facts<number>(reader, 10);
    let loads = 0;
    const get = async (): Promise<number | undefined> => {
      await reader.sync();
      return await facts.get('x', async () => ({ value: ++loads, keys: ['user:1', 'project:1'] }));
    };
    assert.equal(await get(), 1);
    assert.equal(await get(), 1);
    await touch(writer, 'user:2');
    assert.equal(await get(), 1, 'a change of something else');
    await touch(writer, 'user:2', 'project:1');
    assert.equal(await get(), 2);
    assert.equal(await get(), 2);
  });

  test(`${engine}: what changes while a value is loaded makes it be loaded again`, async () => {
    const [writer, reader] = processes();
    const facts = new Facts<string>(reader, 10);
    await reader.sync();
    const stale = await facts.get('x', async () => {
      await touch(writer, 'user:1');
      return { value: 'read before the change', keys: ['user:1'] };
    });
    assert.equal(stale, 'read before the change');
    await reader.sync();
    assert.equal(facts.peek('x'), undefined);
  });

  test(`${engine}: a change that is rolled back changes nothing`, async () => {
    const [writer, reader] = processes();
    const facts = new Facts<number>(reader, 10);
    await reader.sync();
    await facts.get('x', async () => ({ value: 1, keys: ['user:1'] }));
    await assert.rejects(
      store.write(async (tx) => {
        await writer.touch(tx, ['user:1'], 1);
        throw new Error('no');
      }),
    );
    await reader.sync();
    assert.equal(facts.peek('x'), 1);
  });

  test(`${engine}: whoever is far behind loads everything again`, async () => {
    const [writer, reader] = processes();
    const facts = new Facts<number>(reader, 10);
    await reader.sync();
    await facts.get('x', async () => ({ value: 1, keys: ['user:1'] }));
    // many distinct facts, more than are remembered one by one
    for (let i = 0; i < 30; i++) await touch(writer, ...Array.from({ length: 2000 }, (_, n) => `user:${i}-${n}`));
    await reader.sync();
    assert.equal(facts.peek('x'), undefined);
  });

  test(`${engine}: every commit before a sync is seen by it, also when many ask at once`, async () => {
    const [writer, reader] = processes();
    const facts = new Facts<number>(reader, 10);
    let loads = 0;
    for (let i = 0; i < 20; i++) {
      await touch(writer, 'user:1');
      const seen = await Promise.all(
        Array.from({ length: 8 }, async () => {
          await reader.sync();
          return facts.peek('x');
        }),
      );
      assert.ok(
        seen.every((value) => value === undefined),
        `round ${i}`,
      );
      await facts.get('x', async () => ({ value: ++loads, keys: ['user:1'] }));
    }
    assert.equal(loads, 20);
  });
}
