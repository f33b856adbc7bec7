import { queryOptions } from '@tanstack/react-query';
import { allOf, api } from '../api/client.ts';

export interface Snapshot {
  readonly id: string;
  readonly name: string | null;
  readonly description: string | null;
  readonly status: string;
  readonly volume_id: string;
  /** GiB, of the volume when it was taken. */
  readonly size: number;
  readonly metadata: Readonly<Record<string, string>>;
  readonly created_at: string;
}

const SNAPSHOTS = '/v3/snapshots';

export const snapshotsQuery = queryOptions({
  queryKey: ['snapshots'],
  queryFn: ({ signal }) => allOf<Snapshot>('volume', `${SNAPSHOTS}/detail`, 'snapshots', signal),
});

export const createSnapshot = (snapshot: Readonly<Record<string, unknown>>): Promise<unknown> =>
  api('volume', SNAPSHOTS, { method: 'POST', body: { snapshot } });
export const updateSnapshot = (id: string, snapshot: Readonly<Record<string, unknown>>): Promise<unknown> =>
  api('volume', `${SNAPSHOTS}/${encodeURIComponent(id)}`, { method: 'PUT', body: { snapshot } });
export const setSnapshotMetadata = (id: string, metadata: Readonly<Record<string, string>>): Promise<unknown> =>
  api('volume', `${SNAPSHOTS}/${encodeURIComponent(id)}/metadata`, { method: 'PUT', body: { metadata } });
export const deleteSnapshot = (id: string): Promise<unknown> => api('volume', `${SNAPSHOTS}/${encodeURIComponent(id)}`, { method: 'DELETE' });
