import { queryOptions, useQuery } from '@tanstack/react-query';
import { allOf, api } from '../api/client.ts';
import type { ServerFacts } from './actions.ts';
import type { AskUsage } from './usage-feed.ts';

/** A server as compute's microversion 2.96 shows it; the parts that the console uses. */
export interface Server extends ServerFacts {
  readonly id: string;
  readonly name: string;
  readonly created: string;
  readonly updated: string;
  readonly user_id: string;
  readonly key_name: string | null;
  readonly hostId: string;
  readonly description: string | null;
  readonly tags?: readonly string[];
  readonly metadata: Readonly<Record<string, string>>;
  readonly image: { readonly id: string } | '' | null;
  readonly flavor: { readonly original_name: string; readonly vcpus: number; readonly ram: number; readonly disk: number };
  readonly addresses: Readonly<Record<string, readonly { readonly addr: string; readonly version: number; readonly 'OS-EXT-IPS:type': string }[]>>;
  readonly security_groups?: readonly { readonly name: string }[];
  /** 0 none, 1 running, 3 paused, 4 off, 6 crashed, 7 suspended. */
  readonly 'OS-EXT-STS:power_state': number;
  readonly 'OS-EXT-AZ:availability_zone': string;
  readonly 'OS-EXT-SRV-ATTR:host'?: string | null;
  readonly 'os-extended-volumes:volumes_attached': readonly { readonly id: string }[];
  readonly fault?: { readonly message: string; readonly created: string };
}

export interface InstanceAction {
  readonly action: string;
  readonly request_id: string;
  readonly user_id: string;
  readonly start_time: string;
  readonly updated_at: string;
  readonly message: string | null;
}

export interface InstanceActionEvent {
  readonly event: string;
  readonly start_time: string;
  readonly finish_time: string | null;
  readonly result: 'Success' | 'Error' | null;
  readonly details?: string | null;
  readonly host?: string | null;
}

const SERVERS = '/v2.1/servers';

const serversQuery = queryOptions({
  queryKey: ['servers'],
  queryFn: ({ signal }) => allOf<Server>('compute', `${SERVERS}/detail`, 'servers', signal),
});

export const serverQuery = (id: string) =>
  queryOptions({
    queryKey: ['server', id],
    queryFn: async ({ signal }) => (await api<{ server: Server }>('compute', `${SERVERS}/${encodeURIComponent(id)}`, { signal })).server,
  });

export const actionsQuery = (id: string) =>
  queryOptions({
    queryKey: ['server', id, 'actions'],
    queryFn: async ({ signal }) =>
      (await api<{ instanceActions: InstanceAction[] }>('compute', `${SERVERS}/${encodeURIComponent(id)}/os-instance-actions`, { signal })).instanceActions,
  });

export const actionQuery = (id: string, requestId: string) =>
  queryOptions({
    queryKey: ['server', id, 'actions', requestId],
    queryFn: async ({ signal }) =>
      (
        await api<{ instanceAction: InstanceAction & { events: InstanceActionEvent[] } }>(
          'compute',
          `${SERVERS}/${encodeURIComponent(id)}/os-instance-actions/${encodeURIComponent(requestId)}`,
          { signal },
        )
      ).instanceAction,
  });

/** One action of a server: `{ reboot: { type: 'SOFT' } }`. */
export const act = <T = void>(id: string, body: Readonly<Record<string, unknown>>): Promise<T> =>
  api<T>('compute', `${SERVERS}/${encodeURIComponent(id)}/action`, { method: 'POST', body });

export const deleteServer = (id: string): Promise<void> => api('compute', `${SERVERS}/${encodeURIComponent(id)}`, { method: 'DELETE' });

interface UsageAnswer {
  readonly usages: readonly {
    readonly server_id: string;
    readonly samples: readonly { readonly at: string; readonly cpu_percent: number | null; readonly memory_mb: number }[];
  }[];
}

/** What servers used of late; up to 100 servers, and half an hour. */
export const askUsage: AskUsage = async (serverIds, sinceMs) => {
  const asked = new URLSearchParams([...serverIds.map((id) => ['server_id', id]), ['since', new Date(sinceMs).toISOString()]]);
  const { usages } = await api<UsageAnswer>('compute', `/v2.1/os-cairn-usage?${asked}`);
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
