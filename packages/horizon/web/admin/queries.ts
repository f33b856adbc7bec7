import { queryOptions } from '@tanstack/react-query';
import { allOf, type Answer, api } from '../api/client.ts';

/** A process of a service, on its host. */
export type CloudService = Answer<'nova.service.list' | 'cinder.service.list'>['services'][number];
/** A hypervisor as 2.87 shows it: the last microversion that tells what is used of it, all in one call. */
export type Hypervisor = Answer<'nova.hypervisor.show@2.87'>['hypervisor'];
export type Aggregate = Answer<'nova.aggregate.list'>['aggregates'][number];
export type Zone = Answer<'nova.availability-zone.detail'>['availabilityZoneInfo'][number];
export type AdminFlavor = Answer<'nova.flavor.show'>['flavor'];

/** The version whose hypervisors tell of their load. */
const WITH_LOAD = { 'openstack-api-version': 'compute 2.87' };

export const hypervisorsQuery = queryOptions({
  queryKey: ['hypervisors'] as const,
  queryFn: async ({ signal }) => {
    const rows: Hypervisor[] = [];
    for (let marker: string | undefined; ; ) {
      const path: string = `/v2.1/os-hypervisors/detail?limit=500${marker === undefined ? '' : `&marker=${encodeURIComponent(marker)}`}`;
      const { hypervisors } = await api<'nova.hypervisor.detail@2.87'>('compute', path, { signal, headers: WITH_LOAD });
      rows.push(...hypervisors);
      if (hypervisors.length < 500) return rows;
      marker = hypervisors.at(-1)?.id;
    }
  },
  // no event tells of load
  refetchInterval: 15_000,
});
export const hypervisorQuery = (id: string) =>
  queryOptions({
    queryKey: ['hypervisors', id] as const,
    queryFn: async ({ signal }) =>
      (await api<'nova.hypervisor.show@2.87'>('compute', `/v2.1/os-hypervisors/${encodeURIComponent(id)}`, { signal, headers: WITH_LOAD })).hypervisor,
    refetchInterval: 15_000,
  });
export const guestsQuery = (host: string) =>
  queryOptions({
    queryKey: ['servers', 'on', host] as const,
    queryFn: ({ signal }) => allOf<'nova.server.detail'>('compute', `/v2.1/servers/detail?all_tenants=1&host=${encodeURIComponent(host)}`, 'servers', signal),
  });

export const servicesQuery = queryOptions({
  queryKey: ['compute-services'] as const,
  queryFn: async ({ signal }) => (await api<'nova.service.list'>('compute', '/v2.1/os-services', { signal })).services,
  refetchInterval: 15_000,
});

/** Puts a compute host out of use, or back: no new servers come to one that is disabled. */
export const switchService = (id: string, change: { readonly status: 'enabled' } | { readonly status: 'disabled'; readonly disabled_reason: string }) =>
  api('compute', `/v2.1/os-services/${encodeURIComponent(id)}`, { method: 'PUT', body: change });

export const volumeServicesQuery = queryOptions({
  queryKey: ['volume-services'] as const,
  queryFn: async ({ signal }) => (await api<'cinder.service.list'>('volume', '/v3/os-services', { signal })).services,
  refetchInterval: 15_000,
});

export const agentsQuery = queryOptions({
  queryKey: ['agents'] as const,
  queryFn: async ({ signal }) => (await api<'neutron.agent.list'>('network', '/v2.0/agents', { signal })).agents,
  refetchInterval: 15_000,
});

export const aggregatesQuery = queryOptions({
  queryKey: ['aggregates'] as const,
  queryFn: async ({ signal }) => (await api<'nova.aggregate.list'>('compute', '/v2.1/os-aggregates', { signal })).aggregates,
});
export const zonesQuery = queryOptions({
  queryKey: ['aggregates', 'zones'] as const,
  queryFn: async ({ signal }) => (await api<'nova.availability-zone.detail'>('compute', '/v2.1/os-availability-zone/detail', { signal })).availabilityZoneInfo,
});

export const adminFlavorsQuery = queryOptions({
  queryKey: ['flavors', 'all'] as const,
  queryFn: ({ signal }) => allOf<'nova.flavor.detail'>('compute', '/v2.1/flavors/detail?is_public=None', 'flavors', signal),
});
const flavorPath = (id: string): string => `/v2.1/flavors/${encodeURIComponent(id)}`;
export const flavorQuery = (id: string) =>
  queryOptions({
    queryKey: ['flavors', 'one', id] as const,
    queryFn: async ({ signal }) => (await api<'nova.flavor.show'>('compute', flavorPath(id), { signal })).flavor,
  });
export const flavorAccessQuery = (id: string) =>
  queryOptions({
    queryKey: ['flavors', 'one', id, 'access'] as const,
    queryFn: async ({ signal }) => (await api<'nova.flavor-access.list'>('compute', `${flavorPath(id)}/os-flavor-access`, { signal })).flavor_access,
  });

export type VolumeType = Answer<'cinder.type.list'>['volume_types'][number];
export type QosSpec = Answer<'cinder.qos-specs.list'>['qos_specs'][number];
export const volumeTypesQuery = queryOptions({
  queryKey: ['volume-types', 'all'] as const,
  queryFn: ({ signal }) => allOf<'cinder.type.list'>('volume', '/v3/types?is_public=None', 'volume_types', signal),
});
export const qosSpecsQuery = queryOptions({
  queryKey: ['volume-types', 'qos'] as const,
  queryFn: async ({ signal }) => (await api<'cinder.qos-specs.list'>('volume', '/v3/qos-specs', { signal })).qos_specs,
});

export type MetadefNamespace = Answer<'glance.metadef.namespace.list'>['namespaces'][number];
export const metadefsQuery = queryOptions({
  queryKey: ['metadefs'] as const,
  queryFn: async ({ signal }) => {
    const rows: MetadefNamespace[] = [];
    for (let next: string | undefined = '/v2/metadefs/namespaces?limit=100'; next !== undefined; ) {
      const page: Answer<'glance.metadef.namespace.list'> = await api<'glance.metadef.namespace.list'>('image', next, { signal });
      rows.push(...page.namespaces);
      next = page.next;
    }
    return rows;
  },
});
