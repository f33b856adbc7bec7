import { queryOptions } from '@tanstack/react-query';
import { api } from '../api/client.ts';
import { roomOf, type Room } from './quota-room.ts';

interface Detail {
  readonly in_use?: number;
  readonly used?: number;
  readonly reserved: number;
  readonly limit: number;
}
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
      const answer = await api<Record<string, Record<string, Detail | string>>>(service, PATHS[service](encodeURIComponent(projectId)), { signal });
      const set = answer['quota_set'] ?? answer['quota'] ?? {};
      return Object.fromEntries(Object.entries(set).flatMap(([name, detail]) => (typeof detail === 'object' ? [[name, roomOf(detail)]] : [])));
    },
  });
