import type { Clock } from '@cairn/kit/clock/clock';
import { noCapacity } from '@cairn/kit/errors/errors';
import type { Db, Tx } from '@cairn/kit/store/store';
import type { Candidate, CandidateRequest, Inventory, PlacementFace, Resources, Shortage } from '../face.ts';
import { allocationsOfConsumer, deleteAllocationsOfConsumer, deleteConsumer, insertAllocations, putConsumer } from '../store/allocations.ts';
import { countFitting, findCandidates, roomiest, summaries } from '../store/candidates.ts';
import { deleteInventories, type InventoryFacts, inventoriesOf, putInventory, take } from '../store/inventories.ts';
import {
  aggregatesOf,
  bumpGeneration,
  countProviders,
  deleteProvider,
  insertProvider,
  providerById,
  setAggregates,
  setTraits,
  traitsOf,
} from '../store/providers.ts';
import { membersOfTrees, type TreeProvider } from '../store/search.ts';
import { createGroupSearch } from './candidates/place-groups.ts';
import { insertNames } from '../store/names.ts';
import { isStandardClass } from './resource-classes.ts';
import { isStandardTrait } from './traits.ts';

const INT32_MAX = 2 ** 31 - 1;

/** What nova asks of placement, in its own transactions. */
export function createFace(clock: Clock): PlacementFace {
  return {
    ...createGroupSearch(),
    async ensureProvider(tx, provider) {
      const nowMs = clock.nowMs();
      const found = await providerById(tx, provider.id);
      if (!found)
        await insertProvider(tx, {
          id: provider.id,
          name: provider.name,
          generation: 0,
          parent_id: provider.parentId ?? null,
          root_id: provider.parentId === undefined ? provider.id : ((await providerById(tx, provider.parentId))?.root_id ?? provider.parentId),
          created_at_ms: nowMs,
          updated_at_ms: nowMs,
        });
      let changed = await matchInventories(tx, provider.id, provider.inventories, nowMs);
      const traitsNow = await traitsOf(tx, provider.id);
      const traits = [...provider.traits, ...traitsNow.filter((name) => provider.ownsTrait?.(name) === false && !provider.traits.includes(name))];
      if (!same(traitsNow, traits)) {
        await setTraits(tx, provider.id, traits);
        changed = true;
      }
      if (provider.aggregates && !same(await aggregatesOf(tx, provider.id), provider.aggregates)) {
        await setAggregates(tx, provider.id, provider.aggregates);
        changed = true;
      }
      // the cloud's own custom names are as well known as those that come by the API
      await insertNames(
        tx,
        'placement_trait',
        provider.traits.filter((name) => !isStandardTrait(name)),
        nowMs,
      );
      await insertNames(
        tx,
        'placement_resource_class',
        Object.keys(provider.inventories).filter((name) => !isStandardClass(name)),
        nowMs,
      );
      if (changed) await bumpGeneration(tx, provider.id, nowMs);
    },
    async setTrait(tx, providerId, name, present) {
      const traits = await traitsOf(tx, providerId);
      if (traits.includes(name) === present || !(await providerById(tx, providerId))) return;
      await setTraits(tx, providerId, present ? [...traits, name] : traits.filter((trait) => trait !== name));
      await bumpGeneration(tx, providerId, clock.nowMs());
    },
    async setAggregates(tx, providerId, aggregateIds) {
      if (same(await aggregatesOf(tx, providerId), aggregateIds) || !(await providerById(tx, providerId))) return;
      await setAggregates(tx, providerId, aggregateIds);
      await bumpGeneration(tx, providerId, clock.nowMs());
    },
    aggregatesOf,
    async removeProvider(tx, providerId) {
      for (const { id } of await below(tx, providerId)) await deleteProvider(tx, id);
      await deleteProvider(tx, providerId);
    },
    candidates,
    explain,
    async claim(tx, claim) {
      const nowMs = clock.nowMs();
      await giveBack(tx, claim.consumerId, nowMs);
      const rows: { consumer_id: string; provider_id: string; resource_class: string; used: number; created_at_ms: number; updated_at_ms: number }[] = [];
      for (const [providerId, resources] of Object.entries(claim.allocations)) {
        for (const [resourceClass, amount] of Object.entries(resources)) {
          if (!(await take(tx, providerId, resourceClass, amount, true, nowMs))) {
            // the caller may go on in this transaction with another provider
            for (const row of rows) await take(tx, row.provider_id, row.resource_class, -row.used, false, nowMs);
            throw noCapacity(`Provider ${providerId} has not enough ${resourceClass} left for ${amount}.`, { type: 'AllocationTooLarge' });
          }
          rows.push({
            consumer_id: claim.consumerId,
            provider_id: providerId,
            resource_class: resourceClass,
            used: amount,
            created_at_ms: nowMs,
            updated_at_ms: nowMs,
          });
        }
        await bumpGeneration(tx, providerId, nowMs);
      }
      await putConsumer(
        tx,
        { id: claim.consumerId, project_id: claim.projectId, user_id: claim.userId, consumer_type: claim.consumerType ?? 'INSTANCE' },
        nowMs,
      );
      await insertAllocations(tx, rows);
    },
    async release(tx, consumerId) {
      await giveBack(tx, consumerId, clock.nowMs());
      await deleteConsumer(tx, consumerId);
    },
    async allocationsOf(db, consumerId) {
      const out: Record<string, Record<string, number>> = {};
      for (const row of await allocationsOfConsumer(db, consumerId)) (out[row.provider_id] ??= {})[row.resource_class] = row.used;
      return out;
    },
    async usageOf(db, providerId) {
      return Object.fromEntries((await inventoriesOf(db, providerId)).map((row) => [row.resource_class, row.used]));
    },
  };
}

