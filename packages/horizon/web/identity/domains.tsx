import StatusIndicator from '@cloudscape-design/components/status-indicator';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { FormDialog } from '../parts/form-dialog.tsx';
import { ListPage } from '../parts/list-page.tsx';
import { type RowAction, RowActions } from '../parts/row-actions.tsx';
import type { Column } from '../parts/resource-table.tsx';
import { useEnabling } from './enable.ts';
import { change, create, type Domain, domainsQuery, remove } from './queries.ts';

/** All domains of the cloud. */
export function DomainsPage() {
  const { t } = useTranslation();
  const enabling = useEnabling<Domain>('domains', 'domain', ({ id }) => (id === 'default' ? t('identity.defaultDomain') : undefined));
  const actions: readonly RowAction<Domain>[] = [
    { id: 'edit', text: t('identity.edit'), dialog: (domain, close) => <DomainForm domain={domain} close={close} /> },
    ...enabling,
  ];
  const columns = useMemo<readonly Column<Domain>[]>(
    () => [
      { id: 'name', header: t('fields.name'), value: ({ name }) => name },
      {
        id: 'enabled',
        header: t('identity.enabled'),
        value: ({ enabled }) => (enabled ? t('yes') : t('no')),
        cell: ({ enabled }) => <Enabled enabled={enabled} />,
      },
      { id: 'description', header: t('fields.description'), value: ({ description }) => description ?? '' },
      { id: 'id', header: t('fields.id'), value: ({ id }) => id, shown: false },
    ],
    [t],
  );
  return (
    <ListPage
      name="domains"
      title={t('pages.domains')}
      query={domainsQuery}
      columns={columns}
      keyOf={({ id }) => id}
      labelOf={({ name }) => name}
      kept={({ enabled }) => (enabled ? t('identity.disableFirst') : undefined)}
      remove={(id) => remove('domains', id)}
      actions={(rows) => <RowActions rows={rows} actions={actions} keyOf={({ id }) => id} labelOf={({ name }) => name} touches={[domainsQuery.queryKey]} />}
      empty={{ title: t('identity.noDomains'), text: t('identity.domainsHelp') }}
      create={{ label: t('identity.createDomain'), form: (close) => <DomainForm close={close} /> }}
    />
  );
}

export function Enabled({ enabled }: { readonly enabled: boolean }) {
  const { t } = useTranslation();
  return <StatusIndicator type={enabled ? 'success' : 'stopped'}>{enabled ? t('yes') : t('no')}</StatusIndicator>;
}

function DomainForm({ domain, close }: { readonly domain?: Domain; readonly close: () => void }) {
  const { t } = useTranslation();
  const fields = {
    name: { kind: 'text', label: t('fields.name'), initial: domain?.name, required: true },
    description: { kind: 'text', label: t('fields.description'), initial: domain?.description ?? '' },
  } as const;
  return (
    <FormDialog
      title={domain === undefined ? t('identity.createDomain') : t('identity.edit')}
      confirm={domain === undefined ? t('create') : t('identity.save')}
      fields={fields}
      send={(body) => (domain === undefined ? create('domains', 'domain', body) : change('domains', 'domain', domain.id, body))}
      touches={[domainsQuery.queryKey]}
      close={close}
    />
  );
}
