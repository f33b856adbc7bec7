import { queryOptions, useQuery } from '@tanstack/react-query';
import { allOf, type Answer, api } from '../api/client.ts';

/** A network card of a server, as compute shows it. */
export type Interface = Answer<'nova.interface.list'>['interfaceAttachments'][number];
/** A volume that is attached to a server, as compute shows it. */
export type Attachment = Answer<'nova.volume_attachment.list'>['volumeAttachments'][number];

const pathOf = (serverId: string): string => `/v2.1/servers/${encodeURIComponent(serverId)}`;

export const interfacesQuery = (serverId: string) =>
  queryOptions({
    queryKey: ['server', serverId, 'interfaces'],
    queryFn: async ({ signal }) => (await api<'nova.interface.list'>('compute', `${pathOf(serverId)}/os-interface`, { signal })).interfaceAttachments,
  });

export const attachmentsQuery = (serverId: string) =>
  queryOptions({
    queryKey: ['server', serverId, 'volumes'],
    queryFn: async ({ signal }) =>
      (await api<'nova.volume_attachment.list'>('compute', `${pathOf(serverId)}/os-volume_attachments`, { signal })).volumeAttachments,
  });

/** The project's volumes: the list of the page of volumes, under the same key. */
export const useVolumes = () =>
  useQuery({ queryKey: ['volumes'], queryFn: ({ signal }) => allOf<'cinder.volume.list-detail'>('volume', '/v3/volumes/detail', 'volumes', signal) });
