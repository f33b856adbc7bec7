import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import ColumnLayout from '@cloudscape-design/components/column-layout';
import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import ProgressBar from '@cloudscape-design/components/progress-bar';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { type UseQueryResult, useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useLive } from '../live/live.tsx';
import type { Change } from '../live/stream.ts';
import { PageLink } from '../parts/page-link.tsx';
import { Status } from '../parts/status.tsx';
import { Time } from '../parts/time.tsx';
import { Waiting } from '../parts/waiting.tsx';
import { useServers } from '../servers/queries.ts';
import { useSession } from '../session/session.ts';
import { computeUsageQuery, networkUsageQuery, volumeUsageQuery } from './queries.ts';
import { byState, percentOf, type Usage } from './usage.ts';

/** The page after signing in: how much there is, how much there may be, and what happened last. */
export function OverviewPage() {
  const { t } = useTranslation();
  const { session } = useSession();
  return (
    <SpaceBetween size="l">
      <Header variant="h1" description={t('overview.help')}>
        {t('pages.overview')}
      </Header>
      {session.project === null ? <Alert type="info">{t('overview.noProject')}</Alert> : <ProjectOverview projectId={session.project.id} />}
      <Container header={<Header variant="h2">{t('overview.next')}</Header>}>
        <SpaceBetween size="l" direction="horizontal">
          <PageLink to="/servers/new">{t('servers.launch')}</PageLink>
          <PageLink to="/networks">{t('pages.networks')}</PageLink>
          <PageLink to="/volumes">{t('pages.volumes')}</PageLink>
          <PageLink to="/images">{t('pages.images')}</PageLink>
          <PageLink to="/api-access">{t('pages.api-access')}</PageLink>
        </SpaceBetween>
      </Container>
    </SpaceBetween>
  );
}

function ProjectOverview({ projectId }: { readonly projectId: string }) {
  const { t } = useTranslation();
  const [compute, volume, network] = [useQuery(computeUsageQuery), useQuery(volumeUsageQuery), useQuery(networkUsageQuery(projectId))];
  return (
    <>
      <Container
        header={
          <Header variant="h2" description={t('overview.usageHelp')}>
            {t('overview.usage')}
          </Header>
        }
      >
        <ColumnLayout columns={3} minColumnWidth={220} variant="text-grid">
          <Usages title={t('sections.compute')} found={compute} nameOf={(id) => t(`overview.quotas.${id}`)} />
          <Usages title={t('sections.network')} found={network} nameOf={(id) => t(`overview.quotas.${id}`)} />
          <Usages title={t('sections.storage')} found={volume} nameOf={(id) => t(`overview.quotas.${id}`)} />
        </ColumnLayout>
      </Container>
      <Servers />
      <Events />
    </>
  );
}

interface UsagesProps<T extends Usage> {
  readonly title: string;
  readonly found: UseQueryResult<readonly T[]>;
  readonly nameOf: (id: T['id']) => string;
}

function Usages<T extends Usage>({ title, found, nameOf }: UsagesProps<T>) {
  const { t } = useTranslation();
  return (
    <SpaceBetween size="s">
      <Box variant="h3">{title}</Box>
      {found.error !== null && <Alert type="error">{found.error.message}</Alert>}
      {found.isPending && <Waiting />}
      {(found.data ?? []).map((usage) =>
        usage.limit === undefined ? (
          <Box key={usage.id}>
            <Box variant="awsui-key-label">{nameOf(usage.id)}</Box>
            {t('overview.unlimited', { used: usage.used })}
          </Box>
        ) : (
          <ProgressBar
            key={usage.id}
            label={nameOf(usage.id)}
            value={percentOf(usage)}
            additionalInfo={t('overview.of', { used: usage.used, limit: usage.limit })}
          />
        ),
      )}
    </SpaceBetween>
  );
}

function Servers() {
  const { t } = useTranslation();
  const servers = useServers();
  const states = byState(servers.data ?? []);
  return (
    <Container header={<Header variant="h2">{t('overview.servers')}</Header>}>
      {servers.error !== null && <Alert type="error">{servers.error.message}</Alert>}
      {servers.isPending && <Waiting />}
      {servers.data?.length === 0 && <Box color="text-body-secondary">{t('servers.empty')}</Box>}
      <SpaceBetween size="xl" direction="horizontal">
        {states.map(([status, count]) => (
          <div key={status} data-state={status}>
            <Box variant="h1" tagOverride="p">
              <PageLink to="/servers">{String(count)}</PageLink>
            </Box>
            <Status status={status} />
          </div>
        ))}
      </SpaceBetween>
    </Container>
  );
}

const SHOWN = 12;

function Events() {
  const { t } = useTranslation();
  const live = useLive();
  const [changes, setChanges] = useState<readonly Change[]>([]);
  useEffect(() => {
    const show = (): void => setChanges(live.recent().slice(-SHOWN).toReversed());
    show();
    return live.subscribe(show);
  }, [live]);
  return (
    <Container
      header={
        <Header variant="h2" description={t(`live.${live.state}`)}>
          {t('overview.events')}
        </Header>
      }
    >
      {changes.length === 0 ? <Box color="text-body-secondary">{t('overview.noEvents')}</Box> : <EventTable changes={changes} />}
    </Container>
  );
}

/** Without Cloudscape's table, which is heavier than the rest of this page and more than twelve lines need. */
function EventTable({ changes }: { readonly changes: readonly Change[] }) {
  const { t } = useTranslation();
  return (
    <div className="plain-table">
      <table aria-label={t('overview.events')}>
        <thead>
          <tr>
            {[t('fields.started'), t('fields.action'), t('fields.id'), t('fields.request')].map((header) => (
              <th key={header} scope="col">
                {header}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {changes.map(({ seq, at, type, resource, id, request_id }) => (
            <tr key={seq}>
              <td>
                <Time at={at} />
              </td>
              <th scope="row">{type}</th>
              <td>{resource === 'server' ? <PageLink to={`/servers/${encodeURIComponent(id)}`}>{id}</PageLink> : `${resource} ${id}`}</td>
              <td>{request_id ?? ''}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
