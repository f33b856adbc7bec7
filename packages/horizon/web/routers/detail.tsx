import Button from '@cloudscape-design/components/button';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Route } from '../networks/lines.ts';
import { ObjectLink } from '../networks/object-link.tsx';
import { useKeptFrom } from '../networks/owner.ts';
import { called, type ExternalGateway, networksQuery, type Port, portsOfQuery, type Router, routerQuery } from '../networks/queries.ts';
import { Tags } from '../networks/tags.tsx';
import { remove, tell, update } from '../networks/write.ts';
import { PageLink } from '../parts/page-link.tsx';
import { Facts, ThingPage } from '../parts/detail-page.tsx';
import { PartTable } from '../parts/part-table.tsx';
import { RemoveButton } from '../parts/remove-button.tsx';
import { Shown } from '../parts/shown.tsx';
import { Status } from '../parts/status.tsx';
import { Time } from '../parts/time.tsx';
import { AddGateway, AddInterface, AddRoutes, EditRouter, SetGateway, TOUCHES } from './forms.tsx';
import { interfacesOf, nameOfGateway } from './model.ts';

/** One router: where it leads, the networks that it is on, its further routes. */
export function RouterPage() {
  const { routerId } = useParams({ from: '/routers/$routerId' });
  return <Shown query={useQuery(routerQuery(routerId))}>{(router) => <Page router={router} />}</Shown>;
}

function Page({ router }: { readonly router: Router }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const kept = useKeptFrom()(router);
  const networks = useQuery(networksQuery);
  const ports = useQuery(portsOfQuery('device_id', router.id));
  const [open, setOpen] = useState<'edit' | 'gateway'>();
  const close = (): void => setOpen(undefined);
  const gateway = router.external_gateway_info;
  const interfaces = ports.data && interfacesOf(ports.data);
  const on = interfaces !== undefined && interfaces.length > 0 ? t('routers.hasInterfaces') : undefined;
  return (
    <ThingPage
      title={called(router)}
      status={<Status status={router.status} />}
      actions={
        <>
          <Button disabled={kept !== undefined} disabledReason={kept} onClick={() => setOpen('edit')}>
            {t('net.edit')}
          </Button>
          <Button disabled={kept !== undefined} disabledReason={kept} onClick={() => setOpen('gateway')}>
            {t('routers.setGateway')}
          </Button>
          <RemoveButton
            id={router.id}
            name={called(router)}
            label={t('routers.clearGateway')}
            kept={kept ?? (gateway === null ? t('routers.hasNoGateway') : undefined)}
            remove={() => update('routers', 'router', router.id, { external_gateway_info: null })}
            touches={TOUCHES}
          />
          <RemoveButton
            id={router.id}
            name={called(router)}
            kept={kept ?? on}
            remove={() => remove('routers', router.id)}
            touches={TOUCHES}
            onDone={() => void navigate({ to: '/routers' })}
          />
        </>
      }
    >
      <Facts
        title={t('net.facts')}
        facts={[
          [t('routers.gateway'), <ObjectLink page="/networks" id={gateway?.network_id ?? null} among={networks.data} />],
          [t('routers.outerAddress'), (gateway?.external_fixed_ips ?? []).map(({ ip_address }) => ip_address).join(', ')],
          [t('routers.snat'), gateway === null ? '-' : gateway.enable_snat ? t('yes') : t('no')],
          [t('net.up'), router.admin_state_up ? t('yes') : t('no')],
          [t('fields.description'), router.description],
          [t('networks.tags'), <Tags path="routers" id={router.id} tags={router.tags} touches={TOUCHES} fixed={kept !== undefined} />],
          [t('fields.created'), <Time at={router.created_at} />],
          [t('fields.id'), router.id, 'copied'],
        ]}
      />
      <PartTable<Port>
        title={t('routers.interfaces')}
        items={interfaces}
        keyOf={({ id }) => id}
        labelOf={({ id, fixed_ips }) => fixed_ips[0]?.ip_address ?? id}
        empty={t('routers.noInterfaces')}
        columns={[
          { id: 'address', header: t('net.address'), cell: ({ fixed_ips }) => fixed_ips.map(({ ip_address }) => ip_address).join(', ') || '-' },
          { id: 'network', header: t('kinds.network'), cell: ({ network_id }) => <ObjectLink page="/networks" id={network_id} among={networks.data} /> },
          { id: 'port', header: t('net.port'), cell: (port) => <PageLink to={`/ports/${port.id}`}>{called(port)}</PageLink> },
          { id: 'status', header: t('fields.status'), cell: ({ status }) => <Status status={status} /> },
        ]}
        create={{
          label: t('routers.addInterface'),
          form: (done) => <AddInterface router={router} interfaces={interfaces ?? []} close={done} />,
          not: kept,
        }}
        remove={{
          label: t('remove'),
          run: ({ id }) => tell('routers', router.id, 'remove_router_interface', { port_id: id }),
          touches: TOUCHES,
          kept: () => kept,
        }}
      />
      <PartTable<ExternalGateway>
        title={t('routers.gateways')}
        description={t('routers.gatewaysHelp')}
        items={router.external_gateways}
        keyOf={addressesOf}
        labelOf={addressesOf}
        empty={t('routers.hasNoGateway')}
        columns={[
          { id: 'address', header: t('routers.outerAddress'), cell: addressesOf },
          { id: 'network', header: t('routers.gateway'), cell: ({ network_id }) => <ObjectLink page="/networks" id={network_id} among={networks.data} /> },
          { id: 'first', header: t('routers.isFirst'), cell: (one) => (one === router.external_gateways[0] ? t('yes') : t('no')) },
        ]}
        create={{ label: t('routers.addGateway'), form: (done) => <AddGateway router={router} close={done} />, not: kept }}
        remove={{
          label: t('remove'),
          run: (one) => tell('routers', router.id, 'remove_external_gateways', { router: { external_gateways: [nameOfGateway(one)] } }),
          touches: TOUCHES,
          kept: () => kept,
        }}
      />
      <PartTable<Route>
        title={t('routers.routes')}
        description={t('routers.routesHelp')}
        items={router.routes}
        keyOf={({ destination, nexthop }) => `${destination} ${nexthop}`}
        labelOf={({ destination }) => destination}
        empty={t('routers.noRoutes')}
        columns={[
          { id: 'destination', header: t('routers.destination'), cell: ({ destination }) => destination },
          { id: 'nexthop', header: t('routers.nexthop'), cell: ({ nexthop }) => nexthop },
        ]}
        create={{ label: t('routers.addRoute'), form: (done) => <AddRoutes router={router} close={done} />, not: kept }}
        remove={{
          label: t('remove'),
          run: (route) => tell('routers', router.id, 'remove_extraroutes', { router: { routes: [route] } }),
          touches: TOUCHES,
          kept: () => kept,
        }}
      />
      {open === 'edit' && <EditRouter router={router} close={close} />}
      {open === 'gateway' && <SetGateway router={router} close={close} />}
    </ThingPage>
  );
}

/** The addresses of a gateway, which no other has; its network where it has none. */
const addressesOf = ({ external_fixed_ips, network_id }: ExternalGateway): string =>
  external_fixed_ips.map(({ ip_address }) => ip_address).join(', ') || network_id;
