import { type Db, on } from '@cairn/kit/store/store';
import { type SelectQueryBuilder, sql } from 'kysely';
import type { CandidateRequest, Resources } from '../face.ts';
import type { TreeProvider } from './search.ts';
import type { PlacementTables } from './tables.ts';

const q = (db: Db) => on<PlacementTables>(db);

export interface CandidateRow extends TreeProvider {
  readonly provider_id: string;
  readonly name: string;
}

type Search = SelectQueryBuilder<PlacementTables & { first: PlacementTables['placement_inventory'] }, 'first', object>;

/**
 * Providers that can take all of `request` by themselves, the emptiest first by the class that is named first. It walks the index of
 * free space from its top and looks the other classes up by key, so its cost follows the limit, not the number of providers.
 */
export async function findCandidates(db: Db, request: CandidateRequest): Promise<CandidateRow[]> {
  const [first, ...rest] = Object.entries(request.resources);
  if (!first) return [];
  let search = q(db)
    .selectFrom('placement_inventory as first')
    .where('first.resource_class', '=', first[0])
    .where('first.free', '>=', first[1]) as unknown as Search;
  search = unitsFit(search, 'first', first[1]);
  for (const [resourceClass, amount] of rest)
    search = search.where(
      sql<boolean>`exists (select 1 from placement_inventory i where i.provider_id = first.provider_id and i.resource_class = ${resourceClass} and i.free >= ${amount} and i.min_unit <= ${amount} and i.max_unit >= ${amount} and ${amount} % i.step_size = 0)`,
    );
  search = fits(search, request);
  const rows = await search
    .innerJoin('placement_provider as p', 'p.id', 'first.provider_id')
    .select(['first.provider_id', 'p.name', 'p.id', 'p.root_id', 'p.parent_id', 'p.generation', 'p.created_at_ms'])
    .orderBy('first.free', 'desc')
    .orderBy('first.provider_id', 'desc')
    .limit(request.limit)
    .execute();
  return rows as CandidateRow[];
}

function unitsFit(search: Search, alias: 'first', amount: number): Search {
  return search
    .where(`${alias}.min_unit`, '<=', amount)
    .where(`${alias}.max_unit`, '>=', amount)
    .where(sql<boolean>`${amount} % ${sql.ref(`${alias}.step_size`)} = 0`);
}

/** Traits and aggregates of a request. */
function fits(search: Search, request: Omit<CandidateRequest, 'resources' | 'limit'>): Search {
  let found = search;
  for (const trait of request.requiredTraits ?? [])
    found = found.where(sql<boolean>`exists (select 1 from placement_provider_trait t where t.provider_id = first.provider_id and t.trait = ${trait})`);
  for (const trait of request.forbiddenTraits ?? [])
    found = found.where(sql<boolean>`not exists (select 1 from placement_provider_trait t where t.provider_id = first.provider_id and t.trait = ${trait})`);
  for (const any of request.memberOf ?? []) {
    if (any.length === 0) continue;
    found = found.where(
      sql<boolean>`exists (select 1 from placement_provider_aggregate a where a.provider_id = first.provider_id and a.aggregate_id in (${sql.join(any)}))`,
    );
  }
  for (const aggregate of request.forbiddenAggregates ?? [])
    found = found.where(
      sql<boolean>`not exists (select 1 from placement_provider_aggregate a where a.provider_id = first.provider_id and a.aggregate_id = ${aggregate})`,
    );
  if (request.inTree !== undefined)
    found = found.where(
      sql<boolean>`exists (select 1 from placement_provider p2 where p2.id = first.provider_id and p2.root_id = (select root_id from placement_provider where id = ${request.inTree}))`,
    );
  return found;
}

/** How many providers have all of `resources` free and fit the rest; for explanations after a failure. */
export async function countFitting(db: Db, request: Omit<CandidateRequest, 'limit'>): Promise<number> {
  const [first, ...rest] = Object.entries(request.resources);
  if (!first) return 0;
  let search = q(db)
    .selectFrom('placement_inventory as first')
    .where('first.resource_class', '=', first[0])
    .where('first.free', '>=', first[1]) as unknown as Search;
  search = unitsFit(search, 'first', first[1]);
  for (const [resourceClass, amount] of rest)
    search = search.where(
      sql<boolean>`exists (select 1 from placement_inventory i where i.provider_id = first.provider_id and i.resource_class = ${resourceClass} and i.free >= ${amount} and i.min_unit <= ${amount} and i.max_unit >= ${amount} and ${amount} % i.step_size = 0)`,
    );
  const row = await fits(search, request).select(sql<number>`count(*)`.as('n')).executeTakeFirstOrThrow();
  return Number(row.n);
}

/** The provider with most of a class free, and what limits it. */
export async function roomiest(
  db: Db,
  resourceClass: string,
): Promise<{ name: string; free: number; max_unit: number; min_unit: number; step_size: number } | undefined> {
  return q(db)
    .selectFrom('placement_inventory as i')
    .innerJoin('placement_provider as p', 'p.id', 'i.provider_id')
    .select(['p.name', 'i.free', 'i.max_unit', 'i.min_unit', 'i.step_size'])
    .where('i.resource_class', '=', resourceClass)
    .orderBy('i.free', 'desc')
    .orderBy('i.provider_id', 'desc')
    .limit(1)
    .executeTakeFirst();
}

/** Capacity and use of the asked classes for a page of providers. */
export async function summaries(
  db: Db,
  providerIds: readonly string[],
  resources: Resources,
): Promise<Map<string, Record<string, { capacity: number; used: number }>>> {
  const out = new Map<string, Record<string, { capacity: number; used: number }>>();
  if (providerIds.length === 0) return out;
  const rows = await q(db)
    .selectFrom('placement_inventory')
    .select(['provider_id', 'resource_class', 'capacity', 'used'])
    .where('provider_id', 'in', [...providerIds])
    .where('resource_class', 'in', Object.keys(resources))
    .execute();
  for (const row of rows) {
    const summary = out.get(row.provider_id) ?? {};
    summary[row.resource_class] = { capacity: row.capacity, used: row.used };
    out.set(row.provider_id, summary);
  }
  return out;
}
