import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import { InProcessBus } from '../bus/inprocess.ts';
import { systemClock } from '../clock/clock.ts';
import { VirtualClock } from '../clock/virtual.ts';
import { conflict, isCairnError } from '../errors/errors.ts';
import { silentLog } from '../log/log.ts';
import { type Db, on, type Store, type Tx } from '../store/store.ts';
import { engines } from '../store/testing.ts';
import { Bench, gate, until } from './engine-testing.ts';
import type { SagaEngine } from './engine.ts';
import { Crash } from './failure.ts';
import { historyOf, running } from './history.ts';
import type { Probe } from './run-host.ts';
import { defineSaga, type SagaDefinition, type SagaStep } from './saga.ts';
import type { SagaTables } from './tables.ts';

const never = (): Promise<never> => new Promise(() => {});

for (const engineName of engines()) {
  describe(`durability of sagas on ${engineName}`, () => {
    let bench: Bench;
    afterEach(() => bench.close());

    test('after a crash the saga goes on at the first unfinished step, as its next try, with the outputs from before', async () => {
      bench = await Bench.open(engineName);
      const calls: string[] = [];
      const hang = gate();
      let alive = 1;
      const saga = defineSaga<{ n: number }, unknown>({
        name: 'test.crash',
        steps: [
          { name: 'a', do: async () => (calls.push('a'), { id: 7 }) },
          {
            name: 'b',
            do: async ({ attempt, outputs }) => {
              calls.push(`b ${attempt} ${JSON.stringify(outputs)}`);
              if (alive === 1) {
                hang.resolve();
                await never();
              }
            },
          },
          { name: 'c', do: async () => void calls.push('c') },
        ],
      });
      const first = await bench.engine([saga]);
      const id = await bench.start(first, saga, { n: 1 }, { subject: 's' });
      await hang.promise;
      const waiting = await bench.start(first, saga, { n: 2 }, { subject: 's' });
      first.drop();
      alive = 2;
      const second = await bench.engine([saga]);
      assert.equal(await second.settled(id), 'done');
      assert.equal(await second.settled(waiting), 'done');
      assert.deepEqual(calls, ['a', 'b 1 {"a":{"id":7}}', 'b 2 {"a":{"id":7}}', 'c', 'a', 'b 1 {"a":{"id":7}}', 'c']);
      const record = (await historyOf(bench.store.read, { subject: 's' })).find((r) => r.id === id);
      assert.deepEqual(
        record?.steps.map((s) => [s.name, s.attempt]),
        [
          ['a', 1],
          ['b', 2],
          ['c', 1],
        ],
      );
    });

    test('shutdown aborts running steps without unwinding; they go on with the next engine', async () => {
      bench = await Bench.open(engineName);
      const calls: string[] = [];
      const begun = gate();
      let closed = false;
      const saga = defineSaga<null, unknown>({
        name: 'test.shutdown',
        steps: [
          {
            name: 'a',
            do: ({ signal, attempt }) =>
              new Promise((resolve, reject) => {
                calls.push(`do ${attempt}`);
                begun.resolve();
                if (closed) resolve(null);
                signal.addEventListener('abort', () => reject(signal.reason));
              }),
            undo: async () => void calls.push('undo'),
          },
        ],
      });
      const first = await bench.engine([saga], { concurrency: 1 });
      const id = await bench.start(first, saga, null, { subject: 's' });
      await begun.promise;
      const queued = await bench.start(first, saga, null, { subject: 't' });
      const left = first.settled(id);
      await first.close();
      closed = true;
      await assert.rejects(left, (error: unknown) => isCairnError(error, 'Unavailable'));
      const [record] = await historyOf(bench.store.read, { subject: 's' });
      assert.equal(record?.state, 'running');
      const during = await bench.store.write((tx) => first.start(tx, saga, null, { subject: 'u', requestId: 'r' }));
      const second = await bench.engine([saga]);
      for (const one of [id, queued, during]) assert.equal(await second.settled(one), 'done');
      assert.ok(!calls.includes('undo'));
      assert.deepEqual([calls[0], calls[1], calls.length], ['do 1', 'do 2', 4]);
    });

    test('shutdown leaves an undo that fails, and the next engine takes it up', async () => {
      bench = await Bench.open(engineName);
      let broken = true;
      const undos: number[] = [];
      const saga = defineSaga<null, unknown>({
        name: 'test.undo',
        steps: [
          {
            name: 'a',
            undo: async ({ attempt }) => {
              undos.push(attempt);
              if (broken) throw new Error('the host is gone');
            },
          },
          { name: 'b', do: () => Promise.reject(conflict('no')) },
        ],
      });
      const first = await bench.engine([saga]);
      const id = await bench.start(first, saga, null, { subject: 's' });
      await until(() => undos.length >= 3);
      const [record] = await running(bench.store.read);
      assert.deepEqual([record?.id, record?.state, record?.steps[0]?.state], [id, 'undoing', 'undoing']);
      assert.match(record?.steps[0]?.undo?.error?.detail ?? '', /the host is gone/);
      await first.close();
      broken = false;
      const before = undos.length;
      const second = await bench.engine([saga]);
      assert.equal(await second.settled(id), 'failed');
      assert.equal(undos.length, before + 1);
      assert.ok((undos.at(-1) ?? 0) > 3);
      assert.ok(bench.log.messages('error').includes('undoing failed and is tried again; until it succeeds something is left behind'));
    });

    test('sagas that this release does not know, or knows with other steps, are left alone and told of', async () => {
      bench = await Bench.open(engineName);
      const old = defineSaga<null, unknown>({ name: 'test.old', steps: [{ name: 'a', do: never }] });
      const changed = defineSaga<null, unknown>({ name: 'test.changed', steps: [{ name: 'a' }, { name: 'b', do: never }] });
      const first = await bench.engine([old, changed]);
      const ids = [await bench.start(first, old, null, { subject: 'old' }), await bench.start(first, changed, null, { subject: 'changed' })];
      await until(async () => (await running(bench.store.read)).some((r) => r.steps.length === 2));
      first.drop();
      let ran = 0;
      const renewed = defineSaga<null, unknown>({ name: 'test.changed', steps: [{ name: 'a' }, { name: 'c', do: async () => void (ran += 1) }] });
      const fine = defineSaga<null, unknown>({ name: 'test.fine', steps: [{ name: 'a' }] });
      const second = await bench.engine([renewed, fine]);
      assert.equal(await second.settled(await bench.start(second, fine, null)), 'done');
      assert.deepEqual(
        (await running(bench.store.read)).map((r) => [r.id, r.state]),
        [
          [ids[0], 'running'],
          [ids[1], 'running'],
        ],
      );
      assert.equal(ran, 0);
      const errors = bench.log.messages('error');
      assert.ok(errors.some((line) => line.includes('does not know')) && errors.some((line) => line.includes('other steps')), errors.join('\n'));
      // the release that knows them takes them up
      second.drop();
      const doneOld = defineSaga<null, unknown>({ name: 'test.old', steps: [{ name: 'a', do: async () => {} }] });
      const doneChanged = defineSaga<null, unknown>({ name: 'test.changed', steps: [{ name: 'a' }, { name: 'b', do: async () => {} }] });
      const third = await bench.engine([doneOld, doneChanged]);
      for (const id of ids) assert.equal(await third.settled(id), 'done');
    });

    test('two engines share the work; a cancel and a settled reach across', async () => {
      bench = await Bench.open(engineName);
      const bus = new InProcessBus({ clock: systemClock, log: silentLog });
      const ran: string[] = [];
      const begun = gate();
      const saga = defineSaga<{ hang: boolean }, { name: string }>({
        name: 'test.shared',
        steps: [
          {
            name: 'a',
            do: async ({ services, params, signal }) => {
              ran.push(services.name);
              if (params.hang) {
                begun.resolve();
                await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
              }
              await new Promise((resolve) => setTimeout(resolve, 20));
            },
          },
        ],
      });
      const one = await bench.engine([saga], { exclusive: false, bus, concurrency: 4 }, { name: 'one' });
      const two = await bench.engine([saga], { exclusive: false, bus, concurrency: 4 }, { name: 'two' });
      const ids = await Promise.all(Array.from({ length: 40 }, () => bench.start(one, saga, { hang: false })));
      for (const id of ids) assert.equal(await two.settled(id), 'done');
      assert.equal(ran.length, 40);
      assert.ok(ran.includes('one') && ran.includes('two'), `only ${ran[0]}`);
      const id = await bench.start(one, saga, { hang: true }, { subject: 's' });
      await begun.promise;
      await bench.store.write((tx) => two.cancel(tx, 's'));
      assert.equal(await two.settled(id), 'failed');
    });

    test('an engine that dies loses its sagas to another when their leases end; one that only hangs may record nothing afterwards', async () => {
      bench = await Bench.open(engineName);
      const begun = gate();
      const hang = gate();
      const second = gate();
      const finish = gate();
      const log: string[] = [];
      const saga = defineSaga<null, { name: string }>({
        name: 'test.lease',
        steps: [
          {
            name: 'a',
            do: async ({ services }) => {
              log.push(`do ${services.name}`);
              begun.resolve();
              if (services.name === 'one') await hang.promise;
              return { by: services.name };
            },
            undo: async () => void log.push('undo'),
          },
          {
            name: 'b',
            do: async ({ services, outputs }) => {
              log.push(`b ${services.name} ${JSON.stringify(outputs)}`);
              second.resolve();
              await finish.promise;
            },
          },
        ],
      });
      // its clock is far ahead, so the other sees its leases end, and it does not renew them in time
      const stuck = { ...systemClock, after: () => ({ cancel: () => {} }) };
      const one = await bench.engine([saga], { exclusive: false, leaseMs: 60, clock: stuck }, { name: 'one' });
      const id = await bench.start(one, saga, null, { subject: 's' });
      await begun.promise;
      const two = await bench.engine([saga], { exclusive: false, leaseMs: 60, sweepMs: 10 }, { name: 'two' });
      await second.promise;
      hang.resolve(); // the first one wakes up and wants to record
      await one.idle();
      finish.resolve();
      assert.equal(await two.settled(id), 'done');
      assert.deepEqual(log, ['do one', 'do two', 'b two {"a":{"by":"two"}}']);
      const [record] = await historyOf(bench.store.read, { subject: 's' });
      assert.deepEqual([record?.state, record?.steps[0]?.attempt], ['done', 2]);
    });

    test('a lease is renewed while a step takes long, so nobody else takes the saga', async () => {
      bench = await Bench.open(engineName);
      const ran: string[] = [];
      const saga = defineSaga<null, { name: string }>({
        name: 'test.long',
        steps: [
          {
            name: 'a',
            do: async ({ services, signal }) => {
              ran.push(services.name);
              await new Promise((resolve) => setTimeout(resolve, 1200));
              signal.throwIfAborted();
            },
          },
        ],
      });
      const one = await bench.engine([saga], { exclusive: false, leaseMs: 400 }, { name: 'one' });
      const id = await bench.start(one, saga, null);
      await until(() => ran.length === 1);
      await bench.engine([saga], { exclusive: false, leaseMs: 400, sweepMs: 10 }, { name: 'two' });
      assert.equal(await one.settled(id), 'done');
      assert.deepEqual(ran, ['one']);
    });

    test('an engine that is told of nothing finds pending work by its sweep', async () => {
      bench = await Bench.open(engineName);
      const saga = defineSaga<null, unknown>({ name: 'test.sweep', steps: [{ name: 'a' }] });
      const deaf = await bench.engine([saga], { exclusive: false });
      await deaf.close(); // it only writes rows now
      const other = await bench.engine([saga], { exclusive: false, sweepMs: 5 });
      const id = await bench.store.write((tx) => deaf.start(tx, saga, null, { subject: 's', requestId: 'r' }));
      assert.equal(await other.settled(id), 'done');
    });

    test('finished sagas are deleted when they are old, with their steps; others stay', async () => {
      bench = await Bench.open(engineName);
      const saga = defineSaga<boolean, unknown>({ name: 'test.old', steps: [{ name: 'a', do: async ({ params }) => (params ? never() : undefined) }] });
      const first = await bench.engine([saga]);
      const ids = await Promise.all(Array.from({ length: 250 }, () => bench.start(first, saga, false)));
      for (const id of ids) await first.settled(id);
      const kept = await bench.start(first, saga, true);
      first.drop();
      await bench.store.write((tx) => on<SagaTables>(tx).updateTable('kit_saga').set({ finished_at_ms: 1000 }).where('id', 'in', ids.slice(1)).execute());
      const second = await bench.engine([saga]);
      await until(async () => (await on<SagaTables>(bench.store.read).selectFrom('kit_saga').select('id').execute()).length <= 2);
      await second.close(); // not amid a batch
      const left = await on<SagaTables>(bench.store.read).selectFrom('kit_saga').select('id').orderBy('seq').execute();
      assert.deepEqual(left.map((row) => row.id).sort(), [ids[0], kept].sort());
      const steps = await on<SagaTables>(bench.store.read).selectFrom('kit_saga_step').select('saga_id').execute();
      assert.deepEqual(steps.map((row) => row.saga_id).sort(), [ids[0], kept].sort());
    });

    test('while the database does not answer sagas wait, and then go on without doing a step twice', async () => {
      bench = await Bench.open(engineName);
      const calls: string[] = [];
      let down = false;
      const store: Store = {
        engine: bench.store.engine,
        read: bench.store.read,
        write: <T>(work: (tx: Tx) => Promise<T>): Promise<T> => (down ? Promise.reject(new Error('connection refused')) : bench.store.write(work)),
        migrate: (sets) => bench.store.migrate(sets),
        close: () => bench.store.close(),
      };
      Object.defineProperty(store, 'read', {
        get(): Db {
          if (down) throw new Error('connection refused');
          return bench.store.read;
        },
      });
      const saga = defineSaga<null, unknown>({
        name: 'test.outage',
        steps: [
          {
            name: 'a',
            do: async () => {
              calls.push('a');
              down = true;
            },
          },
          { name: 'b', do: async () => void calls.push('b') },
        ],
      });
      const engine = await bench.engine([saga], { store });
      const id = await bench.start(engine, saga, null);
      await until(() => bench.log.messages('error').length >= 8);
      assert.deepEqual(calls, ['a']);
      down = false;
      assert.equal(await engine.settled(id), 'done');
      assert.deepEqual(calls, ['a', 'b']);
    });

    test('a step that takes its process down each time is given up in the end', async () => {
      bench = await Bench.open(engineName);
      let tries = 0;
      let undone = 0;
      let strike = true;
      const probe: Probe = (point) => {
        if (point === 'after-do' && strike) throw new Crash();
      };
      const saga = defineSaga<null, unknown>({
        name: 'test.poison',
        steps: [{ name: 'a', do: async () => void (tries += 1), undo: async () => void (undone += 1) }],
      });
      let engine = await bench.engine([saga], { probe });
      const id = await bench.start(engine, saga, null, { subject: 's' });
      for (let i = 0; i < 40 && undone === 0; i += 1) {
        await until(() => tries > i || undone > 0);
        await engine.idle();
        engine = await bench.engine([saga], { probe });
      }
      strike = false;
      assert.equal(await engine.settled(id), 'failed');
      assert.deepEqual([tries, undone], [30, 1]);
    });

    test('whatever fails and whoever dies, every saga ends with all of its effects or none', { timeout: 120_000 }, async () => {
      bench = await Bench.open(engineName);
      const seed = Math.floor(Math.random() * 2 ** 31);
      const message = `seed ${seed}`;
      const chance = random(seed);
      const world = new Set<string>();
      const active = new Map<string, string>();
      const step = (name: string): SagaStep<{ n: number; subject: string }, { process: { dead: boolean } }> => ({
        name,
        attempts: 4,
        do: async ({ params, sagaId, signal, services }) => {
          assert.ok([undefined, sagaId].includes(active.get(params.subject)), `${message}: two sagas of ${params.subject} at once`);
          active.set(params.subject, sagaId);
          if (chance() < 0.1) throw new Error('transient, before');
          if (chance() < 0.3) await new Promise((resolve) => setTimeout(resolve, 1 + chance() * 3));
          if (services.process.dead) await never();
          signal.throwIfAborted();
          world.add(`${sagaId} ${name}`);
          if (chance() < 0.1) throw new Error('transient, after');
          if (chance() < 0.03) throw conflict('domain');
          if (name === 'z') active.delete(params.subject);
        },
        undo: async ({ sagaId, params }) => {
          if (chance() < 0.2) throw new Error('undo fails');
          world.delete(`${sagaId} ${name}`);
          if (name === 'a') active.delete(params.subject);
        },
      });
      const saga = defineSaga<{ n: number; subject: string }, { process: { dead: boolean } }>({ name: 'test.chaos', steps: ['a', 'b', 'c', 'z'].map(step) });
      const probe: Probe = () => {
        if (chance() < 0.004) throw new Crash();
      };
      // each engine that dies is replaced, as a supervisor would; exclusive ones, since a dead one holds its leases else
      const boot = async (): Promise<SagaEngine> => {
        const services = { process: { dead: false } };
        const made = await bench.engine([saga], { probe, concurrency: 8, sweepMs: 50 }, services);
        services.process = made;
        return made;
      };
      let engine = await boot();
      const ids: string[] = [];
      let crashes = 0;
      for (let i = 0; i < 150; i += 1) {
        const subject = `s${Math.floor(chance() * 25)}`;
        ids.push(await bench.start(engine, saga, { n: i, subject }, { subject }));
        if (chance() < 0.1) await bench.store.write((tx) => engine.cancel(tx, `s${Math.floor(chance() * 25)}`));
        if (engine.dead) {
          crashes += 1;
          engine = await boot();
        }
      }
      await until(async () => {
        await engine.idle();
        if (engine.dead) {
          crashes += 1;
          engine = await boot();
        }
        return (await running(bench.store.read)).length === 0;
      }, 60_000).catch((error: Error) => assert.fail(`${message}: ${error.message}`));
      const ends = { done: 0, failed: 0 };
      for (const id of ids) {
        const end = await engine.settled(id);
        ends[end] += 1;
        const effects = [...world]
          .filter((thing) => thing.startsWith(id))
          .map((thing) => thing.slice(id.length + 1))
          .sort();
        assert.deepEqual(effects, end === 'done' ? ['a', 'b', 'c', 'z'] : [], `${message}: saga ${id} ended ${end}`);
      }
      assert.ok(ends.done > 0 && ends.failed > 0 && crashes > 0, `${message}: ${JSON.stringify(ends)}, ${crashes} crashes`);
    });
  });
}

