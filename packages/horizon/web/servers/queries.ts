import { queryOptions, useQuery } from '@tanstack/react-query';
import { allOf, type Answer, api } from '../api/client.ts';
import type { ServerFacts } from './actions.ts';
import type { AskUsage } from './usage-feed.ts';

/** A server, with what its actions are judged by. */
export type Server = Answer<'nova.server.show'>['server'] & ServerFacts;
export type InstanceAction = Answer<'nova.instance_action.list'>['instanceActions'][number];
export type InstanceActionEvent = NonNullable<Answer<'nova.instance_action.show'>['instanceAction']['events']>[number];

const SERVERS = '/v2.1/servers';

const serversQuery = queryOptions({
  queryKey: ['servers'],
  queryFn: ({ signal }) => allOf<'nova.server.detail'>('compute', `${SERVERS}/detail`, 'servers', signal),
});

export const serverQuery = (id: string) =>
  queryOptions({
    queryKey: ['server', id],
    queryFn: async ({ signal }) => (await api<'nova.server.show'>('compute', `${SERVERS}/${encodeURIComponent(id)}`, { signal })).server,
  });

export const actionsQuery = (id: string) =>
  queryOptions({
    queryKey: ['server', id, 'actions'],
    queryFn: async ({ signal }) =>
      (await api<'nova.instance_action.list'>('compute', `${SERVERS}/${encodeURIComponent(id)}/os-instance-actions`, { signal })).instanceActions,
  });

export const actionQuery = (id: string, requestId: string) =>
  queryOptions({
    queryKey: ['server', id, 'actions', requestId],
    queryFn: async ({ signal }) =>
      (
        await api<'nova.instance_action.show'>('compute', `${SERVERS}/${encodeURIComponent(id)}/os-instance-actions/${encodeURIComponent(requestId)}`, {
          signal,
        })
      ).instanceAction,
  });

/** One action of a server: `{ reboot: { type: 'SOFT' } }`. */
export const act = <T = void>(id: string, body: Readonly<Record<string, unknown>>): Promise<Answer<T>> =>
  api<T>('compute', `${SERVERS}/${encodeURIComponent(id)}/action`, { method: 'POST', body });

export const deleteServer = (id: string): Promise<void> => api('compute', `${SERVERS}/${encodeURIComponent(id)}`, { method: 'DELETE' });

/** What servers used of late; up to 100 servers, and half an hour. */
export const askUsage: AskUsage = async (serverIds, sinceMs) => {
  const asked = new URLSearchParams([...serverIds.map((id) => ['server_id', id]), ['since', new Date(sinceMs).toISOString()]]);
  const { usages } = await api<'nova.server_usage.list'>('compute', `/v2.1/os-cairn-usage?${asked}`);
  return new Map(
    usages.map(({ server_id, samples }) => [
      server_id,
      samples.map(({ at, cpu_percent, memory_mb }) => ({ atMs: Date.parse(at), cpuPercent: cpu_percent, memoryMib: memory_mb })),
    ]),
  );
};

export const useServers = () => useQuery(serversQuery);

/** The first addresses, as a list shows them. */
export const addressesOf = (server: Pick<Server, 'addresses'>): readonly string[] =>
  Object.values(server.addresses)
    .flat()
    .map(({ addr }) => addr);
