import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { isCairnError } from '../../errors/errors.ts';
import { type MigrationSet, type Store, on } from '../store.ts';
import { openSqliteStore } from './store.ts';

interface Tables {
  row: { id: string; filler: string };
}

const MIGRATIONS: MigrationSet = {
  service: 'crash',
  migrations: {
    '0001_first': async (db) => {
      await db.schema
        .createTable('row')
        .addColumn('id', 'text', (c) => c.primaryKey())
        .addColumn('filler', 'text')
        .execute();
      await db.schema.createIndex('row_filler').on('row').columns(['filler', 'id']).execute();
    },
  },
};

const SEED = Number(process.env['CAIRN_TEST_SEED'] ?? Math.floor(Math.random() * 1e9));
let state = SEED;
/** Between 0 and 1, from the seed. */
function random(): number {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 32;
}

/** What a new process finds in the file: it must be sound and have every id. */
function inspect(path: string, acknowledged: Iterable<string>, hint: string): number {
  const database = new DatabaseSync(path);
  try {
    assert.deepEqual({ ...database.prepare('pragma integrity_check').get() }, { integrity_check: 'ok' }, hint);
    const found = new Set(
      database
        .prepare('select id from row')
        .all()
        .map((row) => row['id'] as string),
    );
    const lost = [...acknowledged].filter((id) => !found.has(id));
    assert.deepEqual(lost, [], `acknowledged rows were lost, ${hint}`);
    return found.size;
  } finally {
    database.close();
  }
}

const insert = (store: Store, id: string): Promise<unknown> =>
  store.write((tx) =>
    on<Tables>(tx)
      .insertInto('row')
      .values({ id, filler: `${[...id].toReversed().join('')}${'x'.repeat(200)}` })
      .execute(),
  );