describe('long times', () => {
  test('an undo that fails for days is tried again and again, ever more rarely, and others run meanwhile', async () => {
    const bench = await Bench.open();
    const clock = new VirtualClock();
    const startMs = clock.nowMs();
    const tries: number[] = [];
    const stuck = defineSaga<null, unknown>({
      name: 'test.stuck',
      steps: [
        {
          name: 'a',
          undo: async () => {
            tries.push(clock.nowMs() - startMs);
            if (clock.nowMs() - startMs < 2 * 24 * 3600_000) throw new Error('not yet');
          },
        },
        { name: 'b', do: () => Promise.reject(conflict('no')) },
      ],
    });
    const quick = defineSaga<null, unknown>({ name: 'test.quick', steps: [{ name: 'a', do: async () => {} }] });
    const troubles: string[] = [];
    const engine = await bench.engine([stuck, quick] as SagaDefinition[], {
      clock,
      concurrency: 1,
      retryMs: 200,
      undoRetryMaxMs: 300_000,
      sweepMs: 3600_000,
      metrics: { trouble: (name, step) => void troubles.push(`${name} ${step}`) },
    });
    const id = await bench.start(engine, stuck, null);
    let end: string | undefined;
    void engine.settled(id).then((value) => (end = value));
    await clock.advance(3600_000);
    assert.equal(end, undefined);
    const other = await bench.start(engine, quick, null);
    assert.equal(await engine.settled(other), 'done');
    await clock.runUntil(() => end !== undefined, 4 * 24 * 3600_000);
    assert.equal(end, 'failed');
    const gaps = tries.slice(1).map((at, i) => at - (tries[i] as number));
    assert.deepEqual(gaps.slice(0, 5), [200, 400, 800, 1600, 3200]);
    assert.equal(Math.max(...gaps), 300_000);
    assert.equal(troubles.length, tries.length - 1);
    await bench.close();
  });

  test('onFailed that throws is tried again until it succeeds', async () => {
    const bench = await Bench.open();
    let tries = 0;
    const saga = defineSaga<null, unknown>({
      name: 'test.onfailed',
      steps: [{ name: 'a', do: () => Promise.reject(conflict('no')) }],
      onFailed: async () => {
        tries += 1;
        if (tries < 4) throw new Error('bug');
      },
    });
    const engine = await bench.engine([saga]);
    assert.equal(await engine.settled(await bench.start(engine, saga, null)), 'failed');
    assert.equal(tries, 4);
    await bench.close();
  });
});

/** Numbers between 0 and 1 from a seed (mulberry32). */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
