import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import type { Logger } from '../log/log.ts';
import { silentLog } from '../log/log.ts';
import { isForeignKeyViolation, isUniqueViolation } from './errors.ts';
import { savepoint } from './savepoint.ts';
import { type Db, type EngineName, type MigrationSet, type Store, type Tx, on } from './store.ts';
import { engines, testStore } from './testing.ts';

interface Tables {
  shop_item: { id: string; name: string; price: number; note: string | null };
  shop_sale: { id: string; item_id: string; at_ms: number };
}

const SHOP: MigrationSet = {
  service: 'shop',
  migrations: {
    '0001_first': async (db) => {
      await db.schema
        .createTable('shop_item')
        .addColumn('id', 'text', (c) => c.primaryKey())
        .addColumn('name', 'text', (c) => c.notNull())
        .addColumn('price', 'bigint', (c) => c.notNull())
        .addColumn('note', 'text')
        .addUniqueConstraint('shop_item_name_price', ['name', 'price'])
        .execute();
      await db.schema
        .createTable('shop_sale')
        .addColumn('id', 'text', (c) => c.primaryKey())
        .addColumn('item_id', 'text', (c) => c.notNull().references('shop_item.id'))
        .addColumn('at_ms', 'bigint', (c) => c.notNull())
        .execute();
    },
  },
};

async function withShop(engine: EngineName, use: (store: Store) => Promise<void>, log: Logger = silentLog): Promise<void> {
  const store = await testStore(engine, { log });
  try {
    await store.migrate([SHOP]);
    await use(store);
  } finally {
    await store.close();
  }
}

const add = (tx: Tx, id: string, price = 1, name = id): Promise<unknown> =>
  on<Tables>(tx).insertInto('shop_item').values({ id, name, price, note: null }).execute();
const ids = async (db: Db): Promise<string[]> => (await on<Tables>(db).selectFrom('shop_item').select('id').orderBy('id').execute()).map((row) => row.id);

