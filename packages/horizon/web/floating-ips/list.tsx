import Button from '@cloudscape-design/components/button';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ObjectLink } from '../networks/object-link.tsx';
import { useKeptFrom } from '../networks/owner.ts';
import { called, type FloatingIp, floatingIpsQuery, networksQuery, portsQuery, routersQuery } from '../networks/queries.ts';
import { remove, update } from '../networks/write.ts';
import { Bulk } from '../parts/bulk.tsx';
import { ListPage } from '../parts/list-page.tsx';
import { PageLink } from '../parts/page-link.tsx';
import type { Column } from '../parts/resource-table.tsx';
import { Status } from '../parts/status.tsx';
import { useServers } from '../servers/queries.ts';
import { AllocateFloatingIp, AssociateFloatingIp } from './forms.tsx';

/** The project's public addresses, and where they lead. */
export function FloatingIpsPage() {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const keptFrom = useKeptFrom();
  const networks = useQuery(networksQuery);
  const routers = useQuery(routersQuery);
  const ports = useQuery(portsQuery);
  const servers = useServers();
  const [associating, setAssociating] = useState<FloatingIp>();
  const [leaving, setLeaving] = useState<readonly FloatingIp[]>();
  const columns = useMemo<readonly Column<FloatingIp>[]>(() => {
    const nameIn = (rows: readonly { id: string; name: string }[] | undefined, id: string | null): string =>
      id === null ? '' : called(rows?.find((row) => row.id === id) ?? { id });
    const devices = new Map((ports.data ?? []).map(({ id, device_id }) => [id, device_id]));
    const serverOf = ({ port_id }: FloatingIp) => servers.data?.find(({ id }) => id === devices.get(port_id ?? ''));
    return [
      {
        id: 'address',
        header: t('floatingIps.address'),
        value: ({ floating_ip_address }) => floating_ip_address,
        cell: ({ id, floating_ip_address }) => <PageLink to={`/floating-ips/${id}`}>{floating_ip_address}</PageLink>,
      },
      { id: 'status', header: t('fields.status'), value: ({ status }) => status, cell: ({ status }) => <Status status={status} /> },
      {
        id: 'target',
        header: t('floatingIps.target'),
        value: ({ fixed_ip_address }) => fixed_ip_address ?? '',
        cell: ({ port_id, fixed_ip_address }) => (port_id === null ? '-' : <PageLink to={`/ports/${port_id}`}>{fixed_ip_address}</PageLink>),
      },
      {
        id: 'server',
        header: t('kinds.server'),
        value: (row) => serverOf(row)?.name ?? '',
        cell: (row) => <ObjectLink page="/servers" id={serverOf(row)?.id ?? null} among={servers.data} />,
      },
      {
        id: 'network',
        header: t('kinds.network'),
        value: ({ floating_network_id }) => nameIn(networks.data, floating_network_id),
        cell: ({ floating_network_id }) => <ObjectLink page="/networks" id={floating_network_id} among={networks.data} />,
      },
      {
        id: 'router',
        header: t('kinds.router'),
        value: ({ router_id }) => nameIn(routers.data, router_id),
        cell: ({ router_id }) => <ObjectLink page="/routers" id={router_id} among={routers.data} />,
        shown: false,
      },
      { id: 'description', header: t('fields.description'), value: ({ description }) => description },
      { id: 'tags', header: t('networks.tags'), value: ({ tags = [] }) => tags.join(', '), shown: false },
      { id: 'id', header: t('fields.id'), value: ({ id }) => id, shown: false },
    ];
  }, [t, networks.data, routers.data, ports.data, servers.data]);
  return (
    <>
      <ListPage
        name="floating-ips"
        title={t('pages.floating-ips')}
        query={floatingIpsQuery}
        columns={columns}
        keyOf={({ id }) => id}
        labelOf={({ floating_ip_address }) => floating_ip_address}
        kept={keptFrom}
        remove={(id) => remove('floatingips', id)}
        removeWords={{ label: t('floatingIps.release'), title: t('floatingIps.releaseTitle'), text: t('floatingIps.releaseText') }}
        actions={(selected) => {
          const [one] = selected;
          const choose = selected.length === 0 ? t('actions.selectFirst') : selected.map(keptFrom).find((reason) => reason !== undefined);
          const notOne = choose ?? (selected.length > 1 ? t('selectOne') : one?.port_id === null ? undefined : t('floatingIps.isUsed'));
          const notUsed = choose ?? (selected.every(({ port_id }) => port_id !== null) ? undefined : t('floatingIps.notUsed'));
          return (
            <>
              <Button disabled={notOne !== undefined} disabledReason={notOne} onClick={() => setAssociating(one)}>
                {t('floatingIps.associate')}
              </Button>
              <Button disabled={notUsed !== undefined} disabledReason={notUsed} onClick={() => setLeaving(selected)}>
                {t('floatingIps.disassociate')}
              </Button>
            </>
          );
        }}
        empty={{ title: t('floatingIps.empty'), text: t('floatingIps.emptyText') }}
        create={{ label: t('floatingIps.create'), form: (close) => <AllocateFloatingIp close={close} /> }}
      />
      {associating && <AssociateFloatingIp floatingIp={associating} close={() => setAssociating(undefined)} />}
      {leaving && (
        <Bulk
          title={t('removeTitle', { action: t('floatingIps.disassociate'), count: leaving.length })}
          text={t('floatingIps.disassociateText')}
          confirm={t('floatingIps.disassociate')}
          items={leaving.map(({ id, floating_ip_address }) => ({ id, name: floating_ip_address }))}
          run={({ id }) => update('floatingips', 'floatingip', id, { port_id: null })}
          onEnd={() => {
            setLeaving(undefined);
            void queries.invalidateQueries({ queryKey: floatingIpsQuery.queryKey });
          }}
        />
      )}
    </>
  );
}
