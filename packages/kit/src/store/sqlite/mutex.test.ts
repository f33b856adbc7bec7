import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Mutex } from './mutex.ts';

describe('Mutex', () => {
  it('lets one in at a time, in the order of asking', async () => {
    const mutex = new Mutex();
    const order: string[] = [];
    let inside = 0;
    await Promise.all(
      Array.from({ length: 5 }, async (_, i) => {
        await mutex.acquire();
        inside += 1;
        assert.equal(inside, 1);
        order.push(`in ${i}`);
        await new Promise(setImmediate);
        order.push(`out ${i}`);
        inside -= 1;
        mutex.release();
      }),
    );
    assert.deepEqual(
      order,
      [0, 1, 2, 3, 4].flatMap((i) => [`in ${i}`, `out ${i}`]),
    );
    assert.equal(mutex.waiting, 0);
  });

  it('is free again after the last release, and does not let a newcomer pass those who wait', async () => {
    const mutex = new Mutex();
    await mutex.acquire();
    const order: number[] = [];
    const second = mutex.acquire().then(() => order.push(2));
    mutex.release();
    const third = mutex.acquire().then(() => order.push(3));
    await second;
    assert.deepEqual(order, [2]);
    mutex.release();
    await third;
    mutex.release();
    await mutex.acquire();
  });
});
