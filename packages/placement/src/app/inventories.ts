import type { Env } from '@cairn/kit/env';
import { notFound } from '@cairn/kit/errors/errors';
import type { Tx } from '@cairn/kit/store/store';
import { capacityOf, deleteInventories, type InventoryFacts, inventoriesOf, inventoryOf, putInventory } from '../store/inventories.ts';
import { bumpGeneration } from '../store/providers.ts';
import type { InventoryRow, ProviderRow } from '../store/tables.ts';
import { bad, CODES, checkGeneration, clash, concurrentUpdate, noClass } from './errors.ts';
import { getProvider } from './providers.ts';
import { byClass, unknownClasses } from './resource-classes.ts';

/** What an inventory may say; the rest is by default. */
export type InventoryInput = Pick<InventoryFacts, 'total'> & Partial<InventoryFacts>;
export type InventoryInputs = Readonly<Record<string, InventoryInput>>;

const DEFAULTS = { reserved: 0, min_unit: 1, max_unit: 2 ** 31 - 1, step_size: 1, allocation_ratio: 1 } as const;
const FIELDS = ['total', 'reserved', 'min_unit', 'max_unit', 'step_size', 'allocation_ratio'] as const;

/** An input with its defaults, and nothing else. */
export function factsOf(input: InventoryInput): InventoryFacts {
  const full = { ...DEFAULTS, ...input };
  return Object.fromEntries(FIELDS.map((field) => [field, full[field]])) as unknown as InventoryFacts;
}

/** `full`: all may be reserved (from microversion 1.26 on). Returns what is wrong. */
function capacityFault(provider: string, resourceClass: string, facts: InventoryFacts, full: boolean): string | undefined {
  const capacity = capacityOf(facts);
  if (full ? capacity >= 0 : capacity > 0) return undefined;
  return `Invalid inventory for '${resourceClass}' on resource provider '${provider}'. The reserved value is greater than ${full ? '' : 'or equal to '}total.`;
}

/**
 * Makes the provider's inventories exactly these, in the caller's transaction, and counts the change. Throws Conflict for one that is in use and would go,
 * and NotFound for a class that does not exist. `prefix` begins the Conflict's message.
 */
export async function replaceInventories(
  tx: Tx,
  providerId: string,
  wanted: Readonly<Record<string, InventoryFacts>>,
  nowMs: number,
  prefix = '',
): Promise<void> {
  const unknown = await unknownClasses(tx, Object.keys(wanted));
  if (unknown.length > 0) throw notFound(noClass(unknown[0] as string));
  const gone = (await inventoriesOf(tx, providerId)).filter((row) => !Object.hasOwn(wanted, row.resource_class));
  const used = gone.filter((row) => row.used > 0).map((row) => row.resource_class);
  if (used.length > 0) throw clash(prefix + inUse(providerId, used), CODES.inventoryInUse);
  await deleteInventories(
    tx,
    providerId,
    gone.map((row) => row.resource_class),
  );
  for (const [resourceClass, facts] of Object.entries(wanted)) await putInventory(tx, providerId, resourceClass, facts, nowMs);
  await bumpGeneration(tx, providerId, nowMs);
}

const inUse = (providerId: string, classes: readonly string[]): string =>
  `Inventory for '${[...classes].toSorted(byClass).join(', ')}' on resource provider '${providerId}' in use.`;

export interface ProviderInventories {
  readonly provider: ProviderRow;
  readonly inventories: readonly InventoryRow[];
}

/** Rules of inventories (placement/handlers/inventory.py). `full` allows to reserve all. */
export type Inventories = ReturnType<typeof createInventories>;

