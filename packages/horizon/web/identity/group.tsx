import Alert from '@cloudscape-design/components/alert';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { api } from '../api/client.ts';
import { FormDialog } from '../parts/form-dialog.tsx';
import { ListPage } from '../parts/list-page.tsx';
import { PageLink } from '../parts/page-link.tsx';
import type { Column } from '../parts/resource-table.tsx';
import { Waiting } from '../parts/waiting.tsx';
import { Assignments } from './assignments.tsx';
import { useDomainName } from './names.ts';
import { groupQuery, membersQuery, type User, usersQuery } from './queries.ts';

const memberPath = (groupId: string, userId: string): string => `/v3/groups/${encodeURIComponent(groupId)}/users/${encodeURIComponent(userId)}`;

/** A group: its users, and the roles that all of them have by it. */
export function GroupPage() {
  const { t } = useTranslation();
  const { groupId } = useParams({ from: '/groups/$groupId' });
  const domainName = useDomainName();
  const { data: group, error } = useQuery(groupQuery(groupId));
  const filter = useMemo(() => ({ groupId }), [groupId]);
  const query = useMemo(() => membersQuery(groupId), [groupId]);
  const columns = useMemo<readonly Column<User>[]>(
    () => [
      { id: 'name', header: t('fields.name'), value: ({ name }) => name, cell: ({ id, name }) => <PageLink to={`/users/${id}`}>{name}</PageLink> },
      { id: 'domain', header: t('signIn.domain'), value: ({ domain_id }) => domainName(domain_id) },
    ],
    [t, domainName],
  );
  if (error !== null) return <Alert type="error">{error.message}</Alert>;
  if (group === undefined) return <Waiting />;
  return (
    <SpaceBetween size="l">
      <Header variant="h1" description={group.description ?? ''}>
        {group.name}
      </Header>
      <ListPage
        inner
        name="group-members"
        title={t('identity.usersOfGroup')}
        query={query}
        columns={columns}
        keyOf={({ id }) => id}
        labelOf={({ name }) => name}
        remove={(userId) => api('identity', memberPath(groupId, userId), { method: 'DELETE' })}
        removeWords={{ label: t('identity.takeOut'), title: t('identity.takeOut'), text: t('identity.takeOutText') }}
        empty={{ title: t('identity.noMembers'), text: t('identity.membersHelp') }}
        create={{ label: t('identity.addUsers'), form: (close) => <AddUsers groupId={groupId} close={close} /> }}
      />
      <Assignments title={t('identity.rolesOfGroup')} filter={filter} />
    </SpaceBetween>
  );
}

function AddUsers({ groupId, close }: { readonly groupId: string; readonly close: () => void }) {
  const { t } = useTranslation();
  const domainName = useDomainName();
  const { data: users = [] } = useQuery(usersQuery);
  const { data: members = [] } = useQuery(membersQuery(groupId));
  const inside = new Set(members.map(({ id }) => id));
  const options = users.filter(({ id }) => !inside.has(id)).map(({ id, name, domain_id }) => ({ value: id, label: name, description: domainName(domain_id) }));
  return (
    <FormDialog
      title={t('identity.addUsers')}
      confirm={t('identity.add')}
      fields={{ users: { kind: 'choices', label: t('pages.users'), options, required: true } }}
      send={({ users: chosen }) => Promise.all(chosen.map((userId) => api('identity', memberPath(groupId, userId), { method: 'PUT' })))}
      touches={[['groups', groupId]]}
      close={close}
    />
  );
}
