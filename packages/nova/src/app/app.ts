import type { NovaDeps } from './deps.ts';
import { Flavors } from './flavors.ts';
import { Keypairs } from './keypairs.ts';

/** Nova's rules, one member per resource. Operations get it as their `app`. */
export interface NovaApp {
  readonly deps: NovaDeps;
  // Servers and all that belongs to one: one line per member.
  readonly flavors: Flavors;
  readonly keypairs: Keypairs;
  // Flavors, keypairs, quotas, limits, hypervisors, services, aggregates, server groups: one line per member.
}

export function createNovaApp(deps: NovaDeps): NovaApp {
  return {
    deps,
    flavors: new Flavors(deps.env),
    keypairs: new Keypairs(deps),
  };
}
