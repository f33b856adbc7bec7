import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import { conflict, isCairnError, unavailable } from '../errors/errors.ts';
import { on, type Tx } from '../store/store.ts';
import { engines } from '../store/testing.ts';
import { Bench, gate, until } from './engine-testing.ts';
import { historyOf, running } from './history.ts';
import { defineSaga, type SagaFailure, type SagaStep } from './saga.ts';

interface NoteTable {
  note: { id: string; text: string };
}

/** Writes a row of "service" data; tells transactions that were kept from those that were not. */
const note = (tx: Tx, id: string, text: string): Promise<unknown> => on<NoteTable>(tx).insertInto('note').values({ id, text }).execute();

for (const engineName of engines()) {
  describe(`the saga engine on ${engineName}`, () => {
    let bench: Bench;
    const open = async (): Promise<Bench> => {
      bench = await Bench.open(engineName);
      await bench.store.migrate([
        {
          service: 'test',
          migrations: {
            '0001_first': async (db) => {
              await db.schema
                .createTable('note')
                .addColumn('id', 'text', (c) => c.primaryKey())
                .addColumn('text', 'text')
                .execute();
            },
          },
        },
      ]);
      return bench;
    };
    const notes = async (): Promise<Record<string, string>> =>
      Object.fromEntries((await on<NoteTable>(bench.store.read).selectFrom('note').selectAll().orderBy('id').execute()).map((row) => [row.id, row.text]));
    afterEach(() => bench.close());

    test('runs the steps in order, each with the outputs before it, and commits with each record', async () => {
      await open();
      const seen: unknown[] = [];
      const saga = defineSaga<{ name: string; when: Date | string }, { greet(name: string): string }>({
        name: 'test.make',
        steps: [
          { name: 'mint', do: async (step) => ({ id: 'i1', greeting: step.services.greet(step.params.name), left: undefined }) },
          {
            name: 'use',
            do: async (step) => {
              seen.push(step.outputs, step.params, step.attempt, step.signal.aborted);
            },
            commit: (tx, step, output) => note(tx, 'use', JSON.stringify([step.outputs, output])) as Promise<void>,
          },
          { name: 'rows only', commit: (tx, step) => note(tx, 'rows', Object.keys(step.outputs).join()) as Promise<void> },
        ],
        onDone: (tx, step) => note(tx, 'done', Object.keys(step.outputs).join()) as Promise<void>,
      });
      const engine = await bench.engine([saga], {}, { greet: (name: string) => `hello ${name}` });
      const id = await bench.start(engine, saga, { name: 'ann', when: new Date(0) }, { subject: 'server:1', requestId: 'req-7', userId: 'u', projectId: 'p' });
      assert.equal(await engine.settled(id), 'done');
      assert.deepEqual(seen, [{ mint: { id: 'i1', greeting: 'hello ann' } }, { name: 'ann', when: '1970-01-01T00:00:00.000Z' }, 1, false]);
      assert.deepEqual(await notes(), {
        done: 'mint,use,rows only',
        rows: 'mint,use',
        use: '[{"mint":{"id":"i1","greeting":"hello ann"}},null]',
      });
      const [record, ...more] = await historyOf(bench.store.read, { subject: 'server:1' });
      assert.deepEqual(more, []);
      assert.ok(record);
      assert.deepEqual(
        [record.id, record.name, record.requestId, record.userId, record.projectId, record.state, record.failure],
        [id, 'test.make', 'req-7', 'u', 'p', 'done', null],
      );
      assert.ok(record.finishedAtMs !== null && record.finishedAtMs >= record.createdAtMs);
      assert.deepEqual(
        record.steps.map((step) => [step.index, step.name, step.state, step.attempt, step.error, step.undo]),
        [
          [0, 'mint', 'done', 1, null, null],
          [1, 'use', 'done', 1, null, null],
          [2, 'rows only', 'done', 1, null, null],
        ],
      );
      for (const step of record.steps) assert.ok(step.finishedAtMs !== null && step.startedAtMs >= record.createdAtMs && step.finishedAtMs >= step.startedAtMs);
      assert.deepEqual(
        (await historyOf(bench.store.read, { requestId: 'req-7' })).map((r) => r.id),
        [id],
      );
      assert.deepEqual(await running(bench.store.read), []);
    });

    test('a transaction that is rolled back starts nothing', async () => {
      await open();
      let ran = 0;
      const saga = defineSaga({ name: 'test.never', steps: [{ name: 'a', do: async () => void (ran += 1) }] });
      const engine = await bench.engine([saga]);
      await assert.rejects(
        bench.store.write(async (tx) => {
          await engine.start(tx, saga, null, { subject: 's', requestId: 'r' });
          throw new Error('no');
        }),
        /no/,
      );
      const id = await bench.start(engine, saga, null, { subject: 's' });
      await engine.settled(id);
      assert.equal(ran, 1);
      assert.deepEqual(
        (await historyOf(bench.store.read, { subject: 's' })).map((r) => r.id),
        [id],
      );
    });

    test('a saga without steps, and one that only writes rows, are done', async () => {
      await open();
      const empty = defineSaga({ name: 'test.empty', steps: [], onDone: (tx) => note(tx, 'empty', '') as Promise<void> });
      const engine = await bench.engine([empty]);
      assert.equal(await engine.settled(await bench.start(engine, empty, null)), 'done');
      assert.deepEqual(await notes(), { empty: '' });
    });

    test('a domain error fails at once; undo runs in reverse, the failed step first; the failure reaches onFailed', async () => {
      await open();
      const calls: string[] = [];
      let told: SagaFailure | undefined;
      const step = (name: string): SagaStep<null, unknown> => ({
        name,
        do: async () => {
          calls.push(`do ${name}`);
          return { made: name };
        },
        undo: async (context) => void calls.push(`undo ${name} ${JSON.stringify(context.outputs[name] ?? null)}`),
        undoCommit: (tx) => note(tx, `undone ${name}`, '') as Promise<void>,
      });
      const saga = defineSaga<null, unknown>({
        name: 'test.fails',
        steps: [
          step('a'),
          { name: 'plain', do: async () => void calls.push('do plain') },
          {
            ...step('b'),
            do: async () => {
              calls.push('do b');
              throw conflict('The port is in use.', { type: 'PortInUse', detail: 'secret' });
            },
            commit: (tx) => note(tx, 'never', '') as Promise<void>,
          },
          step('c'),
        ],
        onDone: () => assert.fail('it is not done'),
        onFailed: async (tx, context, failure) => {
          told = failure;
          await note(tx, 'failed', Object.keys(context.outputs).join());
        },
      });
      const engine = await bench.engine([saga]);
      assert.equal(await engine.settled(await bench.start(engine, saga, null, { subject: 's' })), 'failed');
      assert.deepEqual(calls, ['do a', 'do plain', 'do b', 'undo b null', 'undo a {"made":"a"}']);
      assert.deepEqual(await notes(), { 'undone a': '', 'undone b': '', failed: 'a,plain' });
      const [record] = await historyOf(bench.store.read, { subject: 's' });
      assert.ok(record && told);
      const { detail, ...open_ } = told;
      assert.deepEqual(open_, { step: 'b', kind: 'Conflict', type: 'PortInUse', message: 'The port is in use.' });
      assert.match(detail ?? '', /secret/);
      assert.deepEqual(record.failure, told);
      assert.equal(record.state, 'failed');
      assert.deepEqual(
        record.steps.map((s) => [s.name, s.state, s.error?.kind, s.undo?.attempt]),
        [
          ['a', 'undone', undefined, 1],
          ['plain', 'done', undefined, undefined],
          ['b', 'undone', 'Conflict', 1],
        ],
      );
    });

    test('what is transient is tried again, with the number of the try; other words than public ones stay inside', async () => {
      await open();
      const tries: number[] = [];
      const saga = defineSaga<{ good: number; attempts?: number; domain: boolean }, unknown>({
        name: 'test.transient',
        steps: [
          {
            name: 'a',
            attempts: 4,
            do: async ({ attempt, params }) => {
              tries.push(attempt);
              if (attempt < params.good) throw params.domain ? unavailable('Host h1 is not reachable.') : new TypeError('x is not a function');
            },
          },
        ],
      });
      const engine = await bench.engine([saga]);
      assert.equal(await engine.settled(await bench.start(engine, saga, { good: 3, domain: true }, { subject: 'one' })), 'done');
      assert.deepEqual(tries.splice(0), [1, 2, 3]);
      const [one] = await historyOf(bench.store.read, { subject: 'one' });
      assert.deepEqual([one?.steps[0]?.attempt, one?.steps[0]?.error], [3, null]);
      assert.equal(await engine.settled(await bench.start(engine, saga, { good: 9, domain: true }, { subject: 'two' })), 'failed');
      assert.deepEqual(tries.splice(0), [1, 2, 3, 4]);
      assert.equal(await engine.settled(await bench.start(engine, saga, { good: 9, domain: false }, { subject: 'three' })), 'failed');
      const [two] = await historyOf(bench.store.read, { subject: 'two' });
      const [three] = await historyOf(bench.store.read, { subject: 'three' });
      assert.deepEqual([two?.failure?.kind, two?.failure?.message], ['Unavailable', 'Host h1 is not reachable.']);
      assert.equal(three?.failure?.kind, 'Internal');
      assert.doesNotMatch(three?.failure?.message ?? '', /function/);
      assert.match(three?.failure?.detail ?? '', /x is not a function/);
    });

    test('a step may ask for many tries', async () => {
      await open();
      let tries = 0;
      const saga = defineSaga<null, unknown>({
        name: 'test.patient',
        steps: [
          {
            name: 'a',
            attempts: 100,
            do: async () => {
              if ((tries += 1) < 60) throw unavailable('not yet');
            },
          },
        ],
      });
      const engine = await bench.engine([saga], { retryMaxMs: 1 });
      assert.equal(await engine.settled(await bench.start(engine, saga, null)), 'done');
      assert.equal(tries, 60);
    });

    test('a step that passes its deadline is aborted and the saga unwinds', async () => {
      await open();
      const undone: unknown[] = [];
      const saga = defineSaga<{ heeds: 'rejects' | 'returns' | 'ignores' }, unknown>({
        name: 'test.slow',
        steps: [
          {
            name: 'slow',
            deadlineMs: 20,
            do: ({ signal, params }) =>
              new Promise((resolve, reject) => {
                if (params.heeds === 'rejects') signal.addEventListener('abort', () => reject(signal.reason));
                if (params.heeds === 'returns') signal.addEventListener('abort', () => resolve({ made: 1 }));
              }),
            undo: async ({ outputs, signal }) => void undone.push([outputs['slow'] ?? null, signal.aborted]),
          },
        ],
      });
      const engine = await bench.engine([saga]);
      for (const heeds of ['rejects', 'returns', 'ignores'] as const) {
        assert.equal(await engine.settled(await bench.start(engine, saga, { heeds }, { subject: heeds })), 'failed');
        const [record] = await historyOf(bench.store.read, { subject: heeds });
        assert.deepEqual([record?.failure?.kind, record?.failure?.step], ['Timeout', 'slow']);
        assert.match(record?.failure?.message ?? '', /20 ms/);
      }
      assert.deepEqual(undone, [
        [null, false],
        [{ made: 1 }, false],
        [null, false],
      ]);
      assert.deepEqual(bench.log.messages('error'), ['a step goes on though it was told to stop; nobody waits for it any more']);
    });

    test('the deadline covers all tries, and tells what the last one said', async () => {
      await open();
      const saga = defineSaga<null, unknown>({
        name: 'test.slow',
        steps: [{ name: 'a', deadlineMs: 30, attempts: 1000, do: () => Promise.reject(unavailable('Host h1 is not reachable.')) }],
      });
      const engine = await bench.engine([saga]);
      assert.equal(await engine.settled(await bench.start(engine, saga, null, { subject: 's' })), 'failed');
      const [record] = await historyOf(bench.store.read, { subject: 's' });
      assert.equal(record?.failure?.kind, 'Timeout');
      assert.match(record?.failure?.message ?? '', /within 30 ms.*Host h1 is not reachable/);
      assert.ok((record?.steps[0]?.attempt ?? 0) > 1);
    });

    test('a commit that throws takes its rows back and fails the step, and so does onDone', async () => {
      await open();
      const calls: string[] = [];
      const make = (name: string, where: 'commit' | 'onDone') =>
        defineSaga<null, unknown>({
          name,
          steps: [
            {
              name: 'a',
              do: async () => void calls.push(`${where} do`),
              commit: async (tx) => {
                await note(tx, where, 'commit');
                if (where === 'commit') throw conflict('Taken.');
              },
              undo: async () => void calls.push(`${where} undo`),
            },
          ],
          onDone: async (tx) => {
            await note(tx, `${where} done`, '');
            throw conflict('Too late.');
          },
        });
      const sagas = [make('test.commit', 'commit'), make('test.ondone', 'onDone')];
      const engine = await bench.engine(sagas);
      for (const saga of sagas) assert.equal(await engine.settled(await bench.start(engine, saga, null)), 'failed');
      assert.deepEqual(calls, ['commit do', 'commit undo', 'onDone do', 'onDone undo']);
      assert.deepEqual(await notes(), {});
    });

    test('sagas of one subject run one after another in order of their start; others beside them', async () => {
      await open();
      const log: string[] = [];
      let inA = 0;
      let most = 0;
      let both = false;
      const busy = new Set<string>();
      const saga = defineSaga<{ subject: string; n: number }, unknown>({
        name: 'test.turn',
        steps: ['one', 'two'].map((name) => ({
          name,
          do: async ({ params }) => {
            if (params.subject === 'a') most = Math.max(most, (inA += 1));
            busy.add(params.subject);
            both ||= busy.size > 1;
            log.push(`${params.subject}${params.n} ${name}`);
            await new Promise((resolve) => setTimeout(resolve, 1));
            busy.delete(params.subject);
            if (params.subject === 'a') inA -= 1;
            if (params.n === 3) throw conflict('the third one fails');
          },
        })),
      });
      const engine = await bench.engine([saga]);
      const ids: string[] = [];
      for (let n = 0; n < 8; n += 1) for (const subject of ['a', 'b']) ids.push(await bench.start(engine, saga, { subject, n }, { subject }));
      const ends = await Promise.all(ids.map((id) => engine.settled(id)));
      assert.equal(ends.filter((end) => end === 'failed').length, 2);
      for (const subject of ['a', 'b']) {
        const expected = Array.from({ length: 8 }, (_, n) => (n === 3 ? [`${subject}3 one`] : [`${subject}${n} one`, `${subject}${n} two`])).flat();
        assert.deepEqual(
          log.filter((line) => line.startsWith(subject)),
          expected,
        );
      }
      assert.equal(most, 1);
      assert.ok(both);
    });

    test('two sagas of one subject started in one transaction run in that order', async () => {
      await open();
      const log: number[] = [];
      const saga = defineSaga<number, unknown>({ name: 'test.pair', steps: [{ name: 'a', do: async ({ params }) => void log.push(params) }] });
      const engine = await bench.engine([saga]);
      const ids = await bench.store.write(async (tx) => {
        const all: string[] = [];
        for (const n of [1, 2, 3]) all.push(await engine.start(tx, saga, n, { subject: 's', requestId: 'r' }));
        return all;
      });
      await Promise.all(ids.map((id) => engine.settled(id)));
      assert.deepEqual(log, [1, 2, 3]);
    });

    test('no more sagas run at once than allowed, and all of them run', async () => {
      await open();
      let now = 0;
      let most = 0;
      const saga = defineSaga<null, unknown>({
        name: 'test.many',
        steps: [
          {
            name: 'a',
            do: async () => {
              most = Math.max(most, (now += 1));
              await new Promise((resolve) => setTimeout(resolve, 2));
              now -= 1;
            },
          },
        ],
      });
      const engine = await bench.engine([saga], { concurrency: 5 });
      const ids = await Promise.all(Array.from({ length: 60 }, () => bench.start(engine, saga, null)));
      for (const id of ids) assert.equal(await engine.settled(id), 'done');
      assert.equal(most, 5);
    });

    test('cancel aborts the running step and undoes; those that wait fail in the caller’s transaction; later ones run after', async () => {
      await open();
      const log: string[] = [];
      const begun = gate();
      const held = gate();
      const saga = defineSaga<{ n: number }, unknown>({
        name: 'test.cancelled',
        steps: [
          { name: 'first', do: async ({ params }) => void log.push(`${params.n} first`), undo: async ({ params }) => void log.push(`${params.n} undo first`) },
          {
            name: 'second',
            do: ({ signal, params }) =>
              new Promise((_, reject) => {
                log.push(`${params.n} second`);
                begun.resolve();
                signal.addEventListener('abort', () => reject(new Error('told to stop')));
              }),
            undo: async ({ params, signal }) => {
              await held.promise;
              log.push(`${params.n} undo second ${signal.aborted}`);
            },
          },
        ],
        onFailed: async (tx, { params }, failure) => {
          await note(tx, `failed ${params.n}`, `${failure.kind} ${failure.step}`);
        },
      });
      const other = defineSaga<null, unknown>({ name: 'test.other', steps: [{ name: 'a', do: async () => void log.push('other') }] });
      const remove = defineSaga<null, unknown>({ name: 'test.remove', steps: [{ name: 'a', do: async () => void log.push('remove') }] });
      const engine = await bench.engine([saga, other, remove]);
      const first = await bench.start(engine, saga, { n: 1 }, { subject: 's' });
      await begun.promise;
      const second = await bench.start(engine, saga, { n: 2 }, { subject: 's' });
      const third = await bench.start(engine, other, null, { subject: 's' });
      const elsewhere = await bench.start(engine, other, null, { subject: 't' });
      await engine.settled(elsewhere);
      log.splice(log.indexOf('other'), 1);
      const last = await bench.store.write(async (tx) => {
        await engine.cancel(tx, 's', ['test.cancelled']);
        const failed = await on<NoteTable>(tx).selectFrom('note').select('id').execute();
        assert.deepEqual(
          failed.map((row) => row.id),
          ['failed 2'],
        );
        return engine.start(tx, remove, null, { subject: 's', requestId: 'r' });
      });
      assert.equal(await engine.settled(second), 'failed');
      held.resolve();
      assert.deepEqual(await Promise.all([first, third, last].map((id) => engine.settled(id))), ['failed', 'done', 'done']);
      assert.deepEqual(log, ['1 first', '1 second', '1 undo second false', '1 undo first', 'other', 'remove']);
      assert.deepEqual(await notes(), { 'failed 1': 'Cancelled second', 'failed 2': 'Cancelled first' });
    });

    test('a saga that is cancelled in its last step unwinds, though the step went well', async () => {
      await open();
      const begun = gate();
      const goOn = gate();
      const saga = defineSaga<null, unknown>({
        name: 'test.last',
        steps: [
          {
            name: 'only',
            do: async () => {
              begun.resolve();
              await goOn.promise;
              return { id: 7 };
            },
            commit: (tx) => note(tx, 'commit', '') as Promise<void>,
            undo: async ({ outputs }) => assert.deepEqual(outputs, { only: { id: 7 } }),
            undoCommit: async (tx) => void (await on<NoteTable>(tx).deleteFrom('note').where('id', '=', 'commit').execute()),
          },
        ],
        onDone: (tx) => note(tx, 'done', '') as Promise<void>,
        onFailed: (tx) => note(tx, 'failed', '') as Promise<void>,
      });
      const engine = await bench.engine([saga]);
      const id = await bench.start(engine, saga, null, { subject: 's' });
      await begun.promise;
      await bench.store.write((tx) => engine.cancel(tx, 's'));
      goOn.resolve();
      assert.equal(await engine.settled(id), 'failed');
      assert.deepEqual(await notes(), { failed: '' });
      const [record] = await historyOf(bench.store.read, { subject: 's' });
      assert.deepEqual([record?.failure?.kind, record?.steps[0]?.state], ['Cancelled', 'undone']);
      // an ended one is not touched
      await bench.store.write((tx) => engine.cancel(tx, 's'));
      assert.equal(await engine.settled(id), 'failed');
    });

    test('a saga begins after the steps that its starter has done, and undoes them like its own', async () => {
      await open();
      const begun = gate();
      const goOn = gate();
      const saga = defineSaga<{ n: number; fails?: boolean }, unknown>({
        name: 'test.begun',
        steps: [
          {
            name: 'place',
            do: () => Promise.reject(new Error('it is done')),
            undoCommit: (tx, { params, outputs }) => note(tx, `${params.n} undone`, JSON.stringify(outputs)) as Promise<void>,
          },
          {
            name: 'make',
            do: async ({ params, outputs, attempt }) => {
              if (params.n === 1) {
                begun.resolve();
                await goOn.promise;
              }
              if (params.fails) throw conflict('No.');
              return [outputs['place'] ?? null, attempt];
            },
            commit: (tx, { params }, output) => note(tx, `${params.n} made`, JSON.stringify(output)) as Promise<void>,
          },
        ],
      });
      const engine = await bench.engine([saga]);
      const start = (n: number, more: object = {}): Promise<string> => bench.start(engine, saga, { n, ...more }, { subject: 's', done: [{ host: `h${n}` }] });
      const first = await start(1);
      await begun.promise;
      // these wait for their turn
      const second = await start(2);
      const third = await start(3);
      const failing = await start(4, { fails: true });
      const rows = await historyOf(bench.store.read, { subject: 's' });
      assert.deepEqual(
        rows.map((row) => [row.state, row.steps.map((step) => `${step.name} ${step.state}`)]),
        [...Array.from({ length: 3 }, () => ['pending', ['place done']]), ['running', ['place done', 'make doing']]],
      );
      goOn.resolve();
      assert.deepEqual(await Promise.all([first, second].map((id) => engine.settled(id))), ['done', 'done']);
      assert.deepEqual(await Promise.all([third, failing].map((id) => engine.settled(id))), ['done', 'failed']);
      assert.deepEqual(await notes(), {
        '1 made': '[{"host":"h1"},1]',
        '2 made': '[{"host":"h2"},1]',
        '3 made': '[{"host":"h3"},1]',
        '4 undone': '{"place":{"host":"h4"}}',
      });
      await assert.rejects(bench.start(engine, saga, { n: 5 }, { done: [null, null] }), /must be left to do/);
    });

    test('a saga that waits for its turn with steps done is cancelled by undoing them', async () => {
      await open();
      const goOn = gate();
      const hold = defineSaga<null, unknown>({ name: 'test.hold', steps: [{ name: 'hold', do: () => goOn.promise }] });
      const saga = defineSaga<null, unknown>({
        name: 'test.placed',
        steps: [
          { name: 'place', undoCommit: (tx) => note(tx, 'undone', '') as Promise<void> },
          { name: 'make', do: () => Promise.reject(new Error('it was cancelled')) },
        ],
        onFailed: (tx, _, failure) => note(tx, 'failed', failure.kind) as Promise<void>,
      });
      const engine = await bench.engine([hold, saga]);
      await bench.start(engine, hold, null, { subject: 's' });
      const id = await bench.start(engine, saga, null, { subject: 's', done: [null] });
      await bench.store.write((tx) => engine.cancel(tx, 's', ['test.placed']));
      assert.deepEqual(await notes(), {});
      goOn.resolve();
      assert.equal(await engine.settled(id), 'failed');
      assert.deepEqual(await notes(), { failed: 'Cancelled', undone: '' });
    });

    test('cancel ends the wait before another try', async () => {
      await open();
      let tries = 0;
      const saga = defineSaga<null, unknown>({
        name: 'test.waits',
        steps: [
          {
            name: 'a',
            do: async () => {
              tries += 1;
              throw unavailable('not now');
            },
          },
        ],
      });
      const engine = await bench.engine([saga], { retryMs: 60_000, retryMaxMs: 60_000 });
      const id = await bench.start(engine, saga, null, { subject: 's' });
      await until(() => bench.log.messages('warn').includes('a step failed and is tried again'));
      await bench.store.write((tx) => engine.cancel(tx, 's'));
      assert.equal(await engine.settled(id), 'failed');
      assert.equal(tries, 1);
    });

    test('settled answers for ended sagas, and says when there is none', async () => {
      await open();
      const saga = defineSaga<null, unknown>({ name: 'test.quick', steps: [{ name: 'a', do: async () => {} }] });
      const engine = await bench.engine([saga]);
      const id = await bench.start(engine, saga, null);
      assert.equal(await engine.settled(id), 'done');
      assert.equal(await engine.settled(id), 'done');
      await assert.rejects(engine.settled('nothing'), (error: unknown) => isCairnError(error, 'NotFound'));
    });

    test('registration refuses two sagas of one name, two steps of one name, and starting what is not registered', async () => {
      await open();
      const saga = defineSaga<null, unknown>({ name: 'test.a', steps: [] });
      const engine = await bench.engine([saga]);
      assert.throws(() => engine.register([saga], {}), /registered twice/);
      assert.throws(() => engine.register([{ name: 'test.b', steps: [{ name: 'x' }, { name: 'x' }] }], {}), /same name/);
      await assert.rejects(bench.start(engine, { name: 'test.c', steps: [] }, null), /not registered/);
    });

    test('history comes in pages, newest first, of the names asked for', async () => {
      await open();
      const a = defineSaga<null, unknown>({ name: 'test.a', steps: [{ name: 'x' }] });
      const b = defineSaga<null, unknown>({ name: 'test.b', steps: [{ name: 'x' }] });
      const engine = await bench.engine([a, b]);
      const ids: string[] = [];
      for (let i = 0; i < 5; i += 1) {
        ids.push(await bench.start(engine, i % 2 ? b : a, null, { subject: 's' }));
        await engine.settled(ids[i] as string);
      }
      const page = await historyOf(bench.store.read, { subject: 's' }, { limit: 2 });
      assert.deepEqual(
        page.map((r) => r.id),
        [ids[4], ids[3]],
      );
      const next = await historyOf(bench.store.read, { subject: 's' }, { limit: 10, beforeSeq: page[1]?.seq as number });
      assert.deepEqual(
        next.map((r) => r.id),
        [ids[2], ids[1], ids[0]],
      );
      assert.deepEqual(
        (await historyOf(bench.store.read, { requestId: 'req-1' }, { names: ['test.b'] })).map((r) => r.id),
        [ids[3], ids[1]],
      );
      assert.deepEqual(
        next[0]?.steps.map((s) => s.name),
        ['x'],
      );
    });

    test('metrics are told of starts, steps and ends', async () => {
      await open();
      const told: string[] = [];
      const saga = defineSaga<boolean, unknown>({
        name: 'm',
        steps: [
          { name: 'a', do: async () => {}, undo: async () => {} },
          {
            name: 'b',
            do: async ({ params }) => {
              if (params) throw conflict('no');
            },
          },
        ],
      });
      const metrics = {
        started: (name: string) => void told.push(`started ${name}`),
        ended: (name: string, end: string, ms: number) => void told.push(`ended ${name} ${end} ${ms >= 0}`),
        stepEnded: (name: string, step: string, outcome: string, ms: number) => void told.push(`${name} ${step} ${outcome} ${ms >= 0}`),
      };
      const engine = await bench.engine([saga], { metrics });
      await engine.settled(await bench.start(engine, saga, false));
      assert.deepEqual(told.splice(0).sort(), ['ended m done true', 'm a done true', 'm b done true', 'started m']);
      await engine.settled(await bench.start(engine, saga, true));
      assert.deepEqual(told.sort(), ['ended m failed true', 'm a done true', 'm a undone true', 'm b failed true', 'started m']);
    });
  });
}
