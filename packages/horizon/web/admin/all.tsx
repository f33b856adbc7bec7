import { queryOptions } from '@tanstack/react-query';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import type { Answers } from '../api/answers.ts';
import { allOf, api, type Row } from '../api/client.ts';
import type { ServiceName } from '../api/services.ts';
import { useProjectName } from '../identity/names.ts';
import { ListPage } from '../parts/list-page.tsx';
import { PageLink } from '../parts/page-link.tsx';
import type { Column } from '../parts/resource-table.tsx';
import { Status } from '../parts/status.tsx';
import { Time } from '../parts/time.tsx';
import { CpuLine, UsageOnScreen } from '../servers/usage.tsx';

const everybodys = <T extends keyof Answers>(list: string, service: ServiceName, path: string, key: string) =>
  queryOptions({ queryKey: [list, 'everybody'] as const, queryFn: ({ signal }) => allOf<T>(service, path, key, signal) });
const removal =
  (service: ServiceName, path: string) =>
  (id: string): Promise<unknown> =>
    api(service, `${path}/${encodeURIComponent(id)}`, { method: 'DELETE' });

type AnyServer = Row<'nova.server.detail'>;
const serversQuery = everybodys<'nova.server.detail'>('servers', 'compute', '/v2.1/servers/detail?all_tenants=1', 'servers');

/** The servers of all projects. */
export function AllServersPage() {
  const { t } = useTranslation();
  const projectName = useProjectName();
  const columns = useMemo<readonly Column<AnyServer>[]>(
    () => [
      { id: 'name', header: t('fields.name'), value: ({ name }) => name, cell: ({ id, name }) => <PageLink to={`/servers/${id}`}>{name}</PageLink> },
      { id: 'project', header: t('session.project'), value: ({ tenant_id }) => projectName(tenant_id) },
      {
        id: 'status',
        header: t('fields.status'),
        value: ({ status }) => status,
        cell: (server) => <Status status={server.status} task={server['OS-EXT-STS:task_state']} />,
      },
      { id: 'host', header: t('fields.host'), value: (server) => server['OS-EXT-SRV-ATTR:host'] ?? '' },
      { id: 'flavor', header: t('fields.flavor'), value: ({ flavor }) => flavor.original_name },
      { id: 'cpu', header: t('metrics.cpu'), live: ({ id }) => <CpuLine serverId={id} /> },
      { id: 'created', header: t('fields.created'), value: ({ created }) => created, cell: ({ created }) => <Time at={created} /> },
      { id: 'id', header: t('fields.id'), value: ({ id }) => id, shown: false },
    ],
    [t, projectName],
  );
  return (
    <UsageOnScreen>
      <ListPage
        name="all-servers"
        title={t('pages.all-servers')}
        query={serversQuery}
        columns={columns}
        keyOf={({ id }) => id}
        labelOf={({ name }) => name}
        remove={removal('compute', '/v2.1/servers')}
        empty={{ title: t('servers.empty'), text: t('admin.allHelp') }}
      />
    </UsageOnScreen>
  );
}

type AnyVolume = Row<'cinder.volume.list-detail'>;
const volumesQuery = everybodys<'cinder.volume.list-detail'>('volumes', 'volume', '/v3/volumes/detail?all_tenants=1', 'volumes');

