import { flavorVerbs, getTie, serviceProfileVerbs, tieProfiles, untieProfileOf } from '../app/flavors.ts';
import { listServiceProviders } from '../app/service-providers.ts';
import { SERVICE_PROVIDER } from '../resources/availability.ts';
import { FLAVOR, FLAVOR_SERVICE_PROFILE, SERVICE_PROFILE } from '../resources/flavor.ts';
import { operationsOfKind } from './kinds.ts';
import { createOf, deleteOf, listOf, showOf } from './verbs.ts';

export const flavorOperations = [
  ...operationsOfKind(FLAVOR, flavorVerbs, 'a flavor', 'flavors'),
  ...operationsOfKind(SERVICE_PROFILE, serviceProfileVerbs, 'a service profile', 'service profiles'),
  createOf(FLAVOR_SERVICE_PROFILE, 'Give a service profile to a flavor', tieProfiles),
  showOf(FLAVOR_SERVICE_PROFILE, 'Check for a service profile of a flavor', getTie),
  deleteOf(FLAVOR_SERVICE_PROFILE, 'Take a service profile from a flavor', untieProfileOf),
  listOf(SERVICE_PROVIDER, 'List service providers', listServiceProviders),
];
