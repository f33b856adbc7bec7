import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { ObjectLink } from '../networks/object-link.tsx';
import { useKeptFrom } from '../networks/owner.ts';
import { called, networksQuery, type Router, routersQuery } from '../networks/queries.ts';
import { remove } from '../networks/write.ts';
import { ListPage } from '../parts/list-page.tsx';
import { PageLink } from '../parts/page-link.tsx';
import type { Column } from '../parts/resource-table.tsx';
import { Status } from '../parts/status.tsx';
import { CreateRouter } from './forms.tsx';

/** The project's routers. */
export function RoutersPage() {
  const { t } = useTranslation();
  const keptFrom = useKeptFrom();
  const networks = useQuery(networksQuery);
  const columns = useMemo<readonly Column<Router>[]>(
    () => [
      { id: 'name', header: t('fields.name'), value: called, cell: (row) => <PageLink to={`/routers/${row.id}`}>{called(row)}</PageLink> },
      { id: 'status', header: t('fields.status'), value: ({ status }) => status, cell: ({ status }) => <Status status={status} /> },
      {
        id: 'gateway',
        header: t('routers.gateway'),
        value: ({ external_gateway_info: gateway }) =>
          gateway === null ? '' : called(networks.data?.find(({ id }) => id === gateway.network_id) ?? { id: gateway.network_id }),
        cell: ({ external_gateway_info: gateway }) => <ObjectLink page="/networks" id={gateway?.network_id ?? null} among={networks.data} />,
      },
      {
        id: 'address',
        header: t('routers.outerAddress'),
        value: ({ external_gateway_info: gateway }) => (gateway?.external_fixed_ips ?? []).map(({ ip_address }) => ip_address).join(', ') || '-',
      },
      { id: 'up', header: t('net.up'), value: ({ admin_state_up }) => (admin_state_up ? t('yes') : t('no')), shown: false },
      { id: 'description', header: t('fields.description'), value: ({ description }) => description, shown: false },
      { id: 'tags', header: t('networks.tags'), value: ({ tags = [] }) => tags.join(', '), shown: false },
      { id: 'project', header: t('session.project'), value: ({ project_id }) => project_id, shown: false },
      { id: 'id', header: t('fields.id'), value: ({ id }) => id, shown: false },
    ],
    [t, networks.data],
  );
  return (
    <ListPage
      name="routers"
      title={t('pages.routers')}
      query={routersQuery}
      columns={columns}
      keyOf={({ id }) => id}
      labelOf={called}
      kept={keptFrom}
      remove={(id) => remove('routers', id)}
      empty={{ title: t('routers.empty'), text: t('routers.emptyText') }}
      create={{ label: t('routers.create'), form: (close) => <CreateRouter close={close} /> }}
    />
  );
}