/** The volumes of all projects. */
export function AllVolumesPage() {
  const { t } = useTranslation();
  const projectName = useProjectName();
  const columns = useMemo<readonly Column<AnyVolume>[]>(
    () => [
      { id: 'name', header: t('fields.name'), value: ({ name, id }) => name || id },
      { id: 'project', header: t('session.project'), value: (volume) => projectName(volume['os-vol-tenant-attr:tenant_id']) },
      { id: 'status', header: t('fields.status'), value: ({ status }) => status, cell: ({ status }) => <Status status={status} /> },
      { id: 'size', header: t('fields.sizeGb'), value: ({ size }) => size },
      { id: 'type', header: t('fields.type'), value: ({ volume_type }) => volume_type ?? '' },
      { id: 'host', header: t('fields.host'), value: (volume) => volume['os-vol-host-attr:host'] ?? '' },
      { id: 'id', header: t('fields.id'), value: ({ id }) => id, shown: false },
    ],
    [t, projectName],
  );
  return (
    <ListPage
      name="all-volumes"
      title={t('pages.all-volumes')}
      query={volumesQuery}
      columns={columns}
      keyOf={({ id }) => id}
      labelOf={({ name, id }) => name || id}
      kept={({ status }) => (status === 'in-use' ? t('admin.volumeInUse') : undefined)}
      remove={removal('volume', '/v3/volumes')}
      empty={{ title: t('volumes.empty'), text: t('admin.allHelp') }}
    />
  );
}

type AnyNetwork = Row<'neutron.network.list'>;
const networksQuery = everybodys<'neutron.network.list'>('networks', 'network', '/v2.0/networks', 'networks');

/** The networks of all projects: to administrators the network service shows them all. */
export function AllNetworksPage() {
  const { t } = useTranslation();
  const projectName = useProjectName();
  const columns = useMemo<readonly Column<AnyNetwork>[]>(
    () => [
      { id: 'name', header: t('fields.name'), value: ({ name, id }) => name || id },
      { id: 'project', header: t('session.project'), value: ({ project_id }) => projectName(project_id) },
      { id: 'status', header: t('fields.status'), value: ({ status }) => status, cell: ({ status }) => <Status status={status} /> },
      {
        id: 'type',
        header: t('fields.type'),
        value: (network) =>
          [network['provider:network_type'], network['provider:segmentation_id']].filter((part) => part !== undefined && part !== null).join(' '),
      },
      { id: 'external', header: t('fields.external'), value: (network) => (network['router:external'] ? t('yes') : t('no')) },
      { id: 'shared', header: t('fields.shared'), value: ({ shared }) => (shared ? t('yes') : t('no')) },
      { id: 'id', header: t('fields.id'), value: ({ id }) => id, shown: false },
    ],
    [t, projectName],
  );
  return (
    <ListPage
      name="all-networks"
      title={t('pages.all-networks')}
      query={networksQuery}
      columns={columns}
      keyOf={({ id }) => id}
      labelOf={({ name, id }) => name || id}
      remove={removal('network', '/v2.0/networks')}
      empty={{ title: t('networks.empty'), text: t('admin.allHelp') }}
    />
  );
}

type AnyFloatingIp = Row<'neutron.floatingip.list'>;
const floatingIpsQuery = everybodys<'neutron.floatingip.list'>('floatingips', 'network', '/v2.0/floatingips', 'floatingips');

/** The floating IPs of all projects. */
export function AllFloatingIpsPage() {
  const { t } = useTranslation();
  const projectName = useProjectName();
  const columns = useMemo<readonly Column<AnyFloatingIp>[]>(
    () => [
      { id: 'address', header: t('admin.address'), value: ({ floating_ip_address }) => floating_ip_address },
      { id: 'project', header: t('session.project'), value: ({ project_id }) => projectName(project_id) },
      { id: 'fixed', header: t('admin.fixedAddress'), value: ({ fixed_ip_address }) => fixed_ip_address ?? '' },
      { id: 'status', header: t('fields.status'), value: ({ status }) => status, cell: ({ status }) => <Status status={status} /> },
      { id: 'description', header: t('fields.description'), value: ({ description }) => description, shown: false },
      { id: 'id', header: t('fields.id'), value: ({ id }) => id, shown: false },
    ],
    [t, projectName],
  );
  return (
    <ListPage
      name="all-floating-ips"
      title={t('pages.all-floating-ips')}
      query={floatingIpsQuery}
      columns={columns}
      keyOf={({ id }) => id}
      labelOf={({ floating_ip_address }) => floating_ip_address}
      remove={removal('network', '/v2.0/floatingips')}
      empty={{ title: t('admin.noFloatingIps'), text: t('admin.allHelp') }}
    />
  );
}
