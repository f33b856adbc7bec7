import Alert from '@cloudscape-design/components/alert';
import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { queryOptions, useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { api, type Row } from '../api/client.ts';
import type { ServiceName } from '../api/services.ts';
import { type Column, ResourceTable } from '../parts/resource-table.tsx';
import { hypervisorsQuery } from './queries.ts';
import { newestOf, type VersionDocument } from './versions.ts';

type Endpoint = Row<'keystone.endpoint.list'>;
type Service = Row<'keystone.service.list'>;
type CatalogRow = Endpoint & { readonly service: Service | undefined };

const endpointsQuery = queryOptions({
  queryKey: ['endpoints'] as const,
  queryFn: async ({ signal }): Promise<readonly CatalogRow[]> => {
    const [{ endpoints }, { services }] = await Promise.all([
      api<'keystone.endpoint.list'>('identity', '/v3/endpoints', { signal }),
      api<'keystone.service.list'>('identity', '/v3/services', { signal }),
    ]);
    return endpoints.map((endpoint) => ({ ...endpoint, service: services.find(({ id }) => id === endpoint.service_id) }));
  },
});

/** Where each service tells of its versions with a 200; some answer 300 at their roots. */
const INDEXES = { identity: '/v3', compute: '/v2.1/', network: '/', volume: '/v3/', image: '/versions', placement: '/' } as const satisfies Record<
  ServiceName,
  string
>;
const versionsQuery = queryOptions({
  queryKey: ['versions'] as const,
  queryFn: ({ signal }) =>
    Promise.all(
      (Object.entries(INDEXES) as [ServiceName, string][]).map(
        async ([service, path]) => [service, newestOf(await api<VersionDocument>(service, path, { signal }))] as const,
      ),
    ),
});

/** What the cloud is made of: versions of the APIs, hosts in sum, services and endpoints as the catalog has them. */
export function SystemPage() {
  const { t } = useTranslation();
  const versions = useQuery(versionsQuery);
  const hosts = useQuery({ ...hypervisorsQuery, retry: false });
  const endpoints = useQuery(endpointsQuery);
  const columns = useMemo<readonly Column<CatalogRow>[]>(
    () => [
      { id: 'type', header: t('access.service'), value: ({ service }) => service?.type ?? '' },
      { id: 'name', header: t('fields.name'), value: ({ service }) => service?.name ?? '' },
      { id: 'interface', header: t('admin.interface'), value: (endpoint) => endpoint.interface },
      { id: 'region', header: t('access.region'), value: ({ region_id }) => region_id ?? '' },
      { id: 'url', header: t('access.url'), value: ({ url }) => url },
      { id: 'enabled', header: t('identity.enabled'), value: ({ enabled }) => (enabled ? t('yes') : t('no')) },
    ],
    [t],
  );
  const sum = (of: (host: NonNullable<typeof hosts.data>[number]) => number): number => (hosts.data ?? []).reduce((all, host) => all + of(host), 0);
  return (
    <SpaceBetween size="l">
      <Header variant="h1">{t('pages.system')}</Header>
      <Container header={<Header variant="h2">{t('admin.versions')}</Header>}>
        {versions.error !== null && <Alert type="error">{versions.error.message}</Alert>}
        <KeyValuePairs columns={3} items={(versions.data ?? []).map(([service, version]) => ({ label: service, value: version }))} />
      </Container>
      {hosts.data !== undefined && (
        <Container header={<Header variant="h2">{t('pages.hosts')}</Header>}>
          <KeyValuePairs
            columns={4}
            items={[
              { label: t('pages.hosts'), value: hosts.data.length },
              { label: t('admin.vcpus'), value: t('overview.of', { used: sum((host) => host.vcpus_used), limit: sum((host) => host.vcpus) }) },
              { label: t('admin.ramMb'), value: t('overview.of', { used: sum((host) => host.memory_mb_used), limit: sum((host) => host.memory_mb) }) },
              { label: t('admin.diskGb'), value: t('overview.of', { used: sum((host) => host.local_gb_used), limit: sum((host) => host.local_gb) }) },
            ]}
          />
        </Container>
      )}
      <ResourceTable
        inner
        name="endpoints"
        title={t('access.endpoints')}
        rows={endpoints}
        columns={columns}
        keyOf={({ id }) => id}
        labelOf={({ url }) => url}
        empty={{ title: t('access.noEndpoints'), text: t('access.help') }}
      />
    </SpaceBetween>
  );
}
