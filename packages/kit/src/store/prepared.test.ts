import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sql } from 'kysely';
import { prepared } from './prepared.ts';
import { engines, testStore } from './testing.ts';

interface Tables {
  thing: { id: string; count: number };
}

const add = prepared<Tables, { id: string; count: number }>((db, place) =>
  db
    .insertInto('thing')
    .values({ id: place('id'), count: place('count') })
    .onConflict((c) => c.column('id').doUpdateSet((e) => ({ count: e('thing.count', '+', place('count')) }))),
);
const most = prepared<Tables, { least: number; limit: number }, { id: string; count: number }>((db, place) =>
  db.selectFrom('thing').selectAll().where('count', '>=', place('least')).where('id', '!=', 'hidden').orderBy('count', 'desc').limit(place('limit')),
);

for (const engine of engines()) {
  describe(`prepared statements on ${engine}`, () => {
    it('run with the values of each run, in and outside of transactions', async () => {
      const store = await testStore(engine);
      try {
        await store.write(async (tx) => {
          await sql`create table thing (id text primary key, count integer not null)`.execute(tx.kysely);
          for (const [id, count] of [
            ['a', 1],
            ['b', 2],
            ['hidden', 9],
            ['a', 4],
          ] as const)
            assert.equal((await add(tx, { id, count })).numAffectedRows, 1n);
          assert.deepEqual((await most(tx, { least: 0, limit: 9 })).rows, [
            { id: 'a', count: 5 },
            { id: 'b', count: 2 },
          ]);
        });
        assert.deepEqual((await most(store.read, { least: 0, limit: 1 })).rows, [{ id: 'a', count: 5 }]);
        assert.deepEqual((await most(store.read, { least: 6, limit: 1 })).rows, []);
      } finally {
        await store.close();
      }
    });
  });
}
