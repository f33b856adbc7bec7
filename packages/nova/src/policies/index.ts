import type { PolicyRule } from '@cairn/kit/policy/policy';
import { basePolicies } from './base.ts';
import { flavorPolicies } from './flavors.ts';
import { groupPolicies } from './groups.ts';
import { keypairPolicies } from './keypairs.ts';
import { serverPolicies } from './servers.ts';
import { oldNetworkPolicies } from './old-networks.ts';
import { longTailPolicies } from './long-tail.ts';
import { operatorPolicies } from './operators.ts';

/** Every rule of the compute API with upstream's names and defaults: one line per resource file. */
export const novaPolicies: readonly PolicyRule[] = [
  ...basePolicies,
  // Servers and all that belongs to one.
  ...serverPolicies,
  // Flavors, keypairs, quotas, limits, hypervisors, services, aggregates, server groups, extensions.
  ...flavorPolicies,
  ...keypairPolicies,
  ...operatorPolicies,
  ...groupPolicies,
  ...oldNetworkPolicies,
  ...longTailPolicies,
];
