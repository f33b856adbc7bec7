import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { FormDialog } from '../parts/form-dialog.tsx';
import { ListPage } from '../parts/list-page.tsx';
import { PageLink } from '../parts/page-link.tsx';
import type { Column } from '../parts/resource-table.tsx';
import { type RowAction, RowActions } from '../parts/row-actions.tsx';
import { useDomainChoices, useDomainName } from './names.ts';
import { change, create, type Group, groupsQuery, remove } from './queries.ts';

/** All groups that the session may see. */
export function GroupsPage() {
  const { t } = useTranslation();
  const domainName = useDomainName();
  const actions: readonly RowAction<Group>[] = [{ id: 'edit', text: t('identity.edit'), dialog: (group, close) => <GroupForm group={group} close={close} /> }];
  const columns = useMemo<readonly Column<Group>[]>(
    () => [
      { id: 'name', header: t('fields.name'), value: ({ name }) => name, cell: ({ id, name }) => <PageLink to={`/groups/${id}`}>{name}</PageLink> },
      { id: 'domain', header: t('signIn.domain'), value: ({ domain_id }) => domainName(domain_id) },
      { id: 'description', header: t('fields.description'), value: ({ description }) => description ?? '' },
      { id: 'id', header: t('fields.id'), value: ({ id }) => id, shown: false },
    ],
    [t, domainName],
  );
  return (
    <ListPage
      name="groups"
      title={t('pages.groups')}
      query={groupsQuery}
      columns={columns}
      keyOf={({ id }) => id}
      labelOf={({ name }) => name}
      remove={(id) => remove('groups', id)}
      actions={(rows) => <RowActions rows={rows} actions={actions} keyOf={({ id }) => id} labelOf={({ name }) => name} touches={[groupsQuery.queryKey]} />}
      empty={{ title: t('identity.noGroups'), text: t('identity.groupsHelp') }}
      create={{ label: t('identity.createGroup'), form: (close) => <GroupForm close={close} /> }}
    />
  );
}

function GroupForm({ group, close }: { readonly group?: Group; readonly close: () => void }) {
  const { t } = useTranslation();
  const { choices, initial } = useDomainChoices();
  const fields = {
    name: { kind: 'text', label: t('fields.name'), initial: group?.name, required: true },
    description: { kind: 'text', label: t('fields.description'), initial: group?.description ?? '' },
    ...(group === undefined && { domain_id: { kind: 'choice', label: t('signIn.domain'), options: choices, initial } as const }),
  } as const;
  return (
    <FormDialog
      title={group === undefined ? t('identity.createGroup') : t('identity.edit')}
      confirm={group === undefined ? t('create') : t('identity.save')}
      fields={fields}
      send={(body) => (group === undefined ? create('groups', 'group', body) : change('groups', 'group', group.id, body))}
      touches={[groupsQuery.queryKey]}
      close={close}
    />
  );
}
