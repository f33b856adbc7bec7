import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sql } from 'kysely';
import { isUniqueViolation } from './errors.ts';
import { insertRow } from './insert.ts';
import { on } from './store.ts';
import { engines, testStore } from './testing.ts';

interface Tables {
  thing: { id: string; name: string; 'odd"name': number | null };
}

for (const engine of engines()) {
  describe(`insertRow on ${engine}`, () => {
    it('inserts what is given, leaves defaults to the table and tells or skips what is taken', async () => {
      const store = await testStore(engine);
      try {
        await store.write(async (tx) => {
          await sql.raw(`create table thing (id text primary key, name text not null default 'none', "odd""name" integer)`).execute(tx.kysely);
        });
        await store.write(async (tx) => {
          assert.equal(await insertRow(tx, 'thing', { id: 'a', name: "x'); drop table thing; --", 'odd"name': 7 }), 1);
          assert.equal(await insertRow(tx, 'thing', { 'odd"name': null, id: 'b', name: undefined }), 1);
          assert.equal(await insertRow(tx, 'thing', { id: 'a', name: 'second', 'odd"name': 8 }, 'skip'), 0);
        });
        await assert.rejects(
          store.write((tx) => insertRow(tx, 'thing', { id: 'b', name: 'third', 'odd"name': 9 })),
          (error) => isUniqueViolation(error, 'thing'),
        );
        assert.deepEqual(await on<Tables>(store.read).selectFrom('thing').selectAll().orderBy('id').execute(), [
          { id: 'a', name: "x'); drop table thing; --", 'odd"name': 7 },
          { id: 'b', name: 'none', 'odd"name': null },
        ]);
      } finally {
        await store.close();
      }
    });
  });
}
