import { queryOptions, useQuery } from '@tanstack/react-query';
import { allOf, type Answer, api } from '../api/client.ts';

export type Volume = Answer<'cinder.volume.show'>['volume'];
export type VolumeType = Answer<'cinder.type.list'>['volume_types'][number];

const VOLUMES = '/v3/volumes';
const pathOf = (id: string): string => `${VOLUMES}/${encodeURIComponent(id)}`;

export const volumesQuery = queryOptions({
  queryKey: ['volumes'],
  queryFn: ({ signal }) => allOf<'cinder.volume.list-detail'>('volume', `${VOLUMES}/detail`, 'volumes', signal),
});

export const volumeQuery = (id: string) =>
  queryOptions({
    queryKey: ['volume', id],
    queryFn: async ({ signal }) => (await api<'cinder.volume.show'>('volume', pathOf(id), { signal })).volume,
  });

const volumeTypesQuery = queryOptions({
  queryKey: ['volume-types'],
  queryFn: async ({ signal }) => (await api<'cinder.type.list'>('volume', '/v3/types', { signal })).volume_types,
});
export const useVolumeTypes = (): readonly VolumeType[] => useQuery(volumeTypesQuery).data ?? [];

/** What has to be asked for anew after something was done with a volume. */
export const volumeKeys = (id: string): readonly (readonly unknown[])[] => [['volumes'], ['volume', id], ['snapshots'], ['backups'], ['quota', 'volume']];

export const createVolume = (volume: Readonly<Record<string, unknown>>): Promise<unknown> => api('volume', VOLUMES, { method: 'POST', body: { volume } });
export const updateVolume = (id: string, volume: Readonly<Record<string, unknown>>): Promise<unknown> =>
  api('volume', pathOf(id), { method: 'PUT', body: { volume } });
export const deleteVolume = (id: string): Promise<unknown> => api('volume', pathOf(id), { method: 'DELETE' });
/** One action of a volume: `{ 'os-extend': { new_size: 3 } }`. */
export const actOnVolume = <T = unknown>(id: string, body: Readonly<Record<string, unknown>>): Promise<Answer<T>> =>
  api<T>('volume', `${pathOf(id)}/action`, { method: 'POST', body });

const attachmentsOf = (serverId: string): string => `/v2.1/servers/${encodeURIComponent(serverId)}/os-volume_attachments`;
export const attachVolume = (id: string, serverId: string, device: string): Promise<unknown> =>
  api('compute', attachmentsOf(serverId), { method: 'POST', body: { volumeAttachment: { volumeId: id, ...(device !== '' && { device }) } } });
export const detachVolume = (id: string, serverId: string): Promise<unknown> =>
  api('compute', `${attachmentsOf(serverId)}/${encodeURIComponent(id)}`, { method: 'DELETE' });

type Transfer = Answer<'cinder.transfer.create'>['transfer'];
const TRANSFERS = '/v3/volume-transfers';
export const transfersQuery = queryOptions({
  queryKey: ['transfers'],
  queryFn: ({ signal }) => allOf<'cinder.transfer.list-detail'>('volume', `${TRANSFERS}/detail`, 'transfers', signal),
});
export const offerVolume = async (volumeId: string, name: string): Promise<Transfer> =>
  (await api<'cinder.transfer.create'>('volume', TRANSFERS, { method: 'POST', body: { transfer: { volume_id: volumeId, name } } })).transfer;
export const acceptVolume = (transferId: string, authKey: string): Promise<unknown> =>
  api('volume', `${TRANSFERS}/${encodeURIComponent(transferId)}/accept`, { method: 'POST', body: { accept: { auth_key: authKey } } });
export const withdrawTransfer = (transferId: string): Promise<unknown> => api('volume', `${TRANSFERS}/${encodeURIComponent(transferId)}`, { method: 'DELETE' });
