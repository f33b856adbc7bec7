import Alert from '@cloudscape-design/components/alert';
import Button from '@cloudscape-design/components/button';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api } from '../api/client.ts';
import { download } from '../parts/download.ts';
import { FormDialog } from '../parts/form-dialog.tsx';
import { ListPage } from '../parts/list-page.tsx';
import type { Column } from '../parts/resource-table.tsx';
import { Time } from '../parts/time.tsx';
import { useSession } from '../session/session.ts';
import { accessRulesOf, credentialBody, LIFETIMES_DAYS, RULE_EXAMPLE } from './credential.ts';
import { type AppCredentialSecret, appCredentialYaml } from './files.ts';
import { type AppCredential, appCredentialsPath, appCredentialsQuery } from './queries.ts';
import { SecretShown } from './secret.tsx';

/** The user's application credentials: keys for programs, with some of the user's roles and perhaps an end. */
export function AppCredentials() {
  const { t } = useTranslation();
  const { session, region } = useSession();
  const [made, setMade] = useState<AppCredentialSecret>();
  const query = useMemo(() => appCredentialsQuery(session.user.id), [session.user.id]);
  const columns = useMemo<readonly Column<AppCredential>[]>(
    () => [
      { id: 'name', header: t('fields.name'), value: ({ name }) => name },
      { id: 'roles', header: t('access.roles'), value: ({ roles }) => roles.map(({ name }) => name).join(', ') },
      {
        id: 'expires',
        header: t('access.expires'),
        value: ({ expires_at }) => expires_at ?? '',
        cell: ({ expires_at }) => (expires_at === null ? t('access.never') : <Time at={expires_at} />),
      },
      {
        id: 'rules',
        header: t('access.rules'),
        value: ({ access_rules = [] }) => access_rules.map(({ method, service, path }) => `${method} ${service} ${path}`).join(', '),
      },
      { id: 'unrestricted', header: t('access.unrestrictedShort'), value: ({ unrestricted }) => (unrestricted ? t('yes') : t('no')) },
      {
        id: 'project',
        header: t('session.project'),
        value: ({ project_id }) => session.projects.find(({ id }) => id === project_id)?.name ?? project_id ?? '',
      },
      { id: 'id', header: t('fields.id'), value: ({ id }) => id, shown: false },
    ],
    [t, session.projects],
  );
  const facts = { ...session, region, origin: location.origin };
  return (
    <SpaceBetween size="m">
      {made !== undefined && (
        <SecretShown
          id={made.id}
          secret={made.secret}
          onDismiss={() => setMade(undefined)}
          action={
            <Button iconName="download" onClick={() => download('clouds.yaml', appCredentialYaml(facts, made))}>
              {t('access.cloudsYaml')}
            </Button>
          }
        />
      )}
      {session.project === null && <Alert type="info">{t('access.needsProject')}</Alert>}
      <ListPage
        inner
        name="application-credentials"
        title={t('access.application')}
        query={query}
        columns={columns}
        keyOf={({ id }) => id}
        labelOf={({ name }) => name}
        remove={(id) => api('identity', `${appCredentialsPath(session.user.id)}/${encodeURIComponent(id)}`, { method: 'DELETE' })}
        empty={{ title: t('access.noApplication'), text: t('access.applicationHelp') }}
        create={{ label: t('access.createApplication'), form: (close) => <CreateAppCredential close={close} onMade={setMade} /> }}
      />
    </SpaceBetween>
  );
}

function CreateAppCredential({ close, onMade }: { readonly close: () => void; readonly onMade: (made: AppCredentialSecret) => void }) {
  const { t } = useTranslation();
  const { session } = useSession();
  const fields = {
    name: { kind: 'text', label: t('fields.name'), required: true },
    description: { kind: 'text', label: t('fields.description') },
    lifetime: {
      kind: 'choice',
      label: t('access.lifetime'),
      initial: '90',
      options: LIFETIMES_DAYS.map((value) => ({ value, label: value === 'never' ? t('access.never') : t('access.days', { count: Number(value) }) })),
    },
    roles: {
      kind: 'choices',
      label: t('access.roles'),
      help: t('access.rolesHelp'),
      options: session.roles.map((name) => ({ value: name, label: name })),
    },
    rules: { kind: 'lines', label: t('access.rules'), help: t('access.rulesHelp', { example: RULE_EXAMPLE }) },
    unrestricted: { kind: 'check', label: t('access.unrestricted'), help: t('access.unrestrictedHelp') },
  } as const;
  return (
    <FormDialog
      title={t('access.createApplication')}
      confirm={t('create')}
      fields={fields}
      wrong={({ rules }) => ({ rules: accessRulesOf(rules) === undefined ? t('access.badRule', { example: RULE_EXAMPLE }) : undefined })}
      send={async (values) => {
        const path = appCredentialsPath(session.user.id);
        const body = credentialBody(values, Date.now());
        onMade((await api<'keystone.application_credential.create'>('identity', path, { method: 'POST', body })).application_credential);
      }}
      touches={[['application-credentials']]}
      close={close}
    />
  );
}
