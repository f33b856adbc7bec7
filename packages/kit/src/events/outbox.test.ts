import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { InProcessBus } from '../bus/inprocess.ts';
import { systemClock } from '../clock/clock.ts';
import { VirtualClock } from '../clock/virtual.ts';
import { systemIds } from '../ids/ids.ts';
import { silentLog } from '../log/log.ts';
import { on, type Store, type Tx } from '../store/store.ts';
import { engines, testStore } from '../store/testing.ts';
import type { NewEvent, StoredEvent } from './events.ts';
import { eventMigrations } from './migrations.ts';
import { Outbox, type OutboxOptions } from './outbox.ts';
import type { EventTables } from './store.ts';

const event = (type: string, n: number | string = 0): NewEvent => ({ type, resource: 'server', resourceId: String(n), payload: { n } });

for (const engineName of engines()) {
  describe(`the outbox on ${engineName}`, () => {
    let store: Store;
    const boxes: Outbox[] = [];
    const make = async (options: Partial<OutboxOptions> = {}): Promise<Outbox> => {
      if (!store) {
        store = await testStore(engineName);
        await store.migrate([eventMigrations]);
      }
      const box = new Outbox({ store, clock: systemClock, ids: systemIds, log: silentLog, exclusive: true, retryMs: 1, ...options });
      boxes.push(box);
      return box;
    };
    const emit = (box: Outbox, ...events: NewEvent[]): Promise<void> =>
      store.write(async (tx) => {
        for (const one of events) await box.emit(tx, one);
      });
    afterEach(async () => {
      await Promise.all(boxes.splice(0).map((box) => box.close()));
      await store.close();
      store = undefined as unknown as Store;
    });

    test('a subscriber gets what it asked for, whole and in order, and nothing of what was rolled back', async () => {
      const box = await make();
      await box.open();
      const got: StoredEvent[] = [];
      box.subscribe('a', ['compute.instance.', 'port.bound'], async (one) => void got.push(one));
      const full: NewEvent = {
        type: 'compute.instance.create.end',
        projectId: 'p',
        userId: 'u',
        requestId: 'r',
        resource: 'server',
        resourceId: 's1',
        payload: { state: 'active', nested: [1, null, 'ü'] },
      };
      await emit(box, full, event('volume.create.end'), event('port.bound', 1));
      await assert.rejects(
        store.write(async (tx) => {
          await box.emit(tx, event('port.bound', 'never'));
          throw new Error('no');
        }),
      );
      await emit(box, event('port.bound', 2));
      await box.caughtUp();
      assert.deepEqual(
        got.map((one) => one.type),
        ['compute.instance.create.end', 'port.bound', 'port.bound'],
      );
      const { seq, atMs, ...rest } = got[0] as StoredEvent;
      assert.deepEqual(rest, full);
      assert.ok(seq > 0 && Math.abs(Date.now() - atMs) < 60_000);
      assert.deepEqual(
        got.slice(1).map((one) => one.resourceId),
        ['1', '2'],
      );
      assert.deepEqual([got[1]?.projectId, got[1]?.userId, got[1]?.requestId], [undefined, undefined, undefined]);
      const all = await box.since(store.read, 0, 100);
      assert.deepEqual(
        all.map((one) => one.type),
        ['compute.instance.create.end', 'volume.create.end', 'port.bound', 'port.bound'],
      );
      assert.deepEqual(
        (await box.since(store.read, all[1]?.seq as number, 1)).map((one) => one.resourceId),
        ['1'],
      );
    });

    test('it is told by the commit, not by a poll', async () => {
      const box = await make({ sweepMs: 3600_000 });
      await box.open();
      const { promise, resolve } = Promise.withResolvers<void>();
      box.subscribe('a', ['x'], async () => resolve());
      let news = 0;
      box.onNews(() => void (news += 1));
      await emit(box, event('x'));
      await promise;
      assert.equal(news, 1);
    });

    test('a cursor outlives the process: handled events do not come again after a shutdown', async () => {
      const box = await make();
      await box.open();
      const first: string[] = [];
      box.subscribe('a', ['x'], async (one) => void first.push(one.resourceId));
      await emit(box, event('x', 1), event('x', 2));
      await box.caughtUp();
      await box.close();
      await emit(box, event('x', 3));
      const next = await make();
      const second: string[] = [];
      next.subscribe('a', ['x'], async (one) => void second.push(one.resourceId));
      const other: string[] = [];
      next.subscribe('new', ['x'], async (one) => void other.push(one.resourceId));
      await next.open();
      await next.caughtUp();
      assert.deepEqual([first, second, other], [['1', '2'], ['3'], ['1', '2', '3']]);
    });

    test('after a crash nothing is missing, and what comes again is the newest', async () => {
      const seen: number[] = [];
      const total = 500;
      let sent = 0;
      while (sent < total || seen.at(-1) !== total - 1) {
        const box = await make({ cursorMs: 1 });
        const from = seen.length;
        box.subscribe('a', ['x'], async (one) => {
          await Promise.resolve();
          seen.push(Number(one.resourceId));
        });
        await box.open();
        for (let i = 0; i < 10 && sent < total; i += 1) {
          const batch = Array.from({ length: 10 }, () => event('x', sent++));
          await emit(box, ...batch);
        }
        if (sent === total) await box.caughtUp();
        box.drop();
        const again = seen.slice(from);
        for (const [i, n] of again.entries()) if (i > 0) assert.equal(n, (again[i - 1] as number) + 1);
      }
      assert.deepEqual(
        [...new Set(seen)].sort((a, b) => a - b),
        Array.from({ length: total }, (_, i) => i),
      );
    });

    test('an event that its handler refuses is handed to it again, and holds back the later ones, not other subscribers', async () => {
      const box = await make();
      await box.open();
      const got: string[] = [];
      let refuse = 3;
      box.subscribe('strict', ['x'], async (one) => {
        got.push(one.resourceId);
        if (one.resourceId === '1' && refuse-- > 0) throw new Error('not yet');
      });
      const other: string[] = [];
      box.subscribe('other', ['x'], async (one) => void other.push(one.resourceId));
      await emit(box, event('x', 1), event('x', 2));
      await box.caughtUp();
      assert.deepEqual(got, ['1', '1', '1', '1', '2']);
      assert.deepEqual(other, ['1', '2']);
    });

    test('a subscription that is stopped gets nothing more; its name can be taken again, but not twice at once', async () => {
      const box = await make();
      await box.open();
      const got: string[] = [];
      const subscription = box.subscribe('a', ['x'], async (one) => void got.push(one.resourceId));
      assert.throws(() => box.subscribe('a', ['x'], async () => {}), /exists already/);
      await emit(box, event('x', 1));
      await box.caughtUp();
      await subscription.stop();
      await emit(box, event('x', 2));
      await box.caughtUp();
      assert.deepEqual(got, ['1']);
      box.subscribe('a', ['x'], async (one) => void got.push(`again ${one.resourceId}`));
      await box.caughtUp();
      assert.deepEqual(got, ['1', 'again 2']);
    });

    test('of several processes one reads for a name, and another takes over when it goes', async () => {
      store = await testStore(engineName);
      await store.migrate([eventMigrations]);
      const bus = new InProcessBus({ clock: systemClock, log: silentLog });
      const got: string[] = [];
      const [one, two] = [await make({ exclusive: false, bus, leaseMs: 300, sweepMs: 20 }), await make({ exclusive: false, bus, leaseMs: 300, sweepMs: 20 })];
      for (const [name, box] of [
        ['one', one],
        ['two', two],
      ] as const) {
        box.subscribe('a', ['x'], async (event_) => void got.push(`${name} ${event_.resourceId}`));
        await box.open();
        await box.caughtUp();
      }
      for (let i = 0; i < 20; i += 1) await emit(i % 2 ? one : two, event('x', i));
      await until(() => got.length === 20);
      assert.deepEqual(
        got.splice(0),
        Array.from({ length: 20 }, (_, i) => `one ${i}`),
      );
      await one.close();
      await emit(two, event('x', 20));
      await until(() => got.includes('two 20'));
      two.drop();
      const three = await make({ exclusive: false, leaseMs: 300, sweepMs: 20 });
      three.subscribe('a', ['x'], async (event_) => void got.push(`three ${event_.resourceId}`));
      await three.open();
      await emit(three, event('x', 21));
      await until(() => got.includes('three 21'));
    });

    test('many writers at once: every event is there once, in one order, each transaction’s own events in theirs', async () => {
      const box = await make();
      await box.open();
      const got: StoredEvent[] = [];
      box.subscribe('a', ['x'], async (one) => void got.push(one));
      await Promise.all(Array.from({ length: 60 }, (_, i) => emit(box, event('x', `${i} a`), event('x', `${i} b`))));
      await box.caughtUp();
      assert.equal(got.length, 120);
      assert.equal(new Set(got.map((one) => one.resourceId)).size, 120);
      for (let i = 0; i < 60; i += 1) assert.ok(got.findIndex((one) => one.resourceId === `${i} a`) < got.findIndex((one) => one.resourceId === `${i} b`));
      for (const [i, one] of got.entries()) if (i > 0) assert.ok(one.seq > (got[i - 1] as StoredEvent).seq);
    });

    test('old events are deleted once every cursor is past them, and much older ones in any case', async () => {
      const clock = new VirtualClock();
      const day = 24 * 3600_000;
      const left = async (): Promise<string[]> => (await (boxes[0] as Outbox).since(store.read, 0, 1000)).map((one) => one.resourceId);
      const box = await make({ clock, sweepMs: day / 2 });
      await box.open();
      let stuck = true;
      box.subscribe('quick', ['x'], async () => {});
      box.subscribe('slow', ['x'], async (one) => {
        if (stuck && one.resourceId === '2') throw new Error('not yet');
      });
      await emit(box, event('x', 1), event('x', 2), event('x', 3));
      await settled(clock, 8 * day);
      await emit(box, event('x', 4));
      await settled(clock, day);
      await leftAre(clock, left, ['2', '3', '4']);
      stuck = false;
      await settled(clock, 3 * day);
      await leftAre(clock, left, ['4']);
      stuck = true;
      await emit(box, event('x', 2), event('x', 5));
      await settled(clock, 80 * day);
      await leftAre(clock, left, ['2', '5']);
      await settled(clock, 12 * day);
      await leftAre(clock, left, []);
    });

    /** Waits until these events are left; when the database was slow to answer, another half day or two brings the next look at them. */
    async function leftAre(clock: VirtualClock, left: () => Promise<string[]>, expected: readonly string[]): Promise<void> {
      for (let tries = 1; tries <= 40; tries++) {
        if (isDeepStrictEqual(await left(), expected)) return;
        await new Promise((resolve) => setTimeout(resolve, 25 * tries));
        if (tries % 10 === 0) await settled(clock, 1);
      }
      assert.deepEqual(await left(), expected);
    }

    /** Lets time pass in half days, with the database given real time to answer in between. */
    async function settled(clock: VirtualClock, ms: number): Promise<void> {
      const half = 12 * 3600_000;
      for (let passed = 0; passed < ms; passed += half) {
        await clock.advance(half + 1);
        await new Promise((resolve) => setTimeout(resolve, engineName === 'postgres' ? 30 : 1));
      }
    }

    if (engineName === 'postgres') {
      test('an event of a transaction that commits late is not skipped, though later ones were read before', async () => {
        const box = await make();
        await box.open();
        const got: string[] = [];
        box.subscribe('a', ['x'], async (one) => void got.push(one.resourceId));
        const written = Promise.withResolvers<void>();
        const goOn = Promise.withResolvers<void>();
        const slow = store.write(async (tx: Tx) => {
          await box.emit(tx, event('x', 'early, committed late'));
          written.resolve();
          await goOn.promise;
        });
        await written.promise;
        await emit(box, event('x', 'late, committed early'));
        await box.caughtUp();
        assert.deepEqual(got, ['late, committed early']);
        goOn.resolve();
        await slow;
        await box.caughtUp();
        assert.deepEqual(got, ['late, committed early', 'early, committed late']);
        const rows = await on<EventTables>(store.read).selectFrom('kit_event').select(['id', 'seq', 'resource_id']).orderBy('id').execute();
        assert.deepEqual(
          rows.map((row) => [row.resource_id, row.seq]),
          [
            ['early, committed late', 2],
            ['late, committed early', 1],
          ],
        );
      });

      test('events that a dead process left without a place get one from another', async () => {
        const dead = await make();
        await emit(dead, event('x', 1)); // never opened: it writes and does no more
        assert.deepEqual(await dead.since(store.read, 0, 10), []);
        const box = await make({ sweepMs: 5 });
        const got: string[] = [];
        box.subscribe('a', ['x'], async (one) => void got.push(one.resourceId));
        await box.open();
        await emit(dead, event('x', 2));
        await until(() => got.length === 2);
        assert.deepEqual(got, ['1', '2']);
      });
    }
  });
}

async function until(holds: () => boolean, limitMs = 10_000): Promise<void> {
  const endMs = performance.now() + limitMs;
  while (!holds()) {
    if (performance.now() > endMs) throw new Error(`still does not hold after ${limitMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
