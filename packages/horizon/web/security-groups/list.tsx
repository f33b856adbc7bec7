import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api } from '../api/client.ts';
import { CreateDialog } from '../parts/create-dialog.tsx';
import { ListPage } from '../parts/list-page.tsx';
import { PageLink } from '../parts/page-link.tsx';
import type { Column } from '../parts/resource-table.tsx';
import { type SecurityGroup, securityGroupsQuery } from './queries.ts';

/** The project's security groups; their rules are one click away. */
export function SecurityGroupsPage() {
  const { t } = useTranslation();
  const columns = useMemo<readonly Column<SecurityGroup>[]>(
    () => [
      { id: 'name', header: t('fields.name'), value: ({ name }) => name, cell: ({ id, name }) => <PageLink to={`/security-groups/${id}`}>{name}</PageLink> },
      { id: 'description', header: t('fields.description'), value: ({ description }) => description },
      { id: 'rules', header: t('fields.rules'), value: ({ security_group_rules }) => security_group_rules.length },
      { id: 'id', header: t('fields.id'), value: ({ id }) => id, shown: false },
    ],
    [t],
  );
  return (
    <ListPage
      name="security-groups"
      title={t('pages.security-groups')}
      query={securityGroupsQuery}
      columns={columns}
      keyOf={({ id }) => id}
      labelOf={({ name }) => name}
      kept={({ name }) => (name === 'default' ? t('groups.default') : undefined)}
      remove={(id) => api('network', `/v2.0/security-groups/${id}`, { method: 'DELETE' })}
      empty={{ title: t('groups.empty'), text: t('groups.emptyText') }}
      create={{ label: t('groups.create'), form: (close) => <CreateGroup close={close} /> }}
    />
  );
}

function CreateGroup({ close }: { readonly close: () => void }) {
  const { t } = useTranslation();
  const [name, setName] = useState('');
  const [description, setDescription] = useState('');
  return (
    <CreateDialog
      title={t('groups.create')}
      confirm={t('create')}
      ready={name.trim() !== ''}
      send={() => api('network', '/v2.0/security-groups', { method: 'POST', body: { security_group: { name, description } } })}
      touches={[securityGroupsQuery.queryKey]}
      close={close}
    >
      <FormField label={t('fields.name')}>
        <Input value={name} onChange={({ detail }) => setName(detail.value)} autoFocus />
      </FormField>
      <FormField label={t('fields.description')}>
        <Input value={description} onChange={({ detail }) => setDescription(detail.value)} />
      </FormField>
    </CreateDialog>
  );
}
