import type { NovaDeps } from './deps.ts';
import { Flavors } from './flavors.ts';
import { Hypervisors } from './hypervisors.ts';
import { Keypairs } from './keypairs.ts';
import { Services } from './services.ts';
import { QuotaSets } from './quota-sets.ts';
import { Zones } from './zones.ts';

/** Nova's rules, one member per resource. Operations get it as their `app`. */
export interface NovaApp {
  readonly deps: NovaDeps;
  // Servers and all that belongs to one: one line per member.
  readonly flavors: Flavors;
  readonly keypairs: Keypairs;
  readonly quotaSets: QuotaSets;
  readonly zones: Zones;
  readonly hypervisors: Hypervisors;
  readonly services: Services;
  // Flavors, keypairs, quotas, limits, hypervisors, services, aggregates, server groups: one line per member.
}

export function createNovaApp(deps: NovaDeps): NovaApp {
  return {
    deps,
    flavors: new Flavors(deps.env),
    keypairs: new Keypairs(deps),
    quotaSets: new QuotaSets(deps),
    zones: new Zones(deps),
    hypervisors: new Hypervisors(deps),
    services: new Services(deps),
  };
}
