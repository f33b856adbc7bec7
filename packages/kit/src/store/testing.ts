import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type PostgresOptions, openPostgresStore } from './postgres/store.ts';
import { TestServer, postgresBinaries } from './postgres/test-server.ts';
import { openSqliteStore } from './sqlite/store.ts';
import type { EngineName, Store } from './store.ts';

/** The engines to run a suite on: CAIRN_TEST_ENGINES (`sqlite,postgres`), by default all that this machine has. */
export function engines(): readonly EngineName[] {
  const asked = process.env['CAIRN_TEST_ENGINES'];
  if (asked === undefined || asked === '') return postgresBinaries() ? ['sqlite', 'postgres'] : ['sqlite'];
  return asked.split(',').map((name) => {
    const engine = name.trim();
    if (engine !== 'sqlite' && engine !== 'postgres') throw new Error(`CAIRN_TEST_ENGINES names '${engine}'; the engines are sqlite and postgres.`);
    return engine;
  });
}

export type TestStoreOptions = Pick<PostgresOptions, 'attempts' | 'log' | 'poolSize' | 'slowTransactionMs'>;

/** A fresh, empty store of the engine (default SQLite), not durable, gone after `close()`. PostgreSQL's server starts once per process. */
export function testStore(engine: EngineName = 'sqlite', options: TestStoreOptions = {}): Promise<Store> {
  return engine === 'sqlite' ? sqliteTestStore(options) : postgresTestStore(options);
}

async function sqliteTestStore(options: TestStoreOptions): Promise<Store> {
  const directory = mkdtempSync(join(tmpdir(), 'cairn-store-'));
  const store = openSqliteStore({ ...options, path: join(directory, 'test.db'), durability: 'none' });
  return onClose(store, async () => rmSync(directory, { recursive: true, force: true }));
}

let server: Promise<TestServer> | undefined;

async function postgresTestStore(options: TestStoreOptions): Promise<Store> {
  server ??= TestServer.start();
  const running = await server;
  const database = await running.create();
  const store = await openPostgresStore({ poolSize: 5, ...options, host: running.directory, user: 'cairn', database });
  return onClose(store, () => running.drop(database));
}

function onClose(store: Store, cleanUp: () => Promise<void>): Store {
  const close = store.close.bind(store);
  let closing: Promise<void> | undefined;
  store.close = () => {
    closing ??= close().then(cleanUp);
    return closing;
  };
  return store;
}
