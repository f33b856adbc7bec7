import { useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { type Action, ActionMenu } from '../parts/action-menu.tsx';
import type { Column } from '../parts/resource-table.tsx';
import { CopyTable, DeleteCopies, EditCopy } from '../volumes/copies.tsx';
import { CreateVolume } from '../volumes/create.tsx';
import { deleteSnapshot, setSnapshotMetadata, type Snapshot, snapshotsQuery, updateSnapshot } from './queries.ts';

const DELETABLE = new Set(['available', 'error', 'error_deleting']);

/** Snapshots of all volumes as a page, or of one volume as a part of its page. */
export function SnapshotTable({ volumeId }: { readonly volumeId?: string }) {
  const { t } = useTranslation();
  const all = useQuery(snapshotsQuery);
  const behind = useMemo<readonly Column<Snapshot>[]>(
    () => [{ id: 'description', header: t('fields.description'), value: ({ description }) => description ?? '' }],
    [t],
  );
  return (
    <CopyTable
      name="snapshots"
      title={t('pages.snapshots')}
      empty={{ title: t('snapshots.empty'), text: t('snapshots.emptyText') }}
      all={all}
      volumeId={volumeId}
      behind={behind}
      actions={(selected) => <SnapshotActions snapshots={selected} />}
    />
  );
}

function SnapshotActions({ snapshots }: { readonly snapshots: readonly Snapshot[] }) {
  const { t } = useTranslation();
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
        <EditCopy
          copy={only}
          metadata={only.metadata}
          send={async ({ metadata, ...words }) => {
            if (Object.keys(words).length > 0) await updateSnapshot(only.id, words);
            if (metadata !== undefined) await setSnapshotMetadata(only.id, metadata as Snapshot['metadata']);
          }}
          touches={snapshotsQuery.queryKey}
          close={close}
        />
      )}
      {asked === 'delete' && <DeleteCopies copies={snapshots} remove={deleteSnapshot} touches={snapshotsQuery.queryKey} close={close} />}
    </>
  );
}
