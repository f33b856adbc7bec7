import { queryOptions, useQuery } from '@tanstack/react-query';
import { allOf, api } from '../api/client.ts';
import type { VolumeFacts } from './actions.ts';

/** A volume as block storage's microversion 3.70 shows it; the parts that the console uses. */
export interface Volume extends VolumeFacts {
  readonly id: string;
  readonly name: string | null;
  readonly description: string | null;
  /** GiB. */
  readonly size: number;
  readonly volume_type: string | null;
  /** `true` or `false`, as text. */
  readonly bootable: string;
  readonly encrypted: boolean;
  readonly availability_zone: string | null;
  readonly snapshot_id: string | null;
  readonly source_volid: string | null;
  readonly group_id: string | null;
  readonly metadata: Readonly<Record<string, string>>;
  readonly volume_image_metadata?: Readonly<Record<string, string>>;
  readonly 'os-vol-host-attr:host'?: string | null;
  readonly created_at: string;
  readonly updated_at: string | null;
}

export interface VolumeType {
  readonly id: string;
  readonly name: string;
  readonly description: string | null;
  readonly is_public: boolean;
}

const VOLUMES = '/v3/volumes';
const pathOf = (id: string): string => `${VOLUMES}/${encodeURIComponent(id)}`;

export const volumesQuery = queryOptions({
  queryKey: ['volumes'],
  queryFn: ({ signal }) => allOf<Volume>('volume', `${VOLUMES}/detail`, 'volumes', signal),
});

export const volumeQuery = (id: string) =>
  queryOptions({
    queryKey: ['volume', id],
    queryFn: async ({ signal }) => (await api<{ volume: Volume }>('volume', pathOf(id), { signal })).volume,
  });

const volumeTypesQuery = queryOptions({
  queryKey: ['volume-types'],
  queryFn: async ({ signal }) => (await api<{ volume_types: VolumeType[] }>('volume', '/v3/types', { signal })).volume_types,
});
export const useVolumeTypes = (): readonly VolumeType[] => useQuery(volumeTypesQuery).data ?? [];

/** What has to be asked for anew after something was done with a volume. */
export const volumeKeys = (id: string): readonly (readonly unknown[])[] => [['volumes'], ['volume', id], ['snapshots'], ['backups'], ['quota', 'volume']];

export const createVolume = (volume: Readonly<Record<string, unknown>>): Promise<unknown> => api('volume', VOLUMES, { method: 'POST', body: { volume } });
export const updateVolume = (id: string, volume: Readonly<Record<string, unknown>>): Promise<unknown> =>
  api('volume', pathOf(id), { method: 'PUT', body: { volume } });
export const deleteVolume = (id: string): Promise<unknown> => api('volume', pathOf(id), { method: 'DELETE' });
/** One action of a volume: `{ 'os-extend': { new_size: 3 } }`. */
export const actOnVolume = <T = unknown>(id: string, body: Readonly<Record<string, unknown>>): Promise<T> =>
  api<T>('volume', `${pathOf(id)}/action`, { method: 'POST', body });

const attachmentsOf = (serverId: string): string => `/v2.1/servers/${encodeURIComponent(serverId)}/os-volume_attachments`;
export const attachVolume = (id: string, serverId: string, device: string): Promise<unknown> =>
  api('compute', attachmentsOf(serverId), { method: 'POST', body: { volumeAttachment: { volumeId: id, ...(device !== '' && { device }) } } });
export const detachVolume = (id: string, serverId: string): Promise<unknown> =>
  api('compute', `${attachmentsOf(serverId)}/${encodeURIComponent(id)}`, { method: 'DELETE' });

interface Transfer {
  readonly id: string;
  readonly name: string | null;
  readonly volume_id: string;
  readonly created_at: string;
  /** Told once, when it is made. */
  readonly auth_key?: string;
}
const TRANSFERS = '/v3/volume-transfers';
export const transfersQuery = queryOptions({
  queryKey: ['transfers'],
  queryFn: ({ signal }) => allOf<Transfer>('volume', `${TRANSFERS}/detail`, 'transfers', signal),
});
export const offerVolume = async (volumeId: string, name: string): Promise<Transfer> =>
  (await api<{ transfer: Transfer }>('volume', TRANSFERS, { method: 'POST', body: { transfer: { volume_id: volumeId, name } } })).transfer;
export const acceptVolume = (transferId: string, authKey: string): Promise<unknown> =>
  api('volume', `${TRANSFERS}/${encodeURIComponent(transferId)}/accept`, { method: 'POST', body: { accept: { auth_key: authKey } } });
export const withdrawTransfer = (transferId: string): Promise<unknown> => api('volume', `${TRANSFERS}/${encodeURIComponent(transferId)}`, { method: 'DELETE' });
