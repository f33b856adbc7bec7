import Button from '@cloudscape-design/components/button';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { PageLink } from '../parts/page-link.tsx';
import { type Column, ResourceTable } from '../parts/resource-table.tsx';
import { Status } from '../parts/status.tsx';
import { Time } from '../parts/time.tsx';
import { hrefOf, useFollow } from '../shell/links.ts';
import { ServerActions } from './action-menu.tsx';
import { addressesOf, type Server, useServers } from './queries.ts';
import { CpuLine, UsageOnScreen } from './usage.tsx';

/** The project's servers, as they are now. */
export function ServersPage() {
  const { t } = useTranslation();
  const servers = useServers();
  const columns = useMemo<readonly Column<Server>[]>(
    () => [
      { id: 'name', header: t('fields.name'), value: ({ name }) => name, cell: ({ id, name }) => <PageLink to={`/servers/${id}`}>{name}</PageLink> },
      {
        id: 'status',
        header: t('fields.status'),
        value: ({ status }) => status,
        cell: (server) => <Status status={server.status} task={server['OS-EXT-STS:task_state']} />,
      },
      { id: 'addresses', header: t('fields.addresses'), value: (server) => addressesOf(server).join(', ') },
      { id: 'flavor', header: t('fields.flavor'), value: ({ flavor }) => flavor.original_name },
      { id: 'cpu', header: t('metrics.cpu'), live: ({ id }) => <CpuLine serverId={id} /> },
      { id: 'key', header: t('fields.key'), value: ({ key_name }) => key_name ?? '', shown: false },
      { id: 'zone', header: t('fields.zone'), value: (server) => server['OS-EXT-AZ:availability_zone'], shown: false },
      { id: 'host', header: t('fields.host'), value: (server) => server['OS-EXT-SRV-ATTR:host'] ?? '', shown: false },
      { id: 'created', header: t('fields.created'), value: ({ created }) => created, cell: ({ created }) => <Time at={created} /> },
      { id: 'id', header: t('fields.id'), value: ({ id }) => id, shown: false },
    ],
    [t],
  );
  const launch = <LaunchButton />;
  return (
    <UsageOnScreen>
      <ResourceTable
        name="servers"
        title={t('pages.servers')}
        rows={servers}
        columns={columns}
        keyOf={({ id }) => id}
        labelOf={({ name }) => name}
        actions={(selected) => (
          <SpaceBetween size="xs" direction="horizontal">
            <ServerActions servers={selected} />
            {launch}
          </SpaceBetween>
        )}
        empty={{ title: t('servers.empty'), text: t('servers.emptyText'), action: launch }}
      />
    </UsageOnScreen>
  );
}

function LaunchButton() {
  const { t } = useTranslation();
  return (
    <Button variant="primary" href={hrefOf('/servers/new')} onFollow={useFollow()}>
      {t('servers.launch')}
    </Button>
  );
}
