import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import Header from '@cloudscape-design/components/header';
import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { type Column, ResourceTable } from '../parts/resource-table.tsx';
import { Time } from '../parts/time.tsx';
import { type Agent, agentsQuery, type ComputeService, servicesQuery, type VolumeService, volumeServicesQuery } from './queries.ts';

/** The services of compute and volumes and the agents of networks: are they there, and in use? */
export function HealthPage() {
  const { t } = useTranslation();
  const [compute, volume, network] = [useQuery(servicesQuery), useQuery(volumeServicesQuery), useQuery(agentsQuery)];
  const serviceColumns = useMemo<readonly Column<ComputeService | VolumeService>[]>(
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
  const agentColumns = useMemo<readonly Column<Agent>[]>(
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
  const empty = { title: t('admin.noServices'), text: t('admin.servicesHelp') };
  const keyOf = ({ binary, host }: ComputeService | VolumeService): string => `${binary} ${host}`;
  return (
    <SpaceBetween size="l">
      <Header variant="h1" description={t('admin.servicesHelp')}>
        {t('pages.health')}
      </Header>
      <ResourceTable
        inner
        name="compute-services"
        title={t('admin.computeServices')}
        rows={compute}
        columns={serviceColumns}
        keyOf={keyOf}
        labelOf={keyOf}
        empty={empty}
      />
      <ResourceTable
        inner
        name="volume-services"
        title={t('admin.volumeServices')}
        rows={volume}
        columns={serviceColumns}
        keyOf={keyOf}
        labelOf={keyOf}
        empty={empty}
      />
      <ResourceTable
        inner
        name="agents"
        title={t('admin.agents')}
        rows={network}
        columns={agentColumns}
        keyOf={({ id }) => id}
        labelOf={({ agent_type }) => agent_type}
        empty={empty}
      />
    </SpaceBetween>
  );
}

function UpDown({ up }: { readonly up: boolean }) {
  const { t } = useTranslation();
  return <StatusIndicator type={up ? 'success' : 'error'}>{up ? t('admin.up') : t('states.down')}</StatusIndicator>;
}
