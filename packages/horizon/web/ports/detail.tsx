import Button from '@cloudscape-design/components/button';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { AddressPair } from '../networks/lines.ts';
import { ObjectLink, PortUser } from '../networks/object-link.tsx';
import { useKeptFrom } from '../networks/owner.ts';
import {
  called,
  type FixedIp,
  floatingIpsQuery,
  networksQuery,
  type Port,
  portQuery,
  portsQuery,
  qosPoliciesQuery,
  routersQuery,
  subnetsQuery,
} from '../networks/queries.ts';
import { Tags } from '../networks/tags.tsx';
import { remove } from '../networks/write.ts';
import { PageButton } from '../parts/page-button.tsx';
import { PageLink } from '../parts/page-link.tsx';
import { Facts, ThingPage } from '../parts/detail-page.tsx';
import { PartTable } from '../parts/part-table.tsx';
import { RemoveButton } from '../parts/remove-button.tsx';
import { Shown } from '../parts/shown.tsx';
import { Status } from '../parts/status.tsx';
import { Time } from '../parts/time.tsx';
import { securityGroupsQuery } from '../security-groups/queries.ts';
import { useServers } from '../servers/queries.ts';
import { EditPort } from './forms.tsx';
import { useKeptPort } from './part.tsx';

/** One port: its addresses, what may pass it, what uses it. */
export function PortPage() {
  const { portId } = useParams({ from: '/ports/$portId' });
  return <Shown query={useQuery(portQuery(portId))}>{(port) => <Page port={port} />}</Shown>;
}

function Page({ port }: { readonly port: Port }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const kept = useKeptFrom()(port);
  const stays = useKeptPort()(port);
  const [editing, setEditing] = useState(false);
  const subnets = useQuery(subnetsQuery);
  const floatingIps = useQuery(floatingIpsQuery);
  return (
    <ThingPage
      title={called(port)}
      status={<Status status={port.status} />}
      actions={
        <>
          <PageButton to={`/path?from=${port.id}`} not={port.fixed_ips.length === 0 ? t('path.noAddress') : undefined}>
            {t('path.ask')}
          </PageButton>
          <Button disabled={kept !== undefined} disabledReason={kept} onClick={() => setEditing(true)}>
            {t('net.edit')}
          </Button>
          <RemoveButton
            id={port.id}
            name={called(port)}
            kept={stays}
            remove={() => remove('ports', port.id)}
            touches={[portsQuery.queryKey]}
            onDone={() => void navigate({ to: '/ports' })}
          />
        </>
      }
    >
      <PortFacts port={port} kept={kept} />
      <PartTable<FixedIp>
        title={t('net.addresses')}
        items={port.fixed_ips}
        keyOf={({ ip_address }) => ip_address}
        labelOf={({ ip_address }) => ip_address}
        empty={t('ports.noAddresses')}
        columns={[
          { id: 'address', header: t('net.address'), cell: ({ ip_address }) => ip_address },
          {
            id: 'subnet',
            header: t('net.subnet'),
            cell: ({ subnet_id }) => subnets.data?.find(({ id }) => id === subnet_id)?.cidr ?? subnet_id,
          },
          {
            id: 'floating',
            header: t('pages.floating-ips'),
            cell: ({ ip_address }) =>
              (floatingIps.data ?? [])
                .filter((row) => row.port_id === port.id && row.fixed_ip_address === ip_address)
                .map((row) => (
                  <PageLink key={row.id} to={`/floating-ips/${row.id}`}>
                    {row.floating_ip_address}
                  </PageLink>
                )),
          },
        ]}
      />
      {port.allowed_address_pairs.length > 0 && (
        <PartTable<AddressPair>
          title={t('ports.pairs')}
          items={port.allowed_address_pairs}
          keyOf={({ ip_address, mac_address }) => `${ip_address} ${mac_address ?? ''}`}
          labelOf={({ ip_address }) => ip_address}
          empty={t('none')}
          columns={[
            { id: 'address', header: t('net.address'), cell: ({ ip_address }) => ip_address },
            { id: 'mac', header: t('ports.mac'), cell: ({ mac_address }) => mac_address ?? '-' },
          ]}
        />
      )}
      {editing && <EditPort port={port} close={() => setEditing(false)} />}
    </ThingPage>
  );
}

function PortFacts({ port, kept }: { readonly port: Port; readonly kept: string | undefined }) {
  const { t } = useTranslation();
  const networks = useQuery(networksQuery);
  const routers = useQuery(routersQuery);
  const groups = useQuery(securityGroupsQuery);
  const policies = useQuery(qosPoliciesQuery);
  const servers = useServers();
  const yesNo = (value: boolean): string => (value ? t('yes') : t('no'));
  return (
    <Facts
      title={t('net.facts')}
      facts={[
        [t('ports.user'), <PortUser port={port} among={[...(servers.data ?? []), ...(routers.data ?? [])]} />],
        [t('kinds.network'), <ObjectLink page="/networks" id={port.network_id} among={networks.data} />],
        [t('ports.mac'), port.mac_address],
        [t('net.up'), yesNo(port.admin_state_up)],
        [t('net.portSecurity'), yesNo(port.port_security_enabled)],
        [
          t('pages.security-groups'),
          port.security_groups.length === 0
            ? '-'
            : port.security_groups.map((id) => (
                <div key={id}>
                  <ObjectLink page="/security-groups" id={id} among={groups.data} />
                </div>
              )),
        ],
        [t('ports.vnic'), port['binding:vnic_type']],
        [t('net.qos'), port.qos_policy_id === null ? '-' : called(policies.data?.find(({ id }) => id === port.qos_policy_id) ?? { id: port.qos_policy_id })],
        port['binding:host_id'] !== undefined && port['binding:host_id'] !== '' && [t('fields.host'), port['binding:host_id']],
        [t('fields.description'), port.description],
        [t('networks.tags'), <Tags path="ports" id={port.id} tags={port.tags} touches={[portsQuery.queryKey]} fixed={kept !== undefined} />],
        [t('fields.created'), <Time at={port.created_at} />],
        [t('fields.id'), port.id, 'copied'],
      ]}
    />
  );
}
