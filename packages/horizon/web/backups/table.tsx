import { useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { type Action, ActionMenu } from '../parts/action-menu.tsx';
import { FormDialog } from '../parts/form-dialog.tsx';
import type { Column } from '../parts/resource-table.tsx';
import { CopyTable, DeleteCopies, EditCopy } from '../volumes/copies.tsx';
import { volumesQuery } from '../volumes/queries.ts';
import { type Backup, backupsQuery, deleteBackup, restoreBackup, updateBackup } from './queries.ts';

const DELETABLE = new Set(['available', 'error']);

/** Backups of all volumes as a page, or of one volume as a part of its page. */
export function BackupTable({ volumeId }: { readonly volumeId?: string }) {
  const { t } = useTranslation();
  const all = useQuery(backupsQuery);
  const before = useMemo<readonly Column<Backup>[]>(
    () => [{ id: 'kind', header: t('backups.kind'), value: ({ is_incremental }) => (is_incremental ? t('backups.incremental') : t('backups.full')) }],
    [t],
  );
  const behind = useMemo<readonly Column<Backup>[]>(
    () => [{ id: 'reason', header: t('backups.failReason'), value: ({ fail_reason }) => fail_reason ?? '', shown: false }],
    [t],
  );
  return (
    <CopyTable
      name="backups"
      title={t('pages.backups')}
      empty={{ title: t('backups.empty'), text: t('backups.emptyText') }}
      all={all}
      volumeId={volumeId}
      before={before}
      behind={behind}
      actions={(selected) => <BackupActions backups={selected} />}
    />
  );
}

function BackupActions({ backups }: { readonly backups: readonly Backup[] }) {
  const { t } = useTranslation();
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
        <EditCopy copy={only} send={(changes) => updateBackup(only.id, changes)} touches={backupsQuery.queryKey} close={close} />
      )}
      {asked === 'delete' && <DeleteCopies copies={backups} remove={deleteBackup} touches={backupsQuery.queryKey} close={close} />}
    </>
  );
}
