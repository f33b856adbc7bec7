import { api } from '../api/client.ts';
import type { ServiceName } from '../api/services.ts';
import type { RowList } from './rows.ts';

const list = (name: string, service: ServiceName, path: string, key: string, place: RowList['place']): RowList => ({
  key: [name],
  also: [[name, 'everybody']],
  place,
  fetchOne: async (id) => (await api<Record<string, { readonly id: string }>>(service, `${path}/${encodeURIComponent(id)}`))[key] as { readonly id: string },
});

/** Lists that grow long in a cloud that is used, by the resource that changes name. */
export const ROW_LISTS: Readonly<Record<string, RowList>> = {
  server: list('servers', 'compute', '/v2.1/servers', 'server', 'first'),
  volume: list('volumes', 'volume', '/v3/volumes', 'volume', 'first'),
  port: list('ports', 'network', '/v2.0/ports', 'port', 'by-id'),
};
