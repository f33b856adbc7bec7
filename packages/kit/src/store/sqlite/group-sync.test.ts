import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { GroupSync } from './group-sync.ts';

/** A disk whose syncs end when the test says so. */
function disk() {
  const syncs: PromiseWithResolvers<void>[] = [];
  const group = new GroupSync(() => {
    const sync = Promise.withResolvers<void>();
    syncs.push(sync);
    return sync.promise;
  });
  const done: string[] = [];
  const commit = (name: string): Promise<void> => {
    group.committed();
    return group.durable().then(
      () => void done.push(name),
      () => void done.push(`${name} failed`),
    );
  };
  const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  return { group, syncs, done, commit, settle };
}

describe('GroupSync', () => {
  it('answers a commit only after a sync that began after it', async () => {
    const { syncs, done, commit, settle } = disk();
    void commit('a');
    void commit('b');
    await settle();
    assert.equal(syncs.length, 1);
    assert.deepEqual(done, []);
    syncs[0]?.resolve();
    await settle();
    // b came while the sync was on its way, so it waits for another
    assert.deepEqual(done, ['a']);
    assert.equal(syncs.length, 2);
    syncs[1]?.resolve();
    await settle();
    assert.deepEqual(done, ['a', 'b']);
  });

  it('lets all that arrive during one sync share the next, in order', async () => {
    const { syncs, done, commit, settle } = disk();
    for (const name of ['a', 'b', 'c', 'd']) void commit(name);
    syncs[0]?.resolve();
    await settle();
    syncs[1]?.resolve();
    await settle();
    assert.equal(syncs.length, 2);
    assert.deepEqual(done, ['a', 'b', 'c', 'd']);
  });

  it('answers at once when everything is synced', async () => {
    const { group, syncs, commit, settle } = disk();
    await group.durable();
    void commit('a');
    syncs[0]?.resolve();
    await settle();
    await group.durable();
    assert.equal(syncs.length, 1);
  });

  it('believes no sync after one that failed', async () => {
    const { group, syncs, done, commit, settle } = disk();
    void commit('a');
    void commit('b');
    syncs[0]?.reject(new Error('EIO'));
    await settle();
    assert.deepEqual(done, ['a failed', 'b failed']);
    await assert.rejects(group.durable(), /stable storage/);
    assert.equal((group.failure as Error & { cause: Error }).cause.message, 'EIO');
    assert.equal(syncs.length, 1);
  });
});
