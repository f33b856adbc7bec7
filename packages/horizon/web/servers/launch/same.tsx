import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import SegmentedControl from '@cloudscape-design/components/segmented-control';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { cliOf, curlOf } from '../../api/commands.ts';
import { SERVICES } from '../../api/services.ts';
import { terraformOf } from '../../api/terraform.ts';
import { CommandText } from '../../parts/command-text.tsx';
import type { LaunchBody } from './request.ts';

type Form = 'cli' | 'curl' | 'terraform';

/** The same launch for a shell, and for Terraform. */
export function SameSection({ body }: { readonly body: LaunchBody }) {
  const { t } = useTranslation();
  const [form, setForm] = useState<Form>('cli');
  const headers = { 'content-type': 'application/json', 'openstack-api-version': SERVICES.compute.header };
  const call = { service: 'compute', method: 'POST', path: '/v2.1/servers', body, headers } as const;
  const text = form === 'cli' ? cliOf(call) : form === 'curl' ? curlOf(call, location.origin) : terraformOf(call);
  return (
    <Container
      header={
        <Header variant="h2" description={t('launch.commandHelp')}>
          {t('launch.command')}
        </Header>
      }
    >
      <SpaceBetween size="s">
        <SegmentedControl
          label={t('activity.form')}
          selectedId={form}
          onChange={({ detail }) => setForm(detail.selectedId as Form)}
          options={(['cli', 'curl', 'terraform'] as const).map((id) => ({ id, text: id === 'terraform' ? t('launch.terraform') : t(`activity.${id}`) }))}
        />
        <CommandText text={text ?? ''} />
      </SpaceBetween>
    </Container>
  );
}
