import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  type CompiledQuery,
  CompiledQuery as Query,
  type Dialect,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  sql,
} from 'kysely';
import { isCairnError } from '../errors/errors.ts';
import { createListIndex } from './list-index.ts';
import { rowsOf } from './kept-rows.ts';
import { type ListRequest, type ListSpec, type Sort, listRows } from './list.ts';
import { type Db, type MigrationSet, type Store, on } from './store.ts';
import { engines, testStore } from './testing.ts';

interface Row {
  id: string;
  project_id: string;
  name: string;
  rank: number;
  launched_at_ms: number | null;
  is_up: number;
}
interface Tables {
  thing: Row;
  thing_tag: { thing_id: string; tag: string };
}

const THINGS: ListSpec<Row> = {
  table: 'thing',
  id: 'id',
  columns: {
    id: 'id',
    name: 'name',
    tenant: 'project_id',
    rank: { column: 'rank', type: 'integer' },
    launched_at: { column: 'launched_at_ms', nullable: true, type: 'integer' },
    up: { column: 'is_up', type: 'boolean' },
  },
  tags: { table: 'thing_tag', owner: 'thing_id', tag: 'tag' },
};

const MIGRATIONS: MigrationSet = {
  service: 'thing',
  migrations: {
    '0001_first': async (db, engine) => {
      await db.schema
        .createTable('thing')
        .addColumn('id', 'text', (c) => c.primaryKey())
        .addColumn('project_id', 'text', (c) => c.notNull())
        .addColumn('name', 'text', (c) => c.notNull())
        .addColumn('rank', 'bigint', (c) => c.notNull())
        .addColumn('launched_at_ms', 'bigint')
        .addColumn('is_up', 'integer', (c) => c.notNull())
        .execute();
      await db.schema
        .createTable('thing_tag')
        .addColumn('thing_id', 'text', (c) => c.notNull())
        .addColumn('tag', 'text', (c) => c.notNull())
        .addPrimaryKeyConstraint('thing_tag_pk', ['thing_id', 'tag'])
        .execute();
      await createListIndex(db, engine, { name: 'thing_by_rank', table: 'thing', columns: ['project_id', 'rank', 'id'] });
      const launched = { column: 'launched_at_ms', nullable: true };
      await createListIndex(db, engine, { name: 'thing_by_launch', table: 'thing', columns: ['project_id', launched, 'id'] });
      await createListIndex(db, engine, { name: 'thing_by_name', table: 'thing', columns: ['name', { column: 'rank', direction: 'desc' }, 'id'] });
    },
  },
};

