import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { FormDialog } from '../parts/form-dialog.tsx';
import { ListPage } from '../parts/list-page.tsx';
import { PageLink } from '../parts/page-link.tsx';
import type { Column } from '../parts/resource-table.tsx';
import { type RowAction, RowActions } from '../parts/row-actions.tsx';
import { useSession } from '../session/session.ts';
import { Enabled } from './domains.tsx';
import { useEnabling } from './enable.ts';
import { useDomainChoices, useDomainName } from './names.ts';
import { change, create, remove, textOf, type User, usersQuery } from './queries.ts';

/** All users that the session may see. */
export function UsersPage() {
  const { t } = useTranslation();
  const { session } = useSession();
  const domainName = useDomainName();
  const own = ({ id }: User): string | undefined => (id === session.user.id ? t('identity.yourself') : undefined);
  const actions: readonly RowAction<User>[] = [
    { id: 'edit', text: t('identity.edit'), dialog: (user, close) => <UserForm user={user} close={close} /> },
    { id: 'password', text: t('identity.setPassword'), why: own, dialog: (user, close) => <PasswordForm user={user} close={close} /> },
    ...useEnabling<User>('users', 'user', own),
  ];
  const columns = useMemo<readonly Column<User>[]>(
    () => [
      { id: 'name', header: t('fields.name'), value: ({ name }) => name, cell: ({ id, name }) => <PageLink to={`/users/${id}`}>{name}</PageLink> },
      { id: 'domain', header: t('signIn.domain'), value: ({ domain_id }) => domainName(domain_id) },
      { id: 'email', header: t('identity.email'), value: ({ email }) => textOf(email) },
      {
        id: 'enabled',
        header: t('identity.enabled'),
        value: ({ enabled }) => (enabled ? t('yes') : t('no')),
        cell: ({ enabled }) => <Enabled enabled={enabled} />,
      },
      { id: 'description', header: t('fields.description'), value: ({ description }) => textOf(description), shown: false },
      { id: 'id', header: t('fields.id'), value: ({ id }) => id, shown: false },
    ],
    [t, domainName],
  );
  return (
    <ListPage
      name="users"
      title={t('pages.users')}
      query={usersQuery}
      columns={columns}
      keyOf={({ id }) => id}
      labelOf={({ name }) => name}
      kept={own}
      remove={(id) => remove('users', id)}
      actions={(rows) => <RowActions rows={rows} actions={actions} keyOf={({ id }) => id} labelOf={({ name }) => name} touches={[usersQuery.queryKey]} />}
      empty={{ title: t('identity.noUsers'), text: t('identity.usersHelp') }}
      create={{ label: t('identity.createUser'), form: (close) => <UserForm close={close} /> }}
    />
  );
}

function UserForm({ user, close }: { readonly user?: User; readonly close: () => void }) {
  const { t } = useTranslation();
  const { choices, initial } = useDomainChoices();
  const fields = {
    name: { kind: 'text', label: t('fields.name'), initial: user?.name, required: true },
    email: { kind: 'email', label: t('identity.email'), initial: textOf(user?.email) },
    description: { kind: 'text', label: t('fields.description'), initial: textOf(user?.description) },
    ...(user === undefined && {
      domain_id: { kind: 'choice', label: t('signIn.domain'), options: choices, initial } as const,
      password: { kind: 'password', label: t('signIn.password'), required: true } as const,
      again: { kind: 'password', label: t('identity.passwordAgain'), required: true } as const,
    }),
  } as const;
  return (
    <FormDialog
      title={user === undefined ? t('identity.createUser') : t('identity.edit')}
      confirm={user === undefined ? t('create') : t('identity.save')}
      fields={fields}
      wrong={({ password, again }) => ({ again: again === '' || again === password ? undefined : t('identity.passwordsDiffer') })}
      send={({ again: _again, email, ...rest }) => {
        const body = { ...rest, ...((email !== '' || textOf(user?.email) !== '') && { email }) };
        return user === undefined ? create('users', 'user', body) : change('users', 'user', user.id, body);
      }}
      touches={[usersQuery.queryKey]}
      close={close}
    />
  );
}

function PasswordForm({ user, close }: { readonly user: User; readonly close: () => void }) {
  const { t } = useTranslation();
  const fields = {
    password: { kind: 'password', label: t('signIn.password'), help: t('identity.setPasswordHelp', { name: user.name }), required: true },
    again: { kind: 'password', label: t('identity.passwordAgain'), required: true },
  } as const;
  return (
    <FormDialog
      title={t('identity.setPassword')}
      confirm={t('identity.save')}
      fields={fields}
      wrong={({ password, again }) => ({ again: again === '' || again === password ? undefined : t('identity.passwordsDiffer') })}
      send={({ password }) => change('users', 'user', user.id, { password })}
      touches={[usersQuery.queryKey]}
      close={close}
    />
  );
}
