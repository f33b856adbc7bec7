import { queryOptions } from '@tanstack/react-query';
import { allOf, api } from '../api/client.ts';

export interface Backup {
  readonly id: string;
  readonly name: string | null;
  readonly description: string | null;
  readonly status: string;
  readonly volume_id: string;
  readonly snapshot_id: string | null;
  /** GiB, of the volume. */
  readonly size: number;
  readonly is_incremental: boolean;
  readonly has_dependent_backups: boolean;
  readonly fail_reason: string | null;
  readonly created_at: string;
}

const BACKUPS = '/v3/backups';

export const backupsQuery = queryOptions({
  queryKey: ['backups'],
  queryFn: ({ signal }) => allOf<Backup>('volume', `${BACKUPS}/detail`, 'backups', signal),
});

export const createBackup = (backup: Readonly<Record<string, unknown>>): Promise<unknown> => api('volume', BACKUPS, { method: 'POST', body: { backup } });
export const updateBackup = (id: string, backup: Readonly<Record<string, unknown>>): Promise<unknown> =>
  api('volume', `${BACKUPS}/${encodeURIComponent(id)}`, { method: 'PUT', body: { backup } });
export const restoreBackup = (id: string, restore: Readonly<Record<string, unknown>>): Promise<unknown> =>
  api('volume', `${BACKUPS}/${encodeURIComponent(id)}/restore`, { method: 'POST', body: { restore } });
export const deleteBackup = (id: string): Promise<unknown> => api('volume', `${BACKUPS}/${encodeURIComponent(id)}`, { method: 'DELETE' });
