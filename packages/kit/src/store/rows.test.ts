import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sql } from 'kysely';
import { insertRow } from './insert.ts';
import { deleteRows, findRow, findRows, updateReturning, updateRows } from './rows.ts';
import type { Store } from './store.ts';
import { engines, testStore } from './testing.ts';

interface Thing {
  id: string;
  name: string | null;
  'odd"size': number | null;
}

const THINGS: readonly Thing[] = [
  { id: 'a', name: 'x', 'odd"size': 3 },
  { id: 'b', name: 'x', 'odd"size': 1 },
  { id: 'c', name: null, 'odd"size': null },
];

for (const engine of engines()) {
  describe(`statements by equality on ${engine}`, () => {
    const withThings = async (work: (store: Store) => Promise<void>): Promise<void> => {
      const store = await testStore(engine);
      try {
        await store.write(async (tx) => {
          await sql.raw(`create table thing (id text primary key, name text, "odd""size" integer)`).execute(tx.kysely);
          for (const thing of THINGS) await insertRow(tx, 'thing', thing);
        });
        await work(store);
      } finally {
        await store.close();
      }
    };
    const all = async (store: Store): Promise<Thing[]> => (await sql<Thing>`select * from thing order by id`.execute(store.read.kysely)).rows;

    it('finds a row, whole or in part, the first in an order, and null where null is asked for', () =>
      withThings(async (store) => {
        assert.deepEqual(await findRow<Thing>(store.read, 'thing', { id: 'a' }), THINGS[0]);
        assert.deepEqual(await findRow(store.read, 'thing', { name: 'x' }, { columns: ['id'], orderBy: 'odd"size' }), { id: 'b' });
        assert.deepEqual(await findRow(store.read, 'thing', { name: null, 'odd"size': undefined }), THINGS[2]);
        assert.equal(await findRow(store.read, 'thing', { id: "' or 1 = 1 --" }), undefined);
        // the same columns with and without null are two statements
        assert.equal(await findRow(store.read, 'thing', { id: 'a', name: null }), undefined);
        assert.deepEqual(await findRow(store.read, 'thing', { id: 'a', name: 'x' }), THINGS[0]);
      }));

    it('finds all rows that have one of some values, in an order', () =>
      withThings(async (store) => {
        const ids = async (where: Parameters<typeof findRows>[2]): Promise<string[]> =>
          (await findRows<Thing>(store.read, 'thing', where, { columns: ['id'], orderBy: ['name', 'odd"size'] })).map((row) => row.id);
        assert.deepEqual(await ids({ id: ['b', 'a', 'nobody'], name: ['x', 'y'] }), ['b', 'a']);
        assert.deepEqual(await ids({ id: ['a'], name: ['x', 'y'], 'odd"size': 3 }), ['a']);
        assert.deepEqual(await ids({ id: ['a', 'c'], name: null }), ['c']);
        assert.deepEqual(await ids({ id: [], name: 'x' }), []);
        assert.deepEqual(await findRows(store.read, 'thing', { id: ['c'] }), [THINGS[2]]);
        assert.equal(await store.write((tx) => updateRows<Thing>(tx, 'thing', { name: 'z' }, { id: ['a', 'b'], 'odd"size': 1 })), 1);
        assert.equal(await store.write((tx) => deleteRows(tx, 'thing', { id: ['a', 'b', 'c'], name: ['x', 'z'] })), 2);
      }));

    it('changes the rows that are meant and tells how many, or what one has', () =>
      withThings(async (store) => {
        await store.write(async (tx) => {
          assert.equal(await updateRows<Thing>(tx, 'thing', { name: null, 'odd"size': 9 }, { name: 'x' }), 2);
          assert.equal(await updateRows<Thing>(tx, 'thing', { name: 'z' }, { id: 'nobody' }), 0);
          assert.equal(await updateRows<Thing>(tx, 'thing', {}, { id: 'a' }), 0);
          assert.deepEqual(await updateReturning<Thing, 'odd"size'>(tx, 'thing', { name: 'q' }, { id: 'a', name: null }, ['odd"size']), { 'odd"size': 9 });
          assert.equal(await updateReturning<Thing, 'id'>(tx, 'thing', { name: 'q' }, { id: 'b', name: 'x' }, ['id']), undefined);
        });
        assert.deepEqual(await all(store), [
          { id: 'a', name: 'q', 'odd"size': 9 },
          { id: 'b', name: null, 'odd"size': 9 },
          { id: 'c', name: null, 'odd"size': null },
        ]);
      }));

    it('deletes the rows that are meant', () =>
      withThings(async (store) => {
        assert.equal(await store.write((tx) => deleteRows(tx, 'thing', { name: null, 'odd"size': null })), 1);
        assert.equal(await store.write((tx) => deleteRows(tx, 'thing', { name: 'nobody' })), 0);
        assert.deepEqual(await all(store), THINGS.slice(0, 2));
      }));

    it('refuses to mean every row', () =>
      withThings(async (store) => {
        await assert.rejects(findRow(store.read, 'thing', { id: undefined }), /no condition/);
        await assert.rejects(
          store.write((tx) => updateRows<Thing>(tx, 'thing', { name: 'all' }, {})),
          /no condition/,
        );
        await assert.rejects(
          store.write((tx) => deleteRows(tx, 'thing', {})),
          /no condition/,
        );
        assert.deepEqual(await all(store), THINGS);
      }));
  });
}
