import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import ContentLayout from '@cloudscape-design/components/content-layout';
import Header from '@cloudscape-design/components/header';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table from '@cloudscape-design/components/table';
import Tabs from '@cloudscape-design/components/tabs';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { lazy, Suspense } from 'react';
import { useTranslation } from 'react-i18next';
import { PageLink } from '../parts/page-link.tsx';
import { Status } from '../parts/status.tsx';
import { Time } from '../parts/time.tsx';
import { Waiting } from '../parts/waiting.tsx';
import { useSession } from '../session/session.ts';
import { ServerActions } from './action-menu.tsx';
import { FlowTab } from './flow.tsx';
import { act, actionsQuery, addressesOf, type Server, serverQuery } from './queries.ts';

/** Views that are loaded when they are opened first. */
const LAZY = {
  interfaces: lazy(async () => ({ default: (await import('./device-tabs.tsx')).InterfacesTab })),
  volumes: lazy(async () => ({ default: (await import('./device-tabs.tsx')).VolumesTab })),
  metrics: lazy(async () => ({ default: (await import('./metrics.tsx')).MetricsTab })),
  migrations: lazy(async () => ({ default: (await import('./migrations.tsx')).MigrationsTab })),
  display: lazy(async () => ({ default: (await import('./console/display.tsx')).DisplayConsole })),
  serial: lazy(async () => ({ default: (await import('./console/serial.tsx')).SerialConsole })),
} as const;

/** One server: what it is, what was done to it and how, and what its console said. */
export function ServerPage() {
  const { t } = useTranslation();
  const { serverId } = useParams({ from: '/servers/$serverId' });
  const { tab = 'overview' } = useSearch({ from: '/servers/$serverId' });
  const navigate = useNavigate();
  const { session } = useSession();
  const { data: server, error } = useQuery(serverQuery(serverId));
  if (error !== null)
    return (
      <Alert type="error" header={t('servers.notShown')}>
        {error.message}
      </Alert>
    );
  if (server === undefined) return <Waiting />;
  const mayMove = session.roles.some((role) => role === 'admin' || role === 'manager');
  const lazily = (id: keyof typeof LAZY, label: string) => {
    const View = LAZY[id];
    return {
      id,
      label,
      content: (
        <Suspense fallback={<Waiting />}>
          <View server={server} />
        </Suspense>
      ),
    };
  };
  return (
    <ContentLayout
      header={
        <Header
          variant="h1"
          info={<Status status={server.status} task={server['OS-EXT-STS:task_state']} />}
          actions={<ServerActions servers={[server]} onDeleted={() => void navigate({ to: '/servers' })} />}
        >
          {server.name}
        </Header>
      }
    >
      <SpaceBetween size="m">
        {server.fault !== undefined && (
          <Alert type="error" header={t('servers.fault')}>
            {server.fault.message}
          </Alert>
        )}
        <Tabs
          activeTabId={tab}
          onChange={({ detail }) => void navigate({ to: '/servers/$serverId', params: { serverId }, search: { tab: detail.activeTabId }, replace: true })}
          ariaLabel={t('servers.tabs')}
          tabs={[
            { id: 'overview', label: t('servers.overview'), content: <Overview server={server} /> },
            lazily('interfaces', t('servers.interfaces')),
            lazily('volumes', t('pages.volumes')),
            lazily('metrics', t('servers.metrics')),
            { id: 'flow', label: t('servers.flow'), content: <FlowTab serverId={server.id} busy={server['OS-EXT-STS:task_state'] !== null} /> },
            { id: 'actions', label: t('servers.actions'), content: <ActionsLog serverId={server.id} /> },
            ...(mayMove ? [lazily('migrations', t('servers.migrations'))] : []),
            { id: 'log', label: t('servers.log'), content: <ConsoleLog serverId={server.id} /> },
            lazily('display', t('console.display')),
            lazily('serial', t('console.serialLine')),
          ]}
        />
      </SpaceBetween>
    </ContentLayout>
  );
}

