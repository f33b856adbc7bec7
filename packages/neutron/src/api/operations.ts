import type { Operation } from '@cairn/kit/http/operation';
import type { NeutronApp } from '../app/deps.ts';
import { extensionOperations } from './extensions.ts';
import { floatingIpOperations } from './floatingips.ts';
import { networkOperations } from './networks.ts';
import { portOperations } from './ports.ts';
import { routerOperations } from './routers.ts';
import { securityGroupOperations } from './security-groups.ts';
import { subnetOperations } from './subnets.ts';
import { versionOperations } from './versions.ts';

/** Every operation of the network service. */
export const operations: readonly Operation<NeutronApp>[] = [
  ...versionOperations,
  ...extensionOperations,
  ...networkOperations,
  ...subnetOperations,
  ...portOperations,
  ...routerOperations,
  ...floatingIpOperations,
  ...securityGroupOperations,
];
