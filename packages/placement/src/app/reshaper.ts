import type { Env } from '@cairn/kit/env';
import { isCairnError } from '@cairn/kit/errors/errors';
import { inventoriesOf } from '../store/inventories.ts';
import { providerById } from '../store/providers.ts';
import { type ConsumerClaim, replaceAllocations } from './allocations.ts';
import { bad, CODES, concurrentUpdate } from './errors.ts';
import { factsOf, type InventoryInputs, replaceInventories } from './inventories.ts';

export interface Reshape {
  /** By provider: the generation that the caller saw, and all that it shall have. */
  readonly inventories: Readonly<Record<string, { readonly generation: number; readonly inventories: InventoryInputs }>>;
  readonly claims: readonly ConsumerClaim[];
}

/**
 * Moves inventories and allocations between providers in one transaction (placement/objects/reshaper.py): first every provider has both its old and
 * its new inventories, then the allocations change, then the old inventories go. Generations grow with each of these steps, as upstream's do.
 */
export function createReshaper(env: Env) {
  const { store, clock } = env;
  return (shape: Reshape): Promise<void> =>
    store.write(async (tx) => {
      const nowMs = clock.nowMs();
      for (const [providerId, { generation }] of Object.entries(shape.inventories)) {
        const provider = await providerById(tx, providerId);
        if (!provider)
          throw bad(`Resource provider ${providerId} in inventories not found: No resource provider with uuid ${providerId} found`, CODES.providerNotFound);
        if (provider.generation !== generation)
          throw concurrentUpdate(`resource provider generation conflict for provider ${providerId}: actual: ${provider.generation}, given: ${generation}`);
      }
      const wanted = Object.entries(shape.inventories).map(
        ([providerId, { inventories }]) =>
          [providerId, Object.fromEntries(Object.entries(inventories).map(([name, input]) => [name, factsOf(input)]))] as const,
      );
      try {
        for (const [providerId, inventories] of wanted) {
          if (Object.keys(inventories).length === 0) continue;
          const old = Object.fromEntries((await inventoriesOf(tx, providerId)).map((row) => [row.resource_class, factsOf(row)]));
          await replaceInventories(tx, providerId, { ...old, ...inventories }, nowMs);
        }
        await replaceAllocations(tx, shape.claims, nowMs, 'malformed reshaper data: ');
        for (const [providerId, inventories] of wanted) await replaceInventories(tx, providerId, inventories, nowMs, 'update conflict: ');
      } catch (error) {
        if (isCairnError(error, 'NotFound')) throw bad(`malformed reshaper data: ${error.message}`);
        throw error;
      }
    });
}
