import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { ObjectLink, PortUser } from '../networks/object-link.tsx';
import { called, networksQuery, type Port, portsQuery, routersQuery } from '../networks/queries.ts';
import { remove } from '../networks/write.ts';
import { ListPage } from '../parts/list-page.tsx';
import { PageLink } from '../parts/page-link.tsx';
import type { Column } from '../parts/resource-table.tsx';
import { Status } from '../parts/status.tsx';
import { useServers } from '../servers/queries.ts';
import { PortForm } from './forms.tsx';
import { userOf } from './model.ts';
import { useKeptPort } from './part.tsx';

/** Every port that the project sees. */
export function PortsPage() {
  const { t } = useTranslation();
  const keptPort = useKeptPort();
  const networks = useQuery(networksQuery);
  const routers = useQuery(routersQuery);
  const servers = useServers();
  const columns = useMemo<readonly Column<Port>[]>(() => {
    const devices = [...(servers.data ?? []), ...(routers.data ?? [])];
    const names = new Map(devices.map((device) => [device.id, called(device)]));
    const networkName = new Map((networks.data ?? []).map((network) => [network.id, called(network)]));
    return [
      { id: 'name', header: t('fields.name'), value: called, cell: (row) => <PageLink to={`/ports/${row.id}`}>{called(row)}</PageLink> },
      { id: 'addresses', header: t('net.addresses'), value: ({ fixed_ips }) => fixed_ips.map(({ ip_address }) => ip_address).join(', ') },
      {
        id: 'user',
        header: t('ports.user'),
        value: (port) => {
          const user = userOf(port);
          return `${user === 'other' ? port.device_owner : t(`portUsers.${user}`)} ${names.get(port.device_id) ?? ''}`;
        },
        cell: (port) => <PortUser port={port} among={devices} />,
      },
      {
        id: 'network',
        header: t('kinds.network'),
        value: ({ network_id }) => networkName.get(network_id) ?? network_id,
        cell: ({ network_id }) => <ObjectLink page="/networks" id={network_id} among={networks.data} />,
      },
      { id: 'status', header: t('fields.status'), value: ({ status }) => status, cell: ({ status }) => <Status status={status} /> },
      { id: 'mac', header: t('ports.mac'), value: ({ mac_address }) => mac_address, shown: false },
      { id: 'security', header: t('net.portSecurity'), value: ({ port_security_enabled: on }) => (on ? t('yes') : t('no')), shown: false },
      { id: 'up', header: t('net.up'), value: ({ admin_state_up }) => (admin_state_up ? t('yes') : t('no')), shown: false },
      { id: 'tags', header: t('networks.tags'), value: ({ tags = [] }) => tags.join(', '), shown: false },
      { id: 'project', header: t('session.project'), value: ({ project_id }) => project_id, shown: false },
      { id: 'id', header: t('fields.id'), value: ({ id }) => id, shown: false },
    ];
  }, [t, networks.data, routers.data, servers.data]);
  return (
    <ListPage
      name="ports"
      title={t('pages.ports')}
      query={portsQuery}
      columns={columns}
      keyOf={({ id }) => id}
      labelOf={called}
      kept={keptPort}
      remove={(id) => remove('ports', id)}
      empty={{ title: t('ports.empty'), text: t('ports.emptyText') }}
      create={{ label: t('ports.create'), form: (close) => <PortForm close={close} /> }}
    />
  );
}
