import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { type Action, ActionMenu } from '../parts/action-menu.tsx';
import { FormDialog } from '../parts/form-dialog.tsx';
import { Bulk } from '../parts/bulk.tsx';
import { PageLink } from '../parts/page-link.tsx';
import { type Column, ResourceTable } from '../parts/resource-table.tsx';
import { Status } from '../parts/status.tsx';
import { Time } from '../parts/time.tsx';
import { volumesQuery } from '../volumes/queries.ts';
import { type Backup, backupsQuery, deleteBackup, restoreBackup, updateBackup } from './queries.ts';

const DELETABLE = new Set(['available', 'error']);

/** Backups of all volumes as a page, or of one volume as a part of its page. */
export function BackupTable({ volumeId }: { readonly volumeId?: string }) {
  const { t } = useTranslation();
  const all = useQuery(backupsQuery);
  const { data: volumes } = useQuery(volumesQuery);
  const columns = useMemo<readonly Column<Backup>[]>(
    () => [
      { id: 'name', header: t('fields.name'), value: ({ name, id }) => name || id },
      { id: 'status', header: t('fields.status'), value: ({ status }) => status, cell: ({ status }) => <Status status={status} /> },
      { id: 'size', header: t('fields.sizeGb'), value: ({ size }) => size },
      { id: 'kind', header: t('backups.kind'), value: ({ is_incremental }) => (is_incremental ? t('backups.incremental') : t('backups.full')) },
      {
        id: 'volume',
        header: t('fields.volume'),
        value: ({ volume_id }) => volumes?.find(({ id }) => id === volume_id)?.name || volume_id,
        cell: ({ volume_id }) => <PageLink to={`/volumes/${volume_id}`}>{volumes?.find(({ id }) => id === volume_id)?.name || volume_id}</PageLink>,
        shown: volumeId === undefined,
      },
      { id: 'reason', header: t('backups.failReason'), value: ({ fail_reason }) => fail_reason ?? '', shown: false },
      { id: 'created', header: t('fields.created'), value: ({ created_at }) => created_at, cell: ({ created_at }) => <Time at={created_at} /> },
      { id: 'id', header: t('fields.id'), value: ({ id }) => id, shown: false },
    ],
    [t, volumes, volumeId],
  );
  const rows = useMemo(() => (volumeId === undefined ? all : { ...all, data: all.data?.filter((backup) => backup.volume_id === volumeId) }), [all, volumeId]);
  return (
    <ResourceTable
      inner={volumeId !== undefined}
      name={volumeId === undefined ? 'backups' : 'volume-backups'}
      title={t('pages.backups')}
      rows={rows}
      columns={columns}
      keyOf={({ id }) => id}
      labelOf={({ name, id }) => name || id}
      actions={(selected) => <BackupActions backups={selected} />}
      empty={{ title: t('backups.empty'), text: t('backups.emptyText') }}
    />
  );
}

function BackupActions({ backups }: { readonly backups: readonly Backup[] }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const { data: volumes = [] } = useQuery(volumesQuery);
  const [asked, setAsked] = useState<'restore' | 'edit' | 'delete'>();
  const [only] = backups;
  const one = only === undefined ? t('actions.selectFirst') : backups.length > 1 ? t('actions.selectOne') : undefined;
  const close = (): void => setAsked(undefined);
  const undeletable = backups.some(({ has_dependent_backups: needed }) => needed)
    ? t('backups.needed')
    : backups.every(({ status }) => DELETABLE.has(status))
      ? undefined
      : t('snapshots.notReady');
  const actions: readonly Action[] = [
    {
      id: 'restore',
      text: t('backups.restore'),
      reason: one ?? (only?.status === 'available' ? undefined : t('snapshots.notReady')),
      begin: () => setAsked('restore'),
    },
    { id: 'edit', text: t('volumes.do.edit'), reason: one, begin: () => setAsked('edit') },
    { id: 'delete', text: t('delete'), reason: only === undefined ? one : undeletable, begin: () => setAsked('delete') },
  ];
  return (
    <>
      <ActionMenu actions={actions} />
      {asked === 'restore' && only !== undefined && (
        <FormDialog
          title={t('backups.restoreTitle', { name: only.name || only.id })}
          confirm={t('backups.restore')}
          close={close}
          touches={[backupsQuery.queryKey, volumesQuery.queryKey]}
          fields={{
            onto: {
              kind: 'choice',
              label: t('backups.onto'),
              required: false,
              help: t('backups.ontoHelp'),
              options: [
                { value: '', label: t('backups.newVolume') },
                ...volumes
                  .filter(({ status, size }) => status === 'available' && size >= only.size)
                  .map(({ id, name, size }) => ({ value: id, label: name || id, description: t('volumes.needsGb', { gb: size }) })),
              ],
            },
            name: { kind: 'text', label: t('fields.name'), when: ({ onto }) => onto === '' },
          }}
          send={({ onto, name }) => restoreBackup(only.id, { ...(onto !== '' && { volume_id: onto }), ...(onto === '' && name !== '' && { name }) })}
        />
      )}
      {asked === 'edit' && only !== undefined && (
        <FormDialog
          title={t('volumes.title.edit', { name: only.name || only.id })}
          confirm={t('form.save')}
          edits
          close={close}
          touches={[backupsQuery.queryKey]}
          fields={{
            name: { kind: 'text', label: t('fields.name'), initial: only.name },
            description: { kind: 'text', label: t('fields.description'), initial: only.description },
          }}
          send={(_values, changes) => updateBackup(only.id, changes)}
        />
      )}
      {asked === 'delete' && (
        <Bulk
          title={t('deleteTitle', { count: backups.length })}
          text={t('deleteText')}
          confirm={t('delete')}
          items={backups.map(({ id, name }) => ({ id, name: name || id }))}
          run={({ id }) => deleteBackup(id)}
          onEnd={() => {
            close();
            void queries.invalidateQueries({ queryKey: backupsQuery.queryKey });
          }}
        />
      )}
    </>
  );
}
