import type { Kysely } from 'kysely';
import { sql } from 'kysely';
import { isUniqueViolation } from './errors.ts';
import { forgetShapes } from './kept-rows.ts';
import { type MigrationSet, type Store, type Tx, on } from './store.ts';

interface MigrationTables {
  kit_migration: { service: string; name: string; applied_at_ms: number };
}

/** One row per applied migration. Two processes that start at once may both try; the slower one finds the table there. */
async function createTable(store: Store): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await store.write(async (tx) => {
        await on<MigrationTables>(tx)
          .schema.createTable('kit_migration')
          .ifNotExists()
          .addColumn('service', 'text', (c) => c.notNull())
          .addColumn('name', 'text', (c) => c.notNull())
          .addColumn('applied_at_ms', 'bigint', (c) => c.notNull())
          .addPrimaryKeyConstraint('kit_migration_pk', ['service', 'name'])
          .execute();
      });
      return;
    } catch (error) {
      if (attempt >= 3 || !isUniqueViolation(error)) throw error;
    }
  }
}

/**
 * One migrator at a time, also over several processes, until the end of the transaction. SQLite has one writer anyway. On PostgreSQL it must be
 * LOCK TABLE: unlike an advisory lock it takes no snapshot, so what the one before has committed is seen.
 */
async function lock(tx: Tx): Promise<void> {
  if (tx.engine === 'postgres') await sql`lock table kit_migration in exclusive mode`.execute(tx.kysely);
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
  await createTable(store);
  const done = await store.write(async (tx) => {
    await lock(tx);
    const found = await applied(tx);
    refuseUnknown(found, known);
    for (const set of sets) refuseOutOfOrder(set, found.get(set.service) ?? new Set());
    return found;
  });
  for (const set of sets) {
    const before = done.get(set.service);
    for (const name of Object.keys(set.migrations).toSorted()) {
      if (before?.has(name)) continue;
      await store.write((tx) => apply(tx, set, name, nowMs));
    }
  }
  forgetShapes(store.read);
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
    throw new Error(
      `The database was written by a newer release of Cairn (unknown migrations: ${unknown.toSorted().join(', ')}). Start that release, or restore a backup.`,
    );
  }
}

function refuseOutOfOrder(set: MigrationSet, found: ReadonlySet<string>): void {
  const last = [...found].toSorted().at(-1);
  if (last === undefined) return;
  for (const name of Object.keys(set.migrations)) {
    if (name < last && !found.has(name))
      throw new Error(`Migration ${name} of ${set.service} sorts before ${last}, which is applied: migrations only go forward.`);
  }
}
