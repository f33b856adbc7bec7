import { among } from '@cairn/kit/store/among';
import { type Db, on } from '@cairn/kit/store/store';
import type { InventoryRow, PlacementTables, ProviderRow } from './tables.ts';

// What the search for allocation candidates asks of the tables. Each answer is found by an index; lists of ids are asked in parts.

const q = (db: Db) => on<PlacementTables>(db);
/** A provider and the root of its tree. */
export interface Placed {
  readonly id: string;
  readonly root_id: string;
}

/** Providers that have this much of a class free by themselves, in one tree where `rootId` is given; the emptiest first. */
export async function providersWith(db: Db, resourceClass: string, amount: number, rootId: string | undefined): Promise<Placed[]> {
  let query = q(db)
    .selectFrom('placement_inventory as i')
    .innerJoin('placement_provider as p', 'p.id', 'i.provider_id')
    .select(['p.id', 'p.root_id'])
    .where('i.resource_class', '=', resourceClass)
    .where('i.free', '>=', amount)
    .where('i.min_unit', '<=', amount)
    .where('i.max_unit', '>=', amount)
    .where((e) => e(e(e.val(amount), '%', e.ref('i.step_size')), '=', 0));
  if (rootId !== undefined) query = query.where('p.root_id', '=', rootId);
  return query.orderBy('i.free', 'desc').orderBy('i.provider_id', 'desc').execute();
}

/** Providers that are in an aggregate of each list. */
export async function providersInAll(db: Db, lists: readonly (readonly string[])[]): Promise<Set<string>> {
  let found: Set<string> | undefined;
  for (const any of lists) {
    const rows = await q(db)
      .selectFrom('placement_provider_aggregate')
      .select('provider_id')
      .where('aggregate_id', 'in', [...any])
      .execute();
    found = both(found, new Set(rows.map((row) => row.provider_id)));
  }
  return found ?? new Set();
}

/** Providers that have a trait of each list. */
export async function providersWithTraits(db: Db, lists: readonly (readonly string[])[]): Promise<Set<string>> {
  let found: Set<string> | undefined;
  for (const any of lists) {
    const rows = await q(db)
      .selectFrom('placement_provider_trait')
      .select('provider_id')
      .where('trait', 'in', [...any])
      .execute();
    found = both(found, new Set(rows.map((row) => row.provider_id)));
  }
  return found ?? new Set();
}

const both = (a: Set<string> | undefined, b: Set<string>): Set<string> => (a ? a.intersection(b) : b);

/** Roots of trees; those that have all of some traits and none of others. */
export async function rootsWith(db: Db, required: readonly string[], forbidden: readonly string[]): Promise<Set<string>> {
  let query = q(db).selectFrom('placement_provider as p').select('p.id').where('p.parent_id', 'is', null);
  for (const trait of required)
    query = query.where((e) =>
      e.exists(e.selectFrom('placement_provider_trait as t').select('t.trait').whereRef('t.provider_id', '=', 'p.id').where('t.trait', '=', trait)),
    );
  if (forbidden.length > 0)
    query = query.where((e) =>
      e.not(
        e.exists(
          e
            .selectFrom('placement_provider_trait as t')
            .select('t.trait')
            .whereRef('t.provider_id', '=', 'p.id')
            .where('t.trait', 'in', [...forbidden]),
        ),
      ),
    );
  return new Set((await query.execute()).map((row) => row.id));
}

/** Whether any provider has a parent. */
export async function treesExist(db: Db): Promise<boolean> {
  return (await q(db).selectFrom('placement_provider').select('id').where('parent_id', 'is not', null).limit(1).executeTakeFirst()) !== undefined;
}

/** Pairs of a sharing provider and the root of each tree that has a member in one of its aggregates, its own included. */
export async function anchorsOf(db: Db, sharing: Iterable<string>): Promise<Placed[]> {
  const ids = [...new Set(sharing)];
  if (ids.length === 0) return [];
  return q(db)
    .selectFrom('placement_provider_aggregate as shared')
    .innerJoin('placement_provider_aggregate as member', 'member.aggregate_id', 'shared.aggregate_id')
    .innerJoin('placement_provider as p', 'p.id', 'member.provider_id')
    .select(['shared.provider_id as id', 'p.root_id'])
    .where(among(db, 'shared.provider_id', ids))
    .distinct()
    .execute();
}

/** Where providers are. */
export async function placesOf(db: Db, ids: Iterable<string>): Promise<Placed[]> {
  const all = [...new Set(ids)];
  if (all.length === 0) return [];
  return q(db)
    .selectFrom('placement_provider')
    .select(['id', 'root_id'])
    .where(among(db, 'id', all))
    .execute();
}

/** Every provider's place, but for the excluded ones: for a group that asks for no resources and filters by exclusion alone. */
export async function placesExcept(db: Db, excluded: ReadonlySet<string>): Promise<Placed[]> {
  return (await q(db).selectFrom('placement_provider').select(['id', 'root_id']).orderBy('id').execute()).filter((row) => !excluded.has(row.id));
}

/** A provider as the search looks at it. */
export type TreeProvider = Pick<ProviderRow, 'id' | 'root_id' | 'parent_id' | 'generation' | 'created_at_ms'>;
/** What there is of one class on a provider. */
export type Room = Pick<InventoryRow, 'provider_id' | 'resource_class' | 'capacity' | 'used' | 'free' | 'max_unit'>;

/** All members of trees, the oldest first. */
export async function membersOfTrees(db: Db, rootIds: readonly string[]): Promise<TreeProvider[]> {
  if (rootIds.length === 0) return [];
  return q(db)
    .selectFrom('placement_provider')
    .select(['id', 'root_id', 'parent_id', 'generation', 'created_at_ms'])
    .where(among(db, 'root_id', rootIds))
    .orderBy('created_at_ms')
    .orderBy('id')
    .execute();
}

export async function roomOf(db: Db, providerIds: readonly string[]): Promise<Room[]> {
  if (providerIds.length === 0) return [];
  return q(db)
    .selectFrom('placement_inventory')
    .select(['provider_id', 'resource_class', 'capacity', 'used', 'free', 'max_unit'])
    .where(among(db, 'provider_id', providerIds))
    .execute();
}

export async function traitsOfProviders(db: Db, providerIds: readonly string[]): Promise<{ readonly provider_id: string; readonly trait: string }[]> {
  if (providerIds.length === 0) return [];
  return q(db)
    .selectFrom('placement_provider_trait')
    .select(['provider_id', 'trait'])
    .where(among(db, 'provider_id', providerIds))
    .execute();
}
