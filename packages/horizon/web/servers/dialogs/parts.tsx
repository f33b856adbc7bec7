import { useQuery } from '@tanstack/react-query';
import { api } from '../../api/client.ts';
import type { Server } from '../queries.ts';

export interface DialogProps {
  readonly server: Server;
  readonly close: () => void;
}

/** What has to be asked for anew after something was done to a server. */
export const touchesOf = ({ id }: Pick<Server, 'id'>): readonly (readonly unknown[])[] => [['servers'], ['server', id]];
export const pathOf = ({ id }: Pick<Server, 'id'>, rest = ''): string => `/v2.1/servers/${encodeURIComponent(id)}${rest}`;

/** The hosts that servers run on, for those who may see them. */
export const useHosts = () =>
  useQuery({
    queryKey: ['compute-hosts'],
    queryFn: async ({ signal }) => (await api<'nova.service.list'>('compute', '/v2.1/os-services?binary=nova-compute', { signal })).services,
    retry: false,
  });
