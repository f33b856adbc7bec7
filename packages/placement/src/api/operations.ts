import type { AnyOperation } from '@cairn/kit/http/operation';
import { aggregateOperations } from './aggregates.ts';
import { allocationCandidateOperations } from './allocation-candidates.ts';
import { allocationOperations } from './allocations.ts';
import { inventoryOperations } from './inventories.ts';
import { reshaperOperations } from './reshaper.ts';
import { resourceClassOperations } from './resource-classes.ts';
import { resourceProviderOperations } from './resource-providers.ts';
import { rootOperations } from './root.ts';
import { traitOperations } from './traits.ts';
import { usageOperations } from './usages.ts';

/** All of placement's API. */
export const placementOperations: readonly AnyOperation[] = [
  ...rootOperations,
  ...resourceProviderOperations,
  ...inventoryOperations,
  ...aggregateOperations,
  ...traitOperations,
  ...resourceClassOperations,
  ...usageOperations,
  ...allocationOperations,
  ...reshaperOperations,
  ...allocationCandidateOperations,
];
