import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { api } from '../api/client.ts';
import { FormDialog } from '../parts/form-dialog.tsx';
import { ListPage } from '../parts/list-page.tsx';
import { PageLink } from '../parts/page-link.tsx';
import type { Column } from '../parts/resource-table.tsx';
import { actorOf, assignmentPath, choiceOf, grantPath, targetOf } from './grants.ts';
import { useActorChoices, useRoleChoices, useTargetChoices } from './names.ts';
import { type Assignment, type AssignmentFilter, assignmentsQuery } from './queries.ts';

/** Who has which role where: of a project, of a user, of a group, or all. Roles are given and taken here. */
export function Assignments({ title, filter }: { readonly title: string; readonly filter: AssignmentFilter }) {
  const { t } = useTranslation();
  const hasActor = filter.userId !== undefined || filter.groupId !== undefined;
  const columns = useMemo<readonly Column<Assignment>[]>(() => {
    const who: Column<Assignment> = {
      id: 'who',
      header: t('identity.who'),
      value: ({ user, group }) => user?.name ?? user?.id ?? group?.name ?? group?.id ?? '',
      cell: ({ user, group }) =>
        user === undefined ? (
          <PageLink to={`/groups/${group?.id ?? ''}`}>{`${group?.name ?? group?.id} (${t('identity.group')})`}</PageLink>
        ) : (
          <PageLink to={`/users/${user.id}`}>{user.name ?? user.id}</PageLink>
        ),
    };
    const where: Column<Assignment> = {
      id: 'where',
      header: t('identity.where'),
      value: ({ scope }) => scope.project?.name ?? scope.project?.id ?? scope.domain?.name ?? scope.domain?.id ?? t('identity.system'),
      cell: ({ scope }) =>
        scope.project !== undefined ? (
          <PageLink to={`/projects/${scope.project.id}`}>{scope.project.name ?? scope.project.id}</PageLink>
        ) : scope.domain !== undefined ? (
          `${scope.domain.name ?? scope.domain.id} (${t('signIn.domain')})`
        ) : (
          t('identity.system')
        ),
    };
    return [
      ...(hasActor ? [] : [who]),
      { id: 'role', header: t('identity.role'), value: ({ role }) => role.name ?? role.id },
      ...(filter.projectId === undefined ? [where] : []),
      {
        id: 'inherited',
        header: t('identity.inherited'),
        value: ({ scope }) => (scope['OS-INHERIT:inherited_to'] === undefined ? t('no') : t('yes')),
        shown: false,
      },
    ];
  }, [t, hasActor, filter.projectId]);
  const query = useMemo(() => assignmentsQuery(filter), [filter]);
  const labelOf = ({ role, user, group, scope }: Assignment): string =>
    [user?.name ?? group?.name, role.name, scope.project?.name ?? scope.domain?.name ?? t('identity.system')].filter(Boolean).join(' · ');
  return (
    <ListPage
      inner
      name={`assignments-${Object.keys(filter).join('-')}`}
      title={title}
      query={query}
      columns={columns}
      keyOf={assignmentPath}
      labelOf={labelOf}
      remove={(path) => api('identity', path, { method: 'DELETE' })}
      empty={{ title: t('identity.noAssignments'), text: t('identity.assignmentsHelp') }}
      create={{ label: t('identity.giveRole'), form: (close) => <GiveRole filter={filter} close={close} /> }}
    />
  );
}

function GiveRole({ filter, close }: { readonly filter: AssignmentFilter; readonly close: () => void }) {
  const { t } = useTranslation();
  const [actors, targets, roles] = [useActorChoices(), useTargetChoices(), useRoleChoices()];
  const actor = filter.userId !== undefined ? choiceOf('user', filter.userId) : filter.groupId !== undefined ? choiceOf('group', filter.groupId) : undefined;
  const target = filter.projectId === undefined ? undefined : choiceOf('project', filter.projectId);
  const fields = {
    ...(actor === undefined && { actor: { kind: 'choice', label: t('identity.who'), options: actors } as const }),
    ...(target === undefined && { target: { kind: 'choice', label: t('identity.where'), options: targets } as const }),
    roles: { kind: 'choices', label: t('access.roles'), options: roles, required: true },
  } as const;
  return (
    <FormDialog
      title={t('identity.giveRole')}
      confirm={t('identity.give')}
      fields={fields}
      send={async (values) => {
        const who = actorOf(actor ?? String(values.actor ?? ''));
        const where = targetOf(target ?? String(values.target ?? ''));
        for (const roleId of values.roles) await api('identity', grantPath(who, where, roleId), { method: 'PUT' });
      }}
      touches={[['role-assignments']]}
      close={close}
    />
  );
}
