import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqliteStore } from './sqlite/store.ts';
import type { EngineName, Store } from './store.ts';

/** The engines to run a suite on: CAIRN_TEST_ENGINES (`sqlite,postgres`), by default all that this machine has. */
export function engines(): readonly EngineName[] {
  return ['sqlite'];
}

/** A fresh, empty store of the engine (default SQLite), not durable, gone after `close()`. */
export async function testStore(engine: EngineName = 'sqlite'): Promise<Store> {
  if (engine !== 'sqlite') throw new Error(`No test database for ${engine}.`);
  const directory = mkdtempSync(join(tmpdir(), 'cairn-store-'));
  const store = openSqliteStore({ path: join(directory, 'test.db'), durability: 'none' });
  const close = store.close.bind(store);
  store.close = async () => {
    await close();
    rmSync(directory, { recursive: true, force: true });
  };
  return store;
}
