import { createSagas, type CinderSagas } from '../sagas/index.ts';
import type { CinderDeps } from './deps.ts';
import { Pools } from './pools.ts';

/** What cinder's operations, rules and sagas work with. */
export interface CinderApp {
  readonly deps: CinderDeps;
  readonly pools: Pools;
  readonly sagas: CinderSagas;
}

export function createCinderApp(deps: CinderDeps): CinderApp {
  const pools = new Pools(deps);
  return { deps, pools, sagas: createSagas(deps, pools) };
}