function Overview({ server }: { readonly server: Server }) {
  const { t } = useTranslation();
  const { flavor } = server;
  const volumes = server['os-extended-volumes:volumes_attached'];
  return (
    <Container header={<Header variant="h2">{t('servers.overview')}</Header>}>
      <KeyValuePairs
        columns={3}
        items={[
          { label: t('fields.id'), value: <Box variant="code">{server.id}</Box> },
          { label: t('fields.addresses'), value: addressesOf(server).join(', ') || '-' },
          { label: t('fields.flavor'), value: t('flavor', { name: flavor.original_name, vcpus: flavor.vcpus, ram: flavor.ram, disk: flavor.disk }) },
          { label: t('fields.image'), value: server.image ? <Box variant="code">{server.image.id}</Box> : t('servers.fromVolume') },
          { label: t('fields.key'), value: server.key_name ?? '-' },
          { label: t('fields.securityGroups'), value: (server.security_groups ?? []).map(({ name }) => name).join(', ') || '-' },
          { label: t('fields.zone'), value: server['OS-EXT-AZ:availability_zone'] || '-' },
          ...(server['OS-EXT-SRV-ATTR:host'] ? [{ label: t('fields.host'), value: server['OS-EXT-SRV-ATTR:host'] }] : []),
          {
            label: t('pages.volumes'),
            value:
              volumes.length === 0
                ? '-'
                : volumes.map(({ id }) => (
                    <div key={id}>
                      <PageLink to="/volumes">{id}</PageLink>
                    </div>
                  )),
          },
          { label: t('actions.tags'), value: (server.tags ?? []).join(', ') || '-' },
          { label: t('servers.locked'), value: server.locked ? server.locked_reason || t('yes') : t('no') },
          { label: t('fields.created'), value: <Time at={server.created} /> },
          { label: t('fields.updated'), value: <Time at={server.updated} /> },
          { label: t('fields.description'), value: server.description || '-' },
          {
            label: t('fields.metadata'),
            value:
              Object.entries(server.metadata)
                .map(([key, value]) => `${key}=${value}`)
                .join(', ') || '-',
          },
        ]}
      />
    </Container>
  );
}

function ActionsLog({ serverId }: { readonly serverId: string }) {
  const { t, i18n } = useTranslation();
  const { data = [], isPending } = useQuery(actionsQuery(serverId));
  return (
    <Table
      items={[...data]}
      loading={isPending}
      loadingText={t('loading')}
      trackBy="request_id"
      enableKeyboardNavigation
      ariaLabels={{ tableLabel: t('servers.actions') }}
      columnDefinitions={[
        {
          id: 'action',
          header: t('fields.action'),
          cell: ({ action }) => (i18n.exists(`instanceActions.${action}`) ? t(`instanceActions.${action}` as 'instanceActions.create') : action),
          isRowHeader: true,
        },
        { id: 'start', header: t('fields.started'), cell: ({ start_time }) => <Time at={start_time} /> },
        { id: 'updated', header: t('fields.updated'), cell: ({ updated_at }) => <Time at={updated_at} /> },
        { id: 'message', header: t('fields.result'), cell: ({ message }) => message ?? '-' },
        { id: 'request', header: t('fields.request'), cell: ({ request_id }) => <Box variant="code">{request_id}</Box> },
      ]}
    />
  );
}

/** The end of the guest's console, as text: whatever a guest writes there, it stays text. */
function ConsoleLog({ serverId }: { readonly serverId: string }) {
  const { t } = useTranslation();
  const { data, error, isFetching, refetch } = useQuery({
    queryKey: ['console-log', serverId],
    queryFn: async () => (await act<'nova.server.console_output'>(serverId, { 'os-getConsoleOutput': { length: 1000 } })).output,
    staleTime: 0,
  });
  return (
    <Container
      header={
        <Header
          variant="h2"
          actions={
            <Button iconName="refresh" onClick={() => void refetch()} loading={isFetching}>
              {t('refresh')}
            </Button>
          }
        >
          {t('servers.log')}
        </Header>
      }
    >
      {error !== null ? (
        <Alert type="warning">{error.message}</Alert>
      ) : data === undefined ? (
        <Waiting />
      ) : data === '' ? (
        <Box color="text-body-secondary">{t('servers.logEmpty')}</Box>
      ) : (
        <pre className="text console-log" tabIndex={0} aria-label={t('servers.log')}>
          {data}
        </pre>
      )}
    </Container>
  );
}
