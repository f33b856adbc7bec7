import { queryOptions } from '@tanstack/react-query';
import { allOf, api } from '../api/client.ts';
import type { Server } from '../servers/queries.ts';

/** A process of a service, on its host. */
export interface CloudService {
  readonly binary: string;
  readonly host: string;
  readonly zone: string;
  readonly status: 'enabled' | 'disabled';
  readonly state: 'up' | 'down';
  readonly updated_at: string | null;
  readonly disabled_reason?: string | null;
}

interface ComputeService extends CloudService {
  readonly id: string;
  readonly disabled_reason: string | null;
  readonly forced_down: boolean;
}

/** A hypervisor as 2.87 shows it: the last microversion that tells what is used of it, all in one call. */
export interface Hypervisor {
  readonly id: string;
  readonly hypervisor_hostname: string;
  readonly hypervisor_type: string;
  readonly state: 'up' | 'down';
  readonly status: 'enabled' | 'disabled';
  readonly host_ip: string;
  readonly vcpus: number;
  readonly vcpus_used: number;
  readonly memory_mb: number;
  readonly memory_mb_used: number;
  readonly local_gb: number;
  readonly local_gb_used: number;
  readonly running_vms: number;
  readonly service: { readonly id: string; readonly host: string; readonly disabled_reason: string | null };
}

export interface Aggregate {
  readonly id: number;
  readonly name: string;
  readonly availability_zone: string | null;
  readonly hosts: readonly string[];
  readonly metadata: Readonly<Record<string, string>>;
}

export interface Zone {
  readonly zoneName: string;
  readonly zoneState: { readonly available: boolean };
  readonly hosts: Readonly<Record<string, unknown>> | null;
}

export interface AdminFlavor {
  readonly id: string;
  readonly name: string;
  readonly description: string | null;
  readonly vcpus: number;
  readonly ram: number;
  readonly disk: number;
  readonly swap: number;
  readonly 'OS-FLV-EXT-DATA:ephemeral': number;
  readonly 'os-flavor-access:is_public': boolean;
  readonly extra_specs?: Readonly<Record<string, string>>;
}

/** The version whose hypervisors tell of their load. */
const WITH_LOAD = { 'openstack-api-version': 'compute 2.87' };

const got = async <T>(service: 'compute' | 'volume' | 'network' | 'image', path: string, key: string, signal: AbortSignal): Promise<T> =>
  (await api<Record<string, T>>(service, path, { signal }))[key] as T;

