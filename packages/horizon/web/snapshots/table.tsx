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
import { CreateVolume } from '../volumes/create.tsx';
import { volumesQuery } from '../volumes/queries.ts';
import { deleteSnapshot, setSnapshotMetadata, type Snapshot, snapshotsQuery, updateSnapshot } from './queries.ts';

const DELETABLE = new Set(['available', 'error', 'error_deleting']);

/** Snapshots of all volumes as a page, or of one volume as a part of its page. */
export function SnapshotTable({ volumeId }: { readonly volumeId?: string }) {
  const { t } = useTranslation();
  const all = useQuery(snapshotsQuery);
  const { data: volumes } = useQuery(volumesQuery);
  const columns = useMemo<readonly Column<Snapshot>[]>(
    () => [
      { id: 'name', header: t('fields.name'), value: ({ name, id }) => name || id },
      { id: 'status', header: t('fields.status'), value: ({ status }) => status, cell: ({ status }) => <Status status={status} /> },
      { id: 'size', header: t('fields.sizeGb'), value: ({ size }) => size },
      {
        id: 'volume',
        header: t('fields.volume'),
        value: ({ volume_id }) => volumes?.find(({ id }) => id === volume_id)?.name || volume_id,
        cell: ({ volume_id }) => <PageLink to={`/volumes/${volume_id}`}>{volumes?.find(({ id }) => id === volume_id)?.name || volume_id}</PageLink>,
        shown: volumeId === undefined,
      },
      { id: 'description', header: t('fields.description'), value: ({ description }) => description ?? '' },
      { id: 'created', header: t('fields.created'), value: ({ created_at }) => created_at, cell: ({ created_at }) => <Time at={created_at} /> },
      { id: 'id', header: t('fields.id'), value: ({ id }) => id, shown: false },
    ],
    [t, volumes, volumeId],
  );
  const rows = useMemo(
    () => (volumeId === undefined ? all : { ...all, data: all.data?.filter((snapshot) => snapshot.volume_id === volumeId) }),
    [all, volumeId],
  );
  return (
    <ResourceTable
      inner={volumeId !== undefined}
      name={volumeId === undefined ? 'snapshots' : 'volume-snapshots'}
      title={t('pages.snapshots')}
      rows={rows}
      columns={columns}
      keyOf={({ id }) => id}
      labelOf={({ name, id }) => name || id}
      actions={(selected) => <SnapshotActions snapshots={selected} />}
      empty={{ title: t('snapshots.empty'), text: t('snapshots.emptyText') }}
    />
  );
}

function SnapshotActions({ snapshots }: { readonly snapshots: readonly Snapshot[] }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const [asked, setAsked] = useState<'volume' | 'edit' | 'delete'>();
  const [only] = snapshots;
  const one = only === undefined ? t('actions.selectFirst') : snapshots.length > 1 ? t('actions.selectOne') : undefined;
  const close = (): void => setAsked(undefined);
  const actions: readonly Action[] = [
    {
      id: 'volume',
      text: t('volumes.create'),
      reason: one ?? (only?.status === 'available' ? undefined : t('snapshots.notReady')),
      begin: () => setAsked('volume'),
    },
    { id: 'edit', text: t('volumes.do.edit'), reason: one, begin: () => setAsked('edit') },
    {
      id: 'delete',
      text: t('delete'),
      reason: only === undefined ? one : snapshots.every(({ status }) => DELETABLE.has(status)) ? undefined : t('snapshots.notReady'),
      begin: () => setAsked('delete'),
    },
  ];
  return (
    <>
      <ActionMenu actions={actions} />
      {asked === 'volume' && only !== undefined && <CreateVolume close={close} snapshot={only} />}
      {asked === 'edit' && only !== undefined && (
        <FormDialog
          title={t('volumes.title.edit', { name: only.name || only.id })}
          confirm={t('form.save')}
          edits
          close={close}
          touches={[snapshotsQuery.queryKey]}
          fields={{
            name: { kind: 'text', label: t('fields.name'), initial: only.name },
            description: { kind: 'text', label: t('fields.description'), initial: only.description },
            metadata: { kind: 'pairs', label: t('fields.metadata'), initial: only.metadata },
          }}
          send={async (_values, { metadata, ...words }) => {
            if (Object.keys(words).length > 0) await updateSnapshot(only.id, words);
            if (metadata !== undefined) await setSnapshotMetadata(only.id, metadata);
          }}
        />
      )}
      {asked === 'delete' && (
        <Bulk
          title={t('deleteTitle', { count: snapshots.length })}
          text={t('deleteText')}
          confirm={t('delete')}
          items={snapshots.map(({ id, name }) => ({ id, name: name || id }))}
          run={({ id }) => deleteSnapshot(id)}
          onEnd={() => {
            close();
            void queries.invalidateQueries({ queryKey: snapshotsQuery.queryKey });
          }}
        />
      )}
    </>
  );
}
