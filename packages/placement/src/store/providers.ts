import { type Db, on, type Tx } from '@cairn/kit/store/store';
import { sql } from 'kysely';
import { partsOf } from './parts.ts';
import type { PlacementTables, ProviderRow } from './tables.ts';

const q = (db: Db) => on<PlacementTables>(db);

export const providerById = (db: Db, id: string): Promise<ProviderRow | undefined> =>
  q(db).selectFrom('placement_provider').selectAll().where('id', '=', id).executeTakeFirst();

export async function insertProvider(tx: Tx, row: ProviderRow): Promise<void> {
  await q(tx).insertInto('placement_provider').values(row).execute();
}

/** Counts a change of the provider; with `expected` only when nobody else changed it. Returns whether it did. */
export async function bumpGeneration(tx: Tx, id: string, nowMs: number, expected?: number): Promise<boolean> {
  let update = q(tx)
    .updateTable('placement_provider')
    .set((e) => ({ generation: e('generation', '+', 1), updated_at_ms: nowMs }))
    .where('id', '=', id);
  if (expected !== undefined) update = update.where('generation', '=', expected);
  const result = await update.executeTakeFirst();
  return Number(result.numUpdatedRows) > 0;
}

export async function deleteProvider(tx: Tx, id: string): Promise<void> {
  await q(tx).deleteFrom('placement_provider_trait').where('provider_id', '=', id).execute();
  await q(tx).deleteFrom('placement_provider_aggregate').where('provider_id', '=', id).execute();
  await q(tx).deleteFrom('placement_inventory').where('provider_id', '=', id).execute();
  await q(tx).deleteFrom('placement_provider').where('id', '=', id).execute();
}

export async function traitsOf(db: Db, providerId: string): Promise<string[]> {
  return (await q(db).selectFrom('placement_provider_trait').select('trait').where('provider_id', '=', providerId).orderBy('trait').execute()).map(
    (r) => r.trait,
  );
}

/** Makes the provider's traits exactly these. */
export async function setTraits(tx: Tx, providerId: string, traits: readonly string[]): Promise<void> {
  const have = new Set(await traitsOf(tx, providerId));
  const want = new Set(traits);
  const gone = [...have].filter((t) => !want.has(t));
  const come = [...want].filter((t) => !have.has(t));
  for (const part of partsOf(gone))
    await q(tx).deleteFrom('placement_provider_trait').where('provider_id', '=', providerId).where('trait', 'in', part).execute();
  for (const part of partsOf(come))
    await q(tx)
      .insertInto('placement_provider_trait')
      .values(part.map((trait) => ({ provider_id: providerId, trait })))
      .execute();
}

export async function aggregatesOf(db: Db, providerId: string): Promise<string[]> {
  return (
    await q(db).selectFrom('placement_provider_aggregate').select('aggregate_id').where('provider_id', '=', providerId).orderBy('aggregate_id').execute()
  ).map((r) => r.aggregate_id);
}

/** Makes the provider's aggregates exactly these. */
export async function setAggregates(tx: Tx, providerId: string, aggregates: readonly string[]): Promise<void> {
  await q(tx).deleteFrom('placement_provider_aggregate').where('provider_id', '=', providerId).execute();
  const rows = [...new Set(aggregates)].map((aggregate_id) => ({ provider_id: providerId, aggregate_id }));
  for (const part of partsOf(rows)) await q(tx).insertInto('placement_provider_aggregate').values(part).execute();
}

export async function countProviders(db: Db): Promise<number> {
  const row = await q(db)
    .selectFrom('placement_provider')
    .select((e) => e.fn.countAll<number>().as('n'))
    .executeTakeFirstOrThrow();
  return Number(row.n);
}

export const providerByName = (db: Db, name: string): Promise<ProviderRow | undefined> =>
  q(db).selectFrom('placement_provider').selectAll().where('name', '=', name).executeTakeFirst();

export async function updateProvider(tx: Tx, id: string, change: Partial<Pick<ProviderRow, 'name' | 'parent_id' | 'root_id'>>, nowMs: number): Promise<void> {
  await q(tx)
    .updateTable('placement_provider')
    .set({ ...change, updated_at_ms: nowMs })
    .where('id', '=', id)
    .execute();
}

/** All providers of one tree. */
export const providersOfTree = (db: Db, rootId: string): Promise<ProviderRow[]> =>
  q(db).selectFrom('placement_provider').selectAll().where('root_id', '=', rootId).orderBy('id').execute();

export async function hasChildren(db: Db, id: string): Promise<boolean> {
  return (await q(db).selectFrom('placement_provider').select('id').where('parent_id', '=', id).limit(1).executeTakeFirst()) !== undefined;
}

/** What a list of providers is narrowed by; every part must hold. */
export interface ProviderFilters {
  readonly id?: string;
  readonly name?: string;
  readonly rootId?: string;
  /** Each inner list: any of these traits; all lists must hold. */
  readonly requiredTraits?: readonly (readonly string[])[];
  readonly forbiddenTraits?: readonly string[];
  readonly memberOf?: readonly (readonly string[])[];
  readonly forbiddenAggregates?: readonly string[];
  readonly resources?: Readonly<Record<string, number>>;
}

/** Providers in the order in which they came. The API has no pages: the answer holds all that fit. */
export async function listProviders(db: Db, filters: ProviderFilters): Promise<ProviderRow[]> {
  let query = q(db).selectFrom('placement_provider as p').selectAll('p');
  if (filters.id !== undefined) query = query.where('p.id', '=', filters.id);
  if (filters.name !== undefined) query = query.where('p.name', '=', filters.name);
  if (filters.rootId !== undefined) query = query.where('p.root_id', '=', filters.rootId);
  for (const any of filters.requiredTraits ?? [])
    query = query.where(sql<boolean>`exists (select 1 from placement_provider_trait t where t.provider_id = p.id and t.trait in (${sql.join(any)}))`);
  if (filters.forbiddenTraits?.length)
    query = query.where(
      sql<boolean>`not exists (select 1 from placement_provider_trait t where t.provider_id = p.id and t.trait in (${sql.join(filters.forbiddenTraits)}))`,
    );
  for (const any of filters.memberOf ?? [])
    query = query.where(
      sql<boolean>`exists (select 1 from placement_provider_aggregate a where a.provider_id = p.id and a.aggregate_id in (${sql.join(any)}))`,
    );
  if (filters.forbiddenAggregates?.length)
    query = query.where(
      sql<boolean>`not exists (select 1 from placement_provider_aggregate a where a.provider_id = p.id and a.aggregate_id in (${sql.join(filters.forbiddenAggregates)}))`,
    );
  for (const [resourceClass, amount] of Object.entries(filters.resources ?? {})) {
    query = query.where(
      sql<boolean>`exists (select 1 from placement_inventory i where i.provider_id = p.id and i.resource_class = ${resourceClass} and i.free >= ${amount} and i.min_unit <= ${amount} and i.max_unit >= ${amount} and ${amount} % i.step_size = 0)`,
    );
  }
  return query.orderBy('p.created_at_ms').orderBy('p.id').execute();
}