export const hypervisorsQuery = queryOptions({
  queryKey: ['hypervisors'] as const,
  queryFn: async ({ signal }) => {
    const rows: Hypervisor[] = [];
    for (let marker: string | undefined; ; ) {
      const path: string = `/v2.1/os-hypervisors/detail?limit=500${marker === undefined ? '' : `&marker=${encodeURIComponent(marker)}`}`;
      const { hypervisors } = await api<{ hypervisors: Hypervisor[] }>('compute', path, { signal, headers: WITH_LOAD });
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
      (await api<{ hypervisor: Hypervisor }>('compute', `/v2.1/os-hypervisors/${encodeURIComponent(id)}`, { signal, headers: WITH_LOAD })).hypervisor,
    refetchInterval: 15_000,
  });
export const guestsQuery = (host: string) =>
  queryOptions({
    queryKey: ['servers', 'on', host] as const,
    queryFn: ({ signal }) => allOf<Server>('compute', `/v2.1/servers/detail?all_tenants=1&host=${encodeURIComponent(host)}`, 'servers', signal),
  });

export const servicesQuery = queryOptions({
  queryKey: ['compute-services'] as const,
  queryFn: ({ signal }) => got<readonly ComputeService[]>('compute', '/v2.1/os-services', 'services', signal),
  refetchInterval: 15_000,
});

/** Puts a compute host out of use, or back: no new servers come to one that is disabled. */
export const switchService = (id: string, change: { readonly status: 'enabled' } | { readonly status: 'disabled'; readonly disabled_reason: string }) =>
  api('compute', `/v2.1/os-services/${encodeURIComponent(id)}`, { method: 'PUT', body: change });

export const volumeServicesQuery = queryOptions({
  queryKey: ['volume-services'] as const,
  queryFn: ({ signal }) => got<readonly CloudService[]>('volume', '/v3/os-services', 'services', signal),
  refetchInterval: 15_000,
});

export interface Agent {
  readonly id: string;
  readonly agent_type: string;
  readonly binary: string;
  readonly host: string;
  readonly availability_zone: string | null;
  readonly admin_state_up: boolean;
  readonly alive: boolean;
  readonly heartbeat_timestamp: string;
}
export const agentsQuery = queryOptions({
  queryKey: ['agents'] as const,
  queryFn: ({ signal }) => got<readonly Agent[]>('network', '/v2.0/agents', 'agents', signal),
  refetchInterval: 15_000,
});

export const aggregatesQuery = queryOptions({
  queryKey: ['aggregates'] as const,
  queryFn: ({ signal }) => got<readonly Aggregate[]>('compute', '/v2.1/os-aggregates', 'aggregates', signal),
});
export const zonesQuery = queryOptions({
  queryKey: ['aggregates', 'zones'] as const,
  queryFn: ({ signal }) => got<readonly Zone[]>('compute', '/v2.1/os-availability-zone/detail', 'availabilityZoneInfo', signal),
});

export const adminFlavorsQuery = queryOptions({
  queryKey: ['flavors', 'all'] as const,
  queryFn: ({ signal }) => allOf<AdminFlavor>('compute', '/v2.1/flavors/detail?is_public=None', 'flavors', signal),
});
const flavorPath = (id: string): string => `/v2.1/flavors/${encodeURIComponent(id)}`;
export const flavorQuery = (id: string) =>
  queryOptions({ queryKey: ['flavors', 'one', id] as const, queryFn: ({ signal }) => got<AdminFlavor>('compute', flavorPath(id), 'flavor', signal) });
export const flavorAccessQuery = (id: string) =>
  queryOptions({
    queryKey: ['flavors', 'one', id, 'access'] as const,
    queryFn: ({ signal }) => got<readonly { readonly tenant_id: string }[]>('compute', `${flavorPath(id)}/os-flavor-access`, 'flavor_access', signal),
  });

/** A volume type and the limits of speed that types can be given. */
export interface VolumeType {
  readonly id: string;
  readonly name: string;
  readonly description: string | null;
  readonly is_public: boolean;
  readonly qos_specs_id?: string | null;
  readonly extra_specs?: Readonly<Record<string, string>>;
}
export interface QosSpec {
  readonly id: string;
  readonly name: string;
  readonly consumer: string;
  readonly specs: Readonly<Record<string, string>>;
}
export const volumeTypesQuery = queryOptions({
  queryKey: ['volume-types', 'all'] as const,
  queryFn: ({ signal }) => allOf<VolumeType>('volume', '/v3/types?is_public=None', 'volume_types', signal),
});
export const qosSpecsQuery = queryOptions({
  queryKey: ['volume-types', 'qos'] as const,
  queryFn: ({ signal }) => got<readonly QosSpec[]>('volume', '/v3/qos-specs', 'qos_specs', signal),
});

export interface MetadefNamespace {
  readonly namespace: string;
  readonly display_name?: string;
  readonly description?: string;
  readonly visibility: string;
  readonly protected: boolean;
  readonly resource_type_associations?: readonly { readonly name: string }[];
}
export const metadefsQuery = queryOptions({
  queryKey: ['metadefs'] as const,
  queryFn: async ({ signal }) => {
    const rows: MetadefNamespace[] = [];
    for (let next: string | undefined = '/v2/metadefs/namespaces?limit=100'; next !== undefined; ) {
      const page: { namespaces: MetadefNamespace[]; next?: string } = await api('image', next, { signal });
      rows.push(...page.namespaces);
      next = page.next;
    }
    return rows;
  },
});
