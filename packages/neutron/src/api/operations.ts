import type { Operation } from '@cairn/kit/http/operation';
import type { NeutronApp } from '../app/deps.ts';
import { addressGroupOperations } from './address-groups.ts';
import { agentSchedulerOperations } from './agent-schedulers.ts';
import { agentOperations } from './agents.ts';
import { autoTopologyOperations } from './auto-topology.ts';
import { availabilityOperations } from './availability.ts';
import { dataPlaneOperations } from './data-plane.ts';
import { extensionOperations } from './extensions.ts';
import { flavorOperations } from './flavors.ts';
import { floatingIpOperations } from './floatingips.ts';
import { networkOperations } from './networks.ts';
import { portBindingOperations } from './port-bindings.ts';
import { portOperations } from './ports.ts';
import { qosOperations } from './qos.ts';
import { quotaOperations } from './quotas.ts';
import { rbacPolicyOperations } from './rbac-policies.ts';
import { routerOperations } from './routers.ts';
import { securityGroupOperations } from './security-groups.ts';
import { segmentOperations } from './segments.ts';
import { subnetPoolOperations } from './subnetpools.ts';
import { subnetOperations } from './subnets.ts';
import { tagOperations } from './tags.ts';
import { trunkOperations } from './trunks.ts';
import { versionOperations } from './versions.ts';

/** Every operation of the network service. */
export const operations: readonly Operation<NeutronApp>[] = [
  ...versionOperations,
  ...extensionOperations,
  ...networkOperations,
  ...subnetOperations,
  ...subnetPoolOperations,
  ...portOperations,
  ...routerOperations,
  ...floatingIpOperations,
  ...securityGroupOperations,
  ...addressGroupOperations,
  ...rbacPolicyOperations,
  ...tagOperations,
  ...quotaOperations,
  ...agentOperations,
  ...qosOperations,
  ...trunkOperations,
  ...autoTopologyOperations,
  ...portBindingOperations,
  ...agentSchedulerOperations,
  ...availabilityOperations,
  ...flavorOperations,
  ...segmentOperations,
  ...dataPlaneOperations,
];