export function createInventories(env: Env) {
  const { store, clock } = env;
  const list = async (db: Parameters<typeof inventoriesOf>[0], providerId: string): Promise<ProviderInventories> => ({
    provider: await getProvider(db, providerId),
    inventories: await inventoriesOf(db, providerId),
  });
  const one = async (tx: Tx, providerId: string, resourceClass: string) => ({
    provider: await getProvider(tx, providerId),
    inventory: (await inventoryOf(tx, providerId, resourceClass)) as InventoryRow,
  });
  return {
    list: (providerId: string): Promise<ProviderInventories> => list(store.read, providerId),
    async get(providerId: string, resourceClass: string) {
      const provider = await getProvider(store.read, providerId);
      const inventory = await inventoryOf(store.read, providerId, resourceClass);
      if (!inventory) throw notFound(`No inventory of class ${resourceClass} for ${providerId}`);
      return { provider, inventory };
    },
    add(providerId: string, resourceClass: string, input: InventoryInput, full: boolean) {
      const facts = factsOf(input);
      return store.write(async (tx) => {
        await getProvider(tx, providerId);
        const [unknown] = await unknownClasses(tx, [resourceClass]);
        const fault = capacityFault(providerId, resourceClass, facts, full) ?? (unknown && noClass(unknown));
        if (fault) throw bad(`Unable to create inventory for resource provider ${providerId}: ${fault}`);
        if (await inventoryOf(tx, providerId, resourceClass))
          throw concurrentUpdate(`Update conflict: Inventory for '${resourceClass}' on resource provider '${providerId}' exists already.`);
        const nowMs = clock.nowMs();
        await putInventory(tx, providerId, resourceClass, facts, nowMs);
        await bumpGeneration(tx, providerId, nowMs);
        return one(tx, providerId, resourceClass);
      });
    },
    setAll(providerId: string, generation: number, inputs: InventoryInputs, full: boolean): Promise<ProviderInventories> {
      const wanted = Object.fromEntries(Object.entries(inputs).map(([resourceClass, input]) => [resourceClass, factsOf(input)]));
      return store.write(async (tx) => {
        const provider = await getProvider(tx, providerId);
        checkGeneration(provider.generation, generation);
        for (const [resourceClass, facts] of Object.entries(wanted)) {
          const fault = capacityFault(providerId, resourceClass, facts, full);
          if (fault) throw bad(`Unable to update inventory for resource provider ${providerId}: ${fault}`);
        }
        const [unknown] = await unknownClasses(tx, Object.keys(wanted));
        if (unknown) throw bad(`Unknown resource class in inventory for resource provider ${providerId}: ${noClass(unknown)}`);
        await replaceInventories(tx, providerId, wanted, clock.nowMs(), 'update conflict: ');
        return list(tx, providerId);
      });
    },
    update(providerId: string, resourceClass: string, generation: number, input: InventoryInput, full: boolean) {
      const facts = factsOf(input);
      return store.write(async (tx) => {
        const provider = await getProvider(tx, providerId);
        checkGeneration(provider.generation, generation);
        const fault = capacityFault(providerId, resourceClass, facts, full);
        if (fault) throw bad(`Unable to update inventory for resource provider ${providerId}: ${fault}`);
        const [unknown] = await unknownClasses(tx, [resourceClass]);
        if (unknown) throw notFound(noClass(unknown));
        if (!(await inventoryOf(tx, providerId, resourceClass)))
          throw bad(`No inventory record with resource class for resource provider ${providerId}: No inventory of class ${resourceClass} found.`);
        const nowMs = clock.nowMs();
        await putInventory(tx, providerId, resourceClass, facts, nowMs);
        await bumpGeneration(tx, providerId, nowMs);
        return one(tx, providerId, resourceClass);
      });
    },
    remove(providerId: string, resourceClass: string): Promise<void> {
      return store.write(async (tx) => {
        await getProvider(tx, providerId);
        const [unknown] = await unknownClasses(tx, [resourceClass]);
        const row = await inventoryOf(tx, providerId, resourceClass);
        if (unknown || !row)
          throw notFound(
            `No inventory of class ${resourceClass} found for delete: ${unknown ? noClass(unknown) : `No inventory of class ${resourceClass} found for delete`}`,
          );
        if (row.used > 0) throw concurrentUpdate(`Unable to delete inventory of class ${resourceClass}: ${inUse(providerId, [resourceClass])}`);
        await deleteInventories(tx, providerId, [resourceClass]);
        await bumpGeneration(tx, providerId, clock.nowMs());
      });
    },
    removeAll(providerId: string): Promise<void> {
      return store.write(async (tx) => {
        await getProvider(tx, providerId);
        await replaceInventories(tx, providerId, {}, clock.nowMs());
      });
    },
  };
}