for (const engine of engines()) {
  describe(`store on ${engine}`, { concurrency: true }, () => {
    it('shows a transaction to readers from its commit on, and to itself before', () =>
      withShop(engine, async (store) => {
        await store.write(async (tx) => {
          await add(tx, 'a');
          assert.deepEqual(await ids(tx), ['a']);
          assert.deepEqual(await ids(store.read), []);
        });
        assert.deepEqual(await ids(store.read), ['a']);
      }));

    it('has a handle for reading that writes nothing on SQLite, beside a transaction and without one', { skip: engine !== 'sqlite' }, () =>
      withShop(engine, async (store) => {
        const sell = (): Promise<unknown> => on<Tables>(store.read).insertInto('shop_item').values({ id: 'x', name: 'x', price: 1, note: null }).execute();
        await assert.rejects(sell(), /readonly/);
        await store.write(async () => assert.rejects(sell(), /readonly/));
        assert.deepEqual(await ids(store.read), []);
      }),
    );

    it('keeps nothing of a transaction that throws, and goes on', () =>
      withShop(engine, async (store) => {
        const failure = new Error('no');
        let called = false;
        await assert.rejects(
          store.write(async (tx) => {
            tx.afterCommit(() => {
              called = true;
            });
            await add(tx, 'a');
            throw failure;
          }),
          failure,
        );
        assert.deepEqual(await ids(store.read), []);
        assert.equal(called, false);
        await store.write((tx) => add(tx, 'b'));
        assert.deepEqual(await ids(store.read), ['b']);
      }));

    it('returns plain objects with numbers', () =>
      withShop(engine, async (store) => {
        await store.write((tx) => add(tx, 'a', 9_007_199_254_740_991));
        const row = await on<Tables>(store.read).selectFrom('shop_item').selectAll().executeTakeFirstOrThrow();
        assert.deepEqual(row, { id: 'a', name: 'a', price: 9_007_199_254_740_991, note: null });
        assert.equal(Object.getPrototypeOf(row), Object.prototype);
        const sums = await on<Tables>(store.read)
          .selectFrom('shop_item')
          .select((eb) => [eb.fn.countAll<number>().as('count'), eb.fn.sum<number>('price').as('sum')])
          .executeTakeFirstOrThrow();
        assert.deepEqual(sums, { count: 1, sum: 9_007_199_254_740_991 });
      }));

    it('refuses to read an integer that a number cannot hold', () =>
      withShop(engine, async (store) => {
        await store.write(async (tx) => {
          await sql`insert into shop_item (id, name, price) values ('a', 'a', 9007199254740993)`.execute(tx.kysely);
        });
        await assert.rejects(on<Tables>(store.read).selectFrom('shop_item').select('price').execute(), RangeError);
      }));

    it('reads as many rows as a limit says, whatever says it', () =>
      withShop(engine, async (store) => {
        await store.write(async (tx) => {
          for (const id of ['a', 'b', 'c']) await add(tx, id);
        });
        const first = on<Tables>(store.read).selectFrom('shop_item').select('id').orderBy('id');
        for (const limit of [0, 1, 2, 9, 2n, sql<number>`1 + 1`]) {
          const count = typeof limit === 'object' ? 2 : Math.min(Number(limit), 3);
          assert.equal((await first.limit(limit).execute()).length, count);
        }
        // a limit in the text of a statement is nothing to plan anew for
        assert.deepEqual([...first.limit(7).compile().parameters], engine === 'sqlite' ? [] : [7]);
      }));

    it('tells how many rows a statement changed, and returns rows from RETURNING', () =>
      withShop(engine, async (store) => {
        await store.write(async (tx) => {
          await add(tx, 'a');
          await add(tx, 'b');
          const updated = await on<Tables>(tx).updateTable('shop_item').set({ note: 'x' }).executeTakeFirstOrThrow();
          assert.equal(updated.numUpdatedRows, 2n);
          const deleted = await on<Tables>(tx).deleteFrom('shop_item').where('id', '=', 'a').returning(['id', 'note']).execute();
          assert.deepEqual(deleted, [{ id: 'a', note: 'x' }]);
          const kept = await on<Tables>(tx)
            .insertInto('shop_item')
            .values({ id: 'b', name: 'b', price: 1, note: null })
            .onConflict((oc) => oc.column('id').doNothing())
            .executeTakeFirstOrThrow();
          assert.equal(kept.numInsertedOrUpdatedRows, 0n);
        });
      }));

    it('never lets concurrent writers overdraw what they read', () =>
      withShop(engine, async (store) => {
        const limit = 30;
        const seed = Math.floor(Math.random() * 1e9);
        let granted = 0;
        await Promise.all(
          Array.from({ length: 60 }, async (_, i) => {
            const done = await store.write(async (tx) => {
              const { used } = await on<Tables>(tx)
                .selectFrom('shop_item')
                .select((eb) => eb.fn.countAll<number>().as('used'))
                .executeTakeFirstOrThrow();
              if ((i + seed) % 3 === 0) await sleep(1);
              if (used >= limit) return false;
              await add(tx, `i${i}`);
              return true;
            });
            if (done) granted += 1;
          }),
        );
        assert.equal(granted, limit, `seed ${seed}`);
        assert.equal((await ids(store.read)).length, limit);
      }));

    it('runs each afterCommit once, after the commit, in order, past one that throws', () => {
      const errors: string[] = [];
      const log: Logger = { ...silentLog, error: (_fields, message) => void errors.push(message) };
      return withShop(
        engine,
        async (store) => {
          const calls: string[] = [];
          await store.write(async (tx) => {
            tx.afterCommit(() => calls.push('first'));
            tx.afterCommit(() => {
              throw new Error('of the callback');
            });
            tx.afterCommit(() => calls.push('second'));
            await add(tx, 'a');
            assert.deepEqual(calls, []);
          });
          assert.deepEqual(calls, ['first', 'second']);
          assert.deepEqual(errors, ['an afterCommit callback failed']);
        },
        log,
      );
    });

    it('lets a callback after the commit start the next transaction', () =>
      withShop(engine, async (store) => {
        const next = Promise.withResolvers<unknown>();
        await store.write(async (tx) => {
          tx.afterCommit(() => next.resolve(store.write((inner) => add(inner, 'b'))));
          await add(tx, 'a');
        });
        await next.promise;
        assert.deepEqual(await ids(store.read), ['a', 'b']);
      }));

    it('refuses a write inside of a write instead of waiting for ever, and allows one beside it', () =>
      withShop(engine, async (store) => {
        await assert.rejects(
          store.write(() => store.write((tx) => add(tx, 'a'))),
          /inside of a Store.write/,
        );
        await Promise.all([store.write((tx) => add(tx, 'a')), store.write((tx) => add(tx, 'b'))]);
        assert.deepEqual(await ids(store.read), ['a', 'b']);
      }));

    it('refuses statements of a transaction that has ended', () =>
      withShop(engine, async (store) => {
        let kept: Tx | undefined;
        await store.write(async (tx) => {
          kept = tx;
        });
        await assert.rejects(add(kept as Tx, 'a'), /has ended/);
        assert.deepEqual(await ids(store.read), []);
      }));

    it('has no transactions but those of write', () =>
      withShop(engine, async (store) => {
        await assert.rejects(
          store.read.kysely.transaction().execute(async () => undefined),
          /Store\.write alone/,
        );
        await store.write(async (tx) => {
          assert.throws(() => tx.kysely.transaction(), /not supported/);
        });
      }));

    it('names unique violations by table and columns', () =>
      withShop(engine, async (store) => {
        await store.write((tx) => add(tx, 'a', 1, 'name'));
        const byId = await store.write((tx) => add(tx, 'a')).catch((error: unknown) => error);
        assert.equal(isUniqueViolation(byId), true);
        assert.equal(isUniqueViolation(byId, 'shop_item'), true);
        assert.equal(isUniqueViolation(byId, 'shop_sale'), false);
        assert.equal(isUniqueViolation(byId, { table: 'shop_item', columns: ['id'] }), true);
        assert.equal(isUniqueViolation(byId, { columns: ['name', 'price'] }), false);
        assert.equal(isForeignKeyViolation(byId), false);
        const byName = await store.write((tx) => add(tx, 'b', 1, 'name')).catch((error: unknown) => error);
        assert.equal(isUniqueViolation(byName, { columns: ['price', 'name'] }), true);
        assert.equal(isUniqueViolation(byName, { columns: ['id'] }), false);
        assert.equal(isUniqueViolation(new Error('UNIQUE constraint failed: shop_item.id')), false);
      }));

    it('names foreign key violations, of missing and of used rows', () =>
      withShop(engine, async (store) => {
        const sell = (tx: Tx): Promise<unknown> => on<Tables>(tx).insertInto('shop_sale').values({ id: 's', item_id: 'a', at_ms: 1 }).execute();
        const missing = await store.write(sell).catch((error: unknown) => error);
        assert.equal(isForeignKeyViolation(missing), true);
        assert.equal(isUniqueViolation(missing), false);
        await store.write(async (tx) => {
          await add(tx, 'a');
          await sell(tx);
        });
        const used = await store.write((tx) => on<Tables>(tx).deleteFrom('shop_item').execute()).catch((error: unknown) => error);
        assert.equal(isForeignKeyViolation(used), true);
        assert.deepEqual(await ids(store.read), ['a']);
      }));

    it('goes on after a part that failed in a savepoint', () =>
      withShop(engine, async (store) => {
        await store.write(async (tx) => {
          await add(tx, 'a');
          const error = await savepoint(tx, async () => {
            await add(tx, 'lost');
            await savepoint(tx, () => add(tx, 'lost too'));
            await add(tx, 'a');
          }).catch((e: unknown) => e);
          assert.equal(isUniqueViolation(error), true);
          await savepoint(tx, () => add(tx, 'b'));
        });
        assert.deepEqual(await ids(store.read), ['a', 'b']);
      }));

    it('reports a transaction that stays open for long, with the beginning of its work', async () => {
      const warnings: { message: string; work: string }[] = [];
      const log: Logger = { ...silentLog, warn: (fields, message) => void warnings.push({ message, work: (fields as { work: string }).work }) };
      const store = await testStore(engine, { log, slowTransactionMs: 300 });
      try {
        await store.write(function openedHere(): Promise<void> {
          return sleep(600);
        });
        // a machine under load may be slow with this one too, so the first report alone is judged
        await store.write(async () => undefined);
        assert.match(warnings[0]?.message ?? '', /open for long/);
        assert.match(warnings[0]?.work ?? '', /openedHere/);
      } finally {
        await store.close();
      }
    });

    it('puts the text of a failed statement beside its error, without the values', () =>
      withShop(engine, async (store) => {
        const error = await store.write((tx) => sql`select ${'secret'} from nowhere`.execute(tx.kysely)).catch((e: unknown) => e);
        assert.match((error as { sql: string }).sql, /from nowhere/);
        assert.doesNotMatch(JSON.stringify(error), /secret/);
      }));

    it('finishes what runs before it closes, and then refuses', async () => {
      const store = await testStore(engine);
      await store.migrate([SHOP]);
      let finished = false;
      const slow = store.write(async (tx) => {
        await sleep(30);
        await add(tx, 'a');
        finished = true;
      });
      await store.close();
      await slow;
      assert.equal(finished, true);
      await assert.rejects(
        store.write(async () => undefined),
        /closing/,
      );
    });
  });
}

