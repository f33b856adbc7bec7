import Button from '@cloudscape-design/components/button';
import ContentLayout from '@cloudscape-design/components/content-layout';
import Form from '@cloudscape-design/components/form';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api } from '../../api/client.ts';
import { imagesQuery } from '../../images/queries.ts';
import { networksQuery } from '../../networks/queries.ts';
import { Refusal } from '../../parts/refusal.tsx';
import { flavorsQuery } from '../flavors.ts';
import { MoreSection } from './more.tsx';
import { ReachSection } from './reach.tsx';
import { BEGINNING, type LaunchForm, launchBody, missingOf } from './request.ts';
import { SameSection } from './same.tsx';
import type { SectionProps } from './section.ts';
import { WhatSection } from './what.tsx';

/** The way to a server: what has to be said comes first and has a default where there is one; what does the same elsewhere stands below. */
export function LaunchPage() {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const queries = useQueryClient();
  const images = useQuery(imagesQuery);
  const flavors = useQuery(flavorsQuery);
  const networks = useQuery(networksQuery);
  const [typed, setTyped] = useState<LaunchForm>(BEGINNING);
  const [sending, setSending] = useState(false);
  const [tried, setTried] = useState(false);
  const [refused, setRefused] = useState<Error>();

  const usableImages = (images.data ?? []).filter(({ status }) => status === 'active');
  const ownNetworks = (networks.data ?? []).filter((network) => !network['router:external']);
  // where there is no choice, none has to be made
  const form: LaunchForm = {
    ...typed,
    imageId: typed.imageId || (usableImages.length === 1 ? (usableImages[0]?.id ?? '') : ''),
    flavorId: typed.flavorId || (flavors.data?.[0]?.id ?? ''),
    networkIds: typed.networkIds.length + typed.portIds.length === 0 && ownNetworks.length === 1 ? ownNetworks.map(({ id }) => id) : typed.networkIds,
  };
  const missing = missingOf(form);
  const body = launchBody(form);
  const section: SectionProps = {
    form,
    set: (change) => setTyped((before) => ({ ...before, ...change })),
    errorOf: (field) => (tried && missing.includes(field) ? t(`launch.missing.${field}`) : undefined),
  };

  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setTried(true);
    if (missing.length > 0) return;
    setSending(true);
    setRefused(undefined);
    try {
      const { server } = await api<'nova.server.create'>('compute', '/v2.1/servers', { method: 'POST', body });
      void queries.invalidateQueries({ queryKey: ['servers'] });
      void queries.invalidateQueries({ queryKey: ['quota', 'compute'] });
      if (form.count > 1 || server === undefined) await navigate({ to: '/servers' });
      else await navigate({ to: '/servers/$serverId', params: { serverId: server.id }, search: { tab: 'flow' } });
    } catch (error) {
      setRefused(error as Error);
    } finally {
      setSending(false);
    }
  };

  return (
    <ContentLayout header={<Header variant="h1">{t('launch.title')}</Header>}>
      <form onSubmit={(event) => void submit(event)}>
        <Form
          actions={
            <SpaceBetween size="xs" direction="horizontal">
              <Button variant="link" formAction="none" onClick={() => void navigate({ to: '/servers' })}>
                {t('cancel')}
              </Button>
              <Button variant="primary" loading={sending} loadingText={t('working')}>
                {t('servers.launch')}
              </Button>
            </SpaceBetween>
          }
        >
          <SpaceBetween size="l">
            {refused !== undefined && <Refusal header={t('launch.refused')} error={refused} />}
            <WhatSection {...section} />
            <ReachSection {...section} />
            <MoreSection {...section} />
            <SameSection body={body} />
          </SpaceBetween>
        </Form>
      </form>
    </ContentLayout>
  );
}