/** The members of a tree below one of them. */
async function below(tx: Tx, providerId: string): Promise<readonly TreeProvider[]> {
  const rootId = (await providerById(tx, providerId))?.root_id;
  const members = rootId === undefined ? [] : await membersOfTrees(tx, [rootId]);
  const found = new Set([providerId]);
  // what is below comes later than what it is below of
  return members.filter(({ id, parent_id }) => parent_id !== null && found.has(parent_id) && found.add(id)).toReversed();
}

async function giveBack(tx: Tx, consumerId: string, nowMs: number): Promise<void> {
  const rows = await allocationsOfConsumer(tx, consumerId);
  if (rows.length === 0) return;
  for (const row of rows) await take(tx, row.provider_id, row.resource_class, -row.used, false, nowMs);
  for (const providerId of new Set(rows.map((r) => r.provider_id))) await bumpGeneration(tx, providerId, nowMs);
  await deleteAllocationsOfConsumer(tx, consumerId);
}

async function candidates(db: Db, request: CandidateRequest): Promise<readonly Candidate[]> {
  const rows = await findCandidates(db, request);
  const facts = await summaries(
    db,
    rows.map((r) => r.provider_id),
    request.resources,
  );
  return rows.map((row) => ({ providerId: row.provider_id, providerName: row.name, summary: facts.get(row.provider_id) ?? {} }));
}

/** Adds the demands one by one and counts who is left: class by class, then traits, then aggregates. */
async function explain(db: Db, request: CandidateRequest): Promise<Shortage> {
  const filters: { name: string; left: number }[] = [];
  const nearest: Shortage['nearest'][number][] = [];
  const asked: Record<string, number> = {};
  for (const [resourceClass, amount] of Object.entries(request.resources)) {
    asked[resourceClass] = amount;
    const left = await countFitting(db, { resources: { ...asked } });
    filters.push({ name: `${resourceClass} ${amount}`, left });
    const alone = await countFitting(db, { resources: { [resourceClass]: amount } });
    if (alone > 0) continue;
    const best = await roomiest(db, resourceClass);
    const reason = !best || best.free < amount ? 'free' : best.max_unit < amount ? 'max_unit' : best.min_unit > amount ? 'min_unit' : 'step_size';
    nearest.push({
      resourceClass,
      needed: amount,
      bestFree: Math.max(0, Math.min(best?.free ?? 0, best?.max_unit ?? 0)),
      bestProvider: best?.name ?? '',
      reason,
    });
  }
  const { resources } = request;
  if (request.requiredTraits?.length)
    filters.push({
      name: `required traits ${request.requiredTraits.join(', ')}`,
      left: await countFitting(db, { resources, requiredTraits: request.requiredTraits }),
    });
  if (request.forbiddenTraits?.length)
    filters.push({
      name: `forbidden traits ${request.forbiddenTraits.join(', ')}`,
      left: await countFitting(db, { resources, ...pick(request, 'requiredTraits', 'forbiddenTraits') }),
    });
  if (request.memberOf?.length || request.forbiddenAggregates?.length || request.inTree !== undefined)
    filters.push({ name: 'aggregates and zones', left: await countFitting(db, request) });
  return { providersTotal: await countProviders(db), filters, nearest };
}

const pick = (request: CandidateRequest, ...keys: (keyof CandidateRequest)[]): Partial<CandidateRequest> =>
  Object.fromEntries(keys.filter((k) => request[k] !== undefined).map((k) => [k, request[k]]));
const same = (a: readonly string[], b: readonly string[]): boolean => a.length === new Set(b).size && a.every((x) => b.includes(x));

/** Makes the inventories exactly these; one that is in use stays until its allocations have gone. Returns whether anything changed. */
async function matchInventories(tx: Tx, providerId: string, wanted: Readonly<Record<string, Inventory>>, nowMs: number): Promise<boolean> {
  const have = new Map((await inventoriesOf(tx, providerId)).map((row) => [row.resource_class, row]));
  let changed = false;
  for (const [resourceClass, inventory] of Object.entries(wanted)) {
    const facts: InventoryFacts = {
      total: inventory.total,
      reserved: inventory.reserved ?? 0,
      min_unit: inventory.minUnit ?? 1,
      max_unit: inventory.maxUnit ?? INT32_MAX,
      step_size: inventory.stepSize ?? 1,
      allocation_ratio: inventory.allocationRatio ?? 1,
    };
    const row = have.get(resourceClass);
    have.delete(resourceClass);
    if (row && (Object.keys(facts) as (keyof InventoryFacts)[]).every((key) => row[key] === facts[key])) continue;
    await putInventory(tx, providerId, resourceClass, facts, nowMs);
    changed = true;
  }
  const idle = [...have.values()].filter((row) => row.used === 0).map((row) => row.resource_class);
  await deleteInventories(tx, providerId, idle);
  return changed || idle.length > 0;
}

export type { Resources };
