import SpaceBetween from '@cloudscape-design/components/space-between';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api } from '../api/client.ts';
import { FormDialog } from '../parts/form-dialog.tsx';
import { ListPage } from '../parts/list-page.tsx';
import type { Column } from '../parts/resource-table.tsx';
import { useSession } from '../session/session.ts';
import { type Ec2Credential, ec2Path, ec2Query } from './queries.ts';
import { SecretShown } from './secret.tsx';

/** The user's access keys for EC2 and S3. */
export function Ec2Credentials() {
  const { t } = useTranslation();
  const { session } = useSession();
  const [made, setMade] = useState<Ec2Credential>();
  const query = useMemo(() => ec2Query(session.user.id), [session.user.id]);
  const columns = useMemo<readonly Column<Ec2Credential>[]>(
    () => [
      { id: 'access', header: t('access.accessKey'), value: ({ access }) => access },
      { id: 'project', header: t('session.project'), value: ({ tenant_id }) => session.projects.find(({ id }) => id === tenant_id)?.name ?? tenant_id ?? '' },
    ],
    [t, session.projects],
  );
  return (
    <SpaceBetween size="m">
      {made !== undefined && <SecretShown id={made.access} secret={made.secret} onDismiss={() => setMade(undefined)} />}
      <ListPage
        inner
        name="ec2-credentials"
        title={t('access.ec2')}
        query={query}
        columns={columns}
        keyOf={({ access }) => access}
        labelOf={({ access }) => access}
        remove={(access) => api('identity', `${ec2Path(session.user.id)}/${encodeURIComponent(access)}`, { method: 'DELETE' })}
        empty={{ title: t('access.noEc2'), text: t('access.ec2Help') }}
        create={{ label: t('access.createEc2'), form: (close) => <CreateEc2 close={close} onMade={setMade} /> }}
      />
    </SpaceBetween>
  );
}

function CreateEc2({ close, onMade }: { readonly close: () => void; readonly onMade: (made: Ec2Credential) => void }) {
  const { t } = useTranslation();
  const { session } = useSession();
  const options = session.projects.filter(({ enabled }) => enabled).map(({ id, name }) => ({ value: id, label: name }));
  return (
    <FormDialog
      title={t('access.createEc2')}
      confirm={t('create')}
      fields={{ project: { kind: 'choice', label: t('session.project'), options, initial: session.project?.id } }}
      send={async ({ project }) => {
        const body = { tenant_id: project };
        onMade((await api<'keystone.ec2_credential.create'>('identity', ec2Path(session.user.id), { method: 'POST', body })).credential);
      }}
      touches={[['ec2-credentials']]}
      close={close}
    />
  );
}
