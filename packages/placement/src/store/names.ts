import { type Db, on, type Tx } from '@cairn/kit/store/store';
import { inParts } from './parts.ts';
import type { NamedRow, PlacementTables } from './tables.ts';

type NameTable = 'placement_trait' | 'placement_resource_class';
const q = (db: Db) => on<PlacementTables>(db);

/** Custom names in the order in which they came. */
export const listNames = (db: Db, table: NameTable): Promise<NamedRow[]> =>
  q(db).selectFrom(table).selectAll().orderBy('created_at_ms').orderBy('name').execute();

export const nameRow = (db: Db, table: NameTable, name: string): Promise<NamedRow | undefined> =>
  q(db).selectFrom(table).selectAll().where('name', '=', name).executeTakeFirst();

export async function namesAmong(db: Db, table: NameTable, names: readonly string[]): Promise<NamedRow[]> {
  return inParts(names, (part) => q(db).selectFrom(table).selectAll().where('name', 'in', part).execute());
}

/** Adds names that are not there yet; tells how many were added. */
export async function insertNames(tx: Tx, table: NameTable, names: readonly string[], nowMs: number): Promise<number> {
  if (names.length === 0) return 0;
  const result = await q(tx)
    .insertInto(table)
    .values(names.map((name) => ({ name, created_at_ms: nowMs, updated_at_ms: nowMs })))
    .onConflict((c) => c.column('name').doNothing())
    .executeTakeFirst();
  return Number(result.numInsertedOrUpdatedRows ?? 0);
}

export async function deleteName(tx: Tx, table: NameTable, name: string): Promise<void> {
  await q(tx).deleteFrom(table).where('name', '=', name).execute();
}

/** Traits that at least one provider has. */
export async function associatedTraits(db: Db): Promise<Set<string>> {
  return new Set((await q(db).selectFrom('placement_provider_trait').select('trait').distinct().execute()).map((row) => row.trait));
}

export async function traitInUse(db: Db, name: string): Promise<boolean> {
  return (await q(db).selectFrom('placement_provider_trait').select('provider_id').where('trait', '=', name).limit(1).executeTakeFirst()) !== undefined;
}
