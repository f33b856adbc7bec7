import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type EngineName, type MigrationSet, type Store, on } from './store.ts';
import { engines, testStore } from './testing.ts';

interface Tables {
  a: { id: number; step: string };
  kit_migration: { service: string; name: string; applied_at_ms: number };
}

type Migration = MigrationSet['migrations'][string];

const createA: Migration = async (db) => {
  await db.schema
    .createTable('a')
    .addColumn('id', 'integer', (c) => c.primaryKey())
    .addColumn('step', 'text')
    .execute();
};
const insert =
  (id: number, step: string): Migration =>
  async (db) => {
    await db.insertInto('a').values({ id, step }).execute();
  };
const set = (migrations: MigrationSet['migrations'], service = 'svc'): MigrationSet => ({ service, migrations });

const rows = (store: Store): Promise<Tables['a'][]> => on<Tables>(store.read).selectFrom('a').selectAll().orderBy('id').execute();
const names = async (store: Store): Promise<string[]> =>
  (await on<Tables>(store.read).selectFrom('kit_migration').select(['service', 'name']).orderBy('service').orderBy('name').execute()).map(
    (r) => `${r.service}/${r.name}`,
  );

async function using(engine: EngineName, use: (store: Store) => Promise<void>): Promise<void> {
  const store = await testStore(engine);
  try {
    await use(store);
  } finally {
    await store.close();
  }
}

for (const engine of engines()) {
  describe(`migrations on ${engine}`, { concurrency: true }, () => {
    it('apply by name, each once, and later only what is new', () =>
      using(engine, async (store) => {
        const first = set({ '0002_second': insert(1, 'second'), '0001_first': createA });
        await store.migrate([first]);
        await store.migrate([first]);
        await store.migrate([set({ ...first.migrations, '0003_third': insert(2, 'third') })]);
        assert.deepEqual(await rows(store), [
          { id: 1, step: 'second' },
          { id: 2, step: 'third' },
        ]);
        assert.deepEqual(await names(store), ['svc/0001_first', 'svc/0002_second', 'svc/0003_third']);
      }));

    it('apply services in the order given, so that one may refer to the tables of one before', () =>
      using(engine, async (store) => {
        await store.migrate([set({ '0001_a': createA }, 'zeta'), set({ '0001_b': insert(1, 'alpha') }, 'alpha')]);
        assert.deepEqual(await rows(store), [{ id: 1, step: 'alpha' }]);
      }));

    it('keep nothing of one that fails, and what came before it', () =>
      using(engine, async (store) => {
        const failing: Migration = async (db, name) => {
          await insert(1, 'half')(db, name);
          await db.schema.createTable('b').addColumn('id', 'integer').execute();
          throw new Error('boom');
        };
        await assert.rejects(store.migrate([set({ '0001_a': createA, '0002_b': failing })]), /0002_b of svc failed/);
        assert.deepEqual(await names(store), ['svc/0001_a']);
        assert.deepEqual(await rows(store), []);
        await store.migrate([set({ '0001_a': createA, '0002_b': insert(2, 'mended') })]);
        assert.deepEqual(await rows(store), [{ id: 2, step: 'mended' }]);
      }));

    it('refuse a database of a newer release before changing anything', () =>
      using(engine, async (store) => {
        // written as the newer release would have: this store object has not been told of the name
        await store.migrate([set({ '0001_a': createA })]);
        await store.write((tx) => on<Tables>(tx).insertInto('kit_migration').values({ service: 'svc', name: '0009_future', applied_at_ms: 1 }).execute());
        await assert.rejects(store.migrate([set({ '0001_a': createA, '0002_b': insert(1, 'b') })]), /newer release.*svc\/0009_future/);
        assert.deepEqual(await rows(store), []);
      }));

    it('refuse one that sorts before another already applied', () =>
      using(engine, async (store) => {
        await store.migrate([set({ '0002_a': createA })]);
        await assert.rejects(store.migrate([set({ '0001_late': insert(1, 'late'), '0002_a': createA })]), /only go forward/);
        assert.deepEqual(await rows(store), []);
      }));

    it('apply once when several start at the same time', () =>
      using(engine, async (store) => {
        const migrations = set({ '0001_a': createA, '0002_b': insert(1, 'b') });
        await Promise.all([store.migrate([migrations]), store.migrate([migrations]), store.migrate([migrations])]);
        assert.deepEqual(await rows(store), [{ id: 1, step: 'b' }]);
      }));
  });
}
