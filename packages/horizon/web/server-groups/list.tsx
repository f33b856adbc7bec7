import { queryOptions } from '@tanstack/react-query';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { type Answer, api } from '../api/client.ts';
import { FormDialog } from '../parts/form-dialog.tsx';
import { ListPage } from '../parts/list-page.tsx';
import { PageLink } from '../parts/page-link.tsx';
import { QuotaHint } from '../parts/quota-hint.tsx';
import type { Column } from '../parts/resource-table.tsx';
import { useServers } from '../servers/queries.ts';

type ServerGroup = Answer<'nova.server-group.list'>['server_groups'][number];

const GROUPS = '/v2.1/os-server-groups';
const POLICIES = ['affinity', 'anti-affinity', 'soft-affinity', 'soft-anti-affinity'] as const;

const serverGroupsQuery = queryOptions({
  queryKey: ['server-groups'],
  queryFn: async ({ signal }) => (await api<'nova.server-group.list'>('compute', GROUPS, { signal })).server_groups,
});

/** Groups of servers that are to stand on the same host, or on different ones. */
export function ServerGroupsPage() {
  const { t, i18n } = useTranslation();
  const { data: servers = [] } = useServers();
  const columns = useMemo<readonly Column<ServerGroup>[]>(
    () => [
      { id: 'name', header: t('fields.name'), value: ({ name }) => name },
      {
        id: 'policy',
        header: t('serverGroups.policy'),
        value: ({ policy }) => (i18n.exists(`serverGroups.policies.${policy}`) ? t(`serverGroups.policies.${policy as 'affinity'}`) : policy),
      },
      { id: 'most', header: t('serverGroups.mostPerHost'), value: ({ rules }) => rules.max_server_per_host ?? '' },
      {
        id: 'members',
        header: t('pages.servers'),
        value: ({ members }) => members.length,
        cell: ({ members }) =>
          members.map((id) => (
            <div key={id}>
              <PageLink to={`/servers/${id}`}>{servers.find((server) => server.id === id)?.name ?? id}</PageLink>
            </div>
          )),
      },
      { id: 'id', header: t('fields.id'), value: ({ id }) => id, shown: false },
    ],
    [t, i18n, servers],
  );
  return (
    <ListPage
      name="server-groups"
      title={t('pages.server-groups')}
      query={serverGroupsQuery}
      columns={columns}
      keyOf={({ id }) => id}
      labelOf={({ name }) => name}
      remove={(id) => api('compute', `${GROUPS}/${encodeURIComponent(id)}`, { method: 'DELETE' })}
      empty={{ title: t('serverGroups.empty'), text: t('serverGroups.emptyText') }}
      create={{ label: t('serverGroups.create'), form: (close) => <CreateServerGroup close={close} /> }}
    />
  );
}

function CreateServerGroup({ close }: { readonly close: () => void }) {
  const { t } = useTranslation();
  return (
    <FormDialog
      title={t('serverGroups.create')}
      confirm={t('create')}
      close={close}
      touches={[serverGroupsQuery.queryKey, ['quota', 'compute']]}
      fields={{
        name: { kind: 'text', label: t('fields.name'), required: true },
        policy: {
          kind: 'choice',
          label: t('serverGroups.policy'),
          initial: 'anti-affinity',
          options: POLICIES.map((value) => ({ value, label: t(`serverGroups.policies.${value}`) })),
        },
        most: {
          kind: 'number',
          label: t('serverGroups.mostPerHost'),
          help: t('serverGroups.mostPerHostHelp'),
          least: 1,
          when: ({ policy }) => policy === 'anti-affinity',
        },
      }}
      send={({ name, policy, most }) =>
        api('compute', GROUPS, {
          method: 'POST',
          body: { server_group: { name, policy, ...(most !== undefined && { rules: { max_server_per_host: most } }) } },
        })
      }
    >
      {() => <QuotaHint service="compute" adding={{ server_groups: [1, t('pages.server-groups')] }} />}
    </FormDialog>
  );
}
