import type { Kysely } from 'kysely';
import { sql } from 'kysely';
import { type MigrationSet, type Store, type Tx, on } from './store.ts';

interface MigrationTables {
  kit_migration: { service: string; name: string; applied_at_ms: number };
}

/** Both engines: one row per applied migration. */
async function createTable(tx: Tx): Promise<void> {
  await on<MigrationTables>(tx)
    .schema.createTable('kit_migration')
    .ifNotExists()
    .addColumn('service', 'text', (c) => c.notNull())
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('applied_at_ms', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('kit_migration_pk', ['service', 'name'])
    .execute();
}

/** One migrator at a time, also over several processes: SQLite has one writer, PostgreSQL gets an advisory lock until the commit. */
async function lock(tx: Tx): Promise<void> {
  if (tx.engine === 'postgres') await sql`select pg_advisory_xact_lock(${0x6361_6972})`.execute(tx.kysely);
}

async function applied(tx: Tx): Promise<Map<string, Set<string>>> {
  const rows = await on<MigrationTables>(tx).selectFrom('kit_migration').select(['service', 'name']).execute();
  const byService = new Map<string, Set<string>>();
  for (const row of rows) {
    const names = byService.get(row.service) ?? new Set();
    byService.set(row.service, names.add(row.name));
  }
  return byService;
}

/**
 * Applies what is missing of `sets`, in the order given and by name within a set, each in a transaction of its own.
 * `known` are all sets of this release that the store has been told of (the ones to apply included). Refuses, before it
 * changes anything, a database that has names outside of `known`, and a migration that sorts before one already applied.
 */
export async function migrateStore(store: Store, sets: readonly MigrationSet[], known: readonly MigrationSet[], nowMs: () => number): Promise<void> {
  const done = await store.write(async (tx) => {
    await lock(tx);
    await createTable(tx);
    const found = await applied(tx);
    refuseUnknown(found, known);
    for (const set of sets) refuseOutOfOrder(set, found.get(set.service) ?? new Set());
    return found;
  });
  for (const set of sets) {
    const before = done.get(set.service);
    for (const name of Object.keys(set.migrations).sort()) {
      if (before?.has(name)) continue;
      await store.write((tx) => apply(tx, set, name, nowMs));
    }
  }
}

async function apply(tx: Tx, set: MigrationSet, name: string, nowMs: () => number): Promise<void> {
  await lock(tx);
  const row = await on<MigrationTables>(tx)
    .selectFrom('kit_migration')
    .select('name')
    .where('service', '=', set.service)
    .where('name', '=', name)
    .executeTakeFirst();
  if (row) return; // another process was faster
  const migration = set.migrations[name] as (db: Kysely<unknown>, engine: Tx['engine']) => Promise<void>;
  try {
    await migration(tx.kysely, tx.engine);
  } catch (cause) {
    throw new Error(`Migration ${name} of ${set.service} failed; nothing of it was kept.`, { cause });
  }
  await on<MigrationTables>(tx).insertInto('kit_migration').values({ service: set.service, name, applied_at_ms: nowMs() }).execute();
}

function refuseUnknown(found: ReadonlyMap<string, ReadonlySet<string>>, known: readonly MigrationSet[]): void {
  const unknown: string[] = [];
  for (const [service, names] of found) {
    for (const name of names) {
      if (!known.some((set) => set.service === service && Object.hasOwn(set.migrations, name))) unknown.push(`${service}/${name}`);
    }
  }
  if (unknown.length > 0) {
    throw new Error(`The database was written by a newer release of Cairn (unknown migrations: ${unknown.sort().join(', ')}). Start that release, or restore a backup.`);
  }
}

function refuseOutOfOrder(set: MigrationSet, found: ReadonlySet<string>): void {
  const last = [...found].sort().at(-1);
  if (last === undefined) return;
  for (const name of Object.keys(set.migrations)) {
    if (name < last && !found.has(name)) throw new Error(`Migration ${name} of ${set.service} sorts before ${last}, which is applied: migrations only go forward.`);
  }
}
