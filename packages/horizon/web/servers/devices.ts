import { queryOptions, useQuery } from '@tanstack/react-query';
import { allOf, api } from '../api/client.ts';

/** A network card of a server, as compute shows it. */
export interface Interface {
  readonly port_id: string;
  readonly net_id: string;
  readonly mac_addr: string;
  readonly port_state: string;
  readonly fixed_ips: readonly { readonly ip_address: string; readonly subnet_id: string }[];
  readonly tag?: string | null;
}

/** A volume that is attached to a server, as compute shows it. */
export interface Attachment {
  readonly volumeId: string;
  readonly device: string | null;
  readonly delete_on_termination: boolean;
  readonly tag: string | null;
}

const pathOf = (serverId: string): string => `/v2.1/servers/${encodeURIComponent(serverId)}`;

export const interfacesQuery = (serverId: string) =>
  queryOptions({
    queryKey: ['server', serverId, 'interfaces'],
    queryFn: async ({ signal }) =>
      (await api<{ interfaceAttachments: Interface[] }>('compute', `${pathOf(serverId)}/os-interface`, { signal })).interfaceAttachments,
  });

export const attachmentsQuery = (serverId: string) =>
  queryOptions({
    queryKey: ['server', serverId, 'volumes'],
    queryFn: async ({ signal }) =>
      (await api<{ volumeAttachments: Attachment[] }>('compute', `${pathOf(serverId)}/os-volume_attachments`, { signal })).volumeAttachments,
  });

/** The part of a volume that servers' pages show. */
export interface ServerVolume {
  readonly id: string;
  readonly name: string | null;
  readonly status: string;
  /** GiB. */
  readonly size: number;
  readonly bootable: string;
}

/** The project's volumes: the list of the page of volumes, under the same key. */
export const useVolumes = () =>
  useQuery({ queryKey: ['volumes'], queryFn: ({ signal }) => allOf<ServerVolume>('volume', '/v3/volumes/detail', 'volumes', signal) });
