import { queryOptions } from '@tanstack/react-query';
import { allOf, api, type Row } from '../api/client.ts';

export type Snapshot = Row<'cinder.snapshot.list-detail'>;

const SNAPSHOTS = '/v3/snapshots';

export const snapshotsQuery = queryOptions({
  queryKey: ['snapshots'],
  queryFn: ({ signal }) => allOf<'cinder.snapshot.list-detail'>('volume', `${SNAPSHOTS}/detail`, 'snapshots', signal),
});

export const createSnapshot = (snapshot: Readonly<Record<string, unknown>>): Promise<unknown> =>
  api('volume', SNAPSHOTS, { method: 'POST', body: { snapshot } });
export const updateSnapshot = (id: string, snapshot: Readonly<Record<string, unknown>>): Promise<unknown> =>
  api('volume', `${SNAPSHOTS}/${encodeURIComponent(id)}`, { method: 'PUT', body: { snapshot } });
export const setSnapshotMetadata = (id: string, metadata: Readonly<Record<string, string>>): Promise<unknown> =>
  api('volume', `${SNAPSHOTS}/${encodeURIComponent(id)}/metadata`, { method: 'PUT', body: { metadata } });
export const deleteSnapshot = (id: string): Promise<unknown> => api('volume', `${SNAPSHOTS}/${encodeURIComponent(id)}`, { method: 'DELETE' });
