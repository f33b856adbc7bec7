import { api, type Shown } from '../api/client.ts';

/** Changes of the network service's objects. `path` is theirs below `/v2.0/`, `key` what bodies call them. */

export const create = async <T = unknown>(path: string, key: string, values: object): Promise<Shown<T>> =>
  (await api<Record<string, Shown<T>>>('network', `/v2.0/${path}`, { method: 'POST', body: { [key]: values } }))[key] as Shown<T>;

export const update = (path: string, key: string, id: string, values: object): Promise<unknown> =>
  api('network', `/v2.0/${path}/${encodeURIComponent(id)}`, { method: 'PUT', body: { [key]: values } });

export const remove = (path: string, id: string): Promise<unknown> => api('network', `/v2.0/${path}/${encodeURIComponent(id)}`, { method: 'DELETE' });

/** What a router or an address group is told to do: its body is the thing alone. */
export const tell = (path: string, id: string, verb: string, body: object): Promise<unknown> =>
  api('network', `/v2.0/${path}/${encodeURIComponent(id)}/${verb}`, { method: 'PUT', body });
