import type { PolicyRule } from '@cairn/kit/policy/policy';
import { agentsPolicies } from './agents.ts';
import { basePolicies } from './base.ts';
import { dataPlanePolicies } from './data-plane.ts';
import { networksPolicies } from './networks.ts';
import { portsPolicies } from './ports.ts';
import { qosPolicies } from './qos.ts';
import { routersPolicies } from './routers.ts';
import { securityGroupsPolicies } from './security-groups.ts';
import { trunkPolicies } from './trunks.ts';

/** Every policy rule of the network service. */
export const policies: readonly PolicyRule[] = [
  ...basePolicies,
  ...networksPolicies,
  ...portsPolicies,
  ...routersPolicies,
  ...securityGroupsPolicies,
  ...agentsPolicies,
  ...qosPolicies,
  ...trunkPolicies,
  ...dataPlanePolicies,
];
