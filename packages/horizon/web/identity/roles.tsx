import Tabs from '@cloudscape-design/components/tabs';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { FormDialog } from '../parts/form-dialog.tsx';
import { ListPage } from '../parts/list-page.tsx';
import type { Column } from '../parts/resource-table.tsx';
import { Assignments } from './assignments.tsx';
import { useDomainName } from './names.ts';
import { create, remove, type Role, rolesQuery } from './queries.ts';

/** Roles whose names the rules of every service use: without them nobody is anything. */
const KEPT = new Set(['admin', 'manager', 'member', 'reader', 'service']);
const EVERYBODY = {};

/** The roles that there are, and who has which where. */
export function RolesPage() {
  const { t } = useTranslation();
  const [tab, setTab] = useState('roles');
  return (
    <Tabs
      ariaLabel={t('pages.roles')}
      activeTabId={tab}
      onChange={({ detail }) => setTab(detail.activeTabId)}
      tabs={[
        { id: 'roles', label: t('pages.roles'), content: <Roles /> },
        { id: 'assignments', label: t('identity.assignments'), content: <Assignments title={t('identity.assignments')} filter={EVERYBODY} /> },
      ]}
    />
  );
}

function Roles() {
  const { t } = useTranslation();
  const domainName = useDomainName();
  const columns = useMemo<readonly Column<Role>[]>(
    () => [
      { id: 'name', header: t('fields.name'), value: ({ name }) => name },
      { id: 'domain', header: t('signIn.domain'), value: ({ domain_id }) => domainName(domain_id) },
      { id: 'description', header: t('fields.description'), value: ({ description }) => description ?? '' },
      { id: 'id', header: t('fields.id'), value: ({ id }) => id, shown: false },
    ],
    [t, domainName],
  );
  return (
    <ListPage
      inner
      name="roles"
      title={t('pages.roles')}
      query={rolesQuery}
      columns={columns}
      keyOf={({ id }) => id}
      labelOf={({ name }) => name}
      kept={({ name, domain_id }) => (domain_id === null && KEPT.has(name) ? t('identity.roleOfRules') : undefined)}
      remove={(id) => remove('roles', id)}
      empty={{ title: t('identity.noRoles'), text: t('identity.rolesHelp') }}
      create={{ label: t('identity.createRole'), form: (close) => <RoleForm close={close} /> }}
    />
  );
}

function RoleForm({ close }: { readonly close: () => void }) {
  const { t } = useTranslation();
  const fields = {
    name: { kind: 'text', label: t('fields.name'), required: true },
    description: { kind: 'text', label: t('fields.description') },
  } as const;
  return (
    <FormDialog
      title={t('identity.createRole')}
      confirm={t('create')}
      fields={fields}
      send={(body) => create('roles', 'role', body)}
      touches={[rolesQuery.queryKey]}
      close={close}
    />
  );
}
