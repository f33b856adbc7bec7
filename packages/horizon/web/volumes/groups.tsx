import { queryOptions } from '@tanstack/react-query';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { allOf, api } from '../api/client.ts';
import { ListPage } from '../parts/list-page.tsx';
import type { Column } from '../parts/resource-table.tsx';
import { Status } from '../parts/status.tsx';
import { Time } from '../parts/time.tsx';

interface VolumeGroup {
  readonly id: string;
  readonly name: string | null;
  readonly description: string | null;
  readonly status: string;
  readonly availability_zone: string | null;
  readonly created_at: string;
}

const volumeGroupsQuery = queryOptions({
  queryKey: ['volume-groups'],
  queryFn: ({ signal }) => allOf<VolumeGroup>('volume', '/v3/groups/detail', 'groups', signal),
});

/** Groups of volumes whose copies are taken at the same moment. */
export function VolumeGroupsPage() {
  const { t } = useTranslation();
  const columns = useMemo<readonly Column<VolumeGroup>[]>(
    () => [
      { id: 'name', header: t('fields.name'), value: ({ name, id }) => name || id },
      { id: 'status', header: t('fields.status'), value: ({ status }) => status, cell: ({ status }) => <Status status={status} /> },
      { id: 'description', header: t('fields.description'), value: ({ description }) => description ?? '' },
      { id: 'zone', header: t('fields.zone'), value: ({ availability_zone }) => availability_zone ?? '' },
      { id: 'created', header: t('fields.created'), value: ({ created_at }) => created_at, cell: ({ created_at }) => <Time at={created_at} /> },
      { id: 'id', header: t('fields.id'), value: ({ id }) => id, shown: false },
    ],
    [t],
  );
  return (
    <ListPage
      name="volume-groups"
      title={t('pages.volume-groups')}
      query={volumeGroupsQuery}
      columns={columns}
      keyOf={({ id }) => id}
      labelOf={({ name, id }) => name || id}
      remove={(id) => api('volume', `/v3/groups/${encodeURIComponent(id)}/action`, { method: 'POST', body: { delete: { 'delete-volumes': false } } })}
      empty={{ title: t('volumes.noGroups'), text: t('volumes.groupsHelp') }}
    />
  );
}
