import { queryOptions } from '@tanstack/react-query';
import { api } from '../api/client.ts';
import { computeUsage, networkUsage, volumeUsage } from './usage.ts';

/** What the project uses of its quotas. The keys begin with a list's own, so that a change of the list asks for these anew. */
export const computeUsageQuery = queryOptions({
  queryKey: ['servers', 'usage'],
  queryFn: async ({ signal }) => computeUsage((await api<'nova.limits.show'>('compute', '/v2.1/limits', { signal })).limits.absolute),
});
export const volumeUsageQuery = queryOptions({
  queryKey: ['volumes', 'usage'],
  queryFn: async ({ signal }) => volumeUsage((await api<'cinder.limits.show'>('volume', '/v3/limits', { signal })).limits.absolute),
});
export const networkUsageQuery = (projectId: string) =>
  queryOptions({
    queryKey: ['ports', 'usage', projectId],
    queryFn: async ({ signal }) =>
      networkUsage((await api<'neutron.quota.show-details-json'>('network', `/v2.0/quotas/${encodeURIComponent(projectId)}/details.json`, { signal })).quota),
  });
