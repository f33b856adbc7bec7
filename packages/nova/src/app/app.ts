import { createNovaSagas, type NovaSagas } from '../sagas/index.ts';
import type { NovaDeps } from './deps.ts';
import { AssistedSnapshots } from './assisted-snapshots.ts';
import { ExternalEvents } from './external-events.ts';
import { FloatingIpActions } from './floating-ip-actions.ts';
import { TenantUsages } from './tenant-usage.ts';
import { VolumeProxies } from './volume-proxies.ts';
import { Consoles } from './consoles.ts';
import { FixedIps } from './fixed-ips.ts';
import { Flavors } from './flavors.ts';
import { createInstanceActionsApp, type InstanceActionsApp } from './instance-actions.ts';
import { createInterfacesApp, type InterfacesApp } from './interfaces.ts';
import { createMigrationsApp, type MigrationsApp } from './migrations.ts';
import { createServerActionsApp, type ServerActionsApp } from './server-actions.ts';
import { createServerGuestApp, type ServerGuestApp } from './server-guest.ts';
import { createServerImagesApp, imageMaker, type ServerImagesApp } from './server-images.ts';
import { createServerPasswordApp, type ServerPasswordApp } from './server-password.ts';
import { createServerRebuildApp, type ServerRebuildApp } from './server-rebuild.ts';
import { createServerRescueApp, type ServerRescueApp } from './server-rescue.ts';
import { createServerShelveApp, type ServerShelveApp } from './server-shelve.ts';
import { createServerSoftDeleteApp, type ServerSoftDeleteApp } from './server-soft-delete.ts';
import { createServerMetadataApp, type ServerMetadataApp } from './server-metadata.ts';
import { createServersApp, type ServersApp } from './servers.ts';
import { createServerTagsApp, type ServerTagsApp } from './server-tags.ts';
import { ServerUsages } from './server-usage.ts';
import { createVolumeAttachmentsApp, type VolumeAttachmentsApp } from './volume-attachments.ts';
import { Aggregates } from './aggregates.ts';
import { FloatingIps } from './floating-ips.ts';
import { Hypervisors } from './hypervisors.ts';
import { Images } from './images.ts';
import { Keypairs } from './keypairs.ts';
import { OldHosts } from './old-hosts.ts';
import { SecurityGroups } from './security-groups.ts';
import { ServerGroups } from './server-groups.ts';
import { Services } from './services.ts';
import { QuotaSets } from './quota-sets.ts';
import { UsageAudits } from './usage-audit.ts';
import { Zones } from './zones.ts';

/** Nova's rules, one member per resource. Operations get it as their `app`. */
export interface NovaApp {
  readonly deps: NovaDeps;
  readonly sagas: NovaSagas;
  // Servers and all that belongs to one: one line per member.
  readonly servers: ServersApp;
  readonly serverActions: ServerActionsApp;
  readonly migrations: MigrationsApp;
  readonly serverImages: ServerImagesApp;
  readonly serverRebuild: ServerRebuildApp;
  readonly serverRescue: ServerRescueApp;
  readonly serverShelve: ServerShelveApp;
  readonly serverSoftDelete: ServerSoftDeleteApp;
  readonly serverPassword: ServerPasswordApp;
  readonly serverMetadata: ServerMetadataApp;
  readonly serverTags: ServerTagsApp;
  readonly serverGuest: ServerGuestApp;
  readonly serverUsages: ServerUsages;
  readonly volumeAttachments: VolumeAttachmentsApp;
  readonly interfaces: InterfacesApp;
  readonly instanceActions: InstanceActionsApp;
  readonly fixedIps: FixedIps;
  readonly flavors: Flavors;
  readonly keypairs: Keypairs;
  readonly quotaSets: QuotaSets;
  readonly zones: Zones;
  readonly hypervisors: Hypervisors;
  readonly services: Services;
  readonly aggregates: Aggregates;
  readonly serverGroups: ServerGroups;
  readonly usageAudits: UsageAudits;
  readonly consoles: Consoles;
  readonly tenantUsages: TenantUsages;
  readonly externalEvents: ExternalEvents;
  readonly volumeProxies: VolumeProxies;
  readonly floatingIpActions: FloatingIpActions;
  readonly assistedSnapshots: AssistedSnapshots;
  readonly securityGroups: SecurityGroups;
  readonly floatingIps: FloatingIps;
  readonly images: Images;
  readonly oldHosts: OldHosts;
  // Flavors, keypairs, quotas, limits, hypervisors, services, aggregates, server groups: one line per member.
}

export function createNovaApp(deps: NovaDeps): NovaApp {
  const sagas = createNovaSagas(deps);
  const serverSoftDelete = createServerSoftDeleteApp(deps, sagas);
  return {
    deps,
    sagas,
    servers: createServersApp(deps, sagas),
    serverActions: createServerActionsApp(deps, sagas, serverSoftDelete),
    migrations: createMigrationsApp(deps, sagas),
    serverImages: createServerImagesApp(deps, sagas),
    serverRebuild: createServerRebuildApp(deps, sagas),
    serverRescue: createServerRescueApp(deps, sagas),
    serverShelve: createServerShelveApp(deps, sagas, imageMaker(deps)),
    serverSoftDelete,
    serverPassword: createServerPasswordApp(deps, sagas),
    serverMetadata: createServerMetadataApp(deps),
    serverTags: createServerTagsApp(deps),
    serverGuest: createServerGuestApp(deps),
    serverUsages: new ServerUsages(deps),
    volumeAttachments: createVolumeAttachmentsApp(deps, sagas),
    interfaces: createInterfacesApp(deps, sagas),
    instanceActions: createInstanceActionsApp(deps),
    fixedIps: new FixedIps(deps),
    flavors: new Flavors(deps.env),
    keypairs: new Keypairs(deps),
    quotaSets: new QuotaSets(deps),
    zones: new Zones(deps),
    hypervisors: new Hypervisors(deps),
    services: new Services(deps),
    aggregates: new Aggregates(deps, sagas.cacheImages),
    serverGroups: new ServerGroups(deps),
    usageAudits: new UsageAudits(deps),
    consoles: new Consoles(deps),
    tenantUsages: new TenantUsages(deps),
    externalEvents: new ExternalEvents(deps, sagas),
    volumeProxies: new VolumeProxies(deps),
    floatingIpActions: new FloatingIpActions(deps),
    assistedSnapshots: new AssistedSnapshots(deps),
    securityGroups: new SecurityGroups(deps),
    floatingIps: new FloatingIps(deps),
    images: new Images(deps),
    oldHosts: new OldHosts(deps),
  };
}
