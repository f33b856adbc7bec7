import Button from '@cloudscape-design/components/button';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ObjectLink } from '../networks/object-link.tsx';
import { useKeptFrom } from '../networks/owner.ts';
import {
  type FloatingIp,
  floatingIpQuery,
  floatingIpsQuery,
  networksQuery,
  type PortForwarding,
  portForwardingsQuery,
  routersQuery,
} from '../networks/queries.ts';
import { Tags } from '../networks/tags.tsx';
import { remove, update } from '../networks/write.ts';
import { PageButton } from '../parts/page-button.tsx';
import { PageLink } from '../parts/page-link.tsx';
import { Facts, ThingPage } from '../parts/detail-page.tsx';
import { PartTable } from '../parts/part-table.tsx';
import { RemoveButton } from '../parts/remove-button.tsx';
import { Shown } from '../parts/shown.tsx';
import { Status } from '../parts/status.tsx';
import { Time } from '../parts/time.tsx';
import { AssociateFloatingIp, EditFloatingIp, ForwardPorts } from './forms.tsx';
import { sideText } from './forwarding.ts';

/** One public address: where it leads, as a whole or port by port. */
export function FloatingIpPage() {
  const { floatingIpId } = useParams({ from: '/floating-ips/$floatingIpId' });
  return <Shown query={useQuery(floatingIpQuery(floatingIpId))}>{(floatingIp) => <Page floatingIp={floatingIp} />}</Shown>;
}

const TOUCHES = [floatingIpsQuery.queryKey];

function Page({ floatingIp }: { readonly floatingIp: FloatingIp }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const kept = useKeptFrom()(floatingIp);
  const networks = useQuery(networksQuery);
  const routers = useQuery(routersQuery);
  const [open, setOpen] = useState<'associate' | 'edit'>();
  const { id, floating_ip_address: address, port_id: portId } = floatingIp;
  const close = (): void => setOpen(undefined);
  return (
    <ThingPage
      title={address}
      status={<Status status={floatingIp.status} />}
      actions={
        <>
          <PageButton to={`/path?from=outside&to=${id}`} not={portId === null ? t('floatingIps.notUsed') : undefined}>
            {t('path.ask')}
          </PageButton>
          <Button disabled={kept !== undefined} disabledReason={kept} onClick={() => setOpen('edit')}>
            {t('net.edit')}
          </Button>
          {portId === null ? (
            <Button disabled={kept !== undefined} disabledReason={kept} onClick={() => setOpen('associate')}>
              {t('floatingIps.associate')}
            </Button>
          ) : (
            <RemoveButton
              id={id}
              name={address}
              label={t('floatingIps.disassociate')}
              kept={kept}
              remove={() => update('floatingips', 'floatingip', id, { port_id: null })}
              touches={TOUCHES}
            />
          )}
          <RemoveButton
            id={id}
            name={address}
            label={t('floatingIps.release')}
            kept={kept}
            remove={() => remove('floatingips', id)}
            touches={TOUCHES}
            onDone={() => void navigate({ to: '/floating-ips' })}
          />
        </>
      }
    >
      <Facts
        title={t('net.facts')}
        facts={[
          [t('floatingIps.target'), portId === null ? '-' : <PageLink to={`/ports/${portId}`}>{floatingIp.fixed_ip_address}</PageLink>],
          [t('floatingIps.network'), <ObjectLink page="/networks" id={floatingIp.floating_network_id} among={networks.data} />],
          [t('kinds.router'), <ObjectLink page="/routers" id={floatingIp.router_id} among={routers.data} />],
          [t('fields.description'), floatingIp.description],
          [t('networks.tags'), <Tags path="floatingips" id={id} tags={floatingIp.tags} touches={TOUCHES} fixed={kept !== undefined} />],
          [t('fields.created'), <Time at={floatingIp.created_at} />],
          [t('fields.id'), id, 'copied'],
        ]}
      />
      <Forwardings floatingIp={floatingIp} kept={kept} />
      {open === 'associate' && <AssociateFloatingIp floatingIp={floatingIp} close={close} />}
      {open === 'edit' && <EditFloatingIp floatingIp={floatingIp} close={close} />}
    </ThingPage>
  );
}

function Forwardings({ floatingIp, kept }: { readonly floatingIp: FloatingIp; readonly kept: string | undefined }) {
  const { t } = useTranslation();
  const rows = useQuery(portForwardingsQuery(floatingIp.id));
  return (
    <PartTable<PortForwarding>
      title={t('floatingIps.forwardings')}
      description={t('floatingIps.forwardingsHelp')}
      items={rows.data}
      keyOf={({ id }) => id}
      labelOf={(row) => `${row.protocol} ${sideText(row, 'external')}`}
      empty={t('floatingIps.noForwardings')}
      columns={[
        { id: 'outer', header: t('floatingIps.outerPorts'), cell: (row) => sideText(row, 'external') },
        { id: 'protocol', header: t('fields.protocol'), cell: ({ protocol }) => protocol.toUpperCase() },
        {
          id: 'target',
          header: t('floatingIps.target'),
          cell: ({ internal_port_id, internal_ip_address }) => <PageLink to={`/ports/${internal_port_id}`}>{internal_ip_address}</PageLink>,
        },
        { id: 'inner', header: t('floatingIps.innerPorts'), cell: (row) => sideText(row, 'internal') },
        { id: 'description', header: t('fields.description'), cell: ({ description }) => description || '-' },
      ]}
      create={{
        label: t('floatingIps.forward'),
        form: (close) => <ForwardPorts floatingIpId={floatingIp.id} close={close} />,
        not: kept ?? (floatingIp.port_id === null ? undefined : t('floatingIps.wholeUsed')),
      }}
      edit={{ label: t('net.edit'), form: (row, close) => <ForwardPorts floatingIpId={floatingIp.id} before={row} close={close} />, kept: () => kept }}
      remove={{
        label: t('delete'),
        run: ({ id }) => remove(`floatingips/${floatingIp.id}/port_forwardings`, id),
        touches: TOUCHES,
        kept: () => kept,
      }}
    />
  );
}
