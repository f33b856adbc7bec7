import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { useKeptFrom } from '../networks/owner.ts';
import { remove } from '../networks/write.ts';
import { ListPage } from '../parts/list-page.tsx';
import { PageLink } from '../parts/page-link.tsx';
import type { Column } from '../parts/resource-table.tsx';
import { AddressGroupForm, CreateGroup } from './forms.tsx';
import { type AddressGroup, addressGroupsQuery, type SecurityGroup, securityGroupsQuery } from './queries.ts';

/** The project's security groups; their rules are one click away. */
export function SecurityGroupsPage() {
  const { t } = useTranslation();
  const keptFrom = useKeptFrom();
  const columns = useMemo<readonly Column<SecurityGroup>[]>(
    () => [
      { id: 'name', header: t('fields.name'), value: ({ name }) => name, cell: ({ id, name }) => <PageLink to={`/security-groups/${id}`}>{name}</PageLink> },
      { id: 'description', header: t('fields.description'), value: ({ description }) => description },
      { id: 'rules', header: t('fields.rules'), value: ({ security_group_rules }) => security_group_rules.length },
      { id: 'stateful', header: t('groups.stateful'), value: ({ stateful }) => (stateful ? t('yes') : t('no')), shown: false },
      { id: 'shared', header: t('fields.shared'), value: ({ shared }) => (shared ? t('yes') : t('no')), shown: false },
      { id: 'tags', header: t('networks.tags'), value: ({ tags = [] }) => tags.join(', '), shown: false },
      { id: 'project', header: t('session.project'), value: ({ project_id }) => project_id, shown: false },
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
      kept={(group) => keptFrom(group) ?? (group.name === 'default' ? t('groups.default') : undefined)}
      remove={(id) => remove('security-groups', id)}
      empty={{ title: t('groups.empty'), text: t('groups.emptyText') }}
      create={{ label: t('groups.create'), form: (close) => <CreateGroup close={close} /> }}
    />
  );
}

/** Addresses that the rules of security groups name together. */
export function AddressGroupsPage() {
  const { t } = useTranslation();
  const keptFrom = useKeptFrom();
  const columns = useMemo<readonly Column<AddressGroup>[]>(
    () => [
      { id: 'name', header: t('fields.name'), value: ({ name, id }) => name || id },
      { id: 'addresses', header: t('net.addresses'), value: ({ addresses }) => addresses.join(', ') },
      { id: 'description', header: t('fields.description'), value: ({ description }) => description },
      { id: 'id', header: t('fields.id'), value: ({ id }) => id, shown: false },
    ],
    [t],
  );
  return (
    <ListPage
      name="address-groups"
      title={t('pages.address-groups')}
      query={addressGroupsQuery}
      columns={columns}
      keyOf={({ id }) => id}
      labelOf={({ name, id }) => name || id}
      kept={keptFrom}
      remove={(id) => remove('address-groups', id)}
      edit={{ label: t('net.edit'), form: (row, close) => <AddressGroupForm before={row} close={close} /> }}
      empty={{ title: t('addressGroups.empty'), text: t('addressGroups.emptyText') }}
      create={{ label: t('addressGroups.create'), form: (close) => <AddressGroupForm close={close} /> }}
    />
  );
}
