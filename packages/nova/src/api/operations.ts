import type { AnyOperation } from '@cairn/kit/http/operation';
import { instanceActionOperations } from './instance-actions.ts';
import { interfaceOperations } from './interfaces.ts';
import { migrationOperations } from './migrations.ts';
import { serverActionOperations } from './server-actions.ts';
import { serverGuestOperations } from './server-guest.ts';
import { serverIpOperations } from './server-ips.ts';
import { serverUsageOperations } from './server-usage.ts';
import { serverLifeCycleOperations } from './server-life-cycle.ts';
import { serverMetadataOperations } from './server-metadata.ts';
import { serverTagOperations } from './server-tags.ts';
import { serverOperations } from './servers.ts';
import { volumeAttachmentOperations } from './volume-attachments.ts';
import { consoleOperations } from './consoles.ts';
import { externalEventOperations } from './external-events.ts';
import { longTailOperations, volumesBootOperations } from './long-tail.ts';
import { strictQueries } from './strict-queries.ts';
import { tenantUsageOperations } from './tenant-usage.ts';
import { volumeProxyOperations } from './volume-proxies.ts';
import { flavorAccessOperations } from './flavor-access.ts';
import { flavorExtraSpecOperations } from './flavor-extra-specs.ts';
import { fixedIpOperations } from './fixed-ips.ts';
import { flavorOperations } from './flavors.ts';
import { keypairOperations } from './keypairs.ts';
import { extensionOperations } from './extensions.ts';
import { limitOperations } from './limits.ts';
import { quotaClassSetOperations } from './quota-class-sets.ts';
import { quotaSetOperations } from './quota-sets.ts';
import { zoneOperations } from './zones.ts';
import { aggregateOperations } from './aggregates.ts';
import { serverGroupOperations } from './server-groups.ts';
import { usageAuditOperations } from './usage-audit.ts';
import { hypervisorOperations } from './hypervisors.ts';
import { serviceOperations } from './services.ts';
import { securityGroupOperations } from './security-groups.ts';
import { floatingIpOperations } from './floating-ips.ts';
import { imageOperations } from './images.ts';
import { oldHostOperations } from './old-hosts.ts';
import { oldNetworkOperations } from './old-networks.ts';
import { removedOperations } from './removed.ts';
import { versionOperations } from './versions.ts';

const operations: readonly AnyOperation[] = [
  // Servers and all that belongs to one.
  ...serverOperations,
  ...serverActionOperations,
  ...serverLifeCycleOperations,
  ...consoleOperations,
  ...migrationOperations,
  ...volumeAttachmentOperations,
  ...interfaceOperations,
  ...serverMetadataOperations,
  ...serverTagOperations,
  ...serverIpOperations,
  ...serverGuestOperations,
  ...serverUsageOperations,
  ...instanceActionOperations,
  // Flavors, keypairs, quotas, limits, hypervisors, services, aggregates, server groups, extensions, versions.
  ...versionOperations,
  ...fixedIpOperations,
  ...flavorOperations,
  ...flavorAccessOperations,
  ...flavorExtraSpecOperations,
  ...keypairOperations,
  ...quotaSetOperations,
  ...quotaClassSetOperations,
  ...limitOperations,
  ...zoneOperations,
  ...hypervisorOperations,
  ...serviceOperations,
  ...aggregateOperations,
  ...serverGroupOperations,
  ...usageAuditOperations,
  ...tenantUsageOperations,
  ...externalEventOperations,
  ...volumeProxyOperations,
  ...longTailOperations,
  ...extensionOperations,
  // Nova-network's and images, handed on to neutron and glance, and what is gone for good.
  ...securityGroupOperations,
  ...floatingIpOperations,
  ...oldNetworkOperations,
  ...imageOperations,
  ...oldHostOperations,
  ...removedOperations,
];

/** Every operation of the compute API: one line per resource file. */
export const novaOperations: readonly AnyOperation[] = strictQueries([...operations, ...volumesBootOperations(operations)]);
