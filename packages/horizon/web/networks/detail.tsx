import Button from '@cloudscape-design/components/button';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { PageButton } from '../parts/page-button.tsx';
import { Facts, ThingPage } from '../parts/detail-page.tsx';
import { PartTable } from '../parts/part-table.tsx';
import { RemoveButton } from '../parts/remove-button.tsx';
import { Shown } from '../parts/shown.tsx';
import { Status } from '../parts/status.tsx';
import { Time } from '../parts/time.tsx';
import { EditPort, PortForm } from '../ports/forms.tsx';
import { PortsPart } from '../ports/part.tsx';
import { EditNetwork } from './forms.tsx';
import { poolsText } from './lines.ts';
import { useIsAdmin, useKeptFrom } from './owner.ts';
import { called, type Network, networkQuery, networksQuery, portsOfQuery, qosPoliciesQuery, type Subnet, subnetsOfQuery, subnetsQuery } from './queries.ts';
import { Sharing } from './sharing.tsx';
import { CreateSubnet, EditSubnet } from './subnet-forms.tsx';
import { Tags, tagsColumn } from './tags.tsx';
import { remove } from './write.ts';

/** One network: its subnets, its ports, whom it is shared with. */
export function NetworkPage() {
  const { networkId } = useParams({ from: '/networks/$networkId' });
  return <Shown query={useQuery(networkQuery(networkId))}>{(network) => <Page network={network} />}</Shown>;
}

const TOUCHES = [networksQuery.queryKey];

function Page({ network }: { readonly network: Network }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const keptFrom = useKeptFrom();
  const kept = keptFrom(network);
  const [editing, setEditing] = useState(false);
  const subnets = useQuery(subnetsOfQuery(network.id));
  const ports = useQuery(portsOfQuery('network_id', network.id));
  return (
    <ThingPage
      title={called(network)}
      status={<Status status={network.status} />}
      actions={
        <>
          <PageButton to={`/topology?network=${network.id}`}>{t('pages.topology')}</PageButton>
          <Button disabled={kept !== undefined} disabledReason={kept} onClick={() => setEditing(true)}>
            {t('net.edit')}
          </Button>
          <RemoveButton
            id={network.id}
            name={called(network)}
            kept={kept}
            remove={() => remove('networks', network.id)}
            touches={TOUCHES}
            onDone={() => void navigate({ to: '/networks' })}
          />
        </>
      }
    >
      <NetworkFacts network={network} kept={kept} />
      <PartTable<Subnet>
        title={t('subnets.title')}
        items={subnets.data}
        keyOf={({ id }) => id}
        labelOf={({ cidr }) => cidr}
        empty={t('subnets.empty')}
        columns={[
          { id: 'cidr', header: t('networks.range'), cell: ({ cidr }) => cidr },
          { id: 'name', header: t('fields.name'), cell: ({ name }) => name || '-' },
          { id: 'gateway', header: t('subnets.gateway'), cell: ({ gateway_ip }) => gateway_ip ?? '-' },
          { id: 'dhcp', header: t('subnets.dhcp'), cell: ({ enable_dhcp }) => (enable_dhcp ? t('yes') : t('no')) },
          { id: 'pools', header: t('subnets.pools'), cell: ({ allocation_pools }) => poolsText(allocation_pools).replaceAll('\n', ', ') || '-' },
          { id: 'dns', header: t('subnets.dns'), cell: ({ dns_nameservers }) => dns_nameservers.join(', ') || '-' },
          {
            id: 'routes',
            header: t('subnets.routes'),
            cell: ({ host_routes }) => host_routes.map(({ destination, nexthop }) => `${destination} → ${nexthop}`).join(', ') || '-',
          },
          tagsColumn<Subnet>(t('networks.tags'), 'subnets', [subnetsQuery.queryKey], keptFrom),
        ]}
        create={{ label: t('subnets.create'), form: (close) => <CreateSubnet network={network} close={close} />, not: kept }}
        edit={{ label: t('net.edit'), form: (subnet, close) => <EditSubnet subnet={subnet} close={close} />, kept: keptFrom }}
        remove={{ label: t('delete'), run: ({ id }) => remove('subnets', id), touches: [subnetsQuery.queryKey, ...TOUCHES], kept: keptFrom }}
      />
      <PortsPart
        ports={ports.data}
        create={{ label: t('ports.create'), form: (close) => <PortForm networkId={network.id} close={close} /> }}
        edit={(port, close) => <EditPort port={port} close={close} />}
      />
      {kept === undefined && <Sharing type="network" id={network.id} kept={kept} />}
      {editing && <EditNetwork network={network} close={() => setEditing(false)} />}
    </ThingPage>
  );
}

function NetworkFacts({ network, kept }: { readonly network: Network; readonly kept: string | undefined }) {
  const { t } = useTranslation();
  const isAdmin = useIsAdmin();
  const policies = useQuery(qosPoliciesQuery);
  const yesNo = (value: boolean): string => (value ? t('yes') : t('no'));
  const type = network['provider:network_type'];
  const carried = [type, network['provider:physical_network'], network['provider:segmentation_id']].filter((part) => part !== null && part !== undefined);
  const policy = policies.data?.find(({ id }) => id === network.qos_policy_id);
  return (
    <Facts
      title={t('net.facts')}
      facts={[
        [t('net.up'), yesNo(network.admin_state_up)],
        [t('fields.external'), yesNo(network['router:external'])],
        [t('fields.shared'), yesNo(network.shared)],
        [t('fields.mtu'), network.mtu],
        [t('net.portSecurity'), yesNo(network.port_security_enabled)],
        [t('net.qos'), network.qos_policy_id === null ? '-' : called(policy ?? { id: network.qos_policy_id })],
        isAdmin && carried.length > 0 && [t('networks.type'), carried.join(' · ')],
        [t('fields.description'), network.description],
        [t('networks.tags'), <Tags path="networks" id={network.id} tags={network.tags} touches={TOUCHES} fixed={kept !== undefined} />],
        [t('fields.created'), <Time at={network.created_at} />],
        [t('fields.id'), network.id, 'copied'],
      ]}
    />
  );
}
