import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import Header from '@cloudscape-design/components/header';
import { type UseQueryResult, useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import type { Row } from '../api/client.ts';
import { type Column, ResourceTable } from '../parts/resource-table.tsx';
import { Time } from '../parts/time.tsx';
import { agentsQuery, type CloudService, servicesQuery, volumeServicesQuery } from './queries.ts';

/** The services of compute and volumes and the agents of networks: are they there, and in use? */
export function HealthPage() {
  const { t } = useTranslation();
  const [compute, volume, network] = [useQuery(servicesQuery), useQuery(volumeServicesQuery), useQuery(agentsQuery)];
  const agentColumns = useMemo<readonly Column<Row<'neutron.agent.list'>>[]>(
    () => [
      { id: 'type', header: t('fields.name'), value: ({ agent_type }) => agent_type },
      { id: 'host', header: t('fields.host'), value: ({ host }) => host },
      { id: 'zone', header: t('fields.zone'), value: ({ availability_zone }) => availability_zone ?? '' },
      { id: 'state', header: t('fields.status'), value: ({ alive }) => (alive ? 'up' : 'down'), cell: ({ alive }) => <UpDown up={alive} /> },
      { id: 'status', header: t('admin.use'), value: ({ admin_state_up }) => (admin_state_up ? t('admin.inUse') : t('identity.isOut')) },
      {
        id: 'seen',
        header: t('admin.seen'),
        value: ({ heartbeat_timestamp }) => heartbeat_timestamp,
        cell: ({ heartbeat_timestamp }) => <Time at={heartbeat_timestamp} />,
      },
    ],
    [t],
  );
  return (
    <SpaceBetween size="l">
      <Header variant="h1" description={t('admin.servicesHelp')}>
        {t('pages.health')}
      </Header>
      <ServiceTable name="compute-services" title={t('admin.computeServices')} rows={compute} />
      <ServiceTable name="volume-services" title={t('admin.volumeServices')} rows={volume} />
      <ResourceTable
        inner
        name="agents"
        title={t('admin.agents')}
        rows={network}
        columns={agentColumns}
        keyOf={({ id }) => id}
        labelOf={({ agent_type }) => agent_type}
        empty={{ title: t('admin.noServices'), text: t('admin.servicesHelp') }}
      />
    </SpaceBetween>
  );
}

/** The processes of one service, each with its host. */
function ServiceTable({ name, title, rows }: { readonly name: string; readonly title: string; readonly rows: UseQueryResult<readonly CloudService[]> }) {
  const { t } = useTranslation();
  const columns = useMemo<readonly Column<CloudService>[]>(
    () => [
      { id: 'binary', header: t('fields.name'), value: ({ binary }) => binary },
      { id: 'host', header: t('fields.host'), value: ({ host }) => host },
      { id: 'zone', header: t('fields.zone'), value: ({ zone }) => zone },
      { id: 'state', header: t('fields.status'), value: ({ state }) => state, cell: ({ state }) => <UpDown up={state === 'up'} /> },
      { id: 'status', header: t('admin.use'), value: ({ status }) => (status === 'enabled' ? t('admin.inUse') : t('identity.isOut')) },
      { id: 'reason', header: t('admin.reason'), value: ({ disabled_reason }) => disabled_reason ?? '' },
      { id: 'seen', header: t('admin.seen'), value: ({ updated_at }) => updated_at ?? '', cell: ({ updated_at }) => <Time at={updated_at} /> },
    ],
    [t],
  );
  const keyOf = ({ binary, host }: CloudService): string => `${binary} ${host}`;
  return (
    <ResourceTable
      inner
      name={name}
      title={title}
      rows={rows}
      columns={columns}
      keyOf={keyOf}
      labelOf={keyOf}
      empty={{ title: t('admin.noServices'), text: t('admin.servicesHelp') }}
    />
  );
}

function UpDown({ up }: { readonly up: boolean }) {
  const { t } = useTranslation();
  return <StatusIndicator type={up ? 'success' : 'error'}>{up ? t('admin.up') : t('states.down')}</StatusIndicator>;
}
