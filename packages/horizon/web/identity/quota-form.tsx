import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import ColumnLayout from '@cloudscape-design/components/column-layout';
import Container from '@cloudscape-design/components/container';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import Input from '@cloudscape-design/components/input';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { queryOptions, useQueries, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api } from '../api/client.ts';
import { Waiting } from '../parts/waiting.tsx';
import { useNotices } from '../shell/notices.tsx';
import { changedLimits, limitOf, type Limits, QUOTA_SERVICES, QUOTAS, quotaKey, quotaPath, type QuotaService } from './quotas.ts';

const quotaQuery = (service: QuotaService, projectId: string) =>
  queryOptions({
    queryKey: ['quotas', service, projectId] as const,
    queryFn: async ({ signal }): Promise<Limits> => {
      const answer = await api<'nova.quota-set.show' | 'cinder.quota-set.show' | 'neutron.quota.show'>(service, quotaPath(service, projectId), { signal });
      const set = 'quota' in answer ? answer.quota : answer.quota_set;
      return Object.fromEntries(Object.entries<unknown>(set).flatMap(([name, limit]) => (typeof limit === 'number' ? [[name, limit]] : [])));
    },
  });

const SECTION = { compute: 'compute', network: 'network', volume: 'storage' } as const;

/** The limits of a project in all services, in one form; each service is sent what was changed of its own. */
export function QuotaForm({ projectId }: { readonly projectId: string }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const notices = useNotices();
  const found = useQueries({ queries: QUOTA_SERVICES.map((service) => quotaQuery(service, projectId)) });
  const [typed, setTyped] = useState<Readonly<Record<string, string>>>({});
  const [busy, setBusy] = useState(false);
  const changes = QUOTA_SERVICES.map((service, index) => ({ service, limits: changedLimits(QUOTAS[service], found[index]?.data ?? {}, typed) }));
  const wrong = changes.some(({ limits }) => limits === undefined);
  const same = changes.every(({ limits }) => limits !== undefined && Object.keys(limits).length === 0);

  const save = async (): Promise<void> => {
    setBusy(true);
    for (const { service, limits = {} } of changes) {
      if (Object.keys(limits).length === 0) continue;
      try {
        await api(service, quotaPath(service, projectId), { method: 'PUT', body: { [quotaKey(service)]: limits } });
        await queries.invalidateQueries({ queryKey: ['quotas', service, projectId] });
        setTyped((before) => Object.fromEntries(Object.entries(before).filter(([name, text]) => !(name in limits) || text !== typed[name])));
      } catch (error) {
        // what was typed stays, to be sent again
        notices.fail(t('quotas.refused', { service: t(`sections.${SECTION[service]}`) }), error);
      }
    }
    setBusy(false);
  };

  return (
    <Container
      header={
        <Header
          variant="h2"
          description={t('quotas.help')}
          actions={
            <SpaceBetween size="xs" direction="horizontal">
              <Button variant="link" disabled={same && !wrong} disabledReason={t('quotas.same')} onClick={() => setTyped({})}>
                {t('cancel')}
              </Button>
              <Button
                variant="primary"
                disabled={same || wrong}
                disabledReason={wrong ? t('quotas.wrong') : t('quotas.same')}
                loading={busy}
                loadingText={t('working')}
                onClick={() => void save()}
              >
                {t('identity.save')}
              </Button>
            </SpaceBetween>
          }
        >
          {t('quotas.title')}
        </Header>
      }
    >
      <ColumnLayout columns={3} minColumnWidth={220}>
        {QUOTA_SERVICES.map((service, index) => (
          <SpaceBetween size="s" key={service}>
            <Box variant="h3">{t(`sections.${SECTION[service]}`)}</Box>
            {found[index]?.isPending && <Waiting />}
            {found[index]?.error && <Alert type="error">{found[index].error.message}</Alert>}
            {QUOTAS[service].map((name) => {
              const now = found[index]?.data?.[name];
              if (now === undefined) return null;
              const text = typed[name] ?? String(now);
              return (
                <FormField key={name} label={t(`quotas.names.${name}`)} errorText={limitOf(text) === undefined ? t('quotas.wrong') : undefined}>
                  <Input inputMode="numeric" value={text} onChange={({ detail }) => setTyped((before) => ({ ...before, [name]: detail.value }))} />
                </FormField>
              );
            })}
          </SpaceBetween>
        ))}
      </ColumnLayout>
    </Container>
  );
}
