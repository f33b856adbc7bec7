import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { ListPage } from '../parts/list-page.tsx';
import { PageLink } from '../parts/page-link.tsx';
import type { Column } from '../parts/resource-table.tsx';
import { Status } from '../parts/status.tsx';
import { CreateNetwork } from './forms.tsx';
import { useKeptFrom } from './owner.ts';
import { called, type Network, networksQuery, subnetsQuery } from './queries.ts';
import { remove } from './write.ts';

/** The networks that the project has or may use. */
export function NetworksPage() {
  const { t } = useTranslation();
  const keptFrom = useKeptFrom();
  const subnets = useQuery(subnetsQuery);
  const columns = useMemo<readonly Column<Network>[]>(() => {
    const ranges = Map.groupBy(subnets.data ?? [], ({ network_id }) => network_id);
    const yesNo = (value: boolean): string => (value ? t('yes') : t('no'));
    return [
      { id: 'name', header: t('fields.name'), value: called, cell: (row) => <PageLink to={`/networks/${row.id}`}>{called(row)}</PageLink> },
      { id: 'status', header: t('fields.status'), value: ({ status }) => status, cell: ({ status }) => <Status status={status} /> },
      { id: 'subnets', header: t('fields.subnets'), value: ({ id }) => (ranges.get(id) ?? []).map(({ cidr }) => cidr).join(', ') },
      { id: 'external', header: t('fields.external'), value: (network) => yesNo(network['router:external']) },
      { id: 'shared', header: t('fields.shared'), value: ({ shared }) => yesNo(shared) },
      { id: 'mtu', header: t('fields.mtu'), value: ({ mtu }) => mtu, shown: false },
      { id: 'description', header: t('fields.description'), value: ({ description }) => description, shown: false },
      { id: 'tags', header: t('networks.tags'), value: ({ tags = [] }) => tags.join(', '), shown: false },
      { id: 'project', header: t('session.project'), value: ({ project_id }) => project_id, shown: false },
      { id: 'id', header: t('fields.id'), value: ({ id }) => id, shown: false },
    ];
  }, [t, subnets.data]);
  return (
    <ListPage
      name="networks"
      title={t('pages.networks')}
      query={networksQuery}
      columns={columns}
      keyOf={({ id }) => id}
      labelOf={called}
      kept={keptFrom}
      remove={(id) => remove('networks', id)}
      empty={{ title: t('networks.empty'), text: t('networks.emptyText') }}
      create={{ label: t('networks.create'), form: (close) => <CreateNetwork close={close} /> }}
    />
  );
}
