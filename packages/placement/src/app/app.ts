import type { Env } from '@cairn/kit/env';
import { type Allocations, createAllocations } from './allocations.ts';
import type { CandidatesRequest } from './candidates/request.ts';
import { type Candidates, createCandidateSearch } from './candidates/search.ts';
import { createInventories, type Inventories } from './inventories.ts';
import { createProviders, type Providers } from './providers.ts';
import { createReshaper, type Reshape } from './reshaper.ts';
import { createResourceClasses, type ResourceClasses } from './resource-classes.ts';
import { createTraits, type Traits } from './traits.ts';

/** Placement's rules, one member per resource. */
export interface PlacementApp {
  readonly env: Env;
  readonly providers: Providers;
  readonly inventories: Inventories;
  readonly traits: Traits;
  readonly resourceClasses: ResourceClasses;
  readonly allocations: Allocations;
  candidates(request: CandidatesRequest): Promise<Candidates>;
  reshape(shape: Reshape): Promise<void>;
}

export const createPlacementApp = (env: Env): PlacementApp => ({
  env,
  providers: createProviders(env),
  inventories: createInventories(env),
  traits: createTraits(env),
  resourceClasses: createResourceClasses(env),
  allocations: createAllocations(env),
  candidates: createCandidateSearch(env),
  reshape: createReshaper(env),
});
