import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import ProgressBar from '@cloudscape-design/components/progress-bar';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table from '@cloudscape-design/components/table';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { type Answer, api } from '../api/client.ts';
import { Status } from '../parts/status.tsx';
import { Time } from '../parts/time.tsx';
import { bytesText } from '../parts/units.ts';
import { useNotices } from '../shell/notices.tsx';
import type { Server } from './queries.ts';

/** A live migration under way. */
type Progress = Answer<'nova.server.migration.list'>['migrations'][number];

/** What a migration's status is when nothing more happens to it by itself. */
const ENDED = new Set(['completed', 'done', 'finished', 'confirmed', 'reverted', 'error', 'failed', 'cancelled']);
/** How often a move is looked at while it lasts: its progress writes no events. */
const LOOK_MS = 1_000;

/** Where the server moved, and how far a move has come that lasts. For those who may move it. */
export function MigrationsTab({ server }: { readonly server: Server }) {
  const { t } = useTranslation();
  const { fail } = useNotices();
  const moves = server['OS-EXT-STS:task_state'] !== null;
  const id = encodeURIComponent(server.id);
  const progress = useQuery({
    queryKey: ['server', server.id, 'migrations', 'now'],
    queryFn: async ({ signal }) => (await api<'nova.server.migration.list'>('compute', `/v2.1/servers/${id}/migrations`, { signal })).migrations,
    refetchInterval: moves ? LOOK_MS : false,
    retry: false,
  });
  const all = useQuery({
    queryKey: ['server', server.id, 'migrations'],
    queryFn: async ({ signal }) => (await api<'nova.migration.list'>('compute', `/v2.1/os-migrations?instance_uuid=${id}`, { signal })).migrations,
    refetchInterval: ({ state }) => (moves || state.data?.some(({ status }) => !ENDED.has(status)) ? LOOK_MS : false),
    retry: false,
  });
  const abort = (migration: Progress): void => {
    api('compute', `/v2.1/servers/${id}/migrations/${migration.id}`, { method: 'DELETE' }).catch((error: unknown) => fail(t('migrations.notAborted'), error));
  };
  const error = all.error ?? progress.error;
  return (
    <SpaceBetween size="m">
      {error !== null && <Alert type="error">{error.message}</Alert>}
      {(progress.data ?? []).map((migration) => {
        const { memory_total_bytes: total, memory_processed_bytes: done } = migration;
        return (
          <Container
            key={migration.id}
            header={
              <Header variant="h2" actions={<Button onClick={() => abort(migration)}>{t('migrations.abort')}</Button>}>
                {t('migrations.way', { from: migration.source_compute ?? '?', to: migration.dest_compute ?? '?' })}
              </Header>
            }
          >
            <ProgressBar
              label={t('migrations.memory')}
              value={total ? Math.min(100, Math.round((100 * (done ?? 0)) / total)) : 0}
              additionalInfo={total ? `${bytesText(done ?? 0)} / ${bytesText(total)}` : ''}
            />
          </Container>
        );
      })}
      <Table
        items={[...(all.data ?? [])]}
        loading={all.isPending}
        loadingText={t('loading')}
        trackBy="uuid"
        ariaLabels={{ tableLabel: t('servers.migrations') }}
        empty={<Box>{t('migrations.empty')}</Box>}
        header={<Header variant="h2">{t('servers.migrations')}</Header>}
        columnDefinitions={[
          { id: 'created', header: t('fields.started'), cell: ({ created_at }) => <Time at={created_at} />, isRowHeader: true },
          { id: 'type', header: t('fields.type'), cell: ({ migration_type }) => migration_type },
          { id: 'status', header: t('fields.status'), cell: ({ status }) => <Status status={status} /> },
          { id: 'from', header: t('migrations.from'), cell: ({ source_compute }) => source_compute ?? '-' },
          { id: 'to', header: t('migrations.to'), cell: ({ dest_compute }) => dest_compute ?? '-' },
        ]}
      />
    </SpaceBetween>
  );
}
