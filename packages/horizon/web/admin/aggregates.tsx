import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { api } from '../api/client.ts';
import { FormDialog } from '../parts/form-dialog.tsx';
import { ListPage } from '../parts/list-page.tsx';
import { type Column, ResourceTable } from '../parts/resource-table.tsx';
import { type RowAction, RowActions } from '../parts/row-actions.tsx';
import { propertiesOf, propertiesText, propertyChange } from './properties.ts';
import { type Aggregate, aggregatesQuery, servicesQuery, type Zone, zonesQuery } from './queries.ts';

const pathOf = (id: number | string): string => `/v2.1/os-aggregates/${encodeURIComponent(id)}`;
const act = (id: number, body: object): Promise<unknown> => api('compute', `${pathOf(id)}/action`, { method: 'POST', body });
/** The zone is kept in the metadata too, and changed by its own field. */
const metadataOf = ({ metadata }: Aggregate): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(metadata).filter(([name]) => name !== 'availability_zone'));
const key = ({ id }: Aggregate): string => String(id);
const label = ({ name }: Aggregate): string => name;

/** Host aggregates, and the availability zones that they make. */
export function AggregatesPage() {
  const { t } = useTranslation();
  const actions: readonly RowAction<Aggregate>[] = [
    { id: 'edit', text: t('identity.edit'), dialog: (row, close) => <AggregateForm aggregate={row} close={close} /> },
    { id: 'hosts', text: t('admin.chooseHosts'), dialog: (row, close) => <HostsForm aggregate={row} close={close} /> },
    { id: 'metadata', text: t('fields.metadata'), dialog: (row, close) => <MetadataForm aggregate={row} close={close} /> },
  ];
  const columns = useMemo<readonly Column<Aggregate>[]>(
    () => [
      { id: 'name', header: t('fields.name'), value: ({ name }) => name },
      { id: 'zone', header: t('fields.zone'), value: ({ availability_zone }) => availability_zone ?? '' },
      { id: 'hosts', header: t('pages.hosts'), value: ({ hosts }) => hosts.join(', ') },
      { id: 'metadata', header: t('fields.metadata'), value: (row) => propertiesText(metadataOf(row)).replaceAll('\n', ', ') },
      { id: 'id', header: t('fields.id'), value: ({ id }) => id, shown: false },
    ],
    [t],
  );
  return (
    <SpaceBetween size="l">
      <ListPage
        name="aggregates"
        title={t('pages.aggregates')}
        query={aggregatesQuery}
        columns={columns}
        keyOf={key}
        labelOf={label}
        kept={({ hosts }) => (hosts.length > 0 ? t('admin.aggregateHasHosts') : undefined)}
        remove={(id) => api('compute', pathOf(id), { method: 'DELETE' })}
        actions={(rows) => <RowActions rows={rows} actions={actions} keyOf={key} labelOf={label} touches={[aggregatesQuery.queryKey]} />}
        empty={{ title: t('admin.noAggregates'), text: t('admin.aggregatesHelp') }}
        create={{ label: t('admin.createAggregate'), form: (close) => <AggregateForm close={close} /> }}
      />
      <Zones />
    </SpaceBetween>
  );
}

function Zones() {
  const { t } = useTranslation();
  const zones = useQuery(zonesQuery);
  const columns = useMemo<readonly Column<Zone>[]>(
    () => [
      { id: 'name', header: t('fields.name'), value: ({ zoneName }) => zoneName },
      {
        id: 'available',
        header: t('fields.status'),
        value: ({ zoneState }) => (zoneState.available ? t('states.available') : t('states.down')),
        cell: ({ zoneState }) => (
          <StatusIndicator type={zoneState.available ? 'success' : 'stopped'}>{zoneState.available ? t('states.available') : t('states.down')}</StatusIndicator>
        ),
      },
      { id: 'hosts', header: t('pages.hosts'), value: ({ hosts }) => Object.keys(hosts ?? {}).join(', ') },
    ],
    [t],
  );
  return (
    <ResourceTable
      inner
      name="zones"
      title={t('admin.zones')}
      rows={zones}
      columns={columns}
      keyOf={({ zoneName }) => zoneName}
      labelOf={({ zoneName }) => zoneName}
      empty={{ title: t('admin.noZones'), text: t('admin.aggregatesHelp') }}
    />
  );
}

interface FormProps {
  readonly aggregate: Aggregate;
  readonly close: () => void;
}

function AggregateForm({ aggregate, close }: { readonly aggregate?: Aggregate; readonly close: () => void }) {
  const { t } = useTranslation();
  const fields = {
    name: { kind: 'text', label: t('fields.name'), initial: aggregate?.name, required: true },
    zone: { kind: 'text', label: t('fields.zone'), help: t('admin.zoneHelp'), initial: aggregate?.availability_zone ?? '' },
  } as const;
  return (
    <FormDialog
      title={aggregate === undefined ? t('admin.createAggregate') : t('identity.edit')}
      confirm={aggregate === undefined ? t('create') : t('identity.save')}
      fields={fields}
      send={({ name, zone }) => {
        const body = { aggregate: { name: name.trim(), ...(zone !== '' && { availability_zone: zone.trim() }) } };
        return aggregate === undefined
          ? api('compute', '/v2.1/os-aggregates', { method: 'POST', body })
          : api('compute', pathOf(aggregate.id), { method: 'PUT', body });
      }}
      touches={[aggregatesQuery.queryKey]}
      close={close}
    />
  );
}

function HostsForm({ aggregate, close }: FormProps) {
  const { t } = useTranslation();
  const { data: services = [] } = useQuery(servicesQuery);
  const names = [...new Set([...aggregate.hosts, ...services.filter(({ binary }) => binary === 'nova-compute').map(({ host }) => host)])].sort();
  const options = names.map((name) => ({ value: name, label: name }));
  return (
    <FormDialog
      title={t('admin.chooseHosts')}
      confirm={t('identity.save')}
      fields={{ hosts: { kind: 'choices', label: t('pages.hosts'), options, initial: aggregate.hosts } }}
      send={async ({ hosts }) => {
        for (const host of hosts) if (!aggregate.hosts.includes(host)) await act(aggregate.id, { add_host: { host } });
        for (const host of aggregate.hosts) if (!hosts.includes(host)) await act(aggregate.id, { remove_host: { host } });
      }}
      touches={[aggregatesQuery.queryKey]}
      close={close}
    />
  );
}

function MetadataForm({ aggregate, close }: FormProps) {
  const { t } = useTranslation();
  const before = metadataOf(aggregate);
  return (
    <FormDialog
      title={t('fields.metadata')}
      confirm={t('identity.save')}
      fields={{ text: { kind: 'lines', label: t('fields.metadata'), help: t('admin.propertiesHelp'), initial: propertiesText(before) } }}
      wrong={({ text }) => ({ text: propertiesOf(text) === undefined ? t('admin.badProperties') : undefined })}
      send={async ({ text }) => {
        const metadata = propertyChange(before, propertiesOf(text) ?? {});
        if (Object.keys(metadata).length > 0) await act(aggregate.id, { set_metadata: { metadata } });
      }}
      touches={[aggregatesQuery.queryKey]}
      close={close}
    />
  );
}
