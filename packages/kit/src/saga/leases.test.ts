import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isUniqueViolation } from '../store/errors.ts';
import { on } from '../store/store.ts';
import { engines } from '../store/testing.ts';
import { Bench } from './engine-testing.ts';
import { expired, type Lease, pendingInTurn, takeExpired, takePending } from './leases.ts';
import { insertSaga } from './store.ts';
import type { SagaState, SagaTables } from './tables.ts';

const lease = (owner: string, exclusive = false): Lease => ({ owner, nowMs: 1000, untilMs: 2000, exclusive });

for (const engineName of engines()) {
  describe(`leases on ${engineName}`, () => {
    const world = async (rows: Record<string, { subject: string; state: SagaState; owner?: string; untilMs?: number }>): Promise<Bench> => {
      const bench = await Bench.open(engineName);
      await bench.store.write(async (tx) => {
        for (const [id, { subject, state, owner, untilMs }] of Object.entries(rows)) {
          const times = { created_at_ms: 0, updated_at_ms: 0, finished_at_ms: state === 'done' ? 1 : null };
          const leased = { lease_owner: owner ?? null, lease_until_ms: untilMs ?? 0 };
          const facts = { name: 'n', request_id: 'r', user_id: null, project_id: null, params: 'null', step: 0, cancel: 0, failure: null };
          await insertSaga(tx, { id, subject, state, ...facts, ...times, ...leased });
        }
      });
      return bench;
    };
    const take = async (bench: Bench, ids: string[]): Promise<string[]> =>
      (await bench.store.write((tx) => takePending(tx, ids, lease('me'), () => 'first'))).map((row) => row.id);

    test('only the saga whose turn it is can be taken, and only once', async () => {
      const bench = await world({
        a1: { subject: 'a', state: 'done' },
        a2: { subject: 'a', state: 'pending' },
        a3: { subject: 'a', state: 'pending' },
        b1: { subject: 'b', state: 'running', owner: 'other', untilMs: 5000 },
        b2: { subject: 'b', state: 'pending' },
        c1: { subject: 'c', state: 'undoing', owner: 'other', untilMs: 5000 },
        c2: { subject: 'c', state: 'pending' },
        d1: { subject: 'd', state: 'pending' },
      });
      assert.deepEqual(await pendingInTurn(bench.store.read, ['n'], 10), ['a2', 'd1']);
      assert.deepEqual(await pendingInTurn(bench.store.read, ['n'], 1), ['a2']);
      assert.deepEqual(await pendingInTurn(bench.store.read, ['other'], 10), []);
      assert.deepEqual(await take(bench, ['a3', 'a1', 'b2', 'c2', 'none']), []);
      assert.deepEqual(await take(bench, ['a3', 'd1', 'a2']), ['d1', 'a2']);
      assert.deepEqual(await take(bench, ['a2', 'a3', 'd1']), []);
      await bench.close();
    });

    test('of two engines after one saga, one gets it', async () => {
      const bench = await world({ a1: { subject: 'a', state: 'pending' }, b1: { subject: 'b', state: 'pending' } });
      const taken = await Promise.all(Array.from({ length: 8 }, () => take(bench, ['a1', 'b1'])));
      assert.deepEqual(taken.flat().sort(), ['a1', 'b1']);
      await bench.close();
    });

    test('the database refuses a second active saga of a subject', async () => {
      const bench = await world({ a1: { subject: 'a', state: 'running', owner: 'x', untilMs: 5000 }, a2: { subject: 'a', state: 'pending' } });
      const force = bench.store.write((tx) => on<SagaTables>(tx).updateTable('kit_saga').set({ state: 'undoing' }).where('id', '=', 'a2').execute());
      await assert.rejects(force, (error: unknown) => isUniqueViolation(error, { table: 'kit_saga', columns: ['subject'] }));
      await bench.close();
    });

    test('a lease binds until it runs out; to an exclusive engine nobody else’s does', async () => {
      const bench = await world({
        late: { subject: 'a', state: 'running', owner: 'other', untilMs: 1000 },
        held: { subject: 'b', state: 'undoing', owner: 'other', untilMs: 1001 },
        mine: { subject: 'c', state: 'running', owner: 'me', untilMs: 1001 },
        free: { subject: 'd', state: 'running' },
        waits: { subject: 'e', state: 'pending' },
        done: { subject: 'f', state: 'done' },
      });
      const found = async (by: Lease): Promise<string[]> => (await expired(bench.store.read, ['n'], [], by, 10)).toSorted();
      assert.deepEqual(await found(lease('me')), ['free', 'late']);
      assert.deepEqual(await found(lease('me', true)), ['free', 'held', 'late']);
      assert.deepEqual(await expired(bench.store.read, ['n'], ['late'], lease('me'), 10), ['free']);
      const rows = await bench.store.write((tx) => takeExpired(tx, ['late', 'held', 'waits', 'done'], lease('me')));
      assert.deepEqual(
        rows.map((row) => [row.id, row.lease_owner, row.lease_until_ms]),
        [['late', 'me', 2000]],
      );
      await bench.close();
    });
  });
}
