import type { Env } from '@cairn/kit/env';
import { notFound } from '@cairn/kit/errors/errors';
import type { Tx } from '@cairn/kit/store/store';
import {
  type AllocationOnProvider,
  allocationsOfConsumer,
  allocationsOnProvider,
  consumerById,
  consumersOfProject,
  deleteAllocationsOfConsumer,
  deleteConsumer,
  insertAllocations,
  putConsumer,
  usageOfProject,
} from '../store/allocations.ts';
import { inventoriesOf, inventoryOf, take } from '../store/inventories.ts';
import { bumpGeneration, providerById } from '../store/providers.ts';
import type { AllocationRow, ConsumerRow, ProviderRow } from '../store/tables.ts';
import { bad, clash, concurrentUpdate, noClass } from './errors.ts';
import { getProvider } from './providers.ts';
import { unknownClasses } from './resource-classes.ts';

/** Owner of allocations that were made before microversion 1.8, which did not say whose they are (placement/conf/placement.py). */
const INCOMPLETE = '00000000-0000-0000-0000-000000000000';

/** What one consumer shall have; empty allocations mean nothing. */
export interface ConsumerClaim {
  readonly consumerId: string;
  readonly projectId?: string;
  readonly userId?: string;
  /** The generation that the caller saw, null for a consumer that should not exist; undefined before microversion 1.28. */
  readonly generation: number | null | undefined;
  /** undefined before microversion 1.38: as it was. */
  readonly consumerType?: string;
  readonly allocations: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

/**
 * Replaces what the consumers have by what is claimed, all or nothing in the caller's transaction (placement/objects/allocation.py, `_set_allocations`).
 * Throws Conflict where something does not fit, except where an overfull provider gets no fuller by it. `prefix` begins the message about what is not there.
 */
export async function replaceAllocations(tx: Tx, claims: readonly ConsumerClaim[], nowMs: number, prefix: string): Promise<void> {
  const consumers = new Map<string, ConsumerRow | undefined>();
  for (const claim of claims) consumers.set(claim.consumerId, await seenConsumer(tx, claim));
  for (const claim of claims) {
    for (const providerId of Object.keys(claim.allocations))
      if (!(await providerById(tx, providerId))) throw bad(`Allocation for resource provider '${providerId}' that does not exist.`);
  }
  const [unknown] = await unknownClasses(tx, [
    ...new Set(claims.flatMap((claim) => Object.values(claim.allocations).flatMap((resources) => Object.keys(resources)))),
  ]);
  if (unknown) throw bad(`${prefix}${noClass(unknown)}`);

  const usedBefore = await usedOn(tx, claims);
  const touched = new Set<string>();
  for (const claim of claims) {
    const had = await giveBack(tx, claim.consumerId, nowMs);
    if (Object.keys(claim.allocations).length === 0) for (const row of had) touched.add(row.provider_id);
  }
  const rows: AllocationRow[] = [];
  for (const claim of claims) {
    for (const [providerId, resources] of Object.entries(claim.allocations)) {
      touched.add(providerId);
      for (const [resourceClass, amount] of Object.entries(resources)) {
        await fill(tx, providerId, resourceClass, amount, usedBefore.get(`${providerId} ${resourceClass}`), nowMs);
        rows.push({
          consumer_id: claim.consumerId,
          provider_id: providerId,
          resource_class: resourceClass,
          used: amount,
          created_at_ms: nowMs,
          updated_at_ms: nowMs,
        });
      }
    }
  }
  await insertAllocations(tx, rows);
  for (const providerId of touched) await bumpGeneration(tx, providerId, nowMs);
  for (const claim of claims) {
    if (Object.keys(claim.allocations).length === 0) await deleteConsumer(tx, claim.consumerId);
    else
      await putConsumer(
        tx,
        {
          id: claim.consumerId,
          project_id: claim.projectId ?? INCOMPLETE,
          user_id: claim.userId ?? INCOMPLETE,
          consumer_type: claim.consumerType ?? consumers.get(claim.consumerId)?.consumer_type ?? null,
        },
        nowMs,
      );
  }
}

/** The consumer as it is, if its generation is the one that the claim was made for. */
async function seenConsumer(tx: Tx, claim: ConsumerClaim): Promise<ConsumerRow | undefined> {
  const row = await consumerById(tx, claim.consumerId);
  if (claim.generation === undefined) return row;
  if (row && row.generation !== claim.generation)
    throw concurrentUpdate(`consumer generation conflict - expected ${row.generation} but got ${claim.generation ?? 'None'}`);
  if (!row && claim.generation !== null) throw concurrentUpdate(`consumer generation conflict - expected null but got ${claim.generation}`);
  return row;
}

async function usedOn(tx: Tx, claims: readonly ConsumerClaim[]): Promise<Map<string, number>> {
  const used = new Map<string, number>();
  for (const providerId of new Set(claims.flatMap((claim) => Object.keys(claim.allocations))))
    for (const row of await inventoriesOf(tx, providerId)) used.set(`${providerId} ${row.resource_class}`, row.used);
  return used;
}

/** Takes from an inventory, or says why it does not allow that. */
async function fill(tx: Tx, providerId: string, resourceClass: string, amount: number, usedBefore: number | undefined, nowMs: number): Promise<void> {
  const inventory = await inventoryOf(tx, providerId, resourceClass);
  if (!inventory) throw clash(`Unable to allocate inventory: Inventory for '${resourceClass}' on resource provider '${providerId}' invalid.`);
  const refuse = (reason: string) =>
    clash(
      `Unable to allocate inventory: Unable to create allocation for '${resourceClass}' on resource provider '${providerId}'. The requested amount would ${reason}`,
    );
  if (amount < inventory.min_unit || amount > inventory.max_unit || amount % inventory.step_size !== 0) throw refuse('violate inventory constraints.');
  if (amount > inventory.free && inventory.used + amount > (usedBefore ?? 0)) throw refuse('exceed the capacity.');
  await take(tx, providerId, resourceClass, amount, false, nowMs);
}

/** Gives all of a consumer's allocations back; returns what they were. */
async function giveBack(tx: Tx, consumerId: string, nowMs: number): Promise<AllocationRow[]> {
  const rows = await allocationsOfConsumer(tx, consumerId);
  for (const row of rows) await take(tx, row.provider_id, row.resource_class, -row.used, false, nowMs);
  if (rows.length > 0) await deleteAllocationsOfConsumer(tx, consumerId);
  return rows;
}

export interface ConsumerAllocations {
  /** undefined where there are no allocations. */
  readonly consumer: ConsumerRow | undefined;
  readonly allocations: readonly (AllocationRow & { readonly provider_generation: number })[];
}

/** Use of one consumer type: amounts by class and the number of consumers. */
export interface TypeUsage {
  readonly consumerCount: number;
  readonly resources: Readonly<Record<string, number>>;
}

/** Rules of allocations and usages (placement/handlers/allocation.py and usage.py). */
export type Allocations = ReturnType<typeof createAllocations>;

export function createAllocations(env: Env) {
  const { store, clock } = env;
  return {
    async ofConsumer(consumerId: string): Promise<ConsumerAllocations> {
      const rows = await allocationsOfConsumer(store.read, consumerId);
      const generations = new Map<string, number>();
      for (const providerId of new Set(rows.map((row) => row.provider_id)))
        generations.set(providerId, (await providerById(store.read, providerId))?.generation ?? 0);
      return {
        consumer: rows.length > 0 ? await consumerById(store.read, consumerId) : undefined,
        allocations: rows.map((row) => ({ ...row, provider_generation: generations.get(row.provider_id) ?? 0 })),
      };
    },
    async onProvider(providerId: string): Promise<{ readonly provider: ProviderRow; readonly allocations: readonly AllocationOnProvider[] }> {
      const provider = await providerById(store.read, providerId);
      if (!provider) throw notFound(`Resource provider '${providerId}' not found: No resource provider with uuid ${providerId} found`);
      return { provider, allocations: await allocationsOnProvider(store.read, providerId) };
    },
    set: (claims: readonly ConsumerClaim[], prefix: string): Promise<void> => store.write((tx) => replaceAllocations(tx, claims, clock.nowMs(), prefix)),
    remove(consumerId: string): Promise<void> {
      return store.write(async (tx) => {
        if ((await giveBack(tx, consumerId, clock.nowMs())).length === 0) throw notFound(`No allocations for consumer '${consumerId}'`);
        await deleteConsumer(tx, consumerId);
      });
    },
    /** Use by class; classes with an inventory appear even unused. */
    async usageOfProvider(providerId: string): Promise<{ readonly provider: ProviderRow; readonly usages: Readonly<Record<string, number>> }> {
      const provider = await getProvider(store.read, providerId);
      return { provider, usages: Object.fromEntries((await inventoriesOf(store.read, providerId)).map((row) => [row.resource_class, row.used])) };
    },
    async usageOfProject(projectId: string, userId: string | undefined): Promise<Readonly<Record<string, number>>> {
      const sums: Record<string, number> = {};
      for (const row of await usageOfProject(store.read, projectId, userId)) sums[row.resource_class] = (sums[row.resource_class] ?? 0) + row.used;
      return sums;
    },
    /** By consumer type; `all` sums every type under that name, `unknown` shows those without, another name that type alone. */
    async usageByType(projectId: string, userId: string | undefined, wanted: string | undefined): Promise<Readonly<Record<string, TypeUsage>>> {
      const counts = await consumersOfProject(store.read, projectId, userId);
      const types = new Map<string, { consumerCount: number; resources: Record<string, number> }>();
      for (const row of await usageOfProject(store.read, projectId, userId)) {
        const own = row.consumer_type ?? 'unknown';
        if (wanted !== undefined && wanted !== 'all' && wanted !== own) continue;
        const type = wanted === 'all' ? 'all' : own;
        const entry = types.get(type) ?? {
          consumerCount: type === 'all' ? [...counts.values()].reduce((a, b) => a + b, 0) : (counts.get(row.consumer_type) ?? 0),
          resources: {},
        };
        entry.resources[row.resource_class] = (entry.resources[row.resource_class] ?? 0) + row.used;
        types.set(type, entry);
      }
      return Object.fromEntries(types);
    },
  };
}