describe('store on postgres alone', { skip: !engines().includes('postgres'), concurrency: true }, () => {
  it('runs a transaction again that lost to another', () =>
    withShop('postgres', async (store) => {
      await store.write((tx) => add(tx, 'a', 0));
      let tries = 0;
      await Promise.all(
        Array.from({ length: 8 }, () =>
          store.write(async (tx) => {
            tries += 1;
            const { price } = await on<Tables>(tx).selectFrom('shop_item').select('price').executeTakeFirstOrThrow();
            await sleep(2);
            await on<Tables>(tx)
              .updateTable('shop_item')
              .set({ price: price + 1 })
              .execute();
          }),
        ),
      );
      const row = await on<Tables>(store.read).selectFrom('shop_item').select('price').executeTakeFirstOrThrow();
      assert.equal(row.price, 8);
      assert.ok(tries > 8, 'some try must have lost');
    }));

  it('fails a write that swallowed the error of a statement, since the server rolls it back', () =>
    withShop('postgres', async (store) => {
      await store.write((tx) => add(tx, 'a'));
      const error = await store
        .write(async (tx) => {
          await add(tx, 'b');
          await add(tx, 'a').catch(() => undefined);
        })
        .catch((e: unknown) => e);
      assert.equal(isUniqueViolation(error), true);
      assert.deepEqual(await ids(store.read), ['a']);
    }));

  it('gives up after its tries', async () => {
    const store = await testStore('postgres', { attempts: 2 });
    try {
      let tries = 0;
      const error = await store
        .write(async (tx) => {
          tries += 1;
          await sql`do $$ begin raise exception 'lost' using errcode = '40001'; end $$`.execute(tx.kysely);
        })
        .catch((e: unknown) => e);
      assert.equal((error as { code: string }).code, '40001');
      assert.equal(tries, 2);
    } finally {
      await store.close();
    }
  });

  it('reads and writes on after a migration changed what its prepared statements return', () =>
    withShop('postgres', async (store) => {
      await store.write((tx) => add(tx, 'a'));
      const all = (db: Db): Promise<object[]> => on<Tables>(db).selectFrom('shop_item').selectAll().execute();
      await Promise.all([all(store.read), all(store.read)]);
      await store.write(all);
      await store.write((tx) => sql`alter table shop_item add column colour text`.execute(tx.kysely));
      assert.deepEqual((await all(store.read)).map(Object.keys), [['id', 'name', 'price', 'note', 'colour']]);
      assert.deepEqual((await store.write(all)).map(Object.keys), [['id', 'name', 'price', 'note', 'colour']]);
    }));

  it('does not keep a reader waiting when every writer reads beside its transaction', () =>
    withShop('postgres', async (store) => {
      await Promise.all(
        Array.from({ length: 10 }, (_, i) =>
          store.write(async (tx) => {
            await add(tx, `i${i}`);
            await ids(store.read);
          }),
        ),
      );
      assert.equal((await ids(store.read)).length, 10);
    }));
});
