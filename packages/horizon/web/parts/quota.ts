import { queryOptions } from '@tanstack/react-query';
import { api } from '../api/client.ts';
import { roomOf, type Room, type RoomDetail } from './quota-room.ts';

type Service = 'compute' | 'volume' | 'network';

const PATHS: Readonly<Record<Service, (projectId: string) => string>> = {
  compute: (id) => `/v2.1/os-quota-sets/${id}/detail`,
  volume: (id) => `/v3/os-quota-sets/${id}?usage=true`,
  network: (id) => `/v2.0/quotas/${id}/details`,
};

/** What a project uses and may use, by resource: `instances`, `gigabytes`, `floatingip`. Asked for anew with what it counts, since no event tells of it. */
export const quotaQuery = (service: Service, projectId: string) =>
  queryOptions({
    queryKey: ['quota', service, projectId],
    staleTime: 0,
    queryFn: async ({ signal }): Promise<Readonly<Record<string, Room>>> => {
      const answer = await api<'nova.quota-set.detail' | 'cinder.quota-set.show' | 'neutron.quota.show-details'>(
        service,
        PATHS[service](encodeURIComponent(projectId)),
        { signal },
      );
      const set = 'quota' in answer ? answer.quota : answer.quota_set;
      return Object.fromEntries(
        Object.entries<RoomDetail | string | number>(set).flatMap(([name, detail]) => (typeof detail === 'object' ? [[name, roomOf(detail)]] : [])),
      );
    },
  });
