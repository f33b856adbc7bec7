import { queryOptions } from '@tanstack/react-query';
import { allOf, api, type Row } from '../api/client.ts';

export type Backup = Row<'cinder.backup.list-detail'>;

const BACKUPS = '/v3/backups';

export const backupsQuery = queryOptions({
  queryKey: ['backups'],
  queryFn: ({ signal }) => allOf<'cinder.backup.list-detail'>('volume', `${BACKUPS}/detail`, 'backups', signal),
});

export const createBackup = (backup: Readonly<Record<string, unknown>>): Promise<unknown> => api('volume', BACKUPS, { method: 'POST', body: { backup } });
export const updateBackup = (id: string, backup: Readonly<Record<string, unknown>>): Promise<unknown> =>
  api('volume', `${BACKUPS}/${encodeURIComponent(id)}`, { method: 'PUT', body: { backup } });
export const restoreBackup = (id: string, restore: Readonly<Record<string, unknown>>): Promise<unknown> =>
  api('volume', `${BACKUPS}/${encodeURIComponent(id)}/restore`, { method: 'POST', body: { restore } });
export const deleteBackup = (id: string): Promise<unknown> => api('volume', `${BACKUPS}/${encodeURIComponent(id)}`, { method: 'DELETE' });