describe('durability of the SQLite store', () => {
  let directory: string;
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'cairn-durability-'));
  });
  after(() => rmSync(directory, { recursive: true, force: true }));

  it('loses no acknowledged row when the process is killed', async () => {
    const path = join(directory, 'killed.db');
    const store = openSqliteStore({ path });
    await store.migrate([MIGRATIONS]);
    await store.close();
    const acknowledged: string[] = [];
    for (let round = 0; round < 6; round += 1) {
      const child = spawn(process.execPath, [join(import.meta.dirname, 'crash-child.ts'), path, `r${round}`], { stdio: ['ignore', 'pipe', 'inherit'] });
      let output = '';
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
      await once(child.stdout, 'data');
      await sleep(20 + random() * 150);
      child.kill('SIGKILL');
      const [, signal] = (await once(child, 'close')) as [number | null, string | null];
      assert.equal(signal, 'SIGKILL');
      const lines = output.split('\n').slice(0, -1); // what follows the last line end is half an id
      assert.ok(lines.length > 0);
      acknowledged.push(...lines);
      // an untouched copy, since looking at the file recovers it
      const copy = join(directory, `copy-${round}`);
      mkdirSync(copy);
      writeFileSync(join(copy, 'db'), readFileSync(path));
      writeFileSync(join(copy, 'db-wal'), readFileSync(`${path}-wal`));
      inspect(join(copy, 'db'), acknowledged, `round ${round}, seed ${SEED}`);
    }
    const reopened = openSqliteStore({ path });
    const { count } = await on<Tables>(reopened.read)
      .selectFrom('row')
      .select((eb) => eb.fn.countAll<number>().as('count'))
      .executeTakeFirstOrThrow();
    await reopened.close();
    assert.ok(count >= acknowledged.length);
  });

  it('loses no acknowledged row when the power fails, whichever unsynced sectors reached the disk', async () => {
    const home = join(directory, 'power');
    mkdirSync(home);
    const path = join(home, 'db');
    const files = { main: path, wal: `${path}-wal` };
    const durable = { main: Buffer.alloc(0), wal: Buffer.alloc(0) };
    const syncs = { main: 0, wal: 0 };
    let crash: () => void = () => {};
    const store = openSqliteStore({
      path,
      checkpointFrames: 12,
      // a sync makes durable what was written before it began, and takes its time; the power may fail at any moment of it
      sync: async (_fd, file) => {
        const before = readFileSync(files[file]);
        // pages were just copied and nothing of them is synced: the worst moment, so it is tried with many mixes
        if (file === 'main') for (let i = 0; i < 6; i += 1) crash();
        await sleep(random() * 3);
        crash();
        durable[file] = before;
        syncs[file] += 1;
      },
    });
    await store.migrate([MIGRATIONS]);
    // enough pages that two commits seldom touch the same ones, or the log would hide what a torn main file has lost
    const scattered = (id: string): string => `${Math.floor(random() * 1e6)}-${id}`;
    await store.write(async (tx) => {
      for (let i = 0; i < 400; i += 1)
        await on<Tables>(tx)
          .insertInto('row')
          .values({ id: scattered(`old-${i}`), filler: `${i * 7919}${'o'.repeat(300)}` })
          .execute();
    });
    durable.main = readFileSync(files.main);
    durable.wal = readFileSync(files.wal);

    const acknowledged: string[] = [];
    let crashes = 0;
    crash = () => {
      crashes += 1;
      const at = join(home, `crash-${crashes}`);
      mkdirSync(at);
      // SQLite itself syncs the log's header before it starts the log over, so the header is always the newest
      const header = 32;
      const wal = readFileSync(files.wal);
      const left = Buffer.concat([wal.subarray(0, header), mix(durable.wal, wal, 512).subarray(header)]);
      writeFileSync(join(at, 'db'), mix(durable.main, readFileSync(files.main), 512));
      writeFileSync(join(at, 'db-wal'), left);
      inspect(join(at, 'db'), [...acknowledged], `crash ${crashes}, seed ${SEED}`);
      rmSync(at, { recursive: true });
    };
    await Promise.all(
      [0, 1, 2].map(async (caller) => {
        for (let i = 0; i < 60; i += 1) {
          const id = scattered(`${caller}-${i}`);
          await insert(store, id);
          acknowledged.push(id);
          if (random() < 0.3) await sleep(random() * 3);
        }
      }),
    );
    crash = () => {};
    await store.close();
    assert.ok(syncs.main >= 3, `the log must have been checkpointed several times, was ${syncs.main}`);
    assert.ok(crashes >= 60);
    assert.equal(inspect(path, acknowledged, `after closing, seed ${SEED}`), 580);
  });

  it('does not answer, nor run what follows the commit, before the sync that covers the commit', async () => {
    const gates: (() => void)[] = [];
    let closed = false;
    const sync = (_fd: number, file: string): Promise<void> => (closed || file === 'main' ? Promise.resolve() : new Promise((resolve) => gates.push(resolve)));
    const store = openSqliteStore({ path: join(directory, 'gated.db'), sync });
    const tick = (): Promise<void> => sleep(5);
    const log: string[] = [];
    const write = (name: string): Promise<void> =>
      store
        .write(async (tx) => {
          tx.afterCommit(() => log.push(`after ${name}`));
          if (name === 'a') await tx.kysely.schema.createTable('row').addColumn('id', 'text').execute();
          else
            await on<Tables>(tx)
              .insertInto('row')
              .values({ id: name } as Tables['row'])
              .execute();
        })
        .then(() => void log.push(`answered ${name}`));
    const done = [write('a'), write('b'), write('c')];
    await tick();
    // all are committed, and seen by readers, while the first sync is still on its way
    assert.equal((await on<Tables>(store.read).selectFrom('row').select('id').execute()).length, 2);
    assert.deepEqual(log, []);
    gates.shift()?.();
    await tick();
    assert.deepEqual(log, ['after a', 'answered a']);
    gates.shift()?.();
    await tick();
    assert.deepEqual(log, ['after a', 'answered a', 'after b', 'after c', 'answered b', 'answered c']);
    assert.equal(gates.length, 0, 'b and c share a sync');
    await Promise.all(done);
    // one that wrote nothing has nothing to wait for
    await store.write(async () => undefined);
    closed = true;
    await store.close();
  });

  it('stops taking writes after a failed sync, and leaves the log where the next start finds it', async () => {
    const path = join(directory, 'failing.db');
    let fail = false;
    const store = openSqliteStore({
      path,
      sync: async () => {
        if (fail) throw new Error('EIO');
      },
    });
    await store.migrate([MIGRATIONS]);
    await insert(store, 'kept');
    fail = true;
    await assert.rejects(insert(store, 'unsure'), /stable storage/);
    fail = false;
    await assert.rejects(insert(store, 'refused'), (error) => isCairnError(error, 'Unavailable'));
    assert.equal((await on<Tables>(store.read).selectFrom('row').select('id').execute()).length, 2);
    await store.close();
    assert.ok(statSync(`${path}-wal`).size > 0);
    // the next process, on a copy, since this one's SQLite still holds the file
    const copy = join(directory, 'failing-copy.db');
    writeFileSync(copy, readFileSync(path));
    writeFileSync(`${copy}-wal`, readFileSync(`${path}-wal`));
    inspect(copy, ['kept'], 'after a failed sync');
  });

  it('keeps the log short by checkpoints beside the writes', async () => {
    const path = join(directory, 'long.db');
    const store = openSqliteStore({ path, checkpointFrames: 50, sync: async () => undefined });
    await store.migrate([MIGRATIONS]);
    let longest = 0;
    for (let i = 0; i < 1500; i += 1) {
      await insert(store, `${i}`);
      longest = Math.max(longest, statSync(`${path}-wal`).size);
    }
    await store.close();
    assert.ok(longest < 300 * 4120, `the log grew to ${longest} bytes`);
  });

  it('keeps its files from everybody but their owner, also those of an earlier release', async () => {
    const path = join(directory, 'private.db');
    const modes = (): string[] => [path, `${path}-wal`, `${path}-shm`].map((file) => (statSync(file).mode & 0o777).toString(8));
    const store = openSqliteStore({ path });
    assert.deepEqual(modes(), ['600', '600', '600']);
    await store.close();
    chmodSync(path, 0o644);
    const again = openSqliteStore({ path });
    assert.deepEqual(modes(), ['600', '600', '600']);
    await again.close();
  });
});

/** What may be on a disk that lost power: of every sector that differs, the old or the new. */
function mix(old: Buffer, now: Buffer, sector: number): Buffer {
  const result = Buffer.from(now);
  for (let at = 0; at < now.length; at += sector) {
    if (random() < 0.5) continue;
    const end = Math.min(at + sector, now.length);
    result.fill(0, at, end); // beyond the old end: a hole
    if (at < old.length) old.copy(result, at, at, Math.min(end, old.length));
  }
  return result;
}