/** A small generator with a seed, so that a failure can be run again. */
function chance(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const SEED = Number(process.env['CAIRN_TEST_SEED'] ?? Math.floor(Math.random() * 1e9));

/** Null first, texts by bytes (all ASCII or by code point here). */
const compare = (a: string | number | null, b: string | number | null): number => (a === b ? 0 : a === null ? -1 : b === null ? 1 : a < b ? -1 : 1);

const COLUMN: Record<string, keyof Row> = { id: 'id', name: 'name', tenant: 'project_id', rank: 'rank', launched_at: 'launched_at_ms', up: 'is_up' };

function sorted(rows: readonly Row[], sorts: readonly Sort[]): Row[] {
  const keys = [...sorts, { field: 'id', direction: sorts.at(-1)?.direction ?? 'asc' } as Sort];
  return rows.toSorted((a, b) => {
    for (const { field, direction } of keys) {
      const column = COLUMN[field] as keyof Row;
      const order = compare(a[column], b[column]);
      if (order !== 0) return direction === 'desc' ? -order : order;
    }
    return 0;
  });
}

/** A handle that notes the statements it passes on. */
function recording(db: Db): { db: Db; queries: CompiledQuery[] } {
  const queries: CompiledQuery[] = [];
  const sqlite = db.engine === 'sqlite';
  const connection = {
    executeQuery: (query: CompiledQuery) => {
      queries.push(query);
      return db.kysely.executeQuery(query) as Promise<never>;
    },
    streamQuery: (): never => {
      throw new Error('not streamed');
    },
  };
  const nothing = async (): Promise<void> => undefined;
  const dialect: Dialect = {
    createAdapter: () => (sqlite ? new SqliteAdapter() : new PostgresAdapter()),
    createQueryCompiler: () => (sqlite ? new SqliteQueryCompiler() : new PostgresQueryCompiler()),
    createIntrospector: (k) => (sqlite ? new SqliteIntrospector(k) : new PostgresIntrospector(k)),
    createDriver: () => ({
      init: nothing,
      acquireConnection: async () => connection,
      beginTransaction: nothing,
      commitTransaction: nothing,
      rollbackTransaction: nothing,
      releaseConnection: nothing,
      destroy: nothing,
    }),
  };
  return { db: { engine: db.engine, kysely: new Kysely<unknown>({ dialect }) }, queries };
}

for (const engine of engines()) {
  it(`kept rows have the columns that a later migration adds, on ${engine}`, async () => {
    const store = await testStore(engine);
    try {
      await store.migrate([MIGRATIONS]);
      await store.write((tx) =>
        on<Tables>(tx)
          .insertInto('thing')
          .values({ id: 'a', project_id: 'p', name: 'n', rank: 2 ** 40, launched_at_ms: null, is_up: 1 })
          .execute(),
      );
      const list = async (): Promise<unknown[]> => (await listRows(store.read, { ...THINGS, kept: {} })).rows;
      const row = { id: 'a', project_id: 'p', name: 'n', rank: 2 ** 40, launched_at_ms: null, is_up: 1 };
      assert.deepEqual(await list(), [row]);
      await store.migrate([
        {
          service: 'thing',
          migrations: { ...MIGRATIONS.migrations, '0002_more': async (db) => void (await db.schema.alterTable('thing').addColumn('more', 'text').execute()) },
        },
      ]);
      assert.deepEqual(await list(), [{ ...row, more: null }]);
    } finally {
      await store.close();
    }
  });

  describe(`lists on ${engine}`, () => {
    let store: Store;
    const rows: Row[] = [];
    const tags = new Map<string, string[]>();

    before(async () => {
      store = await testStore(engine);
      await store.migrate([MIGRATIONS]);
      const pick = chance(SEED);
      const names = ['alpha', 'Alpha', 'alp%', 'al_ha', 'beta', 'bet\\a', 'été', '\u{1F4A1}', '', 'alphabet'];
      for (let i = 0; i < 120; i += 1) {
        const id = `${pick(1000).toString().padStart(3, '0')}-${i}`;
        rows.push({
          id,
          project_id: `p${pick(3)}`,
          name: names[pick(names.length)] as string,
          rank: pick(5) - 2,
          launched_at_ms: pick(3) === 0 ? null : pick(6),
          is_up: pick(2),
        });
        tags.set(
          id,
          ['red', 'green', 'blue'].filter(() => pick(2) === 0),
        );
      }
      await store.write(async (tx) => {
        await on<Tables>(tx).insertInto('thing').values(rows).execute();
        const tagRows = [...tags].flatMap(([thing_id, own]) => own.map((tag) => ({ thing_id, tag })));
        await on<Tables>(tx).insertInto('thing_tag').values(tagRows).execute();
      });
    });
    after(() => store.close());

    const ids = async (request: ListRequest, spec = THINGS): Promise<string[]> => (await listRows<Row>(store.read, spec, request)).rows.map((row) => row.id);
    const where = (keep: (row: Row) => boolean): string[] =>
      rows
        .filter(keep)
        .map((row) => row.id)
        .toSorted();
    const pages = async (request: ListRequest): Promise<Row[]> => {
      const all: Row[] = [];
      for (let marker: string | undefined; ; ) {
        const page = await listRows<Row>(store.read, THINGS, { ...request, marker });
        if (request.reverse) all.unshift(...page.rows);
        else all.push(...page.rows);
        if (!page.hasMore) return all;
        marker = request.reverse ? page.rows[0]?.id : page.rows.at(-1)?.id;
        assert.ok(marker !== undefined && all.length <= rows.length, 'pages must move on');
      }
    };

    it('page through every order, forwards and backwards, without a gap or a repetition', async () => {
      const fields = ['name', 'tenant', 'rank', 'launched_at', 'up'];
      const orders: Sort[][] = [[]];
      for (const field of [...fields, 'id']) for (const direction of ['asc', 'desc'] as const) orders.push([{ field, direction }]);
      const pick = chance(SEED + 1);
      for (let i = 0; i < 40; i += 1) {
        orders.push(Array.from({ length: 2 + pick(3) }, () => ({ field: fields[pick(fields.length)] as string, direction: pick(2) === 0 ? 'asc' : 'desc' })));
      }
      for (const sort of orders) {
        const distinct = sort.filter((one, at) => sort.findIndex((other) => other.field === one.field) === at);
        const expected = sorted(rows, distinct).map((row) => row.id);
        for (const reverse of [false, true]) {
          const got = await pages({ sort, limit: 1 + pick(50), reverse });
          assert.deepEqual(
            got.map((row) => row.id),
            expected,
            `seed ${SEED}, ${JSON.stringify({ sort, reverse })}`,
          );
        }
      }
    });

    it('page through filtered rows', async () => {
      const sort: Sort[] = [{ field: 'launched_at', direction: 'desc' }, { field: 'rank' }];
      const got = await pages({ sort, limit: 7, filters: [{ field: 'tenant', op: 'eq', value: 'p1' }] });
      const expected = sorted(
        rows.filter((row) => row.project_id === 'p1'),
        sort,
      );
      assert.deepEqual(got, expected, `seed ${SEED}`);
    });

    it('filter by equality, membership and order, with null and with values of another form', async () => {
      const launched = (keep: (ms: number | null) => boolean) => where((row) => keep(row.launched_at_ms));
      const filter = (field: string, op: string, value: unknown) => ids({ filters: [{ field, op, value }] as ListRequest['filters'] & object });
      assert.deepEqual(
        await filter('rank', 'eq', 1),
        where((row) => row.rank === 1),
      );
      assert.deepEqual(
        await filter('rank', 'eq', '1'),
        where((row) => row.rank === 1),
      );
      assert.deepEqual(await filter('rank', 'eq', 'x'), []);
      assert.deepEqual(
        await filter('rank', 'ne', 1),
        where((row) => row.rank !== 1),
      );
      assert.deepEqual(
        await filter('rank', 'in', [1, '-1', 'x']),
        where((row) => Math.abs(row.rank) === 1),
      );
      assert.deepEqual(await filter('rank', 'in', []), []);
      assert.deepEqual(
        await filter('rank', 'notIn', [1, -1]),
        where((row) => Math.abs(row.rank) !== 1),
      );
      assert.deepEqual(
        await filter('rank', 'notIn', []),
        where(() => true),
      );
      assert.deepEqual(
        await filter('up', 'eq', true),
        where((row) => row.is_up === 1),
      );
      assert.deepEqual(
        await filter('up', 'eq', 'False'),
        where((row) => row.is_up === 0),
      );
      assert.deepEqual(await filter('up', 'eq', 'maybe'), []);
      assert.deepEqual(
        await filter('launched_at', 'eq', null),
        launched((ms) => ms === null),
      );
      assert.deepEqual(
        await filter('launched_at', 'ne', null),
        launched((ms) => ms !== null),
      );
      assert.deepEqual(
        await filter('launched_at', 'ne', 3),
        launched((ms) => ms !== 3),
      );
      assert.deepEqual(
        await filter('launched_at', 'in', [3, null]),
        launched((ms) => ms === 3 || ms === null),
      );
      assert.deepEqual(
        await filter('launched_at', 'in', [3, 4, null]),
        launched((ms) => ms === 3 || ms === 4 || ms === null),
      );
      assert.deepEqual(
        await filter('launched_at', 'notIn', [3, 4]),
        launched((ms) => ms !== 3 && ms !== 4),
      );
      assert.deepEqual(
        await filter('launched_at', 'notIn', [3, null]),
        launched((ms) => ms !== null && ms !== 3),
      );
      assert.deepEqual(
        await filter('launched_at', 'gt', 2),
        launched((ms) => ms !== null && ms > 2),
      );
      assert.deepEqual(
        await filter('launched_at', 'gte', '2'),
        launched((ms) => ms !== null && ms >= 2),
      );
      assert.deepEqual(
        await filter('launched_at', 'lt', 2),
        launched((ms) => ms !== null && ms < 2),
      );
      assert.deepEqual(
        await filter('launched_at', 'lte', 2),
        launched((ms) => ms !== null && ms <= 2),
      );
      assert.deepEqual(
        await filter('name', 'in', ['alpha', "o'hara", 'été']),
        where((row) => row.name === 'alpha' || row.name === 'été'),
      );
    });

    it('filter by parts of text, literally', async () => {
      const filter = (op: 'contains' | 'prefix' | 'like', value: string) => ids({ filters: [{ field: 'name', op, value }] });
      for (const part of ['alp', 'a', 'l_', 'p%', '\\', 'ét', '\u{1F4A1}', '']) {
        assert.deepEqual(
          await filter('contains', part),
          where((row) => row.name.includes(part)),
          part,
        );
        assert.deepEqual(
          await filter('prefix', part),
          where((row) => row.name.startsWith(part)),
          part,
        );
      }
      assert.deepEqual(
        await filter('like', 'AL%'),
        where((row) => /^al/i.test(row.name)),
      );
      assert.deepEqual(
        await filter('like', 'alp\\%'),
        where((row) => row.name === 'alp%'),
      );
    });

    it('find nothing for text with a null character, which PostgreSQL cannot hold', async () => {
      for (const op of ['eq', 'contains', 'prefix', 'like'] as const) assert.deepEqual(await ids({ filters: [{ field: 'name', op, value: 'a\0' }] }), []);
      assert.deepEqual(await ids({ filters: [{ field: 'name', op: 'in', value: ['a\0'] }] }), []);
      await assert.rejects(ids({ marker: 'a\0' }), (error) => isCairnError(error, 'InvalidInput'));
    });

    it('filter by tags: all of, any of, not all of, none of', async () => {
      const has = (row: Row, tag: string): boolean => tags.get(row.id)?.includes(tag) ?? false;
      const wanted = ['red', 'green'];
      assert.deepEqual(
        await ids({ tags: { all: wanted } }),
        where((row) => wanted.every((tag) => has(row, tag))),
      );
      assert.deepEqual(
        await ids({ tags: { any: wanted } }),
        where((row) => wanted.some((tag) => has(row, tag))),
      );
      assert.deepEqual(
        await ids({ tags: { notAll: wanted } }),
        where((row) => !wanted.every((tag) => has(row, tag))),
      );
      assert.deepEqual(
        await ids({ tags: { notAny: wanted } }),
        where((row) => !wanted.some((tag) => has(row, tag))),
      );
      assert.deepEqual(
        await ids({ tags: { all: ['red'], notAny: ['blue'] } }),
        where((row) => has(row, 'red') && !has(row, 'blue')),
      );
      assert.deepEqual(
        await ids({ tags: { all: [], any: [] } }),
        where(() => true),
      );
    });

    it('apply the scope to rows and marker, and other conditions to rows alone', async () => {
      const own = rows.filter((row) => row.project_id === 'p0').toSorted((a, b) => compare(a.id, b.id));
      const foreign = rows.find((row) => row.project_id === 'p1') as Row;
      const scope: ListRequest['scope'] = (query) => query.where('thing.project_id', '=', 'p0');
      const marker = own[3] as Row;
      assert.deepEqual(
        await ids({ scope, marker: marker.id }),
        own.slice(4).map((row) => row.id),
      );
      await assert.rejects(ids({ scope, marker: foreign.id }), (error) => isCairnError(error, 'InvalidInput') && error.field === 'marker');
      const other: ListRequest['where'] = (query) => query.where('thing.rank', '<>', marker.rank);
      const expected = own.slice(4).filter((row) => row.rank !== marker.rank);
      assert.deepEqual(
        await ids({ scope, where: other, marker: marker.id }),
        expected.map((row) => row.id),
      );
    });

    it('hold the limit below the maximum and tell whether more follows', async () => {
      const spec = { ...THINGS, maxLimit: 10 };
      const page = async (request: ListRequest, of: ListSpec<Row> = spec): Promise<[number, boolean]> => {
        const { rows: got, hasMore } = await listRows<Row>(store.read, of, request);
        return [got.length, hasMore];
      };
      assert.deepEqual(await page({}), [10, true]);
      assert.deepEqual(await page({ limit: 500 }), [10, true]);
      assert.deepEqual(await page({ limit: 3 }), [3, true]);
      assert.deepEqual(await page({ limit: 0 }), [0, false]);
      assert.deepEqual(await page({}, THINGS), [120, false]);
      assert.deepEqual(await page({ limit: 120 }, THINGS), [120, false]);
      assert.deepEqual(await page({ limit: 119 }, THINGS), [119, true]);
      await assert.rejects(page({ limit: -1 }), (error) => isCairnError(error, 'InvalidInput'));
      await assert.rejects(page({ limit: 1.5 }), (error) => isCairnError(error, 'InvalidInput'));
    });

    it('give the same rows again, with their parts, until one of them changes', async () => {
      const parts = {
        tags: rowsOf(['tag'], 'thing_tag where thing_id = thing.id', 'tag'),
        pairs: rowsOf(['thing_id', 'tag'], 'thing_tag where thing_id = thing.id', 'tag desc'),
      };
      const spec: ListSpec<Row & { tags: readonly string[]; pairs: readonly (readonly string[])[] }> = { ...THINGS, kept: { parts } };
      const sort: readonly Sort[] = [{ field: 'launched_at', direction: 'desc' }];
      const list = async (db: Db = store.read) => (await listRows(db, spec, { sort, filters: [{ field: 'tenant', op: 'eq', value: 'p1' }], limit: 30 })).rows;
      const first = await list();
      const plain = (await listRows(store.read, THINGS, { sort, filters: [{ field: 'tenant', op: 'eq', value: 'p1' }], limit: 30 })).rows;
      assert.deepEqual(
        first,
        plain.map((row) => {
          const own = tags.get(row.id)?.toSorted() ?? [];
          return { ...row, tags: own, pairs: own.toReversed().map((tag) => [row.id, tag]) };
        }),
      );
      const again = await list();
      assert.ok(first.every((row, i) => row === again[i] && Object.isFrozen(row)));
      const [one, two] = [first[0], first[1]] as [Row, Row];
      const undone = new Error('taken back');
      await assert.rejects(
        store.write(async (tx) => {
          await on<Tables>(tx).updateTable('thing').set({ name: 'q"uote\\ \u2028\ud83d\udca1\n' }).where('id', '=', one.id).execute();
          await on<Tables>(tx).insertInto('thing_tag').values({ thing_id: two.id, tag: 'zebra' }).execute();
          const changed = await list(tx);
          assert.equal(changed[0]?.name, 'q"uote\\ \u2028\ud83d\udca1\n');
          assert.equal(changed[1]?.tags.at(-1), 'zebra');
          assert.deepEqual([changed[0] === first[0], changed[1] === first[1], changed[2] === first[2]], [false, false, true]);
          throw undone;
        }),
        undone,
      );
      assert.deepEqual(await list(), first);
    });

    it('refuse fields that are not declared, and unknown markers, in the words of the service', async () => {
      await assert.rejects(ids({ sort: [{ field: 'project_id' }] }), /Unknown field 'project_id'/);
      await assert.rejects(ids({ filters: [{ field: 'constructor', op: 'eq', value: 1 }] }), /Unknown field 'constructor'/);
      await assert.rejects(ids({ marker: 'nobody' }), (error) => isCairnError(error, 'InvalidInput') && error.message.includes('nobody'));
      const spec = { ...THINGS, unknownMarker: (marker: string | number) => new Error(`marker ${marker} could not be found`) };
      await assert.rejects(ids({ marker: 'nobody' }, spec), /marker nobody could not be found/);
    });
  });

  describe(`list costs on ${engine}`, () => {
    let store: Store;
    const LAST = 19_999;

    before(async () => {
      store = await testStore(engine);
      await store.migrate([MIGRATIONS]);
      // twenty thousand rows of which every second belongs to p0; ranks and launch times repeat a lot
      await store.write(async (tx) => {
        await sql`
          insert into thing (id, project_id, name, rank, launched_at_ms, is_up)
          with recursive n(i) as (select 0 union all select i + 1 from n where i < ${sql.lit(LAST)})
          select 'id-' || (100000 + i), 'p' || (i % 2), 'name-' || (i % 100), i % 3, case when i % 4 < 2 then null else i % 7 end, 1 from n`.execute(tx.kysely);
      });
      // PostgreSQL keeps its statistics by itself; nobody analyses SQLite, so its plans have to be right without
      if (engine === 'postgres') await store.write((tx) => sql`analyze`.execute(tx.kysely));
    });
    after(() => store.close());

    /** The plans of what a request runs; each must start inside an index and touch nothing but its page. */
    async function check(request: ListRequest): Promise<void> {
      const recorded = recording(store.read);
      const page = await listRows<Row>(recorded.db, THINGS, request);
      assert.ok(page.rows.length > 0, 'the page must not be empty, or the check proves nothing');
      for (const query of recorded.queries) {
        if (engine === 'sqlite') {
          const plan = await store.read.kysely.executeQuery<{ detail: string }>(Query.raw(`explain query plan ${query.sql}`, [...query.parameters]));
          const text = plan.rows.map((row) => row.detail).join('\n');
          assert.match(text, /^(?:SEARCH|SCAN) thing USING (?:COVERING )?INDEX/, `${text}\n${query.sql}`);
          assert.doesNotMatch(text, /TEMP B-TREE/, `${text}\n${query.sql}`);
          if (query.sql.includes('order by')) assert.match(text, /INDEX thing_by_/, `${text}\n${query.sql}`);
          if (request.marker !== undefined) assert.match(text, /^SEARCH/, `${text}\n${query.sql}`);
        } else {
          const plan = await store.read.kysely.executeQuery<{ 'QUERY PLAN': unknown }>(
            Query.raw(`explain (analyze, format json) ${query.sql}`, [...query.parameters]),
          );
          const text = JSON.stringify(plan.rows);
          assert.doesNotMatch(text, /"Seq Scan"|"Sort"|"Incremental Sort"/, `${text}\n${query.sql}`);
          const most = Math.max(...[...text.matchAll(/"(?:Actual Rows|Rows Removed by Filter)":(\d+)/g)].map((match) => Number(match[1])));
          assert.ok(most <= (request.limit ?? 0) + 1, `${most} rows touched: ${text}\n${query.sql}`);
        }
      }
    }

    const tenant = [{ field: 'tenant', op: 'eq', value: 'p0' }] as const;
    const markers = [undefined, 'id-100002', 'id-110000', 'id-119990'];

    it('do not grow with the rows outside of the page, in one direction', async () => {
      for (const direction of ['asc', 'desc'] as const) {
        for (const marker of markers) await check({ filters: tenant, sort: [{ field: 'rank', direction }], marker, limit: 2 });
      }
    });

    it('do not grow with the rows outside of the page, by a nullable key', async () => {
      for (const direction of ['asc', 'desc'] as const) {
        for (const marker of markers) await check({ filters: tenant, sort: [{ field: 'launched_at', direction }], marker, limit: 2 });
      }
    });

    it('do not grow with the rows outside of the page, in mixed directions', async () => {
      const sort: Sort[] = [
        { field: 'name', direction: 'asc' },
        { field: 'rank', direction: 'desc' },
        { field: 'id', direction: 'asc' },
      ];
      for (const marker of markers) {
        await check({ sort, marker, limit: 2 });
        await check({ sort, marker, limit: 2, reverse: true });
      }
    });

    it('do not grow with the rows outside of the page, by prefix', () =>
      check({
        filters: [{ field: 'name', op: 'prefix', value: 'name-99' }],
        sort: [{ field: 'name' }, { field: 'rank', direction: 'desc' }, { field: 'id' }],
        limit: 2,
      }));
  });
}
